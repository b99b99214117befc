//! What routers are told: `GatewayMessage`, `CancelsResponse`, `CheckOrderResponse`, written in place.

use riskcore::events::Side;
use riskcore::ids::ClOrdId;
use riskcore::names::Names;
use riskcore::orders::Status;
use riskcore::outcome::{CxlRejReason, Reject, Unit};
use riskcore::scopes::Scope;

use super::primitives::{Decimal, put_bytes, put_fixed64, put_fixed64_always, put_message, put_uint};
use super::requests::FieldError;

/// FIX 150 ExecType, as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExecType {
    /// New.
    New = b'0',
    /// Done for day.
    DoneForDay = b'3',
    /// Canceled.
    Canceled = b'4',
    /// Replaced.
    Replaced = b'5',
    /// Rejected.
    Rejected = b'8',
    /// Expired.
    Expired = b'C',
    /// Trade.
    Trade = b'F',
    /// Trade correct.
    TradeCorrect = b'G',
    /// Trade cancel.
    TradeCancel = b'H',
    /// Order status.
    OrderStatus = b'I',
}

/// FIX 39 OrdStatus, as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrdStatus {
    /// No such order.
    Unspecified = 0,
    /// New.
    New = b'0',
    /// Partially filled.
    PartiallyFilled = b'1',
    /// Filled.
    Filled = b'2',
    /// Done for day.
    DoneForDay = b'3',
    /// Canceled.
    Canceled = b'4',
    /// Rejected.
    Rejected = b'8',
    /// Pending new.
    PendingNew = b'A',
    /// Expired.
    Expired = b'C',
}

impl From<Status> for OrdStatus {
    fn from(status: Status) -> OrdStatus {
        match status {
            Status::PendingNew => OrdStatus::PendingNew,
            Status::New => OrdStatus::New,
            Status::PartiallyFilled => OrdStatus::PartiallyFilled,
            Status::Filled => OrdStatus::Filled,
            Status::Canceled => OrdStatus::Canceled,
            Status::Rejected => OrdStatus::Rejected,
            Status::Expired => OrdStatus::Expired,
            Status::DoneForDay => OrdStatus::DoneForDay,
        }
    }
}

/// FIX 54, as on the wire.
pub fn side_code(side: Side) -> u64 {
    match side {
        Side::Buy => 49,
        Side::Sell => 50,
        Side::SellShort => 53,
        Side::SellShortExempt => 54,
    }
}

/// FIX 102 moved up by one, as on the wire.
fn cxl_rej_reason_code(reason: CxlRejReason) -> u64 {
    match reason {
        CxlRejReason::TooLate => 1,
        CxlRejReason::UnknownOrder => 2,
        CxlRejReason::AlreadyPending => 4,
        CxlRejReason::DuplicateClOrdId => 7,
        CxlRejReason::Other => 100,
    }
}

/// The unit's name, as in the reference of limits.
pub fn unit_name(unit: Unit) -> &'static str {
    unit.name()
}

/// A refusal, and what people need to read it.
#[derive(Clone, Copy)]
pub struct Refusal<'a> {
    /// The core's refusal.
    pub reject: Reject,
    /// The field at fault, for messages that could not be understood.
    pub field: Option<FieldError>,
    /// For the names of scopes.
    pub names: &'a Names,
    /// The sequence number of the record that last changed a limit.
    pub limit_version: u64,
}

impl Refusal<'_> {
    fn write(&self, out: &mut Vec<u8>, number: u32) {
        put_message(out, number, |out| {
            put_uint(out, 1, u64::from(self.reject.reason.code));
            put_bytes(out, 2, self.reject.reason.name.as_bytes());
            if let Some(scope) = self.reject.scope {
                write_scope(out, 3, scope, self.names);
            }
            if self.reject.unit != Unit::None {
                put_bytes(out, 4, Decimal::new(self.reject.limit).as_bytes());
                put_bytes(out, 5, Decimal::new(self.reject.value).as_bytes());
                put_bytes(out, 6, unit_name(self.reject.unit).as_bytes());
            } else if let Some(field) = &self.field {
                put_bytes(out, 5, field.to_string().as_bytes());
                put_bytes(out, 6, b"field");
            }
            put_uint(out, 7, self.limit_version);
        });
    }
}

