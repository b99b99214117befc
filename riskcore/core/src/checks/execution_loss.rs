//! L3: loss per execution against the mid, the churn detector - the sum of `side * (LastPx - mid) * q` over a window halts.
//! Source: SEC 34-70694 with the published trades of 1 August 2012 (buying at the offer and selling at the bid, over and
//! over, about 15 cents lost each time); rules.md L3. A position that goes to and fro shows no exposure and, at first, little
//! loss; what it pays for each execution shows at once.
//!
//! The mid is that of the touch when the execution is booked. An execution better than the mid counts in favour; bought
//! losses stay in the window up to 1/64 longer and gains leave it as much sooner, so that the sum never errs low. Without a
//! mid nothing is given away: against a touch that is too old (`market_data_max_age` of the instrument) an execution counts
//! as lost by its distance to it, either way; where there has never been a touch it counts as lost in full. An execution that
//! is taken back gives nothing back.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, Fill, Look, Measure, id};
use crate::hash::FoldHasher;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{Nanos, checked_product, widening_mul};
use crate::windows::{AmountWindow, whole_buckets_within};
use crate::watchlist::Causes;

reasons! { REASONS:
    EXECUTION_LOSS = 342, ALGORITHM_RISK_THRESHOLD,
        "Executions within the window were done so far from the mid that the loss exceeds its limit: the flow pays for trading.";
}

const ANY: u8 = kinds(&[
    ScopeKind::Firm,
    ScopeKind::Account,
    ScopeKind::Router,
    ScopeKind::Strategy,
    ScopeKind::Symbol,
    ScopeKind::AccountSymbol,
    ScopeKind::RouterSymbol,
]);

/// The largest loss against the mid.
pub static MAX_EXECUTION_LOSS: LimitDef = LimitDef {
    code: 203,
    name: "max_execution_loss",
    unit: Unit::Money,
    settable_at: ANY,
    required_at: 0,
    min: 0,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "Loss of executions against the mid within `execution_loss_window`, less what others gained against it.",
};

/// The window.
pub static EXECUTION_LOSS_WINDOW: LimitDef = LimitDef {
    code: 204,
    name: "execution_loss_window",
    unit: Unit::Nanos,
    settable_at: ANY,
    required_at: 0,
    min: 1_000,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `max_execution_loss`; 60 s if not set.",
};

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(60);

/// What one scope lost and gained against the mid.
struct Windows {
    /// The bound, and whether so much was lost that it matters what was gained.
    bound: i128,
    is_close: bool,
    length: Nanos,
    lost: AmountWindow,
    /// Shorter, so that no gain outlives its window.
    gained: AmountWindow,
}

impl Windows {
    fn new(length: Nanos) -> Windows {
        Windows {
            bound: i128::MAX,
            is_close: false,
            length,
            lost: AmountWindow::new(length),
            gained: AmountWindow::new(whole_buckets_within(length)),
        }
    }

    /// Counts go on: a loss as of its newest bucket, and no gain at all.
    fn retuned(&self, length: Nanos) -> Windows {
        Windows { lost: self.lost.retuned(length), ..Windows::new(length) }
    }

    /// Returns by how much more scopes are close to their bounds with it (`is_close`).
    #[inline(always)]
    fn put(&mut self, now: Nanos, loss: i128) -> isize {
        // A sum that does not fit is beyond every bound as it is.
        if loss <= 0 {
            let _ = self.gained.add(now, loss.saturating_neg());
            return 0;
        }
        let _ = self.lost.add(now, loss);
        let is_close = self.has_lost_much();
        isize::from(is_close) - isize::from(core::mem::replace(&mut self.is_close, is_close))
    }

    /// Amounts are never negative: without so much lost there is no need to look what is still in the window.
    #[inline]
    fn has_lost_much(&self) -> bool {
        self.lost.at_most() > self.bound
    }

    fn total(&self, now: Nanos) -> i128 {
        self.lost.total_at(now).saturating_sub(self.gained.total_at(now))
    }
}

/// Per scope: the windows, if it has a limit.
#[derive(Default)]
pub struct ExecutionLoss {
    scopes: Vec<Option<Box<Windows>>>,
    /// Scopes that have a limit: without any, an execution costs nothing here.
    limited: usize,
    /// Those of them that are close to it (`Windows::is_close`): without any, there is nothing to watch.
    close: usize,
}

