//! How often a decision asks the allocator for memory once the tables are warm: every case and every refusal, with every
//! check on. Prints a line of JSON for each; a process of its own, so that counting slows no other measurement down.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use riskcore::events::Event;
use riskcore_bench::cases::{self, Batch, CASES, HALT_AT, answer};
use riskcore_bench::firm::Limits;
use riskcore_bench::rejects;
use riskcore_bench::world::{Size, World};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting what is asked of it. There is one thread.
struct Counting;

// SAFETY: every call is handed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const BATCH: usize = 1_000;
const SIZE: Size = Size { orders: 1_000, symbols: 8, routers: 2 };

fn main() {
    let mut world = World::before_the_day(Limits::Usual, SIZE, 8 * BATCH * CASES.len());
    let refusals = rejects::define(&mut world);
    world.open();
    rejects::begin(&refusals, &mut world);
    for case in CASES {
        if case.name == HALT_AT {
            world.halt();
        }
        counted(&mut world, case.name, case.expect, case.prepare);
    }
    for refusal in &refusals {
        let prepare = |world: &mut World, n| {
            let orders = (0..n).map(|_| refusal.order(world));
            Batch { events: orders.map(|(time, order)| (time, Event::NewOrder(order))).collect(), ..Batch::default() }
        };
        counted(&mut world, &format!("reject: {}", refusal.name), refusal.expect, prepare);
    }
}

/// One batch to warm up, and one that is counted.
fn counted(world: &mut World, name: &str, expect: &str, prepare: impl Fn(&mut World, usize) -> Batch) {
    let mut allocations = 0;
    for _ in 0..2 {
        let batch = prepare(world, BATCH);
        let mut accepted = Vec::with_capacity(BATCH);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for (time, event) in &batch.events {
            let outcome = black_box(world.engine.apply(*time, black_box(event)));
            assert_eq!(answer(&outcome), expect, "{name}: {event:?}");
            if let riskcore::Outcome::Accepted(id) = outcome {
                accepted.push(id);
            }
        }
        allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        cases::settle(world, &batch, &accepted);
    }
    println!("{{\"case\": \"{name}\", \"events\": {BATCH}, \"allocations\": {allocations}}}");
}
