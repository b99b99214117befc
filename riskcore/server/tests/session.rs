//! Sessions of routers, over real sockets: logon, sequence, resume, take-over, loss, slow readers.

mod common;

use common::router::{Router, order};
use common::venue::Venue;
use common::{Gateway, Options, until};
use riskgate_server::proto;
use riskgate_server::proto::gateway_message::Body as In;
use riskgate_server::proto::router_message::Body as Out;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_crosses_to_the_venue_and_its_reports_come_back() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    let seq = router.order("A1");
    let new = router.report().await;
    venue.lock().fill(new.order_id, 40);
    let trade = router.report().await;

    assert_eq!((proto::ExecType::New as i32, "A1", seq), (new.exec_type, new.cl_ord_id.as_str(), new.client_seq));
    assert_eq!(7, new.order_id >> 40);
    assert_eq!((100, 0, 100), (new.order_qty, new.cum_qty, new.leaves_qty));
    assert_eq!(proto::ExecType::Trade as i32, trade.exec_type);
    assert_eq!(proto::OrdStatus::PartiallyFilled as i32, trade.ord_status);
    assert_eq!((40, 40, 60), (trade.last_qty, trade.cum_qty, trade.leaves_qty));
    assert_eq!(vec![1, 2], router.reports);
    let at_venue = venue.lock().orders[&new.order_id].clone();
    assert_eq!(("AAPL", "ACC1", "r1"), (at_venue.symbol.as_str(), at_venue.account.as_str(), at_venue.router.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_again_is_answered_from_memory_and_reaches_the_venue_once() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    let message = router.next(Out::NewOrderSingle(order("A1")));
    router.send_raw(vec![message.clone()]);
    let first = router.report().await;
    router.send_raw(vec![message]);
    let again = router.report().await;
    let same_id = router.order("A1");
    let by_id = router.report().await;
    let mut other = order("A1");
    other.order_qty = 200;
    router.send(Out::NewOrderSingle(other));
    let reused = router.report().await;

    assert_eq!(proto::ExecType::OrderStatus as i32, again.exec_type);
    assert_eq!((first.order_id, first.client_seq), (again.order_id, again.client_seq));
    assert_eq!((first.order_id, same_id), (by_id.order_id, by_id.client_seq));
    assert_eq!("DUPLICATE_CL_ORD_ID", reused.reject.expect("a reject").name);
    assert_eq!(1, venue.lock().orders.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_of_a_halted_router_is_answered_with_its_status_not_with_a_new_reject() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    venue.lock().silent = true;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    until("the order is at the venue", || venue.lock().orders.len() == 1).await;
    let halt = proto::HaltScopeRequest {
        scope: Some(common::router_scope("r1")),
        reason: "test".to_owned(),
        ..proto::HaltScopeRequest::default()
    };
    let _: proto::HaltScopeResponse = gateway.admin("HaltScope", &halt);
    router.order("A1");
    let duplicate = router.report().await;
    router.order("A2");
    let fresh = router.report().await;

    assert_eq!(proto::ExecType::OrderStatus as i32, duplicate.exec_type);
    assert_eq!("HALTED", fresh.reject.expect("a reject").name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_ends_the_stream_with_both_numbers_and_the_next_logon_says_where_to_go_on() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    router.report().await;
    router.next_seq = 9;
    router.order("A2");
    let status = router.end().await;
    let next = Router::log_on(&gateway, "r1").await;

    assert_eq!(Code::OutOfRange, status.code());
    assert!(status.message().contains('9') && status.message().contains('2'), "{}", status.message());
    assert_eq!(1, next.ack.last_client_seq);
    assert_eq!(1, venue.lock().orders.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_logon_is_refused_while_the_first_heartbeats_and_takes_over_when_it_is_late() {
    let venue = Venue::start().await;
    let options = Options { heartbeat: std::time::Duration::from_millis(1_000), ..Options::default() };
    let gateway = Gateway::ready(&venue, options).await;
    let mut first = Router::log_on(&gateway, "r1").await;
    let refused = Router::try_log_on(&gateway, "r1", None).await.err().expect("a refusal");
    assert_eq!(Code::AlreadyExists, refused.code());

    first.freeze();
    let mut taken = None;
    let deadline = tokio::time::Instant::now() + common::DEADLINE;
    while taken.is_none() && tokio::time::Instant::now() < deadline {
        taken = Router::try_log_on(&gateway, "r1", None).await.ok();
    }
    assert!(taken.is_some(), "the second logon takes over");
    first.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_missed_while_away_are_sent_again_in_order_without_a_gap() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    for n in 0..20 {
        router.order(&format!("A{n}"));
    }
    for _ in 0..5 {
        router.report().await;
    }
    drop(router);
    until("the session is down and its orders are cancelled", || {
        let status = gateway.status();
        !status.routers[0].connected && status.open_orders == 0
    })
    .await;
    let mut back = Router::resume(&gateway, "r1", 5).await;
    while back.reports.last() != Some(&40) {
        back.next_message().await;
    }

    assert_eq!((6..=40).collect::<Vec<u64>>(), back.reports);
    assert_eq!(20, back.ack.last_client_seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_was_away_too_long_learns_the_gap_and_its_open_orders() {
    let venue = Venue::start().await;
    let reports = riskgate_server::ring::RingBounds { bytes: 2_000, lag: 2_000 };
    let gateway = Gateway::ready(&venue, Options { reports, ..Options::default() }).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    for n in 0..100 {
        router.order(&format!("A{n}"));
        let id = router.report().await.order_id;
        if n < 99 {
            venue.lock().fill(id, 100);
            router.report().await;
        }
    }
    let seen = *router.reports.last().expect("reports");
    assert_eq!(199, seen);
    drop(router);
    until("the session is down", || !gateway.status().routers[0].connected).await;

    let mut back = Router::try_log_on(&gateway, "r1", Some(3)).await.expect("a logon");
    let gap = back.next_message().await;
    let Some(In::ResumeGap(gap)) = gap.body else { panic!("not a gap: {gap:?}") };
    let next = back.next_message().await;
    assert!(gap.up_to > 3);
    assert_eq!(gap.up_to + 1, next.report_seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_cancels_its_orders_and_a_frozen_one_is_lost() {
    let venue = Venue::start().await;
    let options = Options { heartbeat: std::time::Duration::from_millis(200), ..Options::default() };
    let gateway = Gateway::ready(&venue, options).await;
    let mut gone = Router::log_on(&gateway, "r1").await;
    let mut frozen = Router::log_on(&gateway, "r2").await;
    let mut healthy = Router::log_on(&gateway, "r3").await;
    for router in [&mut gone, &mut frozen, &mut healthy] {
        router.order("A1");
        router.report().await;
    }
    drop(gone);
    frozen.freeze();
    until("only the healthy router's order rests", || venue.lock().open.len() == 1).await;

    assert_eq!(1, gateway.metric("silent_sessions_total"));
    healthy.cancel("A1");
    assert_eq!(proto::ExecType::Canceled as i32, healthy.report().await.exec_type);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_cut_loses_nothing_and_delays_nobody() {
    let venue = Venue::start().await;
    let reports = riskgate_server::ring::RingBounds { bytes: 64 << 20, lag: 512 << 10 };
    let gateway = Gateway::ready(&venue, Options { reports, ..Options::default() }).await;
    let mut slow = Router::log_on(&gateway, "r1").await;
    let mut other = Router::log_on(&gateway, "r2").await;
    // Rejects are reports, too: an unknown symbol makes them without filling the venue. The slow router reads none.
    let mut sent = 0;
    while gateway.metric("slow_readers_total") == 0 {
        let frame = (0..200).map(|_| {
            sent += 1;
            let mut bad = order(&format!("S{sent}"));
            bad.symbol = "NOPE".to_owned();
            slow.next(Out::NewOrderSingle(bad))
        });
        let frame = frame.collect();
        slow.send_raw(frame);
        assert!(sent < 200_000, "never cut");
        if sent % 2_000 == 0 {
            other.order(&format!("O{sent}"));
            assert_eq!(proto::ExecType::New as i32, other.report().await.exec_type);
        }
    }
    drop(slow);
    let mut back = Router::resume(&gateway, "r1", 0).await;
    let applied = back.ack.last_client_seq;
    while back.reports.last().copied().unwrap_or(0) < applied {
        back.next_message().await;
    }

    assert!(applied > 0);
    assert_eq!((1..=applied).collect::<Vec<u64>>(), back.reports[..applied as usize]);
    other.order("last");
    assert_eq!("last", other.report().await.cl_ord_id);
}
