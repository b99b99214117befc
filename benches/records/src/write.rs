//! A decision without a record, with one in memory, and with a copy in a file: as the gateway's loop does it.

use std::hint::black_box;
use std::path::Path;

use riskcore::Outcome;
use riskcore::events::Event;
use riskcore::record::{decision_of, encode};
use riskcore_bench::firm::Limits;
use riskcore_bench::series::{Round, Series};
use riskcore_bench::world::{Size, World};
use riskgate_journal::{FileHeader, Health, Journal, MemoryRing, RingOptions};

const SIZE: Size = Size { orders: 1, symbols: 1, routers: 1 };

struct Side {
    name: &'static str,
    world: World,
    journal: Option<MemoryRing>,
    record: Vec<u8>,
    series: Series,
}

pub fn run(directory: &Path, rounds: usize, batch: usize) -> Result<(), String> {
    let options = RingOptions::default();
    let path = directory.join("written.log");
    let file = MemoryRing::with_file(&options, &path, FileHeader::default()).map_err(|error| error.to_string())?;
    let mut sides =
        [("off", None), ("memory", Some(MemoryRing::new(&options))), ("file", Some(file))].map(|(name, journal)| {
            Side {
                name,
                world: World::new(Limits::Usual, SIZE, (rounds + 1) * batch),
                journal,
                record: Vec::with_capacity(512),
                series: Series::default(),
            }
        });
    for round in 0..=rounds {
        for side in &mut sides {
            let times = side.round(batch)?;
            // The first round warms up.
            if round > 0 {
                side.series.add(&times);
            }
        }
    }
    let lines = sides.iter().map(|side| format!("  {{\"records\": \"{}\", {}}}", side.name, side.series.json()));
    println!("[\n{}\n]", lines.collect::<Vec<_>>().join(",\n"));
    Ok(())
}

impl Side {
    fn round(&mut self, batch: usize) -> Result<Round, String> {
        let Side { world, journal, record, .. } = self;
        let mut times = Round::default();
        let orders: Vec<_> =
            (0..batch).map(|_| (Event::NewOrder(world.order()), riskcore::units::Nanos(world.now))).collect();
        let mut accepted = Vec::with_capacity(batch);
        for (order, now) in &orders {
            let outcome = times.time(|| {
                let outcome = black_box(world.engine.apply(*now, black_box(order)));
                if let Some(journal) = journal {
                    record.clear();
                    encode(journal.appended().0 + 1, *now, decision_of(&outcome), order, record);
                    journal.append(record);
                }
                outcome
            });
            let Outcome::Accepted(id) = outcome else { return Err(format!("{order:?}: {outcome:?}")) };
            accepted.push(id);
        }
        world.settle(&accepted);
        match journal.as_mut().map(|journal| {
            journal.flush();
            journal.health()
        }) {
            Some(Health::Poisoned(why)) => Err(why),
            _ => Ok(times),
        }
    }
}