/// The first and second name of a scope.
pub fn scope_names(scope: Scope, names: &Names) -> (&str, &str) {
    match scope {
        Scope::Firm => ("", ""),
        Scope::Account(a) => (names.accounts.name(a.0), ""),
        Scope::Router(r) => (names.routers.name(r.0), ""),
        Scope::Strategy(s) => (names.strategies.name(s.0), ""),
        Scope::Symbol(s) => (names.symbols.name(s.0), ""),
        Scope::AccountSymbol(a, s) => (names.accounts.name(a.0), names.symbols.name(s.0)),
        Scope::RouterSymbol(r, s) => (names.routers.name(r.0), names.symbols.name(s.0)),
    }
}

/// Writes a `Scope`.
pub fn write_scope(out: &mut Vec<u8>, number: u32, scope: Scope, names: &Names) {
    let (name, symbol) = scope_names(scope, names);
    put_message(out, number, |out| {
        put_uint(out, 1, scope.kind() as u64);
        put_bytes(out, 2, name.as_bytes());
        put_bytes(out, 3, symbol.as_bytes());
    });
}

/// An `ExecutionReport`.
pub struct ExecutionReport<'a> {
    /// Ours; 0 on a reject.
    pub order_id: u64,
    /// The router's.
    pub cl_ord_id: &'a [u8],
    /// The id before a replace.
    pub orig_cl_ord_id: &'a [u8],
    /// What happened.
    pub exec_type: ExecType,
    /// Where that leaves the order.
    pub ord_status: OrdStatus,
    /// Name of the instrument.
    pub symbol: &'a [u8],
    /// FIX 54 as a number.
    pub side: u64,
    /// Total.
    pub order_qty: i64,
    /// Filled.
    pub cum_qty: i64,
    /// Open.
    pub leaves_qty: i64,
    /// Of this execution.
    pub last_qty: i64,
    /// Of this execution.
    pub last_px: i64,
    /// Of the request this answers.
    pub client_seq: u64,
    /// The venue's id of the execution.
    pub venue_exec_id: u64,
    /// FIX 103, with `exec_type` Rejected.
    pub ord_rej_reason: u64,
    /// Why, with `exec_type` Rejected.
    pub refusal: Option<Refusal<'a>>,
    /// UTC ns.
    pub transact_time: u64,
    /// For people.
    pub text: &'a [u8],
    /// Working price.
    pub price: Option<i64>,
}

impl ExecutionReport<'_> {
    /// Writes the body of a `GatewayMessage`.
    pub fn write(&self, out: &mut Vec<u8>) {
        put_message(out, 3, |out| {
            put_fixed64(out, 1, self.order_id);
            put_bytes(out, 2, self.cl_ord_id);
            put_bytes(out, 3, self.orig_cl_ord_id);
            put_uint(out, 4, self.exec_type as u64);
            put_uint(out, 5, self.ord_status as u64);
            put_bytes(out, 6, self.symbol);
            put_uint(out, 7, self.side);
            put_fixed64(out, 8, self.order_qty as u64);
            put_fixed64(out, 9, self.cum_qty as u64);
            put_fixed64(out, 10, self.leaves_qty as u64);
            put_fixed64(out, 11, self.last_qty as u64);
            put_fixed64(out, 12, self.last_px as u64);
            put_uint(out, 13, self.client_seq);
            put_uint(out, 14, self.venue_exec_id);
            put_uint(out, 15, self.ord_rej_reason);
            if let Some(refusal) = &self.refusal {
                refusal.write(out, 16);
            }
            put_fixed64(out, 18, self.transact_time);
            put_bytes(out, 19, self.text);
            if let Some(price) = self.price {
                put_fixed64_always(out, 20, price as u64);
            }
        });
    }
}

