//! The stub as a gateway sees it, through the generated client and real sockets.

#![allow(clippy::disallowed_methods, reason = "a test's streams are short")]

use std::net::SocketAddr;
use std::time::Duration;

use riskgate_load::proto::exchange_client::ExchangeClient;
use riskgate_load::proto::exchange_message::Body as In;
use riskgate_load::proto::exchange_request::Body as Out;
use riskgate_load::proto::{
    DropCopyRequest, ExchangeCancelsRequest, ExchangeLogon, ExchangeMessage, ExchangeRequest, ExchangeSessionRequest,
    ExchangeSessionResponse, ExecType, MarketDataRequest, MassStatusRequest, OrdType, Quote, Side, TimeInForce,
    VenueCancel, VenueHeartbeat, VenueNewOrder, VenueReplace,
};
use riskgate_load::stub::{StubConfig, VenueStub};
use tokio::sync::mpsc;
use tonic::codegen::tokio_stream::Stream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

const DEADLINE: Duration = Duration::from_secs(60);

/// A request stream fed through a bounded channel.
struct Requests<T>(mpsc::Receiver<T>);

impl<T> Stream for Requests<T> {
    type Item = T;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<T>> {
        self.0.poll_recv(cx)
    }
}

/// One session; messages come out one by one, heartbeats left out.
struct Session {
    requests: mpsc::Sender<ExchangeSessionRequest>,
    responses: Streaming<ExchangeSessionResponse>,
    waiting: std::collections::VecDeque<ExchangeMessage>,
}

impl Session {
    async fn open(address: SocketAddr) -> Self {
        let (requests, stream) = mpsc::channel(64);
        let responses = client(address).await.session(Requests(stream)).await.expect("a stream").into_inner();
        Self { requests, responses, waiting: Default::default() }
    }

    async fn logged_on(address: SocketAddr, epoch: u32, resume_after: u64) -> Self {
        let mut session = Self::open(address).await;
        session.send([(0, logon(epoch, resume_after, false))]).await;
        assert!(matches!(session.next().await, Ok(Some((0, In::LogonAck(_))))));
        session
    }

    async fn send(&self, messages: impl IntoIterator<Item = (u64, Out)>) {
        let request = |(client_seq, body)| ExchangeRequest { client_seq, body: Some(body) };
        let messages = messages.into_iter().map(request).collect();
        // A session that the stub has ended takes no more: the test sees that in the responses.
        let _ = self.requests.send(ExchangeSessionRequest { messages }).await;
    }

    async fn next(&mut self) -> Result<Option<(u64, In)>, Status> {
        loop {
            while let Some(message) = self.waiting.pop_front() {
                let body = message.body.expect("every message has a body");
                if body != In::Heartbeat(VenueHeartbeat { test_req_id: 0 }) {
                    return Ok(Some((message.venue_seq, body)));
                }
            }
            let response = tokio::time::timeout(DEADLINE, self.responses.message()).await.expect("in time")?;
            match response {
                Some(response) => self.waiting.extend(response.messages),
                None => return Ok(None),
            }
        }
    }

    async fn report(&mut self) -> (u64, u64, ExecType) {
        match self.next().await {
            Ok(Some((seq, In::Report(report)))) => (seq, report.cl_ord_id, report.exec_type()),
            other => panic!("expected a report: {other:?}"),
        }
    }

    async fn status(&mut self) -> Status {
        match self.next().await {
            Err(status) => status,
            other => panic!("expected the end of the session: {other:?}"),
        }
    }
}

async fn client(address: SocketAddr) -> ExchangeClient<Channel> {
    ExchangeClient::connect(format!("http://{address}")).await.expect("the stub listens")
}

fn stub() -> VenueStub {
    let quote = |symbol: &str| Quote { symbol: symbol.to_owned(), bid_px: 1, offer_px: 2, ..Quote::default() };
    let quotes = vec![quote("AAPL"), quote("MSFT")];
    VenueStub::start(StubConfig { quotes, quote_interval_ms: 1, ..StubConfig::default() }).expect("a free port")
}

fn logon(epoch: u32, resume_after: u64, cancel_on_disconnect: bool) -> Out {
    Out::Logon(ExchangeLogon { gateway: "gw1".to_owned(), epoch, resume_after, cancel_on_disconnect })
}

