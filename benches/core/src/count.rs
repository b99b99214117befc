//! Every case once, each in a function of its own name, for a profiler that counts instructions by function.

use std::hint::black_box;

use riskcore::events::Event;
use riskcore::units::Nanos;
use riskcore::{Engine, Outcome};

use riskcore_bench::cases::{self, CASES, HALT_AT, answer};
use riskcore_bench::firm::Limits;
use riskcore_bench::world::{Size, World};

/// Events per case; few enough for a profiler, enough for the tables' rare work to average out.
pub const EVENTS: usize = 1_000;

macro_rules! measured {
    ($($name:ident)+) => {
        /// One function per case: the profile shows them apart. The name keeps the compiler from merging them.
        mod measured {
            use super::{Engine, Event, Nanos, Outcome, black_box};
            $(
                #[inline(never)]
                pub fn $name(engine: &mut Engine, events: &[(Nanos, Event)], answers: &mut Vec<Outcome>) {
                    black_box(stringify!($name));
                    for (time, event) in events {
                        answers.push(engine.apply(*time, event));
                    }
                }
            )+
        }
        fn function_of(case: &str) -> Measured {
            match case {
                $(stringify!($name) => measured::$name,)+
                _ => panic!("{case} has no function here"),
            }
        }
    };
}

type Measured = fn(&mut Engine, &[(Nanos, Event)], &mut Vec<Outcome>);

measured! {
    accept reject_tick reject_parent reject_rate reject_qty reject_notional reject_collar reject_unknown
    duplicate ack fill canceled cancel tick reject_halted accept_beside_halt everywhere
}

pub fn run(size: Size) {
    let room = 4 * EVENTS * CASES.len();
    let mut world = World::new(Limits::Usual, size, room);
    for case in CASES {
        one(&mut world, case, case.name);
    }
    // Two builds that differ here have not done the same work.
    println!("hash {:016x}", world.engine.state_hash());
    let mut world = World::new(Limits::Everywhere, size, room);
    one(&mut world, &CASES[0], "everywhere");
    println!("hash {:016x}", world.engine.state_hash());
}

fn one(world: &mut World, case: &cases::Case, function: &str) {
    if case.name == HALT_AT {
        world.halt();
    }
    let warm = (case.prepare)(world, EVENTS);
    let mut answers = Vec::with_capacity(EVENTS);
    batch(world, case, warm, function_of("ack"), &mut answers, false);
    let batch_of = (case.prepare)(world, EVENTS);
    batch(world, case, batch_of, function_of(function), &mut answers, true);
}

fn batch(
    world: &mut World,
    case: &cases::Case,
    batch: cases::Batch,
    f: Measured,
    answers: &mut Vec<Outcome>,
    said: bool,
) {
    answers.clear();
    if said {
        f(&mut world.engine, &batch.events, answers);
    } else {
        for (time, event) in &batch.events {
            answers.push(world.engine.apply(*time, event));
        }
    }
    let mut accepted = Vec::new();
    for outcome in answers.iter() {
        assert_eq!(answer(outcome), case.expect, "{}", case.name);
        if let Outcome::Accepted(id) = outcome {
            accepted.push(*id);
        }
    }
    cases::settle(world, &batch, &accepted);
    if said {
        println!("{} {}", case.name, batch.events.len());
    }
}
