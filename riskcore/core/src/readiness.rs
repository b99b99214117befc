//! A6: is the firm ready to trade? Asked at the open; what is red then keeps the firm from trading until it is mended or two
//! people say otherwise, for a time.
//!
//! Knight opened on 1 August 2012 with one server of eight on another build and 97 unread rejects from it. Both are red
//! here.
//!
//! The gate waits until the open: a time of day, or the first auction or continuous phase that the venue announces, whichever is
//! first. Green, it is open for the day. Red, it holds: new risk is refused (`NOT_READY`), what rests stays. If all turns
//! green within the grace, nothing has latched and it opens by itself. After the grace it latches the firm at `CANCEL_ONLY`;
//! from then on only two people open it, by reinstating the firm once all is green, or by an override with an expiry.
//! When an override lapses and something is red, the gate latches at once. Green needs no override: one that is in force when
//! the gate opens green is over.
//!
//! What turns red later in the day does not close it: that is what the checks and the halts are for. A gateway that starts
//! after the open holds from its start.

use alloc::vec::Vec;
use core::hash::Hasher;

use crate::checks::{id, readiness::NOT_READY};
use crate::detect::divergence::LOOK;
use crate::engine::Engine;
use crate::events::{Change, ReadinessRules};
use crate::fleet::Member;
use crate::halts::State as HaltState;
use crate::hash::FoldHasher;
use crate::ids::{RouterId, SymbolId};
use crate::orders::Order;
use crate::outcome::{Effect, Outcome, Reject, Unit};
use crate::permissions::MAX_LIST;
use crate::reasons::{BAD_VALUE, OTHER, Reason, UNKNOWN_SCOPE, reasons};
use crate::scopes::{Scope, ScopeIx};
use crate::security::Phase;
use crate::units::Nanos;

reasons! { REASONS:
    NO_READINESS_GATE = 982, OTHER, "There is no readiness gate to override; `[readiness]` configures one.";
    READINESS_OPEN = 983, OTHER, "The readiness gate is open: there is nothing to override.";
    READINESS_CHANGED = 984, OTHER,
        "More is red than when the override was proposed, and nothing but the gate looks at it; look, and propose anew.";
}

/// One day.
const DAY: i64 = 86_400_000_000_000;

/// An override lasts at most this long.
pub const LONGEST_OVERRIDE: Nanos = Nanos(DAY);

/// How old a quote may be where `market_data_max_age` is not set.
const MAX_AGE: Nanos = Nanos::from_secs(5);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Item {
    /// Every router is there and runs what it should.
    Parity,
    /// No loud finding is unacknowledged.
    Findings,
    /// Every required limit is set at every scope.
    Limits,
    /// The venue link is up and reconciled, and no order's fate is unknown.
    Reconciliation,
    /// The venue's drop copy is there and agrees with what was booked, where there is one.
    DropCopy,
    /// Somebody has halted something today, and every order of it was confirmed gone.
    KillPath,
    /// The quotes are fresh.
    MarketData,
}

impl Item {
    /// Every item.
    pub const ALL: [Item; 7] = [
        Item::Parity,
        Item::Findings,
        Item::Limits,
        Item::Reconciliation,
        Item::DropCopy,
        Item::KillPath,
        Item::MarketData,
    ];

    /// Its name on the wire and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Item::Parity => "parity",
            Item::Findings => "findings",
            Item::Limits => "limits",
            Item::Reconciliation => "reconciliation",
            Item::DropCopy => "drop_copy",
            Item::KillPath => "kill_path",
            Item::MarketData => "market_data",
        }
    }

    /// Whether nothing else than the gate stops orders for its sake.
    const fn is_the_gates_alone(self) -> bool {
        matches!(self, Item::Parity | Item::Findings | Item::KillPath)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The items that are red, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Red(u8);

impl Red {
    /// Whether an item is red.
    pub fn has(self, item: Item) -> bool {
        self.0 & item.bit() != 0
    }

    /// Whether nothing is.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether something that only the gate looks at is red here and was not there.
    fn exceeds(self, before: Red) -> bool {
        self.items().any(|item| item.is_the_gates_alone() && !before.has(item))
    }

    /// Those that are.
    pub fn items(self) -> impl Iterator<Item = Item> {
        Item::ALL.into_iter().filter(move |item| self.has(*item))
    }
}

/// Where the gate stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// The open is not there yet.
    #[default]
    Waiting,
    /// Something is red; nothing has latched.
    Holding {
        /// Since when.
        since: Nanos,
    },
    /// The firm is halted by this trip.
    Latched {
        /// Which.
        trip: u64,
    },
    /// Open for the day, unless an override lapses.
    Open,
}