impl ExecutionLoss {
    fn total(&self, ix: ScopeIx, now: Nanos) -> Option<i128> {
        self.scopes.get(ix.at())?.as_ref().map(|windows| windows.total(now))
    }
}

/// What an execution lost against the mid, rounded up to 1e-9; negative if it gained.
fn loss(fill: &Fill<'_>, state: &State) -> i128 {
    against_mid(fill, state).unwrap_or(fill.notional)
}

/// `None` if there is no mid, or it does not fit.
fn against_mid(fill: &Fill<'_>, state: &State) -> Option<i128> {
    let order = fill.order;
    let market = &state.markets[order.symbol.index()];
    let (bid, ask) = market.touch()?;
    // Twice the distance, so that half a tick stays exact.
    let distance = i128::from(fill.price.0) * 2 - i128::from(bid.0) - i128::from(ask.0);
    let units = widening_mul(fill.qty, state.multiplier(order.symbol));
    let twice = checked_product(if order.side.is_buy() { distance } else { -distance }, units)?;
    let max_age = state.limits.at(order.touched.symbol()).get(id::MARKET_DATA_MAX_AGE);
    let age = i128::from(market.age(state.now)?.0);
    let too_old = max_age.map_or(age == i128::from(i64::MAX), |max| age > max);
    let twice = if too_old { twice.checked_abs()? } else { twice };
    state.loss_in_base(order.symbol, twice.div_euclid(2) + i128::from(twice.rem_euclid(2) != 0))
}

impl Check for ExecutionLoss {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::EXECUTED.and(Causes::VALUED);

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.scopes.len() <= ix.at() {
            self.scopes.resize_with(ix.at() + 1, || None);
        }
        let slot = &mut self.scopes[ix.at()];
        let before = (slot.is_some(), slot.as_ref().is_some_and(|windows| windows.is_close));
        if let Some(bound) = limits.get(id::MAX_EXECUTION_LOSS) {
            let length =
                limits.get(id::EXECUTION_LOSS_WINDOW).and_then(|ns| i64::try_from(ns).ok()).map_or(DEFAULT_WINDOW, Nanos);
            match slot {
                Some(windows) if windows.length == length => {}
                Some(windows) => **windows = windows.retuned(length),
                None => *slot = Some(Box::new(Windows::new(length))),
            }
            if let Some(windows) = slot {
                windows.bound = bound;
                windows.is_close = windows.has_lost_much();
            }
        } else {
            *slot = None;
        }
        let after = (slot.is_some(), slot.as_ref().is_some_and(|windows| windows.is_close));
        self.limited = self.limited + usize::from(after.0) - usize::from(before.0);
        self.close = self.close + usize::from(after.1) - usize::from(before.1);
    }

    fn executed(&mut self, fill: &Fill<'_>, state: &State) -> u8 {
        if self.limited == 0 {
            return 0;
        }
        let loss = if fill.qty > 0 { Some(loss(fill, state)) } else { None };
        let mut places = 0;
        for (place, ix) in fill.order.touched.iter().enumerate() {
            let Some(Some(windows)) = self.scopes.get_mut(ix.at()) else { continue };
            if let Some(loss) = loss {
                self.close = self.close.saturating_add_signed(windows.put(state.now, loss));
            }
            if windows.is_close {
                places |= 1 << place;
            }
        }
        places
    }

    /// Executions themselves tell (`executed`); what gained leaves the window before what lost.
    #[inline]
    fn happened(&mut self, look: &Look<'_>) -> bool {
        self.close > 0 && matches!(self.scopes.get(look.ix.at()), Some(Some(windows)) if windows.is_close)
    }

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, limits, state, .. } = *look;
        let limit = id::MAX_EXECUTION_LOSS;
        let Some(Some(windows)) = self.scopes.get(ix.at()) else { return };
        let Some(bound) = limits.get(limit).filter(|_| windows.is_close) else { return };
        if let Some(value) = self.total(ix, state.now).filter(|loss| *loss > bound) {
            see(Measure { ix, limit, bound, value, reason: &EXECUTION_LOSS });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        if limit == id::MAX_EXECUTION_LOSS { self.total(ix, state.now) } else { None }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for windows in self.scopes.iter().flatten() {
            hasher.write_u64(windows.total(Nanos(i64::MIN)) as u64);
        }
    }
}
