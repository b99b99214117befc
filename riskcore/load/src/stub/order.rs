//! Requests as the stub sees them: what it needs of each, borrowed or copied from the frame.

use crate::proto::{OrdType, TimeInForce};
use crate::wire::{Fields, WireError};

/// A new order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewOrder<'a> {
    /// The gateway's OrderID.
    pub id: u64,
    /// FIX 55, to find the quote of a market order.
    pub symbol: &'a [u8],
    /// FIX 54, the number on the wire.
    pub side: u64,
    /// FIX 40.
    pub ord_type: u64,
    /// FIX 59.
    pub time_in_force: u64,
    /// Whole units.
    pub qty: i64,
    /// 1e-9 units.
    pub price: Option<i64>,
}

impl<'a> NewOrder<'a> {
    /// Reads a `VenueNewOrder`.
    #[inline]
    pub fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let mut order = Self::default();
        let mut fields = Fields::of(message);
        while let Some((field, value)) = fields.next_field()? {
            match field {
                1 => order.id = value.fixed64(field)?,
                3 => order.symbol = value.bytes(field)?,
                4 => order.side = value.varint(field)?,
                5 => order.ord_type = value.varint(field)?,
                6 => order.time_in_force = value.varint(field)?,
                7 => order.qty = value.sfixed64(field)?,
                8 => order.price = Some(value.sfixed64(field)?),
                _ => {}
            }
        }
        Ok(order)
    }

    /// Whether the order never rests.
    pub fn immediate(&self) -> bool {
        self.ord_type == OrdType::Market as u64
            || self.time_in_force == TimeInForce::ImmediateOrCancel as u64
            || self.time_in_force == TimeInForce::FillOrKill as u64
    }
}

/// A `VenueReplace`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replace {
    /// The gateway's OrderID.
    pub id: u64,
    /// The new total.
    pub qty: i64,
    /// The new price.
    pub price: Option<i64>,
}

impl Replace {
    /// Reads a `VenueReplace`.
    pub fn read(message: &[u8]) -> Result<Self, WireError> {
        let mut replace = Self::default();
        let mut fields = Fields::of(message);
        while let Some((field, value)) = fields.next_field()? {
            match field {
                1 => replace.id = value.fixed64(field)?,
                2 => replace.qty = value.sfixed64(field)?,
                3 => replace.price = Some(value.sfixed64(field)?),
                _ => {}
            }
        }
        Ok(replace)
    }
}

/// Reads field 1 of a `VenueCancel`.
pub fn cancel_id(message: &[u8]) -> Result<u64, WireError> {
    Fields::find(message, 1)?.map_or(Ok(0), |value| value.fixed64(1))
}

/// Reads field 1 of a `MassStatusRequest` or `VenueHeartbeat`.
pub fn request_id(message: &[u8]) -> Result<u64, WireError> {
    Fields::find(message, 1)?.map_or(Ok(0), |value| value.varint(1))
}
