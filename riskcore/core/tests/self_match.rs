//! Whatever the history, an order of a self-match group passes exactly if no open order of the group, at a price it has or is
//! about to have, could trade with it. The heaps are compared with a plain look at every open order, before each step.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use riskcore::events::{
    Cancel, Event, Instrument, NameKind, NewOrder, OrdType, Replace, Report, ReportKind, Side, TimeInForce,
};
use riskcore::ids::{AccountId, ClOrdId, OrderId, Ref, RouterId, SymbolId};
use riskcore::limits::{LimitId, LimitTarget, Setting};
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::units::{Nanos, Price, Qty, UNIT};
use riskcore::{Engine, EngineConfig, Outcome};

const CENT: i64 = UNIT / 100;

/// One step of a history. Numbers are taken modulo what exists.
#[derive(Clone, Debug)]
enum Step {
    Order { account: u32, symbol: u32, sell: bool, cents: Option<i64>, immediate: bool },
    Replace { order: usize, qty: i64, cents: i64 },
    Cancel { order: usize },
    Report { order: usize, kind: ReportKind },
    Day,
}

fn step() -> impl Strategy<Value = Step> {
    let cents = || 9_990..10_010_i64;
    prop_oneof![
        10 => (0..3_u32, 0..2_u32, any::<bool>(), prop::option::weighted(0.9, cents()), prop::bool::weighted(0.1))
            .prop_map(|(account, symbol, sell, cents, immediate)| Step::Order { account, symbol, sell, cents, immediate }),
        4 => (any::<usize>(), 1..200_i64, cents()).prop_map(|(order, qty, cents)| Step::Replace { order, qty, cents }),
        2 => any::<usize>().prop_map(|order| Step::Cancel { order }),
        8 => (any::<usize>(), report()).prop_map(|(order, kind)| Step::Report { order, kind }),
        1 => Just(Step::Day),
    ]
}

fn report() -> impl Strategy<Value = ReportKind> {
    let trade = (1..120_i64).prop_map(|qty| ReportKind::Trade { qty: Qty(qty), price: Price(100 * UNIT) });
    prop_oneof![
        2 => Just(ReportKind::New),
        4 => trade,
        3 => Just(ReportKind::Canceled),
        1 => Just(ReportKind::Expired),
        3 => Just(ReportKind::Replaced),
        2 => Just(ReportKind::ReplaceRejected),
        1 => Just(ReportKind::CancelRejected),
    ]
}

fn rests(tif: TimeInForce) -> bool {
    !matches!(tif, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill)
}

/// Accounts 0 and 1 are of one group, account 2 of none.
struct World {
    engine: Engine,
    now: i64,
    ids: u64,
    venue_seq: u64,
    orders: Vec<OrderId>,
    day: u32,
    passed: usize,
    refused: usize,
}

impl World {
    fn new() -> World {
        let config = EngineConfig { max_orders: 1_000, max_pairs: 64, max_parents: 1, ..EngineConfig::default() };
        let mut world = World {
            engine: Engine::new(&config),
            now: 0,
            ids: 0,
            venue_seq: 0,
            orders: Vec::new(),
            day: 19_700_101,
            passed: 0,
            refused: 0,
        };
        for n in 0..3_u32 {
            world.apply(Event::Define { kind: NameKind::Account, name: format!("A{n}") });
            world.apply(Event::ParentRequired { account: AccountId(n), required: false });
            if n < 2 {
                world.apply(Event::SelfMatchGroup { account: AccountId(n), group: Some(7) });
            }
        }
        world.apply(Event::Define { kind: NameKind::Router, name: "r".into() });
        for n in 0..2_u32 {
            world.apply(Event::Define { kind: NameKind::Symbol, name: format!("S{n}") });
            let instrument = Instrument { tick: Price(CENT), lot: Qty(1), multiplier: 1, currency: None };
            world.apply(Event::Instrument { symbol: SymbolId(n), instrument });
        }
        // What is required is set so that nothing is in the way.
        for (n, def) in riskcore::checks::LIMITS.iter().enumerate() {
            for kind in ScopeKind::ALL.into_iter().filter(|kind| def.required_at & kind.bit() != 0) {
                let target =
                    if kind == ScopeKind::Firm { LimitTarget::Scope(Scope::Firm) } else { LimitTarget::Default(kind) };
                let value = match def.name {
                    "message_rate" => 100_000,
                    "price_collar_bps" => 1_000,
                    _ => i128::from(i64::MAX),
                };
                let (limit, principal) = (LimitId(n as u16), "test".into());
                world.apply(Event::SetLimit { target, limit, setting: Some(Setting::of(limit, value)), principal });
            }
        }
        world.apply(Event::VenueUp);
        world.quote();
        world
    }

    fn quote(&mut self) {
        for symbol in (0..2).map(SymbolId) {
            self.apply(Event::Tick { symbol, bid: Price(100 * UNIT), ask: Price(100 * UNIT + CENT) });
        }
    }

    fn apply(&mut self, event: Event) -> Outcome {
        self.now += 1_000;
        self.engine.apply(Nanos(self.now), &event)
    }

