//! More limits, or tighter ones, never let more through; and those on trial change nothing.

use proptest::prelude::*;
use riskcore::checks::{LIMIT_COUNT, id};
use riskcore::events::Event;
use riskcore::ids::{AccountId, RouterId, SymbolId};
use riskcore::limits::{Action, Judges, LimitId, LimitTarget, Setting};
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::units::UNIT;
use riskcore::{Engine, Outcome};

use crate::halts::{halt, scope, state};
use crate::world::{Step, World, order, step};

/// A setting of any limit, anywhere.
#[derive(Clone, Debug)]
struct Change {
    target: LimitTarget,
    limit: LimitId,
    setting: Option<Setting>,
}

impl Change {
    fn event(&self) -> Event {
        let Change { target, limit, setting } = *self;
        Event::SetLimit { target, limit, setting, principal: "alice".into() }
    }

    /// The same on trial.
    fn on_trial(self, action: Action) -> Change {
        Change { setting: self.setting.map(|setting| Setting { action, soft: false, ..setting }), ..self }
    }
}

fn target(kind: ScopeKind, n: u32, of_all: bool) -> LimitTarget {
    let (account, router, symbol) = (AccountId(n % 2), RouterId(n % 3), SymbolId(n / 3 % 2));
    let scope = match kind {
        ScopeKind::Firm => Scope::Firm,
        ScopeKind::Account => Scope::Account(account),
        ScopeKind::Router => Scope::Router(router),
        ScopeKind::Symbol => Scope::Symbol(symbol),
        ScopeKind::AccountSymbol => Scope::AccountSymbol(account, symbol),
        ScopeKind::RouterSymbol => Scope::RouterSymbol(router, symbol),
        // There are no strategies here.
        ScopeKind::Strategy => return LimitTarget::Default(kind),
    };
    if of_all { LimitTarget::Default(kind) } else { LimitTarget::Scope(scope) }
}

fn value() -> impl Strategy<Value = i128> {
    prop_oneof![
        0..5_i128,
        0..5_000_i128,
        (0..50_000_000_i128).prop_map(|units| units * i128::from(UNIT)),
        Just(i128::MAX),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let action = proptest::sample::select(Action::ALL.as_slice());
    (0..LIMIT_COUNT, 0..7_usize, any::<u32>(), any::<bool>(), value(), action, 0..8_u8, any::<bool>()).prop_map(
        |(n, kind, which, of_all, value, action, removed, soft)| {
            let limit = LimitId(n as u16);
            let def = limit.def();
            let kinds: Vec<_> = ScopeKind::ALL.into_iter().filter(|kind| def.settable_at & kind.bit() != 0).collect();
            let setting = Setting {
                value: value.max(def.min),
                action: if def.allows(action) { action } else { def.action },
                soft: soft && def.judges == Judges::Orders,
            };
            let target = target(kinds[kind % kinds.len()], which, of_all);
            Change { target, limit, setting: (removed > 0).then_some(setting) }
        },
    )
}

/// A market order is valued at its collar: a tighter one makes it worth less.
fn values_market_orders(change: &Change) -> bool {
    [id::PRICE_COLLAR_BPS, id::PRICE_COLLAR_AUCTION_BPS].contains(&change.limit)
}

/// Whether nothing is set there yet: what is set at a scope takes the place of its kind's default.
fn is_new(engine: &Engine, change: &Change) -> bool {
    engine.setting_at(change.target, change.limit).is_none()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever one person may change alone - a further limit, a tighter one, a removal, another action, a halt - no order that
    /// was refused before passes after it.
    #[test]
    fn one_person_turns_no_refusal_into_a_pass(
        steps in proptest::collection::vec(step(), 1..60),
        changes in proptest::collection::vec(change(), 1..6),
        halts in proptest::collection::vec((scope(), state()), 0..2),
        asks in proptest::collection::vec(order(), 1..20),
    ) {
        let mut world = World::after(&steps);
        let end = world.records.len();
        let mut changed = world.told_again(end, |_| {});
        for change in &changes {
            let outcome = changed.apply(riskcore::units::Nanos(world.now), &change.event());
            prop_assert!(matches!(outcome, Outcome::Applied | Outcome::Refused(_)));
        }
        for (scope, state) in &halts {
            halt(&mut changed, *scope, *state);
        }
        for ask in &asks {
            let ask = world.new_order(ask);
            if ask.price.is_none() && changes.iter().any(values_market_orders) {
                continue;
            }
            if let Some(refusal) = world.engine.explain(&ask).refusal {
                prop_assert!(changed.explain(&ask).refusal.is_some(), "{refusal:?} before, passes after {changes:?}");
            }
        }
    }

    /// Limits on trial, any number of them anywhere from the start on, change no decision and halt nothing.
    #[test]
    fn limits_on_trial_change_no_decision(
        steps in proptest::collection::vec(step(), 1..80),
        changes in proptest::collection::vec((change(), any::<bool>()), 1..12),
    ) {
        let world = World::after(&steps);

        let tried = world.told_again(world.set_up, |engine| {
            for (change, told) in &changes {
                let change = change.clone().on_trial(if *told { Action::Notify } else { Action::Shadow });
                if change.limit.def().judges != Judges::Nothing && is_new(engine, &change) {
                    engine.apply(engine.state().now, &change.event());
                }
            }
        });

        for (ix, scope) in world.engine.state().scopes.iter() {
            let there = tried.state().scopes.find(scope).unwrap();
            prop_assert_eq!(world.engine.state().halts.state(ix), tried.state().halts.state(there), "{:?}", scope);
            prop_assert_eq!(&world.engine.state().books[ix.at()], &tried.state().books[there.at()], "{:?}", scope);
        }
    }

    /// What was counted before a limit is set again, tighter, still counts: the same order meets it at once.
    #[test]
    fn a_limit_that_is_tightened_to_what_is_used_refuses_the_next_order(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::after(&steps);
        for name in ["max_turnover_window", "max_turnover_day"] {
            let (limit, router) = (crate::world::limit(name), Scope::Router(RouterId(0)));
            let scope = if name == "max_turnover_day" { Scope::Firm } else { router };
            let ix = world.engine.state().scopes.find(scope).unwrap();
            let used = world.engine.checks().used(limit, ix, world.engine.state()).unwrap();
            let setting = Some(Setting { action: Action::Reject, ..Setting::of(limit, used) });
            let target = LimitTarget::Scope(scope);
            let outcome = world.apply(Event::SetLimit { target, limit, setting, principal: "alice".into() });

            let refused = matches!(outcome, Outcome::Refused(_));
            prop_assert_eq!(refused, world.engine.loosens(target, limit, setting));
            prop_assert_eq!(world.engine.checks().used(limit, ix, world.engine.state()), Some(used));
        }
        let step = Step::Order {
            router: 0, account: 1, symbol: 0, parent: None, side: riskcore::events::Side::Buy, qty: 1, price: Some(90 * UNIT),
        };
        let ask = world.new_order(&step);
        let applied = world.engine.state().limits.at(world.engine.state().scopes.find(Scope::Firm).unwrap());
        if applied.action(id::MAX_TURNOVER_DAY) == Action::Reject {
            prop_assert!(world.engine.explain(&ask).refusal.is_some());
        }
    }
}
