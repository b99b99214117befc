//! What a flood is told before it starts.

use std::time::Duration;

use thiserror::Error;

pub use super::schedule::Shape;
pub use crate::proto::{OrdType, Side, TimeInForce};

/// `SessionRequest`: at most this many messages a frame.
pub const MAX_BATCH: usize = 256;
/// `SessionRequest`: at most this many bytes a frame.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Digits of the sequence number in a ClOrdID.
pub const CL_ORD_ID_DIGITS: usize = 10;
/// `NewOrderSingle.cl_ord_id`: at most this many bytes.
pub const MAX_CL_ORD_ID: usize = 36;
const MAX_TEXT: usize = 255;

/// Which service the generator speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `OrderEntry.Session`: a gateway.
    OrderEntry,
    /// `Exchange.Session`: a venue, reached without a gateway. Each session is a gateway of its own name.
    Exchange {
        /// The gateway epoch, below 2^24; the upper bits of the ids at the venue.
        epoch: u32,
    },
}

/// One kind of order; a session sends its lines in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// FIX Account.
    pub account: String,
    /// FIX Symbol.
    pub symbol: String,
    /// FIX Side.
    pub side: Side,
    /// FIX OrdType.
    pub ord_type: OrdType,
    /// FIX TimeInForce.
    pub time_in_force: TimeInForce,
    /// Whole units.
    pub order_qty: i64,
    /// 1e-9 of the currency; `None` for market orders.
    pub price: Option<i64>,
    /// The parent as the OMS registered it; empty = none. Not sent to a venue.
    pub parent_cl_ord_id: String,
    /// Empty = none. Not sent to a venue.
    pub strategy: String,
    /// Bits of the firm's flag registry.
    pub order_flags: u64,
}

/// One session: who logs on, what it sends and when.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Router name; the gateway name when speaking to a venue.
    pub router: String,
    /// The router's credential.
    pub token: String,
    /// At least one, unless the session cancels.
    pub lines: Vec<OrderLine>,
    /// Cancels instead of orders: of the orders with this number and the following ones, which an earlier flood of this
    /// router left open under the same prefix. Only to a gateway.
    pub cancels_from: Option<u64>,
    /// Rate, bursts, pauses, duration.
    pub shape: Shape,
    /// One order in flight instead of the schedule: the next leaves when the last is answered. Latency is then
    /// counted from the moment an order is encoded; of the shape only `duration` and `orders` are used.
    pub ping_pong: bool,
    /// The ClOrdID is this and ten digits of `client_seq`.
    pub cl_ord_id_prefix: String,
    /// The last report that an earlier flood of this router got today ([`super::SessionReport::last_report_seq`]): the
    /// gateway sends those after it again; `None` = all it holds. Only to a gateway.
    pub resume_after: Option<u64>,
}

/// The whole flood.
#[derive(Clone, Debug)]
pub struct FloodConfig {
    /// `host:port`.
    pub target: String,
    /// Gateway or venue.
    pub protocol: Protocol,
    /// Each on a connection of its own.
    pub sessions: Vec<SessionConfig>,
    /// Native threads; sessions are dealt to them in turn.
    pub threads: usize,
    /// Messages a frame, when several are due together; at most [`MAX_BATCH`].
    pub max_batch: usize,
    /// Time to connect and log on.
    pub logon_timeout: Duration,
    /// Time to wait for the last answers before logging out.
    pub drain_timeout: Duration,
}

/// A configuration that cannot be run.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Nothing to do.
    #[error("{0} is empty: give at least one")]
    Empty(&'static str),
    /// A text field.
    #[error("{field} of session {router} is {length} bytes long; the most is {most}")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Of which session.
        router: String,
        /// Its length.
        length: usize,
        /// The bound.
        most: usize,
    },
    /// ClOrdIDs are printable ASCII.
    #[error("cl_ord_id_prefix of session {0} has a character that is not printable ASCII")]
    Prefix(String),
    /// Two sessions of one router would cut each other off.
    #[error("router {0} appears twice: a router has one session")]
    Twice(String),
    /// A venue's reports do not say which cancel they answer.
    #[error("session {0} cancels: only a gateway answers each cancel under its own number")]
    CancelsAtVenue(String),
    /// A flood wants no earlier reports of a venue.
    #[error("session {0} resumes: a venue is asked for no earlier reports, leave resume_after out")]
    ResumesAtVenue(String),
    /// The epoch and the sequence number share 64 bits.
    #[error("epoch {0} does not fit 24 bits")]
    Epoch(u32),
}

impl FloodConfig {
    /// Checks everything that can be known without connecting.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.sessions.is_empty() {
            return Err(ConfigError::Empty("sessions"));
        }
        if let Protocol::Exchange { epoch } = self.protocol
            && epoch >= 1 << 24
        {
            return Err(ConfigError::Epoch(epoch));
        }
        for (index, session) in self.sessions.iter().enumerate() {
            if self.sessions.iter().take(index).any(|other| other.router == session.router) {
                return Err(ConfigError::Twice(session.router.clone()));
            }
            session.check()?;
            if session.cancels_from.is_some() && self.protocol != Protocol::OrderEntry {
                return Err(ConfigError::CancelsAtVenue(session.router.clone()));
            }
            if session.resume_after.is_some() && self.protocol != Protocol::OrderEntry {
                return Err(ConfigError::ResumesAtVenue(session.router.clone()));
            }
        }
        Ok(())
    }
}

impl SessionConfig {
    fn check(&self) -> Result<(), ConfigError> {
        if self.lines.is_empty() && self.cancels_from.is_none() {
            return Err(ConfigError::Empty("lines"));
        }
        if !self.cl_ord_id_prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::Prefix(self.router.clone()));
        }
        self.bound("cl_ord_id_prefix", &self.cl_ord_id_prefix, MAX_CL_ORD_ID - CL_ORD_ID_DIGITS)?;
        self.bound("router", &self.router, MAX_TEXT)?;
        self.bound("token", &self.token, MAX_TEXT)?;
        for line in &self.lines {
            self.bound("account", &line.account, MAX_TEXT)?;
            self.bound("symbol", &line.symbol, MAX_TEXT)?;
            self.bound("parent_cl_ord_id", &line.parent_cl_ord_id, MAX_TEXT)?;
            self.bound("strategy", &line.strategy, MAX_TEXT)?;
        }
        Ok(())
    }

    fn bound(&self, field: &'static str, text: &str, most: usize) -> Result<(), ConfigError> {
        if text.len() <= most {
            return Ok(());
        }
        Err(ConfigError::TooLong { field, router: self.router.clone(), length: text.len(), most })
    }
}
