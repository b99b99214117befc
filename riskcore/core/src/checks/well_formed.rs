//! V1: quantity, lot, price and tick are what the instrument allows. Source: rules.md V1; Rule 15c3-5(c)(1)(ii).
//!
//! That account, symbol and strategy are known is decided while the order is resolved (`place.rs`), because no scope
//! exists without them.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::events::OrdType;
use crate::outcome::{Reject, Unit};
use crate::reasons::{OTHER, Reason, reasons};
use crate::state::State;
use crate::units::{Price, Qty};

reasons! { REASONS:
    INVALID_QUANTITY = 134, 13, "The quantity must be positive.";
    INVALID_LOT = 135, 13, "The quantity must be a multiple of the instrument's lot.";
    INVALID_PRICE = 136, OTHER, "A limit order needs a positive price; a market order must not have one.";
    INVALID_TICK = 137, 18, "The price must be a multiple of the instrument's tick.";
}

/// See the module.
#[derive(Default)]
pub struct WellFormed;

impl Check for WellFormed {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let Some(instrument) = state.instruments[candidate.symbol.index()] else {
            return refuse(&crate::place::UNKNOWN_SYMBOL, 0, 0, Unit::None);
        };
        let Qty(qty) = candidate.qty;
        if qty <= 0 {
            return refuse(&INVALID_QUANTITY, 1, qty, Unit::Quantity);
        }
        // Most lots are of one, and a division costs more than all the rest.
        if instrument.lot.0 != 1 && qty % instrument.lot.0 != 0 {
            return refuse(&INVALID_LOT, instrument.lot.0, qty, Unit::Quantity);
        }
        match (candidate.ord_type, candidate.price) {
            (OrdType::Market, None) => Ok(()),
            (OrdType::Limit, Some(Price(price))) if price > 0 => {
                if price % instrument.tick.0 != 0 {
                    return refuse(&INVALID_TICK, instrument.tick.0, price, Unit::Price);
                }
                Ok(())
            }
            (_, price) => refuse(&INVALID_PRICE, 0, price.map_or(0, |price| price.0), Unit::Price),
        }
    }
}

fn refuse(reason: Reason, limit: i64, value: i64, unit: Unit) -> Verdict {
    let reject = Reject { reason, scope: None, limit: limit.into(), value: value.into(), unit };
    Err(Breach::reject(reject))
}
