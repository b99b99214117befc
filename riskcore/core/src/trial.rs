//! What a breach does beyond refusing an order: it halts, it is told, or it is only counted.
//!
//! A limit with the action `notify` or `shadow` is on trial. It is measured on orders that pass, and where events break it,
//! and stops nothing; its breaches are counted apart, so that a new limit can be seen at work before it blocks anybody
//! (ESMA Supervisory Briefing, February 2026: trigger statistics of every control).

use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::candidate::Candidate;
use crate::checks::{Look, Measure};
use crate::engine::Engine;
use crate::halts::Offender;
use crate::hash::Seeded;
use crate::limits::{Action, Judges, LimitId};
use crate::outcome::{Effect, Reject};
use crate::routes::Bounds;
use crate::scopes::ScopeIx;
use crate::units::Nanos;
use crate::watchlist::Causes;

/// What a limit on trial would have stopped at one scope.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Where it is set.
    pub ix: ScopeIx,
    /// Which.
    pub limit: LimitId,
    /// Orders it would have refused; for a limit on events, seconds in which it was broken.
    pub breaches: u64,
    /// The newest breach.
    pub last: Reject,
    /// When that was.
    pub at: Nanos,
    told: Nanos,
}

/// A breach is told, and one by events counted, once in this time: a runaway must not bury the news of itself.
const INTERVAL: Nanos = Nanos::from_secs(1);

const NEVER: Nanos = Nanos(i64::MIN);

/// All limits on trial that have been broken today.
pub struct Trials {
    list: Vec<Trial>,
    places: HashMap<(ScopeIx, LimitId), usize, Seeded>,
}

impl Trials {
    /// None.
    pub fn new(seed: Seeded) -> Trials {
        Trials { list: Vec::new(), places: HashMap::with_hasher(seed) }
    }

    /// Each of them, in order of its first breach.
    pub fn iter(&self) -> impl Iterator<Item = &Trial> + '_ {
        self.list.iter()
    }

    /// What a limit would have stopped at a scope.
    pub fn of(&self, ix: ScopeIx, limit: LimitId) -> Option<&Trial> {
        self.places.get(&(ix, limit)).and_then(|at| self.list.get(*at))
    }

    /// Counts a breach. Returns whether people have not been told of one for a while.
    fn count(&mut self, ix: ScopeIx, limit: LimitId, reject: Reject, now: Nanos) -> bool {
        let list = &mut self.list;
        let at = *self.places.entry((ix, limit)).or_insert_with(|| {
            list.push(Trial { ix, limit, breaches: 0, last: reject, at: NEVER, told: NEVER });
            list.len() - 1
        });
        let trial = &mut self.list[at];
        let news = now.since(trial.told) >= INTERVAL;
        if limit.def().judges == Judges::Events && !news {
            return false;
        }
        trial.breaches += 1;
        (trial.last, trial.at) = (reject, now);
        if news {
            trial.told = now;
        }
        news
    }

    /// A new day.
    pub fn clear(&mut self) {
        self.list.clear();
        self.places.clear();
    }
}

impl Engine {
    /// Holds an order that passed against the limits on trial.
    #[cold]
    pub(crate) fn try_out(&mut self, candidate: &Candidate) {
        let bounds = Bounds::on_trial(&candidate.touched, &self.state.limits);
        let candidate = Candidate { bounds, ..*candidate };
        let mut breaches = core::mem::take(&mut self.breaches);
        self.checks.measure(&candidate, &self.state, &mut |measure| {
            if measure.is_over() {
                breaches.push(measure);
            }
            true
        });
        for measure in breaches.drain(..) {
            self.breach_on_trial(&measure);
        }
        self.breaches = breaches;
    }

    /// The checks count an order that passed, at limits on trial too: their windows must be full when they are looked at.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, candidate: &Candidate) {
        if candidate.bounds.trial { self.reserve_all(candidate) } else { self.checks.reserve(candidate, &self.state) }
    }

    #[cold]
    fn reserve_all(&mut self, candidate: &Candidate) {
        let mut counted = *candidate;
        counted.bounds.add(&Bounds::on_trial(&candidate.touched, &self.state.limits));
        self.checks.reserve(&counted, &self.state);
    }

    /// Does what the settings of broken limits say, where executions, ticks, time or a new limit have broken them.
    #[inline(always)]
    pub(crate) fn watch(&mut self) {
        if !self.state.watchlist.is_empty() {
            self.watch_all();
        }
        self.reported = None;
    }

    fn watch_all(&mut self) {
        let mut breaches = core::mem::take(&mut self.breaches);
        // A halt may add scopes to look at.
        while let Some((ix, causes)) = self.state.watchlist.take() {
            let state = &self.state;
            let limits = state.limits.at(ix);
            if !limits.is_watched() {
                continue;
            }
            let look = Look { ix, limits, book: &state.books[ix.at()], state };
            if self.checks.happened(&look, causes) {
                self.checks.watch(&look, causes, &mut |measure| breaches.push(measure));
                breaches.drain(..).for_each(|measure| self.event_breach(&measure));
            } else {
                debug_assert!(self.is_quiet(ix, causes));
            }
        }
        self.breaches = breaches;
    }

    /// Whether no bound of a scope is broken for these reasons: debug builds hold that against what the checks have said.
    pub(crate) fn is_quiet(&self, ix: ScopeIx, causes: Causes) -> bool {
        let state = &self.state;
        let look = Look { ix, limits: state.limits.at(ix), book: &state.books[ix.at()], state };
        let mut is_quiet = true;
        self.checks.watch(&look, causes, &mut |_| is_quiet = false);
        is_quiet
    }

    fn event_breach(&mut self, measure: &Measure) {
        match self.state.limits.at(measure.ix).action(measure.limit).halts() {
            Some(severity) => {
                let offender = self.reported.and_then(|id| self.state.orders.get(id)).map(|order| Offender {
                    router: order.router,
                    cl_ord_id: order.cl_ord_id,
                    parent: order.parent,
                });
                self.trip(self.state.scopes.at(measure.ix), severity, measure.reject(&self.state), offender);
            }
            None => self.breach_on_trial(measure),
        }
    }

    fn breach_on_trial(&mut self, measure: &Measure) {
        let Measure { ix, limit, .. } = *measure;
        let reject = measure.reject(&self.state);
        let news = self.trials.count(ix, limit, reject, self.state.now);
        if news && self.state.limits.at(ix).action(limit) == Action::Notify {
            self.effects.push(Effect::Breached(limit, reject));
        }
    }

    /// What limits on trial would have stopped today.
    pub fn trials(&self) -> &Trials {
        &self.trials
    }
}
