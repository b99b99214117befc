//! Orders, encoded once: per order only the sequence number, the ClOrdID and the time are written.

use bytes::BufMut;

use super::config::{CL_ORD_ID_DIGITS, MAX_FRAME_BYTES, OrderLine, Protocol, SessionConfig};
use crate::wire::{Scratch, varint_len};

/// Bits of an id at the venue below the epoch.
const EPOCH_SHIFT: u32 = 40;
/// A message's own bytes besides the template: tags, lengths, sequence number, ClOrdID, time.
const OVERHEAD: usize = 96;
const FIXED64_FIELD: usize = 9;

/// The encoded lines of one session.
#[derive(Clone, Debug)]
pub struct Templates {
    protocol: Protocol,
    prefix: Vec<u8>,
    /// Per line the fields that never change.
    lines: Vec<Vec<u8>>,
    cancels_from: Option<u64>,
}

impl Templates {
    /// Encodes the lines of `session`.
    pub fn new(session: &SessionConfig, protocol: Protocol, router: &str) -> Self {
        let encode = |line: &OrderLine| match protocol {
            Protocol::OrderEntry => new_order_single(line),
            Protocol::Exchange { .. } => venue_new_order(line, router),
        };
        Self {
            protocol,
            prefix: session.cl_ord_id_prefix.as_bytes().to_vec(),
            lines: session.lines.iter().map(encode).collect(),
            cancels_from: session.cancels_from,
        }
    }

    /// Orders that fit the largest frame.
    pub fn max_batch(&self) -> usize {
        let longest = self.lines.iter().map(Vec::len).max().unwrap_or_default();
        (MAX_FRAME_BYTES / (longest + OVERHEAD)).max(1)
    }

    /// The sequence number in an id that this session gave out; `None` for any other id.
    pub fn seq_of(&self, cl_ord_id: &[u8]) -> Option<u64> {
        let digits = cl_ord_id.strip_prefix(self.prefix.as_slice())?;
        if digits.len() != CL_ORD_ID_DIGITS {
            return None;
        }
        digits.iter().try_fold(0_u64, |seq, byte| byte.is_ascii_digit().then(|| seq * 10 + u64::from(byte - b'0')))
    }

    /// The sequence number in an id at the venue.
    pub fn seq_of_venue_id(&self, cl_ord_id: u64) -> Option<u64> {
        match self.protocol {
            Protocol::Exchange { epoch } if cl_ord_id >> EPOCH_SHIFT == u64::from(epoch) => {
                Some(cl_ord_id & ((1 << EPOCH_SHIFT) - 1))
            }
            _ => None,
        }
    }

    /// Appends order or cancel `index` under `seq` to a frame, as one `messages` element.
    #[inline]
    pub fn put(&self, frame: &mut impl BufMut, index: u64, seq: u64, utc: u64) {
        if let Some(from) = self.cancels_from {
            return self.put_cancel(frame, from + index, seq);
        }
        let line = usize::try_from(index).unwrap_or_default().checked_rem(self.lines.len()).unwrap_or_default();
        let Some(template) = self.lines.get(line) else { return };
        match self.protocol {
            Protocol::OrderEntry => self.put_order_entry(frame, template, seq, utc),
            Protocol::Exchange { epoch } => put_exchange(frame, template, u64::from(epoch) << EPOCH_SHIFT | seq, seq),
        }
    }

    fn put_order_entry(&self, frame: &mut impl BufMut, template: &[u8], seq: u64, utc: u64) {
        let id = self.prefix.len() + CL_ORD_ID_DIGITS;
        let order = 2 + id + template.len() + FIXED64_FIELD;
        let mut head = Scratch::<128>::new();
        head.length_prefix(1, seq_field_len(seq) + 1 + varint_len(order as u64) + order);
        head.uint(1, seq);
        head.length_prefix(3, order);
        head.length_prefix(1, id);
        head.raw(&self.prefix);
        head.raw(&digits(seq));
        head.put_into(frame);
        frame.put_slice(template);
        let mut tail = Scratch::<FIXED64_FIELD>::new();
        tail.fixed64_present(12, utc);
        tail.put_into(frame);
    }

    /// A cancel without an id of its own: its report carries `seq`.
    fn put_cancel(&self, frame: &mut impl BufMut, order: u64, seq: u64) {
        let id = self.prefix.len() + CL_ORD_ID_DIGITS;
        let cancel = 2 + id;
        let mut out = Scratch::<128>::new();
        out.length_prefix(1, seq_field_len(seq) + 2 + cancel);
        out.uint(1, seq);
        out.length_prefix(5, cancel);
        out.length_prefix(1, id);
        out.raw(&self.prefix);
        out.raw(&digits(order));
        out.put_into(frame);
    }
}

fn put_exchange(frame: &mut impl BufMut, template: &[u8], id: u64, seq: u64) {
    let order = FIXED64_FIELD + template.len();
    let mut head = Scratch::<64>::new();
    head.length_prefix(1, seq_field_len(seq) + 1 + varint_len(order as u64) + order);
    head.uint(1, seq);
    head.length_prefix(3, order);
    head.fixed64_present(1, id);
    head.put_into(frame);
    frame.put_slice(template);
}

/// Sequence numbers start at 1, so the field is always there.
fn seq_field_len(seq: u64) -> usize {
    1 + varint_len(seq)
}

fn digits(mut seq: u64) -> [u8; CL_ORD_ID_DIGITS] {
    let mut text = [b'0'; CL_ORD_ID_DIGITS];
    for place in text.iter_mut().rev() {
        *place = b'0' + (seq % 10) as u8;
        seq /= 10;
    }
    text
}

/// Larger than the four texts of a line and its numbers: `config` bounds each text to 255 bytes.
type Line = Scratch<2048>;

fn new_order_single(line: &OrderLine) -> Vec<u8> {
    let mut out = Line::new();
    out.bytes(2, line.account.as_bytes());
    out.bytes(3, line.symbol.as_bytes());
    out.uint(4, code(line.side as i32));
    out.uint(5, code(line.ord_type as i32));
    out.uint(6, code(line.time_in_force as i32));
    out.sfixed64(7, line.order_qty);
    if let Some(price) = line.price {
        out.fixed64_present(8, price.cast_unsigned());
    }
    out.bytes(9, line.parent_cl_ord_id.as_bytes());
    out.bytes(10, line.strategy.as_bytes());
    out.uint(11, line.order_flags);
    out.as_slice().to_vec()
}

fn venue_new_order(line: &OrderLine, router: &str) -> Vec<u8> {
    let mut out = Line::new();
    out.bytes(2, line.account.as_bytes());
    out.bytes(3, line.symbol.as_bytes());
    out.uint(4, code(line.side as i32));
    out.uint(5, code(line.ord_type as i32));
    out.uint(6, code(line.time_in_force as i32));
    out.sfixed64(7, line.order_qty);
    if let Some(price) = line.price {
        out.fixed64_present(8, price.cast_unsigned());
    }
    out.uint(9, line.order_flags);
    out.bytes(10, router.as_bytes());
    out.as_slice().to_vec()
}

/// An enum as the varint it is on the wire.
fn code(value: i32) -> u64 {
    i64::from(value).cast_unsigned()
}
