//! The generator as a gateway sees it: a small order-entry server made of the generated types.

#![allow(clippy::disallowed_methods, reason = "a test's streams are short")]

mod support;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use riskgate_load::flood::{FloodConfig, Protocol, SessionReport};
use riskgate_load::proto::gateway_message::Body as Answer;
use riskgate_load::proto::order_entry_server::{OrderEntry, OrderEntryServer};
use riskgate_load::proto::router_message::Body as Ask;
use riskgate_load::proto::{
    CancelsRequest, CancelsResponse, CheckOrderRequest, CheckOrderResponse, ExecType, ExecutionReport, GatewayMessage,
    HaltNotice, Heartbeat, LogonAck, NewOrderSingle, OrdStatus, RejectDetail, SessionRequest, SessionResponse,
};
use support::{flood, run, session};
use tokio::sync::{mpsc, oneshot};
use tonic::codegen::tokio_stream::Stream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

const TODAY: u64 = 41;
const PING: u64 = 7;

/// What the gateway saw.
#[derive(Debug, Default)]
struct Seen {
    logons: Vec<(String, String)>,
    orders: u64,
    gaps: u64,
    largest_frame: usize,
    echoes: u64,
    logouts: u64,
}

/// Answers orders in turn: New, a reject, a fill in two reports of which the second has no client_seq.
#[derive(Clone, Debug, Default)]
struct Gateway {
    seen: Arc<Mutex<Seen>>,
    /// Keeps every answer to itself.
    silent: bool,
}

struct Answers(mpsc::Receiver<Result<SessionResponse, Status>>);

impl Stream for Answers {
    type Item = Result<SessionResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

#[tonic::async_trait]
impl OrderEntry for Gateway {
    type SessionStream = Answers;
    type CancelsStream = Pin<Box<dyn Stream<Item = Result<CancelsResponse, Status>> + Send>>;

    async fn session(&self, request: Request<Streaming<SessionRequest>>) -> Result<Response<Answers>, Status> {
        let (answers, stream) = mpsc::channel(16);
        tokio::spawn(self.clone().serve(request.into_inner(), answers));
        Ok(Response::new(Answers(stream)))
    }

    async fn cancels(&self, _: Request<Streaming<CancelsRequest>>) -> Result<Response<Self::CancelsStream>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn check_order(&self, _: Request<CheckOrderRequest>) -> Result<Response<CheckOrderResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}

impl Gateway {
    async fn serve(
        self,
        mut requests: Streaming<SessionRequest>,
        answers: mpsc::Sender<Result<SessionResponse, Status>>,
    ) {
        let (mut client_seq, mut report_seq) = (TODAY, 0);
        while let Ok(Some(frame)) = requests.message().await {
            let size = frame.messages.len();
            let mut messages = Vec::new();
            for message in frame.messages {
                let body = message.body.expect("a body");
                if let Ask::NewOrderSingle(order) = body {
                    let mut seen = self.seen.lock().expect("seen");
                    seen.gaps += u64::from(message.client_seq != client_seq + 1);
                    client_seq = message.client_seq;
                    seen.orders += 1;
                    seen.largest_frame = seen.largest_frame.max(size);
                    reports(&order, client_seq, &mut messages);
                } else {
                    self.control(body, &mut messages);
                }
            }
            for message in &mut messages {
                if matches!(message.body, Some(Answer::ExecutionReport(_) | Answer::HaltNotice(_))) {
                    report_seq += 1;
                    message.report_seq = report_seq;
                }
            }
            messages.retain(|message| !self.silent || matches!(message.body, Some(Answer::LogonAck(_))));
            if !messages.is_empty() && answers.send(Ok(SessionResponse { messages })).await.is_err() {
                return;
            }
        }
    }

