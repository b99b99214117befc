//! What one decision of the risk core costs.
//!
//! ```text
//! riskcore-bench time [--rounds N] [--batch N] [--cases LIST] [--orders LIST] [--symbols LIST] [--routers LIST]   JSON
//! riskcore-bench count [--orders N] [--symbols N] [--routers N]   each case once, for `valgrind --tool=callgrind`
//! riskcore-bench memory [--orders N] [--symbols N] [--routers N]  JSON: what such an engine takes
//! ```
//!
//! `time` runs every case of every world in turn, round after round, so that whatever else the machine does falls on all
//! of them. Each event is timed by itself; the cost of reading the clock is a case of its own and is not subtracted.

mod count;
mod memory;
mod time;

use std::process::ExitCode;

use riskcore_bench::cases;
use riskcore_bench::world::Size;

/// The value after `--name`, or the default.
fn option<T: std::str::FromStr>(args: &[String], name: &str, default: T) -> Result<T, String> {
    let Some(at) = args.iter().position(|arg| arg == name) else { return Ok(default) };
    let text = args.get(at + 1).ok_or_else(|| format!("{name}: a value is missing"))?;
    text.parse().map_err(|_| format!("{name}: `{text}` is not what it should be"))
}

fn list<T: std::str::FromStr>(args: &[String], name: &str, default: &str) -> Result<Vec<T>, String> {
    let text: String = option(args, name, default.to_string())?;
    text.split(',').map(|item| item.parse().map_err(|_| format!("{name}: `{item}` is not what it should be"))).collect()
}

fn size(args: &[String]) -> Result<Size, String> {
    Ok(Size {
        orders: option(args, "--orders", 1)?,
        symbols: option(args, "--symbols", 1)?,
        routers: option(args, "--routers", 1)?,
    })
}

fn run(args: &[String]) -> Result<(), String> {
    match args.first().map(String::as_str) {
        Some("time") => time::run(&time::Plan {
            rounds: option(args, "--rounds", 20)?,
            batch: option(args, "--batch", 2_000)?,
            cases: list(args, "--cases", &format!("{},{}", cases::names(), time::REFUSALS))?,
            orders: list(args, "--orders", "1,100000,1000000")?,
            symbols: list(args, "--symbols", "1,10000")?,
            routers: list(args, "--routers", "1")?,
        }),
        Some("count") => {
            count::run(size(args)?);
            Ok(())
        }
        Some("memory") => memory::run(size(args)?),
        _ => Err("say `time`, `count` or `memory`".into()),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("riskcore-bench: {message}");
            ExitCode::from(64)
        }
    }
}
