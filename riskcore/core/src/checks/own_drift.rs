//! P2: the collar over a period - how far own fills went from where the market was when they began.
//! Source: Rule 15c3-5(c)(1)(ii), "over a short period of time"; RTS 6 Art. 15(1)(a); rules.md P2.
//!
//! A collar per order follows the market, and so a runaway that lifts the market lifts its own collar. Here a side is
//! closed once own fills of it, within the window, went farther than allowed from the mid before the first of them. Buying
//! closes buying, selling closes selling; the side opens again when the fills leave the window. Where the setting halts,
//! the fill halts.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, Fill, Look, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::drift::{DriftWindow, Span};
use crate::events::NewOrder;
use crate::hash::FoldHasher;
use crate::ids::RouterId;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{BPS, Nanos, Price, widening_mul};
use crate::watchlist::Causes;

reasons! { REASONS:
    OWN_DRIFT = 310, ALGORITHM_RISK_THRESHOLD,
        "Own fills of this side have moved too far from where the market was when they began; wait until they are past.";
}

const CELLS: u8 = kinds(&[ScopeKind::Symbol, ScopeKind::AccountSymbol, ScopeKind::RouterSymbol]);

/// How far.
pub static OWN_DRIFT_BPS: LimitDef = LimitDef {
    code: 162,
    name: "own_drift_bps",
    unit: Unit::Bps,
    settable_at: CELLS,
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "How far own buys may go above, own sells below, the mid before the first of them within `own_drift_window`.",
};

/// The window.
pub static OWN_DRIFT_WINDOW: LimitDef = LimitDef {
    code: 163,
    name: "own_drift_window",
    unit: Unit::Nanos,
    settable_at: CELLS,
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `own_drift_bps`; 60 s if not set. A fill may count up to 1/64 of it longer.",
};

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(60);

/// The windows of one scope, for buys and for sells.
struct Drift {
    window: Nanos,
    /// The bound, in basis points.
    bps: i64,
    sides: [DriftWindow; 2],
    /// Per side: whether the farthest of all fills that are held could matter.
    far: [bool; 2],
}

impl Drift {
    fn new(window: Nanos, bps: i64) -> Drift {
        Drift { window, bps, sides: [DriftWindow::new(-1, window), DriftWindow::new(1, window)], far: [false; 2] }
    }

    /// The same fills in windows of another length: a limit is retuned without forgetting.
    fn retuned(&self, window: Nanos) -> Drift {
        Drift { window, sides: self.sides.each_ref().map(|side| side.retuned(window)), ..*self }
    }

    fn is_within(&self, distance: i64, reference: Price) -> bool {
        widening_mul(distance, BPS) <= widening_mul(self.bps, reference.0)
    }

    /// Whether all fills of a side that are held are within the bound, in the window or not; no division.
    fn all_within(&self, side: usize) -> bool {
        self.sides[side].span().is_none_or(|Span { lowest, widest }| self.is_within(widest, lowest))
    }

    /// In basis points of the reference, rounded up: more than a whole bound exactly if it is beyond it.
    fn bps(&self, is_buy: bool, now: Nanos) -> i128 {
        let Some((reference, distance)) = self.sides[usize::from(is_buy)].drift(now) else { return 0 };
        let reference = i128::from(reference.0).max(1);
        (widening_mul(distance, BPS) + reference - 1) / reference
    }
}

/// See the module.
#[derive(Default)]
pub struct OwnDrift {
    /// Per scope; only where the limit is set.
    scopes: Vec<Option<Box<Drift>>>,
    /// Sides of scopes whose fills went so far that an order must look whether they are still in the window.
    far: usize,
}

impl OwnDrift {
    fn at(&self, ix: ScopeIx) -> Option<&Drift> {
        self.scopes.get(ix.at())?.as_deref()
    }

    /// Whether own fills of a side are within the bound that is set; no division.
    #[inline(always)]
    fn is_within(&self, ix: ScopeIx, is_buy: bool, state: &State) -> bool {
        let Some(drift) = self.at(ix).filter(|drift| drift.far[usize::from(is_buy)]) else { return true };
        let beyond = drift.sides[usize::from(is_buy)].drift(state.now);
        beyond.is_none_or(|(reference, distance)| drift.is_within(distance, reference))
    }

    /// Fills or the bound of a scope changed.
    fn look(&mut self, ix: ScopeIx) {
        let Some(Some(drift)) = self.scopes.get_mut(ix.at()) else { return };
        for side in [0, 1] {
            let far = !drift.all_within(side);
            self.far = self.far + usize::from(far) - usize::from(core::mem::replace(&mut drift.far[side], far));
        }
    }

