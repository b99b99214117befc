//! Records: whatever the bytes, they are a record or an error, and a history that is told again ends the same.

use proptest::prelude::*;
use riskcore::record;

use crate::world::{World, step};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Books, halts, cancels and refusals keep their promises after any history (`World::step`), and its records replay to
    /// the same decisions and the same state.
    #[test]
    fn any_history_keeps_its_promises_and_replays(steps in proptest::collection::vec(step(), 1..120)) {
        let world = World::after(&steps);

        let again = world.told_again(0, |_| {});

        prop_assert_eq!(again.state_hash(), world.engine.state_hash());
    }

    /// Any bytes decode to a record or to an error, and what decodes encodes to the same bytes.
    #[test]
    fn records_survive_any_bytes(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in prop_oneof![0..32_u8, 80..83_u8]) {
        if bytes.len() > 19 {
            (bytes[0], bytes[19]) = (record::VERSION, kind);
        }
        if let Ok(record) = record::decode(&bytes) {
            let mut again = Vec::new();
            record::encode(record.seq, record.time, record.decision, &record.event, &mut again);
            prop_assert_eq!(again, bytes);
        }
    }

    /// Cutting a record anywhere is noticed.
    #[test]
    fn a_cut_record_is_refused(steps in proptest::collection::vec(step(), 1..10), cut in 0..60_usize) {
        let mut world = World::at_venue(false);
        for step in &steps {
            world.step(step);
        }
        for bytes in &world.records {
            let end = cut % bytes.len();
            prop_assert!(record::decode(&bytes[..end]).is_err());
        }
    }
}
