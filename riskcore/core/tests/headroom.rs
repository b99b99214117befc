//! Headroom decides nothing: under limits so tight that it ends all the time, every order gets the verdict of a core that
//! asks all checks. A debug build compares the two itself (`Engine::verdict`), so what is needed here is a history in which
//! every growing limit is met, by orders, executions, marks, replaces and changes of limits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use riskcore::events::{
    Event, Instrument, NameKind, NewOrder, OrdType, Replace, Report, ReportKind, Side, TimeInForce,
};
use riskcore::ids::{AccountId, ClOrdId, OrderId, ParentId, Ref, RouterId, StrategyId, SymbolId};
use riskcore::limits::{Action, LimitId, LimitTarget, Setting};
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::units::{Nanos, Price, Qty, UNIT};
use riskcore::{Engine, EngineConfig, Outcome};

/// A sequence of pseudo-random numbers: the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const MONEY: u64 = UNIT as u64;

/// Limits on growing sums, the scopes each is set at, and about where it is met.
const TIGHT: [(&str, &[ScopeKind], u64); 11] = {
    use ScopeKind::{Account, AccountSymbol, Firm, Router, Strategy, Symbol};
    [
        ("max_open_orders", &[Firm, Account, Router, Symbol, Strategy], 16),
        ("max_open_qty", &[Symbol, AccountSymbol], 450),
        ("max_open_notional", &[Firm, Account, Router, Symbol, Strategy], 90_000 * MONEY),
        ("max_unacknowledged", &[Firm, Router], 14),
        ("max_long_position", &[Symbol, AccountSymbol], 450),
        ("max_short_position", &[Symbol, AccountSymbol], 450),
        ("max_gross_notional", &[Firm, Account, Router], 130_000 * MONEY),
        ("max_concentration_bps", &[Symbol, AccountSymbol], 9_000),
        ("max_notional_velocity", &[Firm, Account, Router, Symbol, Strategy], 90_000 * MONEY),
        ("max_turnover_window", &[Firm, Account, Router, Symbol, Strategy], 90_000 * MONEY),
        ("max_excess_leaving_bps", &[Firm, Account, Router, Symbol], 1_000),
    ]
};

/// Met by no order.
const WIDE: [(&str, ScopeKind, i128); 17] = [
    ("max_turnover_day", ScopeKind::Firm, i128::MAX / 4),
    ("max_day_loss", ScopeKind::Firm, i128::MAX / 4),
    ("max_order_notional", ScopeKind::Account, i128::MAX / 4),
    ("max_day_loss", ScopeKind::Account, i128::MAX / 4),
    ("message_rate", ScopeKind::Router, 100_000),
    ("parent_overfill_halt_after", ScopeKind::Router, 1_000_000),
    ("max_order_qty", ScopeKind::Symbol, 1_000_000),
    ("price_collar_bps", ScopeKind::Symbol, 5_000),
    ("market_data_max_age", ScopeKind::Symbol, i64::MAX as i128),
    ("turnover_window", ScopeKind::Firm, 1_000_000_000),
    ("turnover_window", ScopeKind::Account, 1_000_000_000),
    ("turnover_window", ScopeKind::Router, 1_000_000_000),
    ("turnover_window", ScopeKind::Symbol, 1_000_000_000),
    ("unparented_allowance_qty", ScopeKind::Firm, 1_500),
    ("unparented_allowance_qty", ScopeKind::Account, 1_500),
    ("unparented_allowance_qty", ScopeKind::Router, 600),
    ("unparented_allowance_qty", ScopeKind::Symbol, 600),
];

struct Firm {
    engine: Engine,
    dice: Dice,
    now: i64,
    next: u64,
    venue_seq: u64,
    open: Vec<(OrderId, ClOrdId, RouterId)>,
    amends: bool,
    /// How many times what is tight the limits are.
    room: u64,
    refused: BTreeMap<&'static str, u32>,
    accepted: u32,
}

