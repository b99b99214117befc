//! The venue link, over real sockets: loss, reconciliation, cancels, a venue that does not read.

mod common;

use common::router::{Router, order};
use common::venue::Venue;
use common::{Gateway, Options, UNIT, until};
use riskgate_server::proto;
use riskgate_server::proto::router_message::Body as Out;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_venue_orders_are_refused_and_nothing_is_kept_for_later() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    router.report().await;
    {
        let mut venue = venue.lock();
        venue.away = true;
        venue.drop_session();
    }
    until("the loss is noticed", || !gateway.status().venue_connected).await;
    router.order("A2");
    let refused = router.report().await;
    venue.lock().away = false;
    gateway.until_reconciled().await;
    router.order("A3");
    let accepted = router.report().await;

    assert_eq!("VENUE_NOT_CONNECTED", refused.reject.expect("a reject").name);
    assert_eq!(("A3", proto::ExecType::New as i32), (accepted.cl_ord_id.as_str(), accepted.exec_type));
    let venue = venue.lock();
    assert_eq!(2, venue.orders.len());
    assert_eq!(2, venue.open.len());
    assert_eq!(vec![1, 2], venue.client_seqs);
    assert_eq!(1, venue.logons.last().expect("a logon").resume_after);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_link_an_order_the_venue_does_not_have_is_released_and_reports_are_caught_up() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("kept");
    let kept = router.report().await.order_id;
    venue.lock().silent = true;
    router.order("lost");
    until("the order left", || venue.lock().orders.len() == 2).await;
    {
        let mut venue = venue.lock();
        venue.away = true;
        venue.drop_session();
        venue.open.retain(|id, _| *id == kept);
        venue.fill(kept, 30);
    }
    until("the loss is noticed", || gateway.status().unknown_orders == 2).await;
    {
        let mut venue = venue.lock();
        venue.silent = false;
        venue.away = false;
    }
    gateway.until_reconciled().await;
    let trade = router.report().await;
    let released = router.report().await;

    assert_eq!(("kept", 30), (trade.cl_ord_id.as_str(), trade.last_qty));
    assert_eq!(("lost", proto::ExecType::Canceled as i32), (released.cl_ord_id.as_str(), released.exec_type));
    let status = gateway.status();
    assert_eq!((1, 0), (status.open_orders, status.unknown_orders));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_lost_its_memory_is_resumed_from_its_first_report() {
    let before = Venue::start().await;
    let gateway = Gateway::ready(&before, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    router.report().await;
    before.lock().forget();
    gateway_lost_and_found(&gateway, &before).await;
    let gone = router.report().await;
    router.order("A2");
    let after = router.report().await;

    assert_eq!(("A1", proto::ExecType::Canceled as i32), (gone.cl_ord_id.as_str(), gone.exec_type));
    assert_eq!(("A2", proto::ExecType::New as i32), (after.cl_ord_id.as_str(), after.exec_type));
}

async fn gateway_lost_and_found(gateway: &Gateway, venue: &Venue) {
    until("the venue was logged on to again", || !venue.lock().logons.is_empty()).await;
    gateway.until_reconciled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_an_order_that_is_not_acknowledged_stays_behind_it() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    venue.lock().silent = true;
    router.order("A1");
    router.cancel("A1");
    until("both are there", || venue.lock().cancels.len() == 1).await;
    venue.lock().silent = false;
    router.order("A2");
    router.report().await;
    router.cancel("A2");
    let canceled = router.report().await;

    assert_eq!(("A2", proto::ExecType::Canceled as i32), (canceled.cl_ord_id.as_str(), canceled.exec_type));
    let venue = venue.lock();
    assert_eq!((1, 1), (venue.cancels.len(), venue.lane_cancels.len()));
    assert_eq!(vec![1, 2, 3], venue.client_seqs);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_does_not_read_its_cancel_stream_gets_the_cancels_on_the_order_stream() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    venue.lock().deaf_lane = true;
    const ORDERS: usize = 6_000;
    for n in 0..ORDERS {
        router.order(&format!("A{n}"));
        router.report().await;
    }
    router.send(Out::OrderMassCancelRequest(proto::OrderMassCancelRequest {
        cl_ord_id: "M".to_owned(),
        mass_cancel_request_type: proto::MassCancelRequestType::AllOrders as i32,
        symbol: String::new(),
    }));
    until("every order is cancelled", || venue.lock().open.is_empty()).await;

    assert!(!venue.lock().cancels.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_takes_effect_under_its_new_id() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    let first = router.report().await;
    let seq = router.send(Out::OrderCancelReplaceRequest(proto::OrderCancelReplaceRequest {
        cl_ord_id: "A2".to_owned(),
        orig_cl_ord_id: "A1".to_owned(),
        order_qty: 50,
        price: Some(99 * UNIT),
    }));
    let replaced = router.report().await;

    assert_eq!(proto::ExecType::Replaced as i32, replaced.exec_type);
    assert_eq!(("A2", "A1"), (replaced.cl_ord_id.as_str(), replaced.orig_cl_ord_id.as_str()));
    assert_eq!((first.order_id, 50, Some(99 * UNIT)), (replaced.order_id, replaced.order_qty, replaced.price));
    assert_eq!(seq, replaced.client_seq);
    assert_eq!(1, venue.lock().replaces.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicated_reports_count_once_and_a_hole_in_them_is_filled_by_a_new_logon() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    let id = router.report().await.order_id;
    venue.lock().repeat_last();
    venue.lock().lose_next = true;
    venue.lock().fill(id, 10);
    venue.lock().fill(id, 20);
    let (first, second) = (router.report().await, router.report().await);

    assert_eq!((10, 10), (first.last_qty, first.cum_qty));
    assert_eq!((20, 30), (second.last_qty, second.cum_qty));
    assert_eq!(1, gateway.metric("duplicate_reports_total"));
    assert_eq!(2, venue.lock().logons.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn busts_and_corrections_name_the_execution_and_move_the_position_back() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    let id = router.report().await.order_id;
    venue.lock().fill(id, 60);
    let trade = router.report().await;
    venue.lock().refer(id, proto::ExecType::TradeCancel, trade.venue_exec_id);
    let bust = router.report().await;
    let positions: proto::ListPositionsResponse =
        gateway.admin("ListPositions", &proto::ListPositionsRequest::default());

    assert_eq!((proto::ExecType::TradeCancel as i32, 60, 0), (bust.exec_type, bust.last_qty, bust.cum_qty));
    assert_eq!(0, positions.positions[0].position);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_does_not_read_gets_no_more_orders_but_memory_stays_bounded() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options { venue_queue: 32 << 10, ..Options::default() }).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    venue.lock().deaf = true;
    let mut sent = 0_u64;
    // On a busy machine the link may be given up before its queue is full; both refuse orders.
    let refused = ["venue_busy_total", "orders_total{decision=reject,check=venue_not_connected,router=r1}"];
    while refused.iter().all(|name| gateway.metric(name) == 0) {
        let frame = (0..100).map(|_| {
            sent += 1;
            router.next(Out::NewOrderSingle(order(&format!("A{sent}"))))
        });
        let frame = frame.collect();
        router.send_raw(frame);
        assert!(sent < 100_000, "never busy");
        until("the frame is taken", || gateway.status().routers[0].last_client_seq == sent).await;
    }
    let busy = loop {
        let report = router.report().await;
        if let Some(reject) = report.reject {
            break reject;
        }
    };

    assert!(["GATEWAY_BUSY", "VENUE_NOT_CONNECTED"].contains(&busy.name.as_str()), "{}", busy.name);
    assert!(gateway.metric("venue_queue_bytes") < 64 << 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oms_registers_parents_and_their_quantity_holds() {
    use proto::parent_instruction::Body;
    use proto::parent_orders_client::ParentOrdersClient;
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut client = ParentOrdersClient::connect(gateway.order_entry()).await.expect("a connection");
    let open = |id: &str, symbol: &str| {
        Body::Open(proto::ParentOrder {
            parent_cl_ord_id: id.to_owned(),
            account: "ACC2".to_owned(),
            symbol: symbol.to_owned(),
            side: proto::Side::Buy as i32,
            order_qty: 150,
        })
    };
    let instruction = |request_id, body| proto::ParentInstruction { request_id, body: Some(body) };
    let request = proto::RegisterRequest {
        oms: "oms1".to_owned(),
        token: "token of oms1".to_owned(),
        instructions: vec![instruction(1, open("P1", "AAPL")), instruction(2, open("P2", "NOPE"))],
    };
    let answers = client.register(tokio_stream::once(request)).await.expect("a stream");
    let answer = answers.into_inner().message().await.expect("an answer").expect("results");
    let mut router = Router::log_on(&gateway, "r1").await;
    let child =
        |id: &str| proto::NewOrderSingle { account: "ACC2".to_owned(), parent_cl_ord_id: "P1".to_owned(), ..order(id) };
    router.send(Out::NewOrderSingle(child("C1")));
    let first = router.report().await;
    router.send(Out::NewOrderSingle(child("C2")));
    let second = router.report().await;
    let stranger = proto::RegisterRequest {
        token: "wrong".to_owned(),
        ..proto::RegisterRequest { oms: "oms1".to_owned(), ..Default::default() }
    };
    let refused = client.register(tokio_stream::once(stranger)).await.expect("a stream").into_inner().message().await;

    assert!(answer.results[0].accepted);
    let why = answer.results[1].reject.clone().expect("a reject");
    assert_eq!(("MALFORMED", "symbol: not known to this gateway"), (why.name.as_str(), why.value.as_str()));
    assert_eq!(proto::ExecType::New as i32, first.exec_type);
    assert_eq!("PARENT_OVERFILL", second.reject.expect("a reject").name);
    assert_eq!(tonic::Code::Unauthenticated, refused.expect_err("a status").code());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_began_anew_starts_from_what_the_venue_still_holds() {
    let venue = Venue::start().await;
    {
        let before = Gateway::ready(&venue, Options::default()).await;
        let mut router = Router::log_on(&before, "r1").await;
        for n in 0..3 {
            router.order(&format!("A{n}"));
            let id = router.report().await.order_id;
            venue.lock().fill(id, 100);
            router.report().await;
        }
        before.plane.stop();
    }
    venue.lock().keep_reports(2);
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("B1");
    let first = router.report().await;
    // What it has counted once is not asked for again.
    venue.lock().drop_session();
    until("the venue was logged on to again", || venue.lock().logons.len() == 3).await;
    gateway.until_reconciled().await;
    router.order("B2");
    let second = router.report().await;

    assert_eq!(("B1", proto::ExecType::New as i32), (first.cl_ord_id.as_str(), first.exec_type));
    assert_eq!(("B2", proto::ExecType::New as i32), (second.cl_ord_id.as_str(), second.exec_type));
    assert_eq!(7, venue.lock().logons[2].resume_after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_that_was_lost_with_its_link_is_told_as_refused_and_can_be_sent_again() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    router.report().await;
    venue.lock().deaf = true;
    let replace = |cl_ord_id: &str| {
        Out::OrderCancelReplaceRequest(proto::OrderCancelReplaceRequest {
            cl_ord_id: cl_ord_id.to_owned(),
            orig_cl_ord_id: "A1".to_owned(),
            order_qty: 150,
            price: Some(99 * UNIT),
        })
    };
    let seq = router.send(replace("A2"));
    until("the replace was taken", || gateway.status().routers[0].last_client_seq == seq).await;
    {
        let mut venue = venue.lock();
        venue.away = true;
        venue.drop_session();
    }
    until("the loss is noticed", || !gateway.status().venue_connected).await;
    {
        let mut venue = venue.lock();
        (venue.deaf, venue.away) = (false, false);
    }
    gateway.until_reconciled().await;
    let refused = router.cancel_reject().await;
    router.send(replace("A3"));
    let replaced = router.report().await;

    assert_eq!(("A2", seq), (refused.cl_ord_id.as_str(), refused.client_seq));
    assert_eq!(("A3", 150), (replaced.cl_ord_id.as_str(), replaced.order_qty));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_used_stops_its_account_and_not_the_link() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    let id = router.report().await.order_id;
    {
        let mut venue = venue.lock();
        venue.refer(id, proto::ExecType::TradeCorrect, 999);
        venue.fill(id, 10);
    }
    let trade = router.report().await;
    let swept = router.report().await;
    router.order("A2");
    let halted = router.report().await;

    assert_eq!((10, 10), (trade.last_qty, trade.cum_qty));
    assert_eq!(proto::ExecType::Canceled as i32, swept.exec_type);
    assert_eq!("HALTED", halted.reject.expect("a reject").name);
    assert_eq!(1, venue.lock().logons.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_learns_that_the_venue_refused_a_cancel_of_its_mass_cancel() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    let id = router.report().await.order_id;
    venue.lock().open.remove(&id);
    router.send(Out::OrderMassCancelRequest(proto::OrderMassCancelRequest {
        mass_cancel_request_type: proto::MassCancelRequestType::AllOrders as i32,
        ..proto::OrderMassCancelRequest::default()
    }));
    let refused = router.cancel_reject().await;

    assert_eq!((id, "A1"), (refused.order_id, refused.orig_cl_ord_id.as_str()));
}
