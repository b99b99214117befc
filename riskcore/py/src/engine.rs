//! `riskcore.Engine`: the core embedded in a Python program. Each call is one event of the core; nothing is decided here.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use riskcore::events::{
    Attested, Cancel, Change, FlagRegistry, FleetRules, Instrument, NameKind, Replace, Report, ReportKind,
};
use riskcore::ids::{ClOrdId, OrderId, Ref, RouterId};
use riskcore::outcome::{CxlRejReason, Outcome};
use riskcore::readiness::Item;
use riskcore::scopes::ScopeKind;
use riskcore::security::Rules;
use riskcore::units::{Nanos, Price, Qty, Rate};
use riskcore::{Effect, Event, Reject};

use crate::arguments::{self, DEFAULT_ORD_TYPE, DEFAULT_TIF, OrderNumbers, in_range, limit_named};
use crate::errors::Error;
use crate::packed::{self, TimedOrder};
use crate::tuples::REJECT;

/// The core keeps its time where it is: no event is earlier than this.
pub(crate) const NOW: i64 = i64::MIN;

/// What a cancel or replace is refused with when no check refused it: this plus FIX 102.
const CXL_REJ: i64 = 1_000;

/// Adds the class and its constants to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for (name, why) in [
        ("CXL_REJ_TOO_LATE", CxlRejReason::TooLate),
        ("CXL_REJ_UNKNOWN_ORDER", CxlRejReason::UnknownOrder),
        ("CXL_REJ_ALREADY_PENDING", CxlRejReason::AlreadyPending),
        ("CXL_REJ_DUPLICATE_CL_ORD_ID", CxlRejReason::DuplicateClOrdId),
    ] {
        module.add(name, cxl_rej(why))?;
    }
    module.add("NEW_ORDER_FORMAT", packed::FORMAT)?;
    module.add_class::<Engine>()
}

fn cxl_rej(why: CxlRejReason) -> i64 {
    CXL_REJ
        + match why {
            CxlRejReason::TooLate => 0,
            CxlRejReason::UnknownOrder => 1,
            CxlRejReason::AlreadyPending => 3,
            CxlRejReason::DuplicateClOrdId => 6,
            CxlRejReason::Other => 99,
        }
}

/// The risk core, embedded: flat calls, one thread. The caller supplies the time of every event, non-decreasing.
#[pyclass(module = "riskcore")]
pub struct Engine {
    pub(crate) core: riskcore::Engine,
    last_reject: Option<Reject>,
    effects: Vec<Effect>,
    cancels: Vec<OrderId>,
    /// Room for the orders of a batch.
    pub(crate) batch: Vec<TimedOrder>,
}

impl Engine {
    #[inline]
    pub(crate) fn apply(&mut self, t: i64, event: &Event) -> Outcome {
        let outcome = self.core.apply(Nanos(t), event);
        self.core.take_effects(&mut self.effects);
        for effect in self.effects.drain(..) {
            if let Effect::SendCancel(order) = effect {
                self.cancels.push(order);
            }
        }
        outcome
    }

    /// Decides the order of an event: its OrderID, or minus the reason code.
    #[inline]
    pub fn decide(&mut self, t: i64, order: &Event) -> i64 {
        match self.apply(t, order) {
            Outcome::Accepted(id) | Outcome::Duplicate(id) => signed(id),
            Outcome::Rejected(reject) => self.rejected_by(reject),
            // The core answers a new order in no other way.
            _ => 0,
        }
    }

    fn rejected_by(&mut self, reject: Reject) -> i64 {
        self.last_reject = Some(reject);
        -i64::from(reject.reason.code)
    }

    /// The answer to a cancel or replace.
    fn answer(&mut self, outcome: Outcome) -> i64 {
        match outcome {
            Outcome::CancelAccepted(id) | Outcome::ReplaceAccepted(id) | Outcome::Duplicate(id) => signed(id),
            Outcome::ReplaceRejected(_, _, Some(reject)) => self.rejected_by(reject),
            Outcome::ReplaceRejected(_, why, None) | Outcome::CancelRejected(_, why) => -cxl_rej(why),
            _ => 0,
        }
    }

