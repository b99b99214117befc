//! The numbers of a flat call as the core's types. A number that no order could have (an unknown side, a negative id) is
//! the caller's mistake and raises; one that an order could have (quantity 0, an undefined account) is the core's to refuse.

use std::hash::{BuildHasher, Hasher};

use pyo3::prelude::*;
use riskcore::events::{NewOrder, OrdType, Side, TimeInForce};
use riskcore::halts::State;
use riskcore::hash::Seeded;
use riskcore::ids::{AccountId, ClOrdId, OrderId, ParentId, Ref, RouterId, StrategyId, SymbolId};
use riskcore::limits::{Action, LimitId, Setting};
use riskcore::permissions::Stops;
use riskcore::security::{Phase, ShortSale};
use riskcore::units::{Price, Qty};
use riskcore::{EngineConfig, Event};

use crate::errors::Error;

/// FIX 54, as the code of its character.
pub const SIDES: [(&str, u8, Side); 4] = [
    ("BUY", b'1', Side::Buy),
    ("SELL", b'2', Side::Sell),
    ("SELL_SHORT", b'5', Side::SellShort),
    ("SELL_SHORT_EXEMPT", b'6', Side::SellShortExempt),
];

/// FIX 40, likewise.
pub const ORD_TYPES: [(&str, u8, OrdType); 2] = [("MARKET", b'1', OrdType::Market), ("LIMIT", b'2', OrdType::Limit)];

/// FIX 59, likewise.
pub const TIFS: [(&str, u8, TimeInForce); 5] = [
    ("DAY", b'0', TimeInForce::Day),
    ("GTC", b'1', TimeInForce::GoodTillCancel),
    ("OPG", b'2', TimeInForce::AtTheOpening),
    ("IOC", b'3', TimeInForce::ImmediateOrCancel),
    ("FOK", b'4', TimeInForce::FillOrKill),
];

/// `ord_type` where none is given.
pub const DEFAULT_ORD_TYPE: i64 = b'2' as i64;

/// `tif` where none is given.
pub const DEFAULT_TIF: i64 = b'0' as i64;

/// An OrderID is `epoch << 40 | n` and must stay positive as an i64.
const MAX_EPOCH: i64 = (1 << 23) - 1;

/// Orders a day: their places are kept as u32, and one is about half a kilobyte with its id.
const MAX_ORDERS: i64 = 1 << 28;
const ORDER_BYTES: usize = 512;

/// Adds the constants to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for (name, code, _) in SIDES {
        module.add(name, code)?;
    }
    for (name, code, _) in ORD_TYPES {
        module.add(name, code)?;
    }
    for (name, code, _) in TIFS {
        module.add(name, code)?;
    }
    Ok(())
}

/// What an engine is built with.
pub fn config(epoch: i64, trading_day: i64, max_orders: i64, max_parents: i64) -> Result<EngineConfig, Error> {
    let config = EngineConfig {
        epoch: in_range("epoch", epoch, 1, MAX_EPOCH)? as u32,
        trading_day: in_range("trading_day", trading_day, 1, 99_991_231)? as u32,
        max_orders: in_range("max_orders", max_orders, 1, MAX_ORDERS)? as usize,
        max_parents: in_range("max_parents", max_parents, 0, u32::MAX.into())? as usize,
        ..EngineConfig::default()
    };
    // The core reserves its tables at once, and a table that cannot be had ends the process: ask gently first.
    if Vec::<u8>::new().try_reserve_exact(config.max_orders * ORDER_BYTES).is_err() {
        return Err(Error::Invalid(format!("max_orders = {max_orders}: there is not enough memory for so many")));
    }
    Ok(config)
}

/// The numbers of one new order, as a flat call or a packed record has them.
#[derive(Clone, Copy)]
pub struct OrderNumbers {
    pub router: i64,
    pub account: i64,
    pub symbol: i64,
    pub side: i64,
    pub qty: i64,
    pub price: i64,
    pub parent: i64,
    pub cl_ord_id: i64,
    pub ord_type: i64,
    pub tif: i64,
    pub strategy: i64,
    pub flags: u64,
}

impl OrderNumbers {
    /// The event of the order they make.
    #[inline]
    pub fn event(&self) -> Result<Event, Error> {
        let ord_type = ord_type(self.ord_type)?;
        Ok(Event::NewOrder(NewOrder {
            router: router(self.router)?,
            client_seq: 0,
            cl_ord_id: cl_ord_id("cl_ord_id", self.cl_ord_id)?,
            account: Ref::Known(account(self.account)?),
            symbol: Ref::Known(symbol(self.symbol)?),
            strategy: optional("strategy", self.strategy, StrategyId)?,
            parent: optional("parent", self.parent, ParentId)?,
            side: side(self.side)?,
            ord_type,
            tif: tif(self.tif)?,
            qty: Qty(self.qty),
            price: (ord_type == OrdType::Limit).then_some(Price(self.price)),
            flags: self.flags,
        }))
    }
}

/// A router's id.
#[inline]
pub fn router(n: i64) -> Result<RouterId, Error> {
    id("router", n).map(RouterId)
}

/// An account's id.
#[inline]
pub fn account(n: i64) -> Result<AccountId, Error> {
    id("account", n).map(AccountId)
}

/// A symbol's id.
#[inline]
pub fn symbol(n: i64) -> Result<SymbolId, Error> {
    id("symbol", n).map(SymbolId)
}

/// A parent's id.
#[inline]
pub fn parent(n: i64) -> Result<ParentId, Error> {
    id("parent", n).map(ParentId)
}

