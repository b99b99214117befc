//! THE REGISTRY. One line per check; its place is its precedence: the first check that refuses is the answer.
//!
//! Before the checks come the duplicate (answered with the order's status) and the latch (`halted`); see `place.rs`.
//! A check speaks in up to four phases:
//!
//! - `observe` and `attempted`: every attempt of a router, refused ones too - only windows of that router;
//! - `check`: read-only, on a resolved order;
//! - `reserve`: the order passed every check;
//! - `settle`: exposure is given back (`released`), the venue answers (`answered`, `executed`), time passes (`turn`), or
//!   something happened at a scope (`happened`, `watch`).
//!
//! What a breach does - refuse, halt, tell, count - is the setting's action (`limits.rs`) and none of a check's business.
//!
//! To add one: CONTRIBUTING.md, "Add a check".

use alloc::vec::Vec;

use crate::books::Book;
use crate::candidate::Candidate;
use crate::events::NewOrder;
use crate::halts::State as HaltState;
use crate::hash::FoldHasher;
use crate::headroom::Lane;
use crate::ids::RouterId;
use crate::limits::{Judges, LimitDef, LimitId, ScopeLimits};
use crate::orders::{Order, Touched};
use crate::outcome::Reject;
use crate::parents::Parent;
use crate::reasons::Reason;
use crate::scopes::{Scope, ScopeIx};
use crate::state::State;
use crate::units::{Nanos, Price};
use crate::watchlist::Causes;

/// A refusal, and the halt that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Why.
    pub reject: Reject,
    /// Halt this scope, this severely.
    pub halt: Option<(Scope, HaltState)>,
    /// The bound that refused, where one did: an override names it.
    pub by: Option<(ScopeIx, LimitId)>,
    /// What was measured against that bound, in the limit's own unit.
    pub measured: i128,
    /// The place of its check in the registry.
    pub place: u8,
}

impl Breach {
    /// A refusal alone.
    pub fn reject(reject: Reject) -> Breach {
        Breach { reject, halt: None, by: None, measured: 0, place: 0 }
    }
}

/// A look at a scope after an event, with what most checks ask of it.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The scope.
    pub ix: ScopeIx,
    /// Its limits.
    pub limits: &'a ScopeLimits,
    /// What it holds.
    pub book: &'a Book,
    /// Everything else.
    pub state: &'a State,
}

/// What a check says of an order.
pub type Verdict = Result<(), Breach>;

/// An order held against one bound of one scope.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Whose bound.
    pub ix: ScopeIx,
    /// Which.
    pub limit: LimitId,
    /// The largest value that passes.
    pub bound: i128,
    /// The value the order would reach.
    pub value: i128,
    /// The reason, if it is more.
    pub reason: Reason,
}

impl Measure {
    /// Whether the order is beyond the bound.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.value > self.bound
    }

    /// The refusal in numbers.
    pub fn reject(&self, state: &State) -> Reject {
        let (scope, unit) = (state.scopes.at(self.ix), self.limit.def().unit);
        Reject { reason: self.reason, scope: Some(scope), limit: self.bound, value: self.value, unit }
    }

    /// The refusal of an order, and the halt that the limit's action adds to it. A limit that judges events halts where it
    /// is broken (`Check::watch`); an order that meets it is only refused.
    pub fn breach(&self, state: &State) -> Breach {
        let action = state.limits.at(self.ix).action(self.limit);
        let halts = if self.limit.def().judges == Judges::Orders { action.halts() } else { None };
        let halt = halts.map(|severity| (state.scopes.at(self.ix), severity));
        Breach { reject: self.reject(state), halt, by: Some((self.ix, self.limit)), measured: self.value, place: 0 }
    }
}

/// An execution of one of our orders, or its reversal.
#[derive(Clone, Copy, Debug)]
pub struct Fill<'a> {
    /// The order, the execution already booked in it.
    pub order: &'a Order,
    /// The order had never been executed before.
    pub is_first: bool,
    /// Quantity; negative if a trade is taken back.
    pub qty: i64,
    /// Price.
    pub price: Price,
    /// Notional in base currency; negative if a trade is taken back.
    pub notional: i128,
}

