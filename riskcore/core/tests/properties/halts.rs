//! Halts only ever add up, and nothing keeps anybody from getting out.

use proptest::prelude::*;
use riskcore::events::{Cancel, Event, Replace, Side};
use riskcore::halts::State;
use riskcore::ids::{AccountId, RouterId, SymbolId};
use riskcore::orders::Order;
use riskcore::scopes::Scope;
use riskcore::units::Qty;
use riskcore::{Engine, Outcome};

use crate::world::{Step, World, step};

/// A scope of the small firm.
pub fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::Firm),
        (0..2_u32).prop_map(|n| Scope::Account(AccountId(n))),
        (0..3_u32).prop_map(|n| Scope::Router(RouterId(n))),
        (0..2_u32).prop_map(|n| Scope::Symbol(SymbolId(n))),
        (0..2_u32, 0..2_u32).prop_map(|(a, s)| Scope::AccountSymbol(AccountId(a), SymbolId(s))),
    ]
}

/// Any but `ACTIVE`.
pub fn state() -> impl Strategy<Value = State> {
    proptest::sample::select(&State::ALL[1..])
}

/// A person halts.
pub fn halt(engine: &mut Engine, scope: Scope, state: State) {
    let event = Event::Halt { scope, state, principal: "alice".into(), text: String::new() };
    engine.apply(engine.state().now, &event);
}

fn state_of(engine: &Engine, scope: Scope) -> State {
    engine.state().scopes.find(scope).map_or(State::Active, |ix| engine.state().halts.state(ix))
}

fn open_orders(world: &World) -> Vec<Order> {
    let orders = world.orders.iter().map(|id| world.engine.order(*id).unwrap());
    orders.filter(|order| order.is_open()).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The same halts in any order, any of them twice, end in the same states: the most severe that was asked for.
    #[test]
    fn halts_commute_and_repeat_without_effect(
        steps in proptest::collection::vec(step(), 1..40),
        halts in proptest::collection::vec((scope(), state()), 1..10),
        order in any::<prop::sample::Index>(),
    ) {
        let mut world = World::after(&steps);
        let before: Vec<State> = halts.iter().map(|(scope, _)| state_of(&world.engine, *scope)).collect();
        let mut other = world.told_again(0, |_| {});
        for (scope, state) in &halts {
            halt(&mut world.engine, *scope, *state);
        }
        let turned = order.index(halts.len());
        for (scope, state) in halts[turned..].iter().chain(&halts[..turned]).rev().chain(&halts[turned..]) {
            halt(&mut other, *scope, *state);
        }

        for ((scope, _), before) in halts.iter().zip(before) {
            let asked = halts.iter().filter(|(other, _)| other == scope).map(|(_, state)| *state);
            let expected = asked.max().unwrap().max(before);
            prop_assert_eq!(state_of(&world.engine, *scope), expected);
            prop_assert_eq!(state_of(&other, *scope), expected);
        }
    }

    /// Whatever is halted, every open order can be cancelled.
    #[test]
    fn cancels_pass_whatever_is_halted(
        steps in proptest::collection::vec(step(), 1..60),
        halts in proptest::collection::vec((scope(), state()), 0..4),
    ) {
        let mut world = World::after(&steps);
        for (scope, state) in &halts {
            halt(&mut world.engine, *scope, *state);
        }
        for order in open_orders(&world) {
            let cancel = Cancel { router: order.router, client_seq: 0, orig_cl_ord_id: order.cl_ord_id, lane: false };
            prop_assert_eq!(world.apply(Event::Cancel(cancel)), Outcome::CancelAccepted(order.id));
        }
    }

    /// While the firm may only reduce, every order that nobody is cancelling or replacing can be made smaller, if there is a
    /// venue to tell.
    #[test]
    fn reductions_pass_while_the_firm_may_only_reduce(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::after(&steps);
        halt(&mut world.engine, Scope::Firm, State::ReduceOnly);
        let state = world.engine.state();
        let reachable = state.venue.up && state.venue.reconciled;
        let is_free = |order: &Order| order.cancel_requested().is_none() && state.orders.pending_replace(order.id).is_none();
        let mut free = open_orders(&world);
        free.retain(|order| reachable && is_free(order) && order.price.is_some() && order.leaves().0 > 1);
        for order in free {
            let smaller = Replace {
                router: order.router,
                client_seq: 0,
                cl_ord_id: world.next_id(),
                orig_cl_ord_id: order.cl_ord_id,
                // What is left of it, and no more than that may be put on top of what has filled.
                qty: Qty(order.leaves().0 - 1),
                price: order.price,
            };
            prop_assert_eq!(world.apply(Event::Replace(smaller)), Outcome::ReplaceAccepted(order.id));
        }
    }

    /// An order that passes while its account may only reduce fits inside the opposite position, with all that is open on its
    /// side; and one that fits meets no bound of its account's own position, however far over it is.
    #[test]
    fn what_passes_reduce_only_reduces(
        steps in proptest::collection::vec(step(), 1..60),
        asks in proptest::collection::vec((0..2_u32, 0..2_u32, any::<bool>(), 1..3_000_i64), 1..20),
    ) {
        let mut world = World::after(&steps);
        for account in 0..2 {
            halt(&mut world.engine, Scope::Account(AccountId(account)), State::ReduceOnly);
        }
        for (account, symbol, buys, qty) in asks {
            let side = if buys { Side::Buy } else { Side::Sell };
            let (_, ask) = world.engine.state().markets[symbol as usize].touch().unwrap();
            let price = Some(ask.0);
            let order = world.new_order(&Step::Order { router: 0, account, symbol, parent: None, side, qty, price });
            let cell = world.engine.state().scopes.find(Scope::AccountSymbol(AccountId(account), SymbolId(symbol)));
            let book = cell.map(|ix| world.engine.state().books[ix.at()].clone()).unwrap_or_default();
            let (toward, open) = if buys { (-book.position, book.open_buy) } else { (book.position, book.open_sell) };
            let fits = toward > 0 && open + qty <= toward;
            let refusal = world.engine.explain(&order).refusal;
            prop_assert!(fits || refusal.is_some(), "passed though it does more than reduce");
            if let Some(refusal) = refusal.filter(|_| fits) {
                let position = ["REDUCE_ONLY", "POSITION_LIMIT", "GROSS_LIMIT"].contains(&refusal.reason.name);
                prop_assert!(!position, "{refusal:?} refused a pure reduction");
            }
        }
    }
}
