//! A small firm, and the steps of random histories: orders, replaces, cancels, reports in any order and number, link losses,
//! halts and limits. After each step the books are compared with a plain recount.

use std::collections::BTreeSet;

use proptest::prelude::*;
use riskcore::checks::Check;
use riskcore::events::{
    Attested, Cancel, Event, Instrument, MassStatusEnd, NameKind, NewOrder, OrdType, Replace, Report, ReportKind, Side,
    TimeInForce,
};
use riskcore::halts::State;
use riskcore::ids::{AccountId, ClOrdId, CurrencyId, OrderId, ParentId, Ref, RouterId, SymbolId};
use riskcore::limits::{LimitId, LimitTarget, Setting};
use riskcore::orders::{Order, Status};
use riskcore::record;
use riskcore::scopes::{Scope, ScopeIx, ScopeKind};
use riskcore::security::{Phase, Rules, ShortSale};
use riskcore::units::{Nanos, Price, Qty, Rate, UNIT};
use riskcore::{Engine, EngineConfig, Outcome};

/// One step of a history. Numbers are taken modulo what exists.
#[derive(Clone, Debug)]
pub enum Step {
    Order {
        router: u32,
        account: u32,
        symbol: u32,
        parent: Option<u32>,
        side: Side,
        qty: i64,
        price: Option<i64>,
    },
    Replace {
        order: usize,
        qty: i64,
        price: i64,
    },
    Cancel {
        order: usize,
    },
    Report {
        order: usize,
        kind: ReportKind,
    },
    Tick {
        symbol: u32,
        bid: i64,
        spread: i64,
    },
    Rate {
        currency: u32,
        rate: i64,
    },
    Wait {
        ms: i64,
    },
    VenueDown,
    VenueUp {
        fenced: bool,
    },
    Halt {
        router: u32,
        state: State,
    },
    Limit {
        account: u32,
        value: i64,
    },
    Phase {
        symbol: u32,
        phase: Phase,
    },
    /// Regulation SHO binds the instrument from now on.
    RegSho {
        symbol: u32,
    },
    /// The router logs on with a build that differs from the manifest, and goes on canary.
    Quarantine {
        router: u32,
    },
}

fn quantity() -> impl Strategy<Value = i64> {
    prop_oneof![20 => 1..2_000_i64, 1 => any::<i64>(), 1 => Just(i64::MAX), 1 => Just(0), 1 => Just(i64::MIN)]
}

fn price() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => (9_000..11_000_i64).prop_map(|cents| cents * UNIT / 100),
        1 => any::<i64>(),
        1 => Just(i64::MAX / 10_000_000 * 10_000_000),
    ]
}

fn rate() -> impl Strategy<Value = i64> {
    prop_oneof![10 => 1..3_000_000_000_i64, 1 => any::<i64>(), 1 => Just(0), 1 => Just(UNIT), 1 => Just(i64::MAX)]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell), Just(Side::SellShort)]
}

fn report_kind() -> impl Strategy<Value = ReportKind> {
    let trade = || (quantity(), price());
    prop_oneof![
        4 => Just(ReportKind::New),
        8 => trade().prop_map(|(qty, price)| ReportKind::Trade { qty: Qty(qty), price: Price(price) }),
        4 => Just(ReportKind::Canceled),
        1 => Just(ReportKind::Rejected { text: None }),
        1 => Just(ReportKind::Expired),
        3 => Just(ReportKind::Replaced),
        2 => Just(ReportKind::ReplaceRejected),
        2 => Just(ReportKind::CancelRejected),
        1 => trade().prop_map(|(qty, price)| ReportKind::TradeCancel { qty: Qty(qty), price: Price(price) }),
        1 => (trade(), trade()).prop_map(|((old_qty, old_price), (qty, price))| ReportKind::TradeCorrect {
            old_qty: Qty(old_qty), old_price: Price(old_price), qty: Qty(qty), price: Price(price)
        }),
    ]
}

