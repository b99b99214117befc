//! S2: the gateway watches itself and closes rather than decide late: how long an event waits before it is decided, how long
//! a record waits to be durable, how much waits for the venue. Source: Rule 15c3-5(b) with SEC 34-70694, paragraph 25 (a
//! monitor that was late under load); RTS 6 Art. 16; rules.md S2.
//!
//! The server measures, at every turn of its loop, and tells the core when something material has changed; the figures are
//! those of the last telling. A breach suspends the firm: cancels and reports still flow.

use core::hash::Hasher;

use super::{Check, Look, Measure, id};
use crate::hash::FoldHasher;
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::outcome::Unit;
use crate::reasons::{OTHER, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;
use crate::watchlist::Causes;

reasons! { REASONS:
    EVENT_LAG = 345, OTHER,
        "Events waited too long for their decision: the gateway is overloaded or its machine was held up.";
    JOURNAL_LAG = 346, OTHER, "Records wait too long to be durable; nothing leaves before its record.";
    QUEUE_DEPTH = 347, OTHER, "Too much waits for the venue: it does not read, or the link is too slow.";
}

const FIRM: u8 = kinds(&[ScopeKind::Firm]);

/// Time from arrival to decision.
pub static MAX_EVENT_LAG: LimitDef = LimitDef {
    code: 206,
    name: "max_event_lag",
    unit: Unit::Nanos,
    settable_at: FIRM,
    required_at: 0,
    min: 1_000_000,
    judges: Judges::Events,
    action: Action::CancelOnly,
    doc: "How long an event may wait for the gateway's loop before it is decided.",
};

/// Time from record to durable record.
pub static MAX_JOURNAL_LAG: LimitDef = LimitDef {
    code: 207,
    name: "max_journal_lag",
    unit: Unit::Nanos,
    settable_at: FIRM,
    required_at: 0,
    min: 1_000_000,
    judges: Judges::Events,
    action: Action::CancelOnly,
    doc: "How long a record may wait to be durable.",
};

/// Messages that wait for the venue.
pub static MAX_QUEUE_DEPTH: LimitDef = LimitDef {
    code: 208,
    name: "max_queue_depth",
    unit: Unit::Messages,
    settable_at: FIRM,
    required_at: 0,
    min: 1,
    judges: Judges::Events,
    action: Action::CancelOnly,
    doc: "Messages that may wait for the venue at once.",
};

/// What the gateway measured of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How long an event waited for its decision.
    pub event_lag: Nanos,
    /// How long the oldest record has waited to be durable.
    pub journal_lag: Nanos,
    /// Messages that wait for the venue.
    pub queue_depth: u64,
}

impl Figures {
    /// The figure that a limit bounds.
    pub fn of(&self, limit: LimitId) -> Option<i128> {
        match limit {
            id::MAX_EVENT_LAG => Some(self.event_lag.0.into()),
            id::MAX_JOURNAL_LAG => Some(self.journal_lag.0.into()),
            id::MAX_QUEUE_DEPTH => Some(self.queue_depth.into()),
            _ => None,
        }
    }

    /// Whether one of these figures is beyond its bound where the other was not, or the other way round.
    pub fn crosses(&self, other: &Figures, state: &State) -> bool {
        LIMITS.iter().any(|(limit, _)| self.is_over(*limit, state) != other.is_over(*limit, state))
    }

    fn is_over(&self, limit: LimitId, state: &State) -> bool {
        let bound = state.limits.at(ScopeIx::FIRM).get(limit);
        bound.is_some_and(|bound| self.of(limit).is_some_and(|value| value > bound))
    }
}

const LIMITS: [(LimitId, Reason); 3] =
    [(id::MAX_EVENT_LAG, &EVENT_LAG), (id::MAX_JOURNAL_LAG, &JOURNAL_LAG), (id::MAX_QUEUE_DEPTH, &QUEUE_DEPTH)];

/// The figures told last.
#[derive(Default)]
pub struct SelfCheck {
    told: Figures,
}

impl SelfCheck {
    /// The gateway tells what it measured.
    pub fn tell(&mut self, figures: Figures) {
        self.told = figures;
    }

    /// What it told last.
    pub fn told(&self) -> &Figures {
        &self.told
    }
}

impl Check for SelfCheck {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::MEASURED;

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, limits, .. } = *look;
        if ix != ScopeIx::FIRM {
            return;
        }
        for (limit, reason) in LIMITS {
            let Some(bound) = limits.get(limit) else { continue };
            if let Some(value) = self.told.of(limit).filter(|value| *value > bound) {
                see(Measure { ix, limit, bound, value, reason });
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, _state: &State) -> Option<i128> {
        if ix == ScopeIx::FIRM { self.told.of(limit) } else { None }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        hasher.write_u64(self.told.event_lag.0 as u64);
        hasher.write_u64(self.told.journal_lag.0 as u64);
        hasher.write_u64(self.told.queue_depth);
    }
}
