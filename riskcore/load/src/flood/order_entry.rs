//! `OrderEntry.Session` on the wire: frames in, and the session messages out.

use prost::Message;

use super::session::{Report, Session};
use crate::proto;
use crate::wire::{Fields, WireError};

/// The logon frame. `resume_after` is the last report that the router has seen, `None` = it has seen none.
pub fn logon(router: &str, token: &str, resume_after: Option<u64>) -> Vec<u8> {
    let logon = proto::Logon {
        router: router.to_owned(),
        token: token.to_owned(),
        resume_after,
        instance_id: "flood".to_owned(),
        build: concat!("riskgate-load ", env!("CARGO_PKG_VERSION")).to_owned(),
        ..proto::Logon::default()
    };
    frame(proto::router_message::Body::Logon(logon))
}

/// A heartbeat frame.
pub fn heartbeat(test_req_id: u64) -> Vec<u8> {
    frame(proto::router_message::Body::Heartbeat(proto::Heartbeat { test_req_id }))
}

/// The logout frame.
pub fn logout() -> Vec<u8> {
    frame(proto::router_message::Body::Logout(proto::Logout { text: "flood finished".to_owned() }))
}

fn frame(body: proto::router_message::Body) -> Vec<u8> {
    let message = proto::RouterMessage { client_seq: 0, body: Some(body) };
    proto::SessionRequest { messages: vec![message] }.encode_to_vec()
}

/// Applies one `GatewayMessage` to the session.
pub fn read_message(session: &mut Session, now: u64, message: &[u8]) -> Result<(), WireError> {
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match field {
            1 => session.on_peer_seq(value.varint(field)?),
            2 => logon_ack(session, value.bytes(field)?)?,
            3 => {
                let report = execution_report(session, value.bytes(field)?)?;
                session.on_report(now, &report);
            }
            4 => {
                let report = cancel_reject(value.bytes(field)?)?;
                session.on_report(now, &report);
            }
            6 => session.tally.halts += 1,
            7 => session.on_heartbeat(first_uint(value.bytes(field)?)?),
            9 => session.on_resume_gap(first_uint(value.bytes(field)?)?),
            10 => session.on_logout(first_text(value.bytes(field)?)?),
            _ => {}
        }
    }
    Ok(())
}

fn logon_ack(session: &mut Session, message: &[u8]) -> Result<(), WireError> {
    let (mut last_client_seq, mut heartbeat_ms) = (0, 0);
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match field {
            2 => last_client_seq = value.varint(field)?,
            3 => heartbeat_ms = value.varint(field)?,
            _ => {}
        }
    }
    session.on_logon_ack(last_client_seq, None, heartbeat_ms);
    Ok(())
}

fn execution_report<'a>(session: &Session, message: &'a [u8]) -> Result<Report<'a>, WireError> {
    let mut report = Report::default();
    let mut cl_ord_id: &[u8] = &[];
    let mut client_seq = 0;
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match field {
            2 => cl_ord_id = value.bytes(field)?,
            4 => report.exec_type = value.varint(field)?,
            5 => report.ord_status = value.varint(field)?,
            10 => report.leaves_qty = value.sfixed64(field)?,
            11 => report.last_qty = value.sfixed64(field)?,
            13 => client_seq = value.varint(field)?,
            15 => report.ord_rej_reason = value.varint(field)?,
            16 => report.reject = reject_name(value.bytes(field)?)?,
            _ => {}
        }
    }
    // Unsolicited reports (a later fill) carry no client_seq, but our ids contain it.
    report.seq = if client_seq == 0 { session.templates().seq_of(cl_ord_id) } else { Some(client_seq) };
    Ok(report)
}

/// An `OrderCancelReject`, as the reject of a request.
fn cancel_reject(message: &[u8]) -> Result<Report<'_>, WireError> {
    let mut report = Report { exec_type: proto::ExecType::Rejected as u64, ..Report::default() };
    let mut fields = Fields::of(message);
    while let Some((field, value)) = fields.next_field()? {
        match field {
            7 => report.reject = reject_name(value.bytes(field)?)?,
            8 => report.seq = Some(value.varint(field)?),
            _ => {}
        }
    }
    Ok(report)
}

/// The name in a `RejectDetail`.
fn reject_name(message: &[u8]) -> Result<&[u8], WireError> {
    Fields::find(message, 2)?.map_or(Ok(&[]), |value| value.bytes(2))
}

/// Field 1 of a message, an integer.
fn first_uint(message: &[u8]) -> Result<u64, WireError> {
    Fields::find(message, 1)?.map_or(Ok(0), |value| value.varint(1))
}

/// Field 1 of a message, text.
fn first_text(message: &[u8]) -> Result<&[u8], WireError> {
    Fields::find(message, 1)?.map_or(Ok(&[]), |value| value.bytes(1))
}
