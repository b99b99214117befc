//! Rates of currencies, from the stream of market data: the newest of each, at most one per currency and turn into the core,
//! because each values the positions of its currency anew. A rate that is repeated is passed on, too: it is still good.

use riskcore::events::Event;
use riskcore::ids::CurrencyId;
use riskcore::units::{Nanos, Rate};

use crate::inbound::named;
use crate::plane::Plane;
use crate::wire::Malformed;
use crate::wire::venue::MarketDataResponse;

/// Between two rates of a currency.
const INTERVAL: Nanos = Nanos::from_millis(10);

/// A rate that waits for its currency's next turn.
#[derive(Clone, Copy, Default)]
struct Slot {
    newest: Option<Rate>,
    passed_on: Option<Nanos>,
}

/// The newest rates.
pub struct Rates(Vec<Slot>);

impl Rates {
    /// A stream that has said nothing.
    pub fn new(currencies: usize) -> Rates {
        Rates(vec![Slot::default(); currencies])
    }

    /// Takes the rates of a frame; those of currencies that are not configured are passed over.
    pub fn take(&mut self, plane: &mut Plane, frame: &[u8]) -> Result<(), Malformed> {
        let mut rates = MarketDataResponse::new(frame);
        while let Some(rate) = rates.next_rate()? {
            let currency = named(rate.currency, |name| plane.names().currency(name)).known();
            if let Some(slot) = currency.and_then(|currency| self.0.get_mut(currency.index())) {
                plane.counters.fx_rates += 1;
                slot.newest = Some(Rate(rate.rate));
            }
        }
        Ok(())
    }

    /// Whether a rate waits.
    pub fn wait(&self) -> bool {
        self.0.iter().any(|slot| slot.newest.is_some())
    }

    /// Gives the core every rate whose currency's turn has come.
    pub fn pass_on(&mut self, plane: &mut Plane) {
        let now = plane.now();
        for (n, slot) in self.0.iter_mut().enumerate() {
            if slot.passed_on.is_some_and(|at| now.since(at) < INTERVAL) {
                continue;
            }
            if let Some(rate) = slot.newest.take() {
                slot.passed_on = Some(now);
                plane.apply(&Event::FxRate { currency: CurrencyId(n as u32), rate });
            }
        }
    }
}
