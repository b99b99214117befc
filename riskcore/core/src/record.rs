//! Records: every input of the core as bytes, and back. One sequence, one versioned format.
//!
//! Little-endian, fixed layout per kind, written by hand: no field is ever re-used, a new kind gets a new number. A record
//! carries the reason code of the decision it led to (0 = none or accepted), so that a replay can compare.
//!
//! ```text
//! version u8 | seq u64 | time i64 | decision u16 | kind u8 | fields
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use crate::events::{
    Cancel, Change, Event, Instrument, MassCancel, MassStatusEnd, MassStatusEntry, NameKind, NewOrder, OrdType,
    Replace, Report, ReportKind, Side, TimeInForce,
};
use crate::halts::State;
use crate::ids::{AccountId, ClOrdId, OrderId, ParentId, Ref, RouterId, StrategyId, SymbolId};
use crate::limits::{LimitId, LimitTarget};
use crate::outcome::Outcome;
use crate::scopes::{Scope, ScopeKind};
use crate::units::{Nanos, Price, Qty};

/// The format written here, and the only one read.
pub const VERSION: u8 = 1;

/// The longest text a record may hold (names, reasons).
pub const MAX_TEXT: usize = 1_024;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the sequence, from 1.
    pub seq: u64,
    /// When the event happened.
    pub time: Nanos,
    /// Reason code of the decision; 0 = accepted, or nothing to decide.
    pub decision: u16,
    /// The event.
    pub event: Event,
}

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before the record does.
    Truncated,
    /// Bytes are left over.
    Trailing,
    /// Written by another version of the format.
    Version(u8),
    /// A field has a value it cannot have.
    BadField(&'static str),
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            DecodeError::Truncated => write!(f, "the record ends early"),
            DecodeError::Trailing => write!(f, "bytes follow the record"),
            DecodeError::Version(n) => write!(f, "record format {n}; this build reads format {VERSION}"),
            DecodeError::BadField(name) => write!(f, "the record's field `{name}` has an impossible value"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// The reason code that a record keeps of an outcome.
pub fn decision_of(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Rejected(reject) | Outcome::Refused(reject) | Outcome::ReplaceRejected(_, _, Some(reject)) => {
            reject.reason.code
        }
        _ => 0,
    }
}

/// Appends a record's bytes to `out`. Allocates only if `out` has no room.
pub fn encode(seq: u64, time: Nanos, decision: u16, event: &Event, out: &mut Vec<u8>) {
    let mut w = Writer(out);
    w.u8(VERSION);
    w.u64(seq);
    w.i64(time.0);
    w.u16(decision);
    w.event(event);
}

/// Reads one record, all of `bytes`. Never panics; allocates no more than the texts it holds.
pub fn decode(bytes: &[u8]) -> Result<Record, DecodeError> {
    let mut r = Reader(bytes);
    let version = r.u8()?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    let record = Record { seq: r.u64()?, time: Nanos(r.i64()?), decision: r.u16()?, event: r.event()? };
    if r.0.is_empty() { Ok(record) } else { Err(DecodeError::Trailing) }
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn u8(&mut self, n: u8) {
        self.0.push(n);
    }

    fn u16(&mut self, n: u16) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn u32(&mut self, n: u32) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn u64(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn i64(&mut self, n: i64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    fn optional_i64(&mut self, n: Option<i64>) {
        self.flag(n.is_some());
        self.i64(n.unwrap_or(0));
    }

    fn optional_i128(&mut self, n: Option<i128>) {
        self.flag(n.is_some());
        self.0.extend_from_slice(&n.unwrap_or(0).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        // Cut at a character boundary; the edge refuses longer texts before they come here.
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.u16(end as u16);
        self.0.extend_from_slice(&text.as_bytes()[..end]);
    }

    fn cl_ord_id(&mut self, id: &ClOrdId) {
        self.u8(id.as_bytes().len() as u8);
        self.0.extend_from_slice(id.as_bytes());
    }

    /// Absent and unknown take the two highest numbers.
    fn reference(&mut self, id: Ref<u32>) {
        self.u32(match id {
            Ref::Absent => u32::MAX,
            Ref::Unknown => u32::MAX - 1,
            Ref::Known(id) => id,
        });
    }

    fn side(&mut self, side: Side) {
        self.u8(match side {
            Side::Buy => 1,
            Side::Sell => 2,
            Side::SellShort => 5,
            Side::SellShortExempt => 6,
        });
    }

    fn scope(&mut self, scope: Scope) {
        let (a, b) = scope.parts();
        self.u8(scope.kind() as u8);
        self.u32(a);
        self.u32(b);
    }

    fn target(&mut self, target: LimitTarget) {
        match target {
            LimitTarget::Scope(scope) => {
                self.u8(0);
                self.scope(scope);
            }
            LimitTarget::Default(kind) => {
                self.u8(1);
                self.u8(kind as u8);
            }
        }
    }

    fn order(&mut self, order: &NewOrder) {
        self.u32(order.router.0);
        self.u64(order.client_seq);
        self.cl_ord_id(&order.cl_ord_id);
        self.reference(as_number(order.account, |id| id.0));
        self.reference(as_number(order.symbol, |id| id.0));
        self.reference(as_number(order.strategy, |id| id.0));
        self.reference(as_number(order.parent, |id| id.0));
        self.side(order.side);
        self.u8(match order.ord_type {
            OrdType::Market => 1,
            OrdType::Limit => 2,
        });
        self.u8(match order.tif {
            TimeInForce::Day => 0,
            TimeInForce::GoodTillCancel => 1,
            TimeInForce::AtTheOpening => 2,
            TimeInForce::ImmediateOrCancel => 3,
            TimeInForce::FillOrKill => 4,
        });
        self.i64(order.qty.0);
        self.optional_i64(order.price.map(|price| price.0));
        self.u64(order.flags);
    }

    fn report(&mut self, report: &Report) {
        self.u64(report.venue_seq);
        self.u64(report.order.0);
        self.u64(report.exec_id);
        match report.instrument {
            Some((symbol, side)) => {
                self.flag(true);
                self.u32(symbol.0);
                self.side(side);
            }
            None => self.flag(false),
        }
        let (kind, numbers): (u8, &[i64]) = match report.kind {
            ReportKind::New => (0, &[]),
            ReportKind::Trade { qty, price } => (1, &[qty.0, price.0]),
            ReportKind::Canceled => (2, &[]),
            ReportKind::Replaced => (3, &[]),
            ReportKind::Rejected => (4, &[]),
            ReportKind::Expired => (5, &[]),
            ReportKind::DoneForDay => (6, &[]),
            ReportKind::TradeCancel { qty, price } => (7, &[qty.0, price.0]),
            ReportKind::TradeCorrect { old_qty, old_price, qty, price } => {
                (8, &[old_qty.0, old_price.0, qty.0, price.0])
            }
            ReportKind::CancelRejected => (9, &[]),
            ReportKind::ReplaceRejected => (10, &[]),
        };
        self.u8(kind);
        numbers.iter().for_each(|n| self.i64(*n));
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Reinstate { scope, trip } => {
                self.u8(0);
                self.scope(*scope);
                self.u64(*trip);
            }
            Change::Limit { target, limit, value } => {
                self.u8(1);
                self.target(*target);
                self.u16(limit.def().code);
                self.optional_i128(*value);
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::NewOrder(order) => {
                self.u8(1);
                self.order(order);
            }
            Event::CheckOrder(order) => {
                self.u8(2);
                self.order(order);
            }
            Event::Replace(replace) => {
                self.u8(3);
                self.u32(replace.router.0);
                self.u64(replace.client_seq);
                self.cl_ord_id(&replace.cl_ord_id);
                self.cl_ord_id(&replace.orig_cl_ord_id);
                self.i64(replace.qty.0);
                self.optional_i64(replace.price.map(|price| price.0));
            }
            Event::Cancel(cancel) => {
                self.u8(4);
                self.u32(cancel.router.0);
                self.u64(cancel.client_seq);
                self.cl_ord_id(&cancel.orig_cl_ord_id);
                self.flag(cancel.lane);
            }
            Event::MassCancel(request) => {
                self.u8(5);
                self.u32(request.router.0);
                self.u64(request.client_seq);
                self.reference(request.symbol.map_or(Ref::Absent, |symbol| Ref::Known(symbol.0)));
            }
            Event::Malformed { router, client_seq } => {
                self.u8(6);
                self.u32(router.0);
                self.u64(*client_seq);
            }
            Event::AttemptsDropped { router, count, last_client_seq, first } => {
                self.u8(7);
                self.u32(router.0);
                self.u32(*count);
                self.u64(*last_client_seq);
                self.i64(first.0);
            }
            Event::Report(report) => {
                self.u8(8);
                self.report(report);
            }
            Event::Tick { symbol, bid, ask } => {
                self.u8(9);
                self.u32(symbol.0);
                self.i64(bid.0);
                self.i64(ask.0);
            }
            Event::Timer => self.u8(10),
            Event::SessionUp { router } => {
                self.u8(11);
                self.u32(router.0);
            }
            Event::SessionDown { router, cancel_orders } => {
                self.u8(12);
                self.u32(router.0);
                self.flag(*cancel_orders);
            }
            Event::VenueUp => self.u8(13),
            Event::VenueDown => self.u8(14),
            Event::MassStatusEntry(entry) => {
                self.u8(15);
                self.u64(entry.order.0);
                self.i64(entry.cum.0);
                self.i64(entry.leaves.0);
            }
            Event::MassStatusEnd(end) => {
                self.u8(16);
                self.u64(end.last_client_seq_processed);
                self.flag(end.complete);
                self.flag(end.fenced);
            }
            Event::NotSent { order } => {
                self.u8(17);
                self.u64(order.0);
            }
            Event::ParentOpen { name, account, symbol, side, qty } => {
                self.u8(18);
                self.cl_ord_id(name);
                self.u32(account.0);
                self.u32(symbol.0);
                self.side(*side);
                self.i64(qty.0);
            }
            Event::ParentAmend { parent, qty } => {
                self.u8(19);
                self.u32(parent.0);
                self.i64(qty.0);
            }
            Event::ParentClose { parent } => {
                self.u8(20);
                self.u32(parent.0);
            }
            Event::Halt { scope, state, principal, text } => {
                self.u8(21);
                self.scope(*scope);
                self.u8(*state as u8);
                self.text(principal);
                self.text(text);
            }
            Event::Propose { change, principal, text } => {
                self.u8(22);
                self.change(change);
                self.text(principal);
                self.text(text);
            }
            Event::Approve { proposal, principal } => {
                self.u8(23);
                self.u64(*proposal);
                self.text(principal);
            }
            Event::SetLimit { target, limit, value, principal } => {
                self.u8(24);
                self.target(*target);
                self.u16(limit.def().code);
                self.optional_i128(*value);
                self.text(principal);
            }
            Event::Define { kind, name } => {
                self.u8(25);
                self.u8(match kind {
                    NameKind::Account => 1,
                    NameKind::Router => 2,
                    NameKind::Strategy => 3,
                    NameKind::Symbol => 4,
                });
                self.text(name);
            }
            Event::Instrument { symbol, instrument } => {
                self.u8(26);
                self.u32(symbol.0);
                self.i64(instrument.tick.0);
                self.i64(instrument.lot.0);
                self.i64(instrument.multiplier);
            }
            Event::ParentRequired { account, required } => {
                self.u8(27);
                self.u32(account.0);
                self.flag(*required);
            }
            Event::OpeningPosition { account, symbol, qty, mark } => {
                self.u8(28);
                self.u32(account.0);
                self.u32(symbol.0);
                self.i64(qty.0);
                self.i64(mark.0);
            }
            Event::DayRoll { date } => {
                self.u8(29);
                self.u32(*date);
            }
        }
    }
}

fn as_number<T>(id: Ref<T>, number: impl Fn(T) -> u32) -> Ref<u32> {
    match id {
        Ref::Absent => Ref::Absent,
        Ref::Unknown => Ref::Unknown,
        Ref::Known(id) => Ref::Known(number(id)),
    }
}

struct Reader<'a>(&'a [u8]);

type Read<T> = Result<T, DecodeError>;

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    fn slice(&mut self, len: usize) -> Read<&[u8]> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn u8(&mut self) -> Read<u8> {
        Ok(u8::from_le_bytes(self.bytes()?))
    }

    fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_le_bytes(self.bytes()?))
    }

    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn i64(&mut self) -> Read<i64> {
        Ok(i64::from_le_bytes(self.bytes()?))
    }

    fn flag(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::BadField("flag")),
        }
    }

    /// An absent number is written as zero; anything else there is damage.
    fn optional_i64(&mut self) -> Read<Option<i64>> {
        match (self.flag()?, self.i64()?) {
            (true, n) => Ok(Some(n)),
            (false, 0) => Ok(None),
            (false, _) => Err(DecodeError::BadField("absent number")),
        }
    }

    fn optional_i128(&mut self) -> Read<Option<i128>> {
        let present = self.flag()?;
        match (present, i128::from_le_bytes(self.bytes()?)) {
            (true, n) => Ok(Some(n)),
            (false, 0) => Ok(None),
            (false, _) => Err(DecodeError::BadField("absent number")),
        }
    }

    fn text(&mut self) -> Read<String> {
        let len = usize::from(self.u16()?);
        if len > MAX_TEXT {
            return Err(DecodeError::BadField("text length"));
        }
        core::str::from_utf8(self.slice(len)?).map(String::from).map_err(|_| DecodeError::BadField("text"))
    }

    fn cl_ord_id(&mut self) -> Read<ClOrdId> {
        let len = usize::from(self.u8()?);
        ClOrdId::new(self.slice(len)?).ok_or(DecodeError::BadField("ClOrdID"))
    }

    fn reference<T>(&mut self, id: impl Fn(u32) -> T) -> Read<Ref<T>> {
        Ok(match self.u32()? {
            u32::MAX => Ref::Absent,
            n if n == u32::MAX - 1 => Ref::Unknown,
            n => Ref::Known(id(n)),
        })
    }

    fn side(&mut self) -> Read<Side> {
        match self.u8()? {
            1 => Ok(Side::Buy),
            2 => Ok(Side::Sell),
            5 => Ok(Side::SellShort),
            6 => Ok(Side::SellShortExempt),
            _ => Err(DecodeError::BadField("side")),
        }
    }

    fn kind(&mut self) -> Read<ScopeKind> {
        ScopeKind::from_number(self.u8()?).ok_or(DecodeError::BadField("scope kind"))
    }

    fn scope(&mut self) -> Read<Scope> {
        let kind = self.kind()?;
        let (a, b) = (self.u32()?, self.u32()?);
        let scope = Scope::from_parts(kind, a, b);
        // Ids that the kind does not have are written as zero; anything else there is damage.
        if scope.parts() == (a, b) { Ok(scope) } else { Err(DecodeError::BadField("scope")) }
    }

    fn target(&mut self) -> Read<LimitTarget> {
        match self.u8()? {
            0 => self.scope().map(LimitTarget::Scope),
            1 => self.kind().map(LimitTarget::Default),
            _ => Err(DecodeError::BadField("limit target")),
        }
    }

    fn limit(&mut self) -> Read<LimitId> {
        LimitId::by_code(self.u16()?).ok_or(DecodeError::BadField("limit"))
    }

    fn order(&mut self) -> Read<NewOrder> {
        Ok(NewOrder {
            router: RouterId(self.u32()?),
            client_seq: self.u64()?,
            cl_ord_id: self.cl_ord_id()?,
            account: self.reference(AccountId)?,
            symbol: self.reference(SymbolId)?,
            strategy: self.reference(StrategyId)?,
            parent: self.reference(ParentId)?,
            side: self.side()?,
            ord_type: match self.u8()? {
                1 => OrdType::Market,
                2 => OrdType::Limit,
                _ => return Err(DecodeError::BadField("ord_type")),
            },
            tif: match self.u8()? {
                0 => TimeInForce::Day,
                1 => TimeInForce::GoodTillCancel,
                2 => TimeInForce::AtTheOpening,
                3 => TimeInForce::ImmediateOrCancel,
                4 => TimeInForce::FillOrKill,
                _ => return Err(DecodeError::BadField("time_in_force")),
            },
            qty: Qty(self.i64()?),
            price: self.optional_i64()?.map(Price),
            flags: self.u64()?,
        })
    }

    fn trade(&mut self) -> Read<(Qty, Price)> {
        Ok((Qty(self.i64()?), Price(self.i64()?)))
    }

    fn report(&mut self) -> Read<Report> {
        let (venue_seq, order, exec_id) = (self.u64()?, OrderId(self.u64()?), self.u64()?);
        let instrument = if self.flag()? { Some((SymbolId(self.u32()?), self.side()?)) } else { None };
        let kind = match self.u8()? {
            0 => ReportKind::New,
            1 => {
                let (qty, price) = self.trade()?;
                ReportKind::Trade { qty, price }
            }
            2 => ReportKind::Canceled,
            3 => ReportKind::Replaced,
            4 => ReportKind::Rejected,
            5 => ReportKind::Expired,
            6 => ReportKind::DoneForDay,
            7 => {
                let (qty, price) = self.trade()?;
                ReportKind::TradeCancel { qty, price }
            }
            8 => {
                let ((old_qty, old_price), (qty, price)) = (self.trade()?, self.trade()?);
                ReportKind::TradeCorrect { old_qty, old_price, qty, price }
            }
            9 => ReportKind::CancelRejected,
            10 => ReportKind::ReplaceRejected,
            _ => return Err(DecodeError::BadField("report kind")),
        };
        Ok(Report { venue_seq, order, exec_id, instrument, kind })
    }

    fn change(&mut self) -> Read<Change> {
        match self.u8()? {
            0 => Ok(Change::Reinstate { scope: self.scope()?, trip: self.u64()? }),
            1 => Ok(Change::Limit { target: self.target()?, limit: self.limit()?, value: self.optional_i128()? }),
            _ => Err(DecodeError::BadField("change")),
        }
    }

    fn event(&mut self) -> Read<Event> {
        Ok(match self.u8()? {
            1 => Event::NewOrder(self.order()?),
            2 => Event::CheckOrder(self.order()?),
            3 => Event::Replace(Replace {
                router: RouterId(self.u32()?),
                client_seq: self.u64()?,
                cl_ord_id: self.cl_ord_id()?,
                orig_cl_ord_id: self.cl_ord_id()?,
                qty: Qty(self.i64()?),
                price: self.optional_i64()?.map(Price),
            }),
            4 => Event::Cancel(Cancel {
                router: RouterId(self.u32()?),
                client_seq: self.u64()?,
                orig_cl_ord_id: self.cl_ord_id()?,
                lane: self.flag()?,
            }),
            5 => Event::MassCancel(MassCancel {
                router: RouterId(self.u32()?),
                client_seq: self.u64()?,
                symbol: match self.reference(SymbolId)? {
                    Ref::Known(symbol) => Some(symbol),
                    Ref::Absent => None,
                    Ref::Unknown => return Err(DecodeError::BadField("symbol")),
                },
            }),
            6 => Event::Malformed { router: RouterId(self.u32()?), client_seq: self.u64()? },
            7 => Event::AttemptsDropped {
                router: RouterId(self.u32()?),
                count: self.u32()?,
                last_client_seq: self.u64()?,
                first: Nanos(self.i64()?),
            },
            8 => Event::Report(self.report()?),
            9 => Event::Tick { symbol: SymbolId(self.u32()?), bid: Price(self.i64()?), ask: Price(self.i64()?) },
            10 => Event::Timer,
            11 => Event::SessionUp { router: RouterId(self.u32()?) },
            12 => Event::SessionDown { router: RouterId(self.u32()?), cancel_orders: self.flag()? },
            13 => Event::VenueUp,
            14 => Event::VenueDown,
            15 => Event::MassStatusEntry(MassStatusEntry {
                order: OrderId(self.u64()?),
                cum: Qty(self.i64()?),
                leaves: Qty(self.i64()?),
            }),
            16 => Event::MassStatusEnd(MassStatusEnd {
                last_client_seq_processed: self.u64()?,
                complete: self.flag()?,
                fenced: self.flag()?,
            }),
            17 => Event::NotSent { order: OrderId(self.u64()?) },
            18 => Event::ParentOpen {
                name: self.cl_ord_id()?,
                account: AccountId(self.u32()?),
                symbol: SymbolId(self.u32()?),
                side: self.side()?,
                qty: Qty(self.i64()?),
            },
            19 => Event::ParentAmend { parent: ParentId(self.u32()?), qty: Qty(self.i64()?) },
            20 => Event::ParentClose { parent: ParentId(self.u32()?) },
            21 => Event::Halt {
                scope: self.scope()?,
                state: State::from_number(self.u8()?).ok_or(DecodeError::BadField("state"))?,
                principal: self.text()?,
                text: self.text()?,
            },
            22 => Event::Propose { change: self.change()?, principal: self.text()?, text: self.text()? },
            23 => Event::Approve { proposal: self.u64()?, principal: self.text()? },
            24 => Event::SetLimit {
                target: self.target()?,
                limit: self.limit()?,
                value: self.optional_i128()?,
                principal: self.text()?,
            },
            25 => Event::Define {
                kind: match self.u8()? {
                    1 => NameKind::Account,
                    2 => NameKind::Router,
                    3 => NameKind::Strategy,
                    4 => NameKind::Symbol,
                    _ => return Err(DecodeError::BadField("name kind")),
                },
                name: self.text()?,
            },
            26 => Event::Instrument {
                symbol: SymbolId(self.u32()?),
                instrument: Instrument { tick: Price(self.i64()?), lot: Qty(self.i64()?), multiplier: self.i64()? },
            },
            27 => Event::ParentRequired { account: AccountId(self.u32()?), required: self.flag()? },
            28 => Event::OpeningPosition {
                account: AccountId(self.u32()?),
                symbol: SymbolId(self.u32()?),
                qty: Qty(self.i64()?),
                mark: Price(self.i64()?),
            },
            29 => Event::DayRoll { date: self.u32()? },
            _ => return Err(DecodeError::BadField("kind")),
        })
    }
}
