//! Wall clock: every event by itself, cases and worlds in turn.

use std::hint::black_box;

use riskcore::Outcome;
use riskcore::events::Event;
use riskcore_bench::cases::{self, Batch, CASES, Case, HALT_AT, answer};
use riskcore_bench::firm::Limits;
use riskcore_bench::rejects::{self, Refusal};
use riskcore_bench::series::{Round, Series};
use riskcore_bench::world::{Size, World};

pub struct Plan {
    pub rounds: usize,
    pub batch: usize,
    pub cases: Vec<String>,
    pub orders: Vec<usize>,
    pub symbols: Vec<u32>,
    pub routers: Vec<u32>,
}

impl Plan {
    /// The first of each list together, then the others of each by itself.
    fn sizes(&self) -> Vec<Size> {
        let first = Size { orders: self.orders[0], symbols: self.symbols[0], routers: self.routers[0] };
        let orders = self.orders[1..].iter().map(|orders| Size { orders: *orders, ..first });
        let symbols = self.symbols[1..].iter().map(|symbols| Size { symbols: *symbols, ..first });
        let routers = self.routers[1..].iter().map(|routers| Size { routers: *routers, ..first });
        std::iter::once(first).chain(orders).chain(symbols).chain(routers).collect()
    }

    fn has(&self, case: &str) -> bool {
        self.cases.iter().any(|name| name == case)
    }
}

/// What is measured in a row.
enum Work {
    Clock,
    Case(&'static Case),
    Refusal(Refusal),
}

struct Row {
    case: String,
    limits: &'static str,
    size: Size,
    world: usize,
    work: Work,
    series: Series,
}

pub fn run(plan: &Plan) -> Result<(), String> {
    let cases: Vec<&'static Case> = CASES.iter().filter(|case| plan.has(case.name)).collect();
    if cases.is_empty() && !plan.has(REFUSALS) {
        return Err("--cases names none that there is".into());
    }
    let mut worlds = Vec::new();
    let mut rows = Vec::new();
    let sizes = plan.sizes();
    let mut add = |case: &str, limits, size, world, work| {
        rows.push(Row { case: case.into(), limits, size, world, work, series: Series::default() });
    };
    add("clock", "", sizes[0], 0, Work::Clock);
    let all = sizes.iter().map(|size| (Limits::Usual, "usual", *size));
    for (n, (limits, name, size)) in all.chain([(Limits::Everywhere, "everywhere", sizes[0])]).enumerate() {
        let usual = limits == Limits::Usual;
        let here: Vec<_> = cases.iter().filter(|case| usual || case.name == "accept").collect();
        // Those that place orders; refusals take no room.
        let each = (plan.rounds + 1) * (plan.batch + 1);
        let mut world = World::before_the_day(limits, size, each * (here.len() + 1) + 1_024);
        let refusals = if n == 0 && plan.has(REFUSALS) { rejects::define(&mut world) } else { Vec::new() };
        world.open();
        rejects::begin(&refusals, &mut world);
        for refusal in refusals {
            add(&format!("reject: {}", refusal.name), name, size, n, Work::Refusal(refusal));
        }
        if here.iter().any(|case| case.name == HALT_AT) {
            world.halt();
        }
        for case in here {
            add(case.name, name, size, n, Work::Case(case));
        }
        worlds.push(world);
    }
    for round in 0..=plan.rounds {
        for row in &mut rows {
            let times = one(&row.work, &mut worlds[row.world], plan.batch)?;
            // The first round warms up.
            if round > 0 {
                row.series.add(&times);
            }
        }
    }
    print(&rows);
    Ok(())
}

/// Among the cases: every refusal of `rejects.rs`.
pub const REFUSALS: &str = "refusals";

fn one(work: &Work, world: &mut World, batch: usize) -> Result<Round, String> {
    let mut times = Round::default();
    let (prepared, expect) = match work {
        Work::Clock => {
            (0..batch).for_each(|_| times.time(|| ()));
            return Ok(times);
        }
        Work::Case(case) => ((case.prepare)(world, batch), case.expect),
        Work::Refusal(refusal) => (refused(refusal, world, batch), refusal.expect),
    };
    let mut accepted = Vec::new();
    for (time, event) in &prepared.events {
        let outcome = times.time(|| black_box(world.engine.apply(*time, black_box(event))));
        if answer(&outcome) != expect {
            return Err(format!("answered {}, not {expect}: {event:?}", answer(&outcome)));
        }
        if let Outcome::Accepted(id) = outcome {
            accepted.push(id);
        }
    }
    cases::settle(world, &prepared, &accepted);
    Ok(times)
}

fn refused(refusal: &Refusal, world: &mut World, batch: usize) -> Batch {
    let orders = (0..batch).map(|_| refusal.order(world));
    Batch { events: orders.map(|(time, order)| (time, Event::NewOrder(order))).collect(), ..Batch::default() }
}

fn print(rows: &[Row]) {
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "  {{\"case\": \"{}\", \"limits\": \"{}\", \"orders\": {}, \"symbols\": {}, \"routers\": {}, {}}}",
                row.case,
                row.limits,
                row.size.orders,
                row.size.symbols,
                row.size.routers,
                row.series.json(),
            )
        })
        .collect();
    println!("[\n{}\n]", lines.join(",\n"));
}
