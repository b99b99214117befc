//! A firm to decide orders for: every check has a limit, and so many orders rest.

use riskcore::checks::LIMITS;
use riskcore::events::{Event, Instrument, NameKind, NewOrder, OrdType, Report, ReportKind, Side, TimeInForce};
use riskcore::ids::{AccountId, ClOrdId, OrderId, ParentId, Ref, RouterId, StrategyId, SymbolId};
use riskcore::limits::{Judges, LimitId, LimitTarget, Setting};
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::units::{Nanos, Price, Qty, UNIT};
use riskcore::{Engine, EngineConfig, Outcome};

/// Which limits are set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// Every check has one, over the scopes a firm would choose: firm, account, router, symbol and account×symbol.
    Usual,
    /// Every limit at every kind of scope it can be set at, and every order names a strategy: seven scopes.
    Everywhere,
}

/// One money unit times a wide margin: a bound that no bench reaches.
const WIDE: i128 = i128::MAX / 8;
/// Between orders: 500 a second, below the rate limit of the router.
const STEP: i64 = 2_000_000;
/// The touch; orders buy at the bid.
pub const BID: i64 = 100 * UNIT;
const TICK: i64 = UNIT / 100;

/// The router that trades, and one that is over its rate.
pub const ROUTER: RouterId = RouterId(0);
pub const RUNAWAY: RouterId = RouterId(1);
/// Halted from the start.
pub const HALTED: RouterId = RouterId(2);

pub struct World {
    pub engine: Engine,
    pub now: i64,
    pub symbols: u32,
    limits: Limits,
    next: u64,
    venue_seq: u64,
}

impl World {
    /// A world in which `open` orders rest, spread over `symbols` instruments, with room for `more`.
    pub fn new(limits: Limits, open: usize, symbols: u32, more: usize) -> World {
        let config = EngineConfig {
            max_orders: open + more,
            max_pairs: 4 * symbols as usize + 64,
            max_parents: symbols as usize + 8,
            ..EngineConfig::default()
        };
        let mut world =
            World { engine: Engine::new(&config), now: 1_000_000_000, symbols, limits, next: 0, venue_seq: 0 };
        world.engine.touch_pages();
        world.define();
        world.set_limits();
        world.apply(Event::VenueUp);
        for symbol in (0..symbols).map(SymbolId) {
            world.apply(Event::Tick { symbol, bid: Price(BID), ask: Price(BID + TICK) });
            let name = ClOrdId::new(format!("P{}", symbol.0).as_bytes()).expect("a short name");
            let qty = Qty(i64::MAX / 4);
            world.apply(Event::ParentOpen { name, account: AccountId(0), symbol, side: Side::Buy, qty });
        }
        for _ in 0..open {
            let order = world.order();
            assert!(matches!(world.order_now(order), Outcome::Accepted(_)), "a resting order was refused");
        }
        // One fill in each instrument, so that positions are marked and their slow references run.
        for _ in 0..symbols {
            let order = world.order();
            let Outcome::Accepted(id) = world.order_now(order) else { panic!("refused") };
            let fill = world.report(id, ReportKind::Trade { qty: Qty(100), price: Price(BID) });
            world.apply(fill);
        }
        world
    }

    fn define(&mut self) {
        self.apply(Event::Define { kind: NameKind::Account, name: "ACC1".into() });
        for name in ["smars-1", "smars-8", "smars-9"] {
            self.apply(Event::Define { kind: NameKind::Router, name: name.into() });
        }
        self.apply(Event::Define { kind: NameKind::Strategy, name: "RLP".into() });
        for n in 0..self.symbols {
            self.apply(Event::Define { kind: NameKind::Symbol, name: format!("S{n}") });
            let instrument = Instrument { tick: Price(TICK), lot: Qty(1), multiplier: 1 };
            self.apply(Event::Instrument { symbol: SymbolId(n), instrument });
        }
    }

    fn set_limits(&mut self) {
        match self.limits {
            Limits::Usual => self.usual(),
            Limits::Everywhere => self.everywhere(),
        }
        let runaway = LimitTarget::Scope(Scope::Router(RUNAWAY));
        self.set(runaway, "message_rate", 0);
    }

    /// Halts a router, for the cases after it.
    pub fn halt(&mut self) {
        let scope = Scope::Router(HALTED);
        let state = riskcore::halts::State::Halted;
        self.apply(Event::Halt { scope, state, principal: "bench".into(), text: "bench".into() });
    }

