//! A small venue: it acknowledges orders, fills none by itself, confirms cancels, and can be told to misbehave.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use riskgate_server::proto;
use riskgate_server::proto::exchange_message::Body as Out;
use riskgate_server::proto::exchange_request::Body as In;
use riskgate_server::proto::exchange_server::{Exchange, ExchangeServer};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::UNIT;

type Messages = mpsc::UnboundedSender<Result<proto::ExchangeSessionResponse, Status>>;

#[derive(Default)]
pub struct State {
    pub orders: BTreeMap<u64, proto::VenueNewOrder>,
    pub open: BTreeMap<u64, i64>,
    pub cancels: Vec<u64>,
    pub lane_cancels: Vec<u64>,
    pub replaces: Vec<proto::VenueReplace>,
    pub logons: Vec<proto::ExchangeLogon>,
    pub client_seqs: Vec<u64>,
    /// Acknowledge nothing and cancel nothing.
    pub silent: bool,
    /// Take orders, but forget them when the session ends.
    pub lose_orders: bool,
    /// Refuse every session.
    pub away: bool,
    /// Read nothing more.
    pub deaf: bool,
    /// Read no cancels on their own stream.
    pub deaf_lane: bool,
    /// Number the next report, keep it, and do not send it.
    pub lose_next: bool,
    venue_seq: u64,
    last_client_seq: u64,
    log: Vec<proto::ExchangeMessage>,
    session: Option<Messages>,
    exec_id: u64,
}

impl State {
    fn send(&self, message: proto::ExchangeMessage) {
        if let Some(session) = &self.session {
            let _ = session.send(Ok(proto::ExchangeSessionResponse { messages: vec![message] }));
        }
    }

    fn sequenced(&mut self, body: Out) {
        self.venue_seq += 1;
        let message = proto::ExchangeMessage { venue_seq: self.venue_seq, body: Some(body) };
        self.log.push(message.clone());
        if !std::mem::take(&mut self.lose_next) {
            self.send(message);
        }
    }

    /// Sends the last report again.
    pub fn repeat_last(&self) {
        self.send(self.log.last().cloned().expect("a report"));
    }

    /// Starts anew, as a process that was killed and knows nothing.
    pub fn forget(&mut self) {
        self.drop_session();
        *self = State::default();
    }

    /// Holds only the newest reports.
    pub fn keep_reports(&mut self, newest: usize) {
        self.log.drain(..self.log.len() - newest);
    }

    /// A bust or correction of an execution.
    pub fn refer(&mut self, order: u64, exec_type: proto::ExecType, exec_ref_id: u64) {
        self.exec_id += 1;
        self.sequenced(Out::Report(proto::VenueReport {
            cl_ord_id: order,
            venue_exec_id: self.exec_id,
            exec_type: exec_type as i32,
            exec_ref_id,
            ..proto::VenueReport::default()
        }));
    }

    fn aside(&self, body: Out) {
        self.send(proto::ExchangeMessage { venue_seq: 0, body: Some(body) });
    }

    pub fn report(&mut self, order: u64, exec_type: proto::ExecType, qty: i64, px: i64) {
        self.exec_id += 1;
        let leaves = self.open.get(&order).copied().unwrap_or(0);
        let known = self.orders.get(&order).cloned().unwrap_or_default();
        self.sequenced(Out::Report(proto::VenueReport {
            cl_ord_id: order,
            venue_exec_id: self.exec_id,
            exec_type: exec_type as i32,
            last_qty: qty,
            last_px: px,
            leaves_qty: leaves,
            symbol: known.symbol,
            side: known.side,
            ..proto::VenueReport::default()
        }));
    }

    /// Fills an order at its price.
    pub fn fill(&mut self, order: u64, qty: i64) {
        let px = self.orders[&order].price.unwrap_or(100 * UNIT);
        let leaves = self.open.get_mut(&order).expect("an open order");
        *leaves -= qty;
        if *leaves == 0 {
            self.open.remove(&order);
        }
        self.report(order, proto::ExecType::Trade, qty, px);
    }

    fn new_order(&mut self, order: proto::VenueNewOrder) {
        let id = order.cl_ord_id;
        self.open.insert(id, order.order_qty);
        self.orders.insert(id, order);
        if !self.silent {
            self.report(id, proto::ExecType::New, 0, 0);
        }
    }

    fn cancel(&mut self, id: u64) {
        if self.silent {
            return;
        }
        if self.open.remove(&id).is_some() {
            self.report(id, proto::ExecType::Canceled, 0, 0);
        } else {
            self.sequenced(Out::CancelReject(proto::VenueCancelReject {
                cl_ord_id: id,
                cxl_rej_response_to: proto::CxlRejResponseTo::OrderCancelRequest as i32,
                cxl_rej_reason: proto::CxlRejReason::UnknownOrder as i32,
            }));
        }
    }

