//! Reading: the fields of a message, one after the other, borrowed from the frame.

use thiserror::Error;

/// What is wrong with bytes that should be a message.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WireError {
    /// The message ends inside a field.
    #[error("the message ends in the middle of field {0}")]
    Truncated(u32),
    /// More than ten bytes, or more than 64 bits.
    #[error("field {0} holds a varint of more than 64 bits")]
    Varint(u32),
    /// Groups and unassigned wire types.
    #[error("field {0} has wire type {1}, which proto3 does not use")]
    WireType(u32, u8),
    /// The known field has another type on the wire than in the contract.
    #[error("field {0} has another type than the contract says")]
    Type(u32),
}

/// One field's value as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Integers, enums and booleans.
    Varint(u64),
    /// `fixed64` and `sfixed64`.
    Fixed64(u64),
    /// Text, bytes and nested messages.
    Bytes(&'a [u8]),
    /// `fixed32` and `sfixed32`.
    Fixed32(u32),
}

impl<'a> Value<'a> {
    /// The varint, or the error that names `field`.
    pub fn varint(self, field: u32) -> Result<u64, WireError> {
        if let Self::Varint(value) = self { Ok(value) } else { Err(WireError::Type(field)) }
    }

    /// The `fixed64`, or the error that names `field`.
    pub fn fixed64(self, field: u32) -> Result<u64, WireError> {
        if let Self::Fixed64(value) = self { Ok(value) } else { Err(WireError::Type(field)) }
    }

    /// The `sfixed64`, or the error that names `field`.
    pub fn sfixed64(self, field: u32) -> Result<i64, WireError> {
        self.fixed64(field).map(u64::cast_signed)
    }

    /// The bytes, or the error that names `field`.
    pub fn bytes(self, field: u32) -> Result<&'a [u8], WireError> {
        if let Self::Bytes(value) = self { Ok(value) } else { Err(WireError::Type(field)) }
    }
}

/// The fields of one message.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of `message`.
    pub fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field's number and value; `None` at the end of the message.
    #[inline]
    pub fn next_field(&mut self) -> Result<Option<(u32, Value<'a>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint(0)?;
        let number = u32::try_from(tag >> 3).map_err(|_| WireError::Varint(0))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint(number)?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array(number)?)),
            2 => Value::Bytes(self.bytes(number)?),
            5 => Value::Fixed32(u32::from_le_bytes(self.array(number)?)),
            other => return Err(WireError::WireType(number, other as u8)),
        };
        Ok(Some((number, value)))
    }

    /// The first value of field `wanted`; `None` when the message has no such field. Later fields are not looked at.
    pub fn find(message: &'a [u8], wanted: u32) -> Result<Option<Value<'a>>, WireError> {
        let mut fields = Self::of(message);
        while let Some((field, value)) = fields.next_field()? {
            if field == wanted {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    #[inline]
    fn varint(&mut self, number: u32) -> Result<u64, WireError> {
        let mut value = 0_u64;
        let mut shift = 0_u32;
        loop {
            let (&byte, rest) = self.rest.split_first().ok_or(WireError::Truncated(number))?;
            self.rest = rest;
            if shift == 63 && byte > 1 {
                return Err(WireError::Varint(number));
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self, number: u32) -> Result<[u8; N], WireError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(WireError::Truncated(number))?;
        self.rest = rest;
        Ok(*head)
    }

    #[inline]
    fn bytes(&mut self, number: u32) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.varint(number)?).map_err(|_| WireError::Truncated(number))?;
        let (head, rest) = self.rest.split_at_checked(length).ok_or(WireError::Truncated(number))?;
        self.rest = rest;
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, WireError> {
        let mut fields = Fields::of(bytes);
        let mut seen = Vec::new();
        while let Some(field) = fields.next_field()? {
            seen.push(field);
        }
        Ok(seen)
    }

    #[test]
    fn every_wire_type_of_proto3_is_read() {
        let bytes = [0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i', 0x25, 7, 0, 0, 0];

        let expected =
            vec![(1, Value::Varint(150)), (2, Value::Fixed64(1)), (3, Value::Bytes(b"hi")), (4, Value::Fixed32(7))];
        assert_eq!(Ok(expected), check(&bytes));
    }

    #[test]
    fn damaged_messages_are_errors_that_name_the_field() {
        let rows: [(&[u8], WireError); 6] = [
            (&[0x08], WireError::Truncated(1)),
            (&[0x11, 1, 2], WireError::Truncated(2)),
            (&[0x1a, 5, b'x'], WireError::Truncated(3)),
            (&[0x0b], WireError::WireType(1, 3)),
            (&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], WireError::Varint(1)),
            (&[0x1a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], WireError::Truncated(3)),
        ];
        for (bytes, expected) in rows {
            assert_eq!(Err(expected), check(bytes), "{bytes:?}");
        }
    }
}
