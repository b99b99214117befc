//! The canary profile: small limits for a router that is not trusted yet - admitted though it differs from the manifest,
//! or reinstated after a halt - until two people promote it, or a reinstated one sees a new day. Source: rules.md,
//! "Canary"; SEC 34-70694, paragraph 15 (code that nobody had seen run was given the whole flow).
//!
//! They bound beside all other limits and only for such a router; any other pays one comparison. Where none of them is
//! set a reinstated router is not put on canary, and a router that is on canary even so sends nothing.

use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Breach, Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::hash::FoldHasher;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::outcome::{Reject, Unit};
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, OTHER, Reason, reasons};
use crate::scopes::{Scope, ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;
use crate::windows::EventRing;

reasons! { REASONS:
    CANARY_ORDER_QTY = 373, 26, "The router is on canary, and the order's quantity is above the largest it may send there.";
    CANARY_ORDER_NOTIONAL = 374, OTHER, "The router is on canary, and the order's value is above the largest it may send there.";
    CANARY_RATE = 375, ALGORITHM_RISK_THRESHOLD,
        "The router is on canary, and sends more messages a second than it may there. Cancels are never limited.";
    CANARY_OPEN_ORDERS = 376, ALGORITHM_RISK_THRESHOLD,
        "The router is on canary, and has as many open orders as it may have there.";
    CANARY_NOT_CONFIGURED = 377, OTHER,
        "The router is on canary, but none of the canary limits is set for it: set them, or promote it.";
}

/// Largest quantity.
pub static CANARY_MAX_ORDER_QTY: LimitDef = LimitDef {
    code: 230,
    name: "canary_max_order_qty",
    unit: Unit::Quantity,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "While the router is on canary: quantity of one order, new or replaced.",
};

/// Largest value.
pub static CANARY_MAX_ORDER_NOTIONAL: LimitDef = LimitDef {
    code: 231,
    name: "canary_max_order_notional",
    unit: Unit::Money,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "While the router is on canary: value of one order at its risk price.",
};

/// Messages a second.
pub static CANARY_MESSAGE_RATE: LimitDef = LimitDef {
    code: 232,
    name: "canary_message_rate",
    unit: Unit::Messages,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "While the router is on canary: new orders and replaces in any second, refused ones too.",
};

/// Open orders.
pub static CANARY_MAX_OPEN_ORDERS: LimitDef = LimitDef {
    code: 233,
    name: "canary_max_open_orders",
    unit: Unit::Count,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "While the router is on canary: its open orders, the new one included.",
};

const ALL: [LimitId; 4] = [
    id::CANARY_MAX_ORDER_QTY,
    id::CANARY_MAX_ORDER_NOTIONAL,
    id::CANARY_MESSAGE_RATE,
    id::CANARY_MAX_OPEN_ORDERS,
];

const WINDOW: Nanos = Nanos::from_secs(1);

/// The largest ring: 8 MiB. A rate above it is measured as this many.
const MAX_RING: i128 = 1 << 20;

/// Whether a limit is one of canaries.
pub fn is_one(limit: LimitId) -> bool {
    ALL.contains(&limit)
}

/// Whether any limit of canaries is set, so that its breach stops something.
pub fn is_configured(limits: &ScopeLimits) -> bool {
    ALL.into_iter().any(|limit| limits.blocks(limit).is_some())
}

/// The limits of a router; out of reach where one is not set.
#[derive(Clone, Copy)]
struct Most {
    /// Any of them stops something.
    configured: bool,
    qty: i64,
    notional: i128,
    open_orders: i64,
}

impl Most {
    const NONE: Most = Most { configured: false, qty: i64::MAX, notional: i128::MAX, open_orders: i64::MAX };

    fn of(limits: &ScopeLimits) -> Most {
        let count = |limit| limits.get(limit).map_or(i64::MAX, |bound| i64::try_from(bound).unwrap_or(i64::MAX));
        Most {
            configured: is_configured(limits),
            qty: count(id::CANARY_MAX_ORDER_QTY),
            notional: limits.get(id::CANARY_MAX_ORDER_NOTIONAL).unwrap_or(i128::MAX),
            open_orders: count(id::CANARY_MAX_OPEN_ORDERS),
        }
    }
}

/// See the module.
#[derive(Default)]
pub struct Canary {
    /// Per scope: of a router with a rate, its attempts while on canary, one more than the rate allows.
    attempts: Vec<Option<EventRing>>,
    /// Per scope.
    most: Vec<Most>,
}

impl Canary {
    fn ring(&self, router: ScopeIx) -> Option<&EventRing> {
        self.attempts.get(router.at())?.as_ref()
    }

    fn reached(&self, limit: LimitId, candidate: &Candidate, state: &State) -> i128 {
        let router = candidate.touched.router();
        match limit {
            id::CANARY_MAX_ORDER_QTY => candidate.qty.0.into(),
            id::CANARY_MAX_ORDER_NOTIONAL => candidate.notional.0,
            id::CANARY_MESSAGE_RATE => {
                let seen = self.ring(router).map_or(0, |ring| ring.count(candidate.now, WINDOW));
                seen as i128 + i128::from(!candidate.observed)
            }
            _ => {
                i128::from(state.books[router.at()].open_orders) + i128::from(candidate.replaces.is_none())
            }
        }
    }

    /// The verdict alone need not count what is in the window: its ring holds one more than passes.
    #[inline(always)]
    fn is_within(&self, most: &Most, candidate: &Candidate, state: &State) -> bool {
        let router = candidate.touched.router();
        let open_orders = i64::from(state.books[router.at()].open_orders) + i64::from(candidate.replaces.is_none());
        most.configured
            && candidate.qty.0 <= most.qty
            && candidate.notional.0 <= most.notional
            && open_orders <= most.open_orders
            && self.ring(router).is_none_or(|ring| ring.has_room(candidate.now, WINDOW))
    }
}

fn reason_of(limit: LimitId) -> Reason {
    match limit {
        id::CANARY_MAX_ORDER_QTY => &CANARY_ORDER_QTY,
        id::CANARY_MAX_ORDER_NOTIONAL => &CANARY_ORDER_NOTIONAL,
        id::CANARY_MESSAGE_RATE => &CANARY_RATE,
        _ => &CANARY_OPEN_ORDERS,
    }
}

impl Check for Canary {
    const REASONS: &'static [Reason] = REASONS;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.attempts.len() <= ix.at() {
            self.attempts.resize(ix.at() + 1, None);
            self.most.resize(ix.at() + 1, Most::NONE);
        }
        self.most[ix.at()] = Most::of(limits);
        let size = limits.get(id::CANARY_MESSAGE_RATE).map(|rate| rate.clamp(0, MAX_RING) as usize + 1);
        let old = self.attempts[ix.at()].take();
        self.attempts[ix.at()] = size.map(|size| old.map_or_else(|| EventRing::new(size), |old| old.resized(size)));
    }

    #[inline(always)]
    fn observe(&mut self, router: ScopeIx, count: u32, state: &State) {
        if !state.fleet.any_canary() {
            return;
        }
        let Scope::Router(id) = state.scopes.at(router) else { return };
        if !state.fleet.on_canary(id) {
            return;
        }
        let Some(Some(ring)) = self.attempts.get_mut(router.at()) else { return };
        if count == 1 {
            return ring.push(state.now);
        }
        for _ in 0..(count as usize).min(ring.capacity()) {
            ring.push(state.now);
        }
    }

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if !state.fleet.on_canary(candidate.router) {
            return Ok(());
        }
        let most = self.most.get(candidate.touched.router().at()).unwrap_or(&Most::NONE);
        if candidate.observed && self.is_within(most, candidate, state) {
            return Ok(());
        }
        if !most.configured {
            let scope = Some(candidate.router_scope());
            return Err(Breach::reject(Reject { scope, ..Reject::plain(&CANARY_NOT_CONFIGURED) }));
        }
        self.check_each(candidate, state)
    }

    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        if !state.fleet.on_canary(candidate.router) {
            return;
        }
        let ix = candidate.touched.router();
        for limit in ALL {
            let Some(bound) = state.limits.at(ix).get(limit) else { continue };
            let bound = if limit == id::CANARY_MESSAGE_RATE { bound.min(MAX_RING) } else { bound };
            let value = self.reached(limit, candidate, state);
            if !see(Measure { ix, limit, bound, value, reason: reason_of(limit) }) {
                return;
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let Scope::Router(router) = state.scopes.at(ix) else { return None };
        match limit {
            _ if !state.fleet.on_canary(router) => None,
            id::CANARY_MESSAGE_RATE => Some(self.ring(ix)?.count(state.now, WINDOW) as i128),
            id::CANARY_MAX_OPEN_ORDERS => Some(state.books[ix.at()].open_orders.into()),
            _ => None,
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for ring in self.attempts.iter().flatten() {
            ring.times().for_each(|time| hasher.write_u64(time.0 as u64));
        }
    }
}
