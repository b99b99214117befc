//! The generator against the stub, over real sockets: every order is answered exactly once.

mod support;

use riskgate_load::flood::{Flood, Phase, Protocol, SessionConfig, SessionReport, total};
use riskgate_load::stub::{Behaviour, StubConfig, VenueStub};
use support::{flood, run, session, until};

const EXCHANGE: Protocol = Protocol::Exchange { epoch: 3 };

fn stub(behaviour: Behaviour) -> VenueStub {
    VenueStub::start(StubConfig { behaviour, ..StubConfig::default() }).expect("a free port on loopback")
}

/// Every order of every session answered once, in one dense sequence of reports, and nothing else counted.
fn check(reports: &[SessionReport], orders: u64) {
    for report in reports {
        let tally = &report.tally;
        assert_eq!(None, report.error);
        assert_eq!(Phase::Ended, report.phase);
        assert_eq!(
            (orders, orders, orders, orders),
            (tally.sent, tally.answered, tally.latency.len(), tally.lag.len())
        );
        assert_eq!((0, 0, 0), (tally.duplicates, tally.unsolicited, tally.sequence_gaps));
        assert_eq!((0, 0), (tally.unanswered(), report.unsent));
    }
}

#[test]
fn every_order_is_answered_exactly_once() {
    let stub = stub(Behaviour::Fill);
    let reports = run(&flood(stub.address(), EXCHANGE, vec![session("gw1", 50_000, 5_000)]));

    check(&reports, 5_000);
    let counts = stub.venue().counts().book;
    assert_eq!((5_000, 5_000, 10_000, 0), (counts.orders, counts.trades, counts.reports, counts.duplicates));
    assert_eq!((5_000, 500_000), (reports[0].tally.filled, reports[0].tally.filled_qty));
}

#[test]
fn eight_sessions_on_two_threads_do_not_mix() {
    let stub = stub(Behaviour::Fill);
    let sessions: Vec<SessionConfig> = (1..=8).map(|n| session(&format!("gw{n}"), 5_000, 1_000)).collect();
    let mut config = flood(stub.address(), EXCHANGE, sessions);
    config.threads = 2;
    let reports = run(&config);

    check(&reports, 1_000);
    assert_eq!(8_000, total(&reports).latency.len());
    assert_eq!(8_000, stub.venue().counts().book.orders);
}

#[test]
fn two_hundred_thousand_a_second_lose_nothing() {
    let stub = stub(Behaviour::Fill);
    let reports = run(&flood(stub.address(), EXCHANGE, vec![session("gw1", 200_000, 100_000)]));

    check(&reports, 100_000);
}

#[test]
fn a_second_run_continues_the_sequence() {
    let stub = stub(Behaviour::Fill);
    let config = flood(stub.address(), EXCHANGE, vec![session("gw1", 50_000, 100)]);
    check(&run(&config), 100);
    check(&run(&config), 100);

    assert_eq!((200, 0), (stub.venue().counts().book.orders, stub.venue().counts().book.duplicates));
}

#[test]
fn rejects_are_counted_by_name() {
    let stub = stub(Behaviour::Reject);
    let reports = run(&flood(stub.address(), EXCHANGE, vec![session("gw1", 50_000, 100)]));

    check(&reports, 100);
    let names: Vec<_> = reports[0].tally.reject_names().collect();
    assert_eq!(vec![("ORD_REJ_REASON_99".to_owned(), 100)], names);
    assert_eq!((0, 100), (reports[0].tally.accepted, reports[0].tally.rejected));
}

#[test]
fn an_unfilled_immediate_order_is_canceled() {
    let stub = stub(Behaviour::Ack);
    let reports = run(&flood(stub.address(), EXCHANGE, vec![session("gw1", 50_000, 100)]));

    check(&reports, 100);
    assert_eq!((100, 100, 0), (reports[0].tally.accepted, reports[0].tally.canceled, reports[0].tally.trades));
}

#[test]
fn ping_pong_keeps_one_order_in_flight() {
    let stub = stub(Behaviour::Fill);
    let config = SessionConfig { ping_pong: true, ..session("gw1", 1, 500) };
    let reports = run(&flood(stub.address(), EXCHANGE, vec![config]));

    check(&reports, 500);
    // The logon and the end are the only other frames.
    assert_eq!(501, reports[0].tally.frames);
}

#[test]
fn a_stop_ends_a_long_flood_with_all_answers() {
    let stub = stub(Behaviour::Fill);
    let mut running = Flood::start(&flood(stub.address(), EXCHANGE, vec![session("gw1", 1_000, 0)])).expect("valid");
    until("the first answers", || running.report()[0].tally.answered > 10);
    running.stop();
    let report = &running.report()[0];

    assert_eq!((None, 0), (report.error.clone(), report.tally.unanswered()));
    assert!(report.unsent > 0);
}

#[test]
fn a_venue_that_is_not_there_is_an_error_and_not_a_hang() {
    let address = stub(Behaviour::Fill).address();
    let reports = run(&flood(address, EXCHANGE, vec![session("gw1", 1_000, 10)]));

    let error = reports[0].error.clone().unwrap_or_default();
    assert!(error.contains("cannot connect to 127.0.0.1:"), "{error}");
}

#[test]
fn a_venue_that_dies_leaves_unanswered_orders_and_an_error() {
    let mut stub = stub(Behaviour::Fill);
    let mut running = Flood::start(&flood(stub.address(), EXCHANGE, vec![session("gw1", 10_000, 0)])).expect("valid");
    until("the first answers", || running.report()[0].tally.answered > 10);
    stub.stop();
    running.join();

    assert!(running.report()[0].error.is_some());
}

#[test]
fn one_refused_session_does_not_hold_up_the_others() {
    let stub = stub(Behaviour::Fill);
    // A name of no length is refused by the stub.
    let sessions = vec![session("", 1_000, 10), session("gw1", 1_000, 10)];
    let reports = run(&flood(stub.address(), EXCHANGE, sessions));

    assert!(reports[0].error.clone().unwrap_or_default().contains("logon.gateway is empty"), "{:?}", reports[0].error);
    check(&reports[1..], 10);
}