fn day_order(cl_ord_id: u64) -> Out {
    Out::NewOrder(VenueNewOrder {
        cl_ord_id,
        account: "ACC1".to_owned(),
        symbol: "AAPL".to_owned(),
        side: Side::Buy.into(),
        ord_type: OrdType::Limit.into(),
        time_in_force: TimeInForce::Day.into(),
        order_qty: 100,
        price: Some(1),
        ..VenueNewOrder::default()
    })
}

#[tokio::test]
async fn mass_status_lists_every_open_order_and_ends_complete() {
    let stub = stub();
    let mut session = Session::logged_on(stub.address(), 1, 0).await;
    // More than fit one frame of entries.
    session.send((1..=600).map(|id| (id, day_order(id)))).await;
    session.send([(601, Out::Cancel(VenueCancel { cl_ord_id: 300 }))]).await;
    session.send([(0, Out::MassStatusRequest(MassStatusRequest { request_id: 9 }))]).await;

    for id in 1..=600 {
        assert_eq!((id, id, ExecType::New), session.report().await);
    }
    assert_eq!((601, 300, ExecType::Canceled), session.report().await);
    for id in (1..=600).filter(|id| *id != 300) {
        let Ok(Some((0, In::MassStatusEntry(entry)))) = session.next().await else { panic!("an entry for {id}") };
        assert_eq!((9, id, 100, 100), (entry.request_id, entry.cl_ord_id, entry.order_qty, entry.leaves_qty));
    }
    let Ok(Some((0, In::MassStatusEnd(end)))) = session.next().await else { panic!("the end") };
    assert_eq!((9, 601, true, true), (end.request_id, end.last_client_seq_processed, end.complete, end.fenced));
}

#[tokio::test]
async fn a_new_session_fences_the_old_one_and_gets_the_missed_reports() {
    let stub = stub();
    let mut old = Session::logged_on(stub.address(), 1, 0).await;
    old.send([(1, day_order(1)), (2, day_order(2))]).await;
    assert_eq!((1, 1, ExecType::New), old.report().await);
    let mut new = Session::logged_on(stub.address(), 1, 1).await;

    assert_eq!((2, 2, ExecType::New), new.report().await);
    assert_eq!((2, 2, ExecType::New), old.report().await);
    assert_eq!(Code::Aborted, old.status().await.code());
    new.send([(3, day_order(3))]).await;
    assert_eq!((3, 3, ExecType::New), new.report().await);
}

#[tokio::test]
async fn a_lower_epoch_is_refused_and_names_the_one_in_force() {
    let stub = stub();
    let _newer = Session::logged_on(stub.address(), 2, 0).await;
    let mut older = Session::open(stub.address()).await;
    older.send([(0, logon(1, 0, false))]).await;

    let status = older.status().await;
    assert_eq!((Code::FailedPrecondition, true), (status.code(), status.message().contains("epoch 2 is in force")));
}

