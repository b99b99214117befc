//! The exchange's contract: messages out are written, reports in are read in place.

use riskcore::events::{OrdType, TimeInForce};

use super::primitives::{
    Field, Fields, Malformed, Sink, put_bytes, put_bytes_always, put_fixed64, put_fixed64_always, put_message, put_uint,
};
use super::responses::side_code;

/// A `VenueNewOrder`.
pub struct NewOrder<'a> {
    /// The order, by our id.
    pub order: &'a riskcore::orders::Order,
    /// Account name.
    pub account: &'a str,
    /// Symbol name.
    pub symbol: &'a str,
    /// Router name.
    pub router: &'a str,
}

impl NewOrder<'_> {
    /// Writes the body of an `ExchangeRequest`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let order = self.order;
        put_message(out, 3, |out| {
            put_fixed64(out, 1, order.id.0);
            put_bytes(out, 2, self.account.as_bytes());
            put_bytes(out, 3, self.symbol.as_bytes());
            put_uint(out, 4, side_code(order.side));
            put_uint(out, 5, ord_type_code(order.ord_type));
            put_uint(out, 6, tif_code(order.tif));
            put_fixed64(out, 7, order.qty.0 as u64);
            if let Some(price) = order.price {
                put_fixed64_always(out, 8, price.0 as u64);
            }
            put_uint(out, 9, order.flags);
            put_bytes(out, 10, self.router.as_bytes());
        });
    }
}

fn ord_type_code(ord_type: OrdType) -> u64 {
    match ord_type {
        OrdType::Market => 49,
        OrdType::Limit => 50,
    }
}

fn tif_code(tif: TimeInForce) -> u64 {
    match tif {
        TimeInForce::Day => 48,
        TimeInForce::GoodTillCancel => 49,
        TimeInForce::AtTheOpening => 50,
        TimeInForce::ImmediateOrCancel => 51,
        TimeInForce::FillOrKill => 52,
    }
}

/// Writes a `VenueReplace` as the body of an `ExchangeRequest`.
pub fn write_replace(out: &mut Vec<u8>, order: u64, qty: i64, price: Option<i64>) {
    put_message(out, 4, |out| {
        put_fixed64(out, 1, order);
        put_fixed64(out, 2, qty as u64);
        if let Some(price) = price {
            put_fixed64_always(out, 3, price as u64);
        }
    });
}

/// Writes a `VenueCancel` as field `number`: the body of an `ExchangeRequest` (5), an entry of the cancel stream (2).
pub fn write_cancel(out: &mut Vec<u8>, number: u32, order: u64) {
    put_message(out, number, |out| put_fixed64(out, 1, order));
}

/// Writes a `MassStatusRequest` as the body of an `ExchangeRequest`.
pub fn write_mass_status_request(out: &mut Vec<u8>, request_id: u64) {
    put_message(out, 6, |out| put_uint(out, 1, request_id));
}

/// Writes a `VenueHeartbeat` as the body of an `ExchangeRequest`.
pub fn write_heartbeat(out: &mut Vec<u8>, test_req_id: u64) {
    put_message(out, 7, |out| put_uint(out, 1, test_req_id));
}

/// Writes an `ExchangeLogon` as the body of an `ExchangeRequest`.
pub fn write_logon(out: &mut Vec<u8>, gateway: &str, epoch: u32, resume_after: u64, cancel_on_disconnect: bool) {
    put_message(out, 2, |out| {
        put_bytes(out, 1, gateway.as_bytes());
        put_uint(out, 2, u64::from(epoch));
        put_uint(out, 3, resume_after);
        put_uint(out, 4, u64::from(cancel_on_disconnect));
    });
}

/// Writes the first field of an `ExchangeCancelsRequest`.
pub fn put_cancels_gateway(out: &mut impl Sink, gateway: &str) {
    put_bytes_always(out, 1, gateway.as_bytes());
}

/// One `ExchangeMessage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueMessage<'a> {
    /// `ExchangeLogonAck`.
    LogonAck {
        /// The last report it has for us.
        last_venue_seq: u64,
        /// How often it sends a heartbeat.
        heartbeat_ms: u64,
    },
    /// `VenueReport`.
    Report(VenueReport<'a>),
    /// `VenueCancelReject`.
    CancelReject {
        /// Its place.
        venue_seq: u64,
        /// The order.
        order: u64,
        /// Whether a replace was refused, not a cancel.
        to_replace: bool,
        /// FIX 102 moved up by one.
        reason: u64,
    },
    /// `MassStatusEntry`.
    MassStatusEntry {
        /// The request it answers.
        request_id: u64,
        /// The order.
        order: u64,
        /// Filled.
        cum: i64,
        /// Open.
        leaves: i64,
    },
    /// `MassStatusEnd`.
    MassStatusEnd {
        /// The request it answers.
        request_id: u64,
        /// The last of our messages that the venue has worked through.
        last_client_seq_processed: u64,
        /// The list was complete.
        complete: bool,
        /// The old session is fenced.
        fenced: bool,
    },
    /// `VenueHeartbeat`.
    Heartbeat {
        /// To be echoed, unless 0.
        test_req_id: u64,
    },
    /// A body this version does not know.
    Unknown,
}

