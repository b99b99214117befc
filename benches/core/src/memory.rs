//! What an engine takes of the machine's memory.

use riskcore_bench::firm::Limits;
use riskcore_bench::world::{Size, World};

/// Builds a world, with room for no more orders than it has, and says what the process has resident.
pub fn run(size: Size) -> Result<(), String> {
    let world = World::new(Limits::Usual, size, 0);
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| format!("/proc/self/status: {error}"))?;
    let kib = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).ok_or(format!("no {key} in it"))
    };
    println!(
        "{{\"orders\": {}, \"symbols\": {}, \"routers\": {}, \"resident_bytes\": {}, \"peak_bytes\": {}, \"hash\": \
         \"{:016x}\"}}",
        size.orders,
        size.symbols,
        size.routers,
        kib("VmRSS:")? * 1_024,
        kib("VmHWM:")? * 1_024,
        world.engine.state_hash(),
    );
    Ok(())
}