/// A new order.
pub fn order() -> impl Strategy<Value = Step> {
    let price = proptest::option::weighted(0.9, price());
    (0..3_u32, 0..2_u32, 0..4_u32, proptest::option::of(0..3_u32), side(), quantity(), price).prop_map(
        |(router, account, symbol, parent, side, qty, price)| Step::Order {
            router,
            account,
            symbol,
            parent,
            side,
            qty,
            price,
        },
    )
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![4 => Just(Phase::Continuous), 2 => Just(Phase::Auction), 1 => Just(Phase::PreOpen), 1 => Just(Phase::Halted)]
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => order(),
        4 => (any::<usize>(), quantity(), price()).prop_map(|(order, qty, price)| Step::Replace { order, qty, price }),
        4 => any::<usize>().prop_map(|order| Step::Cancel { order }),
        14 => (any::<usize>(), report_kind()).prop_map(|(order, kind)| Step::Report { order, kind }),
        6 => (0..4_u32, 9_000..11_000_i64, -1..5_i64).prop_map(|(symbol, bid, spread)| Step::Tick { symbol, bid, spread }),
        4 => (0..2_u32, rate()).prop_map(|(currency, rate)| Step::Rate { currency, rate }),
        3 => (0..400_i64).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::VenueDown),
        1 => any::<bool>().prop_map(|fenced| Step::VenueUp { fenced }),
        1 => (0..3_u32, prop_oneof![Just(State::ReduceOnly), Just(State::CancelOnly), Just(State::Halted)])
            .prop_map(|(router, state)| Step::Halt { router, state }),
        1 => (0..2_u32, 0..20_000_i64).prop_map(|(account, value)| Step::Limit { account, value }),
        1 => (0..2_u32, phase()).prop_map(|(symbol, phase)| Step::Phase { symbol, phase }),
        1 => (0..2_u32).prop_map(|symbol| Step::RegSho { symbol }),
        1 => (0..3_u32).prop_map(|router| Step::Quarantine { router }),
    ]
}

/// The firm, and the records of everything that was told to it.
pub struct World {
    pub engine: Engine,
    /// The venue nets fills against a replace in flight.
    mitigates: bool,
    quoted: Quoted,
    pub now: i64,
    pub orders: Vec<OrderId>,
    pub records: Vec<Vec<u8>>,
    /// How many of them are there before the history begins.
    pub set_up: usize,
    ids: u64,
}

/// A limit by its name.
pub fn limit(name: &str) -> LimitId {
    LimitId::by_name(name).unwrap()
}

/// How the instruments `E` and `J` are quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// In currencies of their own, whose rates move.
    Abroad,
    /// In currencies that are named and are worth exactly one, all the time.
    AtOne,
    /// In the base currency.
    AtHome,
}

impl World {
    /// Before anything happened, at a venue that puts what a replace asks for on top of what has filled, or at one that nets it.
    pub fn at_venue(mitigates: bool) -> World {
        World::quoted(mitigates, Quoted::Abroad)
    }

