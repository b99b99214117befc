//! Protobuf's wire format: varints, tags, lengths.

use std::collections::VecDeque;

/// A message that is not protobuf, with what is wrong about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// The value of one field. Groups do not exist in proto3 and are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// int, uint, bool, enum.
    Varint(u64),
    /// fixed64, sfixed64, double.
    Fixed64(u64),
    /// string, bytes, message.
    Bytes(&'a [u8]),
    /// fixed32 and its like.
    Fixed32(u32),
}

/// Iterates over the fields of one message, as `(field number, value)`.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field; `None` at the end.
    #[inline(always)]
    pub fn next_field(&mut self) -> Result<Option<(u32, Field<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Malformed("a field number is out of range"))?;
        if number == 0 {
            return Err(Malformed("a field has number 0"));
        }
        let value = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.take_array()?)),
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(usize::try_from(length).map_err(|_| Malformed("a length is out of range"))?)?)
            }
            5 => Field::Fixed32(u32::from_le_bytes(self.take_array()?)),
            _ => return Err(Malformed("a field has an unknown wire type")),
        };
        Ok(Some((number, value)))
    }

    /// Tags, enums and lengths are one byte nearly always.
    #[inline]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.0 {
            [byte @ ..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for (n, byte) in self.0.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if n == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * n);
            if byte & 0x80 == 0 {
                self.0 = &self.0[n + 1..];
                return Ok(value);
            }
        }
        Err(Malformed("a varint is cut off or longer than 64 bits"))
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(Malformed("a field is longer than its message"))?;
        self.0 = tail;
        Ok(head)
    }

    #[inline]
    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Malformed("a field is longer than its message"))?;
        self.0 = tail;
        Ok(*head)
    }
}

/// How many bytes the varint of `value` takes.
#[inline]
pub fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Where encoded bytes go.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Sink for VecDeque<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend(bytes);
    }
}

/// Writes over what is there.
impl Sink for &mut [u8] {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let (head, tail) = std::mem::take(self).split_at_mut(bytes.len());
        head.copy_from_slice(bytes);
        *self = tail;
    }
}

impl Sink for tonic::codec::EncodeBuf<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        bytes::BufMut::put_slice(self, bytes);
    }
}

/// Writes a varint.
#[inline]
pub fn put_varint(out: &mut impl Sink, value: u64) {
    match value {
        0..0x80 => out.put(&[value as u8]),
        _ => put_long_varint(out, value),
    }
}

fn put_long_varint(out: &mut impl Sink, mut value: u64) {
    let mut bytes = [0_u8; 10];
    for n in 0..10 {
        if value < 0x80 {
            bytes[n] = value as u8;
            out.put(&bytes[..=n]);
            return;
        }
        bytes[n] = value as u8 | 0x80;
        value >>= 7;
    }
}

/// Writes a varint field, unless it is 0 (proto3's default is not written).
#[inline]
pub fn put_uint(out: &mut impl Sink, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(number) << 3);
        put_varint(out, value);
    }
}

/// Writes a fixed64 or sfixed64 field, even if it is 0: for `optional` fields.
#[inline]
pub fn put_fixed64_always(out: &mut impl Sink, number: u32, value: u64) {
    put_varint(out, u64::from(number) << 3 | 1);
    out.put(&value.to_le_bytes());
}

/// Writes a fixed64 or sfixed64 field, unless it is 0.
#[inline]
pub fn put_fixed64(out: &mut impl Sink, number: u32, value: u64) {
    if value != 0 {
        put_fixed64_always(out, number, value);
    }
}

/// Writes a string, bytes or message field, even if it is empty: for members of a `oneof`.
#[inline]
pub fn put_bytes_always(out: &mut impl Sink, number: u32, value: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, value.len() as u64);
    out.put(value);
}

/// Writes a string or bytes field, unless it is empty.
#[inline]
pub fn put_bytes(out: &mut impl Sink, number: u32, value: &[u8]) {
    if !value.is_empty() {
        put_bytes_always(out, number, value);
    }
}

