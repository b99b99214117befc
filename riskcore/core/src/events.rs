//! The inputs of the core. Whatever changes its state is one of these, in one sequence, with its time.

use alloc::string::String;
use alloc::vec::Vec;

use crate::checks::self_check::Figures;
use crate::detect::first_seen::Seen;
use crate::halts::State;
use crate::ids::{
    AccountId, ClOrdId, CurrencyId, OrderId, ParentId, Ref, RouterId, SecurityGroupId, StrategyId, SymbolId,
    VenueTextId,
};
use crate::limits::{LimitId, LimitTarget, Setting};
use crate::permissions::Stops;
use crate::resting::GroupId;
use crate::scopes::Scope;
use crate::security::{Phase, Rules, ShortSale};
use crate::units::{Nanos, Price, Qty, Rate};

/// FIX 54.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell a long position.
    Sell,
    /// Sell short.
    SellShort,
    /// Sell short, exempt from Rule 201.
    SellShortExempt,
}

impl Side {
    /// Whether it adds to the position.
    pub fn is_buy(self) -> bool {
        self == Side::Buy
    }

    /// +1 for a buy, -1 for a sell of any marking.
    pub fn sign(self) -> i64 {
        if self.is_buy() { 1 } else { -1 }
    }

    /// Whether it is marked short, exempt or not.
    pub fn is_short(self) -> bool {
        matches!(self, Side::SellShort | Side::SellShortExempt)
    }
}

/// FIX 40, the types that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrdType {
    /// At any price.
    Market,
    /// At the order's price or better.
    Limit,
}

/// FIX 59, the lifetimes that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeInForce {
    /// Until the end of the trading day.
    Day,
    /// Until cancelled.
    GoodTillCancel,
    /// In the opening auction only.
    AtTheOpening,
    /// Immediate or cancel.
    ImmediateOrCancel,
    /// Fill or kill.
    FillOrKill,
}

/// A new order single, as a router sent it. Ids are resolved; what could not be is `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The router whose session it came on.
    pub router: RouterId,
    /// The router's sequence number of the message.
    pub client_seq: u64,
    /// The router's id of the order.
    pub cl_ord_id: ClOrdId,
    /// Account.
    pub account: Ref<AccountId>,
    /// Instrument.
    pub symbol: Ref<SymbolId>,
    /// Strategy; may be absent.
    pub strategy: Ref<StrategyId>,
    /// Parent order; may be absent where the account does not require one.
    pub parent: Ref<ParentId>,
    /// Side.
    pub side: Side,
    /// Type.
    pub ord_type: OrdType,
    /// Lifetime.
    pub tif: TimeInForce,
    /// Quantity.
    pub qty: Qty,
    /// Limit price; `None` for a market order.
    pub price: Option<Price>,
    /// Bits of the firm's flag registry, passed on to the venue.
    pub flags: u64,
}

/// A request to change an open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replace {
    /// The router whose session it came on.
    pub router: RouterId,
    /// The router's sequence number of the message.
    pub client_seq: u64,
    /// The id the order has from now on, if the venue agrees.
    pub cl_ord_id: ClOrdId,
    /// The id it has now.
    pub orig_cl_ord_id: ClOrdId,
    /// New total quantity, filled part included.
    pub qty: Qty,
    /// New limit price; `None` for a market order.
    pub price: Option<Price>,
}

/// A request to cancel one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// The router that owns the order.
    pub router: RouterId,
    /// The router's sequence number; 0 on the cancel lane.
    pub client_seq: u64,
    /// The order.
    pub orig_cl_ord_id: ClOrdId,
    /// Whether it came on the cancel lane, where it may overtake its order.
    pub lane: bool,
}

/// A request to cancel all orders of the router, or those of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassCancel {
    /// The router that owns the orders.
    pub router: RouterId,
    /// The router's sequence number.
    pub client_seq: u64,
    /// Only this instrument.
    pub symbol: Option<SymbolId>,
}

/// What a venue says about an order (FIX ExecType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// New: the venue has it.
    New,
    /// An execution.
    Trade {
        /// LastQty.
        qty: Qty,
        /// LastPx.
        price: Price,
    },
    /// The order is gone; solicited or not.
    Canceled,
    /// A replace took effect.
    Replaced,
    /// The venue refused the order.
    Rejected {
        /// Its words, if it gave any.
        text: Option<VenueTextId>,
    },
    /// Its time in force ended.
    Expired,
    /// Done for day.
    DoneForDay,
    /// An execution is busted.
    TradeCancel {
        /// The quantity taken back.
        qty: Qty,
        /// The price it had been done at.
        price: Price,
    },
    /// An execution is corrected.
    TradeCorrect {
        /// The quantity it had.
        old_qty: Qty,
        /// The price it had.
        old_price: Price,
        /// The quantity it has now.
        qty: Qty,
        /// The price it has now.
        price: Price,
    },
    /// A cancel was refused.
    CancelRejected,
    /// A replace was refused.
    ReplaceRejected,
}

