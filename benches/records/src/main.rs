//! The gateway's records: what it costs an order to be recorded, and how fast a file of records becomes an engine again.
//!
//! ```text
//! riskcore-records write --directory PATH [--rounds N] [--batch N]    JSON: nanoseconds of a decision, by where records go
//! riskcore-records replay --directory PATH [--rounds N] [--orders N]  JSON: nanoseconds of each reading of a file
//! ```

mod replay;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;

fn option<T: std::str::FromStr>(args: &[String], name: &str, default: Option<T>) -> Result<T, String> {
    let given = args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let parsed = given.map(|text| text.parse().map_err(|_| format!("{name}: `{text}` is not what it should be")));
    parsed.transpose()?.or(default).ok_or_else(|| format!("{name}: a value is missing"))
}

fn run(args: &[String]) -> Result<(), String> {
    let directory: PathBuf = option(args, "--directory", None)?;
    let rounds = option(args, "--rounds", Some(20))?;
    match args.first().map(String::as_str) {
        Some("write") => write::run(&directory, rounds, option(args, "--batch", Some(2_000))?),
        Some("replay") => replay::run(&directory, rounds, option(args, "--orders", Some(10_000))?),
        _ => Err("say `write` or `replay`".into()),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("riskcore-records: {message}");
            ExitCode::from(64)
        }
    }
}
