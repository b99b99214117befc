//! What the venue says of the market beside quotes and reports, and which rules an instrument is traded under, an account
//! bound by.

use crate::engine::Engine;
use crate::ids::{AccountId, SymbolId};
use crate::outcome::{Outcome, Reject};
use crate::reasons::{NEEDS_APPROVAL, Reason, UNKNOWN_SCOPE};
use crate::resting::GroupId;
use crate::security::{Bands, Phase, Rules, Security, ShortSale};
use crate::units::Price;

fn refused(reason: Reason) -> Outcome {
    Outcome::Refused(Reject::plain(reason))
}

impl Engine {
    /// Whether phases are published. Once orders could flow, they cannot be declared dispensable any more.
    pub(crate) fn phases_published(&mut self, published: bool) -> Outcome {
        if self.state.venue.ever_up && !published && self.state.session.published {
            return refused(&NEEDS_APPROVAL);
        }
        self.state.session.published = published;
        Outcome::Applied
    }

    /// The rules of an instrument. Once orders could flow, no rule is lifted any more.
    pub(crate) fn symbol_rules(&mut self, symbol: SymbolId, rules: Rules) -> Outcome {
        let ever_up = self.state.venue.ever_up;
        let Some(security) = self.state.securities.get_mut(symbol.index()) else { return refused(&UNKNOWN_SCOPE) };
        let old = security.rules;
        let lifts = old.reg_sho && !rules.reg_sho
            || old.luld && !rules.luld
            || old.reg_sho && !old.easy_to_borrow && rules.easy_to_borrow;
        if ever_up && lifts {
            return refused(&NEEDS_APPROVAL);
        }
        security.rules = rules;
        self.derive_rule_201(symbol);
        Outcome::Applied
    }

    /// The self-match group of an account. Once orders could flow, an account joins one, but leaves none.
    pub(crate) fn self_match_group(&mut self, account: AccountId, group: Option<GroupId>) -> Outcome {
        let state = &mut self.state;
        let now = state.resting.groups().get(account.index()).copied().flatten();
        if state.venue.ever_up && now.is_some() && now != group {
            return refused(&NEEDS_APPROVAL);
        }
        if state.resting.join(&state.orders, account, group) { Outcome::Applied } else { refused(&UNKNOWN_SCOPE) }
    }

    /// A trading phase, of one instrument or of all.
    pub(crate) fn set_phase(&mut self, symbol: Option<SymbolId>, phase: Option<Phase>) -> Outcome {
        let Some(symbol) = symbol else {
            self.state.session.halted = match phase {
                Some(phase) => phase == Phase::Halted,
                None => self.state.session.halted,
            };
            if !self.state.session.halted {
                self.state.securities.iter_mut().for_each(|security| security.follow_market(phase));
            }
            return Outcome::Applied;
        };
        self.with_security(symbol, |security| security.set_phase(phase))
    }

    /// Price bands. Bands that make no sense are taken as unknown, and counted.
    pub(crate) fn set_bands(&mut self, symbol: SymbolId, bands: Option<(Price, Price)>) -> Outcome {
        let bands = Bands::said(bands);
        self.state.counters.bad_ticks += u64::from(bands == Bands::Unusable);
        self.with_security(symbol, |security| security.bands = bands)
    }

    /// The prior close. One that makes no sense is taken as unknown, and counted.
    pub(crate) fn set_prior_close(&mut self, symbol: SymbolId, price: Price) -> Outcome {
        self.state.counters.bad_ticks += u64::from(price.0 <= 0);
        let outcome = self.with_security(symbol, |security| security.set_prior_close(Some(price)));
        self.derive_rule_201(symbol);
        outcome
    }

    /// What the venue says of short sales.
    pub(crate) fn restrict_short_sales(&mut self, symbol: SymbolId, restriction: ShortSale) -> Outcome {
        self.with_security(symbol, |security| security.restrict(restriction))
    }

    fn with_security(&mut self, symbol: SymbolId, change: impl FnOnce(&mut Security)) -> Outcome {
        let Some(security) = self.state.securities.get_mut(symbol.index()) else { return refused(&UNKNOWN_SCOPE) };
        change(security);
        Outcome::Applied
    }

    /// Rule 201 is told from the newest bid, whichever of bid, prior close and rule came last.
    fn derive_rule_201(&mut self, symbol: SymbolId) {
        let touch = self.state.markets.get(symbol.index()).and_then(|market| market.touch());
        if let (Some((bid, _)), Some(security)) = (touch, self.state.securities.get_mut(symbol.index())) {
            security.quoted(bid);
        }
    }
}