    fn clear(&mut self, ix: ScopeIx) {
        if let Some(Some(drift)) = self.scopes.get_mut(ix.at()) {
            drift.sides.iter_mut().for_each(DriftWindow::clear);
            self.look(ix);
        }
    }

    /// Whether own fills of either side are beyond a bound that halts.
    fn may_halt(&self, ix: ScopeIx, state: &State) -> bool {
        state.limits.at(ix).action(id::OWN_DRIFT_BPS).halts().is_some()
            && [true, false].into_iter().any(|is_buy| !self.is_within(ix, is_buy, state))
    }

    fn measured(&self, ix: ScopeIx, is_buy: bool, state: &State) -> Option<Measure> {
        let limit = id::OWN_DRIFT_BPS;
        let bound = state.limits.at(ix).get(limit)?;
        let value = self.at(ix)?.bps(is_buy, state.now);
        Some(Measure { ix, limit, bound, value, reason: &OWN_DRIFT })
    }
}

impl Check for OwnDrift {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::EXECUTED;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.scopes.len() <= ix.at() {
            self.scopes.resize_with(ix.at() + 1, || None);
        }
        let window = limits.get(id::OWN_DRIFT_WINDOW).and_then(|ns| i64::try_from(ns).ok()).map_or(DEFAULT_WINDOW, Nanos);
        let slot = &mut self.scopes[ix.at()];
        let Some(bps) = limits.get(id::OWN_DRIFT_BPS).map(|bps| i64::try_from(bps).unwrap_or(i64::MAX)) else {
            let removed = slot.take().map_or(0, |drift| drift.far.into_iter().filter(|far| *far).count());
            self.far -= removed;
            return;
        };
        let drift = slot.get_or_insert_with(|| Box::new(Drift::new(window, bps)));
        drift.bps = bps;
        if drift.window != window {
            **drift = drift.retuned(window);
        }
        self.look(ix);
    }

    /// Nearly always all fills that are held are near, and which of them are still in the window does not matter.
    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        self.far > 0
    }

    fn ahead(&self, order: &NewOrder, touched: &Touched) -> u64 {
        let drift = touched.cells().iter().filter_map(|cell| self.at(*cell));
        drift.fold(0, |words, drift| words ^ drift.sides[usize::from(order.side.is_buy())].ahead())
    }

    /// The verdict alone needs no division.
    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        for ix in candidate.touched.among(candidate.bounds.places(id::OWN_DRIFT_BPS)) {
            if !self.is_within(ix, candidate.side.is_buy(), state) {
                return self.check_each(candidate, state);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        for ix in candidate.touched.among(candidate.bounds.places(id::OWN_DRIFT_BPS)) {
            if let Some(measure) = self.measured(ix, candidate.side.is_buy(), state)
                && !see(measure)
            {
                return;
            }
        }
    }

    /// A trade that is taken back moved the market all the same.
    fn executed(&mut self, fill: &Fill<'_>, state: &State) -> u8 {
        let mut places = 0;
        for (n, ix) in fill.order.touched.cells().iter().copied().enumerate() {
            let Some(Some(drift)) = self.scopes.get_mut(ix.at()) else { continue };
            if fill.qty > 0 {
                let touch = state.markets[fill.order.symbol.index()].touch();
                let mid = touch.map_or(fill.price, |(bid, ask)| Price(bid.0 + (ask.0 - bid.0) / 2));
                drift.sides[usize::from(fill.order.side.is_buy())].fill(state.now, fill.price, mid);
                self.look(ix);
            }
            if self.may_halt(ix, state) {
                places |= 1 << (usize::from(Touched::SYMBOL) + n);
            }
        }
        places
    }

    /// Where the setting only refuses, the next order of the side meets it; where it halts, resting orders must not go on.
    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, state, .. } = *look;
        if !self.may_halt(ix, state) {
            return;
        }
        let sides = [true, false].into_iter().filter(|is_buy| !self.is_within(ix, *is_buy, state));
        let sides = sides.filter_map(|is_buy| self.measured(ix, is_buy, state));
        sides.filter(Measure::is_over).for_each(see);
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let drift = self.at(ix).filter(|_| limit == id::OWN_DRIFT_BPS)?;
        Some(drift.bps(true, state.now).max(drift.bps(false, state.now)))
    }

    fn reinstated(&mut self, ix: ScopeIx, _router: Option<RouterId>) {
        self.clear(ix);
    }

    fn day_roll(&mut self) {
        (0..self.scopes.len()).for_each(|at| self.clear(ScopeIx(at as u32)));
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for side in self.scopes.iter().flatten().flat_map(|drift| &drift.sides) {
            side.hash_words().for_each(|word| hasher.write_u64(word as u64));
        }
    }
}