impl Gate {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Gate::Waiting => "waiting",
            Gate::Holding { .. } => "holding",
            Gate::Latched { .. } => "latched",
            Gate::Open => "open",
        }
    }
}

/// The gate.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    rules: Option<ReadinessRules>,
    gate: Gate,
    /// The day, counted from 1970, whose open the gate has seen.
    day: Option<i64>,
    /// An override that two people gave.
    overridden_until: Option<Nanos>,
    /// What was red when it was last asked for the gate's sake.
    red: Red,
    looked_at: Option<Nanos>,
}

impl Readiness {
    /// The rules, if there is a gate.
    pub fn rules(&self) -> Option<&ReadinessRules> {
        self.rules.as_ref()
    }

    /// Where it stands.
    pub fn gate(&self) -> Gate {
        self.gate
    }

    /// Until when two people have overridden it.
    pub fn overridden_until(&self) -> Option<Nanos> {
        self.overridden_until
    }

    /// What was red when the gate last asked.
    pub fn red(&self) -> Red {
        self.red
    }

    /// Whether new risk is refused for the time being.
    #[inline]
    pub fn holds(&self) -> bool {
        matches!(self.gate, Gate::Holding { .. })
    }

    pub(crate) fn digest(&self, hasher: &mut FoldHasher) {
        let (gate, of) = match self.gate {
            Gate::Waiting => (0, 0),
            Gate::Holding { since } => (1, since.0 as u64),
            Gate::Latched { trip } => (2, trip),
            Gate::Open => (3, 0),
        };
        hasher.write_u8(gate);
        hasher.write_u64(of);
        hasher.write_u8(self.red.0);
        hasher.write_u64(self.day.unwrap_or(-1) as u64);
        hasher.write_u64(self.overridden_until.map_or(0, |until| until.0 as u64));
        hasher.write_u8(u8::from(self.rules.is_some()));
    }
}

impl Engine {
    /// The configuration asks for a gate.
    pub(crate) fn set_readiness(&mut self, rules: &ReadinessRules) -> Outcome {
        let known = |symbol: &SymbolId| symbol.index() < self.state.markets.len();
        if !(0..DAY).contains(&rules.open.0) || rules.grace.0 < 0 || rules.symbols.len() > MAX_LIST {
            return Outcome::Refused(Reject::plain(&BAD_VALUE));
        }
        if !rules.symbols.iter().all(known) {
            return Outcome::Refused(Reject::plain(&UNKNOWN_SCOPE));
        }
        self.state.readiness.rules = Some(rules.clone());
        Outcome::Applied
    }

    /// What is red now.
    pub fn assess(&self) -> Red {
        let red = |item: Item| if self.is_green(item) { 0 } else { item.bit() };
        Red(Item::ALL.into_iter().map(red).fold(0, |all, bit| all | bit))
    }

    fn is_green(&self, item: Item) -> bool {
        match item {
            Item::Parity => self.odd_routers().is_empty() && self.state.fleet.incidents().is_empty(),
            Item::Findings => !self.detect.findings.any_pressing(),
            Item::Limits => self.incomplete_scope().is_none(),
            Item::Reconciliation => self.is_reconciled(),
            Item::DropCopy => self.drop_copy_agrees(),
            Item::KillPath => self.kill_path_tested(),
            Item::MarketData => self.stale_symbols().next().is_none(),
        }
    }

    /// Routers that are missing, were let in though they differ from the manifest, or, without one, run something else than
    /// most of them. Nothing is odd in a fleet that has said nothing, except that somebody is missing.
    pub fn odd_routers(&self) -> Vec<RouterId> {
        let rules = self.state.readiness.rules.as_ref();
        let (all, compare) = rules.map_or((false, true), |rules| (rules.all_routers, rules.compare_builds));
        let fleet = &self.state.fleet;
        let ids = (0..self.state.names.routers.len() as u32).map(RouterId);
        let members: Vec<_> = ids.filter_map(|id| Some((id, fleet.member(id)?))).collect();
        let live = || members.iter().map(|(_, member)| member).filter(|member| member.is_live());
        // What most of them run; among equals, what the first of them runs.
        let like = |member: &Member| live().filter(|other| other.runs() == member.runs()).count();
        let most = live().filter(|member| member.runs().is_some()).map(|member| like(member)).max();
        let usual = live().find(|member| member.runs().is_some() && Some(like(member)) == most);
        let odd = members.iter().filter(|(_, member)| {
            let missing = all && !member.is_live();
            let differs = compare && usual.is_some_and(|usual| usual.runs() != member.runs());
            missing || member.is_live() && (differs || member.is_quarantined())
        });
        odd.map(|(id, _)| *id).collect()
    }

