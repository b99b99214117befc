//! S1: a router whose session is lost has its orders cancelled; with a grace period, only if it is not back by then.
//! Source: RTS 6 Art. 12 and 18(2)(c) with the venues' cancel on disconnect (CME, Eurex); rules.md S1.
//!
//! A lost connection is not a logout: who says goodbye has its orders cancelled at once. While a router is away nothing of it
//! can arrive, so it is blocked by that alone; back within the grace period it finds its orders as they were.

use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, id};
use crate::hash::FoldHasher;
use crate::ids::RouterId;
use crate::limits::{Action, Judges, LimitDef, kinds};
use crate::outcome::Unit;
use crate::reasons::Reason;
use crate::scopes::ScopeKind;
use crate::state::State;
use crate::units::Nanos;

/// How long a lost router keeps its orders.
pub static CANCEL_ON_DISCONNECT_GRACE: LimitDef = LimitDef {
    code: 209,
    name: "cancel_on_disconnect_grace",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "How long a router whose session is lost keeps its orders; none if not set.",
};

/// Routers whose session is lost, with the time until which their orders may stay; at most one entry each.
#[derive(Default)]
pub struct SessionLiveness {
    lost: Vec<(RouterId, Nanos)>,
}

impl SessionLiveness {
    /// A router's session is lost. Whether its orders may stay for now.
    pub fn lost(&mut self, router: RouterId, state: &State) -> bool {
        let ix = state.scopes.router(router);
        let grace = ix.and_then(|ix| state.limits.at(ix).get(id::CANCEL_ON_DISCONNECT_GRACE)).unwrap_or(0);
        self.back(router);
        if grace > 0 {
            let until = state.now.after(Nanos(i64::try_from(grace).unwrap_or(i64::MAX)));
            self.lost.push((router, until));
        }
        grace > 0
    }

    /// The router is back, or has been dealt with.
    pub fn back(&mut self, router: RouterId) {
        self.lost.retain(|(lost, _)| *lost != router);
    }

    /// A router whose time is over; it is no longer waited for.
    pub fn overdue(&mut self, now: Nanos) -> Option<RouterId> {
        let at = self.lost.iter().position(|(_, until)| *until <= now)?;
        Some(self.lost.remove(at).0)
    }
}

impl Check for SessionLiveness {
    const REASONS: &'static [Reason] = &[];

    fn digest(&self, hasher: &mut FoldHasher) {
        for (router, until) in &self.lost {
            hasher.write_u32(router.0);
            hasher.write_u64(until.0 as u64);
        }
    }
}
