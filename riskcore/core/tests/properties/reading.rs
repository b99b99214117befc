//! Asking changes nothing, and the answer is the one the order would get.

use proptest::prelude::*;
use riskcore::Outcome;
use riskcore::events::Event;

use crate::world::{World, order, step};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// An explanation leaves no trace in the state, however often it is asked for, and says what the order, or its dry run,
    /// is then answered; a dry run uses up one message of its router and touches nothing else.
    #[test]
    fn an_explanation_changes_nothing_and_is_the_verdict(
        steps in proptest::collection::vec(step(), 1..60),
        asks in proptest::collection::vec((order(), any::<bool>()), 1..12),
    ) {
        let mut world = World::after(&steps);
        for (ask, dry) in &asks {
            let ask = world.new_order(ask);
            let (before, books) = (world.engine.state_hash(), world.engine.state().books.clone());
            let explained = world.engine.explain(&ask).refusal;
            for order in world.orders.clone() {
                world.engine.explain_open(order);
            }
            prop_assert_eq!(before, world.engine.state_hash());

            let outcome = world.apply(if *dry { Event::CheckOrder(ask) } else { Event::NewOrder(ask) });

            match (outcome, explained) {
                (Outcome::Accepted(id), None) => world.orders.push(id),
                (Outcome::WouldAccept, None) => {}
                (Outcome::Rejected(reject), Some(refusal)) => prop_assert_eq!(reject, refusal),
                (outcome, explained) => prop_assert!(false, "{explained:?} was explained, {outcome:?} answered"),
            }
            if *dry {
                prop_assert_eq!(&world.engine.state().books[..books.len()], &books[..]);
            }
        }
    }
}
