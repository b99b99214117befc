//! What must hold of builds, canaries and incidents after any history, told again by a plain model after each step; and
//! the records alone give the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use riskcore::checks::LIMITS;
use riskcore::events::{
    Attested, Change, Event, FleetRules, Instrument, NameKind, NewOrder, OrdType, Side, TimeInForce,
};
use riskcore::halts::State;
use riskcore::ids::{AccountId, ClOrdId, Ref, RouterId, SymbolId};
use riskcore::limits::{LimitId, LimitTarget, Setting};
use riskcore::outcome::{Outcome, Unit};
use riskcore::record;
use riskcore::scopes::{Scope, ScopeKind};
use riskcore::units::{Nanos, Price, Qty, UNIT};
use riskcore::{Engine, EngineConfig};

const ROUTERS: u32 = 4;

#[derive(Clone, Debug)]
enum Step {
    Attest {
        router: u32,
        build: u8,
        quarantined: bool,
    },
    /// A check halts it.
    Trip {
        router: u32,
    },
    HaltByHand {
        router: u32,
    },
    Reinstate {
        router: u32,
    },
    Promote {
        router: u32,
    },
    Close {
        router: u32,
    },
    DayRoll,
}

fn step() -> impl Strategy<Value = Step> {
    let router = || 0..ROUTERS;
    prop_oneof![
        6 => (router(), 0..3_u8, any::<bool>())
            .prop_map(|(router, build, quarantined)| Step::Attest { router, build, quarantined }),
        2 => router().prop_map(|router| Step::Trip { router }),
        1 => router().prop_map(|router| Step::HaltByHand { router }),
        3 => router().prop_map(|router| Step::Reinstate { router }),
        2 => router().prop_map(|router| Step::Promote { router }),
        1 => router().prop_map(|router| Step::Close { router }),
        1 => Just(Step::DayRoll),
    ]
}

#[derive(Clone, Default)]
struct Router {
    build: String,
    said: Option<(u8, bool)>,
    quarantined: bool,
    probation: bool,
    halted: bool,
    /// The build it ran when a check halted it.
    incident: Option<String>,
}

struct World {
    engine: Engine,
    now: i64,
    day: u32,
    model: Vec<Router>,
    rules: FleetRules,
    records: Vec<Vec<u8>>,
}

fn small() -> EngineConfig {
    EngineConfig { max_orders: 1 << 8, max_pairs: 1 << 4, max_parents: 1 << 4, ..EngineConfig::default() }
}

impl World {
    fn new(rules: FleetRules) -> World {
        let engine = Engine::new(&small());
        let model = vec![Router::default(); ROUTERS as usize];
        let mut world = World { engine, now: 0, day: 20_260_105, model, rules, records: Vec::new() };
        for n in 0..ROUTERS {
            world.apply(Event::Define { kind: NameKind::Router, name: format!("r{n}") });
        }
        world.apply(Event::Define { kind: NameKind::Account, name: "A".into() });
        world.apply(Event::ParentRequired { account: AccountId(0), required: false });
        world.apply(Event::Define { kind: NameKind::Symbol, name: "S".into() });
        let instrument = Instrument { tick: Price(1), lot: Qty(1), multiplier: 1, currency: None };
        world.apply(Event::Instrument { symbol: SymbolId(0), instrument });
        for def in LIMITS {
            for kind in ScopeKind::ALL.into_iter().filter(|kind| def.required_at & kind.bit() != 0) {
                world.limit(def.name, kind, if def.unit == Unit::Messages { 100_000 } else { 1 << 60 });
            }
        }
        world.limit("max_turnover_day", ScopeKind::Router, 0);
        world.limit("canary_max_order_qty", ScopeKind::Router, 1);
        world.apply(Event::VenueUp);
        world.apply(Event::Tick { symbol: SymbolId(0), bid: Price(UNIT), ask: Price(UNIT + 1) });
        world.apply(Event::FleetRules(rules));
        world
    }

    fn limit(&mut self, name: &str, kind: ScopeKind, value: i128) {
        let target = if kind == ScopeKind::Firm { LimitTarget::Scope(Scope::Firm) } else { LimitTarget::Default(kind) };
        let limit = LimitId::by_name(name).unwrap();
        let outcome = self.apply(Event::SetLimit {
            target,
            limit,
            setting: Some(Setting::of(limit, value)),
            principal: "config".into(),
        });
        assert_eq!(Outcome::Applied, outcome, "{name}");
    }

    fn apply(&mut self, event: Event) -> Outcome {
        self.now += 1;
        let outcome = self.engine.apply(Nanos(self.now), &event);
        let (mut bytes, seq) = (Vec::new(), self.records.len() as u64 + 1);
        record::encode(seq, Nanos(self.now), record::decision_of(&outcome), &event, &mut bytes);
        self.records.push(bytes);
        outcome
    }

