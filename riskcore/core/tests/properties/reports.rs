//! Reports of the venue: said twice, they count once; in another order, they end in the same books.

use proptest::prelude::*;
use riskcore::events::{Event, Report, ReportKind, Side};
use riskcore::ids::OrderId;
use riskcore::units::{Nanos, Price, Qty, UNIT};
use riskcore::{Engine, Outcome};

use crate::world::{Step, World};

/// What comes of an order: pieces that are filled, and whether it is acknowledged and finally cancelled.
#[derive(Clone, Debug)]
struct Fate {
    router: u32,
    account: u32,
    symbol: u32,
    parent: Option<u32>,
    buys: bool,
    qty: i64,
    fills: Vec<(i64, i64)>,
    bust: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    let fills = proptest::collection::vec((1..400_i64, 9_900..10_100_i64), 0..4);
    (0..3_u32, 0..2_u32, 0..2_u32, proptest::option::of(0..3_u32), any::<bool>(), 1..1_000_i64, fills, any::<bool>())
        .prop_map(|(router, account, symbol, parent, buys, qty, fills, bust)| Fate {
            router,
            account,
            symbol,
            parent,
            buys,
            qty,
            fills,
            bust,
        })
}

/// The reports of each order that was accepted: every one ends.
fn tell(world: &mut World, fates: &[Fate]) -> Vec<(OrderId, ReportKind)> {
    let mut reports = Vec::new();
    for fate in fates {
        let Fate { router, account, symbol, parent, qty, .. } = *fate;
        let side = if fate.buys { Side::Buy } else { Side::Sell };
        let step = Step::Order { router, account, symbol, parent, side, qty, price: Some(100 * UNIT) };
        let order = world.new_order(&step);
        let Outcome::Accepted(id) = world.apply(Event::NewOrder(order)) else { continue };
        reports.push((id, ReportKind::New));
        let price = |cents: i64| Price(cents * UNIT / 100);
        for (qty, cents) in &fate.fills {
            reports.push((id, ReportKind::Trade { qty: Qty(*qty), price: price(*cents) }));
        }
        if let Some((qty, cents)) = fate.fills.first().filter(|_| fate.bust) {
            reports.push((id, ReportKind::TradeCancel { qty: Qty(*qty), price: price(*cents) }));
        }
        reports.push((id, ReportKind::Canceled));
    }
    reports
}

fn report(engine: &mut Engine, now: i64, seq: usize, told: &(OrderId, ReportKind)) -> Outcome {
    let (order, kind) = *told;
    let report = Report { venue_seq: seq as u64 + 1, order, exec_id: 0, instrument: None, kind };
    engine.apply(Nanos(now), &Event::Report(report))
}

/// The same reports in an order of keys; a bust stays behind the fill that it takes back.
fn shuffled(reports: &[(OrderId, ReportKind)], keys: &[u16]) -> Vec<(OrderId, ReportKind)> {
    let key = |n: usize| keys[n % keys.len()];
    let mut order: Vec<usize> = (0..reports.len()).collect();
    order.sort_by_key(|n| key(*n));
    let (later, first): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|n| matches!(reports[*n].1, ReportKind::TradeCancel { .. }));
    first.into_iter().chain(later).map(|n| reports[n]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Acknowledgements after fills, fills after cancels, orders interleaved anyhow: positions, money, parents and what is
    /// open end the same.
    #[test]
    fn reports_in_any_order_end_in_the_same_books(
        fates in proptest::collection::vec(fate(), 1..12),
        keys in proptest::collection::vec(any::<u16>(), 1..40),
    ) {
        let mut world = World::at_venue(false);
        let reports = tell(&mut world, &fates);
        let mut other = world.told_again(0, |_| {});
        for (n, told) in reports.iter().enumerate() {
            report(&mut world.engine, world.now, n, told);
        }
        for (n, told) in shuffled(&reports, &keys).iter().enumerate() {
            report(&mut other, world.now, n, told);
        }

        prop_assert_eq!(&world.engine.state().books, &other.state().books);
        prop_assert_eq!(world.engine.state().orders.open(), 0);
        prop_assert_eq!(other.state().orders.open(), 0);
        for (left, right) in world.engine.state().parents.iter().zip(other.state().parents.iter()) {
            prop_assert_eq!((left.cum, left.leaves), (right.cum, right.leaves));
        }
    }

    /// A report whose number was seen before changes nothing at all, whenever it comes; one that leaves a gap is not applied.
    #[test]
    fn reports_said_again_change_nothing(
        fates in proptest::collection::vec(fate(), 1..12),
        again in proptest::collection::vec(any::<prop::sample::Index>(), 1..40),
    ) {
        let mut world = World::at_venue(false);
        let reports = tell(&mut world, &fates);
        let mut once = world.told_again(0, |_| {});
        let mut again = again.iter().cycle();
        for (n, told) in reports.iter().enumerate() {
            report(&mut once, world.now, n, told);
            prop_assert_eq!(report(&mut world.engine, world.now, n + 1, told), Outcome::ReportGap(n as u64 + 1));
            report(&mut world.engine, world.now, n, told);
            let seen = again.next().unwrap().index(n + 1);
            prop_assert_eq!(report(&mut world.engine, world.now, seen, &reports[seen]), Outcome::DuplicateReport);
        }

        prop_assert_eq!(world.engine.state_hash(), once.state_hash());
    }
}

/// A correction that does not fit takes nothing back: the books would show less than there is.
#[test]
fn a_correction_that_does_not_fit_leaves_what_was_executed_in_the_books() {
    let mut world = World::at_venue(false);
    let fates = [10, 100].map(|qty| Fate {
        router: 0,
        account: 0,
        symbol: 0,
        parent: None,
        buys: true,
        qty,
        fills: vec![(qty, 10_000)],
        bust: false,
    });
    let reports = tell(&mut world, &fates);
    for (n, told) in reports.iter().enumerate() {
        report(&mut world.engine, world.now, n, told);
    }
    let positions = |world: &World| world.engine.state().books.iter().map(|book| book.position).collect::<Vec<_>>();
    let before = positions(&world);
    assert!(before.contains(&110), "{before:?}");
    let (old_qty, old_price) = (Qty(10), Price(100 * UNIT));
    let kind = ReportKind::TradeCorrect { old_qty, old_price, qty: Qty(i64::MAX - 50), price: Price(1) };
    report(&mut world.engine, world.now, reports.len(), &(reports[0].0, kind));

    assert_eq!(before, positions(&world));
    assert_eq!(1, world.engine.state().counters.bad_reports);
}
