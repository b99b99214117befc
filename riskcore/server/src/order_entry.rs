//! The order port: sessions, cancel lanes, dry runs and the OMS, on one listener.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use riskcore::events::Event;
use riskcore::outcome::{Outcome, Reject};
use riskcore::reasons;
use tokio_stream::Stream;
use tonic::body::Body;
use tonic::codec::{EncodeBuf, Streaming};
use tonic::server::{Grpc, StreamingService, UnaryService};
use tonic::{Request, Response, Status};

use crate::inbound::{FrameAt, Step};
use crate::io::Cord;
use crate::knobs::Knobs;
use crate::parents::Parents;
use crate::plane::{Plane, Shared, durable, yield_turn};
use crate::proto::parent_orders_server::ParentOrdersServer;
use crate::slab::Key;
use crate::wire::frame::{Drain, FrameCodec, Ready};
use crate::wire::primitives::Sink;
use crate::wire::requests;
use crate::wire::responses::{Refusal, write_check_order};

/// Finds the method of a request.
#[derive(Clone)]
pub struct OrderPort {
    plane: Shared,
    knobs: Arc<Knobs>,
}

impl OrderPort {
    /// The services of a plane.
    pub fn new(plane: Shared, knobs: Knobs) -> OrderPort {
        OrderPort { plane, knobs: Arc::new(knobs) }
    }

    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let Some(cord) = request.extensions().get::<Cord>().cloned() else {
            return Status::internal("a connection without a cord").into_http();
        };
        let (plane, limit) = (self.plane, self.knobs.max_message_size);
        match request.uri().path() {
            "/riskgate.v1.OrderEntry/Session" => {
                let key = plane.lock().open_stream(cord);
                let end = SessionEnd { plane: plane.clone(), key };
                let codec = FrameCodec::new(SessionDrain { plane: plane.clone(), key });
                let service = Session { end: Some(end), budget: self.knobs.messages_per_poll };
                Grpc::new(codec).max_decoding_message_size(limit).streaming(service, request).await
            }
            "/riskgate.v1.OrderEntry/Cancels" => {
                let key = plane.lock().open_lane(cord);
                let end = LaneEnd { plane: plane.clone(), key };
                let codec = FrameCodec::new(LaneDrain { plane: plane.clone(), key });
                Grpc::new(codec).max_decoding_message_size(limit).streaming(Cancels { end: Some(end) }, request).await
            }
            "/riskgate.v1.OrderEntry/CheckOrder" => {
                let answer = Arc::new(Mutex::new(Vec::new()));
                let codec = FrameCodec::new(Prepared(Arc::clone(&answer)));
                let service = CheckOrder { plane, answer, cord };
                Grpc::new(codec).max_decoding_message_size(limit).unary(service, request).await
            }
            "/riskgate.v1.ParentOrders/Register" => {
                let mut service = ParentOrdersServer::new(Parents::new(plane, cord)).max_decoding_message_size(limit);
                match tower_service::Service::call(&mut service, request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            path => Status::unimplemented(format!("{path}: not a method of the order port")).into_http(),
        }
    }
}

impl tower_service::Service<http::Request<Body>> for OrderPort {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answering = self.clone().answer(request);
        Box::pin(async move { Ok(answering.await) })
    }
}

// ---- Session ----

/// Closes a stream when the transport lets go of it, however that comes about.
struct SessionEnd {
    plane: Shared,
    key: Key,
}

impl Drop for SessionEnd {
    fn drop(&mut self) {
        self.plane.lock().close_stream(self.key);
    }
}

struct SessionDrain {
    plane: Shared,
    key: Key,
}

impl Drain for SessionDrain {
    fn drain(&mut self, out: &mut EncodeBuf<'_>) {
        self.plane.lock().drain_stream(self.key, out);
    }
}

struct Session {
    end: Option<SessionEnd>,
    budget: usize,
}

impl StreamingService<Bytes> for Session {
    type Response = Ready;
    type ResponseStream = SessionOut;
    type Future = std::future::Ready<Result<Response<SessionOut>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let Some(end) = self.end.take() else {
            return std::future::ready(Err(Status::internal("a session is served once")));
        };
        tokio::spawn(read_session(end.plane.clone(), end.key, request.into_inner(), self.budget));
        std::future::ready(Ok(Response::new(SessionOut(end))))
    }
}

/// Reads a session's frames. After `budget` messages other tasks have their turn.
async fn read_session(plane: Shared, key: Key, mut inbound: Streaming<Bytes>, budget: usize) {
    let mut left = budget;
    loop {
        let frame = match next_frame(&mut inbound, || left = budget).await {
            Some(Ok(frame)) => frame,
            None => return plane.lock().log_out(key),
            Some(Err(status)) => return plane.lock().lose_stream(key, status),
        };
        let mut at = FrameAt::default();
        loop {
            let step = plane.lock().on_frame(key, &frame, &mut at, &mut left);
            if step == Step::Over {
                return;
            }
            if left == 0 {
                yield_turn().await;
                left = budget;
            }
            if step == Step::Done {
                break;
            }
        }
    }
}