    /// Two people; whether it was done.
    fn agree(&mut self, change: Change) -> bool {
        let Outcome::Proposed(proposal) =
            self.apply(Event::Propose { change, principal: "a".into(), text: "t".into() })
        else {
            return false;
        };
        self.apply(Event::Approve { proposal, principal: "b".into() }) == Outcome::Applied
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Attest { router, build, quarantined } => self.attest(router, build, quarantined),
            Step::Trip { router } => self.trip(router),
            Step::HaltByHand { router } => {
                let scope = Scope::Router(RouterId(router));
                self.apply(Event::Halt { scope, state: State::Halted, principal: "a".into(), text: "t".into() });
                self.model[router as usize].halted = true;
            }
            Step::Reinstate { router } => self.reinstate(router),
            Step::Promote { router } => {
                let done = self.agree(Change::Promote { router: RouterId(router) });
                let model = &mut self.model[router as usize];
                assert_eq!(model.quarantined || model.probation, done);
                (model.quarantined, model.probation) = (false, false);
            }
            Step::Close { router } => {
                let scope = Scope::Router(RouterId(router));
                let open = self.engine.state().fleet.incidents().iter().find(|incident| incident.scope == scope);
                let trip = open.map_or(u64::MAX, |incident| incident.trip);
                let done = self.agree(Change::CloseIncident { trip });
                assert_eq!(self.model[router as usize].incident.take().is_some(), done);
            }
            Step::DayRoll => {
                self.day += 1;
                self.apply(Event::DayRoll { date: self.day });
                for router in &mut self.model {
                    (router.probation, router.said) = (false, None);
                }
            }
        }
    }

    fn attest(&mut self, router: u32, build: u8, quarantined: bool) {
        let name = if build == 0 { String::new() } else { format!("b{build}") };
        let culprit = self.model.iter().enumerate().any(|(n, other)| {
            n as u32 != router && !name.is_empty() && other.incident.as_deref() == Some(name.as_str())
        });
        let attested = Attested {
            router: RouterId(router),
            build: name.clone(),
            runs: [build; 32],
            known_flags: u64::from(build),
            quarantined,
        };
        let outcome = self.apply(Event::Attested(attested));

        let refused = culprit && self.rules.quarantine_culprit;
        assert_eq!(!refused, outcome == Outcome::Applied, "{outcome:?}");
        if refused {
            return;
        }
        self.apply(Event::SessionUp { router: RouterId(router) });
        let model = &mut self.model[router as usize];
        let before = model.said.map(|(build, _)| build);
        if before != Some(build) {
            model.quarantined = quarantined;
        }
        model.halted |= before.is_some_and(|before| before != build) && self.rules.halt_on_change;
        (model.build, model.said) = (name, Some((build, quarantined)));
    }

    /// An order that no turnover is left for: the check halts its router, unless it is halted already.
    fn trip(&mut self, router: u32) {
        let order = NewOrder {
            router: RouterId(router),
            client_seq: 1,
            cl_ord_id: ClOrdId::from_number(self.now as u64),
            account: Ref::Known(AccountId(0)),
            symbol: Ref::Known(SymbolId(0)),
            strategy: Ref::Absent,
            parent: Ref::Absent,
            side: Side::Buy,
            ord_type: OrdType::Limit,
            tif: TimeInForce::Day,
            qty: Qty(1),
            price: Some(Price(UNIT)),
            flags: 0,
        };
        let outcome = self.apply(Event::NewOrder(order));
        let model = &mut self.model[router as usize];
        let reason = if model.halted { "HALTED" } else { "TURNOVER_LIMIT" };
        assert!(matches!(outcome, Outcome::Rejected(reject) if reject.reason.name == reason), "{outcome:?}");
        if !model.halted {
            model.halted = true;
            model.incident = Some(model.build.clone()).filter(|build| !build.is_empty());
        }
    }

    fn reinstate(&mut self, router: u32) {
        let scope = Scope::Router(RouterId(router));
        let state = self.engine.state();
        let trip = state.scopes.find(scope).map_or(0, |ix| state.halts.latch(ix).newest);
        let done = self.agree(Change::Reinstate { scope, trip });
        let model = &mut self.model[router as usize];
        assert_eq!(model.halted, done);
        if done {
            (model.halted, model.probation, model.incident) = (false, true, None);
        }
    }

    fn agrees(&self) {
        let state = self.engine.state();
        for (n, model) in self.model.iter().enumerate() {
            let router = RouterId(n as u32);
            let ix = state.scopes.find(Scope::Router(router)).unwrap();
            assert_eq!(model.halted, state.halts.state(ix) == State::Halted, "halted {n}");
            assert_eq!(model.quarantined || model.probation, state.fleet.on_canary(router), "canary {n}");
            assert_eq!(model.build, state.fleet.member(router).unwrap().build, "build {n}");
        }
        let canaries = self.model.iter().any(|model| model.quarantined || model.probation);
        assert_eq!(canaries, state.fleet.any_canary());
        let open = self.model.iter().filter(|model| model.incident.is_some()).count();
        assert_eq!(open, state.fleet.incidents().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn builds_canaries_and_incidents_are_as_the_model_tells(
        steps in proptest::collection::vec(step(), 1..60),
        quarantine_culprit in any::<bool>(),
        halt_on_change in any::<bool>(),
    ) {
        let mut world = World::new(FleetRules { quarantine_culprit, halt_on_change });
        for step in &steps {
            world.take(step);
            world.agrees();
        }

        let mut again = Engine::new(&small());
        for bytes in &world.records {
            let record = record::decode(bytes).unwrap();
            let outcome = again.apply(record.time, &record.event);
            prop_assert_eq!(record::decision_of(&outcome), record.decision);
        }
        prop_assert_eq!(again.state_hash(), world.engine.state_hash());
    }
}
