//! Stopping, over real sockets: the cancel lane in a flood, halts by every way in, stopping the gateway, and a panic.

#![allow(clippy::disallowed_methods, reason = "the queues of a test grow with what the test itself sends")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::router::{Router, order};
use common::venue::Venue;
use common::{Gateway, Options, router_scope, until};
use riskgate_server::proto;
use riskgate_server::proto::emergency_halt_client::EmergencyHaltClient;
use riskgate_server::proto::gateway_message::Body as In;
use riskgate_server::proto::order_entry_client::OrderEntryClient;
use riskgate_server::proto::router_message::Body as Out;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Code;

fn cancels(token: &[u8], ids: &[&str]) -> proto::CancelsRequest {
    let cancel = |id: &&str| proto::OrderCancelRequest { orig_cl_ord_id: (*id).to_owned(), cl_ord_id: String::new() };
    proto::CancelsRequest { session_token: token.to_vec(), cancels: ids.iter().map(cancel).collect() }
}

/// Floods a session with orders that are refused, until told to stop.
fn flood(mut router: Router, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<u64> {
    tokio::spawn(async move {
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            let frame = (0..50).map(|_| {
                sent += 1;
                let mut bad = order(&format!("F{sent}"));
                bad.symbol = "NOPE".to_owned();
                router.next(Out::NewOrderSingle(bad))
            });
            let frame = frame.collect();
            router.send_raw(frame);
            for _ in 0..50 {
                if router.try_next_message().await.is_err() {
                    return sent;
                }
            }
        }
        sent
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cancel_lane_works_while_its_own_session_floods() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    router.order("A1");
    router.report().await;
    let token = router.ack.session_token.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let flooding = flood(router, Arc::clone(&stop));
    let mut client = OrderEntryClient::connect(gateway.order_entry()).await.expect("a connection");
    let (sender, messages) = mpsc::unbounded_channel();
    sender.send(cancels(&token, &["A1", "later"])).expect("open");
    let answers = client.cancels(UnboundedReceiverStream::new(messages)).await.expect("a stream");
    let answer = answers.into_inner().message().await.expect("an answer").expect("results");
    until("the order is cancelled", || venue.lock().open.is_empty()).await;
    stop.store(true, Ordering::Relaxed);
    assert!(flooding.await.expect("the flood ends") > 0);

    assert_eq!(vec![true, false], answer.taken.iter().map(|taken| taken.forwarded).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_overtakes_its_order_rejects_it_and_a_wrong_token_ends_the_lane() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    let mut client = OrderEntryClient::connect(gateway.order_entry()).await.expect("a connection");
    let (sender, messages) = mpsc::unbounded_channel();
    sender.send(cancels(&router.ack.session_token, &["A1"])).expect("open");
    let mut answers = client.cancels(UnboundedReceiverStream::new(messages)).await.expect("a stream").into_inner();
    answers.message().await.expect("an answer");
    assert_eq!("A1", router.cancel_reject().await.orig_cl_ord_id);
    router.order("A1");
    let late = router.report().await;
    let stranger = client.cancels(tokio_stream::once(cancels(b"0123456789abcdef", &["A1"]))).await.expect("a stream");

    assert_eq!("CANCELED_BEFORE_ARRIVAL", late.reject.expect("a reject").name);
    let status = stranger.into_inner().message().await.expect_err("a status");
    assert_eq!(Code::Unauthenticated, status.code());
    drop(sender);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_halt_door_stops_one_router_in_a_flood_and_the_others_go_on() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut runaway = Router::log_on(&gateway, "r1").await;
    let mut healthy = Router::log_on(&gateway, "r2").await;
    for n in 0..150 {
        runaway.order(&format!("A{n}"));
        runaway.report().await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flooding = flood(runaway, Arc::clone(&stop));
    let mut door = EmergencyHaltClient::connect(gateway.halt_door()).await.expect("a connection");
    let request = |operator: &str, state: proto::HaltState| proto::HaltRequest {
        scope: Some(router_scope("r1")),
        state: state as i32,
        operator: operator.to_owned(),
        token: format!("token of {operator}"),
        reason: "it runs away".to_owned(),
    };
    let viewer = door.halt(request("viewer", proto::HaltState::Halted)).await.expect_err("a refusal");
    let loosen = door.halt(request("alice", proto::HaltState::Active)).await.expect_err("a refusal");
    let nobody = door.halt(request("bob", proto::HaltState::Halted)).await.expect_err("a refusal");
    let halted = door.halt(request("alice", proto::HaltState::Unspecified)).await.expect("a halt").into_inner();
    until("everything of the router is cancelled", || venue.lock().open.is_empty()).await;
    healthy.order("B1");
    let other = healthy.report().await;
    stop.store(true, Ordering::Relaxed);
    flooding.await.expect("the flood ends");

    assert_eq!(
        [Code::PermissionDenied, Code::InvalidArgument, Code::Unauthenticated],
        [viewer.code(), loosen.code(), nobody.code()]
    );
    assert_eq!((1, 150), (halted.trip_id, halted.open_orders));
    assert_eq!(proto::ExecType::New as i32, other.exec_type);
    let status = gateway.status();
    assert_eq!(proto::HaltState::Halted as i32, status.routers[0].state);
    assert_eq!((1, 0), (status.trips.len(), status.trips[0].cancels_outstanding));
    assert_eq!("alice", status.trips[0].principal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_against_a_latch_is_counted_together_and_every_order_is_answered() {
    let venue = Venue::start().await;
    let directory = std::env::temp_dir().join(format!("riskgate-flood-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join("records.log");
    let gateway = Gateway::ready(&venue, Options { journal_file: Some(file.clone()), ..Options::default() }).await;
    let halt = proto::HaltScopeRequest {
        scope: Some(router_scope("r1")),
        reason: "test".to_owned(),
        ..proto::HaltScopeRequest::default()
    };
    let mut router = Router::log_on(&gateway, "r1").await;
    let _: proto::HaltScopeResponse = gateway.admin("HaltScope", &halt);
    const ORDERS: u64 = 20_000;
    for n in 0..ORDERS / 200 {
        let frame = (0..200).map(|k| router.next(Out::NewOrderSingle(order(&format!("F{}", n * 200 + k)))));
        let frame = frame.collect();
        router.send_raw(frame);
    }
    for _ in 0..ORDERS {
        assert_eq!("HALTED", router.report().await.reject.expect("a reject").name);
    }
    let dropped = gateway.metric("dropped_attempts_total");
    let status = gateway.status();
    drop(gateway);
    let records: Vec<_> =
        riskgate_journal::Reader::open(&file).expect("a file").map(|r| r.expect("a record")).collect();
    std::fs::remove_dir_all(&directory).expect("clean up");
    let decoded: Vec<_> = records.iter().map(|r| riskcore::record::decode(&r.payload).expect("a record")).collect();
    let counted: u64 = decoded
        .iter()
        .map(|record| match record.event {
            riskcore::Event::AttemptsDropped { count, .. } => u64::from(count),
            riskcore::Event::NewOrder(_) => 1,
            _ => 0,
        })
        .sum();

    // How many depends on the machine: 64 per 10 ms are always decided one by one.
    assert!(dropped > 0, "none were counted together");
    assert_eq!(ORDERS, status.routers[0].orders_rejected);
    assert_eq!(ORDERS, counted);
    assert!(decoded.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq && pair[0].time <= pair[1].time));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_of_a_day_replayed_give_the_same_state() {
    let venue = Venue::start().await;
    let directory = std::env::temp_dir().join(format!("riskgate-replay-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join("records.log");
    let gateway = Gateway::ready(&venue, Options { journal_file: Some(file.clone()), ..Options::default() }).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    for n in 0..50 {
        router.order(&format!("A{n}"));
        let id = router.report().await.order_id;
        if n % 2 == 0 {
            venue.lock().fill(id, 100);
            router.report().await;
        }
    }
    let live = gateway.status();
    let positions: proto::ListPositionsResponse =
        gateway.admin("ListPositions", &proto::ListPositionsRequest::default());
    drop(gateway);
    let reader = riskgate_journal::Reader::open(&file).expect("a file");
    let header = reader.header();
    let mut engine = riskcore::Engine::new(&riskcore::EngineConfig {
        epoch: header.epoch,
        trading_day: header.trading_day,
        seed: header.seed,
        max_orders: header.max_orders as usize,
        max_pairs: header.max_pairs as usize,
        max_parents: header.max_parents as usize,
        in_flight_mitigation: header.in_flight_mitigation,
    });
    for record in reader {
        let record = riskcore::record::decode(&record.expect("a record").payload).expect("an event");
        let outcome = engine.apply(record.time, &record.event);
        assert_eq!(record.decision, riskcore::record::decision_of(&outcome), "record {}", record.seq);
    }
    std::fs::remove_dir_all(&directory).expect("clean up");

    assert_eq!(live.orders_accepted, engine.state().counters.accepted);
    let cell =
        engine.state().scopes.iter().find(|(_, scope)| matches!(scope, riskcore::scopes::Scope::AccountSymbol(..)));
    let (ix, _) = cell.expect("a cell");
    assert_eq!(positions.positions[0].position, engine.state().books[ix.at()].position);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_file_and_a_unix_socket_halt_without_the_network() {
    let venue = Venue::start().await;
    let directory = std::env::temp_dir().join(format!("riskgate-halt-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let (file, socket) = (directory.join("HALT"), directory.join("halt.sock"));
    let options = Options { halt_file: Some(file.clone()), halt_socket: Some(socket.clone()), ..Options::default() };
    let gateway = Gateway::ready(&venue, options).await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("unix:{}", socket.display())).expect("an address");
    let mut door = EmergencyHaltClient::new(endpoint.connect().await.expect("a connection"));
    let request = proto::HaltRequest {
        scope: Some(router_scope("r2")),
        operator: "alice".to_owned(),
        token: "token of alice".to_owned(),
        ..proto::HaltRequest::default()
    };
    door.halt(request).await.expect("a halt");
    std::fs::write(&file, "router:r1\n").expect("a file");
    until("the file halts its router", || gateway.status().trips.len() == 2).await;
    std::fs::write(&file, "").expect("a file");
    until("an empty file halts the firm", || gateway.status().firm_state == proto::HaltState::Halted as i32).await;
    std::fs::remove_dir_all(&directory).expect("clean up");

    let states: Vec<i32> = gateway.status().routers.iter().map(|router| router.state).collect();
    assert_eq!(vec![proto::HaltState::Halted as i32; 3], states);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_reinstate_and_the_router_is_told() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    let halt = proto::HaltScopeRequest { scope: Some(router_scope("r1")), reason: "test".to_owned(), state: 0 };
    let halted: proto::HaltScopeResponse = gateway.admin("HaltScope", &halt);
    let Some(In::HaltNotice(notice)) = router.next_message().await.body else { panic!("not a notice") };
    let propose = proto::ProposeReinstateRequest {
        scope: Some(router_scope("r1")),
        trip_id: halted.trip_id,
        reason: "fixed".to_owned(),
    };
    let proposal: proto::ProposeReinstateResponse = gateway.admin("ProposeReinstate", &propose);
    let approve = proto::ApproveProposalRequest { proposal_id: proposal.proposal_id };
    let bytes = prost::Message::encode_to_vec(&approve);
    let same = gateway.plane.admin("ApproveProposal", bytes.clone(), "alice");
    gateway.plane.admin("ApproveProposal", bytes, "bob").expect("an approval");
    let Some(In::HaltNotice(reinstated)) = router.next_message().await.body else { panic!("not a notice") };
    router.order("A1");

    assert_eq!((halted.trip_id, "alice"), (notice.trip_id, notice.principal.as_str()));
    assert!(same.is_err_and(|e| e.to_string().contains("SAME_PERSON")));
    assert_eq!(proto::HaltState::Active as i32, reinstated.state);
    assert_eq!(proto::ExecType::New as i32, router.report().await.exec_type);
    let events = gateway.plane.next_events(0, std::time::Duration::ZERO);
    let events: Vec<proto::StreamEventsResponse> =
        events.iter().map(|event| prost::Message::decode(&event[..]).expect("an event")).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    let text = events.iter().find(|event| event.kind == "reinstate").map(|event| event.text.as_str());
    assert_eq!(Some("reinstate router:r1, halted by trip 1; proposed by alice, approved by bob"), text);
    for kind in ["venue", "session", "halt", "halt_clean", "proposal", "reinstate"] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_the_gateway_logs_routers_out_and_leaves_nothing_resting() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r1").await;
    for n in 0..20 {
        router.order(&format!("A{n}"));
        router.report().await;
    }
    let stopping = tokio::task::spawn_blocking(move || gateway.plane.stop());
    let status = router.end().await;
    stopping.await.expect("it stops");

    assert_eq!(Code::Ok, status.code(), "{status:?}");
    assert!(venue.lock().open.is_empty());
}

/// Not a test of its own: what the next test runs in a process that is meant to die.
#[test]
#[ignore = "run by a_panic_on_a_data_plane_thread_ends_the_process"]
fn panic_on_a_data_plane_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let venue = runtime.block_on(Venue::start());
    let _gateway = Gateway::start(&venue, Options::default());
    let panicking = std::thread::Builder::new().name("riskgate-io".to_owned()).spawn(|| panic!("half applied"));
    let _ = panicking.expect("a thread").join();
}

#[test]
fn a_panic_on_a_data_plane_thread_ends_the_process() {
    use std::os::unix::process::ExitStatusExt;
    let this = std::env::current_exe().expect("this test's program");
    let output = std::process::Command::new(this)
        .args(["--ignored", "--exact", "panic_on_a_data_plane_thread", "--nocapture"])
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stderr);

    assert_eq!(Some(6), output.status.signal(), "{said}");
    assert!(said.contains("half applied") && said.contains("riskgate-io"), "{said}");
}
