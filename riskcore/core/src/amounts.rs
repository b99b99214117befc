//! Amounts per scope over sliding windows (`windows.rs`), side by side: what an order adds to its scopes is in a table of its
//! own, half a cache line each, and what came before the newest bucket beside it.
//!
//! A scope without a window has a sum that nobody asks for: an order need not ask which scopes have one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use crate::hash::FoldHasher;
use crate::limits::{LimitId, ScopeLimits};
use crate::orders::Touched;
use crate::scopes::ScopeIx;
use crate::units::Nanos;
use crate::windows::{Past, Sum};

/// A window, but for its sum.
struct Window {
    length: Nanos,
    past: Past,
}

/// See the module.
#[derive(Default)]
pub struct Amounts {
    sums: Vec<Sum>,
    windows: Vec<Option<Box<Window>>>,
}

impl Amounts {
    /// A scope has a window if a limit is set there, as long as another one says, or as the default.
    pub fn limits_changed(
        &mut self,
        ix: ScopeIx,
        limits: &ScopeLimits,
        limit: LimitId,
        length: LimitId,
        default: Nanos,
    ) {
        if self.sums.len() <= ix.at() {
            self.sums.resize(ix.at() + 1, Sum::ENDLESS);
            self.windows.resize_with(ix.at() + 1, || None);
        }
        let (sum, slot) = (&mut self.sums[ix.at()], &mut self.windows[ix.at()]);
        if limits.get(limit).is_none() {
            (*sum, *slot) = (Sum::ENDLESS, None);
            return;
        }
        let length = limits.get(length).and_then(|ns| i64::try_from(ns).ok()).map_or(default, Nanos);
        match slot {
            Some(window) if window.length == length => {}
            Some(window) => (*sum, **window) = retuned(sum, length),
            None => (*sum, *slot) = (Sum::new(length), Some(Box::new(Window { length, past: Past::EMPTY }))),
        }
    }

    /// See `Check::ahead`.
    pub fn ahead(&self, ix: ScopeIx) -> u64 {
        self.sums.get(ix.at()).map_or(0, |sum| sum.at_most() as u64)
    }

    /// The sum of a scope at `now`, if it has a window.
    pub fn total_at(&self, ix: ScopeIx, now: Nanos) -> Option<i128> {
        let window = self.windows.get(ix.at())?.as_ref()?;
        Some(window.past.total_at(&self.sums[ix.at()], now))
    }

    /// Adds an amount, not negative, at the scopes that have one name: those of pairs have no window. A sum that does not
    /// fit is beyond every bound as it is.
    #[inline(always)]
    pub fn add_to_all(&mut self, touched: &Touched, now: Nanos, amount: i128) {
        // One after the other: a loop over four, and maybe a fifth, costs as much as what it does.
        let (sums, windows) = (self.sums.as_mut_slice(), self.windows.as_mut_slice());
        let [firm, account, router, symbol] = touched.of_one_name();
        add(sums, windows, firm, now, amount);
        add(sums, windows, account, now, amount);
        add(sums, windows, router, now, amount);
        add(sums, windows, symbol, now, amount);
        if let Some(strategy) = touched.strategy() {
            add(sums, windows, strategy, now, amount);
        }
    }

    /// Adds an amount, not negative, at a scope.
    pub fn add(&mut self, ix: ScopeIx, now: Nanos, amount: i128) {
        add(&mut self.sums, &mut self.windows, ix, now, amount);
    }

    /// Takes back an amount that was added at `then`, if it is still in the scope's window.
    pub fn take_back(&mut self, ix: ScopeIx, now: Nanos, then: Nanos, amount: i128) {
        let (Some(sum), Some(Some(window))) = (self.sums.get_mut(ix.at()), self.windows.get_mut(ix.at())) else {
            return;
        };
        if sum.is_over(now) {
            window.past.advance(sum, now);
        }
        window.past.take_back(sum, then, amount);
    }

    /// What feeds the state hash.
    pub fn digest(&self, hasher: &mut FoldHasher) {
        for (sum, _) in self.sums.iter().zip(&self.windows).filter(|(_, window)| window.is_some()) {
            hasher.write_u64(sum.at_most() as u64);
        }
    }
}

fn retuned(sum: &Sum, length: Nanos) -> (Sum, Window) {
    let (sum, past) = Past::retuned(sum, length);
    (sum, Window { length, past })
}

#[inline(always)]
fn add(sums: &mut [Sum], windows: &mut [Option<Box<Window>>], ix: ScopeIx, now: Nanos, amount: i128) {
    let Some(sum) = sums.get_mut(ix.at()) else { return };
    if sum.is_over(now) {
        advance(sum, &mut windows[ix.at()], now);
    }
    // A sum that does not fit stays as it is.
    let _ = sum.add(amount);
}

#[inline(never)]
fn advance(sum: &mut Sum, window: &mut Option<Box<Window>>, now: Nanos) {
    if let Some(window) = window {
        window.past.advance(sum, now);
    }
}
