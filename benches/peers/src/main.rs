//! One order through the risk core and through other libraries, in turn: what each takes until the order may be sent.
//!
//! ```text
//! riskcore-peers [--rounds N] [--batch N]    JSON: nanoseconds of each side, round by round, and what each side ran
//! ```
//!
//! The orders of a batch are made beforehand; what is timed of each is the decision and what it reserves. All sides run
//! on one thread and are given what they need for that (openpit: `no_sync`). All have run before they are timed.

mod floor;
mod ours;
mod pit;
mod rate;

use std::process::ExitCode;

use riskcore_bench::series::{Round, Series};

/// One library, set up in one way.
trait Side {
    fn name(&self) -> &'static str;
    /// What it checks, and what is timed.
    fn ran(&self) -> &'static str;
    /// Decides so many orders, all of which must pass.
    fn round(&mut self, batch: usize) -> Round;
}

fn option(args: &[String], name: &str, default: usize) -> Result<usize, String> {
    let Some(at) = args.iter().position(|arg| arg == name) else { return Ok(default) };
    args.get(at + 1).and_then(|text| text.parse().ok()).ok_or_else(|| format!("{name}: a number is missing"))
}

fn run(args: &[String]) -> Result<(), String> {
    let (rounds, batch) = (option(args, "--rounds", 30)?, option(args, "--batch", 2_000)?);
    let orders = (rounds + 1) * batch;
    let mut sides: Vec<(Box<dyn Side>, Series)> = vec![
        (Box::new(ours::Riskcore::new(orders)), Series::default()),
        (Box::new(floor::Floor::new(orders)), Series::default()),
        (Box::new(pit::Pit::getting_started()), Series::default()),
        (Box::new(pit::Pit::every_axis()), Series::default()),
        (Box::new(pit::Pit::with_funds()), Series::default()),
        (Box::new(rate::Governor::new()), Series::default()),
    ];
    for round in 0..=rounds {
        for (side, series) in &mut sides {
            let times = side.round(batch);
            // The first round warms up.
            if round > 0 {
                series.add(&times);
            }
        }
    }
    let lines = sides.iter().map(|(side, series)| {
        format!("  {{\"name\": \"{}\", \"ran\": \"{}\", {}}}", side.name(), side.ran(), series.json())
    });
    println!("[\n{}\n]", lines.collect::<Vec<_>>().join(",\n"));
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("riskcore-peers: {message}");
            ExitCode::from(64)
        }
    }
}