    fn take(&mut self, request: proto::ExchangeRequest) {
        if request.client_seq != 0 {
            self.client_seqs.push(request.client_seq);
            self.last_client_seq = request.client_seq;
        }
        match request.body {
            Some(In::Logon(logon)) => self.log_on(logon),
            Some(In::NewOrder(order)) => self.new_order(order),
            Some(In::Replace(replace)) => {
                let id = replace.cl_ord_id;
                self.replaces.push(replace);
                self.report(id, proto::ExecType::Replaced, 0, 0);
            }
            Some(In::Cancel(cancel)) => {
                self.cancels.push(cancel.cl_ord_id);
                self.cancel(cancel.cl_ord_id);
            }
            Some(In::MassStatusRequest(request)) => self.mass_status(request.request_id),
            Some(In::Heartbeat(heartbeat)) => {
                self.aside(Out::Heartbeat(heartbeat));
            }
            None => {}
        }
    }

    fn log_on(&mut self, logon: proto::ExchangeLogon) {
        let missed: Vec<_> = self.log.iter().filter(|m| m.venue_seq > logon.resume_after).cloned().collect();
        self.logons.push(logon);
        self.aside(Out::LogonAck(proto::ExchangeLogonAck {
            last_client_seq_processed: self.last_client_seq,
            last_venue_seq: self.venue_seq,
            heartbeat_ms: 500,
        }));
        missed.into_iter().for_each(|message| self.send(message));
    }

    fn mass_status(&mut self, request_id: u64) {
        for (id, leaves) in &self.open {
            let qty = self.orders[id].order_qty;
            self.aside(Out::MassStatusEntry(proto::MassStatusEntry {
                request_id,
                cl_ord_id: *id,
                ord_status: proto::OrdStatus::New as i32,
                order_qty: qty,
                cum_qty: qty - leaves,
                leaves_qty: *leaves,
            }));
        }
        self.aside(Out::MassStatusEnd(proto::MassStatusEnd {
            request_id,
            last_client_seq_processed: self.last_client_seq,
            complete: true,
            fenced: true,
        }));
    }

    /// Ends the session.
    pub fn drop_session(&mut self) {
        if let Some(session) = self.session.take() {
            let _ = session.send(Err(Status::unavailable("the venue goes away")));
        }
        if self.lose_orders {
            self.open.clear();
        }
    }
}

#[derive(Clone)]
pub struct Venue {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Venue {
    pub async fn start() -> Venue {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let venue = Venue { address: listener.local_addr().expect("an address"), state: Arc::default() };
        let service = ExchangeServer::new(Service(venue.clone()));
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(tonic::transport::Server::builder().serve_with_incoming(service, incoming));
        venue
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("venue state")
    }
}

struct Service(Venue);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Exchange for Service {
    type SessionStream = Answers<proto::ExchangeSessionResponse>;
    type CancelsStream = Answers<proto::ExchangeCancelsResponse>;
    type DropCopyStream = Answers<proto::DropCopyResponse>;
    type MarketDataStream = Answers<proto::MarketDataResponse>;

    async fn session(
        &self,
        request: Request<Streaming<proto::ExchangeSessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (sender, answers) = mpsc::unbounded_channel();
        {
            let mut state = self.0.lock();
            if state.away {
                return Err(Status::unavailable("the venue is away"));
            }
            state.session = Some(sender.clone());
        }
        let venue = self.0.clone();
        let mut inbound = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(frame)) = inbound.message().await {
                while venue.lock().deaf {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                let mut state = venue.lock();
                if !state.session.as_ref().is_some_and(|session| session.same_channel(&sender)) {
                    return;
                }
                frame.messages.into_iter().for_each(|message| state.take(message));
            }
        });
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(answers))))
    }

    async fn cancels(
        &self,
        request: Request<Streaming<proto::ExchangeCancelsRequest>>,
    ) -> Result<Response<Self::CancelsStream>, Status> {
        let venue = self.0.clone();
        let answers = request.into_inner().then(move |frame| {
            let venue = venue.clone();
            async move {
                while venue.lock().deaf_lane {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                frame.map(|frame| (venue, frame))
            }
        });
        let answers = answers.map(|taken| {
            let (venue, frame) = taken?;
            let mut state = venue.lock();
            for cancel in &frame.cancels {
                state.lane_cancels.push(cancel.cl_ord_id);
                state.cancel(cancel.cl_ord_id);
            }
            Ok(proto::ExchangeCancelsResponse { taken: state.lane_cancels.len() as u64 })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn drop_copy(
        &self,
        _request: Request<proto::DropCopyRequest>,
    ) -> Result<Response<Self::DropCopyStream>, Status> {
        Err(Status::unimplemented("no drop copy here"))
    }

    async fn market_data(
        &self,
        request: Request<proto::MarketDataRequest>,
    ) -> Result<Response<Self::MarketDataStream>, Status> {
        let symbols = request.into_inner().symbols;
        let (sender, answers) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let quote = |symbol: &String| proto::Quote {
                symbol: symbol.clone(),
                bid_px: 100 * UNIT,
                offer_px: 100 * UNIT + UNIT / 50,
                ..proto::Quote::default()
            };
            let mut every = tokio::time::interval(std::time::Duration::from_millis(100));
            loop {
                every.tick().await;
                let quotes = symbols.iter().map(quote).collect();
                if sender
                    .send(Ok(proto::MarketDataResponse {
                        heartbeat_ms: 100,
                        quotes,
                        statuses: Vec::new(),
                        rates: Vec::new(),
                    }))
                    .is_err()
                {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(answers))))
    }
}