/// A `VenueReport` with its sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueReport<'a> {
    /// Its place.
    pub venue_seq: u64,
    /// The order.
    pub order: u64,
    /// The venue's id of the execution.
    pub exec_id: u64,
    /// FIX 150.
    pub exec_type: u64,
    /// Of this execution.
    pub last_qty: i64,
    /// Of this execution.
    pub last_px: i64,
    /// Filled.
    pub cum_qty: i64,
    /// Open.
    pub leaves_qty: i64,
    /// The execution that is corrected or busted.
    pub exec_ref_id: u64,
    /// FIX 103.
    pub ord_rej_reason: u64,
    /// Name of the instrument: places an execution of an unknown order.
    pub symbol: &'a [u8],
    /// FIX 54.
    pub side: u64,
    /// FIX 58: why it refused.
    pub text: &'a [u8],
}

/// The messages of an `ExchangeSessionResponse`, one by one.
#[derive(Clone, Copy, Debug)]
pub struct SessionResponse<'a>(Fields<'a>);

impl<'a> SessionResponse<'a> {
    /// Reads a frame.
    pub fn new(frame: &'a [u8]) -> SessionResponse<'a> {
        SessionResponse(Fields(frame))
    }

    /// The next message; `None` at the end of the frame.
    pub fn next_message(&mut self) -> Result<Option<VenueMessage<'a>>, Malformed> {
        while let Some((number, value)) = self.0.next_field()? {
            match (number, value) {
                (1, Field::Bytes(bytes)) => return exchange_message(bytes).map(Some),
                (1, _) => return Err(Malformed("ExchangeSessionResponse.messages is not a message")),
                _ => {}
            }
        }
        Ok(None)
    }
}

fn exchange_message(bytes: &[u8]) -> Result<VenueMessage<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut venue_seq = 0;
    let mut body = VenueMessage::Unknown;
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Varint(seq)) => venue_seq = seq,
            (2, Field::Bytes(b)) => body = logon_ack(b)?,
            (3, Field::Bytes(b)) => body = VenueMessage::Report(report(b)?),
            (4, Field::Bytes(b)) => body = cancel_reject(b)?,
            (5, Field::Bytes(b)) => body = mass_status_entry(b)?,
            (6, Field::Bytes(b)) => body = mass_status_end(b)?,
            (7, Field::Bytes(b)) => body = VenueMessage::Heartbeat { test_req_id: first_varint(b)? },
            (1..=7, _) => return Err(Malformed("a field of ExchangeMessage has the wrong type")),
            _ => {}
        }
    }
    match &mut body {
        VenueMessage::Report(report) => report.venue_seq = venue_seq,
        VenueMessage::CancelReject { venue_seq: seq, .. } => *seq = venue_seq,
        _ => {}
    }
    Ok(body)
}

/// The numbers of a message by field, for messages of numbers only.
fn numbers<const N: usize>(bytes: &[u8]) -> Result<[u64; N], Malformed> {
    let mut fields = Fields(bytes);
    let mut values = [0; N];
    while let Some((number, value)) = fields.next_field()? {
        let slot = values.get_mut(number as usize);
        if let (Some(slot), Field::Varint(v) | Field::Fixed64(v)) = (slot, value) {
            *slot = v;
        }
    }
    Ok(values)
}

fn first_varint(bytes: &[u8]) -> Result<u64, Malformed> {
    numbers::<2>(bytes).map(|[_, value]| value)
}

/// Reads an `ExchangeCancelsResponse`: how many cancels the venue has taken so far.
pub fn cancels_taken(bytes: &[u8]) -> Result<u64, Malformed> {
    first_varint(bytes)
}

fn logon_ack(bytes: &[u8]) -> Result<VenueMessage<'static>, Malformed> {
    let [_, _, last_venue_seq, heartbeat_ms] = numbers::<4>(bytes)?;
    Ok(VenueMessage::LogonAck { last_venue_seq, heartbeat_ms })
}