    /// The same, with the instruments `E` and `J` quoted so.
    pub fn quoted(mitigates: bool, quoted: Quoted) -> World {
        let mut world = World {
            engine: Engine::new(&config(mitigates)),
            mitigates,
            quoted,
            now: 1_000_000_000,
            orders: vec![],
            records: vec![],
            set_up: 0,
            ids: 0,
        };
        for (kind, names) in [
            (NameKind::Account, &["A", "B"][..]),
            (NameKind::Router, &["r1", "r2", "r3"]),
            (NameKind::Currency, &["EUR", "JPY"]),
            (NameKind::Symbol, &["X", "Y", "E", "J"]),
        ] {
            for name in names {
                world.apply(Event::Define { kind, name: (*name).into() });
            }
        }
        let [eur, jpy] = [0, 1].map(|n| (quoted != Quoted::AtHome).then_some(CurrencyId(n)));
        for (n, (multiplier, currency)) in [(1, None), (50, None), (1, eur), (10, jpy)].into_iter().enumerate() {
            let symbol = SymbolId(n as u32);
            let instrument = Instrument { tick: Price(UNIT / 100), lot: Qty(1), multiplier, currency };
            world.apply(Event::Instrument { symbol, instrument });
            world.apply(Event::Tick { symbol, bid: Price(100 * UNIT), ask: Price(100 * UNIT + UNIT / 100) });
        }
        match quoted {
            Quoted::Abroad => world.rates([1_085_000_001, 6_666_667]),
            Quoted::AtOne => world.rates([UNIT, UNIT]),
            Quoted::AtHome => {}
        }
        for account in [AccountId(0), AccountId(1)] {
            world.apply(Event::ParentRequired { account, required: false });
        }
        let money = |n: i64| i128::from(n) * i128::from(UNIT);
        for (kind, name, value) in [
            (ScopeKind::Firm, "max_gross_notional", money(100_000_000)),
            (ScopeKind::Firm, "max_turnover_day", money(2_000_000_000)),
            (ScopeKind::Firm, "max_day_loss", money(50_000_000)),
            (ScopeKind::Account, "max_order_notional", money(20_000_000)),
            (ScopeKind::Account, "max_gross_notional", money(50_000_000)),
            (ScopeKind::Account, "max_day_loss", money(10_000_000)),
            (ScopeKind::Router, "message_rate", 50),
            (ScopeKind::Router, "max_unacknowledged_age", i128::MAX),
            (ScopeKind::Router, "max_rejects", 100_000),
            (ScopeKind::Router, "max_turnover_window", money(30_000_000)),
            (ScopeKind::Router, "parent_overfill_halt_after", 3),
            (ScopeKind::Router, "max_excess_leaving_bps", i128::MAX),
            (ScopeKind::Account, "max_excess_leaving_bps", i128::MAX),
            (ScopeKind::Symbol, "max_order_qty", 1_500),
            (ScopeKind::Symbol, "price_collar_bps", 1_000),
            (ScopeKind::Symbol, "market_data_max_age", 5_000_000_000),
            (ScopeKind::Symbol, "fx_rate_max_age", 5_000_000_000),
            (ScopeKind::AccountSymbol, "max_long_position", 5_000),
            (ScopeKind::AccountSymbol, "max_short_position", 5_000),
        ] {
            let target =
                if kind == ScopeKind::Firm { LimitTarget::Scope(Scope::Firm) } else { LimitTarget::Default(kind) };
            let event = Event::SetLimit {
                target,
                limit: limit(name),
                setting: Some(Setting::of(limit(name), value)),
                principal: "test".into(),
            };
            assert_eq!(world.apply(event), Outcome::Applied, "{name}");
        }
        for (n, side) in [Side::Buy, Side::Sell, Side::Buy].into_iter().enumerate() {
            world.apply(Event::ParentOpen {
                name: ClOrdId::from_number(n as u64),
                account: AccountId(0),
                symbol: SymbolId(0),
                side,
                qty: Qty(2_500),
            });
        }
        world.apply(Event::VenueUp);
        world.set_up = world.records.len();
        world
    }

    fn rates(&mut self, rates: [i64; 2]) {
        for (n, rate) in rates.into_iter().enumerate() {
            let currency = CurrencyId(n as u32);
            assert_eq!(Outcome::Applied, self.apply(Event::FxRate { currency, rate: Rate(rate) }));
        }
    }

    /// After a history; every other one at a venue that mitigates.
    pub fn after(steps: &[Step]) -> World {
        let mut world = World::at_venue(steps.len() % 2 == 1);
        for step in steps {
            world.step(step);
        }
        world
    }

    /// Another engine that was told the same, and at one place something else as well.
    pub fn told_again(&self, at: usize, mut more: impl FnMut(&mut Engine)) -> Engine {
        let mut again = Engine::new(&config(self.mitigates));
        for (n, bytes) in self.records.iter().enumerate() {
            if n == at {
                more(&mut again);
            }
            let record = record::decode(bytes).unwrap();
            let outcome = again.apply(record.time, &record.event);
            assert_eq!(record::decision_of(&outcome), record.decision, "{:?}", record.event);
        }
        again
    }

    /// The order of such a step, under an id of its own.
    pub fn new_order(&mut self, step: &Step) -> NewOrder {
        let Step::Order { router, account, symbol, parent, side, qty, price } = *step else { panic!("{step:?}") };
        NewOrder {
            router: RouterId(router),
            client_seq: 0,
            cl_ord_id: self.next_id(),
            account: Ref::Known(AccountId(account)),
            symbol: Ref::Known(SymbolId(symbol)),
            strategy: Ref::Absent,
            parent: parent.map_or(Ref::Absent, |n| Ref::Known(ParentId(n))),
            side,
            ord_type: if price.is_some() { OrdType::Limit } else { OrdType::Market },
            tif: TimeInForce::Day,
            qty: Qty(qty),
            price: price.map(Price),
            flags: 0,
        }
    }

