//! The engine: one event in, one outcome out, and the effects to carry out.

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

use crate::ahead::Recent;
use crate::checks::{Checks, Measure};
use crate::detect::Detect;
use crate::events::Event;
use crate::hash::{FoldHasher, Seeded};
use crate::headroom::is_counted;
use crate::ids::{ClOrdId, OrderId, ParentId, Ref, RouterId};
use crate::ladder::Ladder;
use crate::orders::Order;
use crate::outcome::{Effect, Outcome, Reject};
use crate::overrides::Overrides;
use crate::people::Proposal;
use crate::reasons::{BAD_REFERENCE_DATA, MALFORMED};
use crate::scopes::{Scope, ScopeIx};
use crate::state::State;
use crate::stop::Sweep;
use crate::temporary::Temporary;
use crate::trial::Trials;
use crate::units::{Nanos, Rate};
use crate::watchlist::Causes;

/// What an engine is built with. Part of the journal's header: the same configuration and records give the same state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Epoch of this gateway: the upper part of every OrderID.
    pub epoch: u32,
    /// Trading day, YYYYMMDD.
    pub trading_day: u32,
    /// Seed of the hash tables.
    pub seed: u64,
    /// Orders a day.
    pub max_orders: usize,
    /// Pairs of account or router and symbol.
    pub max_pairs: usize,
    /// Parents a day.
    pub max_parents: usize,
    /// The venue nets fills against a replace in flight.
    pub in_flight_mitigation: bool,
}

impl Default for EngineConfig {
    fn default() -> EngineConfig {
        EngineConfig {
            epoch: 1,
            trading_day: 19_700_101,
            seed: 0,
            max_orders: 1 << 20,
            max_pairs: 1 << 16,
            max_parents: 1 << 16,
            in_flight_mitigation: false,
        }
    }
}

/// The risk core.
pub struct Engine {
    pub(crate) state: State,
    pub(crate) checks: Checks,
    pub(crate) effects: Vec<Effect>,
    pub(crate) sweeps: Vec<Sweep>,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) last_proposal: u64,
    pub(crate) detect: Detect,
    pub(crate) overrides: Overrides,
    pub(crate) temporary: Vec<Temporary>,
    pub(crate) trials: Trials,
    pub(crate) ladder: Ladder,
    /// Room to collect the scopes that time has changed.
    pub(crate) watched: Vec<ScopeIx>,
    /// Room to collect the bounds that an event broke.
    pub(crate) breaches: Vec<Measure>,
    /// Routes whose orders need no reading ahead.
    pub(crate) recent: Recent,
    /// The order whose report is being applied: the offender of a halt that follows from it.
    pub(crate) reported: Option<OrderId>,
    /// When positions were last valued without a tick.
    valued_at: Nanos,
}

/// How often positions are valued without a tick, because the slow reference moves even so.
const VALUATION_INTERVAL: Nanos = Nanos::from_secs(1);

impl Engine {
    /// An engine without names, limits or orders: it refuses everything.
    pub fn new(config: &EngineConfig) -> Engine {
        let state = State::new(config);
        let mut checks = Checks::default();
        checks.limits_changed(ScopeIx::FIRM, state.limits.at(ScopeIx::FIRM));
        Engine {
            state,
            checks,
            effects: Vec::with_capacity(256),
            sweeps: Vec::new(),
            proposals: Vec::new(),
            last_proposal: 0,
            detect: Detect::new(),
            overrides: Overrides::default(),
            temporary: Vec::new(),
            trials: Trials::new(Seeded(config.seed)),
            ladder: Ladder::new(Seeded(config.seed)),
            watched: Vec::with_capacity(64),
            breaches: Vec::with_capacity(64),
            recent: Recent::NONE,
            reported: None,
            valued_at: Nanos(i64::MIN),
        }
    }

    /// Maps the memory of a day's orders now, for `max_orders` of them some hundreds of MiB, instead of under the first
    /// orders. Changes nothing else; without effect once there are orders.
    pub fn touch_pages(&mut self) {
        self.state.orders.touch_pages();
    }