/// What the venue made of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took it.
    New,
    /// It refused it.
    Rejected,
    /// The order is final: filled, cancelled, expired, released.
    Ended,
}

/// Open exposure that an order gives back.
#[derive(Clone, Copy, Debug)]
pub struct Released<'a> {
    /// The scopes it counted in.
    pub touched: &'a crate::orders::Touched,
    /// When the order was accepted.
    pub accepted_at: Nanos,
    /// The notional given back; negative if more was executed than had been reserved.
    pub notional: i128,
}

/// One check. It keeps its own state, per scope where it needs to, and never touches another's.
pub trait Check: Default {
    /// Its reasons.
    const REASONS: &'static [Reason];

    /// The limits in force at a scope changed, or the scope is new.
    fn limits_changed(&mut self, _ix: ScopeIx, _limits: &ScopeLimits) {}

    /// An attempt of a router, whatever becomes of it.
    fn observe(&mut self, _router: ScopeIx, _count: u32, _state: &State) {}

    /// The order of the attempt that was just observed, before anything is asked of it; none if it is a dry run. Resends
    /// of an accepted order are no attempts.
    fn attempted(&mut self, _router: ScopeIx, _order: Option<&NewOrder>, _state: &State) {}

    /// A word of each cache line of its tables that an order will need (`ahead.rs`).
    #[inline(always)]
    fn ahead(&self, _order: &NewOrder, _touched: &Touched) -> u64 {
        0
    }

    /// Shows every bound the order is held against, in order of precedence, until told to stop (`false`). Both the verdict
    /// and its explanation come from here.
    fn measure(&self, _candidate: &Candidate, _state: &State, _see: &mut impl FnMut(Measure) -> bool) {}