#[inline]
fn id(what: &str, n: i64) -> Result<u32, Error> {
    u32::try_from(n).map_err(|_| no_id(what, n))
}

#[inline]
fn optional<T>(what: &str, n: i64, make: impl Fn(u32) -> T) -> Result<Ref<T>, Error> {
    if n == -1 { Ok(Ref::Absent) } else { id(what, n).map(|n| Ref::Known(make(n))) }
}

#[cold]
fn no_id(what: &str, n: i64) -> Error {
    let source = if what == "parent" { "open_parent".to_owned() } else { format!("define_{what}") };
    let absent = if matches!(what, "parent" | "strategy") { ", or -1 for none" } else { "" };
    Error::Invalid(format!("{what} {n} is no id: pass what {source} returned{absent}"))
}

/// A ClOrdID that is a number.
#[inline]
pub fn cl_ord_id(what: &str, n: i64) -> Result<ClOrdId, Error> {
    let number = u64::try_from(n).map_err(|_| Error::Invalid(format!("{what} {n} is negative: count up from 0")))?;
    Ok(ClOrdId::from_number(number))
}

/// An OrderID that a call returned.
#[inline]
pub fn order(n: i64) -> Result<OrderId, Error> {
    u64::try_from(n).map(OrderId).map_err(|_| {
        Error::Invalid(format!("order {n} is no OrderID: a negative verdict of new_order is a reject, not an order"))
    })
}

/// A side.
#[inline]
pub fn side(n: i64) -> Result<Side, Error> {
    choose("side", n, &SIDES)
}

#[inline]
fn ord_type(n: i64) -> Result<OrdType, Error> {
    choose("ord_type", n, &ORD_TYPES)
}

#[inline]
fn tif(n: i64) -> Result<TimeInForce, Error> {
    choose("tif", n, &TIFS)
}

#[inline]
fn choose<T: Copy>(what: &str, n: i64, choices: &[(&'static str, u8, T)]) -> Result<T, Error> {
    let found = choices.iter().find(|(_, code, _)| i64::from(*code) == n);
    found.map(|(_, _, value)| *value).ok_or_else(|| no_choice(what, n, choices))
}

#[cold]
fn no_choice<T>(what: &str, n: i64, choices: &[(&'static str, u8, T)]) -> Error {
    let names: Vec<&str> = choices.iter().map(|(name, _, _)| *name).collect();
    Error::Invalid(format!("{what} {n} is none of riskcore.{}", names.join(", riskcore.")))
}

/// A trading phase.
pub fn phase(name: &str) -> Result<Phase, Error> {
    let names: Vec<&str> = Phase::ALL.into_iter().map(Phase::name).collect();
    let found = Phase::ALL.into_iter().find(|phase| phase.name() == name);
    found.ok_or_else(|| Error::Invalid(format!("phase {name:?} is none of {}", names.join(", "))))
}

/// What binds short sales.
pub fn restriction(name: &str) -> Result<ShortSale, Error> {
    let names: Vec<&str> = ShortSale::ALL.into_iter().map(ShortSale::name).collect();
    let found = ShortSale::ALL.into_iter().find(|restriction| restriction.name() == name);
    found.ok_or_else(|| Error::Invalid(format!("restriction {name:?} is none of {}", names.join(", "))))
}

/// What an entry of the restricted list stops.
pub fn stops(name: &str) -> Result<Stops, Error> {
    Stops::by_name(name).ok_or_else(|| {
        let known: Vec<&str> = Stops::ALL.iter().map(|stops| stops.name()).collect();
        Error::Invalid(format!("stops {name:?} is none of {}", known.join(", ")))
    })
}

/// A limit's setting; without an action that of the limit, without a value none.
pub fn setting(
    limit: LimitId,
    value: Option<i128>,
    action: Option<&str>,
    soft: bool,
) -> Result<Option<Setting>, Error> {
    let Some(value) = value else { return Ok(None) };
    let named = |name: &str| {
        let known: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        Action::by_name(name).ok_or_else(|| Error::Invalid(format!("action {name:?} is none of {}", known.join(", "))))
    };
    let action = action.map_or(Ok(limit.def().action), named)?;
    Ok(Some(Setting { value, action, soft }))
}

/// A halt's severity.
pub fn halt_state(name: &str) -> Result<State, Error> {
    let found = State::ALL.into_iter().find(|state| *state != State::Active && state.name() == name);
    found.ok_or_else(|| Error::Invalid(format!("state {name:?} is none of REDUCE_ONLY, CANCEL_ONLY, HALTED")))
}

/// A number that must lie between two others.
pub fn in_range(what: &str, n: i64, least: i64, most: i64) -> Result<i64, Error> {
    if (least..=most).contains(&n) {
        return Ok(n);
    }
    Err(Error::Invalid(format!("{what} = {n}: it must be {least} to {most}")))
}

/// The limit of a name.
pub fn limit_named(name: &str) -> Result<LimitId, Error> {
    LimitId::by_name(name)
        .ok_or_else(|| Error::Invalid(format!("limit {name:?}: there is no such limit; riskcore.limits() lists them")))
}

/// Stands for what a router runs, of which an embedding program says the build and its flags alone.
pub fn digest(build: &str, known_flags: u64) -> [u8; 32] {
    let mut digest = [0; 32];
    for (n, part) in digest.chunks_exact_mut(8).enumerate() {
        let mut hasher = Seeded(n as u64).build_hasher();
        hasher.write(build.as_bytes());
        hasher.write_u64(known_flags);
        part.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    digest
}
