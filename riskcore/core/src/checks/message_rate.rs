//! R1: never more than N messages in any window, exactly. Source: RTS 6 Art. 15(1)(d); FIA 3.4; rules.md R1.
//!
//! New orders and replaces count; cancels never do and are never refused. In its router's own windows every attempt counts,
//! refused or not, so that a flood cannot probe for free; in windows shared with others (account, strategy, symbol, firm)
//! only orders that passed count, so that a runaway cannot use up its peers' budget.

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
use crate::windows::EventRing;

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

/// The largest ring: 8 MiB. A limit above it is measured as this many.
const MAX_RING: i128 = 1 << 20;

/// One limit at one scope.
#[derive(Clone)]
struct Window {
    limit: i128,
    length: Nanos,
    ring: EventRing,
    /// Of a router: its newest attempt broke the window.
    broken: bool,
}

impl Window {
    #[inline]
    fn allows(&self, now: Nanos) -> bool {
        self.limit > 0 && self.ring.has_room(now, self.length)
    }

    /// Messages in the window with one more; more than the limit if it is full. Counted in full only for people.
    fn with_one_more(&self, now: Nanos) -> i128 {
        self.ring.count(now, self.length) as i128 + 1
    }
}

/// The windows of one scope.
#[derive(Clone, Default)]
struct Windows {
    rate: Option<Window>,
    burst: Option<Window>,
    /// Of a router: since when each attempt has broken a window.
    over_since: Option<Nanos>,
    /// So many more messages pass both windows, whenever they come.
    spare: u32,
}

/// How far ahead is looked: that many messages then cost no look of their own.
const AHEAD: u32 = 16;

impl Windows {
    fn of(&self, limit: LimitId) -> Option<&Window> {
        if limit == id::MESSAGE_BURST { self.burst.as_ref() } else { self.rate.as_ref() }
    }

    #[inline(always)]
    fn allow(&self, now: Nanos) -> bool {
        self.spare > 0 || self.both().all(|window| window.allows(now))
    }

    #[inline(always)]
    fn both(&self) -> impl Iterator<Item = &Window> {
        [&self.burst, &self.rate].into_iter().flatten()
    }

    /// Takes note of a message.
    #[inline(always)]
    fn push(&mut self, now: Nanos) {
        for window in [&mut self.burst, &mut self.rate].into_iter().flatten() {
            window.ring.push(now);
        }
        if self.spare > 0 {
            self.spare -= 1;
        } else {
            self.look_ahead(now);
        }
    }

    #[inline(never)]
    fn look_ahead(&mut self, now: Nanos) {
        let ahead = AHEAD as usize;
        if self.both().all(|window| window.limit > 0 && window.ring.has_room_for(ahead, now, window.length)) {
            self.spare = AHEAD;
        }
    }

    /// Takes note of an attempt of the router whose windows these are, and that it broke none.
    #[inline(always)]
    fn pass(&mut self, now: Nanos) {
        for window in [&mut self.burst, &mut self.rate].into_iter().flatten() {
            window.broken = false;
        }
        self.over_since = None;
        self.push(now);
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
    #[inline]
    fn reached(window: &Window, candidate: &Candidate, own: bool) -> i128 {
        match own && candidate.observed {
            true if window.broken => window.limit.saturating_add(1),
            true => window.limit,
            false if window.allows(candidate.now) => window.with_one_more(candidate.now).min(window.limit),
            false => window.with_one_more(candidate.now).max(window.limit.saturating_add(1)),
        }
    }
}

impl Check for MessageRate {
    const REASONS: &'static [Reason] = REASONS;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.scopes.len() <= ix.at() {
            self.scopes.resize(ix.at() + 1, Windows::default());
        }
        let windows = &mut self.scopes[ix.at()];
        windows.rate = tuned(windows.rate.take(), limits, id::MESSAGE_RATE, id::MESSAGE_RATE_WINDOW, DEFAULT_WINDOW);
        windows.burst =
            tuned(windows.burst.take(), limits, id::MESSAGE_BURST, id::MESSAGE_BURST_WINDOW, DEFAULT_BURST_WINDOW);
        windows.spare = 0;
    }

    #[inline(always)]
    fn observe(&mut self, router: ScopeIx, count: u32, state: &State) {
        let now = state.now;
        let Some(windows) = self.scopes.get_mut(router.at()) else { return };
        if count == 1 && windows.spare > 0 {
            return windows.pass(now);
        }
        let blocking = state.limits.at(router).blocking();
        let mut over = false;
        for (window, limit) in [(&mut windows.burst, id::MESSAGE_BURST), (&mut windows.rate, id::MESSAGE_RATE)] {
            let Some(window) = window else { continue };
            window.broken = !window.allows(now);
            over |= window.broken && blocking >> limit.0 & 1 == 1;
            for _ in 0..(count as usize).min(window.ring.capacity()) {
                window.ring.push(now);
            }
        }
        windows.over_since = over.then(|| windows.over_since.unwrap_or(now));
        windows.spare = 0;
        windows.look_ahead(now);
    }

    fn ahead(&self, _order: &NewOrder, touched: &Touched) -> u64 {
        let windows = self.windows(touched.symbol());
        let both = windows.map(|windows| [windows.rate.as_ref(), windows.burst.as_ref()]);
        both.into_iter().flatten().flatten().fold(0, |words, window| words ^ window.ring.ahead())
    }

    /// The router's own windows first: a runaway is stopped by its own bound, not by one it shares.
    #[inline(always)]
    fn measure(&self, candidate: &Candidate, _state: &State, see: &mut impl FnMut(Measure) -> bool) {
        for (own, places) in [(true, ROUTER), (false, !ROUTER)] {
            for limit in BOTH {
                for ix in candidate.touched.among(candidate.bounds.places(limit) & places) {
                    let Some(window) = self.windows(ix).and_then(|windows| windows.of(limit)) else { continue };
                    let value = Self::reached(window, candidate, own);
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
        for ix in candidate.touched.among(shared(candidate)) {
            if self.windows(ix).is_some_and(|windows| !windows.allow(candidate.now)) {
                return self.over(candidate, state);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn reserve(&mut self, candidate: &Candidate, _state: &State) {
        for ix in candidate.touched.among(shared(candidate)) {
            if let Some(windows) = self.scopes.get_mut(ix.at()) {
                windows.push(candidate.now);
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let windows = self.windows(ix)?;
        let window = match limit {
            id::MESSAGE_RATE => windows.rate.as_ref()?,
            id::MESSAGE_BURST => windows.burst.as_ref()?,
            _ => return None,
        };
        Some(window.ring.count(state.now, window.length) as i128)
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
                window.ring.times().for_each(|time| hasher.write_u64(time.0 as u64));
            }
            hasher.write_u64(windows.over_since.map_or(0, |since| since.0 as u64));
        }
    }
}

/// The window that the limits ask for, with what the old one had counted.
fn tuned(old: Option<Window>, limits: &ScopeLimits, limit: LimitId, length: LimitId, default: Nanos) -> Option<Window> {
    let limit = limits.get(limit)?;
    let length = limits.get(length).and_then(|ns| i64::try_from(ns).ok()).map_or(default, Nanos);
    let size = limit.clamp(1, MAX_RING) as usize;
    let broken = old.as_ref().is_some_and(|old| old.broken);
    let ring = match old {
        Some(old) if old.ring.capacity() == size => old.ring,
        Some(old) => old.ring.resized(size),
        None => EventRing::new(size),
    };
    Some(Window { limit, length, ring, broken })
}
