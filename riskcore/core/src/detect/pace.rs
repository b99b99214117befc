//! How fast a scope loses money: its profit and loss a second ago, two seconds ago, up to ten. Only for the scopes that
//! total others: firm, accounts, routers, strategies.

use alloc::vec::Vec;

use crate::scopes::{Scope, ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;

/// Samples kept, and the time between two.
const SAMPLES: usize = 10;
const EVERY: Nanos = Nanos::from_secs(1);

#[derive(Clone, Debug)]
struct Past {
    ix: ScopeIx,
    samples: [(Nanos, i128); SAMPLES],
    held: usize,
    next: usize,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    past: Vec<Past>,
    at: Option<Nanos>,
}

impl Pace {
    /// A scope that totals others exists.
    pub(super) fn add_scope(&mut self, ix: ScopeIx) {
        self.past.push(Past { ix, samples: [(Nanos(0), 0); SAMPLES], held: 0, next: 0 });
    }

    /// Time passes.
    pub(super) fn turn(&mut self, state: &State) {
        if self.at.is_some_and(|at| state.now.since(at) < EVERY) {
            return;
        }
        self.at = Some(state.now);
        for past in &mut self.past {
            past.samples[past.next] = (state.now, state.books[past.ix.at()].pnl);
            past.next = (past.next + 1) % SAMPLES;
            past.held = SAMPLES.min(past.held + 1);
        }
    }

    /// What a scope loses a second, since the oldest sample that is at most ten seconds old.
    pub fn loss_per_second(&self, scope: Scope, state: &State) -> Option<i128> {
        let ix = state.scopes.find(scope)?;
        let past = self.past.iter().find(|past| past.ix == ix)?;
        let oldest = (past.next + SAMPLES - past.held) % SAMPLES;
        let (at, pnl) = *past.samples.get(oldest).filter(|_| past.held > 0)?;
        let span = state.now.since(at).0;
        let lost = pnl.checked_sub(state.books[ix.at()].pnl)?;
        (span > 0).then(|| lost.checked_mul(EVERY.0.into()).map(|lost| lost / i128::from(span))).flatten()
    }

    /// Whether scopes of this kind total others.
    pub(super) fn covers(kind: ScopeKind) -> bool {
        matches!(kind, ScopeKind::Firm | ScopeKind::Account | ScopeKind::Router | ScopeKind::Strategy)
    }
}
