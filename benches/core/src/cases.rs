//! What is measured: events of one kind, and what each must be answered with.

use riskcore::Outcome;
use riskcore::events::{Cancel, Event, ReportKind};
use riskcore::ids::{OrderId, Ref};
use riskcore::units::{Nanos, Price, Qty, UNIT};

use crate::world::{BID, HALTED, ROUTER, RUNAWAY, World};

/// The events of one batch, and the orders that are to be taken back after it.
pub struct Batch {
    pub events: Vec<(Nanos, Event)>,
    pub left: Vec<OrderId>,
}

pub struct Case {
    pub name: &'static str,
    /// The name of the reject, or "accepted", "reported", ...
    pub expect: &'static str,
    pub prepare: fn(&mut World, usize) -> Batch,
}

pub fn names() -> String {
    CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(",")
}

pub fn answer(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted(_) => "accepted",
        Outcome::Rejected(reject) => reject.reason.name,
        Outcome::Duplicate(_) => "duplicate",
        Outcome::Reported(_) => "reported",
        Outcome::CancelAccepted(_) => "cancel",
        Outcome::Applied => "applied",
        _ => "other",
    }
}

pub static CASES: &[Case] = &[
    Case { name: "accept", expect: "accepted", prepare: |w, n| orders(w, n, |_| ()) },
    Case {
        name: "reject_tick",
        expect: "INVALID_TICK",
        prepare: |w, n| orders(w, n, |o| o.price = Some(Price(BID + 1))),
    },
    Case {
        name: "reject_parent",
        expect: "PARENT_OVERFILL",
        prepare: |w, n| orders(w, n, |o| o.qty = Qty(i64::MAX / 4)),
    },
    Case { name: "reject_rate", expect: "RATE_LIMIT", prepare: |w, n| orders(w, n, |o| o.router = RUNAWAY) },
    Case { name: "reject_qty", expect: "MAX_ORDER_QTY", prepare: |w, n| orders(w, n, |o| o.qty = Qty(10_001)) },
    Case {
        name: "reject_notional",
        expect: "MAX_ORDER_NOTIONAL",
        prepare: |w, n| {
            orders(w, n, |o| {
                o.qty = Qty(10_000);
                o.price = Some(Price(2_000 * UNIT));
            })
        },
    },
    Case {
        name: "reject_collar",
        expect: "PRICE_COLLAR",
        prepare: |w, n| orders(w, n, |o| o.price = Some(Price(110 * UNIT))),
    },
    Case {
        name: "reject_unknown",
        expect: "UNKNOWN_SYMBOL",
        prepare: |w, n| orders(w, n, |o| o.symbol = Ref::Unknown),
    },
    Case { name: "duplicate", expect: "duplicate", prepare: duplicates },
    Case { name: "ack", expect: "reported", prepare: |w, n| reports(w, n, ReportKind::New, true) },
    Case {
        name: "fill",
        expect: "reported",
        prepare: |w, n| reports(w, n, ReportKind::Trade { qty: Qty(100), price: Price(BID) }, false),
    },
    Case { name: "canceled", expect: "reported", prepare: |w, n| reports(w, n, ReportKind::Canceled, false) },
    Case { name: "cancel", expect: "cancel", prepare: cancels },
    Case { name: "tick", expect: "applied", prepare: ticks },
    // From here on a router is halted: the latch is looked at.
    Case { name: "reject_halted", expect: "HALTED", prepare: |w, n| orders(w, n, |o| o.router = HALTED) },
    Case { name: "accept_beside_halt", expect: "accepted", prepare: |w, n| orders(w, n, |_| ()) },
];

/// The case from which on a router is halted.
pub const HALT_AT: &str = "reject_halted";

fn orders(world: &mut World, n: usize, change: fn(&mut riskcore::events::NewOrder)) -> Batch {
    Batch { events: (0..n).map(|_| world.order_with(change)).collect(), left: Vec::new() }
}

fn duplicates(world: &mut World, n: usize) -> Batch {
    let (id, order) = world.place();
    Batch { events: vec![(Nanos(world.now), Event::NewOrder(order)); n], left: vec![id] }
}

fn reports(world: &mut World, n: usize, kind: ReportKind, open_after: bool) -> Batch {
    let ids: Vec<OrderId> = (0..n).map(|_| world.place().0).collect();
    let events = ids.iter().map(|id| (Nanos(world.now), world.report(*id, kind))).collect();
    Batch { events, left: if open_after { ids } else { Vec::new() } }
}

fn cancels(world: &mut World, n: usize) -> Batch {
    let placed: Vec<_> = (0..n).map(|_| world.place()).collect();
    let cancel = |id| Cancel { router: ROUTER, client_seq: 0, orig_cl_ord_id: id, lane: true };
    let events = placed.iter().map(|(_, o)| (Nanos(world.now), Event::Cancel(cancel(o.cl_ord_id)))).collect();
    Batch { events, left: placed.iter().map(|(id, _)| *id).collect() }
}

fn ticks(world: &mut World, n: usize) -> Batch {
    let symbols = u64::from(world.symbols);
    let tick = |k: usize| {
        let symbol = riskcore::ids::SymbolId((k as u64 * 7_919 % symbols) as u32);
        let move_by = UNIT / 100 * (k as i64 % 2);
        Event::Tick { symbol, bid: Price(BID + move_by), ask: Price(BID + UNIT / 100 + move_by) }
    };
    // An even number: the touch is at the end where it was.
    Batch { events: (0..n & !1).map(|k| (Nanos(world.now), tick(k + 1))).collect(), left: Vec::new() }
}
