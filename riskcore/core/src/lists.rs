//! What people say of symbols: who may trade them, which are restricted, what they trade on an average day.

use alloc::collections::BTreeSet;
use alloc::string::ToString;

use crate::engine::Engine;
use crate::events::Change;
use crate::ids::SymbolId;
use crate::outcome::{Effect, Outcome, Reject};
use crate::permissions::{MAX_LIST, Restriction, Stops, may_have_list};
use crate::reasons::{BAD_REFERENCE_DATA, CAPACITY, NEEDS_APPROVAL, Reason, UNKNOWN_SCOPE};
use crate::scopes::Scope;
use crate::units::Qty;

fn refused(reason: Reason) -> Outcome {
    Outcome::Refused(Reject::plain(reason))
}

impl Engine {
    /// What a symbol trades on an average day.
    pub(crate) fn average_volume(&mut self, symbol: SymbolId, qty: Option<Qty>) -> Outcome {
        match self.state.average_volumes.get_mut(symbol.index()) {
            Some(slot) if qty.is_none_or(|qty| qty.0 > 0) => {
                *slot = qty;
                Outcome::Applied
            }
            _ => refused(&BAD_REFERENCE_DATA),
        }
    }

    /// The symbols that a scope may trade; none = all. After the gateway has been connected to its venue, a list only
    /// gets shorter.
    pub(crate) fn permit(&mut self, scope: Scope, symbols: &[SymbolId]) -> Outcome {
        let Some(ix) = self.state.scopes.find(scope).filter(|_| may_have_list(scope)) else {
            return refused(&UNKNOWN_SCOPE);
        };
        if symbols.len() > MAX_LIST {
            return refused(&CAPACITY);
        }
        if symbols.iter().any(|symbol| symbol.index() >= self.state.names.symbols.len()) {
            return refused(&BAD_REFERENCE_DATA);
        }
        let list: BTreeSet<SymbolId> = symbols.iter().copied().collect();
        let old = self.state.permissions.list(ix);
        if self.state.venue.ever_up && old.is_some_and(|old| list.is_empty() || !list.is_subset(old)) {
            return refused(&NEEDS_APPROVAL);
        }
        self.state.permissions.permit(ix, list);
        self.forget_routes();
        Outcome::Applied
    }

    /// Changes a symbol's entry in the restricted list at once. After the gateway has been connected to its venue, this only
    /// ever stops more.
    pub(crate) fn restrict(&mut self, symbol: SymbolId, stops: Option<Stops>, principal: &str, text: &str) -> Outcome {
        if let Err(reason) = self.can_restrict(symbol) {
            return refused(reason);
        }
        if self.state.venue.ever_up && self.state.permissions.loosens(symbol, stops) {
            return refused(&NEEDS_APPROVAL);
        }
        self.put_restriction(symbol, stops, principal, text);
        Outcome::Applied
    }

    pub(crate) fn can_restrict(&self, symbol: SymbolId) -> Result<(), Reason> {
        if symbol.index() < self.state.names.symbols.len() { Ok(()) } else { Err(&UNKNOWN_SCOPE) }
    }

    pub(crate) fn put_restriction(&mut self, symbol: SymbolId, stops: Option<Stops>, principal: &str, text: &str) {
        let restriction = stops.map(|stops| Restriction {
            stops,
            principal: principal.to_string(),
            text: text.to_string(),
            since: self.state.now,
        });
        self.state.permissions.restrict(symbol, restriction);
        // What was proposed before was proposed about another entry: approving it now would undo this change.
        let overtaken = |change: &Change| matches!(change, Change::Restrict { symbol: other, .. } if *other == symbol);
        self.proposals.retain(|proposal| !overtaken(&proposal.change));
        self.forget_routes();
        self.effects.push(Effect::RestrictionChanged);
    }

    /// Lists are looked up when a route is worked out: those that are held belong to the lists as they were.
    fn forget_routes(&mut self) {
        self.state.limits.version += 1;
    }
}
