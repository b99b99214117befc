//! R1: never more than N messages in any window, exactly. Source: RTS 6 Art. 15(1)(d); FIA 3.4; rules.md R1.
//!
//! New orders and replaces count; cancels never do and are never refused. In its router's own windows every attempt counts,
//! refused or not, so that a flood cannot probe for free; in windows shared with others (account, strategy, symbol, firm)
//! only orders that passed count, so that a runaway cannot use up its peers' budget.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::events::NewOrder;
use crate::halts::State as HaltState;
use crate::hash::FoldHasher;
use crate::ids::RouterId;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{Scope, ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;

reasons! { REASONS:
    RATE_LIMIT = 160, ALGORITHM_RISK_THRESHOLD,
        "More messages in the window than the limit allows; send less and try again. Cancels are never limited.";
}

const ANY: u8 =
    kinds(&[ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router, ScopeKind::Strategy, ScopeKind::Symbol]);

/// Messages per window.
pub static MESSAGE_RATE: LimitDef = LimitDef {
    code: 10,
    name: "message_rate",
    unit: Unit::Messages,
    settable_at: ANY,
    required_at: kinds(&[ScopeKind::Router]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "New orders and replaces in any window of `message_rate_window`.",
};

/// The window of `message_rate`.
pub static MESSAGE_RATE_WINDOW: LimitDef = LimitDef {
    code: 11,
    name: "message_rate_window",
    unit: Unit::Nanos,
    settable_at: ANY,
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `message_rate`; one second if not set.",
};

/// Messages per short window.
pub static MESSAGE_BURST: LimitDef = LimitDef {
    code: 12,
    name: "message_burst",
    unit: Unit::Messages,
    settable_at: ANY,
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "New orders and replaces in any window of `message_burst_window`.",
};

/// The window of `message_burst`.
pub static MESSAGE_BURST_WINDOW: LimitDef = LimitDef {
    code: 13,
    name: "message_burst_window",
    unit: Unit::Nanos,
    settable_at: ANY,
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `message_burst`; 100 ms if not set.",
};

/// How long a router may stay in breach.
pub static MESSAGE_RATE_SUSTAINED: LimitDef = LimitDef {
    code: 14,
    name: "message_rate_sustained",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 0,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "A router that breaches a rate of its own without a pause for this long is halted.",
};

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(1);
const DEFAULT_BURST_WINDOW: Nanos = Nanos::from_millis(100);

/// The most messages a window looks at: 8 MiB. A limit above it is measured as this many.
const MAX_RING: i128 = 1 << 20;

/// No message: before all times there are.
const NEVER: Nanos = Nanos(i64::MIN);

/// One limit at one scope.
#[derive(Clone)]
struct Window {
    limit: i128,
    length: Nanos,
    /// How many messages it looks at.
    size: usize,
    /// The number of the first message it knows of: it was set, or made larger, only then.
    begins: usize,
    /// Of a router: its newest attempt broke the window.
    broken: bool,
}

/// The times of the newest messages of a scope, for both of its windows.
#[derive(Clone, Default)]
struct Messages {
    /// As many as the larger window looks at, or more: a power of two, or none.
    times: Box<[Nanos]>,
    /// How many messages there have been; the newest are at the lowest bits of their numbers.
    count: usize,
}

impl Messages {
    #[inline(always)]
    fn push(&mut self, now: Nanos) {
        let at = self.count & self.times.len().wrapping_sub(1);
        if let Some(time) = self.times.get_mut(at) {
            *time = now;
            self.count = self.count.wrapping_add(1);
        }
    }

    /// The time of the `n`-th message before the next one that a window knows of.
    fn back(&self, window: &Window, n: usize) -> Nanos {
        let known = self.count.wrapping_sub(window.begins);
        let at = self.count.wrapping_sub(n) & self.times.len().wrapping_sub(1);
        self.times.get(at).copied().filter(|_| n <= known).unwrap_or(NEVER)
    }

    /// Whether a window has room for so many more, now or at any later time.
    fn has_room_for(&self, window: &Window, messages: usize, now: Nanos) -> bool {
        // The message that must have left when the last of them comes.
        let oldest = (window.size + 1).saturating_sub(messages);
        window.limit > 0 && oldest > 0 && self.back(window, oldest).0 <= now.0.saturating_sub(window.length.0)
    }

    /// Messages in a window that ends now. O(log N): times never decrease.
    fn within(&self, window: &Window, now: Nanos) -> usize {
        let (mut inside, mut outside) = (0, window.size + 1);
        while outside - inside > 1 {
            let n = inside.midpoint(outside);
            let time = self.back(window, n);
            let is_past = time == NEVER || now.since(time) >= window.length;
            (inside, outside) = if is_past { (inside, n) } else { (n, outside) };
        }
        inside
    }

    /// Room for as many as windows of these sizes look at; the newest that fit stay.
    fn resize(&mut self, size: usize) {
        let len = if size == 0 { 0 } else { size.next_power_of_two() };
        if len == self.times.len() {
            return;
        }
        let old = core::mem::replace(&mut self.times, alloc::vec![NEVER; len].into_boxed_slice());
        for n in 1..=old.len().min(len) {
            let number = self.count.wrapping_sub(n);
            self.times[number & (len - 1)] = old[number & (old.len() - 1)];
        }
    }
}

/// The windows of one scope.
#[derive(Clone, Default)]
struct Windows {
    messages: Messages,
    /// So many more messages pass both windows, whenever they come; any number without a window.
    spare: u32,
    rate: Option<Window>,
    burst: Option<Window>,
    /// Of a router: since when each attempt has broken a window.
    over_since: Option<Nanos>,
}

/// How far ahead is looked, in a window with much room and in one with less: that many messages then cost no look of their
/// own.
const AHEAD: [u32; 2] = [32, 8];

impl Windows {
    fn of(&self, limit: LimitId) -> Option<&Window> {
        if limit == id::MESSAGE_BURST { self.burst.as_ref() } else { self.rate.as_ref() }
    }

    fn both(&self) -> impl Iterator<Item = &Window> {
        [&self.burst, &self.rate].into_iter().flatten()
    }

    fn have_room_for(&self, messages: u32, now: Nanos) -> bool {
        self.both().all(|window| self.messages.has_room_for(window, messages as usize, now))
    }

    /// Takes note of a message. While it was known to pass, no window of a router was broken, and none is now.
    #[inline(always)]
    fn push(&mut self, now: Nanos) {
        self.messages.push(now);
        if self.spare > 0 {
            self.spare -= 1;
        } else {
            self.look_ahead(now);
        }
    }

    /// Takes note of attempts of the router whose windows these are, and which of them they broke.
    #[inline(never)]
    fn observe(&mut self, count: u32, now: Nanos, blocking: u128) {
        let (mut broken, mut over) = (false, false);
        for (slot, limit) in [(&mut self.burst, id::MESSAGE_BURST), (&mut self.rate, id::MESSAGE_RATE)] {
            let Some(window) = slot else { continue };
            window.broken = !self.messages.has_room_for(window, 1, now);
            broken |= window.broken;
            over |= window.broken && blocking >> limit.0 & 1 == 1;
        }
        for _ in 0..(count as usize).min(self.messages.times.len()) {
            self.messages.push(now);
        }
        self.over_since = over.then(|| self.over_since.unwrap_or(now));
        self.spare = 0;
        // One that had no room for this attempt has none for more.
        if !broken {
            self.look_ahead(now);
        }
    }

    #[inline(never)]
    fn look_ahead(&mut self, now: Nanos) {
        let ahead = AHEAD.into_iter().find(|ahead| self.have_room_for(*ahead, now)).unwrap_or(0);
        self.spare = if self.messages.times.is_empty() { u32::MAX } else { ahead };
    }
}

const ROUTER: u8 = 1 << Touched::ROUTER;

/// The limits, the shorter window first.
const BOTH: [LimitId; 2] = [id::MESSAGE_BURST, id::MESSAGE_RATE];

/// The scopes with a window that the order's router shares with others.
fn shared(candidate: &Candidate) -> u8 {
    let bounds = &candidate.bounds;
    (bounds.places(id::MESSAGE_RATE) | bounds.places(id::MESSAGE_BURST)) & !ROUTER
}

/// See the module.
#[derive(Default)]
pub struct MessageRate {
    scopes: Vec<Windows>,
}

impl MessageRate {
    fn windows(&self, ix: ScopeIx) -> Option<&Windows> {
        self.scopes.get(ix.at())
    }

    /// Whether it is known of all windows that a router shares with others that they have room.
    #[inline(always)]
    fn all_spare(&self, touched: &Touched) -> bool {
        let spare = |ix: ScopeIx| self.scopes.get(ix.at()).is_some_and(|windows| windows.spare > 0);
        let [firm, account, _, symbol] = touched.of_one_name();
        spare(firm) && spare(account) && spare(symbol) && touched.strategy().is_none_or(spare)
    }

    #[inline(always)]
    fn push(&mut self, ix: ScopeIx, now: Nanos) {
        if let Some(windows) = self.scopes.get_mut(ix.at()) {
            windows.push(now);
        }
    }

    /// Whether the newest attempt of a router broke a window of its own.
    pub fn router_is_over(&self, router: ScopeIx) -> bool {
        self.windows(router).is_some_and(|windows| windows.over_since.is_some())
    }

    /// The halt of a router that has been in breach for too long.
    fn sustained(&self, candidate: &Candidate, state: &State) -> Option<(Scope, HaltState)> {
        let router = candidate.touched.router();
        let bound = state.limits.at(router).setting(id::MESSAGE_RATE_SUSTAINED)?;
        let since = self.windows(router)?.over_since?;
        let lasted = i128::from(candidate.now.since(since).0);
        let halt = bound.action.halts()?;
        (lasted >= bound.value && lasted > 0).then(|| (candidate.router_scope(), halt))
    }

    #[inline(never)]
    fn check_shared(&self, candidate: &Candidate, state: &State) -> Verdict {
        for ix in candidate.touched.among(shared(candidate)) {
            let Some(windows) = self.windows(ix) else { continue };
            if windows.spare == 0 && !windows.have_room_for(1, candidate.now) {
                return self.over(candidate, state);
            }
        }
        Ok(())
    }

    /// The refusal by the first window that is broken, and the halt of a router that goes on for too long.
    #[cold]
    fn over(&self, candidate: &Candidate, state: &State) -> Verdict {
        let mut verdict = self.check_each(candidate, state);
        if let Err(breach) = &mut verdict
            && breach.reject.scope == Some(candidate.router_scope())
        {
            breach.halt = breach.halt.or_else(|| self.sustained(candidate, state));
        }
        verdict
    }

    /// Messages in a scope's window, this order's included. A router's own attempt is in it already.
    #[inline(always)]
    fn reached(windows: &Windows, window: &Window, candidate: &Candidate, own: bool) -> i128 {
        let with_one_more = || windows.messages.within(window, candidate.now) as i128 + 1;
        match own && candidate.observed {
            true if window.broken => window.limit.saturating_add(1),
            true => window.limit,
            false if windows.messages.has_room_for(window, 1, candidate.now) => with_one_more().min(window.limit),
            false => with_one_more().max(window.limit.saturating_add(1)),
        }
    }
}

impl Check for MessageRate {
    const REASONS: &'static [Reason] = REASONS;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.scopes.len() <= ix.at() {
            self.scopes.resize(ix.at() + 1, Windows::default());
        }
        let Windows { messages, rate, burst, spare, over_since } = &mut self.scopes[ix.at()];
        let count = messages.count;
        *rate = tuned(rate.take(), count, limits, id::MESSAGE_RATE, id::MESSAGE_RATE_WINDOW, DEFAULT_WINDOW);
        *burst = tuned(burst.take(), count, limits, id::MESSAGE_BURST, id::MESSAGE_BURST_WINDOW, DEFAULT_BURST_WINDOW);
        messages.resize([&*rate, &*burst].into_iter().flatten().map(|window| window.size).max().unwrap_or(0));
        *spare = if messages.times.is_empty() && over_since.is_none() { u32::MAX } else { 0 };
    }

    #[inline(always)]
    fn observe(&mut self, router: ScopeIx, count: u32, state: &State) {
        let now = state.now;
        let Some(windows) = self.scopes.get_mut(router.at()) else { return };
        if count == 1 && windows.spare > 0 {
            return windows.push(now);
        }
        windows.observe(count, now, state.limits.at(router).blocking());
    }

    fn ahead(&self, _order: &NewOrder, touched: &Touched) -> u64 {
        let Some(Windows { messages, spare, .. }) = self.windows(touched.symbol()) else { return 0 };
        let place = messages.count & messages.times.len().wrapping_sub(1);
        u64::from(*spare) ^ messages.times.get(place).map_or(0, |time| time.0 as u64)
    }

    /// The router's own windows first: a runaway is stopped by its own bound, not by one it shares.
    #[inline(always)]
    fn measure(&self, candidate: &Candidate, _state: &State, see: &mut impl FnMut(Measure) -> bool) {
        for (own, places) in [(true, ROUTER), (false, !ROUTER)] {
            for limit in BOTH {
                for ix in candidate.touched.among(candidate.bounds.places(limit) & places) {
                    let Some(windows) = self.windows(ix) else { continue };
                    let Some(window) = windows.of(limit) else { continue };
                    let value = Self::reached(windows, window, candidate, own);
                    if !see(Measure { ix, limit, bound: window.limit, value, reason: &RATE_LIMIT }) {
                        return;
                    }
                }
            }
        }
    }

    /// The verdict alone need not count what is in a window.
    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let router = candidate.touched.router();
        if !candidate.observed {
            return self.check_each(candidate, state);
        }
        if self.router_is_over(router) {
            return self.over(candidate, state);
        }
        if self.all_spare(&candidate.touched) { Ok(()) } else { self.check_shared(candidate, state) }
    }

    #[inline(always)]
    fn reserve(&mut self, candidate: &Candidate, _state: &State) {
        let (touched, now) = (&candidate.touched, candidate.now);
        if candidate.bounds.waived {
            return touched.among(shared(candidate)).for_each(|ix| self.push(ix, now));
        }
        let [firm, account, _, symbol] = touched.of_one_name();
        self.push(firm, now);
        self.push(account, now);
        self.push(symbol, now);
        if let Some(strategy) = touched.strategy() {
            self.push(strategy, now);
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let windows = self.windows(ix)?;
        let window = match limit {
            id::MESSAGE_RATE => windows.rate.as_ref()?,
            id::MESSAGE_BURST => windows.burst.as_ref()?,
            _ => return None,
        };
        Some(windows.messages.within(window, state.now) as i128)
    }

    fn reinstated(&mut self, ix: ScopeIx, _router: Option<RouterId>) {
        // The windows keep their attempts; only the run of breaches starts again.
        if let Some(windows) = self.scopes.get_mut(ix.at()) {
            windows.over_since = None;
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for windows in &self.scopes {
            for window in [&windows.rate, &windows.burst].into_iter().flatten() {
                let times = (1..=window.size).rev().map(|n| windows.messages.back(window, n));
                times.for_each(|time| hasher.write_u64(time.0 as u64));
            }
            hasher.write_u64(windows.over_since.map_or(0, |since| since.0 as u64));
        }
    }
}

/// The window that the limits ask for after so many messages, with what the old one had counted.
fn tuned(
    old: Option<Window>,
    count: usize,
    limits: &ScopeLimits,
    limit: LimitId,
    length: LimitId,
    default: Nanos,
) -> Option<Window> {
    let limit = limits.get(limit)?;
    let length = limits.get(length).and_then(|ns| i64::try_from(ns).ok()).map_or(default, Nanos);
    let size = limit.clamp(1, MAX_RING) as usize;
    // A window that is made larger knows no more than it did.
    let known = old.as_ref().map_or(0, |old| count.wrapping_sub(old.begins).min(old.size));
    let broken = old.is_some_and(|old| old.broken);
    Some(Window { limit, length, size, begins: count.wrapping_sub(known), broken })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::windows::EventRing;

    /// A window, and a ring of its own that is told of the same messages.
    fn set(messages: &mut Messages, sizes: [usize; 2], both: [&mut (Window, EventRing); 2]) {
        for (size, (window, ring)) in sizes.into_iter().zip(both) {
            let known = messages.count.wrapping_sub(window.begins).min(window.size);
            (window.size, window.limit, window.begins) = (size, size as i128, messages.count.wrapping_sub(known));
            *ring = ring.resized(size);
        }
        messages.resize(sizes[0].max(sizes[1]));
    }

    #[test]
    fn two_windows_over_the_same_times_count_as_two_rings_do() {
        let mut seed = 7_u64;
        let mut below = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % n
        };
        let window = |length| Window { limit: 1, length: Nanos(length), size: 1, begins: 0, broken: false };
        let mut messages = Messages::default();
        let (mut short, mut long) = ((window(20), EventRing::new(1)), (window(300), EventRing::new(1)));
        set(&mut messages, [1, 1], [&mut short, &mut long]);
        let mut now = 0;
        for _ in 0..20_000 {
            now += below(9) as i64;
            if below(200) == 0 {
                let sizes = [1 + below(12) as usize, 1 + below(90) as usize];
                set(&mut messages, sizes, [&mut short, &mut long]);
            } else {
                messages.push(Nanos(now));
                short.1.push(Nanos(now));
                long.1.push(Nanos(now));
            }
            for (window, ring) in [&short, &long] {
                let at = Nanos(now + below(40) as i64);
                assert_eq!(ring.has_room(at, window.length), messages.has_room_for(window, 1, at));
                for ahead in [1, 5, 17] {
                    let expected = ring.has_room_for(ahead, at, window.length);
                    assert_eq!(expected, messages.has_room_for(window, ahead, at), "{ahead}");
                }
                assert_eq!(ring.count(at, window.length), messages.within(window, at));
                assert!(ring.times().eq((1..=window.size).rev().map(|n| messages.back(window, n))));
            }
        }
    }
}
