//! What the core answers, and what it wants done.

use crate::ids::{OrderId, SymbolId};
use crate::limits::LimitId;
use crate::reasons::Reason;
use crate::scopes::Scope;

/// What a number in a reject counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing: no bound was involved.
    None,
    /// Units of the instrument.
    Quantity,
    /// 1e-9 of a price.
    Price,
    /// 1e-9 of money.
    Money,
    /// Basis points.
    Bps,
    /// Messages.
    Messages,
    /// Nanoseconds.
    Nanos,
    /// Occurrences.
    Count,
}

impl Unit {
    /// Its name on the wire, in the catalogue and in the reference; empty where there is no number.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::None => "",
            Unit::Quantity => "quantity",
            Unit::Price => "price",
            Unit::Money => "money",
            Unit::Bps => "bps",
            Unit::Messages => "messages",
            Unit::Nanos => "ns",
            Unit::Count => "count",
        }
    }
}

/// Why an order was refused: the reason, whose bound, the bound, and the value the order would have reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The reason, with its stable code and name.
    pub reason: Reason,
    /// The scope whose bound or halt refused.
    pub scope: Option<Scope>,
    /// The bound.
    pub limit: i128,
    /// The value seen.
    pub value: i128,
    /// What both count.
    pub unit: Unit,
}

impl Reject {
    /// A reject without a bound.
    pub fn plain(reason: Reason) -> Reject {
        Reject { reason, scope: None, limit: 0, value: 0, unit: Unit::None }
    }
}

/// FIX 102.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CxlRejReason {
    /// The order is already done.
    TooLate,
    /// No such order.
    UnknownOrder,
    /// A replace of it is pending.
    AlreadyPending,
    /// The new id is taken.
    DuplicateClOrdId,
    /// Refused by a check or a halt: see the reject.
    Other,
}

/// The answer to one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied; nothing to answer.
    Applied,
    /// Not applied, and why: bad reference data, a void proposal, an unknown id.
    Refused(Reject),
    /// The order passed: send it to the venue under this id.
    Accepted(OrderId),
    /// The order is refused; it left no trace but its attempt.
    Rejected(Reject),
    /// This id and content were accepted before: answer with the order's status.
    Duplicate(OrderId),
    /// The dry run would be accepted.
    WouldAccept,
    /// The replace passed: send it.
    ReplaceAccepted(OrderId),
    /// The replace is refused.
    ReplaceRejected(Option<OrderId>, CxlRejReason, Option<Reject>),
    /// The cancel goes (or has gone) to the venue.
    CancelAccepted(OrderId),
    /// There is nothing to cancel.
    CancelRejected(Option<OrderId>, CxlRejReason),
    /// So many orders are being cancelled.
    MassCancelAccepted(u32),
    /// The report was applied to this order.
    Reported(OrderId),
    /// The report had been seen.
    DuplicateReport,
    /// Reports before this one are missing; it was not applied. Ask the venue again from this sequence number.
    ReportGap(u64),
    /// The report is about an order we do not know; it is booked to suspense.
    UnknownOrder,
    /// A parent was registered or amended.
    Parent(crate::ids::ParentId),
    /// The halt is latched under this trip id.
    Halted(u64),
    /// The proposal waits for a second person under this id.
    Proposed(u64),
}

/// Something the core wants done, beyond the answer to the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a cancel of this order to the venue.
    SendCancel(OrderId),
    /// The order was released on evidence (`NotSent`, or absent from a complete mass status): tell its router.
    Released(OrderId),
    /// A halt latched.
    Halted(u64),
    /// All orders of a trip's scope are confirmed gone.
    HaltClean(u64),
    /// A scope was reinstated.
    Reinstated(Scope),
    /// A limit changed.
    LimitChanged,
    /// The restricted list changed.
    RestrictionChanged,
    /// A limit that only notifies was broken.
    Breached(LimitId, Reject),
    /// A limit is used up to a step of the warning ladder.
    Warned(Warning),
    /// Something a person must look at.
    Alarm(Alarm),
    /// The readiness gate moved, or was overridden.
    Gate,
    /// A finding was opened, or has become loud.
    Finding(u64),
}

/// How far a limit is used, when a step of the warning ladder is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where the limit is set.
    pub scope: Scope,
    /// Which.
    pub limit: LimitId,
    /// The step, in per cent.
    pub percent: u8,
    /// The limit's value.
    pub bound: i128,
    /// What is used of it.
    pub used: i128,
}

/// Things that are counted and shown, and never decide an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A fill arrived after the order was final.
    LateFill(OrderId),
    /// The venue filled more than the order's quantity.
    Overfill(OrderId),
    /// A report about an order we do not know.
    UnknownOrder(OrderId),
    /// Reports of the venue are missing before this sequence number.
    VenueGap(u64),
    /// The venue refused a cancel of a halted order; it is tried again.
    CancelRefused(OrderId),
    /// An open order is missing at the venue, or its quantities differ.
    Mismatch(OrderId),
    /// The router reached half of the parent-overfill bound or more.
    ParentOverfill(crate::ids::RouterId),
    /// Routers that are connected run the build of this trip's culprit.
    SuspectBuild(u64),
    /// A report's numbers overflowed or contradict the order; its source is at fault.
    BadReport(OrderId),
    /// A router whose session was lost is not back within its grace period; its orders are cancelled.
    GraceOver(crate::ids::RouterId),
    /// Drop copies are missing before this sequence number.
    DropCopyGap(u64),
    /// Drop copies after this sequence number are lost for good.
    DropCopyLost(u64),
    /// Drop copy and order session have differed about an order's executed quantity for too long.
    DropCopyMismatch {
        /// The order.
        order: OrderId,
        /// Its instrument, where known.
        symbol: Option<SymbolId>,
        /// What was booked here.
        booked: i64,
        /// What the drop copy has.
        copied: i64,
    },
}
