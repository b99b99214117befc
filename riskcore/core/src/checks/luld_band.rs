//! P3: the price bands of the limit up-limit down plan. Source: LULD plan; Rule 15c3-5(c)(2)(i); rules.md P3.
//!
//! A buy may not be priced above the upper band, a sell not below the lower; the bands themselves pass. Bands hold in
//! continuous trading, not in auctions. A market order has no price that could be outside of them: the venue executes it
//! within. An instrument under the plan (`luld`) whose bands are not known takes no order.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::outcome::{Reject, Unit};
use crate::reasons::{Reason, reasons};
use crate::scopes::Scope;
use crate::security::{Bands, Phase};
use crate::state::State;
use crate::units::Price;

reasons! { REASONS:
    LULD_BAND = 303, 16, "The price is outside of the instrument's price bands.";
    LULD_BAND_UNKNOWN = 304, 19, "The instrument's price bands are in force and not known; wait for the feed.";
}

/// See the module.
#[derive(Default)]
pub struct LuldBand;

impl Check for LuldBand {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let security = &state.securities[candidate.symbol.index()];
        if security.bands == Bands::Absent && !security.rules.luld {
            return Ok(());
        }
        let within = match (security.bands, candidate.price) {
            (Bands::Known(_, high), Some(price)) if candidate.side.is_buy() => price <= high,
            (Bands::Known(low, _), Some(price)) => price >= low,
            (Bands::Known(..), None) => true,
            (_, _) => false,
        };
        if within || state.phase(candidate.symbol) != Some(Phase::Continuous) {
            return Ok(());
        }
        match security.bands {
            Bands::Known(low, high) => {
                let bound = if candidate.side.is_buy() { high } else { low };
                refuse(candidate, &LULD_BAND, bound, candidate.price.unwrap_or_default())
            }
            _ => refuse(candidate, &LULD_BAND_UNKNOWN, Price(0), Price(0)),
        }
    }
}

#[cold]
fn refuse(candidate: &Candidate, reason: Reason, limit: Price, value: Price) -> Verdict {
    let scope = Some(Scope::Symbol(candidate.symbol));
    let (limit, value) = (limit.0.into(), value.0.into());
    Err(Breach::reject(Reject { reason, scope, limit, value, unit: Unit::Price }))
}
