//! What the data plane is told before it starts.

use std::path::PathBuf;
use std::time::Duration;

use riskcore::events::Instrument;
use riskcore::limits::Setting;
use riskcore::permissions::Stops;
use riskcore::security::Rules;
use riskcore::units::Qty;

use crate::error::Error;
use crate::fleet::FleetSetup;
use crate::limits::{action_named, limit_named};
use crate::ring::RingBounds;

/// Addresses, times and capacities.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of this gateway at the venue.
    pub gateway: String,
    /// Rises with every start: OrderIDs and the venue's fence carry it.
    pub epoch: u32,
    /// YYYYMMDD.
    pub trading_day: u32,
    /// Where routers connect, `host:port`; port 0 picks a free one.
    pub order_entry_listen: String,
    /// Where the native halt door listens.
    pub halt_listen: String,
    /// UNIX socket of the halt door.
    pub halt_socket: Option<PathBuf>,
    /// A file whose appearance halts.
    pub halt_file: Option<PathBuf>,
    /// The exchange.
    pub venue_address: String,
    /// The source of market data.
    pub market_data_address: String,
    /// Between heartbeats of a session, both ways.
    pub heartbeat: Duration,
    /// Cancel a router's orders when its session ends.
    pub cancel_on_disconnect: bool,
    /// The venue has a drop copy, and executions are compared with it.
    pub drop_copy: bool,
    /// The venue nets fills against a replace in flight.
    pub replace_in_flight_mitigation: bool,
    /// The venue publishes trading phases: what it has not said to be open takes no order.
    pub publishes_phases: bool,
    /// A copy of every record, for replay.
    pub journal_file: Option<PathBuf>,
    /// Orders of a day.
    pub max_orders: usize,
    /// Parents of a day.
    pub max_parents: usize,
    /// Sessions at once.
    pub max_sessions: usize,
    /// What is held of each router's reports.
    pub reports: RingBounds,
    /// Bytes that may wait for the venue before new orders are refused.
    pub venue_queue: usize,
}

/// Heartbeats a peer may miss before its session ends.
pub const MISSED_HEARTBEATS: u32 = 3;

/// Heartbeats after which a second logon of the same router takes over.
pub const LATE_HEARTBEATS: u32 = 2;

/// A router and its credential.
#[derive(Clone, Debug)]
pub struct RouterSetup {
    /// Name.
    pub name: String,
    /// Credential.
    pub token: String,
    /// Accounts it may use.
    pub accounts: Vec<String>,
}

/// An account.
#[derive(Clone, Debug)]
pub struct AccountSetup {
    /// Name.
    pub name: String,
    /// Its orders must name a parent.
    pub parent_required: bool,
    /// Its self-match group: orders of one group must not trade with each other.
    pub smp_group: Option<String>,
}

/// An OMS or an operator, and its credential.
#[derive(Clone, Debug)]
pub struct PrincipalSetup {
    /// Name.
    pub name: String,
    /// Credential.
    pub token: String,
    /// Whether it may halt; an OMS may not.
    pub may_halt: bool,
}

/// A symbol.
#[derive(Clone, Debug)]
pub struct SymbolSetup {
    /// Name.
    pub name: String,
    /// Reference data, in the base currency.
    pub instrument: Instrument,
    /// Its currency, if it is not the base currency.
    pub currency: Option<String>,
    /// The rules it is traded under.
    pub rules: Rules,
    /// Close of the day before, if it is not left to the venue.
    pub prior_close: Option<i64>,
    /// What it trades on an average day.
    pub average_volume: Option<Qty>,
    /// The group it belongs to.
    pub security_group: Option<String>,
}

/// The symbols that a scope may trade.
#[derive(Clone, Debug)]
pub struct PermitSetup {
    /// `account:ACC1`, `router:smars-1`, `strategy:RLP`.
    pub scope: String,
    /// Names; none = all.
    pub symbols: Vec<String>,
}

/// An entry of the restricted list.
#[derive(Clone, Debug)]
pub struct RestrictedSetup {
    /// Symbol.
    pub symbol: String,
    /// What is stopped.
    pub stops: Stops,
    /// Why.
    pub text: String,
}

/// A limit.
#[derive(Clone, Debug)]
pub struct LimitSetup {
    /// `firm`, `router:smars-1`, `account_symbol:ACC1/AAPL`, `router:*`.
    pub scope: String,
    /// Name in the catalogue.
    pub limit: String,
    /// In the limit's unit; `None` removes it.
    pub value: Option<i128>,
    /// What a breach does; empty: the limit's own action.
    pub action: String,
    /// Two people may let an order pass it.
    pub soft: bool,
    /// Who set it.
    pub principal: String,
}

impl LimitSetup {
    /// As the core takes it.
    pub fn setting(&self) -> Result<Option<Setting>, Error> {
        let limit = limit_named(&self.limit)?;
        let Some(value) = self.value else { return Ok(None) };
        Ok(Some(Setting { value, action: action_named(limit, &self.action)?, soft: self.soft }))
    }
}

/// A position brought into the day.
#[derive(Clone, Debug)]
pub struct OpeningSetup {
    /// Account.
    pub account: String,
    /// Symbol.
    pub symbol: String,
    /// Signed quantity.
    pub qty: i64,
    /// The price it is valued at.
    pub mark: i64,
}

/// The gate at the open.
#[derive(Clone, Debug)]
pub struct ReadinessSetup {
    /// Time of day, ns UTC.
    pub open: i64,
    /// How long it holds before it latches, ns.
    pub grace: i64,
    /// Every configured router must be there.
    pub all_routers: bool,
    /// Names of instruments whose quotes must be fresh; empty = all.
    pub symbols: Vec<String>,
}

/// The reference data and limits of the day.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Accounts.
    pub accounts: Vec<AccountSetup>,
    /// Routers.
    pub routers: Vec<RouterSetup>,
    /// Order management systems.
    pub oms: Vec<PrincipalSetup>,
    /// Operators.
    pub operators: Vec<PrincipalSetup>,
    /// The currency of every limit on money; empty where none is named.
    pub base_currency: String,
    /// Strategies.
    pub strategies: Vec<String>,
    /// Symbols.
    pub symbols: Vec<SymbolSetup>,
    /// Lists of symbols.
    pub permits: Vec<PermitSetup>,
    /// The restricted list.
    pub restricted: Vec<RestrictedSetup>,
    /// Limits, applied in this order.
    pub limits: Vec<LimitSetup>,
    /// Opening positions.
    pub opening: Vec<OpeningSetup>,
    /// What the routers must run.
    pub fleet: FleetSetup,
    /// What is never a finding, as `kind:value`.
    pub known: Vec<String>,
    /// The gate at the open, if there is one.
    pub readiness: Option<ReadinessSetup>,
}
