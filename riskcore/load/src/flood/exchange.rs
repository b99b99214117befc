//! `Exchange.Session` on the wire, for a generator that speaks to a venue without a gateway.

use prost::Message;

use super::session::{Report, Session};
use crate::proto;
use crate::wire::{Fields, WireError};

/// The logon frame. `resume_after` is the largest number there is: a flood wants no reports of earlier runs.
pub fn logon(gateway: &str, epoch: u32) -> Vec<u8> {
    frame(proto::exchange_request::Body::Logon(proto::ExchangeLogon {
        gateway: gateway.to_owned(),
        epoch,
        resume_after: u64::MAX,
        cancel_on_disconnect: true,
    }))
}

/// A heartbeat frame.
pub fn heartbeat(test_req_id: u64) -> Vec<u8> {
    frame(proto::exchange_request::Body::Heartbeat(proto::VenueHeartbeat { test_req_id }))
}

fn frame(body: proto::exchange_request::Body) -> Vec<u8> {
    let message = proto::ExchangeRequest { client_seq: 0, body: Some(body) };
    proto::ExchangeSessionRequest { messages: vec![message] }.encode_to_vec()
}

/// Applies one `ExchangeMessage` to the session.
pub fn read_message(session: &mut Session, now: u64, message: &[u8]) -> Result<(), WireError> {
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match field {
            1 => session.on_peer_seq(value.varint(field)?),
            2 => logon_ack(session, value.bytes(field)?)?,
            3 => {
                let report = venue_report(session, value.bytes(field)?)?;
                session.on_report(now, &report);
            }
            7 => session.on_heartbeat(test_req_id(value.bytes(field)?)?),
            _ => {}
        }
    }
    Ok(())
}

fn logon_ack(session: &mut Session, message: &[u8]) -> Result<(), WireError> {
    let (mut last_seq, mut last_report, mut heartbeat_ms) = (0, 0, 0);
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match field {
            1 => last_seq = value.varint(field)?,
            2 => last_report = value.varint(field)?,
            3 => heartbeat_ms = value.varint(field)?,
            _ => {}
        }
    }
    session.on_logon_ack(last_seq, Some(last_report), heartbeat_ms);
    Ok(())
}

fn venue_report<'a>(session: &Session, message: &'a [u8]) -> Result<Report<'a>, WireError> {
    let mut report = Report::default();
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match field {
            1 => report.seq = session.templates().seq_of_venue_id(value.fixed64(field)?),
            3 => report.exec_type = value.varint(field)?,
            4 => report.last_qty = value.sfixed64(field)?,
            7 => report.leaves_qty = value.sfixed64(field)?,
            9 => report.ord_rej_reason = value.varint(field)?,
            _ => {}
        }
    }
    Ok(report)
}

/// The `test_req_id` of a `VenueHeartbeat`.
fn test_req_id(message: &[u8]) -> Result<u64, WireError> {
    Fields::find(message, 1)?.map_or(Ok(0), |value| value.varint(1))
}