/// Writes a message field: `write` appends its content, whose length is put in front afterwards. The content moves by
/// the bytes of the length, which is one or two for everything here.
pub fn put_message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    put_varint(out, u64::from(number) << 3 | 2);
    let at = out.len();
    out.push(0);
    write(out);
    let length = out.len() - at - 1;
    if length < 0x80 {
        out[at] = length as u8;
        return;
    }
    let more = varint_len(length as u64) - 1;
    out.extend_from_slice(&[0; 9][..more]);
    out.copy_within(at + 1..at + 1 + length, at + 1 + more);
    put_varint(&mut &mut out[at..], length as u64);
}

/// Writes one entry of the `messages` that every session's frames consist of, both ways: its number, unless it is 0, and
/// its body.
pub fn put_entry(out: &mut impl Sink, number: u64, body: &[u8]) {
    let mut head = [0; MAX_ENTRY_HEAD];
    let mut rest = &mut head[..];
    put_varint(&mut rest, 1 << 3 | 2);
    put_varint(&mut rest, (number_len(number) + body.len()) as u64);
    put_uint(&mut rest, 1, number);
    let length = MAX_ENTRY_HEAD - rest.len();
    out.put(&head[..length]);
    out.put(body);
}

/// Two tags of one byte, two varints.
const MAX_ENTRY_HEAD: usize = 22;

/// How many bytes [`put_entry`] writes.
pub fn entry_len(number: u64, body: usize) -> usize {
    let content = number_len(number) + body;
    1 + varint_len(content as u64) + content
}

fn number_len(number: u64) -> usize {
    if number == 0 { 0 } else { 1 + varint_len(number) }
}

/// Decimal text without allocating.
pub struct Decimal {
    digits: [u8; 40],
    at: usize,
}

impl Decimal {
    /// The text of `value`.
    pub fn new(value: i128) -> Decimal {
        let mut text = Decimal { digits: [0; 40], at: 40 };
        let mut rest = value.unsigned_abs();
        loop {
            text.at -= 1;
            text.digits[text.at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            text.at -= 1;
            text.digits[text.at] = b'-';
        }
        text
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip_at_every_length() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut out = Vec::new();
                put_varint(&mut out, value);

                assert_eq!(varint_len(value), out.len());
                assert_eq!(Ok(value), Fields(&out).varint());
            }
        }
    }

    #[test]
    fn what_is_not_protobuf_is_refused() {
        for (bytes, why) in [
            (&[0x80][..], "a varint is cut off or longer than 64 bits"),
            (&[0xff; 11], "a varint is cut off or longer than 64 bits"),
            (&[0x00, 0x01], "a field has number 0"),
            (&[0x0a, 0x05, 0x00], "a field is longer than its message"),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "a field is longer than its message"),
            (&[0x09, 0x01], "a field is longer than its message"),
            (&[0x0b], "a field has an unknown wire type"),
            (&[0x0f], "a field has an unknown wire type"),
        ] {
            assert_eq!(Err(Malformed(why)), Fields(bytes).next_field().map(|_| ()), "{bytes:?}");
        }
    }

    #[test]
    fn a_message_of_any_length_gets_its_length() {
        for length in [0, 1, 126, 127, 128, 300, 20_000] {
            let mut out = Vec::new();
            put_message(&mut out, 3, |out| out.resize(out.len() + length, 7));

            assert_eq!(Ok(Some((3, Field::Bytes(&vec![7; length][..])))), Fields(&out).next_field());
        }
    }

    #[test]
    fn an_entry_is_as_long_as_foretold() {
        for number in [0, 1, 127, 128, u64::MAX] {
            for length in [0, 1, 115, 125, 126, 128, 20_000] {
                let mut out = Vec::new();
                put_entry(&mut out, number, &vec![0; length]);

                assert_eq!(entry_len(number, length), out.len(), "{number}, {length} bytes");
            }
        }
    }

    #[test]
    fn decimals_are_exact_at_the_extremes() {
        for value in [0, 1, -1, i128::MAX, i128::MIN, 1_000_000_000] {
            assert_eq!(value.to_string().as_bytes(), Decimal::new(value).as_bytes());
        }
    }
}
