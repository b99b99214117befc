//! A file of records read from its beginning into a new engine: what a start after a crash, or an audit, would wait for.

use std::path::Path;
use std::time::Instant;

use riskcore::record::{decision_of, decode, encode};
use riskcore::{Engine, EngineConfig};
use riskcore_bench::firm::Limits;
use riskcore_bench::world::{Size, World};
use riskgate_journal::{FileHeader, Journal, MemoryRing, Reader, RingOptions};

pub fn run(directory: &Path, rounds: usize, orders: usize) -> Result<(), String> {
    let path = directory.join(format!("{orders}.log"));
    let mut world = World::recorded(Limits::Usual, Size { orders, symbols: 100, routers: 8 });
    world.open();
    let config = world.config.clone();
    let records = write(&path, &world, &config)?;
    let mut taken = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        let engine = read(&path, &config)?;
        taken.push(begin.elapsed().as_nanos());
        if engine.state_hash() != world.engine.state_hash() {
            return Err("the replayed engine is not the one that was recorded".into());
        }
    }
    let bytes = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
    println!("{{\"orders\": {orders}, \"records\": {records}, \"bytes\": {bytes}, \"rounds\": {taken:?}}}");
    Ok(())
}

/// Writes what the world has gone through, with the decisions that a second engine takes; how many records.
fn write(path: &Path, world: &World, config: &EngineConfig) -> Result<u64, String> {
    let options = RingOptions { file_queue: usize::MAX, ..RingOptions::default() };
    let mut journal =
        MemoryRing::with_file(&options, path, FileHeader::default()).map_err(|error| error.to_string())?;
    let (mut engine, mut record) = (Engine::new(config), Vec::new());
    for (time, event) in world.log.iter().flatten() {
        let outcome = engine.apply(*time, event);
        record.clear();
        encode(journal.appended().0 + 1, *time, decision_of(&outcome), event, &mut record);
        journal.append(&record);
    }
    journal.flush();
    Ok(journal.appended().0)
}

fn read(path: &Path, config: &EngineConfig) -> Result<Engine, String> {
    let mut engine = Engine::new(config);
    let mut effects = Vec::new();
    for record in Reader::open(path).map_err(|error| error.to_string())? {
        let record = record.map_err(|error| error.to_string())?;
        let decided = decode(&record.payload).map_err(|error| error.to_string())?;
        let outcome = engine.apply(decided.time, &decided.event);
        if decision_of(&outcome) != decided.decision {
            return Err(format!("record {}: decided otherwise", record.seq));
        }
        engine.take_effects(&mut effects);
        effects.clear();
    }
    Ok(engine)
}
