//! A firm (`firm.rs`) in the middle of its day: so many orders rest, in so many symbols, of so many routers.

use riskcore::events::{DropCopy, Event, NewOrder, OrdType, Report, ReportKind, Side, TimeInForce};
use riskcore::halts::State;
use riskcore::ids::{AccountId, ClOrdId, OrderId, ParentId, Ref, RouterId, StrategyId, SymbolId};
use riskcore::scopes::Scope;
use riskcore::units::{Nanos, Price, Qty};
use riskcore::{Engine, EngineConfig, Outcome};

use crate::firm::{ASK, BID, FLAG, Limits, Log, Setup};
use crate::rejects::SYMBOLS;

/// Between orders: 500 a second, below every rate limit.
const STEP: i64 = 2_000_000;
const ACCOUNT: AccountId = AccountId(0);

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Orders that rest.
    pub orders: usize,
    pub symbols: u32,
    pub routers: u32,
}

pub struct World {
    pub engine: Engine,
    pub now: i64,
    pub size: Size,
    limits: Limits,
    next: u64,
    venue_seq: u64,
    drop_seq: u64,
    effects: Vec<riskcore::outcome::Effect>,
    /// What the engine was built with.
    pub config: EngineConfig,
    /// All that was applied, if it was asked for.
    pub log: Option<Log>,
}

impl World {
    /// A world in the middle of its day, with room for `more` orders.
    pub fn new(limits: Limits, size: Size, more: usize) -> World {
        let mut world = World::before_the_day(limits, size, more);
        world.open();
        world
    }

    /// A world in which nobody trades yet: what is set up now needs no second person.
    pub fn before_the_day(limits: Limits, size: Size, more: usize) -> World {
        World::create(limits, size, more, None)
    }

    /// The same, with a log of everything from the beginning.
    pub fn recorded(limits: Limits, size: Size) -> World {
        World::create(limits, size, 0, Some(Log::new()))
    }

    fn create(limits: Limits, size: Size, more: usize, log: Option<Log>) -> World {
        let symbols = size.symbols as usize;
        let config = EngineConfig {
            max_orders: size.orders + symbols + more,
            // Of the account, and of each router; at most as many as there are orders.
            max_pairs: symbols
                + (symbols * (size.routers as usize + 2)).min(size.orders + symbols + more)
                + 4 * SYMBOLS as usize,
            max_parents: 2 * symbols + 4 * SYMBOLS as usize,
            ..EngineConfig::default()
        };
        let engine = Engine::new(&config);
        let (now, effects) = (1_000_000_000, Vec::with_capacity(1_024));
        let mut world = World { engine, now, size, limits, next: 0, venue_seq: 0, drop_seq: 0, effects, config, log };
        world.engine.touch_pages();
        world.define();
        world
    }

    /// The venue is there, and the orders rest.
    pub fn open(&mut self) {
        let mut setup = self.setup();
        setup.gate();
        setup.apply(Event::VenueUp);
        for _ in 0..self.size.orders {
            let (id, _) = self.place();
            self.told(id, ReportKind::New);
        }
        // One execution in each instrument, so that positions are marked and their slow references run.
        for _ in 0..self.size.symbols {
            let (id, order) = self.place();
            self.told(id, trade(&order));
        }
        self.take_effects();
    }

    fn define(&mut self) {
        let (limits, size) = (self.limits, self.size);
        let mut setup = self.setup();
        setup.limits(limits);
        setup.rules();
        setup.account(ACCOUNT);
        setup.apply(Event::Define { kind: riskcore::events::NameKind::Strategy, name: "RLP".into() });
        for router in 0..size.routers + 2 {
            setup.router(RouterId(router));
        }
        for symbol in (0..size.symbols).map(SymbolId) {
            setup.symbol(symbol, None);
            setup.parents(ACCOUNT, symbol);
        }
        for scope in [Scope::Account(ACCOUNT), Scope::Router(RouterId(0))] {
            setup.permit(scope, size.symbols);
        }
        setup.refuse(Scope::Router(RouterId(size.routers)), "message_rate", 0);
    }