    fn control(&self, body: Ask, messages: &mut Vec<GatewayMessage>) {
        let mut seen = self.seen.lock().expect("seen");
        match body {
            Ask::Logon(logon) => {
                seen.logons.push((logon.router, logon.token));
                let ack = LogonAck { last_client_seq: TODAY, heartbeat_ms: 10, ..LogonAck::default() };
                messages.push(answer(Answer::LogonAck(ack)));
                messages.push(answer(Answer::Heartbeat(Heartbeat { test_req_id: PING })));
                messages.push(answer(Answer::HaltNotice(HaltNotice::default())));
            }
            Ask::Heartbeat(heartbeat) => seen.echoes += u64::from(heartbeat.test_req_id == PING),
            Ask::Logout(_) => seen.logouts += 1,
            _ => panic!("a message that a flood does not send"),
        }
    }
}

fn answer(body: Answer) -> GatewayMessage {
    GatewayMessage { report_seq: 0, body: Some(body) }
}

fn reports(order: &NewOrderSingle, client_seq: u64, messages: &mut Vec<GatewayMessage>) {
    let report = |exec_type: ExecType, ord_status: OrdStatus| ExecutionReport {
        cl_ord_id: order.cl_ord_id.clone(),
        exec_type: exec_type.into(),
        ord_status: ord_status.into(),
        client_seq,
        ..ExecutionReport::default()
    };
    match client_seq % 3 {
        0 => messages.push(answer(Answer::ExecutionReport(report(ExecType::New, OrdStatus::New)))),
        1 => {
            let detail = RejectDetail { code: 3, name: "PRICE_COLLAR".to_owned(), ..RejectDetail::default() };
            let rejected = ExecutionReport { reject: Some(detail), ..report(ExecType::Rejected, OrdStatus::Rejected) };
            messages.push(answer(Answer::ExecutionReport(rejected)));
        }
        _ => {
            messages.push(answer(Answer::ExecutionReport(report(ExecType::New, OrdStatus::New))));
            let trade = report(ExecType::Trade, OrdStatus::Filled);
            let trade = ExecutionReport { client_seq: 0, last_qty: order.order_qty, ..trade };
            messages.push(answer(Answer::ExecutionReport(trade)));
        }
    }
}

/// Serves on a thread of its own until dropped.
struct Running {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

fn serve(gateway: Gateway) -> Running {
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
            tell.send(incoming.local_addr().expect("bound")).expect("someone asks");
            let server = Server::builder().serve_with_incoming(OrderEntryServer::new(gateway), incoming);
            tokio::select! { _ = server => {}, _ = stopped => {} }
        });
    });
    Running { address: told.recv().expect("it listens"), _stop: stop }
}

fn config(gateway: &Running, orders: u64) -> FloodConfig {
    flood(gateway.address, Protocol::OrderEntry, vec![session("r1", 20_000, orders)])
}

fn only(mut reports: Vec<SessionReport>) -> SessionReport {
    assert_eq!(1, reports.len());
    reports.remove(0)
}

#[test]
fn a_session_logs_on_counts_every_answer_and_logs_out() {
    let gateway = Gateway::default();
    let running = serve(gateway.clone());
    let report = only(run(&config(&running, 3_000)));
    let tally = &report.tally;

    assert_eq!(None, report.error);
    assert_eq!((3_000, 3_000, 3_000), (tally.sent, tally.answered, tally.latency.len()));
    assert_eq!((2_000, 1_000), (tally.accepted, tally.rejected));
    assert_eq!(vec![("PRICE_COLLAR".to_owned(), 1_000)], tally.reject_names().collect::<Vec<_>>());
    assert_eq!((1_000, 1_000, 100_000), (tally.trades, tally.filled, tally.filled_qty));
    assert_eq!((0, 0, 0, 1), (tally.duplicates, tally.unsolicited, tally.sequence_gaps, tally.halts));
    let seen = gateway.seen.lock().expect("seen");
    assert_eq!(vec![("r1".to_owned(), "token-r1".to_owned())], seen.logons);
    assert_eq!((3_000, 0, 1, 1), (seen.orders, seen.gaps, seen.echoes, seen.logouts));
}

#[test]
fn a_burst_is_sent_in_full_frames_and_none_larger() {
    let gateway = Gateway::default();
    let running = serve(gateway.clone());
    let mut config = config(&running, 1_000);
    config.sessions[0].shape.burst = 500;
    let report = only(run(&config));

    assert_eq!((None, 1_000), (report.error, report.tally.answered));
    assert_eq!(256, gateway.seen.lock().expect("seen").largest_frame);
}

#[test]
fn a_gateway_that_answers_nothing_leaves_every_order_unanswered() {
    let gateway = Gateway { silent: true, ..Gateway::default() };
    let running = serve(gateway.clone());
    let mut config = config(&running, 100);
    config.drain_timeout = std::time::Duration::from_millis(20);
    let report = only(run(&config));

    assert_eq!((None, 100, 100), (report.error, report.tally.sent, report.tally.unanswered()));
    assert_eq!(1, gateway.seen.lock().expect("seen").logouts);
}