    pub fn apply(&mut self, event: Event) -> Outcome {
        let outcome = self.engine.apply(Nanos(self.now), &event);
        let mut bytes = Vec::new();
        let seq = self.records.len() as u64 + 1;
        record::encode(seq, Nanos(self.now), record::decision_of(&outcome), &event, &mut bytes);
        self.records.push(bytes);
        outcome
    }

    fn pick(&self, n: usize) -> Option<OrderId> {
        (!self.orders.is_empty()).then(|| self.orders[n % self.orders.len()])
    }

    pub fn next_id(&mut self) -> ClOrdId {
        self.ids += 1;
        ClOrdId::from_number(self.ids)
    }

    /// Takes a step, and looks whether what must hold does.
    pub fn step(&mut self, step: &Step) {
        let states = self.states();
        match *step {
            Step::Order { .. } => {
                let books = self.engine.state().books.clone();
                let order = self.new_order(step);
                match self.apply(Event::NewOrder(order)) {
                    Outcome::Accepted(id) => {
                        self.orders.push(id);
                        self.within_limits(id);
                    }
                    Outcome::Rejected(_) => {
                        assert_eq!(self.engine.state().books[..books.len()], books[..], "a refused order left a trace");
                    }
                    other => panic!("{other:?}"),
                }
                let again = self.apply(Event::NewOrder(order));
                let accepted = self.engine.find_order(order.router, order.cl_ord_id).is_some();
                assert_eq!(matches!(again, Outcome::Duplicate(_)), accepted, "{again:?}");
            }
            Step::Replace { order, qty, price } => {
                let Some(id) = self.pick(order) else { return };
                let order = self.engine.order(id).unwrap();
                let (router, orig_cl_ord_id) = (order.router, order.cl_ord_id);
                let cl_ord_id = self.next_id();
                let (qty, price) = (Qty(qty), Some(Price(price)));
                self.apply(Event::Replace(Replace { router, client_seq: 0, cl_ord_id, orig_cl_ord_id, qty, price }));
            }
            Step::Cancel { order } => {
                let Some(id) = self.pick(order) else { return };
                let order = self.engine.order(id).unwrap();
                let open = order.is_open();
                let cancel =
                    Cancel { router: order.router, client_seq: 0, orig_cl_ord_id: order.cl_ord_id, lane: false };
                let reserved = order.reserved;
                let outcome = self.apply(Event::Cancel(cancel));
                assert_eq!(outcome == Outcome::CancelAccepted(id), open, "a cancel of an open order passes");
                assert_eq!(self.engine.order(id).unwrap().reserved, reserved, "a cancel releases nothing by itself");
            }
            Step::Report { order, kind } => {
                let Some(id) = self.pick(order) else { return };
                let cum = self.engine.order(id).unwrap().cum;
                self.apply(Event::Report(Report { venue_seq: 0, order: id, exec_id: 0, instrument: None, kind }));
                let taken_back = matches!(kind, ReportKind::TradeCancel { .. } | ReportKind::TradeCorrect { .. });
                assert!(self.engine.order(id).unwrap().cum >= cum || taken_back, "a fill was forgotten");
            }
            Step::Tick { symbol, bid, spread } => {
                let (bid, ask) = (bid * UNIT / 100, (bid + spread) * UNIT / 100);
                self.apply(Event::Tick { symbol: SymbolId(symbol), bid: Price(bid), ask: Price(ask) });
            }
            Step::Rate { .. } if self.quoted != Quoted::Abroad => {}
            Step::Rate { currency, rate } => {
                let turnover = |world: &World| world.engine.state().books[ScopeIx::FIRM.at()].turnover();
                let before = turnover(self);
                self.apply(Event::FxRate { currency: CurrencyId(currency), rate: Rate(rate) });
                assert_eq!(turnover(self), before, "a rate changes nothing that was reserved or executed");
            }
            Step::Wait { ms } => {
                self.now += ms * 1_000_000;
                if self.quoted == Quoted::AtOne {
                    self.rates([UNIT, UNIT]);
                }
                self.apply(Event::Timer);
            }
            Step::VenueDown => {
                let reserved = self.reserved();
                self.apply(Event::VenueDown);
                assert_eq!(self.reserved(), reserved, "a lost link releases nothing");
            }
            Step::VenueUp { fenced } => {
                self.apply(Event::VenueUp);
                let last_client_seq_processed = self.engine.state().venue.last_client_seq / 2;
                self.apply(Event::MassStatusEnd(MassStatusEnd { last_client_seq_processed, complete: true, fenced }));
            }
            Step::Halt { router, state } => {
                let (principal, text) = ("alice".into(), String::new());
                self.apply(Event::Halt { scope: Scope::Router(RouterId(router)), state, principal, text });
            }
            Step::Limit { account, value } => {
                let target = LimitTarget::Scope(Scope::AccountSymbol(AccountId(account), SymbolId(0)));
                let limit = limit("max_long_position");
                let setting = Some(Setting::of(limit, value.into()));
                self.apply(Event::SetLimit { target, limit, setting, principal: "alice".into() });
            }
            Step::Phase { symbol, phase } => {
                self.apply(Event::Phase { symbol: Some(SymbolId(symbol)), phase: Some(phase) });
            }
            Step::RegSho { symbol } => {
                let rules = Rules { reg_sho: true, ..Rules::default() };
                self.apply(Event::SymbolRules { symbol: SymbolId(symbol), rules });
                self.apply(Event::ShortSale { symbol: SymbolId(symbol), restriction: ShortSale::Free });
            }
            Step::Quarantine { router } => {
                let (router, build) = (RouterId(router), String::new());
                let attested = Attested { router, build, runs: [0; 32], known_flags: 0, quarantined: true };
                self.apply(Event::Attested(attested));
            }
        }
        self.quantities_add_up();
        for (before, now) in states.iter().zip(self.states()) {
            assert!(now >= *before, "a halt was lifted without people");
        }
        self.books_agree();
    }