impl Firm {
    fn new(seed: u64, room: u64) -> Firm {
        let config = EngineConfig { max_orders: 10_000, max_pairs: 64, max_parents: 64, ..EngineConfig::default() };
        let mut firm = Firm {
            engine: Engine::new(&config),
            dice: Dice(seed),
            now: 1_000_000_000,
            next: 0,
            venue_seq: 0,
            open: vec![],
            amends: seed.is_multiple_of(2) && room == 1,
            room,
            refused: BTreeMap::new(),
            accepted: 0,
        };
        for (kind, name) in [
            (NameKind::Account, "A"),
            (NameKind::Account, "B"),
            (NameKind::Router, "r1"),
            (NameKind::Router, "r2"),
            (NameKind::Symbol, "X"),
            (NameKind::Symbol, "Y"),
            (NameKind::Strategy, "s"),
            (NameKind::Strategy, "t"),
        ] {
            firm.apply(Event::Define { kind, name: name.into() });
        }
        for symbol in [SymbolId(0), SymbolId(1)] {
            let instrument = Instrument { tick: Price(UNIT / 100), lot: Qty(1), multiplier: 1, currency: None };
            firm.apply(Event::Instrument { symbol, instrument });
            firm.tick(symbol);
            for (n, side) in [Side::Buy, Side::Sell].into_iter().enumerate() {
                let name = ClOrdId::from_number(u64::from(symbol.0) * 2 + n as u64);
                let qty = Qty(2_500 * room as i64);
                firm.apply(Event::ParentOpen { name, account: AccountId(0), symbol, side, qty });
            }
        }
        firm.apply(Event::ParentRequired { account: AccountId(1), required: false });
        firm.apply(Event::Permit { scope: Scope::Strategy(StrategyId(1)), symbols: vec![SymbolId(1)] });
        for (name, kind, value) in WIDE {
            let times = if name == "unparented_allowance_qty" { room.into() } else { 1 };
            firm.limit(kind, name, value * times);
        }
        for n in 0..TIGHT.len() {
            firm.tighten(n);
        }
        firm.apply(Event::VenueUp);
        firm
    }

    fn apply(&mut self, event: Event) -> Outcome {
        let outcome = self.engine.apply(Nanos(self.now), &event);
        self.engine.take_effects(&mut vec![]);
        outcome
    }

    fn limit(&mut self, kind: ScopeKind, name: &str, value: i128) {
        let target = if kind == ScopeKind::Firm { LimitTarget::Scope(Scope::Firm) } else { LimitTarget::Default(kind) };
        let limit = LimitId::by_name(name).unwrap();
        // A breach of an order refuses it and nothing more: a halt would end the history.
        let judged = Setting::of(limit, value);
        let action = if judged.action == Action::Halt && limit.def().allows(Action::Reject) {
            Action::Reject
        } else {
            judged.action
        };
        let setting = Some(Setting { action, ..judged });
        self.apply(Event::SetLimit { target, limit, setting, principal: "test".into() });
    }

    /// Sets one limit anew, somewhere between half of where it is met and twice as much.
    fn tighten(&mut self, n: usize) {
        let (name, kinds, about) = TIGHT[n];
        let about = if name.ends_with("_bps") { about } else { about * self.room };
        for kind in kinds {
            let value = about / 2 + self.dice.below(about + about / 2);
            self.limit(*kind, name, value.into());
        }
    }

    fn tick(&mut self, symbol: SymbolId) {
        let (bid, spread) = (95 + self.dice.below(10) as i64, 1 + self.dice.below(5) as i64);
        let (bid, ask) = (Price(bid * UNIT), Price(bid * UNIT + UNIT / 100 * spread));
        self.apply(Event::Tick { symbol, bid, ask });
    }

