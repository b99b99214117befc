//! The warning ladder: people are told when a limit is used by 50, 75, 85, 90, 95 and 100 per cent.
//!
//! The steps are those of Nasdaq's kill switch (ETA2014-16). Each step is told by itself: where one event crosses two, the
//! higher does not hide the lower. A step is told again only after its use has fallen well below it. Limits are looked at on
//! the timer, and only where something has happened since: a decision pays for one note, not for a look at its limits.

use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::engine::Engine;
use crate::hash::Seeded;
use crate::limits::{Judges, LimitId, each};
use crate::orders::Touched;
use crate::outcome::{Effect, Warning};
use crate::scopes::ScopeIx;

/// The steps, in per cent.
pub const STEPS: [u8; 6] = [50, 75, 85, 90, 95, 100];

/// How far below a step the use must fall before the step is told again, in per cent of the limit.
const REARM: u8 = 5;

/// See the module.
pub struct Ladder {
    touched: Vec<ScopeIx>,
    marked: Vec<bool>,
    /// The highest step told, by scope and limit; no entry below the lowest.
    told: HashMap<(ScopeIx, LimitId), u8, Seeded>,
}

impl Ladder {
    /// Nothing has been told.
    pub fn new(seed: Seeded) -> Ladder {
        Ladder { touched: Vec::new(), marked: Vec::new(), told: HashMap::with_hasher(seed) }
    }

    /// Something happened at this scope.
    #[inline]
    pub fn touch(&mut self, ix: ScopeIx) {
        if !self.marked.get(ix.at()).copied().unwrap_or(false) {
            self.mark(ix);
        }
    }

    #[cold]
    fn mark(&mut self, ix: ScopeIx) {
        if self.marked.len() <= ix.at() {
            self.marked.resize(ix.at() + 1, false);
        }
        self.marked[ix.at()] = true;
        self.touched.push(ix);
    }

    /// Something happened at the scopes of an order.
    #[inline(always)]
    pub fn touch_all(&mut self, touched: &Touched) {
        // Whoever marks a pair marks all scopes of the order.
        let marked = |ix: ScopeIx| self.marked.get(ix.at()).copied().unwrap_or(false);
        let strategy = touched.strategy().is_none_or(marked);
        if !(marked(touched.account_symbol()) && marked(touched.router_symbol()) && strategy) {
            touched.iter().for_each(|ix| self.touch(ix));
        }
    }

    /// A new day is told from the start.
    pub fn clear(&mut self) {
        self.told.clear();
    }

    /// The steps that are news, given how much is used; the highest told is kept.
    fn climb(&mut self, ix: ScopeIx, limit: LimitId, percent: u8) -> impl Iterator<Item = u8> + use<> {
        let before = self.told.get(&(ix, limit)).copied().unwrap_or(0);
        let reached = |percent: u8| STEPS.into_iter().rfind(|step| *step <= percent).unwrap_or(0);
        let now = reached(percent).max(before.min(reached(percent.saturating_add(REARM))));
        if now == 0 {
            self.told.remove(&(ix, limit));
        } else if now != before {
            self.told.insert((ix, limit), now);
        }
        STEPS.into_iter().filter(move |step| before < *step && *step <= now)
    }
}

/// Use in whole per cent, rounded down, at most 100.
fn percent(used: i128, limit: i128) -> u8 {
    if used <= 0 {
        return 0;
    }
    if used >= limit {
        return 100;
    }
    // 0 < used < limit. Where the product does not fit, the quotient loses nothing that matters.
    let percent = used.checked_mul(100).map_or_else(|| used / (limit / 100).max(1), |scaled| scaled / limit);
    percent.clamp(0, 99) as u8
}

impl Engine {
    /// Tells the steps that were reached since the last turn.
    pub(crate) fn warn(&mut self) {
        let mut touched = core::mem::take(&mut self.ladder.touched);
        for ix in touched.drain(..) {
            self.ladder.marked[ix.at()] = false;
            let limits = self.state.limits.at(ix);
            for limit in each(limits.blocking() | limits.on_trial()) {
                if limit.def().judges == Judges::Nothing {
                    continue;
                }
                let Some(used) = self.checks.used(limit, ix, &self.state) else { continue };
                let bound = limits.value(limit);
                for step in self.ladder.climb(ix, limit, percent(used, bound)) {
                    let warning = Warning { scope: self.state.scopes.at(ix), limit, percent: step, bound, used };
                    self.effects.push(Effect::Warned(warning));
                }
            }
        }
        self.ladder.touched = touched;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climbed(ladder: &mut Ladder, percent: u8) -> Vec<u8> {
        ladder.climb(ScopeIx::FIRM, LimitId(0), percent).collect()
    }

    #[test]
    fn each_step_is_told_once_until_its_use_has_fallen_well_below_it() {
        let mut ladder = Ladder::new(Seeded(1));

        assert_eq!(Vec::<u8>::new(), climbed(&mut ladder, 49));
        assert_eq!([50, 75], climbed(&mut ladder, 80)[..]);
        assert_eq!(Vec::<u8>::new(), climbed(&mut ladder, 74));
        assert_eq!(Vec::<u8>::new(), climbed(&mut ladder, 76));
        assert_eq!(Vec::<u8>::new(), climbed(&mut ladder, 69));
        assert_eq!([75, 85, 90, 95, 100], climbed(&mut ladder, 100)[..]);
        assert_eq!(Vec::<u8>::new(), climbed(&mut ladder, 0));
        assert_eq!([50], climbed(&mut ladder, 50)[..]);
    }

    #[test]
    fn use_is_rounded_down_and_never_overflows() {
        assert_eq!(0, percent(-5, 10));
        assert_eq!(49, percent(499, 1_000));
        assert_eq!(99, percent(9_999, 10_000));
        assert_eq!(100, percent(1, 0));
        assert_eq!(50, percent(i128::MAX / 2, i128::MAX));
    }
}