    /// May the order pass? Must not change anything and cannot: it gets only shared references.
    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        self.check_each(candidate, state)
    }

    /// The verdict of the first bound that the order is over.
    #[inline(always)]
    fn check_each(&self, candidate: &Candidate, state: &State) -> Verdict {
        let mut over = false;
        self.measure(candidate, state, &mut |measure| {
            over = measure.is_over();
            !over
        });
        if over { Err(self.first_over(candidate, state)) } else { Ok(()) }
    }

    /// The refusal by the first bound that the order is over. Measured again rather than carried along: nearly every order
    /// is within all of them, and pays for the numbers of none.
    #[cold]
    fn first_over(&self, candidate: &Candidate, state: &State) -> Breach {
        let mut first = Breach::reject(Reject::plain(&crate::reasons::ARITHMETIC_OVERFLOW));
        self.measure(candidate, state, &mut |measure| {
            let over = measure.is_over();
            if over {
                first = measure.breach(state);
            }
            !over
        });
        first
    }

    /// What the sum that a limit bounds grows by; `None` if the limit bounds something else (`headroom.rs`).
    fn grows(_limit: LimitId) -> Option<Lane> {
        None
    }

    /// How much more of that passes once the order that was measured so has passed.
    fn room(&self, measure: &Measure, _state: &State) -> i128 {
        measure.bound.saturating_sub(measure.value)
    }

    /// Whether an order must be held against this check even while everything that grows has headroom. Only a check may say
    /// no that bounds nothing but what `grows`, or looks at each scope of an order by itself and at nothing that changes
    /// without an upset (`State::upset`): at each, another order has passed it since. They need not have been of one route.
    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        true
    }

    /// This check refused the order (not called for a dry run).
    fn refused(&mut self, _candidate: &Candidate, _reject: &Reject) {}

    /// The order passed every check and is about to be sent.
    fn reserve(&mut self, _candidate: &Candidate, _state: &State) {}

    /// An order gave back exposure without having executed it.
    fn released(&mut self, _released: &Released<'_>, _state: &State) {}

    /// An attempt of a router was refused, by whatever: a latch, a check, an unknown name.
    fn turned_away(&mut self, _router: ScopeIx, _count: u32, _state: &State) {}

    /// An order was executed, or an execution taken back. Returns the places, as bits, of the scopes where one of the bounds
    /// may be broken now: those are watched afterwards (`Causes::EXECUTED`).
    fn executed(&mut self, _fill: &Fill<'_>, _state: &State) -> u8 {
        0
    }

    /// The venue answered for an order, or it ended; `first` if nothing was known of it before. Returns the places of the
    /// scopes that may have waited too long for something else: those are watched afterwards (`Causes::WAITED`).
    fn answered(&mut self, _order: &Order, _answer: Answer, _first: bool, _state: &State) -> u8 {
        0
    }

    /// Time passed: the scopes that must be watched because of it go into `watch`.
    fn turn(&mut self, _state: &State, _watch: &mut Vec<ScopeIx>) {}

    /// What can break a bound of this check beside a change of limits.
    const WATCHES: Causes = Causes::NONE;

    /// One of `WATCHES` has happened at a scope. Takes note of it, and returns whether a bound may be broken there: `watch`
    /// is asked next, of all checks, if one of them says so.
    fn happened(&mut self, _look: &Look<'_>) -> bool {
        true
    }

    /// One of `WATCHES` has happened at a scope. Shows each bound that is broken there.
    fn watch(&self, _look: &Look<'_>, _see: &mut impl FnMut(Measure)) {}

    /// The OMS registered a parent, or changed its quantity by so much.
    fn registered(&mut self, _parent: &Parent, _change: i64) {}

    /// An order was just accepted; no id is later than its own.
    #[inline(always)]
    fn placed(&mut self, order: &Order, state: &State) {
        self.asked(order, order.asked.0, state);
    }

    /// What an order asks for changed: by all of its quantity when it is accepted, by what a replace adds, by minus what the
    /// venue has said will not be filled of it (`Order::asked`).
    fn asked(&mut self, _order: &Order, _change: i64, _state: &State) {}

    /// What a limit of this check has used at a scope, for people.
    fn used(&self, _limit: LimitId, _ix: ScopeIx, _state: &State) -> Option<i128> {
        None
    }

    /// A person reinstated a scope: counters that tripped it start again.
    fn reinstated(&mut self, _ix: ScopeIx, _router: Option<RouterId>) {}

    /// A new trading day.
    fn day_roll(&mut self) {}

    /// Feeds the check's state to the state hash.
    fn digest(&self, _hasher: &mut FoldHasher) {}
}

macro_rules! registry {
    ($($module:ident :: $check:ident { $($limit:ident),* $(,)? })+) => {
        $(pub mod $module;)+

        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the variants are named as their limits")]
        enum Index { $($($limit,)*)+ Count }

        /// How many limits there are.
        pub const LIMIT_COUNT: usize = Index::Count as usize;

        /// Every limit, in registry order.
        pub static LIMITS: [&LimitDef; LIMIT_COUNT] = [$($(&$module::$limit,)*)+];

        /// The limits that an event can break, as bits.
        pub const WATCHED: u128 = {
            let mut bits = 0;
            $(if <$module::$check as Check>::WATCHES.meets(Causes::ANY) {
                $(bits |= 1 << Index::$limit as u32;)*
            })+
            bits
        };

        /// The place of each limit in the catalogue.
        pub mod id {
            use super::{Index, LimitId};
            $($(
                #[doc = concat!("`", stringify!($limit), "`")]
                pub const $limit: LimitId = LimitId(Index::$limit as u16);
            )*)+
        }

        /// The checks, in registry order: name, reasons, and how many limits each has.
        pub static CATALOGUE: &[(&str, &[Reason], usize)] = &[$(
            (stringify!($module), $module::$check::REASONS, { let names: &[&str] = &[$(stringify!($limit)),*]; names.len() })
        ),+];

        /// The state of every check.
        #[derive(Default)]
        pub struct Checks {
            $(
                #[doc = concat!("`", stringify!($module), "`")]
                pub $module: $module::$check,
            )+
        }

        impl Checks {
            /// See [`Check::limits_changed`].
            pub fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
                $(self.$module.limits_changed(ix, limits);)+
            }

            /// See [`Check::observe`].
            #[inline]
            pub fn observe(&mut self, router: ScopeIx, count: u32, state: &State) {
                $(self.$module.observe(router, count, state);)+
            }

            /// See [`Check::attempted`].
            #[inline]
            pub fn attempted(&mut self, router: ScopeIx, order: Option<&NewOrder>, state: &State) {
                $(self.$module.attempted(router, order, state);)+
            }

            /// See [`Check::ahead`].
            #[inline]
            pub fn ahead(&self, order: &NewOrder, touched: &Touched) -> u64 {
                0$(^ self.$module.ahead(order, touched))+
            }

            /// Asks every check in order; the first refusal is the answer, with the place of the check that gave it. With
            /// headroom those are left out that have nothing else to say.
            #[inline(always)]
            pub fn check(&self, candidate: &Candidate, state: &State, headroom: bool) -> Verdict {
                if headroom { self.check_some(candidate, state) } else { self.check_all(candidate, state) }
            }

            #[inline]
            fn check_some(&self, candidate: &Candidate, state: &State) -> Verdict {
                let mut place = 0;
                $(
                    if self.$module.asks(candidate, state)
                        && let Err(breach) = self.$module.check(candidate, state)
                    {
                        return Err(Breach { place, ..breach });
                    }
                    place += 1;
                )+
                let _ = place;
                Ok(())
            }

            #[inline(never)]
            fn check_all(&self, candidate: &Candidate, state: &State) -> Verdict {
                let mut place = 0;
                $(
                    if let Err(breach) = self.$module.check(candidate, state) {
                        return Err(Breach { place, ..breach });
                    }
                    place += 1;
                )+
                let _ = place;
                Ok(())
            }

            /// See [`Check::refused`]; `place` is that of the check.
            pub fn refused(&mut self, place: u8, candidate: &Candidate, reject: &Reject) {
                let mut at = 0;
                $(
                    if at == place {
                        self.$module.refused(candidate, reject);
                    }
                    at += 1;
                )+
                let _ = at;
            }

            /// See [`Check::reserve`].
            #[inline]
            pub fn reserve(&mut self, candidate: &Candidate, state: &State) {
                $(self.$module.reserve(candidate, state);)+
            }

            /// See [`Check::released`].
            #[inline]
            pub fn released(&mut self, released: &Released<'_>, state: &State) {
                $(self.$module.released(released, state);)+
            }

            /// Shows every bound of every check that the order is held against.
            pub fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
                $(self.$module.measure(candidate, state, see);)+
            }

            /// Shows how much more passes of what grows at each scope, once this order has passed.
            pub fn rooms(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(ScopeIx, Lane, i128)) {
                $(self.$module.measure(candidate, state, &mut |measure| {
                    if let Some(lane) = $module::$check::grows(measure.limit) {
                        see(measure.ix, lane, self.$module.room(&measure, state));
                    }
                    true
                });)+
            }

            /// Each check by itself, in order: its name, its verdict, whether that took an override (`waive`), and what it
            /// measures when limits on trial count too.
            pub fn explain(
                &self,
                candidate: &mut Candidate,
                with_trial: &Candidate,
                state: &State,
                waive: &impl Fn(&mut Candidate, &Breach) -> bool,
                see: &mut impl FnMut(&'static str, Verdict, bool, &[Measure]),
            ) {
                let mut measures = Vec::new();
                $(
                    measures.clear();
                    self.$module.measure(with_trial, state, &mut |measure| {
                        measures.push(measure);
                        true
                    });
                    let mut waived = false;
                    let mut verdict = self.$module.check(candidate, state);
                    while let Err(breach) = &verdict
                        && waive(candidate, breach)
                    {
                        waived = true;
                        verdict = self.$module.check(candidate, state);
                    }
                    see(stringify!($module), verdict, waived, &measures);
                )+
            }

            /// See [`Check::turned_away`].
            pub fn turned_away(&mut self, router: ScopeIx, count: u32, state: &State) {
                $(self.$module.turned_away(router, count, state);)+
            }

            /// See [`Check::executed`].
            #[inline]
            pub fn executed(&mut self, fill: &Fill<'_>, state: &State) -> u8 {
                0$(| self.$module.executed(fill, state))+
            }

            /// See [`Check::answered`].
            #[inline]
            pub fn answered(&mut self, order: &Order, answer: Answer, first: bool, state: &State) -> u8 {
                0$(| self.$module.answered(order, answer, first, state))+
            }

            /// See [`Check::turn`].
            pub fn turn(&mut self, state: &State, watch: &mut Vec<ScopeIx>) {
                $(self.$module.turn(state, watch);)+
            }

            /// See [`Check::happened`].
            #[inline]
            pub fn happened(&mut self, look: &Look<'_>, causes: Causes) -> bool {
                let mut may_be_broken = false;
                $(if causes.meets(<$module::$check as Check>::WATCHES) {
                    may_be_broken |= self.$module.happened(look);
                })+
                may_be_broken
            }

            /// See [`Check::watch`].
            #[cold]
            pub fn watch(&self, look: &Look<'_>, causes: Causes, see: &mut impl FnMut(Measure)) {
                $(if causes.meets(<$module::$check as Check>::WATCHES) {
                    self.$module.watch(look, see);
                })+
            }

            /// See [`Check::registered`].
            pub fn registered(&mut self, parent: &Parent, change: i64) {
                $(self.$module.registered(parent, change);)+
            }

            /// See [`Check::placed`].
            #[inline(always)]
            pub fn placed(&mut self, order: &Order, state: &State) {
                $(self.$module.placed(order, state);)+
            }

            /// See [`Check::asked`].
            #[inline]
            pub fn asked(&mut self, order: &Order, change: i64, state: &State) {
                $(self.$module.asked(order, change, state);)+
            }

            /// See [`Check::used`].
            pub fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
                None$(.or_else(|| self.$module.used(limit, ix, state)))+
            }

            /// See [`Check::reinstated`].
            pub fn reinstated(&mut self, ix: ScopeIx, router: Option<RouterId>) {
                $(self.$module.reinstated(ix, router);)+
            }

            /// See [`Check::day_roll`].
            pub fn day_roll(&mut self) {
                $(self.$module.day_roll();)+
            }

            /// See [`Check::digest`].
            pub fn digest(&self, hasher: &mut FoldHasher) {
                $(self.$module.digest(hasher);)+
            }
        }
    };
}

