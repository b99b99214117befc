//! The market data stream: every quote, repeated so that its age is known.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::Status;
use tonic::codegen::tokio_stream::Stream;

use super::venue::Venue;
use crate::proto::MarketDataResponse;

/// Quotes a message; more symbols take more messages.
const QUOTES_A_MESSAGE: usize = 256;

/// One subscriber's stream: all quotes at once, then again every interval.
#[derive(Debug)]
pub struct Feed {
    venue: Arc<Venue>,
    wanted: Vec<String>,
    interval: Interval,
    position: Option<usize>,
}

impl Feed {
    /// A feed of the symbols `wanted`; empty = all.
    pub fn new(venue: Arc<Venue>, wanted: Vec<String>) -> Self {
        let mut interval = interval(Duration::from_millis(u64::from(venue.config().quote_interval_ms.max(1))));
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self { venue, wanted, interval, position: None }
    }
}

impl Stream for Feed {
    type Item = Result<MarketDataResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let position = match this.position {
            Some(position) => position,
            None => {
                ready!(this.interval.poll_tick(cx));
                0
            }
        };
        let (mut quotes, more) = this.venue.quotes().page(&this.wanted, position, QUOTES_A_MESSAGE);
        this.position = more;
        let transact_time = this.venue.utc();
        for quote in &mut quotes {
            quote.transact_time = transact_time;
        }
        let heartbeat_ms = this.venue.config().quote_interval_ms;
        Poll::Ready(Some(Ok(MarketDataResponse { heartbeat_ms, quotes, statuses: Vec::new(), rates: Vec::new() })))
    }
}
