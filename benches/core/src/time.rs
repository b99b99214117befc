//! Wall clock: every event by itself, cases and worlds in turn.

use std::hint::black_box;
use std::time::Instant;

use hdrhistogram::Histogram;
use riskcore::Outcome;

use crate::cases::{self, CASES, Case, HALT_AT, answer};
use crate::firm::Limits;
use crate::world::{Size, World};

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
}

struct Row {
    case: &'static str,
    limits: &'static str,
    size: Size,
    world: usize,
    run: Option<&'static Case>,
    histogram: Histogram<u64>,
    /// The median of each round.
    medians: Vec<u64>,
}

impl Row {
    fn new(case: &'static str, limits: &'static str, size: Size, world: usize, run: Option<&'static Case>) -> Row {
        let histogram = Histogram::new_with_max(1_000_000_000, 3).expect("a histogram");
        Row { case, limits, size, world, run, histogram, medians: Vec::new() }
    }
}

pub fn run(plan: &Plan) -> Result<(), String> {
    let cases: Vec<&'static Case> =
        CASES.iter().filter(|case| plan.cases.iter().any(|name| name == case.name)).collect();
    if cases.is_empty() {
        return Err("--cases names none that there is".into());
    }
    let room = (plan.rounds + 1) * (2 * plan.batch + 2) * (cases.len() + 1);
    let sizes = plan.sizes();
    let mut worlds = Vec::new();
    let mut rows = vec![Row::new("clock", "", sizes[0], 0, None)];
    let all = sizes.iter().map(|size| (Limits::Usual, "usual", *size));
    for (limits, name, size) in all.chain([(Limits::Everywhere, "everywhere", sizes[0])]) {
        let mut world = World::new(limits, size, room);
        if cases.iter().any(|case| case.name == HALT_AT) {
            world.halt();
        }
        for case in cases.iter().filter(|case| limits == Limits::Usual || case.name == "accept") {
            rows.push(Row::new(case.name, name, size, worlds.len(), Some(*case)));
        }
        worlds.push(world);
    }
    for round in 0..=plan.rounds {
        for row in &mut rows {
            // The first round warms up.
            one(row, &mut worlds, plan.batch, round > 0)?;
        }
    }
    print(&mut rows);
    Ok(())
}

fn one(row: &mut Row, worlds: &mut [World], batch: usize, counts: bool) -> Result<(), String> {
    let mut histogram = Histogram::<u64>::new_with_max(1_000_000_000, 3).expect("a histogram");
    match row.run {
        None => {
            for _ in 0..batch {
                let begin = Instant::now();
                black_box(begin);
                histogram.saturating_record(begin.elapsed().as_nanos() as u64);
            }
        }
        Some(case) => {
            let world = &mut worlds[row.world];
            let prepared = (case.prepare)(world, batch);
            let mut accepted = Vec::new();
            for (time, event) in &prepared.events {
                let begin = Instant::now();
                let outcome = black_box(world.engine.apply(*time, black_box(event)));
                histogram.saturating_record(begin.elapsed().as_nanos() as u64);
                if answer(&outcome) != case.expect {
                    return Err(format!("{}: answered {}, not {}", case.name, answer(&outcome), case.expect));
                }
                if let Outcome::Accepted(id) = outcome {
                    accepted.push(id);
                }
            }
            cases::settle(world, &prepared, &accepted);
        }
    }
    if counts {
        row.medians.push(histogram.value_at_quantile(0.5));
        row.histogram.add(&histogram).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn print(rows: &mut [Row]) {
    println!("[");
    let last = rows.len() - 1;
    for (n, row) in rows.iter_mut().enumerate() {
        row.medians.sort_unstable();
        let at = |q| row.histogram.value_at_quantile(q);
        println!(
            "  {{\"case\": \"{}\", \"limits\": \"{}\", \"orders\": {}, \"symbols\": {}, \"routers\": {}, \"p50\": {}, \"p90\": {}, \
             \"p99\": {}, \"p999\": {}, \"median_min\": {}, \"median_max\": {}, \"events\": {}}}{}",
            row.case,
            row.limits,
            row.size.orders,
            row.size.symbols,
            row.size.routers,
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            row.medians.first().copied().unwrap_or(0),
            row.medians.last().copied().unwrap_or(0),
            row.histogram.len(),
            if n == last { "" } else { "," },
        );
    }
    println!("]");
}