    /// A router that is over its rate.
    pub fn runaway(&self) -> RouterId {
        RouterId(self.size.routers)
    }

    /// A router that `halt` halts.
    pub fn halted(&self) -> RouterId {
        RouterId(self.size.routers + 1)
    }

    /// Halts a router, for the cases after it.
    pub fn halt(&mut self) {
        let scope = Scope::Router(self.halted());
        self.apply(Event::Halt { scope, state: State::Halted, principal: "bench".into(), text: "bench".into() });
    }

    pub fn apply(&mut self, event: Event) -> Outcome {
        let outcome = self.engine.apply(Nanos(self.now), &event);
        if let Some(log) = &mut self.log {
            log.push((Nanos(self.now), event));
        }
        outcome
    }

    /// To set something up at this moment.
    pub fn setup(&mut self) -> Setup<'_> {
        Setup { engine: &mut self.engine, now: self.now, log: &mut self.log }
    }

    /// A new order that passes, of the next router and in the next instrument, due a step later. Buys and short sales in
    /// turn.
    pub fn order(&mut self) -> NewOrder {
        self.now += STEP;
        self.next += 1;
        let (n, symbols) = (self.next / 2, u64::from(self.size.symbols));
        // Strides over the instruments, so that the next one is not the next in memory.
        let symbol = (n.wrapping_mul(7_919) % symbols) as u32;
        let buys = self.next % 2 == 0;
        let strategy = if self.limits == Limits::Everywhere { Ref::Known(StrategyId(0)) } else { Ref::Absent };
        // 18 characters, as routers number their orders.
        let name = format!("R1-20120801-{:06}", self.next);
        NewOrder {
            router: RouterId((n % u64::from(self.size.routers)) as u32),
            client_seq: self.next,
            cl_ord_id: ClOrdId::new(name.as_bytes()).expect("a short name"),
            account: Ref::Known(ACCOUNT),
            symbol: Ref::Known(SymbolId(symbol)),
            strategy,
            parent: Ref::Known(ParentId(2 * symbol + u32::from(!buys))),
            side: if buys { Side::Buy } else { Side::SellShort },
            ord_type: OrdType::Limit,
            tif: TimeInForce::Day,
            // Not all the same: those are refused.
            qty: Qty(100 + (n % 64) as i64),
            price: Some(Price(if buys { BID } else { ASK })),
            flags: FLAG,
        }
    }

    /// What the venue says next.
    pub fn report(&mut self, order: OrderId, kind: ReportKind) -> Event {
        self.venue_seq += 1;
        Event::Report(Report { venue_seq: self.venue_seq, order, exec_id: self.venue_seq, instrument: None, kind })
    }

    /// The venue says it now, and its drop copy too.
    pub fn told(&mut self, order: OrderId, kind: ReportKind) {
        let report = self.report(order, kind);
        self.apply(report);
        self.copied(order, kind);
        self.take_effects();
    }

    /// The drop copy of an execution that was reported.
    pub fn copied(&mut self, order: OrderId, kind: ReportKind) {
        if matches!(kind, ReportKind::Trade { .. }) {
            self.drop_seq += 1;
            self.apply(Event::DropCopy(DropCopy { drop_seq: self.drop_seq, order, symbol: None, kind }));
        }
    }

    /// Places an order now.
    pub fn place(&mut self) -> (OrderId, NewOrder) {
        let order = self.order();
        match self.apply(Event::NewOrder(order)) {
            Outcome::Accepted(id) => (id, order),
            other => panic!("an ordinary order was not accepted: {other:?}"),
        }
    }

    /// Takes back what a batch has left, and its effects.
    pub fn settle(&mut self, left: &[OrderId]) {
        for id in left {
            self.told(*id, ReportKind::Canceled);
        }
        self.take_effects();
    }

    fn take_effects(&mut self) {
        self.engine.take_effects(&mut self.effects);
        self.effects.clear();
    }
}

/// The execution of all of an order at its price.
pub fn trade(order: &NewOrder) -> ReportKind {
    ReportKind::Trade { qty: order.qty, price: order.price.unwrap_or(Price(BID)) }
}
