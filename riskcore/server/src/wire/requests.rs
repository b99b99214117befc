//! What routers send: `SessionRequest`, `CancelsRequest`, `CheckOrderRequest`, read in place.

use riskcore::events::{OrdType, Side, TimeInForce};
use riskcore::ids::ClOrdId;

use super::primitives::{Field, Fields, Malformed};

/// Why one message, not its frame, cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field, as the contract names it.
    pub field: &'static str,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is required and was not given.
    Missing,
    /// An enum value that the contract does not know.
    Unknown(u64),
    /// An identifier that is not 1 to 36 bytes of printable ASCII.
    NotAnId,
    /// A name that is not known.
    NotConfigured,
}

impl FieldError {
    fn missing(field: &'static str) -> FieldError {
        FieldError { field, problem: Problem::Missing }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.problem {
            Problem::Missing => write!(f, "{}: missing", self.field),
            Problem::Unknown(value) => write!(f, "{}: unknown value {value}", self.field),
            Problem::NotConfigured => write!(f, "{}: not known to this gateway", self.field),
            Problem::NotAnId => write!(f, "{}: must be 1 to 36 bytes of printable ASCII", self.field),
        }
    }
}

/// One `RouterMessage`.
#[derive(Clone, Copy, Debug)]
pub struct RouterMessage<'a> {
    /// Its sequence number; 0 on session messages.
    pub client_seq: u64,
    /// What it is.
    pub body: Body<'a>,
}

/// The body of a `RouterMessage`.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// No body, or one this version does not know.
    Unknown,
    /// `Logon`, still encoded: read with the generated type.
    Logon(&'a [u8]),
    /// `NewOrderSingle`.
    NewOrder(NewOrderFields<'a>),
    /// `OrderCancelReplaceRequest`.
    Replace(ReplaceFields<'a>),
    /// `OrderCancelRequest`.
    Cancel(CancelFields<'a>),
    /// `OrderMassCancelRequest`.
    MassCancel(MassCancelFields<'a>),
    /// `Heartbeat`, with its `test_req_id`.
    Heartbeat(u64),
    /// `Logout`.
    Logout,
}

/// `NewOrderSingle` as it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewOrderFields<'a> {
    /// 1.
    pub cl_ord_id: &'a [u8],
    /// 2.
    pub account: &'a [u8],
    /// 3.
    pub symbol: &'a [u8],
    side: u64,
    ord_type: u64,
    time_in_force: u64,
    /// 7.
    pub order_qty: i64,
    /// 8.
    pub price: Option<i64>,
    /// 9.
    pub parent_cl_ord_id: &'a [u8],
    /// 10.
    pub strategy: &'a [u8],
    /// 11.
    pub order_flags: u64,
}

/// The values of a new order that must be right before the core can look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrderChecked {
    /// The router's id.
    pub cl_ord_id: ClOrdId,
    /// Side.
    pub side: Side,
    /// Type.
    pub ord_type: OrdType,
    /// Lifetime.
    pub tif: TimeInForce,
}

impl NewOrderFields<'_> {
    /// Ids and enums, or the first field that is wrong.
    pub fn check(&self) -> Result<NewOrderChecked, FieldError> {
        Ok(NewOrderChecked {
            cl_ord_id: client_id("cl_ord_id", self.cl_ord_id)?,
            side: known("side", self.side, side)?,
            ord_type: known("ord_type", self.ord_type, ord_type)?,
            tif: known("time_in_force", self.time_in_force, time_in_force)?,
        })
    }

    /// The side, for a reject of an order that could not be read in full.
    pub fn side_code(&self) -> u64 {
        self.side
    }
}

/// `OrderCancelReplaceRequest` as it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplaceFields<'a> {
    /// 1.
    pub cl_ord_id: &'a [u8],
    /// 2.
    pub orig_cl_ord_id: &'a [u8],
    /// 3.
    pub order_qty: i64,
    /// 4.
    pub price: Option<i64>,
}

impl ReplaceFields<'_> {
    /// The new and the old id, or the first that is wrong.
    pub fn check(&self) -> Result<(ClOrdId, ClOrdId), FieldError> {
        Ok((client_id("cl_ord_id", self.cl_ord_id)?, client_id("orig_cl_ord_id", self.orig_cl_ord_id)?))
    }
}

/// `OrderCancelRequest` as it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct CancelFields<'a> {
    /// 1.
    pub orig_cl_ord_id: &'a [u8],
    /// 2.
    pub cl_ord_id: &'a [u8],
}

