//! U1: executions that no order explains - of orders we never sent, and beyond an order's quantity - halt what they can be
//! traced to. Source: SEC 34-70694, paragraphs 23-24; rules.md U1. Knight's 33 Account collected them under a limit of $2M
//! that was linked to nothing; here the limit is small and wired to order entry.
//!
//! What is counted is notional, buys plus sells, never netted, since the start of the day (`suspense.rs`). Set at a router
//! it halts the router whose orders were overfilled; set at the firm it halts the firm, and is the only one that sees
//! executions of orders nobody here has sent. Executions of an earlier run of this gateway, whose orders it does not
//! remember, are listed and not counted.

use super::{Check, Look, Measure, id};
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::watchlist::Causes;

reasons! { REASONS:
    UNMATCHED_EXECUTIONS = 340, ALGORITHM_RISK_THRESHOLD,
        "Executions that no order explains exceed their limit; `riskgate unmatched` lists them by router, parent and symbol.";
}

/// Notional of unmatched executions.
pub static MAX_UNMATCHED_NOTIONAL: LimitDef = LimitDef {
    code: 200,
    name: "max_unmatched_notional",
    unit: Unit::Money,
    settable_at: kinds(&[
        ScopeKind::Firm,
        ScopeKind::Account,
        ScopeKind::Router,
        ScopeKind::Strategy,
        ScopeKind::Symbol,
    ]),
    required_at: 0,
    min: 0,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "Notional executed today that no order explains: beyond an order's quantity, or of an order nobody sent.",
};

/// See the module. The executions themselves are in `State::suspense`.
#[derive(Default)]
pub struct Unmatched;

impl Check for Unmatched {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::UNMATCHED;

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, limits, state, .. } = *look;
        let limit = id::MAX_UNMATCHED_NOTIONAL;
        let Some(bound) = limits.get(limit) else { return };
        let measure = Measure { ix, limit, bound, value: state.suspense.total(ix), reason: &UNMATCHED_EXECUTIONS };
        if measure.is_over() {
            see(measure);
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        (limit == id::MAX_UNMATCHED_NOTIONAL).then(|| state.suspense.total(ix))
    }
}
