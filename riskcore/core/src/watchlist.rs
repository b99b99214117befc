//! Scopes that an event has changed so that a bound on events may be broken there, and why: each check looks only at what
//! can break its own (`Check::WATCHES`).

use alloc::vec::Vec;

use crate::scopes::ScopeIx;

/// Why a scope is looked at; several at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes(u8);

impl Causes {
    /// Nothing.
    pub const NONE: Causes = Causes(0);
    /// Its profit and loss changed.
    pub const VALUED: Causes = Causes(1);
    /// What its cells may be worth at worst has grown, by the market or by executions.
    pub const WIDENED: Causes = Causes(1 << 6);
    /// One of its orders was executed, or an execution taken back, and a check has said that it may be too much.
    pub const EXECUTED: Causes = Causes(1 << 1);
    /// An order was refused there, by the gateway or the venue.
    pub const REFUSED: Causes = Causes(1 << 2);
    /// An execution that no order explains counts there.
    pub const UNMATCHED: Causes = Causes(1 << 3);
    /// Time has passed for something that must not last.
    pub const WAITED: Causes = Causes(1 << 4);
    /// The gateway has told what it measured of itself.
    pub const MEASURED: Causes = Causes(1 << 5);
    /// Its limits changed, or people reinstated it: whatever is broken is broken from now on.
    pub const ANY: Causes = Causes(u8::MAX);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Causes) -> Causes {
        Causes(self.0 | other.0)
    }

    /// Whether one of them is among the others.
    #[inline]
    pub const fn meets(self, other: Causes) -> bool {
        self.0 & other.0 != 0
    }
}

/// The scopes in the order in which they were first changed, each once.
#[derive(Default)]
pub struct Watchlist {
    list: Vec<ScopeIx>,
    taken: usize,
    /// Per scope.
    causes: Vec<Causes>,
}

impl Watchlist {
    /// Makes room for one more scope.
    pub fn add_scope(&mut self) {
        self.causes.push(Causes::NONE);
    }

    /// The scopes from this one on are forgotten.
    pub fn truncate(&mut self, len: usize) {
        self.causes.truncate(len);
        self.list.retain(|ix| ix.at() < len);
    }

    /// Something happened at a scope.
    #[inline]
    pub fn push(&mut self, ix: ScopeIx, cause: Causes) {
        let causes = &mut self.causes[ix.at()];
        if *causes == Causes::NONE && cause != Causes::NONE {
            self.list.push(ix);
        }
        *causes = causes.and(cause);
    }

    /// Whether there is no scope to look at.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The next scope to look at, and why; it may be put in again meanwhile.
    #[inline]
    pub fn take(&mut self) -> Option<(ScopeIx, Causes)> {
        let Some(ix) = self.list.get(self.taken).copied() else {
            self.list.clear();
            self.taken = 0;
            return None;
        };
        self.taken += 1;
        Some((ix, core::mem::take(&mut self.causes[ix.at()])))
    }
}
