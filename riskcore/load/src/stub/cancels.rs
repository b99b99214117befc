//! `Exchange.Cancels`: cancels on a stream of their own. Like the session, the answers pull the requests.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tonic::codegen::tokio_stream::Stream;
use tonic::{Status, Streaming};

use super::book::Book;
use super::venue::Venue;
use crate::proto::{ExchangeCancelsRequest, ExchangeCancelsResponse};
use crate::sync::lock;

/// One cancel stream.
#[derive(Debug)]
pub struct Cancels {
    venue: Arc<Venue>,
    requests: Streaming<ExchangeCancelsRequest>,
    book: Option<Arc<Mutex<Book>>>,
    taken: u64,
}

impl Cancels {
    /// Serves `requests`.
    pub fn new(venue: Arc<Venue>, requests: Streaming<ExchangeCancelsRequest>) -> Self {
        Self { venue, requests, book: None, taken: 0 }
    }

    fn take(&mut self, request: &ExchangeCancelsRequest) -> Result<ExchangeCancelsResponse, Status> {
        let book = match &self.book {
            Some(book) => Arc::clone(book),
            None => self.venue.known(&request.gateway).ok_or_else(|| {
                Status::failed_precondition(format!("gateway {:?} has no session here", request.gateway))
            })?,
        };
        let now = self.venue.utc();
        for cancel in &request.cancels {
            lock(&book).cancel(cancel.cl_ord_id, now);
            self.taken += 1;
        }
        self.book = Some(book);
        Ok(ExchangeCancelsResponse { taken: self.taken })
    }
}

impl Stream for Cancels {
    type Item = Result<ExchangeCancelsResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match ready!(Pin::new(&mut this.requests).poll_next(cx)) {
            Some(Ok(request)) => Poll::Ready(Some(this.take(&request))),
            Some(Err(status)) => Poll::Ready(Some(Err(status))),
            None => Poll::Ready(None),
        }
    }
}