    #[inline]
    fn report(&mut self, t: i64, order: i64, kind: ReportKind) -> Result<(), Error> {
        let id = arguments::order(order)?;
        let report = Report { venue_seq: 0, order: id, exec_id: 0, instrument: None, kind };
        match self.apply(t, &Event::Report(report)) {
            Outcome::UnknownOrder => {
                Err(Error::Invalid(format!("order {order}: this engine has accepted no such order")))
            }
            _ => Ok(()),
        }
    }

    /// Applies what can only be refused for its arguments.
    pub(crate) fn set_up(&mut self, what: impl FnOnce() -> String, event: &Event) -> Result<(), Error> {
        match self.apply(NOW, event) {
            Outcome::Refused(reject) => Err(Error::invalid(&what(), &reject)),
            _ => Ok(()),
        }
    }

    /// What the market says of a symbol.
    fn say(&mut self, t: i64, event: &Event) -> Result<(), Error> {
        match self.apply(t, event) {
            Outcome::Refused(_) => {
                Err(Error::Invalid("the symbol is not defined: pass what define_symbol returned".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

fn signed(id: OrderId) -> i64 {
    // Positive: an epoch has 23 bits (`arguments::config`).
    id.0 as i64
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, epoch = 1, trading_day = 19_700_101, max_orders = 1_048_576, max_parents = 65_536,
                        touch_pages = false))]
    fn new(
        epoch: i64,
        trading_day: i64,
        max_orders: i64,
        max_parents: i64,
        touch_pages: bool,
    ) -> Result<Engine, Error> {
        let mut core = riskcore::Engine::new(&arguments::config(epoch, trading_day, max_orders, max_parents)?);
        if touch_pages {
            core.touch_pages();
        }
        Ok(Engine { core, last_reject: None, effects: Vec::with_capacity(256), cancels: Vec::new(), batch: Vec::new() })
    }

    // ---- Reference data and limits ----

    /// Define an account; its id.
    #[pyo3(signature = (name, *, parent_required = true, smp_group = None))]
    fn define_account(&mut self, name: &str, parent_required: bool, smp_group: Option<u32>) -> Result<u32, Error> {
        self.define(NameKind::Account, "account", name)?;
        let Ref::Known(account) = self.core.state().names.account(name) else { return Ok(0) };
        self.set_up(|| format!("account {name:?}"), &Event::ParentRequired { account, required: parent_required })?;
        if smp_group.is_some() {
            self.set_up(|| format!("account {name:?}"), &Event::SelfMatchGroup { account, group: smp_group })?;
        }
        Ok(account.0)
    }

    /// Define a router; its id.
    fn define_router(&mut self, name: &str) -> Result<u32, Error> {
        self.define(NameKind::Router, "router", name)?;
        Ok(self.core.state().names.router(name).known().map_or(0, |id| id.0))
    }

    /// Define a strategy; its id.
    fn define_strategy(&mut self, name: &str) -> Result<u32, Error> {
        self.define(NameKind::Strategy, "strategy", name)?;
        Ok(self.core.state().names.strategy(name).known().map_or(0, |id| id.0))
    }

    /// Define a currency other than the base currency; its id.
    fn define_currency(&mut self, name: &str) -> Result<u32, Error> {
        self.define(NameKind::Currency, "currency", name)?;
        Ok(self.core.state().names.currency(name).known().map_or(0, |id| id.0))
    }

    /// Define a symbol; its id. ``tick`` in 1e-9 of its currency.
    #[pyo3(signature = (name, *, tick, lot = 1, multiplier = 1, reg_sho = false, luld = false, easy_to_borrow = false,
                        adv = None, security_group = None, currency = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a definition")]
    fn define_symbol(
        &mut self,
        name: &str,
        tick: i64,
        lot: i64,
        multiplier: i64,
        reg_sho: bool,
        luld: bool,
        easy_to_borrow: bool,
        adv: Option<i64>,
        security_group: Option<&str>,
        currency: Option<&str>,
    ) -> Result<u32, Error> {
        for (what, value) in [("tick", tick), ("lot", lot), ("multiplier", multiplier), ("adv", adv.unwrap_or(1))] {
            in_range(&format!("symbol {name:?}: {what}"), value, 1, i64::MAX)?;
        }
        let currency = currency.map(|currency| self.currency_named(currency)).transpose()?;
        self.define(NameKind::Symbol, "symbol", name)?;
        let Ref::Known(symbol) = self.core.state().names.symbol(name) else { return Ok(0) };
        let instrument = Instrument { tick: Price(tick), lot: Qty(lot), multiplier, currency };
        self.set_up(|| format!("symbol {name:?}"), &Event::Instrument { symbol, instrument })?;
        let rules = Rules { reg_sho, luld, easy_to_borrow };
        self.set_up(|| format!("symbol {name:?}"), &Event::SymbolRules { symbol, rules })?;
        self.set_up(|| format!("symbol {name:?}"), &Event::AverageVolume { symbol, qty: adv.map(Qty) })?;
        if let Some(group) = security_group {
            self.put_in_group(symbol, group)?;
        }
        Ok(symbol.0)
    }

    /// The symbols that an account, a router or a strategy may trade.
    fn permit(&mut self, scope: &str, symbols: Vec<String>) -> Result<(), Error> {
        let place = self.scope(scope)?;
        let symbols = symbols.iter().map(|name| self.symbol_named(name)).collect::<Result<_, _>>()?;
        match self.apply(NOW, &Event::Permit { scope: place, symbols }) {
            Outcome::Refused(reject) => Err(Error::of_person(&format!("symbols of {scope}"), &reject)),
            _ => Ok(()),
        }
    }

    /// Enter a symbol in the restricted list, or (``None``) take it off.
    #[pyo3(signature = (symbol, stops, *, principal = "config", text = ""))]
    fn restrict(&mut self, symbol: &str, stops: Option<&str>, principal: &str, text: &str) -> Result<(), Error> {
        let (id, stops) = (self.symbol_named(symbol)?, stops.map(arguments::stops).transpose()?);
        let event = Event::Restrict { symbol: id, stops, principal: principal.into(), text: text.into() };
        match self.apply(NOW, &event) {
            Outcome::Refused(reject) => Err(Error::of_person(&format!("restriction of {symbol}"), &reject)),
            _ => Ok(()),
        }
    }

    /// Set, tighten or (value ``None``) remove a limit at a scope.
    #[pyo3(signature = (scope, limit, value, *, action = None, soft = false, principal = "config"))]
    fn set_limit(
        &mut self,
        scope: &str,
        limit: &str,
        value: Option<i128>,
        action: Option<&str>,
        soft: bool,
        principal: &str,
    ) -> Result<(), Error> {
        let (target, id) = (self.target(scope)?, limit_named(limit)?);
        let setting = arguments::setting(id, value, action, soft)?;
        let event = Event::SetLimit { target, limit: id, setting, principal: principal.into() };
        let Outcome::Refused(reject) = self.apply(NOW, &event) else { return Ok(()) };
        let what = match value {
            Some(value) => format!("{limit} = {value} at {scope}"),
            None => format!("{limit} at {scope}"),
        };
        if reject.reason.code == riskcore::reasons::NEEDS_APPROVAL.code {
            return Err(Error::refused(&what, &reject));
        }
        Err(Error::invalid(&what, &reject))
    }

    /// The venue link is up: orders may flow.
    fn venue_up(&mut self, t: i64) {
        self.apply(t, &Event::VenueUp);
    }

    /// The venue link is lost: no new orders; what is open stays counted in full.
    fn venue_down(&mut self, t: i64) {
        self.apply(t, &Event::VenueDown);
    }

    /// A position brought into the day, valued at ``mark``.
    fn opening_position(&mut self, t: i64, account: i64, symbol: i64, qty: i64, mark: i64) -> Result<(), Error> {
        let event = Event::OpeningPosition {
            account: arguments::account(account)?,
            symbol: arguments::symbol(symbol)?,
            qty: Qty(qty),
            mark: Price(mark),
        };
        match self.apply(t, &event) {
            Outcome::Refused(reject) => {
                let what = format!("opening position {qty} of symbol {symbol} in account {account} at {mark}");
                Err(Error::invalid(&what, &reject))
            }
            _ => Ok(()),
        }
    }

    /// A new trading day, YYYYMMDD.
    fn day_roll(&mut self, t: i64, trading_day: i64) -> Result<(), Error> {
        let date = in_range("trading_day", trading_day, 1, 99_991_231)? as u32;
        match self.apply(t, &Event::DayRoll { date }) {
            Outcome::Refused(_) => {
                Err(Error::Invalid(format!("trading_day {trading_day} is not after {}", self.core.state().day)))
            }
            _ => Ok(()),
        }
    }

    /// The touch of a symbol.
    fn tick(&mut self, t: i64, symbol: i64, bid: i64, ask: i64) -> Result<(), Error> {
        let id = arguments::symbol(symbol)?;
        if id.index() >= self.core.state().markets.len() {
            return Err(Error::Invalid(format!("symbol {symbol} is not defined: pass what define_symbol returned")));
        }
        self.apply(t, &Event::Tick { symbol: id, bid: Price(bid), ask: Price(ask) });
        Ok(())
    }

    /// What one unit of a currency is worth in the base currency.
    fn fx_rate(&mut self, t: i64, currency: &str, rate: i64) -> Result<(), Error> {
        let event = Event::FxRate { currency: self.currency_named(currency)?, rate: Rate(rate) };
        match self.apply(t, &event) {
            Outcome::Refused(reject) => Err(Error::invalid(&format!("rate of {currency}"), &reject)),
            _ => Ok(()),
        }
    }

    /// The venue publishes trading phases: a symbol whose phase it has not said takes no order.
    fn phases_published(&mut self) -> Result<(), Error> {
        self.set_up(|| "phases_published".to_owned(), &Event::PhasesPublished { published: true })
    }

    /// The trading phase of a symbol, or of the whole market (symbol -1); ``None``: not known any more.
    fn phase(&mut self, t: i64, symbol: i64, phase: Option<&str>) -> Result<(), Error> {
        let phase = phase.map(arguments::phase).transpose()?;
        let symbol = if symbol == -1 { None } else { Some(arguments::symbol(symbol)?) };
        self.say(t, &Event::Phase { symbol, phase })
    }

    /// The price bands of a symbol; both ``None``: none are in force.
    fn bands(&mut self, t: i64, symbol: i64, low: Option<i64>, high: Option<i64>) -> Result<(), Error> {
        let bands = match (low, high) {
            (None, None) => None,
            (low, high) => Some((Price(low.unwrap_or(0)), Price(high.unwrap_or(0)))),
        };
        self.say(t, &Event::Bands { symbol: arguments::symbol(symbol)?, bands })
    }

    /// The close of the trading day before.
    fn prior_close(&mut self, t: i64, symbol: i64, price: i64) -> Result<(), Error> {
        self.say(t, &Event::PriorClose { symbol: arguments::symbol(symbol)?, price: Price(price) })
    }

    /// What binds short sales of a symbol.
    fn short_sale(&mut self, t: i64, symbol: i64, restriction: &str) -> Result<(), Error> {
        let restriction = arguments::restriction(restriction)?;
        self.say(t, &Event::ShortSale { symbol: arguments::symbol(symbol)?, restriction })
    }

    // ---- Parents ----

    /// Register a parent order; its id, or minus the reason code.
    fn open_parent(
        &mut self,
        t: i64,
        name: &str,
        account: i64,
        symbol: i64,
        side: i64,
        qty: i64,
    ) -> Result<i64, Error> {
        let Some(id) = ClOrdId::new(name.as_bytes()) else {
            let mend = "1 to 36 printable ASCII characters without space";
            return Err(Error::Invalid(format!("parent {name:?}: a parent's name is {mend}")));
        };
        let event = Event::ParentOpen {
            name: id,
            account: arguments::account(account)?,
            symbol: arguments::symbol(symbol)?,
            side: arguments::side(side)?,
            qty: Qty(qty),
        };
        Ok(match self.apply(t, &event) {
            Outcome::Parent(parent) => parent.0.into(),
            Outcome::Refused(reject) => self.rejected_by(reject),
            _ => 0,
        })
    }

    /// Change a parent's total quantity.
    fn amend_parent(&mut self, t: i64, parent: i64, qty: i64) -> Result<(), Error> {
        let event = Event::ParentAmend { parent: arguments::parent(parent)?, qty: Qty(qty) };
        self.change_parent(t, parent, &event)
    }

    /// Close a parent: no further child.
    fn close_parent(&mut self, t: i64, parent: i64) -> Result<(), Error> {
        let event = Event::ParentClose { parent: arguments::parent(parent)? };
        self.change_parent(t, parent, &event)
    }

    // ---- Orders ----

    /// Decide one order: its OrderID (> 0), or minus the reason code.
    #[pyo3(signature = (t, router, account, symbol, side, qty, price, parent, cl_ord_id, ord_type = DEFAULT_ORD_TYPE,
                        tif = DEFAULT_TIF, strategy = -1, flags = 0))]
    #[expect(clippy::too_many_arguments, reason = "flat: no object is built per order")]
    fn new_order(
        &mut self,
        t: i64,
        router: i64,
        account: i64,
        symbol: i64,
        side: i64,
        qty: i64,
        price: i64,
        parent: i64,
        cl_ord_id: i64,
        ord_type: i64,
        tif: i64,
        strategy: i64,
        flags: u64,
    ) -> Result<i64, Error> {
        let numbers = OrderNumbers {
            router,
            account,
            symbol,
            side,
            qty,
            price,
            parent,
            cl_ord_id,
            ord_type,
            tif,
            strategy,
            flags,
        };
        Ok(self.decide(t, &numbers.event()?))
    }

