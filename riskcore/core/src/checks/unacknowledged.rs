//! R5: orders that were sent and that the venue has not answered: how many, and for how long the oldest. Source: Everbright,
//! 16 August 2013: 26,082 orders in two seconds by a system that took missing acknowledgements for missing orders (CSRC);
//! rules.md R5.
//!
//! *How many*: new orders of a router, or of all, without any word of the venue - acknowledgement, execution, refusal, end.
//! One more is refused when the bound is reached; answers make room again. Replaces and cancels are not counted and never
//! refused by it.
//!
//! *How long*: a router whose oldest unanswered order is older than the bound is halted: whatever it and we believe of what
//! is at the venue is not known to be so. Looked at by the timer. What persists halts again after it was reinstated, until
//! the venue answers or a reconciliation settles the order.
//!
//! A lost link is the link's doing and not the router's. It closes new orders anyway (`venue_link`), and what became of the
//! orders sent before is for the reconciliation to say: they still count by number until it has said so, but not by age any
//! more, which begins anew with the orders sent once the link is back.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Answer, Check, Look, Measure, id};
use crate::candidate::Candidate;
use crate::hash::FoldHasher;
use crate::ids::OrderId;
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::{Order, Status, Touched};
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;
use crate::watchlist::Causes;

reasons! { REASONS:
    TOO_MANY_UNACKNOWLEDGED = 296, ALGORITHM_RISK_THRESHOLD,
        "More orders would be without an answer of the venue than the limit allows; wait for answers.";
    ACKNOWLEDGEMENT_OVERDUE = 297, ALGORITHM_RISK_THRESHOLD,
        "The venue has not answered an order for longer than the limit allows: what is at the venue is not known.";
}