impl CancelFields<'_> {
    /// The id of the order, or what is wrong about it.
    pub fn check(&self) -> Result<ClOrdId, FieldError> {
        client_id("orig_cl_ord_id", self.orig_cl_ord_id)
    }
}

/// `OrderMassCancelRequest` as it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct MassCancelFields<'a> {
    /// 1.
    pub cl_ord_id: &'a [u8],
    kind: u64,
    /// 3.
    pub symbol: &'a [u8],
}

impl<'a> MassCancelFields<'a> {
    /// The instrument it is limited to, or what is wrong.
    pub fn check(&self) -> Result<Option<&'a [u8]>, FieldError> {
        match self.kind {
            0 => Err(FieldError::missing("mass_cancel_request_type")),
            49 if self.symbol.is_empty() => Err(FieldError::missing("symbol")),
            49 => Ok(Some(self.symbol)),
            55 => Ok(None),
            other => Err(FieldError { field: "mass_cancel_request_type", problem: Problem::Unknown(other) }),
        }
    }
}

fn client_id(field: &'static str, bytes: &[u8]) -> Result<ClOrdId, FieldError> {
    if bytes.is_empty() {
        return Err(FieldError::missing(field));
    }
    ClOrdId::new(bytes).ok_or(FieldError { field, problem: Problem::NotAnId })
}

fn known<T>(field: &'static str, value: u64, read: impl Fn(u64) -> Option<T>) -> Result<T, FieldError> {
    match value {
        0 => Err(FieldError::missing(field)),
        value => read(value).ok_or(FieldError { field, problem: Problem::Unknown(value) }),
    }
}

/// FIX 54 from its wire number.
pub fn side(value: u64) -> Option<Side> {
    match value {
        49 => Some(Side::Buy),
        50 => Some(Side::Sell),
        53 => Some(Side::SellShort),
        54 => Some(Side::SellShortExempt),
        _ => None,
    }
}

fn ord_type(value: u64) -> Option<OrdType> {
    match value {
        49 => Some(OrdType::Market),
        50 => Some(OrdType::Limit),
        _ => None,
    }
}

fn time_in_force(value: u64) -> Option<TimeInForce> {
    match value {
        48 => Some(TimeInForce::Day),
        49 => Some(TimeInForce::GoodTillCancel),
        50 => Some(TimeInForce::AtTheOpening),
        51 => Some(TimeInForce::ImmediateOrCancel),
        52 => Some(TimeInForce::FillOrKill),
        _ => None,
    }
}

/// The messages of a `SessionRequest`, one by one.
#[derive(Clone, Copy, Debug)]
pub struct SessionRequest<'a>(Fields<'a>);

impl<'a> SessionRequest<'a> {
    /// Reads a frame.
    pub fn new(frame: &'a [u8]) -> SessionRequest<'a> {
        SessionRequest(Fields(frame))
    }

    /// The next message; `None` at the end of the frame.
    #[inline]
    pub fn next_message(&mut self) -> Result<Option<RouterMessage<'a>>, Malformed> {
        while let Some((number, value)) = self.0.next_field()? {
            match (number, value) {
                (1, Field::Bytes(bytes)) => return router_message(bytes).map(Some),
                (1, _) => return Err(Malformed("SessionRequest.messages is not a message")),
                _ => {}
            }
        }
        Ok(None)
    }

    /// How many bytes of the frame have not been read.
    pub fn rest(&self) -> usize {
        self.0.0.len()
    }
}

fn router_message(bytes: &[u8]) -> Result<RouterMessage<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut message = RouterMessage { client_seq: 0, body: Body::Unknown };
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Varint(seq)) => message.client_seq = seq,
            (2, Field::Bytes(body)) => message.body = Body::Logon(body),
            (3, Field::Bytes(body)) => message.body = Body::NewOrder(new_order(body)?),
            (4, Field::Bytes(body)) => message.body = Body::Replace(replace(body)?),
            (5, Field::Bytes(body)) => message.body = Body::Cancel(cancel(body)?),
            (6, Field::Bytes(body)) => message.body = Body::MassCancel(mass_cancel(body)?),
            (7, Field::Bytes(body)) => message.body = Body::Heartbeat(heartbeat(body)?),
            (8, Field::Bytes(_)) => message.body = Body::Logout,
            (1..=8, _) => return Err(Malformed("a field of RouterMessage has the wrong type")),
            _ => {}
        }
    }
    Ok(message)
}