    fn usual(&mut self) {
        use ScopeKind::{Account, AccountSymbol, Router, Symbol};
        let firm = LimitTarget::Scope(Scope::Firm);
        for (name, value) in [
            ("max_gross_notional", WIDE),
            ("max_turnover_day", WIDE),
            ("max_turnover_window", WIDE),
            ("max_day_loss", WIDE),
            ("message_rate", 10_000),
        ] {
            self.set(firm, name, value);
        }
        for (kind, name, value) in [
            (Account, "max_order_notional", 10_000_000 * i128::from(UNIT)),
            (Account, "max_gross_notional", WIDE),
            (Account, "max_turnover_day", WIDE),
            (Account, "max_day_loss", WIDE),
            (Router, "message_rate", 1_000),
            (Router, "message_burst", 500),
            (Router, "message_rate_sustained", WIDE),
            (Router, "max_turnover_window", WIDE),
            (Router, "parent_overfill_halt_after", 1_000_000_000),
            (Symbol, "max_order_qty", 10_000),
            (Symbol, "price_collar_bps", 300),
            (Symbol, "market_data_max_age", i128::from(i64::MAX)),
            (AccountSymbol, "max_long_position", i128::from(i64::MAX)),
            (AccountSymbol, "max_short_position", i128::from(i64::MAX)),
        ] {
            self.set(LimitTarget::Default(kind), name, value);
        }
    }

    fn everywhere(&mut self) {
        for def in LIMITS.iter().filter(|def| def.judges != Judges::Nothing) {
            let value = match def.name {
                "message_rate" | "message_burst" => 1_000,
                "max_order_qty" => 10_000,
                "max_order_notional" => 10_000_000 * i128::from(UNIT),
                "price_collar_bps" => 300,
                "parent_overfill_halt_after" => 1_000_000_000,
                _ => WIDE,
            };
            for kind in ScopeKind::ALL.into_iter().filter(|kind| def.settable_at & kind.bit() != 0) {
                let target =
                    if kind == ScopeKind::Firm { LimitTarget::Scope(Scope::Firm) } else { LimitTarget::Default(kind) };
                self.set(target, def.name, value);
            }
        }
    }

    fn set(&mut self, target: LimitTarget, name: &str, value: i128) {
        let limit = LimitId::by_name(name).expect("a limit of the catalogue");
        let outcome = self.apply(Event::SetLimit { target, limit, setting: Some(Setting::of(limit, value)), principal: "bench".into() });
        assert_eq!(outcome, Outcome::Applied, "{name}");
    }

    pub fn apply(&mut self, event: Event) -> Outcome {
        self.engine.apply(Nanos(self.now), &event)
    }

    fn order_now(&mut self, event: (Nanos, Event)) -> Outcome {
        self.engine.apply(event.0, &event.1)
    }

    /// A new order that passes, in the next instrument, due a step later.
    pub fn order(&mut self) -> (Nanos, Event) {
        self.order_with(|_| ())
    }

    /// The same, changed.
    pub fn order_with(&mut self, change: impl FnOnce(&mut NewOrder)) -> (Nanos, Event) {
        self.now += STEP;
        self.next += 1;
        // Strides over the instruments, so that the next one is not the next in memory.
        let symbol = (self.next.wrapping_mul(7_919) % u64::from(self.symbols)) as u32;
        let strategy = if self.limits == Limits::Everywhere { Ref::Known(StrategyId(0)) } else { Ref::Absent };
        // 18 characters, as routers number their orders.
        let name = format!("R1-20120801-{:06}", self.next);
        let mut order = NewOrder {
            router: ROUTER,
            client_seq: self.next,
            cl_ord_id: ClOrdId::new(name.as_bytes()).expect("a short name"),
            account: Ref::Known(AccountId(0)),
            symbol: Ref::Known(SymbolId(symbol)),
            strategy,
            parent: Ref::Known(ParentId(symbol)),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            tif: TimeInForce::Day,
            qty: Qty(100),
            price: Some(Price(BID)),
            flags: 0,
        };
        change(&mut order);
        (Nanos(self.now), Event::NewOrder(order))
    }

    /// What the venue says next.
    pub fn report(&mut self, order: OrderId, kind: ReportKind) -> Event {
        self.venue_seq += 1;
        Event::Report(Report { venue_seq: self.venue_seq, order, exec_id: self.venue_seq, instrument: None, kind })
    }

    /// Places an order now.
    pub fn place(&mut self) -> (OrderId, NewOrder) {
        let (time, event) = self.order();
        let Outcome::Accepted(id) = self.engine.apply(time, &event) else { panic!("refused") };
        let Event::NewOrder(order) = event else { panic!("not an order") };
        (id, order)
    }

    /// Takes back what a batch has left, and its effects.
    pub fn settle(&mut self, left: &[OrderId]) {
        for id in left {
            let report = self.report(*id, ReportKind::Canceled);
            self.apply(report);
        }
        let mut effects = Vec::new();
        self.engine.take_effects(&mut effects);
    }
}