    /// A scope where a required limit is not set.
    pub fn incomplete_scope(&self) -> Option<Scope> {
        let limits = &self.state.limits;
        self.state.scopes.iter().find(|(ix, scope)| limits.missing(*ix, scope.kind()).is_some()).map(|(_, scope)| scope)
    }

    fn is_reconciled(&self) -> bool {
        let venue = &self.state.venue;
        venue.up && venue.reconciled && self.unknown_orders() == 0
    }

    /// A difference that is younger than the firm's bound is one on its way.
    fn drop_copy_agrees(&self) -> bool {
        let limit = self.state.limits.at(ScopeIx::FIRM).get(id::DROP_COPY_MAX_LAG);
        let longest = limit.and_then(|ns| i64::try_from(ns).ok()).map_or(Nanos(0), Nanos);
        self.checks.drop_copy.agrees(self.state.now, longest)
    }

    /// Open orders whose fate at the venue is not known.
    pub fn unknown_orders(&self) -> usize {
        let routers = (0..self.state.names.routers.len() as u32).map(RouterId);
        let unknown = |order: &&Order| order.unknown;
        routers.map(|router| self.state.orders.open_of(router).filter(unknown).count()).sum()
    }

    /// A person's halt of today, by any way in, that is confirmed clean. A drill on a scope that nobody trades is one.
    fn kill_path_tested(&self) -> bool {
        let today = self.state.now.0.div_euclid(DAY);
        let trips = self.state.halts.trips().iter().rev().take_while(|trip| trip.time.0.div_euclid(DAY) == today);
        trips.into_iter().any(|trip| trip.cause.is_none() && trip.principal != crate::stop::RISKGATE && trip.clean)
    }

