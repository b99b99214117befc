//! One frame into one frame, message by message. A router's `client_seq` is its number at the venue as well, and the
//! venue's `venue_seq` its report number: both are dense over the same messages.

use std::sync::{Mutex, PoisonError};

use crate::orders::{Orders, Sent};
use crate::proto::{
    ExchangeLogon, ExchangeLogonAck, ExchangeMessage, ExchangeRequest, ExchangeSessionRequest, ExchangeSessionResponse,
    ExecType, ExecutionReport, GatewayMessage, HaltState, Heartbeat, LogonAck, NewOrderSingle, OrdStatus,
    RouterMessage, SessionRequest, SessionResponse, VenueHeartbeat, VenueNewOrder, VenueReport, exchange_message,
    exchange_request, gateway_message, router_message,
};

/// The one epoch of a proxy; the upper bits of the ids at the venue.
const EPOCH: u32 = 1;
/// The gateway's form of an id at the venue: `epoch << 40 | n`.
const SEQ_BITS: u32 = 40;

/// A router's frame for the venue; `None` when nothing is left to say, as after a logout.
pub fn to_venue(frame: SessionRequest, orders: &Mutex<Orders>) -> Option<ExchangeSessionRequest> {
    let mut orders = orders.lock().unwrap_or_else(PoisonError::into_inner);
    let messages: Vec<_> = frame.messages.into_iter().filter_map(|message| request(message, &mut orders)).collect();
    (!messages.is_empty()).then_some(ExchangeSessionRequest { messages })
}

/// The venue's frame for the router.
pub fn to_router(frame: ExchangeSessionResponse, orders: &Mutex<Orders>) -> SessionResponse {
    let mut orders = orders.lock().unwrap_or_else(PoisonError::into_inner);
    SessionResponse { messages: frame.messages.into_iter().filter_map(|one| response(one, &mut orders)).collect() }
}

fn request(message: RouterMessage, orders: &mut Orders) -> Option<ExchangeRequest> {
    let client_seq = message.client_seq;
    let body = match message.body? {
        router_message::Body::Logon(logon) => exchange_request::Body::Logon(ExchangeLogon {
            gateway: logon.router,
            epoch: EPOCH,
            // No reports of earlier sessions: a router that wants them again needs a gateway.
            resume_after: u64::MAX,
            cancel_on_disconnect: true,
        }),
        router_message::Body::NewOrderSingle(order) => {
            exchange_request::Body::NewOrder(new_order(client_seq, order, orders))
        }
        router_message::Body::Heartbeat(beat) => {
            exchange_request::Body::Heartbeat(VenueHeartbeat { test_req_id: beat.test_req_id })
        }
        _ => return None,
    };
    Some(ExchangeRequest { client_seq, body: Some(body) })
}

fn new_order(client_seq: u64, order: NewOrderSingle, orders: &mut Orders) -> VenueNewOrder {
    let sent =
        Sent { cl_ord_id: order.cl_ord_id, symbol: order.symbol.clone(), side: order.side, order_qty: order.order_qty };
    orders.keep(client_seq, sent);
    VenueNewOrder {
        cl_ord_id: u64::from(EPOCH) << SEQ_BITS | client_seq,
        account: order.account,
        symbol: order.symbol,
        side: order.side,
        ord_type: order.ord_type,
        time_in_force: order.time_in_force,
        order_qty: order.order_qty,
        price: order.price,
        order_flags: order.order_flags,
        router: String::new(),
    }
}

fn response(message: ExchangeMessage, orders: &mut Orders) -> Option<GatewayMessage> {
    let body = match message.body? {
        exchange_message::Body::LogonAck(ack) => gateway_message::Body::LogonAck(logon_ack(&ack)),
        exchange_message::Body::Report(report) => gateway_message::Body::ExecutionReport(execution(report, orders)?),
        exchange_message::Body::Heartbeat(beat) => {
            gateway_message::Body::Heartbeat(Heartbeat { test_req_id: beat.test_req_id })
        }
        _ => return None,
    };
    Some(GatewayMessage { report_seq: message.venue_seq, body: Some(body) })
}

fn logon_ack(ack: &ExchangeLogonAck) -> LogonAck {
    LogonAck {
        session_token: Vec::new(),
        last_client_seq: ack.last_client_seq_processed,
        heartbeat_ms: ack.heartbeat_ms,
        state: HaltState::Active.into(),
        trading_day: 0,
    }
}

/// The report with what it says of the order; `None` for an order that nobody here sent.
fn execution(report: VenueReport, orders: &mut Orders) -> Option<ExecutionReport> {
    let client_seq = report.cl_ord_id & ((1 << SEQ_BITS) - 1);
    let known = orders.get(client_seq)?;
    let mut out = ExecutionReport {
        order_id: report.cl_ord_id,
        exec_type: report.exec_type,
        ord_status: status(&report, known.order_qty).into(),
        side: known.side,
        order_qty: known.order_qty,
        cum_qty: report.cum_qty,
        leaves_qty: report.leaves_qty,
        last_qty: report.last_qty,
        last_px: report.last_px,
        client_seq,
        venue_exec_id: report.venue_exec_id,
        ord_rej_reason: report.ord_rej_reason,
        transact_time: report.transact_time,
        text: report.text,
        ..ExecutionReport::default()
    };
    if report.leaves_qty == 0 {
        let sent = orders.take(client_seq)?;
        (out.cl_ord_id, out.symbol) = (sent.cl_ord_id, sent.symbol);
    } else {
        (out.cl_ord_id, out.symbol) = (known.cl_ord_id.clone(), known.symbol.clone());
    }
    Some(out)
}

/// FIX 39, which a venue's report leaves to be worked out.
fn status(report: &VenueReport, order_qty: i64) -> OrdStatus {
    match report.exec_type() {
        ExecType::Rejected => OrdStatus::Rejected,
        ExecType::Canceled => OrdStatus::Canceled,
        ExecType::Expired => OrdStatus::Expired,
        ExecType::DoneForDay => OrdStatus::DoneForDay,
        _ if report.cum_qty >= order_qty => OrdStatus::Filled,
        _ if report.cum_qty > 0 => OrdStatus::PartiallyFilled,
        _ => OrdStatus::New,
    }
}
