//! A router: one session, message by message.

use std::collections::VecDeque;

use riskgate_server::proto;
use riskgate_server::proto::gateway_message::Body as In;
use riskgate_server::proto::order_entry_client::OrderEntryClient;
use riskgate_server::proto::router_message::Body as Out;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::{DEADLINE, Gateway, UNIT};

pub struct Router {
    pub name: String,
    pub ack: proto::LogonAck,
    pub next_seq: u64,
    pub reports: Vec<u64>,
    sender: Option<mpsc::UnboundedSender<proto::SessionRequest>>,
    inbound: Streaming<proto::SessionResponse>,
    waiting: VecDeque<proto::GatewayMessage>,
    beats: Option<tokio::task::JoinHandle<()>>,
}

/// A stream without a logon.
pub async fn raw(
    gateway: &Gateway,
) -> (mpsc::UnboundedSender<proto::SessionRequest>, Streaming<proto::SessionResponse>) {
    let mut client = OrderEntryClient::<Channel>::connect(gateway.order_entry()).await.expect("a connection");
    let (sender, messages) = mpsc::unbounded_channel();
    let response = client.session(UnboundedReceiverStream::new(messages)).await.expect("a stream");
    (sender, response.into_inner())
}

pub fn logon(name: &str, resume_after: Option<u64>) -> proto::RouterMessage {
    let logon = proto::Logon {
        router: name.to_owned(),
        token: format!("token of {name}"),
        resume_after,
        build: "test".to_owned(),
        ..proto::Logon::default()
    };
    proto::RouterMessage { client_seq: 0, body: Some(Out::Logon(logon)) }
}

/// 100 AAPL at 100.00, which rests.
pub fn order(id: &str) -> proto::NewOrderSingle {
    proto::NewOrderSingle {
        cl_ord_id: id.to_owned(),
        account: "ACC1".to_owned(),
        symbol: "AAPL".to_owned(),
        side: proto::Side::Buy as i32,
        ord_type: proto::OrdType::Limit as i32,
        time_in_force: proto::TimeInForce::Day as i32,
        order_qty: 100,
        price: Some(100 * UNIT),
        ..proto::NewOrderSingle::default()
    }
}

impl Router {
    pub async fn try_log_on(gateway: &Gateway, name: &str, resume_after: Option<u64>) -> Result<Router, Status> {
        Router::try_attest(gateway, name, logon(name, resume_after)).await
    }

    /// A logon that says what runs there.
    pub async fn try_attest(gateway: &Gateway, name: &str, logon: proto::RouterMessage) -> Result<Router, Status> {
        let (sender, mut inbound) = raw(gateway).await;
        let frame = proto::SessionRequest { messages: vec![logon] };
        sender.send(frame).expect("an open stream");
        let mut waiting = VecDeque::new();
        while waiting.is_empty() {
            match tokio::time::timeout(DEADLINE, inbound.message()).await.expect("an answer to the logon")? {
                Some(frame) => waiting.extend(frame.messages),
                None => return Err(Status::unknown("the stream ended")),
            }
        }
        let ack = match waiting.pop_front().and_then(|message| message.body) {
            Some(In::LogonAck(ack)) => ack,
            other => panic!("not a LogonAck: {other:?}"),
        };
        Ok(Router {
            name: name.to_owned(),
            next_seq: ack.last_client_seq + 1,
            ack,
            reports: Vec::new(),
            sender: Some(sender),
            inbound,
            waiting,
            beats: None,
        })
    }

    pub async fn log_on(gateway: &Gateway, name: &str) -> Router {
        let mut router = Router::try_log_on(gateway, name, None).await.expect("a logon");
        router.beat();
        router
    }

    pub async fn resume(gateway: &Gateway, name: &str, after: u64) -> Router {
        let mut router = Router::try_log_on(gateway, name, Some(after)).await.expect("a logon");
        router.beat();
        router
    }

    /// Sends heartbeats until the router is dropped or frozen.
    pub fn beat(&mut self) {
        let Some(sender) = self.sender.clone() else { return };
        self.beats = Some(tokio::spawn(async move {
            let mut every = tokio::time::interval(std::time::Duration::from_millis(100));
            loop {
                every.tick().await;
                let heartbeat = Out::Heartbeat(proto::Heartbeat { test_req_id: 0 });
                let message = proto::RouterMessage { client_seq: 0, body: Some(heartbeat) };
                if sender.send(proto::SessionRequest { messages: vec![message] }).is_err() {
                    return;
                }
            }
        }));
    }

    /// No more heartbeats: a frozen process whose connection stays open.
    pub fn freeze(&mut self) {
        if let Some(beats) = self.beats.take() {
            beats.abort();
        }
    }

    pub fn send_raw(&self, messages: Vec<proto::RouterMessage>) {
        let sender = self.sender.as_ref().expect("a live router");
        let _ = sender.send(proto::SessionRequest { messages });
    }

    pub fn next(&mut self, body: Out) -> proto::RouterMessage {
        let client_seq = self.next_seq;
        self.next_seq += 1;
        proto::RouterMessage { client_seq, body: Some(body) }
    }

    pub fn send(&mut self, body: Out) -> u64 {
        let message = self.next(body);
        let seq = message.client_seq;
        self.send_raw(vec![message]);
        seq
    }

    pub fn order(&mut self, id: &str) -> u64 {
        self.send(Out::NewOrderSingle(order(id)))
    }

    pub fn cancel(&mut self, id: &str) -> u64 {
        self.send(Out::OrderCancelRequest(proto::OrderCancelRequest {
            orig_cl_ord_id: id.to_owned(),
            cl_ord_id: String::new(),
        }))
    }

    /// The next message that is not a heartbeat; `Err` when the stream ends with a status.
    pub async fn try_next_message(&mut self) -> Result<proto::GatewayMessage, Status> {
        loop {
            while let Some(message) = self.waiting.pop_front() {
                if message.report_seq != 0 {
                    self.reports.push(message.report_seq);
                }
                if !matches!(message.body, Some(In::Heartbeat(_) | In::ResumeComplete(_))) {
                    return Ok(message);
                }
            }
            let frame = tokio::time::timeout(DEADLINE, self.inbound.message()).await.expect("a message in time")?;
            self.waiting.extend(frame.ok_or_else(|| Status::ok("end of stream"))?.messages);
        }
    }

    pub async fn next_message(&mut self) -> proto::GatewayMessage {
        self.try_next_message().await.expect("a message")
    }

    /// The next execution report, past other messages.
    pub async fn report(&mut self) -> proto::ExecutionReport {
        loop {
            if let Some(In::ExecutionReport(report)) = self.next_message().await.body {
                return report;
            }
        }
    }

    pub async fn cancel_reject(&mut self) -> proto::OrderCancelReject {
        loop {
            if let Some(In::OrderCancelReject(reject)) = self.next_message().await.body {
                return reject;
            }
        }
    }

    /// The status the stream ends with.
    pub async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.try_next_message().await {
                return status;
            }
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.freeze();
    }
}
