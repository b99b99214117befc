//! Several currencies: rates move, and what was reserved is given back exactly.

use proptest::prelude::*;
use riskcore::events::{Event, Report, ReportKind};
use riskcore::record;

use crate::world::{Quoted, World, step};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever rates did meanwhile: what was reserved is given back to the last unit of 1e-9 when nothing is open any more.
    #[test]
    fn nothing_stays_reserved_when_all_is_done(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World::after(&steps);
        for id in world.orders.clone() {
            world.apply(Event::Report(Report {
                venue_seq: 0, order: id, exec_id: 0, instrument: None, kind: ReportKind::Canceled,
            }));
        }
        world.books_agree();
        for book in &world.engine.state().books {
            let open = (book.open_notional, book.open_buy, book.open_sell, book.open_short, book.open_orders);
            prop_assert_eq!(open, (0, 0, 0, 0, 0));
        }
    }

    /// A currency that is named and worth exactly one is the base currency under another name.
    #[test]
    fn a_rate_of_one_changes_nothing(steps in proptest::collection::vec(step(), 1..120)) {
        let [home, named] = [Quoted::AtHome, Quoted::AtOne].map(|quoted| {
            let mut world = World::quoted(false, quoted);
            for step in &steps {
                world.step(step);
            }
            world
        });
        let decisions = |world: &World| -> Vec<u16> {
            let records = world.records.iter().map(|bytes| record::decode(bytes).unwrap());
            records.filter(|record| !matches!(record.event, Event::FxRate { .. })).map(|record| record.decision).collect()
        };
        prop_assert_eq!(decisions(&home), decisions(&named));
        prop_assert_eq!(&home.engine.state().books, &named.engine.state().books);
    }
}