/// The next frame of a session. While it had to be waited for, others had their turn.
async fn next_frame(inbound: &mut Streaming<Bytes>, mut waited: impl FnMut()) -> Option<Result<Bytes, Status>> {
    std::future::poll_fn(|cx| {
        let next = Pin::new(&mut *inbound).poll_next(cx);
        if next.is_pending() {
            waited();
        }
        next
    })
    .await
}

/// The reports of a session.
struct SessionOut(SessionEnd);

impl Stream for SessionOut {
    type Item = Result<Ready, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.plane.lock().poll_stream(self.0.key, cx)
    }
}

// ---- Cancel lane ----

struct LaneEnd {
    plane: Shared,
    key: Key,
}

impl Drop for LaneEnd {
    fn drop(&mut self) {
        self.plane.lock().close_lane(self.key);
    }
}

struct LaneDrain {
    plane: Shared,
    key: Key,
}

impl Drain for LaneDrain {
    fn drain(&mut self, out: &mut EncodeBuf<'_>) {
        self.plane.lock().drain_lane(self.key, out);
    }
}

struct Cancels {
    end: Option<LaneEnd>,
}

impl StreamingService<Bytes> for Cancels {
    type Response = Ready;
    type ResponseStream = LaneOut;
    type Future = std::future::Ready<Result<Response<LaneOut>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let Some(end) = self.end.take() else {
            return std::future::ready(Err(Status::internal("a cancel lane is served once")));
        };
        tokio::spawn(read_lane(end.plane.clone(), end.key, request.into_inner()));
        std::future::ready(Ok(Response::new(LaneOut(end))))
    }
}

async fn read_lane(plane: Shared, key: Key, mut inbound: Streaming<Bytes>) {
    loop {
        match inbound.message().await {
            Ok(Some(frame)) => {
                if plane.lock().on_cancels(key, &frame) == Step::Over {
                    return;
                }
            }
            Ok(None) => return plane.lock().end_lane(key, Status::ok("")),
            Err(status) => return plane.lock().end_lane(key, status),
        }
        yield_turn().await;
    }
}

struct LaneOut(LaneEnd);

impl Stream for LaneOut {
    type Item = Result<Ready, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.plane.lock().poll_lane(self.0.key, cx)
    }
}

// ---- Dry run ----

/// Writes an answer that was prepared before.
struct Prepared(Arc<Mutex<Vec<u8>>>);

impl Drain for Prepared {
    fn drain(&mut self, out: &mut EncodeBuf<'_>) {
        out.put(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

struct CheckOrder {
    plane: Shared,
    answer: Arc<Mutex<Vec<u8>>>,
    cord: Cord,
}

impl UnaryService<Bytes> for CheckOrder {
    type Response = Ready;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Ready>, Status>> + Send>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (plane, answer, cord) = (self.plane.clone(), Arc::clone(&self.answer), self.cord.clone());
        Box::pin(async move {
            let (written, lsn) = {
                let mut plane = plane.lock();
                let written = plane.check_order(request.get_ref(), &cord)?;
                (written, plane.lsn())
            };
            durable(&plane, lsn).await;
            *answer.lock().unwrap_or_else(PoisonError::into_inner) = written;
            Ok(Response::new(Ready))
        })
    }
}

impl Plane {
    /// The verdict an order would get now. Takes a slot of the router's rate window, or it would probe for free.
    fn check_order(&mut self, bytes: &[u8], cord: &Cord) -> Result<Vec<u8>, Status> {
        let malformed = |e: crate::wire::Malformed| Status::invalid_argument(format!("malformed request: {}", e.0));
        let request = requests::check_order(bytes).map_err(malformed)?;
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let id = self.authenticate(text(request.router), text(request.token))?;
        cord.identified();
        let Some(fields) = request.order else { return Err(Status::invalid_argument("order: missing")) };
        let verdict = match fields.check() {
            Err(error) => {
                self.apply(&Event::Malformed { router: id, client_seq: 0 });
                Some((Reject::plain(&reasons::MALFORMED), Some(error)))
            }
            Ok(checked) => {
                let order = self.resolve(id, 0, &fields, checked);
                let permitted = self.routers.get(id.index()).is_some_and(|router| router.may_use(order.account));
                match self.apply(&Event::CheckOrder(order)) {
                    _ if !permitted => Some((Reject::plain(&reasons::ACCOUNT_NOT_PERMITTED), None)),
                    Outcome::Rejected(reject) => Some((reject, None)),
                    _ => None,
                }
            }
        };
        let mut out = Vec::new();
        let limit_version = self.engine.state().limits.version;
        let refusal = verdict.map(|(reject, field)| Refusal { reject, field, names: self.names(), limit_version });
        write_check_order(&mut out, refusal.as_ref());
        Ok(out)
    }
}
