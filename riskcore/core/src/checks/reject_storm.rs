//! R6: a router that is refused over and over is halted: more than `max_rejects` refusals in any window, exactly. Source:
//! Everbright 2013 and Knight 2012, where a client went on for minutes whatever it was told; RTS 6 Art. 12; rules.md R6.
//!
//! Our own refusals count, whatever the reason - a latch, a check, an unreadable message, an attempt that was only counted
//! because there were too many - and those of the venue. Refused cancels do not: getting out is never held against anybody.
//! Nor are replaces that the venue refuses, which cross fills all day long.
//!
//! The limit is about a client that does not listen and not about one that errs: set N well above what honest mistakes can
//! amount to in one window, that is above the largest rate the router is known to send at. Then even a halt of its account
//! or of the firm, which refuses everything it sends, does not trip it.
//!
//! Refusals go on counting while the router is halted. Reinstating it forgets them.

use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Answer, Check, Look, Measure, id};
use crate::hash::FoldHasher;
use crate::ids::RouterId;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Order;
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;
use crate::windows::EventRing;
use crate::watchlist::Causes;

reasons! { REASONS:
    REJECT_STORM = 295, ALGORITHM_RISK_THRESHOLD,
        "The router was refused more often within the window than the limit allows: it does not act on its refusals.";
}

/// Refusals per window.
pub static MAX_REJECTS: LimitDef = LimitDef {
    code: 155,
    name: "max_rejects",
    unit: Unit::Messages,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "Refusals of new orders and replaces, by us or by the venue, in any window of `max_rejects_window`.",
};

/// The window.
pub static MAX_REJECTS_WINDOW: LimitDef = LimitDef {
    code: 156,
    name: "max_rejects_window",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `max_rejects`; one second if not set.",
};

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(1);

/// The largest bound that is counted to, 8 MiB; one above it is measured as this.
const MAX_BOUND: i128 = 1 << 20;

/// The newest refusals of one router.
struct Window {
    bound: i128,
    length: Nanos,
    /// One more than may be in the window.
    ring: EventRing,
}

impl Window {
    fn tuned(old: Option<Window>, bound: i128, length: Nanos) -> Window {
        let bound = bound.min(MAX_BOUND);
        let size = bound as usize + 1;
        let ring = match old {
            Some(old) if old.ring.capacity() == size => old.ring,
            Some(old) => old.ring.resized(size),
            None => EventRing::new(size),
        };
        Window { bound, length, ring }
    }

    fn is_over(&self, now: Nanos) -> bool {
        !self.ring.has_room(now, self.length)
    }
}

/// Per router that has the limit.
#[derive(Default)]
pub struct RejectStorm {
    routers: Vec<Option<Window>>,
}

impl RejectStorm {
    fn window(&self, ix: ScopeIx) -> Option<&Window> {
        self.routers.get(ix.at())?.as_ref()
    }

    fn count(&mut self, router: ScopeIx, count: u32, now: Nanos) {
        let Some(Some(window)) = self.routers.get_mut(router.at()) else { return };
        for _ in 0..(count as usize).min(window.ring.capacity()) {
            window.ring.push(now);
        }
    }
}

impl Check for RejectStorm {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::REFUSED;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.routers.len() <= ix.at() {
            self.routers.resize_with(ix.at() + 1, || None);
        }
        let slot = &mut self.routers[ix.at()];
        let length = limits.get(id::MAX_REJECTS_WINDOW).and_then(|ns| i64::try_from(ns).ok());
        let bound = limits.get(id::MAX_REJECTS);
        *slot = bound.map(|bound| Window::tuned(slot.take(), bound, length.map_or(DEFAULT_WINDOW, Nanos)));
    }

    fn turned_away(&mut self, router: ScopeIx, count: u32, state: &State) {
        self.count(router, count, state.now);
    }

    fn answered(&mut self, order: &Order, answer: Answer, _first: bool, state: &State) -> u8 {
        if answer == Answer::Rejected {
            self.count(order.touched.router(), 1, state.now);
        }
        0
    }

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, state, .. } = *look;
        if let Some(window) = self.window(ix).filter(|window| window.is_over(state.now)) {
            let value = window.bound + 1;
            see(Measure { ix, limit: id::MAX_REJECTS, bound: window.bound, value, reason: &REJECT_STORM });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let window = self.window(ix).filter(|_| limit == id::MAX_REJECTS)?;
        Some(window.ring.count(state.now, window.length) as i128)
    }

    fn reinstated(&mut self, ix: ScopeIx, _router: Option<RouterId>) {
        if let Some(Some(window)) = self.routers.get_mut(ix.at()) {
            window.ring = EventRing::new(window.ring.capacity());
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for window in self.routers.iter().flatten() {
            window.ring.times().for_each(|time| hasher.write_u64(time.0 as u64));
        }
    }
}
