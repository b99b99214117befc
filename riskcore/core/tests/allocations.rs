//! A decision allocates nothing once the tables are warm: no order waits for the allocator, and none can run out of memory
//! half-way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "an allocator that counts can only be written with it; it hands everything on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use riskcore::checks::LIMITS;
use riskcore::events::{
    Cancel, Event, Instrument, NameKind, NewOrder, OrdType, Replace, Report, ReportKind, Side, TimeInForce,
};
use riskcore::ids::{AccountId, ClOrdId, OrderId, ParentId, Ref, RouterId, StrategyId, SymbolId};
use riskcore::limits::{Judges, LimitId, LimitTarget, Setting};
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::units::{Nanos, Price, Qty, UNIT};
use riskcore::{Engine, EngineConfig, Outcome};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting what each thread asks of it.
struct Counting;

fn count() {
    // A thread that ends has no counter any more.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: every call is handed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ROUNDS: u64 = 500;
const SYMBOLS: u32 = 8;

struct World {
    engine: Engine,
    now: i64,
    ids: u64,
    venue_seq: u64,
}

impl World {
    /// Every limit at every kind of scope, none in the way; room for all orders of the test.
    fn new() -> World {
        let config = EngineConfig { max_orders: 16 * ROUNDS as usize, max_pairs: 64, ..EngineConfig::default() };
        let mut world = World { engine: Engine::new(&config), now: 1_000_000_000, ids: 0, venue_seq: 0 };
        world.apply(Event::Define { kind: NameKind::Account, name: "A".into() });
        world.apply(Event::SelfMatchGroup { account: AccountId(0), group: Some(0) });
        world.apply(Event::Define { kind: NameKind::Router, name: "r".into() });
        world.apply(Event::Define { kind: NameKind::Strategy, name: "s".into() });
        for n in 0..SYMBOLS {
            world.apply(Event::Define { kind: NameKind::Symbol, name: format!("S{n}") });
            let instrument = Instrument { tick: Price(UNIT / 100), lot: Qty(1), multiplier: 1, currency: None };
            world.apply(Event::Instrument { symbol: SymbolId(n), instrument });
            world.apply(Event::AverageVolume { symbol: SymbolId(n), qty: Some(Qty(1_000_000)) });
        }
        for (n, def) in LIMITS.iter().enumerate().filter(|(_, def)| def.judges != Judges::Nothing) {
            let value = match def.name {
                "message_rate" | "message_burst" => 1_000,
                "price_collar_bps" => 300,
                "max_order_qty" => 1_000,
                _ => i128::MAX / 8,
            };
            for kind in ScopeKind::ALL.into_iter().filter(|kind| def.settable_at & kind.bit() != 0) {
                let target =
                    if kind == ScopeKind::Firm { LimitTarget::Scope(Scope::Firm) } else { LimitTarget::Default(kind) };
                let (limit, principal) = (LimitId(n as u16), "test".into());
                world.apply(Event::SetLimit { target, limit, setting: Some(Setting::of(limit, value)), principal });
            }
        }
        world.apply(Event::VenueUp);
        for symbol in (0..SYMBOLS).map(SymbolId) {
            world.apply(Event::Tick { symbol, bid: Price(100 * UNIT), ask: Price(100 * UNIT + UNIT / 100) });
            let name = ClOrdId::from_number(symbol.0.into());
            let (account, side, qty) = (AccountId(0), Side::Buy, Qty(i64::MAX / 4));
            world.apply(Event::ParentOpen { name, account, symbol, side, qty });
        }
        world
    }

    fn apply(&mut self, event: Event) -> Outcome {
        self.engine.apply(Nanos(self.now), &event)
    }

    fn order(&mut self, change: impl Fn(&mut NewOrder)) -> (ClOrdId, Outcome) {
        self.now += 5_000_000;
        self.ids += 1;
        let symbol = (self.ids % u64::from(SYMBOLS)) as u32;
        let mut order = NewOrder {
            router: RouterId(0),
            client_seq: self.ids,
            cl_ord_id: ClOrdId::from_number(self.ids),
            account: Ref::Known(AccountId(0)),
            symbol: Ref::Known(SymbolId(symbol)),
            strategy: Ref::Known(StrategyId(0)),
            parent: Ref::Known(ParentId(symbol)),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            tif: TimeInForce::Day,
            qty: Qty(100),
            price: Some(Price(100 * UNIT)),
            flags: 0,
        };
        change(&mut order);
        (order.cl_ord_id, self.apply(Event::NewOrder(order)))
    }

    fn accepted(&mut self) -> (ClOrdId, OrderId) {
        match self.order(|_| ()) {
            (cl_ord_id, Outcome::Accepted(id)) => (cl_ord_id, id),
            (_, other) => panic!("not accepted: {other:?}"),
        }
    }

    fn report(&mut self, order: OrderId, kind: ReportKind) {
        self.venue_seq += 1;
        let report = Report { venue_seq: self.venue_seq, order, exec_id: 1, instrument: None, kind };
        assert_eq!(self.apply(Event::Report(report)), Outcome::Reported(order));
    }

    fn rejected(&mut self, reason: &str, change: impl Fn(&mut NewOrder)) {
        match self.order(change) {
            (_, Outcome::Rejected(reject)) => assert_eq!(reject.reason.name, reason),
            (_, other) => panic!("not {reason}: {other:?}"),
        }
    }

    /// One of everything that happens all day.
    fn round(&mut self) {
        let price = Price(100 * UNIT);
        let (_, filled) = self.accepted();
        self.report(filled, ReportKind::New);
        self.report(filled, ReportKind::Trade { qty: Qty(40), price });
        self.report(filled, ReportKind::Trade { qty: Qty(60), price });

        let (cl_ord_id, canceled) = self.accepted();
        let cancel = Cancel { router: RouterId(0), client_seq: 0, orig_cl_ord_id: cl_ord_id, lane: true };
        assert_eq!(self.apply(Event::Cancel(cancel)), Outcome::CancelAccepted(canceled));
        self.report(canceled, ReportKind::Canceled);

        let (orig_cl_ord_id, replaced) = self.accepted();
        self.ids += 1;
        let cl_ord_id = ClOrdId::from_number(self.ids);
        let (router, client_seq, qty, price) = (RouterId(0), 0, Qty(200), Some(price));
        let replace = Replace { router, client_seq, cl_ord_id, orig_cl_ord_id, qty, price };
        assert_eq!(self.apply(Event::Replace(replace)), Outcome::ReplaceAccepted(replaced));
        self.report(replaced, ReportKind::Replaced);
        self.report(replaced, ReportKind::Canceled);

        self.rejected("MAX_ORDER_QTY", |order| order.qty = Qty(1_001));
        self.rejected("PRICE_COLLAR", |order| order.price = Some(Price(110 * UNIT)));
        self.rejected("UNKNOWN_SYMBOL", |order| order.symbol = Ref::Unknown);
        self.rejected("INVALID_TICK", |order| order.price = Some(Price(100 * UNIT + 1)));
        self.rejected("PARENT_OVERFILL", |order| order.qty = Qty(i64::MAX / 4));

        let bid = Price(100 * UNIT + UNIT / 100 * (self.ids as i64 % 2));
        let symbol = SymbolId((self.ids % u64::from(SYMBOLS)) as u32);
        self.apply(Event::Tick { symbol, bid, ask: Price(bid.0 + UNIT / 100) });
        self.apply(Event::Timer);
    }
}

#[test]
fn a_decision_allocates_nothing_once_the_tables_are_warm() {
    let mut world = World::new();
    let mut effects = Vec::with_capacity(256);
    let mut round = |world: &mut World| {
        world.round();
        world.engine.take_effects(&mut effects);
        effects.clear();
    };
    for _ in 0..SYMBOLS * 4 {
        round(&mut world);
    }
    let before = ALLOCATIONS.with(Cell::get);

    for _ in 0..ROUNDS {
        round(&mut world);
    }

    assert_eq!(0, ALLOCATIONS.with(Cell::get) - before);
}