    /// Decide a packed batch; one little-endian i64 verdict per order.
    fn new_orders<'py>(&mut self, py: Python<'py>, packed: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        packed::decide(py, self, packed)
    }

    /// Ask to cancel: the OrderID to cancel at the venue, or minus the reason code.
    #[pyo3(signature = (t, router, cl_ord_id, *, lane = false))]
    fn cancel(&mut self, t: i64, router: i64, cl_ord_id: i64, lane: bool) -> Result<i64, Error> {
        let cancel = Cancel {
            router: arguments::router(router)?,
            client_seq: 0,
            orig_cl_ord_id: arguments::cl_ord_id("cl_ord_id", cl_ord_id)?,
            lane,
        };
        let outcome = self.apply(t, &Event::Cancel(cancel));
        Ok(self.answer(outcome))
    }

    /// Ask to change quantity and price: the OrderID, or minus the reason code.
    fn replace(
        &mut self,
        t: i64,
        router: i64,
        orig_cl_ord_id: i64,
        cl_ord_id: i64,
        qty: i64,
        price: i64,
    ) -> Result<i64, Error> {
        let replace = Replace {
            router: arguments::router(router)?,
            client_seq: 0,
            cl_ord_id: arguments::cl_ord_id("cl_ord_id", cl_ord_id)?,
            orig_cl_ord_id: arguments::cl_ord_id("orig_cl_ord_id", orig_cl_ord_id)?,
            qty: Qty(qty),
            price: Some(Price(price)),
        };
        let outcome = self.apply(t, &Event::Replace(replace));
        Ok(self.answer(outcome))
    }

    // ---- Reports of the venue ----

    /// The venue acknowledged the order.
    fn accepted(&mut self, t: i64, order: i64) -> Result<(), Error> {
        self.report(t, order, ReportKind::New)
    }

    /// The venue executed ``qty`` at ``price``.
    fn trade(&mut self, t: i64, order: i64, qty: i64, price: i64) -> Result<(), Error> {
        self.report(t, order, ReportKind::Trade { qty: Qty(qty), price: Price(price) })
    }

    /// The venue busted an execution of ``qty`` at ``price``.
    fn trade_cancel(&mut self, t: i64, order: i64, qty: i64, price: i64) -> Result<(), Error> {
        self.report(t, order, ReportKind::TradeCancel { qty: Qty(qty), price: Price(price) })
    }

    /// The venue confirmed that nothing of the order is open any more.
    fn canceled(&mut self, t: i64, order: i64) -> Result<(), Error> {
        self.report(t, order, ReportKind::Canceled)
    }

    /// The venue refused the order, in these words.
    #[pyo3(signature = (t, order, text = ""))]
    fn rejected(&mut self, t: i64, order: i64, text: &str) -> Result<(), Error> {
        let text = self.venue_text(text);
        self.report(t, order, ReportKind::Rejected { text })
    }

    /// The venue refused a cancel.
    fn cancel_rejected(&mut self, t: i64, order: i64) -> Result<(), Error> {
        self.report(t, order, ReportKind::CancelRejected)
    }

    /// The venue carried out the pending replace.
    fn replaced(&mut self, t: i64, order: i64) -> Result<(), Error> {
        self.report(t, order, ReportKind::Replaced)
    }

    /// The venue refused the pending replace.
    fn replace_rejected(&mut self, t: i64, order: i64) -> Result<(), Error> {
        self.report(t, order, ReportKind::ReplaceRejected)
    }

    /// Time passes: sweeps go on, unanswered cancels are asked for again, positions are valued.
    fn timer(&mut self, t: i64) {
        self.apply(t, &Event::Timer);
    }

    // ---- People ----

    /// Halt a scope; the trip id.
    fn halt(&mut self, t: i64, scope: &str, state: &str, principal: &str, text: &str) -> Result<u64, Error> {
        let event = Event::Halt {
            scope: self.scope(scope)?,
            state: arguments::halt_state(state)?,
            principal: principal.into(),
            text: text.into(),
        };
        match self.apply(t, &event) {
            Outcome::Halted(trip) => Ok(trip),
            Outcome::Refused(reject) => Err(Error::refused(&format!("halt {scope}"), &reject)),
            _ => Ok(0),
        }
    }

    /// Propose to reinstate a scope, naming its newest trip; the proposal's id.
    fn propose_reinstate(&mut self, t: i64, scope: &str, trip: i64, principal: &str, text: &str) -> Result<u64, Error> {
        let Ok(trip) = u64::try_from(trip) else {
            return Err(Error::Invalid(format!(
                "trip {trip} is no trip id: pass what halt() returned or trips() lists"
            )));
        };
        let change = Change::Reinstate { scope: self.scope(scope)?, trip };
        self.propose(t, &format!("reinstate {scope}"), change, principal, text)
    }

    /// Propose to loosen a limit; the proposal's id.
    #[pyo3(signature = (t, scope, limit, value, principal, text, *, action = None, soft = false, until = None))]
    #[expect(clippy::too_many_arguments, reason = "as Python's keywords")]
    fn propose_limit(
        &mut self,
        t: i64,
        scope: &str,
        limit: &str,
        value: Option<i128>,
        principal: &str,
        text: &str,
        action: Option<&str>,
        soft: bool,
        until: Option<i64>,
    ) -> Result<u64, Error> {
        let (target, id) = (self.target(scope)?, limit_named(limit)?);
        let setting = arguments::setting(id, value, action, soft)?;
        let change = Change::Limit { target, limit: id, setting, until: until.map(Nanos) };
        self.propose(t, &format!("{limit} at {scope}"), change, principal, text)
    }

    /// Propose to let orders pass a soft limit; the proposal's id.
    #[pyo3(signature = (t, scope, limit, up_to, until, principal, text, *, router = None, cl_ord_id = None))]
    #[expect(clippy::too_many_arguments, reason = "as Python's keywords")]
    fn propose_limit_override(
        &mut self,
        t: i64,
        scope: &str,
        limit: &str,
        up_to: i128,
        until: i64,
        principal: &str,
        text: &str,
        router: Option<i64>,
        cl_ord_id: Option<i64>,
    ) -> Result<u64, Error> {
        let order = match (router, cl_ord_id) {
            (Some(router), Some(id)) => Some((arguments::router(router)?, arguments::cl_ord_id("cl_ord_id", id)?)),
            (None, None) => None,
            _ => return Err(Error::Invalid("router and cl_ord_id name one order together: give both or none".into())),
        };
        let (scope_named, limit_id) = (self.scope(scope)?, limit_named(limit)?);
        let change = Change::Override { scope: scope_named, limit: limit_id, up_to, order, until: Nanos(until) };
        self.propose(t, &format!("override of {limit} at {scope}"), change, principal, text)
    }

    /// The registry of order flags, as bits; without one flags are not looked at.
    #[pyo3(signature = (registered, *, retired = 0))]
    fn set_flags(&mut self, registered: u64, retired: u64) {
        self.apply(NOW, &Event::Flags(FlagRegistry { registered, retired }));
    }

    /// What follows from the builds of routers.
    #[pyo3(signature = (*, quarantine_culprit = true, halt_on_change = false))]
    fn fleet_rules(&mut self, quarantine_culprit: bool, halt_on_change: bool) {
        self.apply(NOW, &Event::FleetRules(FleetRules { quarantine_culprit, halt_on_change }));
    }

    /// A router logs on and says which build it runs.
    #[pyo3(signature = (t, router, build, *, known_flags = 0, quarantined = false))]
    fn attest(&mut self, t: i64, router: i64, build: &str, known_flags: u64, quarantined: bool) -> Result<(), Error> {
        let router = RouterId(in_range("router", router, 0, u32::MAX.into())? as u32);
        let (build, runs) = (build.to_owned(), arguments::digest(build, known_flags));
        self.log_on(t, Attested { router, build, runs, known_flags, quarantined })
    }

    /// Propose to take a router off canary; the proposal's id.
    fn propose_promotion(&mut self, t: i64, router: i64, principal: &str, text: &str) -> Result<u64, Error> {
        let change = Change::Promote { router: RouterId(in_range("router", router, 0, u32::MAX.into())? as u32) };
        self.propose(t, &format!("promote router {router}"), change, principal, text)
    }

    /// Propose to let the build of a halted router log on again; the proposal's id.
    fn propose_close_incident(&mut self, t: i64, trip: i64, principal: &str, text: &str) -> Result<u64, Error> {
        let change = Change::CloseIncident { trip: in_range("trip", trip, 0, i64::MAX)? as u64 };
        self.propose(t, &format!("close the incident of trip {trip}"), change, principal, text)
    }

    /// Propose to stop less of a symbol, or to take it off the restricted list; the proposal's id.
    fn propose_restriction(
        &mut self,
        t: i64,
        symbol: &str,
        stops: Option<&str>,
        principal: &str,
        text: &str,
    ) -> Result<u64, Error> {
        let stops = stops.map(arguments::stops).transpose()?;
        let change = Change::Restrict { symbol: self.symbol_named(symbol)?, stops };
        self.propose(t, &format!("restriction of {symbol}"), change, principal, text)
    }

    /// Propose what a currency is worth; the proposal's id.
    fn propose_fx_rate(
        &mut self,
        t: i64,
        currency: &str,
        rate: i64,
        principal: &str,
        text: &str,
    ) -> Result<u64, Error> {
        let change = Change::FxRate { currency: self.currency_named(currency)?, rate: Rate(rate) };
        self.propose(t, &format!("rate of {currency}"), change, principal, text)
    }

    /// Approve a proposal as a second person.
    fn approve(&mut self, t: i64, proposal: i64, principal: &str) -> Result<(), Error> {
        let Ok(id) = u64::try_from(proposal) else {
            return Err(Error::Invalid(format!("proposal {proposal} is no id: pass what propose_... returned")));
        };
        match self.apply(t, &Event::Approve { proposal: id, principal: principal.into() }) {
            Outcome::Refused(reject) => Err(Error::refused(&format!("proposal {proposal}"), &reject)),
            _ => Ok(()),
        }
    }

    /// What is never a finding: ``kind:value``, as in ``venue_reject:Not shortable``.
    fn known(&mut self, text: &str) -> Result<(), Error> {
        self.never_a_finding(text)
    }

    /// A person has looked at a finding.
    fn acknowledge_finding(&mut self, t: i64, finding: u64, principal: &str, text: &str) -> Result<(), Error> {
        match self.apply(t, &Event::AcknowledgeFinding { finding, principal: principal.into(), text: text.into() }) {
            Outcome::Refused(reject) => Err(Error::refused(&format!("finding {finding}"), &reject)),
            _ => Ok(()),
        }
    }

    /// A gate at a time of day, ns UTC, that holds for ``grace`` before it latches the firm.
    #[pyo3(signature = (open_at, grace, symbols = Vec::new()))]
    fn readiness_gate(&mut self, open_at: i64, grace: i64, symbols: Vec<String>) -> Result<(), Error> {
        self.set_gate(open_at, grace, &symbols)
    }

    /// Where the gate stands, and what is red now.
    fn readiness(&self) -> (&'static str, Vec<&'static str>) {
        (self.core.state().readiness.gate().name(), self.core.assess().items().map(Item::name).collect())
    }

    /// Propose to trade until then, whatever the gate says; the proposal's id.
    fn propose_override(&mut self, t: i64, until: i64, principal: &str, text: &str) -> Result<u64, Error> {
        self.propose(t, "override", Change::OverrideReadiness { until: Nanos(until) }, principal, text)
    }

    // ---- Reading ----

    /// What a person should look at, oldest first.
    fn findings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.all_findings(py)
    }

    /// Details of the last order or request this engine refused.
    fn last_reject<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(reject) = self.last_reject else { return Ok(None) };
        let Reject { reason, limit, value, unit, .. } = reject;
        let scope = reject.scope.map_or_else(String::new, |scope| self.render(scope));
        REJECT.make(py, (reason.code, reason.name, scope, limit, value, unit.name())).map(Some)
    }

    /// OrderIDs the core wants cancelled at the venue since the last call.
    fn cancels(&mut self) -> Vec<u64> {
        self.cancels.drain(..).map(|order| order.0).collect()
    }

    /// Every halt that is latched, oldest first.
    fn trips<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.latched(py)
    }

    /// The scope's own state.
    fn state(&self, scope: &str) -> Result<&'static str, Error> {
        let place = self.place(scope)?;
        Ok(place.map_or(riskcore::halts::State::Active, |ix| self.core.state().halts.state(ix)).name())
    }

    /// Position, open buy and open sell quantity of a scope of one symbol.
    fn position(&self, scope: &str) -> Result<(i64, i64, i64), Error> {
        let kind = self.scope(scope)?.kind();
        if !matches!(kind, ScopeKind::Symbol | ScopeKind::AccountSymbol | ScopeKind::RouterSymbol) {
            let mend = "ask for symbol:S, account_symbol:A/S or router_symbol:R/S";
            return Err(Error::Invalid(format!("scope {scope:?} has no position of its own: {mend}")));
        }
        let Some(ix) = self.place(scope)? else { return Ok((0, 0, 0)) };
        let book = &self.core.state().books[ix.at()];
        Ok((book.position, book.open_buy, book.open_sell))
    }

    /// Profit and loss of the day, realized and unrealized, 1e-9 of money.
    fn pnl(&self, scope: &str) -> Result<i128, Error> {
        Ok(self.valued(scope)?.map_or(0, |ix| self.core.state().books[ix.at()].pnl))
    }

    /// Worst-case gross notional, 1e-9 of money.
    fn gross_notional(&self, scope: &str) -> Result<i128, Error> {
        Ok(self.valued(scope)?.map_or(0, |ix| self.core.state().books[ix.at()].gross))
    }

    /// Gross turnover of the day: executed plus open, 1e-9 of money.
    fn turnover(&self, scope: &str) -> Result<i128, Error> {
        Ok(self.place(scope)?.map_or(0, |ix| self.core.state().books[ix.at()].turnover()))
    }

    /// Per limit in force at the scope that something is used of: (used, bound).
    fn utilization<'py>(&self, py: Python<'py>, scope: &str) -> PyResult<Bound<'py, PyDict>> {
        self.used_up(py, scope)
    }

    /// How many orders are open.
    fn open_orders(&self) -> u32 {
        self.core.state().orders.open()
    }

    /// A digest of everything that can influence a decision: equal after the same calls, on any machine.
    fn state_hash(&self) -> u64 {
        self.core.state_hash()
    }
}

impl Engine {
    fn change_parent(&mut self, t: i64, parent: i64, event: &Event) -> Result<(), Error> {
        match self.apply(t, event) {
            Outcome::Refused(reject) => Err(Error::invalid(&format!("parent {parent}"), &reject)),
            _ => Ok(()),
        }
    }
}