fn report(bytes: &[u8]) -> Result<VenueReport<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut report = VenueReport::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Fixed64(v)) => report.order = v,
            (2, Field::Varint(v)) => report.exec_id = v,
            (3, Field::Varint(v)) => report.exec_type = v,
            (4, Field::Fixed64(v)) => report.last_qty = v as i64,
            (5, Field::Fixed64(v)) => report.last_px = v as i64,
            (6, Field::Fixed64(v)) => report.cum_qty = v as i64,
            (7, Field::Fixed64(v)) => report.leaves_qty = v as i64,
            (8, Field::Varint(v)) => report.exec_ref_id = v,
            (9, Field::Varint(v)) => report.ord_rej_reason = v,
            (12, Field::Bytes(v)) => report.text = v,
            (13, Field::Bytes(v)) => report.symbol = v,
            (14, Field::Varint(v)) => report.side = v,
            (1..=9 | 12..=14, _) => return Err(Malformed("a field of VenueReport has the wrong type")),
            _ => {}
        }
    }
    Ok(report)
}

/// A `DropCopyResponse`; without a report it says only how far the copies go.
#[derive(Clone, Copy, Debug, Default)]
pub struct DropCopyResponse<'a> {
    /// Number of the copy, or of the last one there is.
    pub drop_seq: u64,
    /// The execution.
    pub report: Option<VenueReport<'a>>,
    /// Name of the instrument.
    pub symbol: &'a [u8],
}

impl<'a> DropCopyResponse<'a> {
    /// Reads a frame.
    pub fn read(frame: &'a [u8]) -> Result<DropCopyResponse<'a>, Malformed> {
        let mut fields = Fields(frame);
        let mut copy = DropCopyResponse::default();
        while let Some((number, value)) = fields.next_field()? {
            match (number, value) {
                (1, Field::Varint(v)) => copy.drop_seq = v,
                (2, Field::Bytes(v)) => copy.report = Some(report(v)?),
                (4, Field::Bytes(v)) => copy.symbol = v,
                (1 | 2 | 4, _) => return Err(Malformed("a field of DropCopyResponse has the wrong type")),
                _ => {}
            }
        }
        Ok(copy)
    }
}

fn cancel_reject(bytes: &[u8]) -> Result<VenueMessage<'static>, Malformed> {
    let [_, order, response_to, reason] = numbers::<4>(bytes)?;
    Ok(VenueMessage::CancelReject { venue_seq: 0, order, to_replace: response_to == 2, reason })
}

fn mass_status_entry(bytes: &[u8]) -> Result<VenueMessage<'static>, Malformed> {
    let [_, request_id, order, _status, _qty, cum, leaves] = numbers::<7>(bytes)?;
    Ok(VenueMessage::MassStatusEntry { request_id, order, cum: cum as i64, leaves: leaves as i64 })
}

fn mass_status_end(bytes: &[u8]) -> Result<VenueMessage<'static>, Malformed> {
    let [_, request_id, last_client_seq_processed, complete, fenced] = numbers::<5>(bytes)?;
    Ok(VenueMessage::MassStatusEnd {
        request_id,
        last_client_seq_processed,
        complete: complete != 0,
        fenced: fenced != 0,
    })
}

/// A quote of a `MarketDataResponse`.
#[derive(Clone, Copy, Debug)]
pub struct Quote<'a> {
    /// Name of the instrument.
    pub symbol: &'a [u8],
    /// Best bid.
    pub bid_px: i64,
    /// Best offer.
    pub offer_px: i64,
}

/// A rate of a `MarketDataResponse`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FxRate<'a> {
    /// Name of the currency.
    pub currency: &'a [u8],
    /// Units of the base currency for one unit of it, 1e-9.
    pub rate: i64,
}

/// A status of a `MarketDataResponse`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityStatus<'a> {
    /// Name of the instrument; empty for the whole market.
    pub symbol: &'a [u8],
    /// `TradingPhase`; 0 = not said.
    pub phase: u64,
    /// Lower price band.
    pub low_limit_px: Option<i64>,
    /// Upper price band.
    pub high_limit_px: Option<i64>,
    /// Prior close, if said.
    pub prev_close_px: Option<i64>,
    /// `ShortSaleRestriction`; 0 = not said.
    pub short_sale_restriction: u64,
}

/// The quotes, the statuses or the rates of a `MarketDataResponse`, one by one.
#[derive(Clone, Copy, Debug)]
pub struct MarketDataResponse<'a>(Fields<'a>);

impl<'a> MarketDataResponse<'a> {
    /// Reads a frame.
    pub fn new(frame: &'a [u8]) -> MarketDataResponse<'a> {
        MarketDataResponse(Fields(frame))
    }

    /// The next quote; `None` at the end of the frame.
    pub fn next_quote(&mut self) -> Result<Option<Quote<'a>>, Malformed> {
        while let Some((number, value)) = self.0.next_field()? {
            if let (2, Field::Bytes(bytes)) = (number, value) {
                return quote(bytes).map(Some);
            }
        }
        Ok(None)
    }