    /// Filled, open and released are all of an order: nothing is released while it is open, and nothing kept afterwards.
    fn quantities_add_up(&self) {
        for order in self.orders.iter().map(|id| self.engine.order(*id).unwrap()) {
            let pending = self.engine.state().orders.pending_replace(order.id).map(|pending| pending.qty);
            let leaves = (order.qty.0 - order.cum.0).max(0);
            let filled = if self.mitigates { order.cum.0 } else { 0 };
            let asked = pending.map_or(0, |qty| qty.0.saturating_sub(filled));
            let expected = if order.is_open() { leaves.max(asked) } else { 0 };
            assert_eq!(order.reserved.0, expected, "{order:?}");
            assert!(order.is_open() || pending.is_none(), "{order:?}");
        }
    }

    pub fn states(&self) -> Vec<State> {
        (0..self.engine.state().scopes.len() as u32).map(|ix| self.engine.state().halts.state(ScopeIx(ix))).collect()
    }

    fn reserved(&self) -> i128 {
        self.orders.iter().map(|id| i128::from(self.engine.order(*id).unwrap().reserved.0)).sum()
    }

    /// If everything open filled now, in the worst sequence, no limit of the order's side would be exceeded.
    fn within_limits(&self, id: OrderId) {
        let state = self.engine.state();
        let order = self.engine.order(id).unwrap();
        let cell = order.touched.account_symbol();
        let book = &state.books[cell.at()];
        let (value, limit) = if order.side.is_buy() {
            (book.worst_long(), limit("max_long_position"))
        } else {
            (-book.worst_short(), limit("max_short_position"))
        };
        assert!(value <= state.limits.at(cell).get(limit).unwrap());
        if let Some(parent) = order.parent {
            assert!(state.parents.get(parent).unwrap().headroom() >= 0, "excess child");
        }
    }

    /// What a router's orders ask for, and the quantity of every parent it has sent one for.
    fn left_and_entered(&self, router: RouterId) -> (i128, i128) {
        let orders =
            || self.orders.iter().map(|id| self.engine.order(*id).unwrap()).filter(|order| order.router == router);
        let asked = |order: &Order| {
            let pending = self.engine.state().orders.pending_replace(order.id).map_or(Qty::ZERO, |pending| pending.qty);
            if order.is_open() { order.qty.max(pending) } else { order.cum.min(order.qty) }
        };
        let parents: BTreeSet<u32> = orders().filter_map(|order| order.parent).map(|parent| parent.0).collect();
        let entered = parents.iter().map(|n| i128::from(self.engine.state().parents.get(ParentId(*n)).unwrap().qty.0));
        (orders().map(|order| i128::from(asked(order).0)).sum(), entered.sum())
    }