/// How many.
pub static MAX_UNACKNOWLEDGED: LimitDef = LimitDef {
    code: 157,
    name: "max_unacknowledged",
    unit: Unit::Count,
    settable_at: kinds(&[ScopeKind::Firm, ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "New orders that the venue has not answered at all, this one included.",
};

/// How long.
pub static MAX_UNACKNOWLEDGED_AGE: LimitDef = LimitDef {
    code: 158,
    name: "max_unacknowledged_age",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 1,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "Age of the oldest order that the venue has not answered at all; orders sent before the link was lost have none.",
};

/// Orders there is room for from the start.
const ROOM: usize = 1_024;

/// A router's orders since the limit was set, oldest first; those that have been answered leave it late.
struct Queue {
    orders: VecDeque<(OrderId, Nanos)>,
    /// When it holds this many, the answered ones are taken out.
    full: usize,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue { orders: VecDeque::with_capacity(ROOM), full: ROOM }
    }
}

impl Queue {
    /// Never holds more than twice the orders that waited when it was last full, or `ROOM`; each push costs O(1) on average.
    #[inline(always)]
    fn push(&mut self, order: OrderId, sent: Nanos, waits: impl Fn(OrderId) -> bool) {
        if self.orders.len() >= self.full {
            self.sweep(waits);
        }
        self.orders.push_back((order, sent));
    }

    #[cold]
    fn sweep(&mut self, waits: impl Fn(OrderId) -> bool) {
        self.orders.retain(|(id, _)| waits(*id));
        self.full = ROOM.max(self.orders.len() * 2);
        self.orders.reserve(self.full - self.orders.len());
    }

    fn forget_answered(&mut self, state: &State) {
        while self.orders.front().is_some_and(|(id, _)| !waits(*id, state)) {
            self.orders.pop_front();
        }
    }

    /// Whether the oldest may have waited for longer. Looks at no order: most are answered long before.
    #[inline]
    fn may_exceed(&self, bound: i128, now: Nanos) -> bool {
        self.orders.front().is_some_and(|(_, sent)| i128::from(now.since(*sent).0) > bound)
    }

    /// Age of the oldest that waits.
    fn age(&self, state: &State) -> Option<i128> {
        let (_, sent) = self.orders.iter().find(|(id, _)| waits(*id, state))?;
        Some(state.now.since(*sent).0.into())
    }
}

/// Whether the venue owes an order its first answer. It does not any more once the link was lost.
fn waits(id: OrderId, state: &State) -> bool {
    state.orders.get(id).is_some_and(|order| order.status == Status::PendingNew && !order.unknown)
}

/// Per scope.
#[derive(Default)]
pub struct Unacknowledged {
    /// Unanswered orders of the firm and of the routers; counted without a limit too, so that one can be set at any time.
    counts: Vec<u32>,
    /// Of routers whose orders may not wait for ever.
    queues: Vec<Option<Queue>>,
}

impl Unacknowledged {
    fn count_of(&self, ix: ScopeIx) -> i128 {
        self.counts.get(ix.at()).copied().unwrap_or(0).into()
    }

    fn queue_mut(&mut self, ix: ScopeIx) -> Option<&mut Queue> {
        self.queues.get_mut(ix.at())?.as_mut()
    }

    #[inline(always)]
    fn counts_mut(&mut self, order: &Order, change: impl Fn(u32) -> u32) {
        for ix in [ScopeIx::FIRM, order.touched.router()] {
            if let Some(count) = self.counts.get_mut(ix.at()) {
                *count = change(*count);
            }
        }
    }
}

impl Check for Unacknowledged {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::WAITED;

    fn grows(limit: LimitId) -> Option<Lane> {
        (limit == id::MAX_UNACKNOWLEDGED).then_some(Lane::Orders)
    }

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.counts.len() <= ix.at() {
            self.counts.resize(ix.at() + 1, 0);
        }
        let limited = limits.get(id::MAX_UNACKNOWLEDGED_AGE).is_some();
        if limited && self.queues.len() <= ix.at() {
            self.queues.resize_with(ix.at() + 1, || None);
        }
        if let Some(slot) = self.queues.get_mut(ix.at()) {
            *slot = if limited { slot.take().or_else(|| Some(Queue::default())) } else { None };
        }
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::MAX_UNACKNOWLEDGED;
        let places = candidate.bounds.places(limit);
        if places == 0 || candidate.replaces.is_some() {
            return;
        }
        for ix in candidate.touched.among(places) {
            let (bound, value) = (state.limits.at(ix).value(limit), self.count_of(ix) + 1);
            if !see(Measure { ix, limit, bound, value, reason: &TOO_MANY_UNACKNOWLEDGED }) {
                return;
            }
        }
    }

    #[inline(always)]
    fn placed(&mut self, order: &Order, state: &State) {
        self.counts_mut(order, |count| count + 1);
        if let Some(queue) = self.queue_mut(order.touched.router()) {
            queue.push(order.id, order.accepted_at, |id| waits(id, state));
        }
    }

    #[inline]
    fn answered(&mut self, order: &Order, _answer: Answer, first: bool, state: &State) -> u8 {
        if !first {
            return 0;
        }
        self.counts_mut(order, |count| count.saturating_sub(1));
        let router = order.touched.router();
        let Some(queue) = self.queue_mut(router) else { return 0 };
        queue.forget_answered(state);
        let bound = state.limits.at(router).get(id::MAX_UNACKNOWLEDGED_AGE);
        u8::from(bound.is_some_and(|bound| queue.may_exceed(bound, state.now))) << Touched::ROUTER
    }

    fn turn(&mut self, state: &State, watch: &mut Vec<ScopeIx>) {
        for (at, queue) in self.queues.iter_mut().enumerate() {
            let Some(queue) = queue else { continue };
            queue.forget_answered(state);
            if !queue.orders.is_empty() {
                watch.push(ScopeIx(at as u32));
            }
        }
    }

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, limits, state, .. } = *look;
        let limit = id::MAX_UNACKNOWLEDGED_AGE;
        let Some(bound) = limits.get(limit) else { return };
        let Some(Some(queue)) = self.queues.get(ix.at()) else { return };
        if queue.may_exceed(bound, state.now)
            && let Some(value) = queue.age(state).filter(|age| *age > bound)
        {
            see(Measure { ix, limit, bound, value, reason: &ACKNOWLEDGEMENT_OVERDUE });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        match limit {
            id::MAX_UNACKNOWLEDGED => Some(self.count_of(ix)),
            id::MAX_UNACKNOWLEDGED_AGE => self.queues.get(ix.at())?.as_ref().map(|queue| queue.age(state).unwrap_or(0)),
            _ => None,
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        self.counts.iter().for_each(|count| hasher.write_u64(u64::from(*count)));
        for (order, sent) in self.queues.iter().flatten().flat_map(|queue| &queue.orders) {
            hasher.write_u64(order.0);
            hasher.write_u64(sent.0 as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_is_never_answered_keeps_no_others() {
        let mut queue = Queue::default();
        let room = queue.orders.capacity();
        for n in 0..1_000_000 {
            queue.push(OrderId(n), Nanos(n as i64), |id| id.0 == 7 || id.0 == n - 1);
        }

        assert!(queue.orders.len() <= ROOM);
        assert_eq!(Some(&(OrderId(7), Nanos(7))), queue.orders.iter().find(|(id, _)| id.0 >= 7));
        assert_eq!(room, queue.orders.capacity(), "no allocation once warm");
    }

    #[test]
    fn as_many_as_wait_are_kept() {
        let mut queue = Queue::default();
        for n in 0..10_000 {
            queue.push(OrderId(n), Nanos(n as i64), |id| id.0 >= 5_000);
        }

        assert_eq!(5_000, queue.orders.iter().filter(|(id, _)| id.0 >= 5_000).count());
        assert!(queue.orders.iter().is_sorted());
    }
}
