//! The risk core.

use std::hint::black_box;

use riskcore::Outcome;
use riskcore::events::Event;
use riskcore::units::Nanos;
use riskcore_bench::firm::Limits;
use riskcore_bench::series::Round;
use riskcore_bench::world::{Size, World};

use crate::Side;

pub struct Riskcore(World);

impl Riskcore {
    /// With room for so many orders.
    pub fn new(orders: usize) -> Riskcore {
        Riskcore(World::new(Limits::Usual, Size { orders: 1, symbols: 1, routers: 1 }, orders))
    }
}

impl Side for Riskcore {
    fn name(&self) -> &'static str {
        "riskcore"
    }

    fn ran(&self) -> &'static str {
        "every check and every limit of the catalogue, at firm, account, router and symbol; decision, order id, order \
         table and all reserved amounts"
    }

    fn round(&mut self, batch: usize) -> Round {
        let world = &mut self.0;
        let mut times = Round::default();
        let orders: Vec<_> = (0..batch).map(|_| (Event::NewOrder(world.order()), Nanos(world.now))).collect();
        let mut accepted = Vec::with_capacity(batch);
        for (order, now) in &orders {
            let outcome = times.time(|| black_box(world.engine.apply(*now, black_box(order))));
            let Outcome::Accepted(id) = outcome else { panic!("{order:?}: {outcome:?}") };
            accepted.push(id);
        }
        world.settle(&accepted);
        times
    }
}
