//! Bad input, over real sockets: each row is one fault, and what the gateway says to it.

mod common;

use common::router::{Router, logon, order, raw};
use common::venue::Venue;
use common::{DEADLINE, Gateway, Options, UNIT, until};
use riskgate_server::proto;
use riskgate_server::proto::router_message::Body as Out;
use tonic::{Code, Status};

/// A change of a good order, and the reject's name and field.
type Row = (&'static str, fn(&mut proto::NewOrderSingle), &'static str, &'static str);

const ROWS: &[Row] = &[
    ("id missing", |o| o.cl_ord_id.clear(), "MALFORMED", "cl_ord_id: missing"),
    ("id too long", |o| o.cl_ord_id = "x".repeat(37), "MALFORMED", "cl_ord_id: must be"),
    ("id with a space", |o| o.cl_ord_id = "a b".to_owned(), "MALFORMED", "cl_ord_id: must be"),
    ("id not ASCII", |o| o.cl_ord_id = "ä".to_owned(), "MALFORMED", "cl_ord_id: must be"),
    ("side missing", |o| o.side = 0, "MALFORMED", "side: missing"),
    ("side unknown", |o| o.side = 99, "MALFORMED", "side: unknown value 99"),
    ("side negative", |o| o.side = -1, "MALFORMED", "side: unknown value"),
    ("type missing", |o| o.ord_type = 0, "MALFORMED", "ord_type: missing"),
    ("type unknown", |o| o.ord_type = 51, "MALFORMED", "ord_type: unknown value 51"),
    ("lifetime missing", |o| o.time_in_force = 0, "MALFORMED", "time_in_force: missing"),
    ("lifetime unknown", |o| o.time_in_force = 7, "MALFORMED", "time_in_force: unknown value 7"),
    ("account missing", |o| o.account.clear(), "UNKNOWN_ACCOUNT", ""),
    ("account unknown", |o| o.account = "NOPE".to_owned(), "UNKNOWN_ACCOUNT", ""),
    ("account of others", |o| o.account = "ACC3".to_owned(), "ACCOUNT_NOT_PERMITTED", ""),
    ("symbol missing", |o| o.symbol.clear(), "UNKNOWN_SYMBOL", ""),
    ("symbol unknown", |o| o.symbol = "NOPE".repeat(1_000), "UNKNOWN_SYMBOL", ""),
    ("strategy unknown", |o| o.strategy = "NOPE".to_owned(), "UNKNOWN_STRATEGY", ""),
    ("parent unknown", |o| o.parent_cl_ord_id = "NOPE".to_owned(), "UNKNOWN_PARENT", ""),
    ("parent missing", |o| o.account = "ACC2".to_owned(), "PARENT_REQUIRED", ""),
    ("quantity 0", |o| o.order_qty = 0, "INVALID_QUANTITY", ""),
    ("quantity negative", |o| o.order_qty = -100, "INVALID_QUANTITY", ""),
    ("quantity least", |o| o.order_qty = i64::MIN, "INVALID_QUANTITY", ""),
    ("quantity most", |o| o.order_qty = i64::MAX, "MAX_ORDER_QTY", ""),
    ("price missing", |o| o.price = None, "INVALID_PRICE", ""),
    ("price 0", |o| o.price = Some(0), "INVALID_PRICE", ""),
    ("price negative", |o| o.price = Some(-UNIT), "INVALID_PRICE", ""),
    ("price least", |o| o.price = Some(i64::MIN), "INVALID_PRICE", ""),
    ("price off tick", |o| o.price = Some(100 * UNIT + 1), "INVALID_TICK", ""),
    ("price of a market order", |o| o.ord_type = 49, "INVALID_PRICE", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_order_gets_its_reject_and_the_others_of_its_frame_go_on() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    for (n, (fault, change, name, field)) in ROWS.iter().enumerate() {
        let mut bad = order(&format!("bad{n}"));
        change(&mut bad);
        let before = router.next(Out::NewOrderSingle(order(&format!("before{n}"))));
        let middle = router.next(Out::NewOrderSingle(bad));
        let after = router.next(Out::NewOrderSingle(order(&format!("after{n}"))));
        let seq = middle.client_seq;
        router.send_raw(vec![before, middle, after]);
        let mut accepted = 0;
        let mut rejected = None;
        for _ in 0..3 {
            let report = router.report().await;
            match report.reject.clone() {
                Some(reject) => rejected = Some((report, reject)),
                None => accepted += 1,
            }
        }

        let (report, reject) = rejected.unwrap_or_else(|| panic!("{fault}: not rejected"));
        assert_eq!((2, *name), (accepted, reject.name.as_str()), "{fault}");
        assert_eq!(seq, report.client_seq, "{fault}");
        assert!(reject.code > 0, "{fault}");
        assert!(reject.value.starts_with(field) || field.is_empty(), "{fault}: {}", reject.value);
        assert!(report.text.starts_with(field), "{fault}: {}", report.text);
    }
    assert_eq!(2 * ROWS.len(), venue.lock().orders.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_and_replaces_that_cannot_be_understood_are_refused_by_field() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    let replace = |orig: &str| {
        Out::OrderCancelReplaceRequest(proto::OrderCancelReplaceRequest {
            cl_ord_id: "B".to_owned(),
            orig_cl_ord_id: orig.to_owned(),
            order_qty: 1,
            price: None,
        })
    };
    let mass = |kind| {
        Out::OrderMassCancelRequest(proto::OrderMassCancelRequest {
            cl_ord_id: "M".to_owned(),
            mass_cancel_request_type: kind,
            symbol: String::new(),
        })
    };
    for (body, field) in [
        (replace(""), "orig_cl_ord_id: missing"),
        (Out::OrderCancelRequest(proto::OrderCancelRequest::default()), "orig_cl_ord_id: missing"),
        (mass(0), "mass_cancel_request_type: missing"),
        (mass(49), "symbol: missing"),
        (mass(3), "mass_cancel_request_type: unknown value 3"),
    ] {
        router.send(body);
        let reject = router.cancel_reject().await.reject.expect("a reason");
        assert_eq!(("MALFORMED", field), (reject.name.as_str(), reject.value.as_str()));
    }
    router.send(replace("nobody"));
    assert_eq!(proto::CxlRejReason::UnknownOrder as i32, router.cancel_reject().await.cxl_rej_reason);
    router.order("A1");
    assert_eq!(proto::ExecType::New as i32, router.report().await.exec_type);
}

/// The status a stream ends with after these frames.
async fn status_of(gateway: &Gateway, frames: Vec<proto::SessionRequest>) -> Status {
    let (sender, mut inbound) = raw(gateway).await;
    for frame in frames {
        let _ = sender.send(frame);
    }
    loop {
        match tokio::time::timeout(DEADLINE, inbound.message()).await.expect("an end in time") {
            Ok(Some(_)) => {}
            Ok(None) => return Status::ok("end of stream"),
            Err(status) => return status,
        }
    }
}

fn frame(messages: Vec<proto::RouterMessage>) -> proto::SessionRequest {
    proto::SessionRequest { messages }
}

fn sequenced(client_seq: u64, body: Option<Out>) -> proto::RouterMessage {
    proto::RouterMessage { client_seq, body }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_the_rules_ends_with_a_status_that_says_which() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let good = |seq| sequenced(seq, Some(Out::NewOrderSingle(order(&format!("A{seq}")))));
    let wrong_token = {
        let mut message = logon("r1", None);
        if let Some(Out::Logon(logon)) = &mut message.body {
            logon.token = "wrong".to_owned();
        }
        message
    };
    let unknown_router = logon("nobody", None);
    let mut too_large = order("large");
    too_large.symbol = "x".repeat(70_000);
    let rows: Vec<(&str, Vec<proto::SessionRequest>, Code, &str)> = vec![
        ("order first", vec![frame(vec![good(1)])], Code::FailedPrecondition, "must be a logon"),
        ("wrong token", vec![frame(vec![wrong_token])], Code::Unauthenticated, "name and token"),
        ("unknown router", vec![frame(vec![unknown_router])], Code::Unauthenticated, "name and token"),
        ("future resume", vec![frame(vec![logon("r1", Some(99))])], Code::InvalidArgument, "resume_after is 99"),
        ("two logons", vec![frame(vec![logon("r1", None), logon("r1", None)])], Code::FailedPrecondition, "already"),
        ("no sequence", vec![frame(vec![logon("r1", None), good(0)])], Code::InvalidArgument, "client_seq: missing"),
        ("last sequence", vec![frame(vec![logon("r1", None), good(u64::MAX)])], Code::OutOfRange, "was expected"),
        (
            "257 messages",
            vec![frame(vec![logon("r1", None)]), frame((1..=257).map(good).collect())],
            Code::InvalidArgument,
            "at most 256",
        ),
        (
            "70 kB",
            vec![frame(vec![logon("r1", None)]), frame(vec![sequenced(1, Some(Out::NewOrderSingle(too_large)))])],
            Code::OutOfRange,
            "65536",
        ),
    ];
    for (fault, frames, code, text) in rows {
        until("the router is free", || !gateway.status().routers[0].connected).await;
        let status = status_of(&gateway, frames).await;
        assert_eq!(code, status.code(), "{fault}: {status:?}");
        assert!(status.message().contains(text), "{fault}: {}", status.message());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_body_and_an_old_number_are_refused_and_the_session_lives() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    let empty = proto::RouterMessage { client_seq: router.next_seq, body: None };
    router.next_seq += 1;
    router.send_raw(vec![empty]);
    assert_eq!("body: missing", router.report().await.text);
    for n in 0..9_000 {
        let mut bad = order(&format!("A{n}"));
        bad.symbol = "NOPE".to_owned();
        router.send(Out::NewOrderSingle(bad));
        router.report().await;
    }
    let mut old = sequenced(2, Some(Out::NewOrderSingle(order("old"))));
    old.client_seq = 2;
    router.send_raw(vec![old]);
    assert_eq!("STALE_ID", router.report().await.reject.expect("a reject").name);
}

/// Sends bytes as one gRPC message on `path`, and gives the `grpc-status` the gateway ends the stream with.
async fn send_bytes(gateway: &Gateway, path: &'static str, bytes: Vec<u8>) -> Code {
    use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
    #[derive(Clone, Default)]
    struct Raw;
    impl Codec for Raw {
        type Encode = Vec<u8>;
        type Decode = ();
        type Encoder = Raw;
        type Decoder = Raw;
        fn encoder(&mut self) -> Raw {
            Raw
        }
        fn decoder(&mut self) -> Raw {
            Raw
        }
    }
    impl Encoder for Raw {
        type Item = Vec<u8>;
        type Error = Status;
        fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
            bytes::BufMut::put_slice(out, &item);
            Ok(())
        }
    }
    impl Decoder for Raw {
        type Item = ();
        type Error = Status;
        fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
            bytes::Buf::advance(src, bytes::Buf::remaining(src));
            Ok(Some(()))
        }
    }
    let endpoint = tonic::transport::Endpoint::from_shared(gateway.order_entry()).expect("an address");
    let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.expect("a connection"));
    grpc.ready().await.expect("ready");
    let request = tonic::Request::new(tokio_stream::once(bytes));
    let response = match grpc.streaming(request, http::uri::PathAndQuery::from_static(path), Raw).await {
        Ok(response) => response,
        Err(status) => return status.code(),
    };
    let mut inbound = response.into_inner();
    loop {
        match tokio::time::timeout(DEADLINE, inbound.message()).await.expect("an end in time") {
            Ok(Some(())) => {}
            Ok(None) => return Code::Ok,
            Err(status) => return status.code(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_end_their_stream_and_nothing_else() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut healthy = Router::log_on(&gateway, "r2").await;
    let paths = [
        "/riskgate.v1.OrderEntry/Session",
        "/riskgate.v1.OrderEntry/Cancels",
        "/riskgate.v1.OrderEntry/CheckOrder",
        "/riskgate.v1.ParentOrders/Register",
        "/riskgate.v1.Nothing/Here",
    ];
    // A small generator with a fixed seed: the same bytes in every run.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for n in 0..200 {
        let path = paths[n % paths.len()];
        let length = (random() % 60) as usize + 1;
        let mut bytes: Vec<u8> = (0..length).map(|_| random() as u8).collect();
        if n % 2 == 0 {
            // A plausible beginning, so that the nested readers are reached.
            bytes[0] = 0x0a;
            if length > 1 {
                bytes[1] = (length - 2) as u8;
            }
        }
        send_bytes(&gateway, path, bytes).await;
    }
    let truncated = send_bytes(&gateway, paths[0], vec![0x0a, 0x7f, 0x01]).await;
    healthy.order("A1");

    assert_eq!(Code::InvalidArgument, truncated);
    assert_eq!(proto::ExecType::New as i32, healthy.report().await.exec_type);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_cap_are_closed_and_operators_still_get_in() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options { max_sessions: 1, ..Options::default() }).await;
    let address = gateway.plane.order_entry_address;
    let mut idle = Vec::new();
    for _ in 0..34 {
        idle.push(tokio::net::TcpStream::connect(address).await.expect("a connection"));
    }
    let mut one_more = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let mut byte = [0; 1];
    let read = tokio::io::AsyncReadExt::read(&mut one_more, &mut byte);
    let read = tokio::time::timeout(DEADLINE, read).await.expect("closed in time");

    assert!(matches!(read, Ok(0) | Err(_)), "the connection is closed");
    assert!(gateway.status().venue_connected);
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_the_order_would_get_and_places_nothing() {
    use proto::order_entry_client::OrderEntryClient;
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut client = OrderEntryClient::connect(gateway.order_entry()).await.expect("a connection");
    let request = |token: &str, order| proto::CheckOrderRequest {
        router: "r1".to_owned(),
        token: token.to_owned(),
        order: Some(order),
    };
    let good = client.check_order(request("token of r1", order("A1"))).await.expect("a verdict").into_inner();
    let large = proto::NewOrderSingle { order_qty: 1_000_000, ..order("A2") };
    let bad = client.check_order(request("token of r1", large)).await.expect("a verdict").into_inner();
    let stranger = client.check_order(request("wrong", order("A3"))).await.expect_err("a refusal");

    assert!(good.accepted);
    let reject = bad.reject.expect("a reject");
    assert_eq!((false, "MAX_ORDER_QTY", "100000"), (bad.accepted, reject.name.as_str(), reject.limit.as_str()));
    assert_eq!(Code::Unauthenticated, stranger.code());
    assert!(venue.lock().orders.is_empty());
}

/// The SETTINGS that the order port sends, by number.
async fn settings(gateway: &Gateway) -> std::collections::BTreeMap<u16, u32> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(gateway.plane.order_entry_address).await.expect("a connection");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("a preface");
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.expect("a frame");
    assert_eq!(4, head[3], "the first frame is SETTINGS");
    let mut body = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut body).await.expect("its body");
    let entry = |e: &[u8]| (u16::from_be_bytes([e[0], e[1]]), u32::from_be_bytes([e[2], e[3], e[4], e[5]]));
    body.chunks_exact(6).map(entry).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_port_says_its_limits_to_every_peer() {
    let venue = Venue::start().await;
    let gateway = Gateway::start(&venue, Options::default());
    let settings = tokio::time::timeout(DEADLINE, settings(&gateway)).await.expect("an answer in time");

    // RFC 9113 6.5.2: streams, stream window, frame size, header list.
    let named = [3, 4, 5, 6].map(|number| settings.get(&number).copied());
    assert_eq!([Some(100), Some(32 << 10), Some(16 << 10), Some(8 << 10)], named);
    assert!(gateway.plane.knobs.contains("max_concurrent_streams=100"));
}
