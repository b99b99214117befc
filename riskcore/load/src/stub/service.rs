//! Which stream serves which method: the session through its own codec, the rest through the generated types.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, ServerStreamingService, StreamingService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::cancels::Cancels;
use super::codec::{MAX_FRAME_BYTES, StubCodec};
use super::market_data::Feed;
use super::session::{Link, Out, Session};
use super::venue::Venue;
use crate::proto::{ExchangeCancelsRequest, ExchangeCancelsResponse, MarketDataRequest, MarketDataResponse};

/// The Exchange service. `DropCopy` answers UNIMPLEMENTED: the stub's reports have no independent source.
#[derive(Clone, Debug)]
pub struct ExchangeService {
    venue: Arc<Venue>,
}

impl ExchangeService {
    /// The service of `venue`.
    pub fn new(venue: Arc<Venue>) -> Self {
        Self { venue }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl Service<http::Request<Body>> for ExchangeService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let venue = Arc::clone(&self.venue);
        match request.uri().path() {
            "/riskgate.v1.Exchange/Session" => Box::pin(async move {
                let link = Arc::new(Mutex::new(Link::default()));
                let codec = StubCodec { venue: Arc::clone(&venue), link: Arc::clone(&link) };
                let mut grpc = Grpc::new(codec).max_decoding_message_size(MAX_FRAME_BYTES);
                Ok(grpc.streaming(SessionCall { venue, link }, request).await)
            }),
            "/riskgate.v1.Exchange/Cancels" => Box::pin(async move {
                let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(MAX_FRAME_BYTES);
                Ok(grpc.streaming(CancelsCall { venue }, request).await)
            }),
            "/riskgate.v1.Exchange/MarketData" => Box::pin(async move {
                let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(MAX_FRAME_BYTES);
                Ok(grpc.server_streaming(MarketDataCall { venue }, request).await)
            }),
            other => {
                let status = Status::unimplemented(format!("the venue stub does not serve {other}"));
                Box::pin(ready(Ok(status.into_http())))
            }
        }
    }
}

struct SessionCall {
    venue: Arc<Venue>,
    link: Arc<Mutex<Link>>,
}

impl StreamingService<()> for SessionCall {
    type Response = Out;
    type ResponseStream = Session;
    type Future = Ready<Result<Response<Session>, Status>>;

    fn call(&mut self, request: Request<Streaming<()>>) -> Self::Future {
        ready(Ok(Response::new(Session::new(Arc::clone(&self.venue), Arc::clone(&self.link), request.into_inner()))))
    }
}

struct CancelsCall {
    venue: Arc<Venue>,
}

impl StreamingService<ExchangeCancelsRequest> for CancelsCall {
    type Response = ExchangeCancelsResponse;
    type ResponseStream = Cancels;
    type Future = Ready<Result<Response<Cancels>, Status>>;

    fn call(&mut self, request: Request<Streaming<ExchangeCancelsRequest>>) -> Self::Future {
        ready(Ok(Response::new(Cancels::new(Arc::clone(&self.venue), request.into_inner()))))
    }
}

struct MarketDataCall {
    venue: Arc<Venue>,
}

impl ServerStreamingService<MarketDataRequest> for MarketDataCall {
    type Response = MarketDataResponse;
    type ResponseStream = Feed;
    type Future = Ready<Result<Response<Feed>, Status>>;

    fn call(&mut self, request: Request<MarketDataRequest>) -> Self::Future {
        ready(Ok(Response::new(Feed::new(Arc::clone(&self.venue), request.into_inner().symbols))))
    }
}