/// Reads a `NewOrderSingle`.
pub fn new_order(bytes: &[u8]) -> Result<NewOrderFields<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut order = NewOrderFields::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => order.cl_ord_id = v,
            (2, Field::Bytes(v)) => order.account = v,
            (3, Field::Bytes(v)) => order.symbol = v,
            (4, Field::Varint(v)) => order.side = v,
            (5, Field::Varint(v)) => order.ord_type = v,
            (6, Field::Varint(v)) => order.time_in_force = v,
            (7, Field::Fixed64(v)) => order.order_qty = v as i64,
            (8, Field::Fixed64(v)) => order.price = Some(v as i64),
            (9, Field::Bytes(v)) => order.parent_cl_ord_id = v,
            (10, Field::Bytes(v)) => order.strategy = v,
            (11, Field::Varint(v)) => order.order_flags = v,
            (12, Field::Fixed64(_)) => {}
            (1..=12, _) => return Err(Malformed("a field of NewOrderSingle has the wrong type")),
            _ => {}
        }
    }
    Ok(order)
}

fn replace(bytes: &[u8]) -> Result<ReplaceFields<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut request = ReplaceFields::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => request.cl_ord_id = v,
            (2, Field::Bytes(v)) => request.orig_cl_ord_id = v,
            (3, Field::Fixed64(v)) => request.order_qty = v as i64,
            (4, Field::Fixed64(v)) => request.price = Some(v as i64),
            (1..=4, _) => return Err(Malformed("a field of OrderCancelReplaceRequest has the wrong type")),
            _ => {}
        }
    }
    Ok(request)
}

fn cancel(bytes: &[u8]) -> Result<CancelFields<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut request = CancelFields::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => request.orig_cl_ord_id = v,
            (2, Field::Bytes(v)) => request.cl_ord_id = v,
            (1..=2, _) => return Err(Malformed("a field of OrderCancelRequest has the wrong type")),
            _ => {}
        }
    }
    Ok(request)
}

fn mass_cancel(bytes: &[u8]) -> Result<MassCancelFields<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut request = MassCancelFields::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => request.cl_ord_id = v,
            (2, Field::Varint(v)) => request.kind = v,
            (3, Field::Bytes(v)) => request.symbol = v,
            (1..=3, _) => return Err(Malformed("a field of OrderMassCancelRequest has the wrong type")),
            _ => {}
        }
    }
    Ok(request)
}

fn heartbeat(bytes: &[u8]) -> Result<u64, Malformed> {
    let mut fields = Fields(bytes);
    let mut test_req_id = 0;
    while let Some((number, value)) = fields.next_field()? {
        if let (1, Field::Varint(v)) = (number, value) {
            test_req_id = v;
        }
    }
    Ok(test_req_id)
}

/// One field of a `CancelsRequest`.
#[derive(Clone, Copy, Debug)]
pub enum CancelsItem<'a> {
    /// The session token.
    Token(&'a [u8]),
    /// A cancel.
    Cancel(CancelFields<'a>),
}

/// The items of a `CancelsRequest`, one by one.
#[derive(Clone, Copy, Debug)]
pub struct CancelsRequest<'a>(Fields<'a>);

impl<'a> CancelsRequest<'a> {
    /// Reads a frame.
    pub fn new(frame: &'a [u8]) -> CancelsRequest<'a> {
        CancelsRequest(Fields(frame))
    }

    /// The next item; `None` at the end of the frame.
    pub fn next_item(&mut self) -> Result<Option<CancelsItem<'a>>, Malformed> {
        while let Some((number, value)) = self.0.next_field()? {
            match (number, value) {
                (1, Field::Bytes(token)) => return Ok(Some(CancelsItem::Token(token))),
                (2, Field::Bytes(bytes)) => return cancel(bytes).map(|c| Some(CancelsItem::Cancel(c))),
                (1..=2, _) => return Err(Malformed("a field of CancelsRequest has the wrong type")),
                _ => {}
            }
        }
        Ok(None)
    }
}

/// `CheckOrderRequest` as it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOrderRequest<'a> {
    /// 1.
    pub router: &'a [u8],
    /// 2.
    pub token: &'a [u8],
    /// 3; absent if the field was.
    pub order: Option<NewOrderFields<'a>>,
}

/// Reads a `CheckOrderRequest`.
pub fn check_order(bytes: &[u8]) -> Result<CheckOrderRequest<'_>, Malformed> {
    let mut fields = Fields(bytes);
    let mut request = CheckOrderRequest::default();
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (1, Field::Bytes(v)) => request.router = v,
            (2, Field::Bytes(v)) => request.token = v,
            (3, Field::Bytes(v)) => request.order = Some(new_order(v)?),
            (1..=3, _) => return Err(Malformed("a field of CheckOrderRequest has the wrong type")),
            _ => {}
        }
    }
    Ok(request)
}
