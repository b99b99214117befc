//! More orders than the gateway can take, over real sockets.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::router::{Router, order};
use common::venue::Venue;
use common::{Gateway, Options};
use riskgate_server::proto::gateway_message::Body as In;
use riskgate_server::proto::router_message::Body as Out;

/// Orders on their way at once: more than a window of the transport.
const AHEAD: u64 = 2_000;

/// Sends more than can be taken until told to stop; the reasons for which orders were refused, and the router.
async fn crowd(mut router: Router, stop: Arc<AtomicBool>) -> (BTreeSet<String>, Router) {
    let (mut sent, mut answered, mut reasons) = (0, 0, BTreeSet::new());
    loop {
        while sent < answered + AHEAD && !stop.load(Ordering::Relaxed) {
            let frame = (0..200).map(|_| {
                sent += 1;
                router.next(Out::NewOrderSingle(order(&format!("A{sent}"))))
            });
            let frame = frame.collect();
            router.send_raw(frame);
        }
        if answered == sent {
            return (reasons, router);
        }
        if let In::ExecutionReport(report) = router.next_message().await.body.expect("a body") {
            answered += 1;
            reasons.extend(report.reject.map(|reject| reject.name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routers_that_send_more_than_can_be_taken_are_refused_and_their_neighbour_is_not() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options { venue_queue: 64 << 20, ..Options::default() }).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut crowds = Vec::new();
    for name in ["r1", "r3"] {
        let router = Router::log_on(&gateway, name).await;
        crowds.push(tokio::spawn(crowd(router, Arc::clone(&stop))));
    }
    let mut calm = Router::log_on(&gateway, "r2").await;
    let busy = ["r1", "r3"].map(|name| format!("orders_total{{decision=reject,check=gateway_busy,router={name}}}"));
    let mut of_calm = Vec::new();
    while busy.iter().all(|name| gateway.metric(name) == 0) {
        calm.order(&format!("B{}", of_calm.len()));
        of_calm.push(calm.report().await.reject);
    }
    for n in of_calm.len()..of_calm.len() + 20 {
        calm.order(&format!("B{n}"));
        of_calm.push(calm.report().await.reject);
    }
    stop.store(true, Ordering::Relaxed);
    let mut reasons = BTreeSet::new();
    let mut last = None;
    for crowd in crowds {
        let (found, router) = crowd.await.expect("every order is answered");
        reasons.extend(found);
        last = Some(router);
    }
    let mut router = last.expect("a router");
    router.order("last");
    let after = router.report().await;

    assert_eq!(BTreeSet::from(["GATEWAY_BUSY".to_owned()]), reasons);
    assert!(of_calm.iter().all(Option::is_none), "{of_calm:?}");
    assert!(gateway.metric("busy_turns_total") >= 50);
    assert_eq!(0, gateway.metric("venue_busy_total"));
    assert_eq!(None, after.reject);
}
