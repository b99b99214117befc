//! P3: what may be sold short, and at which price. Source: Regulation SHO Rule 201(b); rules.md P3.
//!
//! After a fall of 10 % from the prior close no short sale may be priced at or below the national best bid, for the rest of
//! the day and the next. The restriction is told from the bid and the prior close, and taken from the venue where it states
//! one; while neither is known it counts as in force. A sell marked short exempt is free of it. An instrument that is not
//! shortable cannot be sold short at all.

use super::{Breach, Check, Verdict, id};
use crate::candidate::Candidate;
use crate::events::Side;
use crate::outcome::{Reject, Unit};
use crate::reasons::{Reason, reasons};
use crate::scopes::Scope;
use crate::security::ShortSale as Restriction;
use crate::state::State;
use crate::units::Price;

reasons! { REASONS:
    SHORT_SALE_RESTRICTED = 305, 22,
        "Rule 201 is in force, or not known to be lifted: price the short sale above the best bid.";
    NOT_SHORTABLE = 306, 22, "The instrument cannot be sold short.";
}

/// See the module.
#[derive(Default)]
pub struct ShortSale;

impl Check for ShortSale {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if !candidate.side.is_short() {
            return Ok(());
        }
        let security = &state.securities[candidate.symbol.index()];
        if !security.rules.reg_sho {
            return Ok(());
        }
        if security.restriction() == Some(Restriction::NotShortable) {
            return refuse(candidate, &NOT_SHORTABLE, None);
        }
        if candidate.side == Side::SellShortExempt || !security.rule_201() {
            return Ok(());
        }
        let bid = fresh_bid(candidate, state);
        match (candidate.price, bid) {
            (Some(price), Some(bid)) if price > bid => Ok(()),
            _ => refuse(candidate, &SHORT_SALE_RESTRICTED, bid),
        }
    }
}

/// The best bid, unless it is too old: orders that only reduce come this far with an old one.
fn fresh_bid(candidate: &Candidate, state: &State) -> Option<Price> {
    let market = &state.markets[candidate.symbol.index()];
    let oldest = state.limits.at(candidate.touched.symbol()).get(id::MARKET_DATA_MAX_AGE)?;
    let (bid, _) = market.touch()?;
    (i128::from(market.age(candidate.now)?.0) <= oldest).then_some(bid)
}

#[cold]
fn refuse(candidate: &Candidate, reason: Reason, bid: Option<Price>) -> Verdict {
    let scope = Some(Scope::Symbol(candidate.symbol));
    let number = |price: Option<Price>| price.map_or(0, |price| price.0.into());
    let (limit, value) = (number(bid), number(candidate.price));
    Err(Breach::reject(Reject { reason, scope, limit, value, unit: Unit::Price }))
}