registry! {
    venue_link::VenueLink {}
    readiness::Readiness {}
    well_formed::WellFormed {}
    order_flags::OrderFlags {}
    limit_configured::LimitConfigured {}
    permission::Permission {}
    parent_child::ParentChild { PARENT_OVERFILL_HALT_AFTER }
    leaving::Leaving { MAX_EXCESS_LEAVING_BPS, UNPARENTED_ALLOWANCE_QTY }
    children::Children { MAX_CHILDREN_FACTOR, MIN_CHILD_QTY }
    message_rate::MessageRate {
        MESSAGE_RATE, MESSAGE_RATE_WINDOW, MESSAGE_BURST, MESSAGE_BURST_WINDOW, MESSAGE_RATE_SUSTAINED,
    }
    duplicate_order::DuplicateOrder {
        DUPLICATE_ORDERS, DUPLICATE_ORDERS_WINDOW, DUPLICATE_ORDERS_HALT, DUPLICATE_ORDERS_MEMORY,
    }
    repeated_execution::RepeatedExecution { MAX_REPEATED_EXECUTIONS, REPEATED_EXECUTIONS_WINDOW }
    unacknowledged::Unacknowledged { MAX_UNACKNOWLEDGED, MAX_UNACKNOWLEDGED_AGE }
    reject_storm::RejectStorm { MAX_REJECTS, MAX_REJECTS_WINDOW }
    canary::Canary {
        CANARY_MAX_ORDER_QTY, CANARY_MAX_ORDER_NOTIONAL, CANARY_MESSAGE_RATE, CANARY_MAX_OPEN_ORDERS,
    }
    order_size::OrderSize { MAX_ORDER_QTY }
    average_volume::AverageVolume { MAX_ORDER_ADV_BPS }
    market_phase::MarketPhase {}
    market_data::MarketData { MARKET_DATA_MAX_AGE }
    fx_rate::FxRate { FX_RATE_MAX_AGE }
    order_value::OrderValue { MAX_ORDER_NOTIONAL }
    price_collar::PriceCollar { PRICE_COLLAR_BPS, PRICE_COLLAR_AUCTION_BPS }
    price_passive::PricePassive { PRICE_COLLAR_PASSIVE_BPS }
    own_drift::OwnDrift { OWN_DRIFT_BPS, OWN_DRIFT_WINDOW }
    luld_band::LuldBand {}
    sell_marking::SellMarking {}
    short_sale::ShortSale {}
    locate::Locate { SHORT_LOCATE }
    self_match::SelfMatch {}
    net_position::NetPosition { MAX_LONG_POSITION, MAX_SHORT_POSITION }
    open_orders::OpenOrders { MAX_OPEN_ORDERS, MAX_OPEN_QTY, MAX_OPEN_NOTIONAL }
    gross_notional::GrossNotional { MAX_GROSS_NOTIONAL }
    concentration::Concentration { MAX_CONCENTRATION_BPS }
    notional_velocity::NotionalVelocity { MAX_NOTIONAL_VELOCITY, NOTIONAL_VELOCITY_WINDOW }
    turnover::Turnover { MAX_TURNOVER_DAY, MAX_TURNOVER_WINDOW, TURNOVER_WINDOW }
    day_loss::DayLoss { MAX_DAY_LOSS, LOSS_MARK_WINDOW }
    drawdown::Drawdown { MAX_DRAWDOWN, DRAWDOWN_WINDOW }
    execution_loss::ExecutionLoss { MAX_EXECUTION_LOSS, EXECUTION_LOSS_WINDOW }
    unmatched::Unmatched { MAX_UNMATCHED_NOTIONAL }
    drop_copy::DropCopy { DROP_COPY_MAX_LAG }
    session_liveness::SessionLiveness { CANCEL_ON_DISCONNECT_GRACE }
    self_check::SelfCheck { MAX_EVENT_LAG, MAX_JOURNAL_LAG, MAX_QUEUE_DEPTH }
}

/// Every reason there is, by code: those of the checks, of the order path, of the edge, and of requests by people.
pub fn all_reasons() -> Vec<Reason> {
    let mut all: Vec<Reason> = CATALOGUE.iter().flat_map(|(_, reasons, _)| reasons.iter().copied()).collect();
    all.extend_from_slice(crate::place::REASONS);
    all.extend_from_slice(crate::settle::REASONS);
    all.extend_from_slice(crate::fleet::REASONS);
    all.extend_from_slice(crate::detect::findings::REASONS);
    all.extend_from_slice(crate::readiness::REASONS);
    all.extend_from_slice(crate::reasons::EDGE);
    all.extend_from_slice(crate::reasons::PEOPLE);
    all.sort_by_key(|reason| reason.code);
    all
}

/// The name of the check that owns a limit.
pub fn owner_of(limit: LimitId) -> &'static str {
    let mut first = 0;
    for (name, _, count) in CATALOGUE {
        if usize::from(limit.0) < first + count {
            return name;
        }
        first += count;
    }
    ""
}
