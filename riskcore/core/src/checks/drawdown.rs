//! L2: loss velocity - what a scope has lost since its best moment within a window: `pnl - max(pnl over the window) <= -L`
//! halts. Source: RTS 6 Art. 15(4)-(5), monitoring in real time; rules.md L2. It trips on a fast loss long before the day's
//! limit, and on one that begins from a profit.
//!
//! Profit and loss is that of L1, marked at the worse of touch and slow reference. A best moment counts up to 1/64 of the
//! window longer, never shorter. It stays in its window when a scope is reinstated: until it has left, or profit and loss
//! has recovered, the scope halts again.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, Look, Measure, id};
use crate::hash::FoldHasher;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;
use crate::windows::PeakWindow;
use crate::watchlist::Causes;

reasons! { REASONS:
    DRAWDOWN_LIMIT = 341, ALGORITHM_RISK_THRESHOLD,
        "The scope has lost as much within the window as the limit allows; it takes no new risk until people have looked.";
}

const MONEY: u8 = kinds(&[
    ScopeKind::Firm,
    ScopeKind::Account,
    ScopeKind::Router,
    ScopeKind::Symbol,
    ScopeKind::AccountSymbol,
    ScopeKind::RouterSymbol,
]);

/// The largest loss within the window.
pub static MAX_DRAWDOWN: LimitDef = LimitDef {
    code: 201,
    name: "max_drawdown",
    unit: Unit::Money,
    settable_at: MONEY,
    required_at: 0,
    min: 1,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "Loss since the best moment within `drawdown_window`, as a positive number; reaching it halts the scope.",
};

/// The window.
pub static DRAWDOWN_WINDOW: LimitDef = LimitDef {
    code: 202,
    name: "drawdown_window",
    unit: Unit::Nanos,
    settable_at: MONEY,
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `max_drawdown`; 10 s if not set.",
};

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(10);

/// The window of one scope that has a limit.
struct Watched {
    bound: i128,
    length: Nanos,
    /// What profit and loss was before it first changed; `None` until somebody tells, in a scope older than its limit.
    base: Option<i128>,
    window: Option<PeakWindow>,
}

impl Watched {
    fn peak(&self, now: Nanos) -> Option<i128> {
        self.window.as_ref().map(|window| window.peak(now))
    }
}

/// See the module.
#[derive(Default)]
pub struct Drawdown {
    scopes: Vec<Option<Box<Watched>>>,
}

impl Drawdown {
    fn loss(&self, ix: ScopeIx, state: &State) -> Option<i128> {
        let peak = self.scopes.get(ix.at())?.as_ref()?.peak(state.now)?;
        Some(peak.saturating_sub(state.books[ix.at()].pnl))
    }
}

impl Check for Drawdown {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::VALUED;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        let is_new = self.scopes.len() <= ix.at();
        if is_new {
            self.scopes.resize_with(ix.at() + 1, || None);
        }
        let slot = &mut self.scopes[ix.at()];
        let Some(bound) = limits.get(id::MAX_DRAWDOWN) else {
            *slot = None;
            return;
        };
        let length =
            limits.get(id::DRAWDOWN_WINDOW).and_then(|ns| i64::try_from(ns).ok()).map_or(DEFAULT_WINDOW, Nanos);
        match slot {
            Some(watched) if watched.length == length => {}
            Some(watched) => {
                watched.length = length;
                watched.window = watched.window.as_ref().map(|window| window.retuned(length));
            }
            // A new scope has neither earned nor lost; an older one tells what it has when it is looked at (`happened`).
            None => *slot = Some(Box::new(Watched { bound, length, base: is_new.then_some(0), window: None })),
        }
        if let Some(watched) = slot {
            watched.bound = bound;
        }
    }

    #[inline]
    fn happened(&mut self, look: &Look<'_>) -> bool {
        let Some(Some(watched)) = self.scopes.get_mut(look.ix.at()) else { return false };
        let (now, pnl) = (look.state.now, look.book.pnl);
        let begun = || PeakWindow::begun(watched.length, now, watched.base.unwrap_or(pnl));
        let window = watched.window.get_or_insert_with(begun);
        window.put(now, pnl);
        window.peak(now).saturating_sub(pnl) >= watched.bound
    }

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let ix = look.ix;
        let Some(Some(watched)) = self.scopes.get(ix.at()) else { return };
        let (bound, Some(peak)) = (watched.bound, watched.peak(look.state.now)) else { return };
        let value = peak.saturating_sub(look.book.pnl);
        if value >= bound {
            see(Measure { ix, limit: id::MAX_DRAWDOWN, bound, value, reason: &DRAWDOWN_LIMIT });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        if limit == id::MAX_DRAWDOWN { self.loss(ix, state) } else { None }
    }

    /// The day's profit and loss starts at zero, and so does what it is compared with.
    fn day_roll(&mut self) {
        for watched in self.scopes.iter_mut().flatten() {
            (watched.base, watched.window) = (Some(0), None);
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for watched in self.scopes.iter().flatten() {
            if let Some(window) = &watched.window {
                window.words().for_each(|word| hasher.write_u64(word as u64));
            }
        }
    }
}
