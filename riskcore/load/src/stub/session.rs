//! One `Exchange.Session`: the stream of reports pulls the requests. A request is read only when every report so far
//! has been handed to the connection, so that a client that does not read is not read from and nothing queues up.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use prost::Message;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::codegen::tokio_stream::Stream;
use tonic::{Status, Streaming};

use super::book::{Book, LoggedOn};
use super::venue::Venue;
use crate::proto::{
    ExchangeLogonAck, ExchangeMessage, ExchangeSessionResponse, MassStatusEnd, MassStatusEntry, OrdStatus,
    VenueHeartbeat, exchange_message::Body,
};
use crate::sync::lock;

/// Messages a frame.
const BATCH: u64 = 256;
/// Session messages waiting to be sent; a client that asks faster than it reads is cut off.
const MAX_CONTROL: usize = 64;

/// What leaves: many reports, or one encoded frame of anything else.
#[derive(Debug)]
pub enum Out {
    /// `count` reports from venue_seq `from`.
    Reports {
        /// The first one's sequence number.
        from: u64,
        /// How many.
        count: u64,
    },
    /// An encoded `ExchangeSessionResponse`.
    Encoded(Vec<u8>),
}

/// A mass status under way: the ids are a snapshot, the entries are looked up as they leave.
#[derive(Debug)]
struct MassStatus {
    request_id: u64,
    ids: std::vec::IntoIter<u64>,
}

/// The session's state, shared by its decoder, its encoder and its stream.
#[derive(Debug, Default)]
pub struct Link {
    book: Option<Arc<Mutex<Book>>>,
    generation: u64,
    /// The last report handed to the connection.
    cursor: u64,
    control: VecDeque<Vec<u8>>,
    mass_status: Option<MassStatus>,
}

impl Link {
    /// The gateway, once logged on.
    pub fn book(&self) -> Option<&Arc<Mutex<Book>>> {
        self.book.as_ref()
    }

    /// The logon was accepted.
    pub fn logged_on(&mut self, book: Arc<Mutex<Book>>, ack: LoggedOn, heartbeat_ms: u32) -> Result<(), Status> {
        self.book = Some(book);
        self.generation = ack.generation;
        self.cursor = ack.cursor;
        self.say(Body::LogonAck(ExchangeLogonAck {
            last_client_seq_processed: ack.last_client_seq,
            last_venue_seq: ack.last_venue_seq,
            heartbeat_ms,
        }))
    }

    /// Sends a session message.
    pub fn say(&mut self, body: Body) -> Result<(), Status> {
        if self.control.len() >= MAX_CONTROL {
            return Err(Status::resource_exhausted("session messages are asked for faster than they are read"));
        }
        self.control.push_back(frame([body]));
        Ok(())
    }

    /// Starts a mass status; one at a time.
    pub fn ask_mass_status(&mut self, request_id: u64, ids: Vec<u64>) -> Result<(), Status> {
        if self.mass_status.is_some() {
            return Err(Status::resource_exhausted("a mass status is still being sent"));
        }
        self.mass_status = Some(MassStatus { request_id, ids: ids.into_iter() });
        Ok(())
    }

    /// What to send next, if anything.
    fn next(&mut self, cx: &Context<'_>) -> Option<Result<Out, Status>> {
        if let Some(encoded) = self.control.pop_front() {
            return Some(Ok(Out::Encoded(encoded)));
        }
        let book = Arc::clone(self.book.as_ref()?);
        let mut book = lock(&book);
        if book.generation() != self.generation {
            return Some(Err(Status::aborted("fenced: the gateway has logged on again")));
        }
        if self.cursor < book.forgotten() {
            return Some(Err(Status::data_loss("reports were written faster than they were read")));
        }
        let count = BATCH.min(book.venue_seq() - self.cursor);
        if count > 0 {
            let from = self.cursor + 1;
            self.cursor += count;
            return Some(Ok(Out::Reports { from, count }));
        }
        if let Some(encoded) = self.mass_status_frame(&book) {
            return Some(Ok(Out::Encoded(encoded)));
        }
        book.set_waker(cx.waker());
        None
    }

    /// The next entries of the mass status, with its end when they are the last.
    fn mass_status_frame(&mut self, book: &Book) -> Option<Vec<u8>> {
        let mut status = self.mass_status.take()?;
        let mut bodies: Vec<Body> = Vec::new();
        for id in status.ids.by_ref().take(BATCH as usize) {
            // An order that ended since the snapshot has had its report on this very stream.
            let Some(order) = book.open_order(id) else { continue };
            bodies.push(Body::MassStatusEntry(MassStatusEntry {
                request_id: status.request_id,
                cl_ord_id: id,
                ord_status: OrdStatus::New.into(),
                order_qty: order.qty,
                cum_qty: 0,
                leaves_qty: order.qty,
            }));
        }
        if status.ids.len() == 0 {
            bodies.push(Body::MassStatusEnd(MassStatusEnd {
                request_id: status.request_id,
                last_client_seq_processed: book.last_client_seq(),
                complete: true,
                // The logon of this session has fenced all earlier ones.
                fenced: true,
            }));
        } else {
            self.mass_status = Some(status);
        }
        Some(frame(bodies))
    }
}

fn frame(bodies: impl IntoIterator<Item = Body>) -> Vec<u8> {
    let messages = bodies.into_iter().map(|body| ExchangeMessage { venue_seq: 0, body: Some(body) }).collect();
    ExchangeSessionResponse { messages }.encode_to_vec()
}

/// The stream of one session; dropping it is the disconnect.
#[derive(Debug)]
pub struct Session {
    venue: Arc<Venue>,
    link: Arc<Mutex<Link>>,
    requests: Streaming<()>,
    heartbeat: Interval,
}

impl Session {
    /// Serves `requests`, whose decoder applies them to `link`.
    pub fn new(venue: Arc<Venue>, link: Arc<Mutex<Link>>, requests: Streaming<()>) -> Self {
        // Half the agreed interval, so that one late timer is not a missed heartbeat.
        let mut heartbeat = interval(Duration::from_millis(u64::from(venue.config().heartbeat_ms / 2).max(1)));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self { venue, link, requests, heartbeat }
    }

    /// A heartbeat when one is due and the client has logged on.
    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        std::task::ready!(self.heartbeat.poll_tick(cx));
        let mut link = lock(&self.link);
        if link.book().is_none() {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(link.say(Body::Heartbeat(VenueHeartbeat { test_req_id: 0 })))
    }
}

impl Stream for Session {
    type Item = Result<Out, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let next = lock(&this.link).next(cx);
            if let Some(out) = next {
                return Poll::Ready(Some(out));
            }
            match Pin::new(&mut this.requests).poll_next(cx) {
                Poll::Ready(Some(Ok(()))) => continue,
                Poll::Ready(Some(Err(status))) => return Poll::Ready(Some(Err(status))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            match this.poll_heartbeat(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(status)) => return Poll::Ready(Some(Err(status))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let link = lock(&self.link);
        if let Some(book) = link.book() {
            lock(book).disconnect(link.generation, self.venue.utc());
        }
    }
}
