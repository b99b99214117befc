//! The generator's own codec: a frame is encoded in place when the connection has room for it, and decoded in place
//! into the session's counters. No message ever exists as a value.

use std::sync::{Arc, Mutex};

use bytes::{Buf, BufMut};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::config::{Protocol, SessionConfig};
use super::session::{Frame, Session};
use super::template::Templates;
use super::{exchange, order_entry};
use crate::clock::Clock;
use crate::sync::lock;
use crate::wire::{Fields, WireError};

/// Room for one full frame, so that a burst grows the buffer once.
const BUFFER_BYTES: usize = 64 * 1024;
/// Frames are gathered up to this size before the connection gets them.
const GATHER_BYTES: usize = 32 * 1024;

/// What a session says besides orders, encoded once.
#[derive(Clone, Debug)]
pub struct Speech {
    protocol: Protocol,
    logon: Vec<u8>,
    logout: Vec<u8>,
}

impl Speech {
    /// The frames of a session under `protocol`.
    pub fn new(protocol: Protocol, config: &SessionConfig) -> Self {
        let SessionConfig { router, token, resume_after, .. } = config;
        let (logon, logout) = match protocol {
            Protocol::OrderEntry => (order_entry::logon(router, token, *resume_after), order_entry::logout()),
            Protocol::Exchange { epoch } => (exchange::logon(router, epoch), Vec::new()),
        };
        Self { protocol, logon, logout }
    }

    fn heartbeat(&self, id: u64) -> Vec<u8> {
        match self.protocol {
            Protocol::OrderEntry => order_entry::heartbeat(id),
            Protocol::Exchange { .. } => exchange::heartbeat(id),
        }
    }
}

/// One session's codec.
#[derive(Clone, Debug)]
pub struct FloodCodec {
    /// The state that decoded frames are applied to.
    pub session: Arc<Mutex<Session>>,
    /// What orders look like.
    pub templates: Arc<Templates>,
    /// What else is said.
    pub speech: Arc<Speech>,
    /// The flood's clock.
    pub clock: Clock,
}

impl Codec for FloodCodec {
    type Encode = Frame;
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

impl Encoder for FloodCodec {
    type Item = Frame;
    type Error = Status;

    fn encode(&mut self, frame: Frame, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        match frame {
            Frame::Logon => out.put_slice(&self.speech.logon),
            Frame::Logout => out.put_slice(&self.speech.logout),
            Frame::Heartbeat { id } => out.put_slice(&self.speech.heartbeat(id)),
            Frame::Orders { first, count, seq } => {
                let utc = self.clock.utc(self.clock.now());
                for offset in 0..count {
                    self.templates.put(out, first + offset, seq + offset, utc);
                }
            }
        }
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, GATHER_BYTES)
    }
}

impl Decoder for FloodCodec {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, frame: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        let now = self.clock.now();
        let mut session = lock(&self.session);
        let read_message = match self.speech.protocol {
            Protocol::OrderEntry => order_entry::read_message,
            Protocol::Exchange { .. } => exchange::read_message,
        };
        let result = each_message(frame.chunk(), |message| read_message(&mut session, now, message));
        frame.advance(frame.remaining());
        result.map(Some).map_err(|error| Status::internal(format!("the peer sent a damaged frame: {error}")))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, GATHER_BYTES)
    }
}

/// Hands every message of a frame over; those of both protocols are the repeated field 1.
fn each_message(frame: &[u8], mut read: impl FnMut(&[u8]) -> Result<(), WireError>) -> Result<(), WireError> {
    let mut messages = Fields::of(frame);
    while let Some((field, value)) = messages.next_field()? {
        if field == 1 {
            read(value.bytes(field)?)?;
        }
    }
    Ok(())
}
