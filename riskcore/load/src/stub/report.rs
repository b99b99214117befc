//! Reports: a few words each while they are kept, bytes only when they leave.

use bytes::BufMut;

use crate::proto::{CxlRejReason, CxlRejResponseTo, ExecType};
use crate::wire::Scratch;

/// One sequenced message to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// A `VenueReport`.
    Execution(Execution),
    /// A `VenueCancelReject` for a cancel or a replace of an order that is not open.
    CancelReject {
        /// The gateway's OrderID.
        id: u64,
        /// What is refused.
        response_to: CxlRejResponseTo,
    },
}

/// The fields of a `VenueReport` that the stub uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The gateway's OrderID.
    pub id: u64,
    /// FIX 150.
    pub exec_type: ExecType,
    /// Units of this trade.
    pub last_qty: i64,
    /// Price of this trade.
    pub last_px: i64,
    /// Units traded in all.
    pub cum_qty: i64,
    /// Units still open.
    pub leaves_qty: i64,
    /// FIX 103.
    pub ord_rej_reason: u32,
    /// UTC ns.
    pub time: u64,
}

/// Larger than the longest message below: 15 fields of at most 12 bytes.
type Body = Scratch<192>;

impl Report {
    /// Appends the report to a frame as one `messages` element. The ExecID is the sequence number.
    #[inline]
    pub fn put(&self, frame: &mut impl BufMut, venue_seq: u64) {
        let mut body = Body::new();
        let field = match self {
            Self::Execution(execution) => {
                execution.write(&mut body, venue_seq);
                3
            }
            Self::CancelReject { id, response_to } => {
                body.fixed64(1, *id);
                body.uint(2, code(*response_to as i32));
                body.uint(3, code(CxlRejReason::UnknownOrder as i32));
                4
            }
        };
        let mut message = Scratch::<224>::new();
        message.uint(1, venue_seq);
        message.bytes(field, body.as_slice());
        let mut head = Scratch::<16>::new();
        head.length_prefix(1, message.as_slice().len());
        head.put_into(frame);
        message.put_into(frame);
    }
}

impl Execution {
    fn write(&self, body: &mut Body, venue_seq: u64) {
        body.fixed64(1, self.id);
        body.uint(2, venue_seq);
        body.uint(3, code(self.exec_type as i32));
        body.sfixed64(4, self.last_qty);
        body.sfixed64(5, self.last_px);
        body.sfixed64(6, self.cum_qty);
        body.sfixed64(7, self.leaves_qty);
        body.uint(9, u64::from(self.ord_rej_reason));
        body.fixed64(11, self.time);
    }
}

/// An enum as the varint it is on the wire.
fn code(value: i32) -> u64 {
    i64::from(value).cast_unsigned()
}
