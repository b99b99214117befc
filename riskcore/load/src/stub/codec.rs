//! The session's own codec: requests are applied to the book while they are read, reports are written from it. No
//! order ever exists as an allocated value.

use std::sync::{Arc, Mutex};

use bytes::{Buf, BufMut};
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::book::Book;
use super::order::{NewOrder, Replace, cancel_id, request_id};
use super::session::{Link, Out};
use super::venue::Venue;
use crate::proto::{ExchangeLogon, VenueHeartbeat, exchange_message::Body};
use crate::sync::lock;
use crate::wire::{Fields, Value, WireError};

const BUFFER_BYTES: usize = 64 * 1024;
const GATHER_BYTES: usize = 32 * 1024;
/// The largest frame a gateway may send.
pub const MAX_FRAME_BYTES: usize = 256 * 1024;

/// One session's codec.
#[derive(Clone, Debug)]
pub struct StubCodec {
    /// Gateways and configuration.
    pub venue: Arc<Venue>,
    /// The session.
    pub link: Arc<Mutex<Link>>,
}

impl Codec for StubCodec {
    type Encode = Out;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for StubCodec {
    type Item = Out;
    type Error = Status;

    fn encode(&mut self, out: Out, frame: &mut EncodeBuf<'_>) -> Result<(), Status> {
        match out {
            Out::Encoded(bytes) => frame.put_slice(&bytes),
            Out::Reports { from, count } => {
                let link = lock(&self.link);
                let Some(book) = link.book() else { return Ok(()) };
                let book = lock(book);
                for venue_seq in from..from + count {
                    if let Some(report) = book.report(venue_seq) {
                        report.put(frame, venue_seq);
                    }
                }
            }
        }
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, GATHER_BYTES)
    }
}

impl Decoder for StubCodec {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, frame: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        let now = self.venue.utc();
        let mut link = lock(&self.link);
        self.read_frame(&mut link, frame.chunk(), now)?;
        frame.advance(frame.remaining());
        Ok(Some(()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, GATHER_BYTES)
    }
}

impl StubCodec {
    /// One `ExchangeSessionRequest`.
    fn read_frame(&self, link: &mut Link, frame: &[u8], now: u64) -> Result<(), Status> {
        let mut messages = Fields::of(frame);
        let mut book: Option<Arc<Mutex<Book>>> = link.book().map(Arc::clone);
        while let Some((field, value)) = messages.next_field().map_err(damaged)? {
            if field != 1 {
                continue;
            }
            let message = value.bytes(field).map_err(damaged)?;
            match &book {
                Some(known) => read_message(&mut lock(known), link, message, now)?,
                None => {
                    self.logon(link, message)?;
                    book = link.book().map(Arc::clone);
                }
            }
        }
        Ok(())
    }

    /// The first message, which must be the logon.
    fn logon(&self, link: &mut Link, message: &[u8]) -> Result<(), Status> {
        let (_, body) = split(message).map_err(damaged)?;
        let Some((2, bytes)) = body else {
            return Err(Status::failed_precondition("the first message of a session must be logon"));
        };
        let logon = ExchangeLogon::decode(bytes).map_err(|error| Status::invalid_argument(error.to_string()))?;
        if logon.gateway.is_empty() {
            return Err(Status::invalid_argument("logon.gateway is empty"));
        }
        let book = self.venue.gateway(&logon.gateway);
        let book = book.ok_or_else(|| Status::resource_exhausted("too many gateways"))?;
        let ack = lock(&book).logon(logon.epoch, logon.resume_after, logon.cancel_on_disconnect);
        let ack = ack.map_err(|in_force| {
            Status::failed_precondition(format!("epoch {} is fenced: epoch {in_force} is in force", logon.epoch))
        })?;
        link.logged_on(book, ack, self.venue.config().heartbeat_ms)
    }
}

/// One `ExchangeRequest` after the logon.
#[inline]
fn read_message(book: &mut Book, link: &mut Link, message: &[u8], now: u64) -> Result<(), Status> {
    let (seq, body) = split(message).map_err(damaged)?;
    let Some((field, bytes)) = body else {
        return Err(Status::invalid_argument("a message without a body, or with one that is not known"));
    };
    if matches!(field, 3..=5) && !take_seq(book, seq)? {
        return Ok(());
    }
    match field {
        3 => book.new_order(&NewOrder::read(bytes).map_err(damaged)?, now),
        4 => book.replace(&Replace::read(bytes).map_err(damaged)?, now),
        5 => book.cancel(cancel_id(bytes).map_err(damaged)?, now),
        6 => link.ask_mass_status(request_id(bytes).map_err(damaged)?, book.open_ids())?,
        7 => {
            let test_req_id = request_id(bytes).map_err(damaged)?;
            if test_req_id != 0 {
                link.say(Body::Heartbeat(VenueHeartbeat { test_req_id }))?;
            }
        }
        _ => return Err(Status::failed_precondition("a second logon on one session")),
    }
    Ok(())
}

fn take_seq(book: &mut Book, seq: u64) -> Result<bool, Status> {
    book.take_seq(seq)
        .map_err(|expected| Status::out_of_range(format!("client_seq {seq} leaves a gap: {expected} is next")))
}

/// The sequence number and the body, by its field number.
#[inline]
#[expect(clippy::type_complexity, reason = "private, and a name would say no more")]
fn split(message: &[u8]) -> Result<(u64, Option<(u32, &[u8])>), WireError> {
    let (mut seq, mut body) = (0, None);
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match (field, value) {
            (1, value) => seq = value.varint(field)?,
            (2..=7, Value::Bytes(bytes)) => body = Some((field, bytes)),
            (2..=7, _) => return Err(WireError::Type(field)),
            _ => {}
        }
    }
    Ok((seq, body))
}

fn damaged(error: WireError) -> Status {
    Status::invalid_argument(format!("damaged frame: {error}"))
}
