//! The halt machine: latches per scope, and the trips that set them.
//!
//! Halting is monotone: a latch only ever becomes more severe, keeps its first cause, and is cleared by people alone
//! (rules.md, "Halts"). Halts commute and are idempotent: any order of arrival ends in the same state.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{ClOrdId, ParentId, RouterId};
use crate::outcome::Reject;
use crate::scopes::{Scope, ScopeIx};
use crate::units::Nanos;

/// What a scope may still do, by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Everything.
    #[default]
    Active = 1,
    /// Only orders that reduce the position.
    ReduceOnly = 2,
    /// Only cancels (FIX Suspend).
    CancelOnly = 3,
    /// Only cancels; a person must look before anything else (FIX HaltTrading).
    Halted = 4,
}

impl State {
    /// Every state, by severity.
    pub const ALL: [State; 4] = [State::Active, State::ReduceOnly, State::CancelOnly, State::Halted];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            State::Active => "ACTIVE",
            State::ReduceOnly => "REDUCE_ONLY",
            State::CancelOnly => "CANCEL_ONLY",
            State::Halted => "HALTED",
        }
    }

    /// The state of this wire number.
    pub fn from_number(n: u8) -> Option<State> {
        Self::ALL.into_iter().find(|state| *state as u8 == n)
    }

    /// Whether entering it cancels what rests.
    pub fn cancels_resting(self) -> bool {
        self >= State::CancelOnly
    }
}

/// The order that tripped a halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offender {
    /// Its router: the culprit.
    pub router: RouterId,
    /// Its id at the router.
    pub cl_ord_id: ClOrdId,
    /// Its parent.
    pub parent: Option<ParentId>,
}

/// One halt, as it happened.
#[derive(Clone, Debug)]
pub struct Trip {
    /// Its number, from 1.
    pub id: u64,
    /// The scope it halted.
    pub scope: Scope,
    /// How severely.
    pub state: State,
    /// The breach, if a check tripped it.
    pub cause: Option<Reject>,
    /// The order, if one did.
    pub offender: Option<Offender>,
    /// The person, or `riskgate`.
    pub principal: String,
    /// In their words; empty for a check.
    pub text: String,
    /// When.
    pub time: Nanos,
    /// Orders resting in the scope at that moment.
    pub open_orders: u32,
    /// Cancels the venue refused since; each is tried again.
    pub cancels_refused: u32,
    /// When a person reinstated it.
    pub reinstated: Option<Nanos>,
    /// All orders of the scope are confirmed gone.
    pub clean: bool,
}

/// The latch of one scope.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latch {
    /// The state it holds the scope in.
    pub state: State,
    /// The trip that first latched it.
    pub first: u64,
    /// The newest trip: a reinstatement must name it.
    pub newest: u64,
}

/// Latches and trips.
#[derive(Default)]
pub struct Halts {
    latches: Vec<Latch>,
    trips: Vec<Trip>,
    /// Numbers given out, including those of halts that changed nothing.
    last_id: u64,
    /// Latches that are not `Active`; zero makes the common case one comparison.
    latched: u32,
}

impl Halts {
    /// A new scope is active.
    pub fn add_scope(&mut self) {
        self.latches.push(Latch::default());
    }

    /// Forgets the scopes added last, down to this many; none of them was ever halted.
    pub fn truncate(&mut self, scopes: usize) {
        self.latches.truncate(scopes);
    }

    /// A scope's own state.
    #[inline]
    pub fn state(&self, ix: ScopeIx) -> State {
        self.latches[ix.at()].state
    }

    /// A scope's latch.
    pub fn latch(&self, ix: ScopeIx) -> Latch {
        self.latches[ix.at()]
    }

    /// Whether any scope is halted.
    #[inline]
    pub fn any(&self) -> bool {
        self.latched > 0
    }

    /// The most severe of these scopes, and its state. The first wins among equals.
    pub fn most_severe(&self, scopes: impl Iterator<Item = ScopeIx>) -> Option<(ScopeIx, State)> {
        let mut worst = None;
        for ix in scopes {
            let state = self.state(ix);
            if state > worst.map_or(State::Active, |(_, state)| state) {
                worst = Some((ix, state));
            }
            // Nothing is more severe: a halted router's flood does not pay for a look at the rest.
            if state == State::Halted {
                break;
            }
        }
        worst
    }

    /// Latches a scope. Returns the trip's number, and whether the state became more severe.
    pub fn latch_scope(&mut self, ix: ScopeIx, mut trip: Trip) -> (u64, bool) {
        self.last_id += 1;
        let latch = &mut self.latches[ix.at()];
        latch.newest = self.last_id;
        if trip.state <= latch.state {
            return (self.last_id, false);
        }
        if latch.state == State::Active {
            latch.first = self.last_id;
            self.latched += 1;
        }
        latch.state = trip.state;
        trip.id = self.last_id;
        self.trips.push(trip);
        (self.last_id, true)
    }

    /// Clears a latch. The caller has checked who asks.
    pub fn reinstate(&mut self, ix: ScopeIx, scope: Scope, now: Nanos) {
        let latch = &mut self.latches[ix.at()];
        if latch.state != State::Active {
            self.latched -= 1;
        }
        *latch = Latch { newest: latch.newest, ..Latch::default() };
        for trip in self.trips.iter_mut().filter(|trip| trip.scope == scope && trip.reinstated.is_none()) {
            trip.reinstated = Some(now);
        }
    }

    /// Every trip of the epoch, oldest first.
    pub fn trips(&self) -> &[Trip] {
        &self.trips
    }

    /// Every trip, to note the progress of its sweep.
    pub fn trips_mut(&mut self) -> &mut [Trip] {
        &mut self.trips
    }

    /// A trip by its number.
    pub fn trip(&self, id: u64) -> Option<&Trip> {
        self.trips.iter().find(|trip| trip.id == id)
    }
}