    /// Symbols of the gate without a fresh quote.
    pub fn stale_symbols(&self) -> impl Iterator<Item = SymbolId> + '_ {
        let chosen = self.state.readiness.rules.as_ref().map_or(&[][..], |rules| &rules.symbols);
        let all = (0..self.state.markets.len() as u32).map(SymbolId);
        all.filter(move |symbol| chosen.is_empty() || chosen.contains(symbol)).filter(|symbol| {
            let ix = self.state.scopes.find(Scope::Symbol(*symbol)).unwrap_or(ScopeIx::FIRM);
            let limit = self.state.limits.at(ix).get(id::MARKET_DATA_MAX_AGE);
            let max = limit.and_then(|ns| i64::try_from(ns).ok()).map_or(MAX_AGE, Nanos);
            self.state.markets[symbol.index()].age(self.state.now).is_none_or(|age| age > max)
        })
    }

    // ---- The gate ----

    /// Time passes for the gate.
    pub(crate) fn turn_gate(&mut self) {
        let Some(rules) = &self.state.readiness.rules else { return };
        let (now, open, grace) = (self.state.now, rules.open, rules.grace);
        let (day, time_of_day) = (now.0.div_euclid(DAY), now.0.rem_euclid(DAY));
        match self.state.readiness.gate {
            Gate::Waiting if time_of_day >= open.0 && self.state.readiness.day != Some(day) => self.reach_open(day),
            Gate::Waiting => {}
            Gate::Open => {
                if self.state.readiness.overridden_until.is_some_and(|until| now >= until) {
                    self.lapse();
                }
                if self.state.readiness.day.is_some_and(|seen| seen < day) {
                    self.set_gate(Gate::Waiting);
                }
            }
            Gate::Holding { .. } | Gate::Latched { .. } => {
                let due = self.state.readiness.looked_at.is_none_or(|at| now.since(at) >= LOOK);
                if due {
                    self.look_again(grace);
                }
            }
        }
    }

    /// The venue announces a phase in which orders trade: the open is there, whatever the clock says.
    pub(crate) fn phase_opens(&mut self, phase: Option<Phase>) {
        let day = self.state.now.0.div_euclid(DAY);
        let readiness = &self.state.readiness;
        let opens = matches!(phase, Some(Phase::Auction | Phase::Continuous));
        if opens && readiness.rules.is_some() && readiness.gate == Gate::Waiting && readiness.day != Some(day) {
            self.reach_open(day);
        }
    }

    fn reach_open(&mut self, day: i64) {
        self.state.readiness.day = Some(day);
        let since = self.state.now;
        let red = self.look();
        if red.is_empty() || self.is_overridden() {
            self.open_gate(red);
        } else {
            self.set_gate(Gate::Holding { since });
        }
    }

    /// Green, it is open for the day, and there is nothing left to override.
    fn open_gate(&mut self, red: Red) {
        if red.is_empty() {
            self.state.readiness.overridden_until = None;
        }
        self.set_gate(Gate::Open);
    }

    fn is_overridden(&self) -> bool {
        self.state.readiness.overridden_until.is_some_and(|until| self.state.now < until)
    }

    fn look(&mut self) -> Red {
        let red = self.assess();
        (self.state.readiness.red, self.state.readiness.looked_at) = (red, Some(self.state.now));
        red
    }

    fn look_again(&mut self, grace: Nanos) {
        let red = self.look();
        let stopped = self.state.halts.state(ScopeIx::FIRM) >= HaltState::CancelOnly;
        match self.state.readiness.gate {
            Gate::Holding { .. } if red.is_empty() || self.is_overridden() => self.open_gate(red),
            // A firm that people have halted is not halted again; the gate waits behind them.
            Gate::Holding { since } if self.state.now.since(since) >= grace && !stopped => self.latch_gate(red),
            // People have reinstated the firm. What is red still latches it anew.
            Gate::Latched { .. } if !stopped && (red.is_empty() || self.is_overridden()) => self.open_gate(red),
            Gate::Latched { .. } if !stopped => self.latch_gate(red),
            _ => {}
        }
    }

    fn latch_gate(&mut self, red: Red) {
        let value = red.items().count() as i128;
        let cause = Reject { reason: &NOT_READY, scope: Some(Scope::Firm), limit: 0, value, unit: Unit::Count };
        self.trip(Scope::Firm, HaltState::CancelOnly, cause, None);
        if let Some(trip) = self.state.halts.trips_mut().last_mut() {
            let names: Vec<&str> = red.items().map(Item::name).collect();
            trip.text = names.join(", ");
        }
        let trip = self.state.halts.latch(ScopeIx::FIRM).newest;
        self.set_gate(Gate::Latched { trip });
    }

    /// An override is over.
    fn lapse(&mut self) {
        self.state.readiness.overridden_until = None;
        let red = self.look();
        if red.is_empty() {
            self.effects.push(Effect::Gate);
        } else if self.state.halts.state(ScopeIx::FIRM) >= HaltState::CancelOnly {
            self.set_gate(Gate::Holding { since: self.state.now });
        } else {
            self.latch_gate(red);
        }
    }

    fn set_gate(&mut self, gate: Gate) {
        if core::mem::replace(&mut self.state.readiness.gate, gate) != gate {
            self.effects.push(Effect::Gate);
        }
    }

    /// Whether an override until then can be asked for.
    pub(crate) fn may_override(&self, until: Nanos) -> Result<(), Reason> {
        if self.state.readiness.rules.is_none() {
            return Err(&NO_READINESS_GATE);
        }
        // An override of an open gate would only close it, when it lapses.
        if self.state.readiness.gate == Gate::Open && !self.is_overridden() {
            return Err(&READINESS_OPEN);
        }
        let span = until.since(self.state.now);
        if span.0 > 0 && span <= LONGEST_OVERRIDE { Ok(()) } else { Err(&BAD_VALUE) }
    }

    /// What a proposal to override was made in view of, and is good for.
    pub(crate) fn red_in(&self, change: &Change) -> Red {
        if matches!(change, Change::OverrideReadiness { .. }) { self.assess() } else { Red::default() }
    }

    /// Two people let the firm trade until then, although all this is red. What has turned red since the first of them
    /// looked, and has no check of its own, they have not overridden.
    pub(crate) fn override_readiness(&mut self, until: Nanos, seen: Red) -> Result<(), Reason> {
        self.may_override(until)?;
        if self.assess().exceeds(seen) {
            return Err(&READINESS_CHANGED);
        }
        self.state.readiness.overridden_until = Some(until);
        match self.state.readiness.gate {
            Gate::Holding { .. } => self.set_gate(Gate::Open),
            // Only the gate's own halt is lifted; one that came on top of it needs its own two people.
            Gate::Latched { trip } if self.state.halts.latch(ScopeIx::FIRM).newest == trip => {
                self.reinstate(ScopeIx::FIRM, Scope::Firm);
                self.set_gate(Gate::Open);
            }
            Gate::Latched { .. } | Gate::Waiting | Gate::Open => self.effects.push(Effect::Gate),
        }
        Ok(())
    }
}