    /// Applies one event at its time. Time never decreases: an earlier one is taken as now.
    pub fn apply(&mut self, time: Nanos, event: &Event) -> Outcome {
        self.state.now = self.state.now.max(time);
        let halts = self.state.halts.trips().len();
        // There are more new orders than all other events, and none of the rest is for them.
        if let Event::NewOrder(order) = event {
            let outcome = self.new_order(order);
            self.watch();
            self.detect.order(order, &outcome, self.state.now);
            self.look_at_halts(halts);
            return outcome;
        }
        let outcome = self.dispatch(event);
        self.watch();
        self.detect.see(event, &outcome, &self.state, &mut self.effects);
        self.look_at_halts(halts);
        outcome
    }

    /// What follows from halts, of which there were so many before the event.
    #[inline(always)]
    fn look_at_halts(&mut self, before: usize) {
        if self.state.halts.trips().len() > before {
            self.detect.keep_evidence(before, &self.checks, &self.state);
        }
        if !self.sweeps.is_empty() {
            self.notice_clean_halts();
        }
    }

    fn dispatch(&mut self, event: &Event) -> Outcome {
        if !is_counted(event) {
            self.state.upset();
        }
        match event {
            Event::NewOrder(order) => self.new_order(order),
            Event::Report(report) => self.report(report),
            Event::Tick { symbol, bid, ask } => {
                self.tick(*symbol, *bid, *ask);
                Outcome::Applied
            }
            Event::Cancel(cancel) => self.cancel(cancel),
            Event::Replace(replace) => self.replace(replace),
            Event::MassCancel(request) => self.mass_cancel(request),
            Event::CheckOrder(order) => self.check_order(order),
            Event::Timer => self.timer(),
            Event::Malformed { router, .. } => {
                self.attempts(*router, 1);
                Outcome::Rejected(Reject::plain(&MALFORMED))
            }
            Event::AttemptsDropped { router, count, .. } => {
                self.attempts(*router, *count);
                Outcome::Applied
            }
            Event::ParentOpen { name, account, symbol, side, qty } => {
                self.open_parent(*name, *account, *symbol, *side, *qty)
            }
            Event::ParentAmend { parent, qty } => self.amend_parent(*parent, *qty),
            Event::ParentClose { parent } => self.close_parent(*parent),
            Event::SessionUp { router } => self.session_up(*router),
            Event::SessionDown { router, cancel_orders } => self.session_down(*router, *cancel_orders),
            Event::VenueUp => self.venue_up(),
            Event::VenueDown => self.venue_down(),
            Event::MassStatusEntry(entry) => self.mass_status_entry(entry),
            Event::MassStatusEnd(end) => self.mass_status_end(end),
            Event::NotSent { order } => self.not_sent(*order),
            Event::Halt { scope, state, principal, text } => self.halt(*scope, *state, principal, text),
            Event::Propose { change, principal, text } => self.propose(*change, principal, text),
            Event::Approve { proposal, principal } => self.approve(*proposal, principal),
            Event::SetLimit { target, limit, setting, .. } => self.set_limit(*target, *limit, *setting),
            Event::Define { kind, name } => {
                let before = self.state.scopes.len();
                if !self.state.define(*kind, name) {
                    return Outcome::Refused(Reject::plain(&BAD_REFERENCE_DATA));
                }
                if self.state.scopes.len() > before {
                    let ix = ScopeIx(before as u32);
                    self.checks.limits_changed(ix, self.state.limits.at(ix));
                }
                Outcome::Applied
            }
            Event::Instrument { symbol, instrument } => self.set_instrument(*symbol, *instrument),
            Event::SecurityGroup { symbol, group } => {
                let names = &self.state.names;
                if symbol.index() < names.symbols.len() && group.index() < names.security_groups.len() {
                    Outcome::Applied
                } else {
                    Outcome::Refused(Reject::plain(&BAD_REFERENCE_DATA))
                }
            }
            Event::FxRate { currency, rate } => self.fx_rate(*currency, *rate),
            Event::AverageVolume { symbol, qty } => self.average_volume(*symbol, *qty),
            Event::Permit { scope, symbols } => self.permit(*scope, symbols),
            Event::Restrict { symbol, stops, principal, text } => self.restrict(*symbol, *stops, principal, text),
            Event::ParentRequired { account, required } => self.parent_required(*account, *required),
            Event::OpeningPosition { account, symbol, qty, mark } => {
                self.opening_position(*account, *symbol, *qty, *mark)
            }
            Event::DayRoll { date } => self.day_roll(*date),
            Event::PhasesPublished { published } => self.phases_published(*published),
            Event::SymbolRules { symbol, rules } => self.symbol_rules(*symbol, *rules),
            Event::SelfMatchGroup { account, group } => self.self_match_group(*account, *group),
            Event::Phase { symbol, phase } => {
                self.phase_opens(*phase);
                self.set_phase(*symbol, *phase)
            }
            Event::Bands { symbol, bands } => self.set_bands(*symbol, *bands),
            Event::PriorClose { symbol, price } => self.set_prior_close(*symbol, *price),
            Event::ShortSale { symbol, restriction } => self.restrict_short_sales(*symbol, *restriction),
            Event::Flags(flags) => self.set_flags(*flags),
            Event::FleetRules(rules) => self.set_fleet_rules(*rules),
            Event::Attested(attested) => self.attested(attested),
            Event::Known { .. } => Outcome::Applied,
            Event::Readiness(rules) => self.set_readiness(rules),
            Event::AcknowledgeFinding { finding, principal, text } => self.acknowledge(*finding, principal, text),
            Event::DropCopy(copy) => self.drop_copy(copy),
            Event::DropCopyUp { restarted } => self.drop_copy_up(*restarted),
            Event::DropCopyDown => self.drop_copy_down(),
            Event::SelfCheck(figures) => self.self_check(*figures),
            Event::SessionLost { router } => self.session_lost(*router),
        }
    }

