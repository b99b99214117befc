//! What people change: limits, reinstatements, parents, opening positions.
//!
//! Tightening takes one person and acts at once; loosening, overriding and reinstating take two, the second naming the
//! proposal of the first. A proposal that a newer halt has overtaken is void.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::books::Execution;
use crate::checks::canary;
use crate::checks::id;
use crate::detect::findings::Acknowledged;
use crate::engine::Engine;
use crate::events::{Change, Instrument, Side};
use crate::fleet::{NO_INCIDENT, NOT_ON_CANARY};
use crate::halts::State as HaltState;
use crate::ids::{AccountId, ClOrdId, ParentId, RouterId, SymbolId};
use crate::limits::{Judges, LimitId, LimitTarget, Setting};
use crate::outcome::{Effect, Outcome, Reject};
use crate::overrides::Override;
use crate::parents::Parent;
use crate::readiness::Red;
use crate::reasons::{
    BAD_ACTION, BAD_REFERENCE_DATA, BAD_VALUE, CAPACITY, HARD_LIMIT, LAPSED, LIMIT_NOT_SETTABLE_HERE, NEEDS_APPROVAL,
    NOT_HALTED, PARENT_EXISTS, Reason, SAME_PERSON, TRIP_SUPERSEDED, UNKNOWN_PROPOSAL, UNKNOWN_SCOPE,
};
use crate::scopes::{Scope, ScopeIx};
use crate::units::{Money, Nanos, Price, Qty};
use crate::watchlist::Causes;

/// How long a proposal waits for its second person.
pub const PROPOSAL_LIFETIME: Nanos = Nanos::from_secs(600);

/// A change that waits for a second person.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its number.
    pub id: u64,
    /// What it will do.
    pub change: Change,
    /// Who proposed it.
    pub principal: String,
    /// Why.
    pub text: String,
    /// Of an override of the readiness gate: what was red.
    pub red: Red,
    /// When it lapses.
    pub expires: Nanos,
}

fn refused(reason: Reason) -> Outcome {
    Outcome::Refused(Reject::plain(reason))
}

impl Engine {
    /// Sets a limit at once. After the gateway has been connected to its venue, this only ever tightens.
    pub(crate) fn set_limit(&mut self, target: LimitTarget, limit: LimitId, setting: Option<Setting>) -> Outcome {
        if let Err(reason) = self.limit_is_sound(target, limit, setting) {
            return refused(reason);
        }
        if self.state.venue.ever_up && self.loosens(target, limit, setting) {
            return refused(&NEEDS_APPROVAL);
        }
        self.put_for_good(target, limit, setting);
        Outcome::Applied
    }

    fn limit_is_sound(&mut self, target: LimitTarget, limit: LimitId, setting: Option<Setting>) -> Result<(), Reason> {
        let def = limit.def();
        if def.settable_at & target.kind().bit() == 0 {
            return Err(&LIMIT_NOT_SETTABLE_HERE);
        }
        if setting.is_some_and(|setting| setting.value < def.min) {
            return Err(&BAD_VALUE);
        }
        if setting.is_some_and(|setting| !def.allows(setting.action) || setting.soft && def.judges != Judges::Orders) {
            return Err(&BAD_ACTION);
        }
        match target {
            LimitTarget::Scope(scope) if self.place_of(scope).is_none() => Err(&UNKNOWN_SCOPE),
            _ => Ok(()),
        }
    }

    /// The place of a scope; a pair that is not there yet is created.
    fn place_of(&mut self, scope: Scope) -> Option<ScopeIx> {
        let before = self.state.scopes.len();
        let ix = self.state.scope_or_create(scope)?;
        if self.state.scopes.len() > before {
            self.checks.limits_changed(ix, self.state.limits.at(ix));
        }
        Some(ix)
    }