    fn order(&mut self) {
        self.next += 1;
        let (symbol, buys) = (self.dice.below(2) as u32, self.dice.below(2) == 0);
        let account = self.dice.below(2) as u32;
        let strategy = self.dice.below(8) as u32;
        let price = Price((90 + self.dice.below(20) as i64) * UNIT);
        let router = RouterId(self.dice.below(2) as u32);
        let cl_ord_id = ClOrdId::from_number(self.next);
        let qty = Qty(1 + self.dice.below(120) as i64);
        let outcome = self.apply(Event::NewOrder(NewOrder {
            router,
            client_seq: self.next,
            cl_ord_id,
            account: Ref::Known(AccountId(account)),
            symbol: Ref::Known(SymbolId(symbol)),
            strategy: if strategy < 2 { Ref::Known(StrategyId(strategy)) } else { Ref::Absent },
            parent: if account == 0 { Ref::Known(ParentId(symbol * 2 + u32::from(!buys))) } else { Ref::Absent },
            side: if buys { Side::Buy } else { Side::Sell },
            ord_type: OrdType::Limit,
            tif: TimeInForce::Day,
            qty,
            price: Some(price),
            flags: 0,
        }));
        match outcome {
            Outcome::Accepted(id) => {
                self.accepted += 1;
                self.open.push((id, cl_ord_id, router));
            }
            Outcome::Rejected(reject) => *self.refused.entry(reject.reason.name).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }

    fn report(&mut self, at: usize, kind: ReportKind) {
        self.venue_seq += 1;
        let (order, venue_seq) = (self.open[at].0, self.venue_seq);
        self.apply(Event::Report(Report { venue_seq, order, exec_id: venue_seq, instrument: None, kind }));
    }

    /// Cancels so many open orders, and makes room for as many.
    fn cancel(&mut self, orders: usize) {
        for _ in 0..orders.min(self.open.len()) {
            self.report(0, ReportKind::Canceled);
            self.open.swap_remove(0);
        }
    }

    /// A router buys one share; whether that was accepted.
    fn buy(&mut self, router: u32, symbol: u32) -> bool {
        match self.buy_for(router, symbol, Ref::Absent) {
            Ok(()) => true,
            Err(reason) => {
                assert_eq!("MAX_OPEN_ORDERS", reason);
                false
            }
        }
    }

    /// The same for a strategy, or none; the reason if it is refused.
    fn buy_for(&mut self, router: u32, symbol: u32, strategy: Ref<StrategyId>) -> Result<(), &'static str> {
        self.next += 1;
        let (router, cl_ord_id) = (RouterId(router), ClOrdId::from_number(self.next));
        let order = NewOrder {
            router,
            client_seq: self.next,
            cl_ord_id,
            account: Ref::Known(AccountId(0)),
            symbol: Ref::Known(SymbolId(symbol)),
            strategy,
            parent: Ref::Known(ParentId(symbol * 2)),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            tif: TimeInForce::Day,
            qty: Qty(1),
            price: Some(Price(95 * UNIT)),
            flags: 0,
        };
        match self.apply(Event::NewOrder(order)) {
            Outcome::Accepted(id) => self.open.push((id, cl_ord_id, router)),
            Outcome::Rejected(reject) => return Err(reject.reason.name),
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    fn step(&mut self) {
        self.now += self.dice.below(40_000_000) as i64;
        let at = self.dice.below(self.open.len().max(1) as u64) as usize;
        match self.dice.below(100) {
            0..55 => self.order(),
            55..60 => self.tick(SymbolId(self.dice.0 as u32 % 2)),
            60 if self.dice.below(self.room) == 0 => {
                let n = self.dice.below(TIGHT.len() as u64) as usize;
                self.tighten(n);
            }
            61 => drop(self.apply(Event::Timer)),
            // A parent that was reduced once has K2 ask ever after: not in every history.
            62 if self.amends => {
                let (parent, qty) = (ParentId(self.dice.below(4) as u32), Qty(1 + self.dice.below(10_000) as i64));
                self.apply(Event::ParentAmend { parent, qty });
            }
            _ if self.open.is_empty() => {}
            62..70 => self.report(at, ReportKind::New),
            70..75 => {
                let (qty, price) = (1 + self.dice.below(150) as i64, (90 + self.dice.below(20) as i64) * UNIT);
                self.next += 1;
                let (_, orig_cl_ord_id, router) = self.open[at];
                let cl_ord_id = ClOrdId::from_number(self.next);
                let replace = Replace {
                    router,
                    client_seq: 0,
                    cl_ord_id,
                    orig_cl_ord_id,
                    qty: Qty(qty),
                    price: Some(Price(price)),
                };
                if let Outcome::ReplaceAccepted(_) = self.apply(Event::Replace(replace)) {
                    let kind = if self.dice.below(2) == 0 { ReportKind::Replaced } else { ReportKind::ReplaceRejected };
                    if kind == ReportKind::Replaced {
                        self.open[at].1 = cl_ord_id;
                    }
                    self.report(at, kind);
                }
            }
            75..88 => {
                let (qty, price) = (1 + self.dice.below(60) as i64, (95 + self.dice.below(10) as i64) * UNIT);
                self.report(at, ReportKind::Trade { qty: Qty(qty), price: Price(price) });
            }
            _ => {
                self.report(at, ReportKind::Canceled);
                self.open.swap_remove(at);
            }
        }
    }
}

#[test]
fn every_verdict_is_that_of_all_checks_however_little_headroom_is_left() {
    let (mut refused, mut accepted) = (BTreeMap::<&str, u32>::new(), 0);
    for seed in 0..24 {
        let mut firm = Firm::new(seed, 1);
        for _ in 0..1_500 {
            firm.step();
        }
        accepted += firm.accepted;
        for (reason, count) in firm.refused {
            *refused.entry(reason).or_default() += count;
        }
    }

    assert!(accepted > 2_000, "{accepted} accepted, {refused:?}");
    for reason in [
        "MAX_OPEN_ORDERS",
        "MAX_OPEN_QTY",
        "MAX_OPEN_NOTIONAL",
        "TOO_MANY_UNACKNOWLEDGED",
        "POSITION_LIMIT",
        "GROSS_LIMIT",
        "CONCENTRATION_LIMIT",
        "NOTIONAL_VELOCITY",
        "TURNOVER_LIMIT",
        "LEAVING_LIMIT",
    ] {
        assert!(refused.contains_key(reason), "{reason} was never met: {refused:?}");
    }
}

/// A route that is granted room for many orders leaves them to itself until the grant is void.
#[test]
fn what_a_route_was_granted_is_given_to_no_other() {
    let mut firm = Firm::new(1, 1_000);
    firm.limit(ScopeKind::Firm, "max_open_orders", 700);

    // One route takes a grant and uses little of it; the other one goes on until the firm is full.
    assert!((0..5).all(|_| firm.buy(0, 0)));
    let others = (0..2_000).filter(|_| firm.buy(1, 1)).count();
    assert_eq!(695, others);
    assert!(!firm.buy(0, 0));

    // What is given back is there for both, and again no more than that.
    for round in 0..6 {
        firm.cancel(600);
        let (first, second) = (round % 2, (round + 1) % 2);
        assert!((0..70).all(|_| firm.buy(first, first)));
        let others = (0..2_000).filter(|_| firm.buy(second, second)).count();
        assert_eq!(530, others, "{round}");
        assert!(!firm.buy(first, first));
    }
}

/// A strategy and a symbol are no pair with headroom of its own: each may have some from orders that had not both.
#[test]
fn a_strategy_with_headroom_buys_no_symbol_that_is_not_on_its_list() {
    let mut firm = Firm::new(1, 1_000);
    for _ in 0..5 {
        assert_eq!(Ok(()), firm.buy_for(0, 0, Ref::Absent));
        assert_eq!(Ok(()), firm.buy_for(0, 1, Ref::Known(StrategyId(1))));
    }

    assert_eq!(Err("SYMBOL_NOT_PERMITTED"), firm.buy_for(0, 0, Ref::Known(StrategyId(1))));
}

#[test]
fn every_verdict_is_that_of_all_checks_while_routes_have_grants() {
    let (mut refused, mut accepted) = (BTreeMap::<&str, u32>::new(), 0);
    for seed in 0..6 {
        let mut firm = Firm::new(seed, 50);
        if seed % 2 == 0 {
            firm.limit(ScopeKind::Symbol, "max_open_qty", 6_000);
        }
        for n in 0..6_000 {
            firm.step();
            if n % 1_000 == 999 {
                firm.cancel(500);
            }
        }
        accepted += firm.accepted;
        for (reason, count) in firm.refused {
            *refused.entry(reason).or_default() += count;
        }
    }

    assert!(accepted > 6_000, "{accepted} accepted, {refused:?}");
    for reason in ["MAX_OPEN_QTY", "MAX_OPEN_NOTIONAL"] {
        assert!(refused.contains_key(reason), "{reason} was never met: {refused:?}");
    }
}