    /// Whether an order could trade with an open one of the group.
    fn would_meet(&self, account: AccountId, symbol: SymbolId, side: Side, price: Option<Price>) -> bool {
        if account.0 == 2 {
            return false;
        }
        let orders = &self.engine.state().orders;
        orders.iter().filter(|other| other.is_open() && rests(other.tif)).any(|other| {
            let concerned = other.account.0 < 2 && other.symbol == symbol && other.side.is_buy() != side.is_buy();
            let pending = orders.pending_replace(other.id).map(|pending| pending.price);
            let crosses = |theirs: Option<Price>| match (price, theirs) {
                (Some(ours), Some(theirs)) if side.is_buy() => ours >= theirs,
                (Some(ours), Some(theirs)) => ours <= theirs,
                _ => true,
            };
            concerned && (crosses(other.price) || pending.is_some_and(crosses))
        })
    }

    fn order(&mut self, account: u32, symbol: u32, sell: bool, cents: Option<i64>, immediate: bool) {
        self.ids += 1;
        let order = NewOrder {
            router: RouterId(0),
            client_seq: self.ids,
            cl_ord_id: ClOrdId::from_number(self.ids),
            account: Ref::Known(AccountId(account)),
            symbol: Ref::Known(SymbolId(symbol)),
            strategy: Ref::Absent,
            parent: Ref::Absent,
            side: if sell { Side::Sell } else { Side::Buy },
            ord_type: if cents.is_some() { OrdType::Limit } else { OrdType::Market },
            tif: if immediate { TimeInForce::ImmediateOrCancel } else { TimeInForce::GoodTillCancel },
            qty: Qty(100),
            price: cents.map(|cents| Price(cents * CENT)),
            flags: 0,
        };
        let meets = self.would_meet(AccountId(account), SymbolId(symbol), order.side, order.price);
        let outcome = self.apply(Event::NewOrder(order));
        self.compare(meets, &outcome);
        if let Outcome::Accepted(id) = outcome {
            self.orders.push(id);
        }
    }

    fn replace(&mut self, order: usize, qty: i64, cents: i64) {
        // An order that never rests has not kept others away, and one that only makes it smaller is not asked.
        let Some(known) = self.chosen(order).filter(|known| rests(known.tif)) else { return };
        let (symbol, side, account, orig_cl_ord_id) = (known.symbol, known.side, known.account, known.cl_ord_id);
        self.ids += 1;
        let price = Some(Price(cents * CENT));
        let meets = self.would_meet(account, symbol, side, price);
        let outcome = self.apply(Event::Replace(Replace {
            router: RouterId(0),
            client_seq: self.ids,
            cl_ord_id: ClOrdId::from_number(self.ids),
            orig_cl_ord_id,
            qty: Qty(qty),
            price,
        }));
        self.compare(meets, &outcome);
    }

    fn chosen(&self, order: usize) -> Option<&riskcore::orders::Order> {
        let id = self.orders.get(order.checked_rem(self.orders.len())?)?;
        self.engine.order(*id)
    }

    /// Other reasons come before or after; this one only where it is true.
    fn compare(&mut self, meets: bool, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted(_) | Outcome::ReplaceAccepted(_) => {
                assert!(!meets, "accepted, though it meets an own order");
                self.passed += 1;
            }
            Outcome::Rejected(reject) | Outcome::ReplaceRejected(_, _, Some(reject)) => {
                let refused = reject.reason.name == "SELF_MATCH";
                assert!(meets || !refused, "refused, though no own order is in the way");
                self.refused += usize::from(refused);
            }
            _ => {}
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Order { account, symbol, sell, cents, immediate } => {
                self.order(account, symbol, sell, cents, immediate);
            }
            Step::Replace { order, qty, cents } => self.replace(order, qty, cents),
            Step::Cancel { order } => {
                let Some(orig_cl_ord_id) = self.chosen(order).map(|order| order.cl_ord_id) else { return };
                self.apply(Event::Cancel(Cancel { router: RouterId(0), client_seq: 0, orig_cl_ord_id, lane: true }));
            }
            Step::Report { order, kind } => {
                let Some(order) = self.chosen(order).map(|order| order.id) else { return };
                let answers = matches!(kind, ReportKind::Replaced | ReportKind::ReplaceRejected);
                // A venue that makes no sense stops the account: another test's business.
                if answers && self.engine.state().orders.pending_replace(order).is_none() {
                    return;
                }
                self.venue_seq += 1;
                let (venue_seq, exec_id) = (self.venue_seq, self.venue_seq);
                self.apply(Event::Report(Report { venue_seq, order, exec_id, instrument: None, kind }));
            }
            Step::Day => {
                self.day += 1;
                self.apply(Event::DayRoll { date: self.day });
                self.quote();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_order_passes_exactly_if_no_own_order_is_in_its_way(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        // A history that decides nothing says nothing.
        let orders = steps.iter().filter(|step| matches!(step, Step::Order { .. })).count();
        prop_assert!(world.passed + world.refused >= orders / 2);
    }
}