    /// What is in force at a scope, or as a kind's default.
    pub fn setting_at(&self, target: LimitTarget, limit: LimitId) -> Option<Setting> {
        match target {
            LimitTarget::Scope(scope) => {
                self.state.scopes.find(scope).and_then(|ix| self.state.limits.at(ix).setting(limit))
            }
            LimitTarget::Default(kind) => self.state.limits.defaults(kind).setting(limit),
        }
    }

    /// Whether a change could let through what is refused now. A change of a window counts as one: longer is looser for
    /// some limits and tighter for others.
    pub fn loosens(&self, target: LimitTarget, limit: LimitId, setting: Option<Setting>) -> bool {
        let def = limit.def();
        let required = def.required_at & target.kind().bit() != 0;
        // A limit without which orders are stopped counts as not set while its breach stops nothing.
        let grants = required || self.grants(target, limit);
        let counts = |setting: &Setting| !grants || setting.action.blocks();
        let now = self.setting_at(target, limit).filter(counts);
        match (now, setting) {
            _ if def.judges == Judges::Nothing => now != setting,
            (Some(old), Some(new)) => new.loosens(old),
            // Where a limit is required, none is the tightest of all; elsewhere it is the loosest.
            (Some(old), None) => old.action.blocks() && !required || self.has_looser_default(target, limit, old),
            (None, Some(new)) => grants && new.action.blocks(),
            // The default comes back, and with it the orders.
            (None, None) => grants && self.default_blocks(target, limit),
        }
    }

    /// Whether a limit that no order needs stops more while it is not set than any value of it would.
    fn grants(&self, target: LimitTarget, limit: LimitId) -> bool {
        match limit {
            // In an auction another collar holds while this one is not set, which may be the tighter one.
            id::PRICE_COLLAR_AUCTION_BPS => true,
            // Without a bound on the age of rates no order of another currency passes.
            id::FX_RATE_MAX_AGE => true,
            // Without a locate nothing is sold short.
            id::SHORT_LOCATE => true,
            // A router on canary sends nothing while none of its limits is set.
            _ if canary::is_one(limit) => {
                self.canaries(target).any(|ix| !canary::is_configured(self.state.limits.at(ix)))
            }
            _ => false,
        }
    }

