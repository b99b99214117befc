//! What the venue says beside quotes - phases, price bands, prior closes, short-sale restrictions - as events of the core.
//! A status is repeated whole; only what changed becomes a record.

use riskcore::events::Event;
use riskcore::ids::SymbolId;
use riskcore::security::{Phase, ShortSale};
use riskcore::units::Price;

use crate::inbound::named;
use crate::plane::Plane;
use crate::wire::Malformed;
use crate::wire::venue::{MarketDataResponse, SecurityStatus};

/// What this stream has said of one instrument; `None` where it has not said anything yet.
#[derive(Clone, Copy, Default)]
struct Said {
    phase: Option<Phase>,
    bands: Option<Option<(Price, Price)>>,
    prior_close: Option<Price>,
    restriction: Option<ShortSale>,
}

/// What this stream has said.
pub struct Statuses {
    market: Option<Phase>,
    symbols: Vec<Said>,
}

impl Statuses {
    /// A stream that has said nothing.
    pub fn new(symbols: usize) -> Statuses {
        Statuses { market: None, symbols: vec![Said::default(); symbols] }
    }

    /// Gives the core what a frame changes.
    pub fn take(&mut self, plane: &mut Plane, frame: &[u8]) -> Result<(), Malformed> {
        let mut statuses = MarketDataResponse::new(frame);
        while let Some(status) = statuses.next_status()? {
            plane.counters.statuses += 1;
            let phase = phase(status.phase);
            if status.symbol.is_empty() {
                if phase.is_some() && changed(&mut self.market, phase) {
                    self.hear_anew();
                    plane.apply(&Event::Phase { symbol: None, phase });
                }
                continue;
            }
            let Some(symbol) = named(status.symbol, |name| plane.names().symbol(name)).known() else { continue };
            if let Some(said) = self.symbols.get_mut(symbol.index()) {
                said.take(plane, symbol, phase, &status);
            }
        }
        Ok(())
    }

    /// The core has put every instrument in the phase of the market: what is said of one of them next is news. Halts stay.
    fn hear_anew(&mut self) {
        self.symbols.iter_mut().filter(|said| said.phase != Some(Phase::Halted)).for_each(|said| said.phase = None);
    }
}

impl Said {
    fn take(&mut self, plane: &mut Plane, symbol: SymbolId, phase: Option<Phase>, status: &SecurityStatus<'_>) {
        let bands = match (status.low_limit_px, status.high_limit_px) {
            (None, None) => None,
            // One band alone makes no sense, and the core says so.
            (low, high) => Some((Price(low.unwrap_or(0)), Price(high.unwrap_or(0)))),
        };
        if changed(&mut self.bands, Some(bands)) {
            plane.apply(&Event::Bands { symbol, bands });
        }
        if let Some(price) = status.prev_close_px.map(Price)
            && changed(&mut self.prior_close, Some(price))
        {
            plane.apply(&Event::PriorClose { symbol, price });
        }
        if let Some(restriction) = restriction(status.short_sale_restriction)
            && changed(&mut self.restriction, Some(restriction))
        {
            plane.apply(&Event::ShortSale { symbol, restriction });
        }
        // Last: what opens must be bound by all of it.
        if phase.is_some() && changed(&mut self.phase, phase) {
            plane.apply(&Event::Phase { symbol: Some(symbol), phase });
        }
    }
}

fn changed<T: PartialEq>(old: &mut T, new: T) -> bool {
    let changed = *old != new;
    *old = new;
    changed
}

/// `TradingPhase`. One that this version does not know is taken as a halt.
fn phase(n: u64) -> Option<Phase> {
    match u8::try_from(n) {
        Ok(0) => None,
        Ok(n) => Some(Phase::from_number(n).unwrap_or(Phase::Halted)),
        Err(_) => Some(Phase::Halted),
    }
}

/// `ShortSaleRestriction`, moved up by one. One that this version does not know forbids.
fn restriction(n: u64) -> Option<ShortSale> {
    let n = n.checked_sub(1)?;
    let known = u8::try_from(n).ok().and_then(ShortSale::from_number);
    Some(known.unwrap_or(ShortSale::NotShortable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_version_does_not_know_forbids() {
        assert_eq!(phase(0), None);
        assert_eq!(phase(4), Some(Phase::Continuous));
        assert_eq!([phase(7), phase(u64::MAX)], [Some(Phase::Halted); 2]);
        assert_eq!(restriction(0), None);
        assert_eq!(restriction(1), Some(ShortSale::Free));
        assert_eq!([restriction(5), restriction(u64::MAX)], [Some(ShortSale::NotShortable); 2]);
    }
}