/// An execution report or cancel reject of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The venue's dense sequence number; at or below the high-water mark it is a duplicate.
    pub venue_seq: u64,
    /// The order, by the id we gave it.
    pub order: OrderId,
    /// The venue's id of the execution.
    pub exec_id: u64,
    /// Instrument and side as the venue gives them: they place an execution of an order we do not know.
    pub instrument: Option<(SymbolId, Side)>,
    /// What happened.
    pub kind: ReportKind,
}

/// One open order, as the venue's mass status shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassStatusEntry {
    /// The order, by the id we gave it.
    pub order: OrderId,
    /// Filled quantity.
    pub cum: Qty,
    /// Open quantity.
    pub leaves: Qty,
}

/// The end of the venue's mass status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassStatusEnd {
    /// Messages up to this sequence have been processed by the venue.
    pub last_client_seq_processed: u64,
    /// Whether the list was complete.
    pub complete: bool,
    /// Whether nothing sent on an earlier link can still arrive.
    pub fenced: bool,
}

/// An execution as the venue's drop copy tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropCopy {
    /// The drop copy's own dense sequence number.
    pub drop_seq: u64,
    /// The order, by the id we gave it.
    pub order: OrderId,
    /// Instrument; places an execution of an order we do not know.
    pub symbol: Option<SymbolId>,
    /// A trade, a bust or a correction.
    pub kind: ReportKind,
}

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// An account.
    Account,
    /// A router.
    Router,
    /// A strategy.
    Strategy,
    /// An instrument.
    Symbol,
    /// A currency other than the base currency.
    Currency,
    /// Words of the venue: given an id when they are first heard, the rest when they are configured.
    VenueText,
    /// A group of instruments.
    SecurityGroup,
}

/// Reference data of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Prices are multiples of this; positive.
    pub tick: Price,
    /// Quantities are multiples of this; positive.
    pub lot: Qty,
    /// Contract multiplier: money per price unit and quantity unit; positive.
    pub multiplier: i64,
    /// The currency of its prices; `None` for the base currency.
    pub currency: Option<CurrencyId>,
}

/// Bits of order flags that have a meaning. A bit in neither set is not registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlagRegistry {
    /// Bits with a meaning today.
    pub registered: u64,
    /// Bits that only had one.
    pub retired: u64,
}

/// What the core does about the builds of routers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetRules {
    /// Refuse the build of a router that a check has halted, while the incident is open.
    pub quarantine_culprit: bool,
    /// Halt a router that logs on with another build, configuration or flags than before on the same day.
    pub halt_on_change: bool,
}

impl Default for FleetRules {
    fn default() -> FleetRules {
        FleetRules { quarantine_culprit: true, halt_on_change: false }
    }
}

/// What a router said at logon, after it was compared with the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// The router.
    pub router: RouterId,
    /// What names its build: the hash of its binary, or else its own words; may be empty.
    pub build: String,
    /// Digest of everything that runs there; where it runs, and as which process, is not in it.
    pub runs: [u8; 32],
    /// Bits of the registry whose meaning the build knows.
    pub known_flags: u64,
    /// It differs from the manifest and is admitted on the limits of a canary.
    pub quarantined: bool,
}

/// A change that needs a second person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Trade until then, whatever the readiness gate says.
    OverrideReadiness {
        /// When it lapses.
        until: Nanos,
    },
    /// Clear the halt of a scope.
    Reinstate {
        /// The scope.
        scope: Scope,
        /// Its newest trip; an older one makes the proposal void.
        trip: u64,
    },
    /// Loosen a limit.
    Limit {
        /// Where.
        target: LimitTarget,
        /// Which.
        limit: LimitId,
        /// The new setting; `None` removes it.
        setting: Option<Setting>,
        /// Until when; `None` until the day rolls. Then what was there before is back.
        until: Option<Nanos>,
    },
    /// Let orders pass a soft limit.
    Override {
        /// The scope the limit is set at.
        scope: Scope,
        /// Which.
        limit: LimitId,
        /// The largest value that passes.
        up_to: i128,
        /// Only this order of this router.
        order: Option<(RouterId, ClOrdId)>,
        /// When it lapses.
        until: Nanos,
    },
    /// Take a router off the limits of canaries.
    Promote {
        /// The router.
        router: RouterId,
    },
    /// Let the build of a halted router log on again, while the router itself stays halted: the fault was not in it.
    CloseIncident {
        /// The trip that opened the incident.
        trip: u64,
    },
    /// Value a currency at this rate until the next one.
    FxRate {
        /// The currency.
        currency: CurrencyId,
        /// Its rate.
        rate: Rate,
    },
    /// Stop less of a symbol than its entry in the restricted list does.
    Restrict {
        /// The symbol.
        symbol: SymbolId,
        /// What its entry stops from now on; `None` takes it off the list.
        stops: Option<Stops>,
    },
}