    /// The routers on canary among those of a target.
    fn canaries(&self, target: LimitTarget) -> impl Iterator<Item = ScopeIx> + '_ {
        self.state.scopes.iter().filter_map(move |(ix, scope)| match (scope, target) {
            (Scope::Router(router), LimitTarget::Default(_)) => self.state.fleet.on_canary(router).then_some(ix),
            (Scope::Router(router), LimitTarget::Scope(only)) if only == scope => {
                self.state.fleet.on_canary(router).then_some(ix)
            }
            _ => None,
        })
    }

    fn default_blocks(&self, target: LimitTarget, limit: LimitId) -> bool {
        let default = self.state.limits.defaults(target.kind()).setting(limit);
        matches!(target, LimitTarget::Scope(_)) && default.is_some_and(|default| default.action.blocks())
    }

    /// Removing a scope's own value brings back its kind's default, which may be looser.
    fn has_looser_default(&self, target: LimitTarget, limit: LimitId, now: Setting) -> bool {
        let default = self.state.limits.defaults(target.kind()).setting(limit);
        matches!(target, LimitTarget::Scope(_)) && default.is_some_and(|default| default.loosens(now))
    }

    pub(crate) fn put_limit(&mut self, target: LimitTarget, limit: LimitId, setting: Option<Setting>) {
        match target {
            LimitTarget::Scope(scope) => {
                let Some(ix) = self.state.scopes.find(scope) else { return };
                self.state.limits.set(ix, scope.kind(), limit, setting);
                self.checks.limits_changed(ix, self.state.limits.at(ix));
            }
            LimitTarget::Default(kind) => {
                let scopes: Vec<_> = self.state.scopes.iter().collect();
                self.state.limits.set_default(kind, limit, setting, scopes.iter().copied());
                for (ix, _) in scopes.into_iter().filter(|(_, scope)| scope.kind() == kind) {
                    self.checks.limits_changed(ix, self.state.limits.at(ix));
                }
            }
        }
        // What was proposed before was proposed about another value: approving it now would undo this change.
        let overtaken = |change: &Change| matches!(change, Change::Limit { target: t, limit: l, .. } if (*t, *l) == (target, limit));
        self.proposals.retain(|proposal| !overtaken(&proposal.change));
        self.effects.push(Effect::LimitChanged);
        // A bound that is breached already acts now, not with the next tick.
        for n in 0..self.state.scopes.len() as u32 {
            self.state.watchlist.push(ScopeIx(n), Causes::ANY);
        }
    }

    /// The first of two people.
    pub(crate) fn propose(&mut self, change: Change, principal: &str, text: &str) -> Outcome {
        let sound = match change {
            Change::Reinstate { scope, trip } => self.may_reinstate(scope, trip).map(|_| ()),
            Change::Limit { target, limit, setting, until } => {
                self.limit_is_sound(target, limit, setting).and_then(|()| self.is_ahead(until))
            }
            Change::Override { scope, limit, until, .. } => {
                self.soft_limit_at(scope, limit).and_then(|_| self.is_ahead(Some(until)))
            }
            Change::OverrideReadiness { until } => self.may_override(until),
            Change::Promote { router } => self.may_promote(router),
            Change::CloseIncident { trip } => self.may_close_incident(trip),
            Change::Restrict { symbol, .. } => self.can_restrict(symbol),
            Change::FxRate { currency, rate } => self.rate_is_sound(currency, rate),
        };
        if let Err(reason) = sound {
            return refused(reason);
        }
        self.last_proposal += 1;
        self.proposals.push(Proposal {
            id: self.last_proposal,
            red: self.red_in(&change),
            change,
            principal: principal.to_string(),
            text: text.to_string(),
            expires: self.state.now.after(PROPOSAL_LIFETIME),
        });
        Outcome::Proposed(self.last_proposal)
    }

    fn may_reinstate(&self, scope: Scope, trip: u64) -> Result<ScopeIx, Reason> {
        let Some(ix) = self.state.scopes.find(scope) else { return Err(&UNKNOWN_SCOPE) };
        let latch = self.state.halts.latch(ix);
        if latch.state == HaltState::Active {
            return Err(&NOT_HALTED);
        }
        if latch.newest != trip {
            return Err(&TRIP_SUPERSEDED);
        }
        Ok(ix)
    }

    /// The second of two people: the change takes effect now, or is void.
    pub(crate) fn approve(&mut self, proposal: u64, principal: &str) -> Outcome {
        self.expire_proposals();
        let Some(at) = self.proposals.iter().position(|p| p.id == proposal) else { return refused(&UNKNOWN_PROPOSAL) };
        if self.proposals[at].principal == principal {
            return refused(&SAME_PERSON);
        }
        let proposal = self.proposals.remove(at);
        match proposal.change {
            Change::Limit { target, limit, setting, until } => {
                if let Err(reason) = self.is_ahead(until) {
                    return refused(reason);
                }
                self.put_for_a_time(target, limit, setting, until);
            }
            Change::Override { scope, limit, up_to, order, until } => {
                let ix = match self.soft_limit_at(scope, limit).and_then(|ix| self.is_ahead(Some(until)).map(|()| ix)) {
                    Ok(ix) => ix,
                    Err(reason) => return refused(reason),
                };
                let people = (proposal.principal, principal.to_string());
                self.overrides.add(Override { id: proposal.id, ix, limit, up_to, order, until, people, used: 0 });
            }
            Change::Reinstate { scope, trip } => match self.may_reinstate(scope, trip) {
                Ok(ix) => self.reinstate(ix, scope),
                Err(reason) => return refused(reason),
            },
            Change::OverrideReadiness { until } => {
                if let Err(reason) = self.override_readiness(until, proposal.red) {
                    return refused(reason);
                }
            }
            Change::Promote { router } => match self.may_promote(router) {
                Ok(()) => self.state.fleet.promote(router),
                Err(reason) => return refused(reason),
            },
            Change::CloseIncident { trip } => match self.may_close_incident(trip) {
                Ok(()) => _ = self.state.fleet.close_incident(trip),
                Err(reason) => return refused(reason),
            },
            Change::FxRate { currency, rate } => return self.fx_rate(currency, rate),
            Change::Restrict { symbol, stops } => {
                self.put_restriction(symbol, stops, &proposal.principal, &proposal.text);
            }
        }
        Outcome::Applied
    }

    /// A soft limit that is set at this scope.
    fn soft_limit_at(&self, scope: Scope, limit: LimitId) -> Result<ScopeIx, Reason> {
        let Some(ix) = self.state.scopes.find(scope) else { return Err(&UNKNOWN_SCOPE) };
        let setting = self.state.limits.at(ix).setting(limit);
        if setting.is_some_and(|setting| setting.soft) { Ok(ix) } else { Err(&HARD_LIMIT) }
    }

    fn is_ahead(&self, until: Option<Nanos>) -> Result<(), Reason> {
        if until.is_none_or(|until| until > self.state.now) { Ok(()) } else { Err(&LAPSED) }
    }

    pub(crate) fn reinstate(&mut self, ix: ScopeIx, scope: Scope) {
        self.state.halts.reinstate(ix, scope, self.state.now);
        self.sweeps.retain(|sweep| sweep.trip.is_none_or(|(swept, _)| swept != ix));
        let router = if let Scope::Router(router) = scope { Some(router) } else { None };
        self.checks.reinstated(ix, router);
        self.state.fleet.close_incidents_at(scope);
        if let Some(router) = router.filter(|_| canary::is_configured(self.state.limits.at(ix))) {
            self.state.fleet.put_on_probation(router);
        }
        self.effects.push(Effect::Reinstated(scope));
        // A cause that persists halts again at once: reinstating forgives nothing.
        self.state.watchlist.push(ix, Causes::ANY);
    }

    fn may_promote(&self, router: RouterId) -> Result<(), Reason> {
        if self.state.fleet.on_canary(router) { Ok(()) } else { Err(&NOT_ON_CANARY) }
    }

    fn may_close_incident(&self, trip: u64) -> Result<(), Reason> {
        if self.state.fleet.incidents().iter().any(|incident| incident.trip == trip) {
            Ok(())
        } else {
            Err(&NO_INCIDENT)
        }
    }

    /// A person has looked at a finding, and says what it was. A finding is acknowledged once.
    pub(crate) fn acknowledge(&mut self, finding: u64, principal: &str, text: &str) -> Outcome {
        let by = Acknowledged { principal: principal.to_string(), text: text.to_string(), time: self.state.now };
        match self.detect.findings.acknowledge(finding, by) {
            Ok(()) => Outcome::Applied,
            Err(reason) => refused(reason),
        }
    }

    pub(crate) fn expire_proposals(&mut self) {
        let now = self.state.now;
        self.proposals.retain(|proposal| proposal.expires > now);
    }

    /// Changes that wait for a second person.
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    pub(crate) fn set_instrument(&mut self, symbol: SymbolId, instrument: Instrument) -> Outcome {
        let known = instrument.currency.is_none_or(|currency| self.state.currencies.has(currency));
        let sound = known && instrument.tick.0 > 0 && instrument.lot.0 > 0 && instrument.multiplier > 0;
        let same = |old: Instrument| (old.multiplier, old.currency) == (instrument.multiplier, instrument.currency);
        match self.state.instruments.get_mut(symbol.index()) {
            Some(slot) if sound && slot.is_none_or(same) => {
                if slot.replace(instrument).is_none()
                    && let Some(currency) = instrument.currency
                {
                    self.state.currencies.quotes(currency, symbol);
                }
                // A position from before its multiplier was known is worth something else now.
                self.state.revalue_symbol(symbol);
                Outcome::Applied
            }
            _ => refused(&BAD_REFERENCE_DATA),
        }
    }

    pub(crate) fn parent_required(&mut self, account: AccountId, required: bool) -> Outcome {
        match self.state.parent_required.get_mut(account.index()) {
            Some(slot) => {
                *slot = required;
                Outcome::Applied
            }
            None => refused(&UNKNOWN_SCOPE),
        }
    }

    /// A position brought into the day. It earns or loses from its mark on.
    pub(crate) fn opening_position(&mut self, account: AccountId, symbol: SymbolId, qty: Qty, mark: Price) -> Outcome {
        let cells = [self.place_of(Scope::AccountSymbol(account, symbol)), self.place_of(Scope::Symbol(symbol))];
        let [Some(account_cell), Some(symbol_cell)] = cells else { return refused(&UNKNOWN_SCOPE) };
        let value = Money::of(mark, qty, self.state.multiplier(symbol));
        let Some(value) = value.filter(|_| mark.0 > 0 && qty.0 != i64::MIN) else {
            return refused(&BAD_REFERENCE_DATA);
        };
        let execution = Execution { signed_qty: qty.0, cash: -value.0, notional: 0 };
        for cell in [account_cell, symbol_cell] {
            if self.state.books[cell.at()].after(true, execution).is_none() {
                return refused(&BAD_REFERENCE_DATA);
            }
        }
        self.state.markets[symbol.index()].seed(mark);
        for cell in [account_cell, symbol_cell] {
            self.state.books[cell.at()].execute(true, execution);
            self.state.revalue(cell, symbol);
        }
        Outcome::Applied
    }

    pub(crate) fn open_parent(
        &mut self,
        name: ClOrdId,
        account: AccountId,
        symbol: SymbolId,
        side: Side,
        qty: Qty,
    ) -> Outcome {
        if account.index() >= self.state.names.accounts.len() || symbol.index() >= self.state.names.symbols.len() {
            return refused(&UNKNOWN_SCOPE);
        }
        if qty.0 <= 0 {
            return refused(&BAD_REFERENCE_DATA);
        }
        if let Some(id) = self.state.parents.find(name) {
            let same = self.state.parents.get(id).is_some_and(|parent| {
                (parent.account, parent.symbol, parent.side, parent.qty) == (account, symbol, side, qty)
            });
            return if same { Outcome::Parent(id) } else { refused(&PARENT_EXISTS) };
        }
        let parent = Parent {
            name,
            account,
            symbol,
            side,
            qty,
            cum: Qty::ZERO,
            leaves: Qty::ZERO,
            children: 0,
            closed: false,
            frozen: false,
        };
        let Some(id) = self.state.parents.add(parent) else { return refused(&CAPACITY) };
        if let Some(parent) = self.state.parents.get(id) {
            self.checks.registered(parent, qty.0);
        }
        Outcome::Parent(id)
    }

    /// A new total quantity. Below what is filled or resting the parent is frozen: the gateway does not guess which
    /// children should go.
    pub(crate) fn amend_parent(&mut self, id: ParentId, qty: Qty) -> Outcome {
        let Some(parent) = self.state.parents.get_mut(id) else {
            return refused(&crate::checks::parent_child::UNKNOWN_PARENT);
        };
        if qty.0 <= 0 {
            return refused(&BAD_REFERENCE_DATA);
        }
        // Both are positive.
        let change = qty.0 - parent.qty.0;
        parent.qty = qty;
        self.checks.registered(parent, change);
        parent.frozen = parent.headroom() < 0;
        Outcome::Parent(id)
    }

    pub(crate) fn close_parent(&mut self, id: ParentId) -> Outcome {
        let Some(parent) = self.state.parents.get_mut(id) else {
            return refused(&crate::checks::parent_child::UNKNOWN_PARENT);
        };
        parent.closed = true;
        Outcome::Parent(id)
    }
}