#[tokio::test]
async fn what_no_gateway_may_send_ends_the_session_with_its_reason() {
    type Row = (Vec<(u64, Out)>, Code, &'static str);
    let rows: [Row; 4] = [
        (vec![(1, day_order(1))], Code::FailedPrecondition, "must be logon"),
        (
            vec![(0, logon(1, 0, false)), (1, day_order(1)), (3, day_order(2))],
            Code::OutOfRange,
            "client_seq 3 leaves a gap: 2 is next",
        ),
        (vec![(0, logon(1, 0, false)), (0, logon(1, 0, false))], Code::FailedPrecondition, "second logon"),
        (
            vec![
                (0, logon(1, 0, false)),
                (0, Out::MassStatusRequest(MassStatusRequest { request_id: 1 })),
                (0, Out::MassStatusRequest(MassStatusRequest { request_id: 2 })),
            ],
            Code::ResourceExhausted,
            "mass status",
        ),
    ];
    for (messages, code, text) in rows {
        let stub = stub();
        let mut session = Session::open(stub.address()).await;
        session.send(messages).await;
        let status = session.status().await;

        assert_eq!(code, status.code(), "{status:?}");
        assert!(status.message().contains(text), "{status:?}");
    }
}

#[tokio::test]
async fn replaces_and_unknown_orders_are_answered() {
    let stub = stub();
    let mut session = Session::logged_on(stub.address(), 1, 0).await;
    let replace = |cl_ord_id| Out::Replace(VenueReplace { cl_ord_id, order_qty: 50, price: Some(2) });
    let cancel = Out::Cancel(VenueCancel { cl_ord_id: 8 });
    session.send([(1, day_order(7)), (2, replace(7)), (3, replace(8)), (4, cancel)]).await;

    assert_eq!((1, 7, ExecType::New), session.report().await);
    let Ok(Some((2, In::Report(replaced)))) = session.next().await else { panic!("a Replaced") };
    assert_eq!((ExecType::Replaced, 50), (replaced.exec_type(), replaced.leaves_qty));
    assert!(matches!(session.next().await, Ok(Some((3, In::CancelReject(reject)))) if reject.cl_ord_id == 8));
    assert!(matches!(session.next().await, Ok(Some((4, In::CancelReject(reject)))) if reject.cl_ord_id == 8));
}

#[tokio::test]
async fn the_cancel_stream_reports_on_the_session() {
    let stub = stub();
    let mut session = Session::logged_on(stub.address(), 1, 0).await;
    session.send([(1, day_order(7))]).await;
    assert_eq!((1, 7, ExecType::New), session.report().await);
    let (requests, stream) = mpsc::channel(4);
    let mut answers = client(stub.address()).await.cancels(Requests(stream)).await.expect("a stream").into_inner();
    let cancels = vec![VenueCancel { cl_ord_id: 7 }];
    requests.send(ExchangeCancelsRequest { gateway: "gw1".to_owned(), cancels }).await.expect("open");

    assert_eq!(Some(1), answers.message().await.expect("an answer").map(|answer| answer.taken));
    assert_eq!((2, 7, ExecType::Canceled), session.report().await);
}

#[tokio::test]
async fn a_lost_session_cancels_its_orders_when_asked_to() {
    let stub = stub();
    let mut session = Session::open(stub.address()).await;
    session.send([(0, logon(1, 0, true)), (1, day_order(7))]).await;
    assert!(matches!(session.next().await, Ok(Some((0, In::LogonAck(_))))));
    assert_eq!((1, 7, ExecType::New), session.report().await);
    drop(session);
    while stub.venue().counts().open_orders > 0 {
        tokio::task::yield_now().await;
    }
    let mut session = Session::logged_on(stub.address(), 1, 1).await;

    assert_eq!((2, 7, ExecType::Canceled), session.report().await);
}

#[tokio::test]
async fn quotes_are_repeated_and_follow_changes() {
    let stub = stub();
    let symbols = vec!["MSFT".to_owned()];
    let mut feed =
        client(stub.address()).await.market_data(MarketDataRequest { symbols }).await.expect("a stream").into_inner();
    let first = feed.message().await.expect("quotes").expect("quotes").quotes;
    stub.venue().quotes().set(Quote { symbol: "MSFT".to_owned(), bid_px: 5, offer_px: 6, ..Quote::default() });
    let changed = loop {
        let quotes = feed.message().await.expect("quotes").expect("quotes").quotes;
        if quotes[0].bid_px == 5 {
            break quotes;
        }
    };

    assert_eq!((1, "MSFT"), (first.len(), first[0].symbol.as_str()));
    assert!(changed[0].transact_time > first[0].transact_time);
}

#[tokio::test]
async fn heartbeats_are_echoed() {
    let stub = stub();
    let mut session = Session::logged_on(stub.address(), 1, 0).await;
    session.send([(0, Out::Heartbeat(VenueHeartbeat { test_req_id: 9 }))]).await;

    assert!(matches!(session.next().await, Ok(Some((0, In::Heartbeat(VenueHeartbeat { test_req_id: 9 }))))));
}

#[tokio::test]
async fn what_the_stub_does_not_serve_it_says() {
    let stub = stub();
    let status = client(stub.address()).await.drop_copy(DropCopyRequest::default()).await.expect_err("no drop copy");

    assert_eq!(Code::Unimplemented, status.code());
}