    /// Every book equals the plain sum over the orders it belongs to.
    pub fn books_agree(&self) {
        let state = self.engine.state();
        for (ix, scope) in state.scopes.iter() {
            let book = &state.books[ix.at()];
            let is_cell = matches!(scope, Scope::Symbol(_) | Scope::AccountSymbol(..) | Scope::RouterSymbol(..));
            let (mut buy, mut sell, mut notional, mut open, mut position) = (0, 0, 0, 0, 0);
            for order in self.orders.iter().map(|id| self.engine.order(*id).unwrap()) {
                if !order.touched.iter().any(|touched| touched == ix) {
                    continue;
                }
                let open_quantity = if order.side.is_buy() { &mut buy } else { &mut sell };
                *open_quantity += order.reserved.0;
                notional += state.notional(order.symbol, order.px_risk, order.reserved, order.fx_risk).unwrap().0;
                open += u32::from(order.is_open());
                position += i128::from(order.cum.0) * i128::from(order.side.sign());
            }
            assert_eq!((book.open_notional, book.open_orders), (notional, open), "{scope:?}");
            if is_cell {
                let actual = (book.open_buy, book.open_sell, i128::from(book.position));
                assert_eq!(actual, (buy, sell, position), "{scope:?}");
            }
        }
        let sum = |of: fn(Scope) -> bool| -> (i128, i128) {
            let cells = state.scopes.iter().filter(|(_, scope)| of(*scope)).map(|(ix, _)| &state.books[ix.at()]);
            cells.fold((0, 0), |(pnl, gross), book| (pnl + book.pnl, gross + book.gross))
        };
        let firm = &state.books[ScopeIx::FIRM.at()];
        assert_eq!((firm.pnl, firm.gross), sum(|scope| matches!(scope, Scope::AccountSymbol(..))));
        for router in (0..3).map(RouterId) {
            let ix = state.scopes.find(Scope::Router(router)).unwrap();
            assert_eq!(
                self.engine.checks().leaving.quantities(ix, state),
                Some(self.left_and_entered(router)),
                "{router:?}"
            );
        }
        for scope in [Scope::Firm, Scope::Router(RouterId(0)), Scope::Router(RouterId(1)), Scope::Router(RouterId(2))] {
            let ix = state.scopes.find(scope).unwrap();
            let waits = |order: &&Order| order.status == Status::PendingNew && order.touched.iter().any(|at| at == ix);
            let waiting = self.orders.iter().map(|id| self.engine.order(*id).unwrap()).filter(waits).count();
            let counted = self.engine.checks().unacknowledged.used(limit("max_unacknowledged"), ix, state);
            assert_eq!(counted, Some(waiting as i128), "{scope:?}");
        }
        // All parents are of account A.
        let asked = self.orders.iter().map(|id| self.engine.order(*id).unwrap()).filter(|order| order.account.0 == 0);
        let (left, entered) = (asked.map(|order| i128::from(order.asked.0)).sum::<i128>(), 3 * 2_500);
        let ix = state.scopes.find(Scope::Account(AccountId(0))).unwrap();
        assert_eq!(self.engine.checks().leaving.quantities(ix, state), Some((left, entered)));
        for parent in 0..3 {
            let children = |id: &&OrderId| self.engine.order(**id).unwrap().parent == Some(ParentId(parent));
            let leaves: i64 =
                self.orders.iter().filter(children).map(|id| self.engine.order(*id).unwrap().reserved.0).sum();
            assert_eq!(state.parents.get(ParentId(parent)).unwrap().leaves.0, leaves);
        }
    }
}

/// Of the small firm.
pub fn config(in_flight_mitigation: bool) -> EngineConfig {
    EngineConfig { max_orders: 4_096, max_pairs: 64, max_parents: 16, in_flight_mitigation, ..EngineConfig::default() }
}
