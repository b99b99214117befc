//! The last things that happened to each router, for the evidence of a halt. A fixed ring per router, written once per
//! event, never read by a decision.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::events::Side;
use crate::ids::{OrderId, RouterId, SymbolId};
use crate::reasons::Reason;
use crate::units::{Nanos, Price};

/// Steps kept per router.
pub const STEPS: usize = 20;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An order passed.
    Order,
    /// An order was refused.
    OrderRefused,
    /// An order was sent again and answered with its status.
    Resend,
    /// A replace passed.
    Replace,
    /// A replace was refused.
    ReplaceRefused,
    /// The router asked for a cancel.
    Cancel,
    /// The router asked to cancel all its orders.
    MassCancel,
    /// A message could not be understood.
    Malformed,
    /// Attempts refused together at the edge; the quantity counts them.
    Dropped,
    /// The venue acknowledged.
    Acknowledged,
    /// The venue executed.
    Trade,
    /// The venue took an execution back or corrected it.
    TradeChanged,
    /// The order is gone at the venue: cancelled, expired or done for day.
    Gone,
    /// The venue refused the order.
    VenueRejected,
    /// The venue carried out a replace.
    Replaced,
    /// The venue refused a cancel or replace.
    VenueRefused,
    /// The session came up.
    SessionUp,
    /// The session was lost.
    SessionDown,
}

impl What {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            What::Order => "order",
            What::OrderRefused => "order_refused",
            What::Resend => "resend",
            What::Replace => "replace",
            What::ReplaceRefused => "replace_refused",
            What::Cancel => "cancel",
            What::MassCancel => "mass_cancel",
            What::Malformed => "malformed",
            What::Dropped => "dropped",
            What::Acknowledged => "acknowledged",
            What::Trade => "trade",
            What::TradeChanged => "trade_changed",
            What::Gone => "gone",
            What::VenueRejected => "venue_rejected",
            What::Replaced => "replaced",
            What::VenueRefused => "venue_refused",
            What::SessionUp => "session_up",
            What::SessionDown => "session_down",
        }
    }
}

/// One thing that happened to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub time: Nanos,
    /// What.
    pub what: What,
    /// The order, if it was accepted.
    pub order: Option<OrderId>,
    /// The router's sequence number of its message; 0 for what the venue says.
    pub client_seq: u64,
    /// Instrument.
    pub symbol: Option<SymbolId>,
    /// Side.
    pub side: Option<Side>,
    /// Quantity: of the order, of the execution, or how many.
    pub qty: i64,
    /// Price: of the order, or of the execution.
    pub price: Option<Price>,
    /// Why it was refused.
    pub reason: Option<Reason>,
}

impl Step {
    /// A step that is only a time and a word.
    pub fn plain(time: Nanos, what: What) -> Step {
        Step { time, what, order: None, client_seq: 0, symbol: None, side: None, qty: 0, price: None, reason: None }
    }
}

/// The last steps of one router.
#[derive(Clone, Debug)]
struct Trail {
    steps: Box<[Step; STEPS]>,
    /// Where the next one goes.
    next: usize,
    /// How many there have been, up to `STEPS`.
    held: usize,
}

/// The last steps of every router.
#[derive(Clone, Debug, Default)]
pub struct Trails(Vec<Trail>);

impl Trails {
    /// A router begins without any.
    pub fn add_router(&mut self) {
        let none = Step::plain(Nanos(0), What::Order);
        self.0.push(Trail { steps: Box::new([none; STEPS]), next: 0, held: 0 });
    }

    /// Takes note of a step.
    #[inline]
    pub fn note(&mut self, router: RouterId, step: Step) {
        let Some(trail) = self.0.get_mut(router.index()) else { return };
        trail.steps[trail.next] = step;
        trail.next = if trail.next + 1 == STEPS { 0 } else { trail.next + 1 };
        trail.held = STEPS.min(trail.held + 1);
    }

    /// The last steps of a router, oldest first.
    pub fn of(&self, router: RouterId) -> impl Iterator<Item = &Step> + '_ {
        self.0.get(router.index()).into_iter().flat_map(|trail| {
            let (newer, older) = trail.steps.split_at(trail.next);
            older.iter().chain(newer).skip(STEPS - trail.held)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_holds_the_newest_steps_in_order() {
        let mut trails = Trails::default();
        trails.add_router();
        let times = |trails: &Trails| trails.of(RouterId(0)).map(|step| step.time.0).collect::<Vec<_>>();
        assert!(times(&trails).is_empty());

        trails.note(RouterId(0), Step::plain(Nanos(1), What::Order));
        trails.note(RouterId(0), Step::plain(Nanos(2), What::Trade));
        assert_eq!(alloc::vec![1, 2], times(&trails));

        for n in 3..=23 {
            trails.note(RouterId(0), Step::plain(Nanos(n), What::Order));
        }
        assert_eq!((4..=23).collect::<Vec<_>>(), times(&trails));
        trails.note(RouterId(7), Step::plain(Nanos(1), What::Order));
    }
}