    fn attempts(&mut self, router: RouterId, count: u32) {
        let ix = self.state.scopes.router(router);
        if let Some(ix) = ix {
            self.checks.observe(ix, count, &self.state);
        }
        self.turned_away(ix, count);
    }

    fn tick(&mut self, symbol: crate::ids::SymbolId, bid: crate::units::Price, ask: crate::units::Price) {
        let now = self.state.now;
        let Some(market) = self.state.markets.get_mut(symbol.index()) else { return };
        let before = market.marks();
        if market.tick(now, bid, ask) {
            let moved = market.marks() != before;
            self.state.securities[symbol.index()].quoted(bid);
            if moved {
                self.state.revalue_symbol(symbol);
            }
        } else {
            self.state.counters.bad_ticks += 1;
        }
    }

    fn timer(&mut self) -> Outcome {
        self.sweep_timer();
        self.expire_proposals();
        self.turn_gate();
        self.end_grace_periods();
        let now = self.state.now;
        self.overrides.expire(now);
        self.end_temporary(|until| until.is_some_and(|until| until <= now));
        self.checks.turn(&self.state, &mut self.watched);
        for ix in self.watched.drain(..) {
            self.state.watchlist.push(ix, Causes::WAITED);
        }
        self.tell_mismatches();
        self.warn();
        if now.since(self.valued_at) >= VALUATION_INTERVAL {
            self.valued_at = now;
            for n in 0..self.state.markets.len() {
                self.state.markets[n].advance(now);
                self.state.revalue_symbol(crate::ids::SymbolId(n as u32));
            }
        }
        Outcome::Applied
    }

    // ---- Reading ----

    /// Moves the effects since the last call into `into`, in order.
    pub fn take_effects(&mut self, into: &mut Vec<Effect>) {
        into.append(&mut self.effects);
    }

    /// Everything there is to read.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The checks, to read what their limits have used.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// Findings, and the evidence of halts.
    pub fn detect(&self) -> &Detect {
        &self.detect
    }