/// When the firm opens, and what it must be ready in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadinessRules {
    /// Time of day, UTC.
    pub open: Nanos,
    /// How long the gate holds at the open before it latches.
    pub grace: Nanos,
    /// Every configured router must be there.
    pub all_routers: bool,
    /// Routers must run the same. Without: what they run has been compared with a manifest.
    pub compare_builds: bool,
    /// Instruments whose quotes must be fresh; empty = all.
    pub symbols: Vec<SymbolId>,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A configured name gets its id, the next one of its kind.
    Define {
        /// Kind.
        kind: NameKind,
        /// Name.
        name: String,
    },
    /// Reference data of an instrument.
    Instrument {
        /// The instrument.
        symbol: SymbolId,
        /// Its data.
        instrument: Instrument,
    },
    /// Whether orders of an account must name a parent. Accounts require one unless told otherwise.
    ParentRequired {
        /// The account.
        account: AccountId,
        /// Whether.
        required: bool,
    },
    /// The group an instrument belongs to (FIX 1151); of no meaning but to tell what a router trades from what its peers do.
    SecurityGroup {
        /// The instrument.
        symbol: SymbolId,
        /// Its group.
        group: SecurityGroupId,
    },
    /// What an instrument trades on an average day.
    AverageVolume {
        /// The instrument.
        symbol: SymbolId,
        /// The quantity; `None` if it is not known.
        qty: Option<Qty>,
    },
    /// The symbols that an account, a router or a strategy may trade.
    Permit {
        /// The scope.
        scope: Scope,
        /// The symbols; none = all that are defined.
        symbols: Vec<SymbolId>,
    },
    /// An entry of the restricted list from the configuration, or made to stop more by one person.
    Restrict {
        /// The symbol.
        symbol: SymbolId,
        /// What is stopped; `None` takes it off the list.
        stops: Option<Stops>,
        /// Who.
        principal: String,
        /// Why, in their words.
        text: String,
    },
    /// A limit from the configuration, or tightened by one person.
    SetLimit {
        /// Where.
        target: LimitTarget,
        /// Which.
        limit: LimitId,
        /// The new setting; `None` removes it.
        setting: Option<Setting>,
        /// Who.
        principal: String,
    },
    /// A position brought into the day, valued at `mark`.
    OpeningPosition {
        /// Account.
        account: AccountId,
        /// Instrument.
        symbol: SymbolId,
        /// Signed quantity.
        qty: Qty,
        /// The price it is valued at from the start of the day.
        mark: Price,
    },
    /// A new trading day, YYYYMMDD.
    DayRoll {
        /// Date.
        date: u32,
    },
    /// The touch of an instrument.
    Tick {
        /// Instrument.
        symbol: SymbolId,
        /// Best bid.
        bid: Price,
        /// Best offer.
        ask: Price,
    },
    /// What a currency is worth, from the market.
    FxRate {
        /// The currency.
        currency: CurrencyId,
        /// Its rate.
        rate: Rate,
    },
    /// Whether the venue publishes trading phases: an instrument whose phase is not known then takes no order.
    PhasesPublished {
        /// Whether.
        published: bool,
    },
    /// The rules an instrument is traded under.
    SymbolRules {
        /// Instrument.
        symbol: SymbolId,
        /// The rules; none holds before.
        rules: Rules,
    },
    /// Orders of accounts of one group must not meet (FIX SelfMatchPreventionID 2362).
    SelfMatchGroup {
        /// Account.
        account: AccountId,
        /// Its group; `None`: its orders may meet any other.
        group: Option<GroupId>,
    },
    /// The venue says a trading phase (FIX TradSesStatus 340, SecurityTradingStatus 326).
    Phase {
        /// Instrument; `None` for the whole market.
        symbol: Option<SymbolId>,
        /// The phase; `None` if it is not known any more.
        phase: Option<Phase>,
    },
    /// The price bands of an instrument (FIX LowLimitPrice 1148, HighLimitPrice 1149).
    Bands {
        /// Instrument.
        symbol: SymbolId,
        /// Lower and upper band; `None` if none are in force.
        bands: Option<(Price, Price)>,
    },
    /// The close of the trading day before (FIX PrevClosePx 140).
    PriorClose {
        /// Instrument.
        symbol: SymbolId,
        /// Price.
        price: Price,
    },
    /// What binds short sales of an instrument (FIX ShortSaleRestriction 1687).
    ShortSale {
        /// Instrument.
        symbol: SymbolId,
        /// The restriction.
        restriction: ShortSale,
    },
    /// The OMS registers a parent order.
    ParentOpen {
        /// Its id at the OMS.
        name: ClOrdId,
        /// Account.
        account: AccountId,
        /// Instrument.
        symbol: SymbolId,
        /// Side.
        side: Side,
        /// Quantity.
        qty: Qty,
    },
    /// The OMS changes a parent's quantity.
    ParentAmend {
        /// The parent.
        parent: ParentId,
        /// New total quantity.
        qty: Qty,
    },
    /// The OMS closes a parent: no further child.
    ParentClose {
        /// The parent.
        parent: ParentId,
    },
    /// A router's session is live.
    SessionUp {
        /// The router.
        router: RouterId,
    },
    /// A router's session is lost.
    SessionDown {
        /// The router.
        router: RouterId,
        /// Cancel its resting orders.
        cancel_orders: bool,
    },
    /// A new order.
    NewOrder(NewOrder),
    /// The verdict on an order that is not placed; uses a slot of the router's rate windows.
    CheckOrder(NewOrder),
    /// A replace.
    Replace(Replace),
    /// A cancel.
    Cancel(Cancel),
    /// A mass cancel.
    MassCancel(MassCancel),
    /// An order message that could not be understood; counts as an attempt.
    Malformed {
        /// The router.
        router: RouterId,
        /// Its sequence number.
        client_seq: u64,
    },
    /// Attempts of a router far over its cap, refused at the edge and counted together.
    AttemptsDropped {
        /// The router.
        router: RouterId,
        /// How many.
        count: u32,
        /// Sequence number of the last of them.
        last_client_seq: u64,
        /// Time of the first of them.
        first: Nanos,
    },
    /// The venue link is up; orders flow once reconciled (`MassStatusEnd`), or at once if none was ever sent.
    VenueUp,
    /// The venue link is lost: no new orders; everything sent and not final is counted in full.
    VenueDown,
    /// A report of the venue.
    Report(Report),
    /// An open order in the venue's mass status.
    MassStatusEntry(MassStatusEntry),
    /// The end of it.
    MassStatusEnd(MassStatusEnd),
    /// An accepted order provably did not leave this process.
    NotSent {
        /// The order.
        order: OrderId,
    },
    /// A person, or a native watchdog, halts a scope.
    Halt {
        /// The scope.
        scope: Scope,
        /// How severely; at least `ReduceOnly`.
        state: State,
        /// Who.
        principal: String,
        /// Why, in their words.
        text: String,
    },
    /// A person proposes to reinstate a scope, to loosen a limit or to let orders pass a soft one.
    Propose {
        /// What.
        change: Change,
        /// Who.
        principal: String,
        /// Why.
        text: String,
    },
    /// Another person approves it.
    Approve {
        /// The proposal.
        proposal: u64,
        /// Who; must differ from the proposer.
        principal: String,
    },
    /// The registry of flags.
    Flags(FlagRegistry),
    /// What the core does about the builds of routers.
    FleetRules(FleetRules),
    /// A router says what it runs; it may log on if this is applied.
    Attested(Attested),
    /// The configuration knows of something that one router may show alone: it is never a finding.
    Known {
        /// What.
        seen: Seen,
    },
    /// The readiness gate is configured.
    Readiness(ReadinessRules),
    /// A person has looked at a finding.
    AcknowledgeFinding {
        /// Which.
        finding: u64,
        /// Who.
        principal: String,
        /// What they found.
        text: String,
    },
    /// The venue's drop copy tells of an execution.
    DropCopy(DropCopy),
    /// The drop copy is there.
    DropCopyUp {
        /// The venue has forgotten where it was: its numbers start again, and copies are lost.
        restarted: bool,
    },
    /// The drop copy is away, or expected and not there yet.
    DropCopyDown,
    /// What the gateway measured of itself, when it has changed materially.
    SelfCheck(Figures),
    /// A router's session is lost without a logout: its orders are cancelled, after its grace period if it has one.
    SessionLost {
        /// The router.
        router: RouterId,
    },
    /// Time passes: sweeps go on, refused cancels are tried again, proposals expire, losses are looked at.
    Timer,
}
