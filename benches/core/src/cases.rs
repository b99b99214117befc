//! What is measured: events of one kind, and what each must be answered with.

use riskcore::Outcome;
use riskcore::events::{Cancel, Event, NewOrder, ReportKind};
use riskcore::ids::{OrderId, Ref, SymbolId};
use riskcore::units::{Nanos, Price, UNIT};

use crate::firm::{ASK, BID, ENOUGH};
use crate::world::{World, trade};

/// The events of one batch, and what is to be taken back after it.
#[derive(Default)]
pub struct Batch {
    pub events: Vec<(Nanos, Event)>,
    /// Orders still open.
    pub left: Vec<OrderId>,
    /// Executions that the drop copy is to confirm.
    pub copies: Vec<(OrderId, ReportKind)>,
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
    Case { name: "accept", expect: "accepted", prepare: |w, n| orders(w, n, |_, _| ()) },
    Case {
        name: "reject_tick",
        expect: "INVALID_TICK",
        prepare: |w, n| orders(w, n, |_, o| o.price = Some(Price(BID + 1))),
    },
    Case { name: "reject_parent", expect: "PARENT_OVERFILL", prepare: |w, n| orders(w, n, |_, o| o.qty.0 += ENOUGH) },
    Case { name: "reject_rate", expect: "RATE_LIMIT", prepare: |w, n| orders(w, n, |w, o| o.router = w.runaway()) },
    Case { name: "reject_qty", expect: "MAX_ORDER_QTY", prepare: |w, n| orders(w, n, |_, o| o.qty.0 += 10_000) },
    Case {
        name: "reject_notional",
        expect: "MAX_ORDER_NOTIONAL",
        prepare: |w, n| {
            orders(w, n, |_, o| {
                o.qty.0 += 9_800;
                o.price = Some(Price(2_000 * UNIT));
            })
        },
    },
    Case {
        name: "reject_collar",
        expect: "PRICE_COLLAR",
        prepare: |w, n| {
            orders(w, n, |_, o| o.price = Some(Price(if o.side.is_buy() { 110 * UNIT } else { 90 * UNIT })))
        },
    },
    Case {
        name: "reject_unknown",
        expect: "UNKNOWN_SYMBOL",
        prepare: |w, n| orders(w, n, |_, o| o.symbol = Ref::Unknown),
    },
    Case { name: "duplicate", expect: "duplicate", prepare: duplicates },
    Case { name: "ack", expect: "reported", prepare: |w, n| reports(w, n, |_| ReportKind::New) },
    Case { name: "fill", expect: "reported", prepare: |w, n| reports(w, n, trade) },
    Case { name: "canceled", expect: "reported", prepare: |w, n| reports(w, n, |_| ReportKind::Canceled) },
    Case { name: "cancel", expect: "cancel", prepare: cancels },
    Case { name: "tick", expect: "applied", prepare: ticks },
    // From here on a router is halted: the latch is looked at.
    Case { name: "reject_halted", expect: "HALTED", prepare: |w, n| orders(w, n, |w, o| o.router = w.halted()) },
    Case { name: "accept_beside_halt", expect: "accepted", prepare: |w, n| orders(w, n, |_, _| ()) },
];

/// The case from which on a router is halted.
pub const HALT_AT: &str = "reject_halted";

fn orders(world: &mut World, n: usize, change: fn(&World, &mut NewOrder)) -> Batch {
    let events = (0..n).map(|_| {
        let mut order = world.order();
        change(world, &mut order);
        (Nanos(world.now), Event::NewOrder(order))
    });
    Batch { events: events.collect(), ..Batch::default() }
}

fn duplicates(world: &mut World, n: usize) -> Batch {
    let (id, order) = world.place();
    Batch { events: vec![(Nanos(world.now), Event::NewOrder(order)); n], left: vec![id], ..Batch::default() }
}

fn reports(world: &mut World, n: usize, kind_of: fn(&NewOrder) -> ReportKind) -> Batch {
    let mut batch = Batch::default();
    let placed: Vec<_> = (0..n).map(|_| world.place()).collect();
    for (id, order) in &placed {
        let kind = kind_of(order);
        batch.events.push((Nanos(world.now), world.report(*id, kind)));
        match kind {
            ReportKind::Trade { .. } => batch.copies.push((*id, kind)),
            ReportKind::New => batch.left.push(*id),
            _ => {}
        }
    }
    batch
}

fn cancels(world: &mut World, n: usize) -> Batch {
    let placed: Vec<_> = (0..n).map(|_| world.place()).collect();
    let cancel =
        |order: &NewOrder| Cancel { router: order.router, client_seq: 0, orig_cl_ord_id: order.cl_ord_id, lane: true };
    let events = placed.iter().map(|(_, order)| (Nanos(world.now), Event::Cancel(cancel(order)))).collect();
    Batch { events, left: placed.iter().map(|(id, _)| *id).collect(), ..Batch::default() }
}

fn ticks(world: &mut World, n: usize) -> Batch {
    let symbols = u64::from(world.size.symbols);
    let tick = |k: usize| {
        let symbol = SymbolId((k as u64 * 7_919 % symbols) as u32);
        let move_by = UNIT / 100 * (k as i64 % 2);
        Event::Tick { symbol, bid: Price(BID + move_by), ask: Price(ASK + move_by) }
    };
    // An even number: the touch is at the end where it was.
    Batch { events: (0..n & !1).map(|k| (Nanos(world.now), tick(k + 1))).collect(), ..Batch::default() }
}

/// Takes back what a batch has left, its executions confirmed.
pub fn settle(world: &mut World, batch: &Batch, accepted: &[OrderId]) {
    for (order, kind) in &batch.copies {
        world.copied(*order, *kind);
    }
    world.settle(&batch.left);
    world.settle(accepted);
}