    /// An order.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.state.orders.get(id)
    }

    /// The order a router knows by this id.
    pub fn find_order(&self, router: RouterId, cl_ord_id: ClOrdId) -> Option<&Order> {
        self.state.orders.find(router, cl_ord_id).and_then(|id| self.state.orders.get(id))
    }

    /// The parent a message names.
    pub fn parent(&self, name: &[u8]) -> Ref<ParentId> {
        if name.is_empty() {
            return Ref::Absent;
        }
        ClOrdId::new(name).and_then(|name| self.state.parents.find(name)).map_or(Ref::Unknown, Ref::Known)
    }

    /// Whether a router is halted, or far enough over its rate that its attempts may be counted together
    /// (`AttemptsDropped`) instead of one by one.
    pub fn may_drop(&self, router: RouterId) -> bool {
        self.state.scopes.router(router).is_some_and(|ix| {
            self.state.halts.state(ix) >= crate::halts::State::CancelOnly || self.checks.message_rate.router_is_over(ix)
        })
    }

    /// The most severe state that covers a scope's orders: its own and the firm's.
    pub fn effective_state(&self, scope: Scope) -> crate::halts::State {
        let own = self.state.scopes.find(scope).map_or(crate::halts::State::Active, |ix| self.state.halts.state(ix));
        own.max(self.state.halts.state(ScopeIx::FIRM))
    }

    /// Cancels that a halted scope still waits for.
    pub fn outstanding(&self, scope: Scope) -> u32 {
        self.state.scopes.find(scope).map_or(0, |ix| self.state.books[ix.at()].open_orders)
    }

    /// A digest of everything that can influence a decision. Equal after the same records, anywhere.
    pub fn state_hash(&self) -> u64 {
        let mut hasher = Seeded(0).build_hasher();
        let state = &self.state;
        hasher.write_u64(state.now.0 as u64);
        hasher.write_u32(state.day);
        for ((ix, _), book) in state.scopes.iter().zip(&state.books) {
            hasher.write_u8(state.halts.state(ix) as u8);
            hasher.write_u64(state.halts.latch(ix).newest);
            for word in [
                i128::from(book.position),
                i128::from(book.open_buy),
                i128::from(book.open_sell),
                i128::from(book.open_short),
                book.open_notional,
                book.executed_notional,
                book.cash,
                book.pnl,
                book.gross,
                i128::from(book.open_orders),
            ] {
                hash_i128(&mut hasher, word);
            }
            let limits = state.limits.at(ix);
            for limit in crate::limits::each(limits.blocking() | limits.on_trial()) {
                hasher.write_u16(limit.def().code);
                hash_i128(&mut hasher, limits.value(limit));
                hasher.write_u8(limits.action(limit) as u8);
            }
        }
        for order in state.orders.iter() {
            hasher.write_u64(order.id.0);
            hasher.write_u8(order.status as u8);
            hasher.write_u64(order.cum.0 as u64);
            hasher.write_u64(order.reserved.0 as u64);
            hasher.write_u64(order.px_risk.0 as u64);
            if order.fx_risk != Rate::ONE {
                hasher.write_u64(order.fx_risk.0 as u64);
            }
            hasher.write_u8(u8::from(order.unknown) | u8::from(order.executed) << 1);
        }
        for parent in state.parents.iter() {
            hasher.write(parent.name.as_bytes());
            hasher.write_u64(parent.qty.0 as u64);
            hasher.write_u64(parent.cum.0 as u64);
            hasher.write_u64(parent.leaves.0 as u64);
            hasher.write_u32(parent.children);
        }
        for market in &state.markets {
            market.hash_words().into_iter().for_each(|word| hasher.write_u64(word as u64));
        }
        state.currencies.digest(&mut hasher);
        for group in state.resting.groups() {
            hasher.write_u64(group.map_or(u64::MAX, u64::from));
        }
        hasher.write_u8(u8::from(state.session.published) | u8::from(state.session.halted) << 1);
        for security in &state.securities {
            security.hash_words().into_iter().for_each(|word| hasher.write_u64(word as u64));
        }
        state.fleet.digest(&mut hasher);
        for volume in &state.average_volumes {
            hasher.write_u64(volume.map_or(0, |volume| volume.0 as u64));
        }
        state.permissions.digest(&mut hasher);
        state.readiness.digest(&mut hasher);
        for granted in self.overrides.iter() {
            hasher.write_u32(granted.ix.0);
            hasher.write_u16(granted.limit.def().code);
            hash_i128(&mut hasher, granted.up_to);
            hasher.write_u64(granted.until.0 as u64);
        }
        for temporary in &self.temporary {
            hasher.write_u16(temporary.limit.def().code);
            hasher.write_u64(temporary.until.map_or(0, |until| until.0 as u64));
        }
        state.suspense.digest(&mut hasher);
        for book in state.unattributed.iter() {
            hasher.write_u64(book.position as u64);
            hash_i128(&mut hasher, book.cash);
            hash_i128(&mut hasher, book.pnl);
        }
        self.checks.digest(&mut hasher);
        self.detect.digest(&mut hasher);
        hasher.finish()
    }
}

fn hash_i128(hasher: &mut FoldHasher, n: i128) {
    hasher.write_u64(n as u64);
    hasher.write_u64((n >> 64) as u64);
}
