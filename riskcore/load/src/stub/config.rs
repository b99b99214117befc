//! What the stub is told before it starts.

use crate::proto::Quote;

/// What happens to a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// New. Day orders rest; immediate ones are canceled at once.
    Ack,
    /// New; immediate and market orders are then filled completely, at their limit price or at the quote. Day orders
    /// rest.
    Fill,
    /// Rejected, OrdRejReason 99 (other).
    Reject,
}

/// The configuration of a stub.
#[derive(Clone, Debug)]
pub struct StubConfig {
    /// Address and port; port 0 = any free one.
    pub listen: String,
    /// What happens to a new order.
    pub behaviour: Behaviour,
    /// Whether an immediate order gets a New before its Trade or Canceled: two reports instead of one.
    pub separate_ack: bool,
    /// Published to market-data subscribers; their `transact_time` is set when they are sent.
    pub quotes: Vec<Quote>,
    /// Agreed on sessions.
    pub heartbeat_ms: u32,
    /// Each quote is sent again this often.
    pub quote_interval_ms: u32,
    /// Open orders of one gateway; the next one is rejected.
    pub max_open_orders: usize,
    /// Reports kept for a gateway that comes back.
    pub max_reports: usize,
}

/// Gateways known at once; the next one is refused.
pub const MAX_GATEWAYS: usize = 64;

impl Default for StubConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            behaviour: Behaviour::Fill,
            separate_ack: true,
            quotes: Vec::new(),
            heartbeat_ms: 1_000,
            quote_interval_ms: 100,
            max_open_orders: 1 << 20,
            max_reports: 1 << 16,
        }
    }
}