/// An `OrderCancelReject`.
pub struct CancelReject<'a> {
    /// Ours; 0 if there is no such order.
    pub order_id: u64,
    /// Id of the request.
    pub cl_ord_id: &'a [u8],
    /// Id of the order.
    pub orig_cl_ord_id: &'a [u8],
    /// Status of the order.
    pub ord_status: OrdStatus,
    /// Whether a replace is answered, not a cancel.
    pub to_replace: bool,
    /// Why.
    pub reason: CxlRejReason,
    /// The check or halt, or the field, that refused.
    pub refusal: Option<Refusal<'a>>,
    /// Of the request.
    pub client_seq: u64,
}

impl CancelReject<'_> {
    /// Writes the body of a `GatewayMessage`.
    pub fn write(&self, out: &mut Vec<u8>) {
        put_message(out, 4, |out| {
            put_fixed64(out, 1, self.order_id);
            put_bytes(out, 2, self.cl_ord_id);
            put_bytes(out, 3, self.orig_cl_ord_id);
            put_uint(out, 4, self.ord_status as u64);
            put_uint(out, 5, if self.to_replace { 2 } else { 1 });
            put_uint(out, 6, cxl_rej_reason_code(self.reason));
            if let Some(refusal) = &self.refusal {
                refusal.write(out, 7);
            }
            put_uint(out, 8, self.client_seq);
        });
    }
}

/// Writes an `OrderMassCancelReport` as the body of a `GatewayMessage`.
pub fn write_mass_cancel_report(out: &mut Vec<u8>, cl_ord_id: &[u8], affected: u32, client_seq: u64) {
    put_message(out, 5, |out| {
        put_bytes(out, 1, cl_ord_id);
        put_uint(out, 2, u64::from(affected));
        put_uint(out, 3, client_seq);
    });
}

/// A `HaltNotice`.
pub struct HaltNotice<'a> {
    /// What is halted.
    pub scope: Scope,
    /// How severely, as on the wire.
    pub state: u64,
    /// The trip; 0 for a reinstatement.
    pub trip_id: u64,
    /// The breach.
    pub cause: Option<Refusal<'a>>,
    /// Who.
    pub principal: &'a str,
    /// Why.
    pub text: &'a str,
    /// Orders of the router that still rest.
    pub open_orders: u32,
    /// For the names of scopes.
    pub names: &'a Names,
}

impl HaltNotice<'_> {
    /// Writes the body of a `GatewayMessage`.
    pub fn write(&self, out: &mut Vec<u8>) {
        put_message(out, 6, |out| {
            write_scope(out, 1, self.scope, self.names);
            put_uint(out, 2, self.state);
            put_uint(out, 3, self.trip_id);
            if let Some(cause) = &self.cause {
                cause.write(out, 4);
            }
            put_bytes(out, 5, self.principal.as_bytes());
            put_bytes(out, 6, self.text.as_bytes());
            put_uint(out, 7, u64::from(self.open_orders));
        });
    }
}

/// Writes one `taken` entry of a `CancelsResponse`.
pub fn write_cancel_taken(out: &mut Vec<u8>, orig_cl_ord_id: &[u8], forwarded: bool) {
    put_message(out, 1, |out| {
        put_bytes(out, 1, orig_cl_ord_id);
        put_uint(out, 2, u64::from(forwarded));
    });
}

/// Writes a `CheckOrderResponse`.
pub fn write_check_order(out: &mut Vec<u8>, refusal: Option<&Refusal<'_>>) {
    match refusal {
        None => put_uint(out, 1, 1),
        Some(refusal) => {
            refusal.write(out, 2);
            put_uint(out, 3, u64::from(refusal.reject.reason.ord_rej_reason));
        }
    }
}

/// An id as bytes, or none.
pub fn id_bytes(id: &Option<ClOrdId>) -> &[u8] {
    id.as_ref().map_or(&[], ClOrdId::as_bytes)
}
