//! The service: one stream at the venue for each stream of a router, all on one connection. No queue in between: the
//! connection to the venue pulls the router's stream, and the router's connection pulls the venue's.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tokio_stream::{Stream, StreamExt};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use crate::orders::Orders;
use crate::proto::exchange_client::ExchangeClient;
use crate::proto::order_entry_server::OrderEntry;
use crate::proto::{
    CancelsRequest, CancelsResponse, CheckOrderRequest, CheckOrderResponse, SessionRequest, SessionResponse,
};
use crate::translate::{to_router, to_venue};

/// See the module.
pub struct Proxy {
    venue: ExchangeClient<Channel>,
}

impl Proxy {
    /// A proxy to this venue.
    pub fn new(venue: ExchangeClient<Channel>) -> Self {
        Self { venue }
    }
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl OrderEntry for Proxy {
    type SessionStream = Responses<SessionResponse>;
    type CancelsStream = Responses<CancelsResponse>;

    async fn session(
        &self,
        request: Request<Streaming<SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let sent = Arc::new(Mutex::new(Orders::default()));
        let answered = Arc::clone(&sent);
        // The end of the router's stream, in whatever way it came, is the end of the venue's.
        let requests = request.into_inner().map_while(move |frame| to_venue(frame.ok()?, &sent));
        let responses = self.venue.clone().session(requests).await?.into_inner();
        let responses = responses.map(move |frame| frame.map(|frame| to_router(frame, &answered)));
        Ok(Response::new(Box::pin(responses)))
    }

    async fn cancels(&self, _: Request<Streaming<CancelsRequest>>) -> Result<Response<Self::CancelsStream>, Status> {
        Err(Status::unimplemented("the proxy forwards new orders"))
    }

    async fn check_order(&self, _: Request<CheckOrderRequest>) -> Result<Response<CheckOrderResponse>, Status> {
        Err(Status::unimplemented("the proxy forwards new orders"))
    }
}