    /// The next rate; `None` at the end of the frame.
    pub fn next_rate(&mut self) -> Result<Option<FxRate<'a>>, Malformed> {
        while let Some((number, value)) = self.0.next_field()? {
            match (number, value) {
                (4, Field::Bytes(bytes)) => return fx_rate(bytes).map(Some),
                (4, _) => return Err(Malformed("MarketDataResponse.rates is not a message")),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The next status; `None` at the end of the frame.
    pub fn next_status(&mut self) -> Result<Option<SecurityStatus<'a>>, Malformed> {
        while let Some((number, value)) = self.0.next_field()? {
            match (number, value) {
                (3, Field::Bytes(bytes)) => return status(bytes).map(Some),
                (3, _) => return Err(Malformed("MarketDataResponse.statuses is not a message")),
                _ => {}
            }
        }
        Ok(None)
    }
}

fn quote(bytes: &[u8]) -> Result<Quote<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut quote = Quote { symbol: &[], bid_px: 0, offer_px: 0 };
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => quote.symbol = v,
            (2, Field::Fixed64(v)) => quote.bid_px = v as i64,
            (3, Field::Fixed64(v)) => quote.offer_px = v as i64,
            _ => {}
        }
    }
    Ok(quote)
}

fn fx_rate(bytes: &[u8]) -> Result<FxRate<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut rate = FxRate::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => rate.currency = v,
            (2, Field::Fixed64(v)) => rate.rate = v as i64,
            (1..=2, _) => return Err(Malformed("a field of FxRate has the wrong type")),
            _ => {}
        }
    }
    Ok(rate)
}

fn status(bytes: &[u8]) -> Result<SecurityStatus<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut status = SecurityStatus::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => status.symbol = v,
            (2, Field::Varint(v)) => status.phase = v,
            (3, Field::Fixed64(v)) => status.low_limit_px = Some(v as i64),
            (4, Field::Fixed64(v)) => status.high_limit_px = Some(v as i64),
            (5, Field::Fixed64(v)) => status.prev_close_px = Some(v as i64),
            (6, Field::Varint(v)) => status.short_sale_restriction = v,
            (1..=6, _) => return Err(Malformed("a field of SecurityStatus has the wrong type")),
            _ => {}
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto;

    #[test]
    fn statuses_are_read_as_the_contract_writes_them() {
        let said = proto::SecurityStatus {
            symbol: "AAPL".to_owned(),
            phase: proto::TradingPhase::Halted as i32,
            low_limit_px: Some(0),
            high_limit_px: Some(i64::MAX),
            prev_close_px: Some(-1),
            short_sale_restriction: proto::ShortSaleRestriction::NotAtBid as i32,
        };
        let market = proto::SecurityStatus { phase: 4, ..proto::SecurityStatus::default() };
        let quotes = vec![proto::Quote { symbol: "AAPL".to_owned(), bid_px: 1, ..proto::Quote::default() }];
        let rates = vec![proto::FxRate { currency: "EUR".to_owned(), rate: -5 }];
        let frame = proto::MarketDataResponse { heartbeat_ms: 100, quotes, statuses: vec![said, market], rates };
        let bytes = frame.encode_to_vec();
        let mut statuses = MarketDataResponse::new(&bytes);

        let read = statuses.next_status();

        let expected = SecurityStatus {
            symbol: b"AAPL",
            phase: 5,
            low_limit_px: Some(0),
            high_limit_px: Some(i64::MAX),
            prev_close_px: Some(-1),
            short_sale_restriction: 3,
        };
        assert_eq!(read, Ok(Some(expected)));
        assert_eq!(statuses.next_status(), Ok(Some(SecurityStatus { phase: 4, ..SecurityStatus::default() })));
        assert_eq!(statuses.next_status(), Ok(None));
        let mut rates = MarketDataResponse::new(&bytes);
        assert_eq!(rates.next_rate(), Ok(Some(FxRate { currency: b"EUR", rate: -5 })));
        assert_eq!(rates.next_rate(), Ok(None));
    }

    #[test]
    fn a_rate_with_a_field_of_another_type_is_malformed() {
        // A rate as text; rates as a number; a rate that ends early.
        for bytes in [&[0x22, 3, 0x12, 1, b'x'][..], &[0x20, 1], &[0x22, 5, 0x12]] {
            assert!(MarketDataResponse::new(bytes).next_rate().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_status_with_a_field_of_another_type_is_malformed() {
        // A phase as text; a status as a number; a status that ends early.
        for bytes in [&[0x1a, 3, 0x12, 1, b'x'][..], &[0x18, 1], &[0x1a, 5, 0x12]] {
            assert!(MarketDataResponse::new(bytes).next_status().is_err(), "{bytes:?}");
        }
    }
}
