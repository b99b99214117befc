//! New orders and replaces: duplicate → latch → resolve → checks → reserve.
//!
//! Check and reserve are one step: nothing else happens between the verdict and the reservation.

use crate::books::OpenDelta;
use crate::candidate::Candidate;
use crate::checks::fx_rate::FX_RATE_NOT_AVAILABLE;
use crate::checks::price_collar::in_force;
use crate::checks::{Breach, Verdict};
use crate::engine::Engine;
use crate::events::{NewOrder, Replace, Side};
use crate::halts::{Offender, State as HaltState};
use crate::headroom::Rooms;
use crate::ids::{AccountId, ClOrdId, OrderId, Ref, RouterId, SymbolId};
use crate::order_ids::IdHash;
use crate::orders::{Accepted, Order, PendingReplace, Touched};
use crate::outcome::{CxlRejReason, Outcome, Reject, Unit};
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, ARITHMETIC_OVERFLOW, CAPACITY, OTHER, Reason, reasons};
use crate::routes::{Bounds, RouteKey, RoutePlace};
use crate::scopes::{Scope, ScopeIx};
use crate::state::State;
use crate::units::{BPS, Money, Price, Qty, Rate, mul_div_ceil};
use crate::watchlist::Causes;

reasons! { REASONS:
    DUPLICATE_CL_ORD_ID = 100, 6, "The ClOrdID was used today for an order of other content.";
    CANCELED_BEFORE_ARRIVAL = 102, OTHER, "A cancel of this order came first, on the cancel lane; it was not placed.";
    HALTED = 110, ALGORITHM_RISK_THRESHOLD, "A scope of this order is halted; only cancels pass until people reinstate it.";
    REDUCE_ONLY = 111, ALGORITHM_RISK_THRESHOLD,
        "A scope of this order may only reduce its position, and this order could do more than that.";
    UNKNOWN_ACCOUNT = 131, 15, "The account is missing or not configured.";
    UNKNOWN_SYMBOL = 132, 1, "The symbol is missing or not configured.";
    UNKNOWN_STRATEGY = 133, OTHER, "The strategy is not configured; leave it empty or configure it.";
    UNKNOWN_ROUTER = 139, OTHER, "The router is not configured.";
}

/// Whether none of these scopes takes nothing but cancels. Of the most severe, the first is named.
#[inline]
fn not_stopped(state: &State, places: impl Iterator<Item = ScopeIx>) -> Verdict {
    match state.halts.most_severe(places) {
        Some((ix, severity)) if severity >= HaltState::CancelOnly => Err(Breach::reject(halted(state, ix, &HALTED))),
        _ => Ok(()),
    }
}

/// A refusal that no bound stands behind.
fn plain(reason: Reason) -> Breach {
    Breach::reject(Reject::plain(reason))
}

impl Engine {
    /// Decides a new order.
    pub(crate) fn new_order(&mut self, order: &NewOrder) -> Outcome {
        let id_hash = self.state.orders.hash(order.router, &order.cl_ord_id);
        if let Some(id) = self.state.orders.find_hashed(id_hash, order.router, &order.cl_ord_id) {
            return self.resend(id, order);
        }
        let Some(router) = self.state.scopes.router(order.router) else {
            return self.count_rejected(None, Reject::plain(&UNKNOWN_ROUTER));
        };
        self.checks.observe(router, 1, &self.state);
        self.checks.attempted(router, Some(order), &self.state);
        match self.decide(order, Some(id_hash)) {
            Ok(outcome) => outcome,
            Err(breach) => self.refuse(&breach, order),
        }
    }

    /// The verdict on an order that is not placed. Uses a slot of the router's windows, changes nothing else.
    pub(crate) fn check_order(&mut self, order: &NewOrder) -> Outcome {
        let Some(router) = self.state.scopes.router(order.router) else {
            return Outcome::Rejected(Reject::plain(&UNKNOWN_ROUTER));
        };
        self.checks.observe(router, 1, &self.state);
        self.checks.attempted(router, None, &self.state);
        if let Some(id) = self.state.orders.find(order.router, order.cl_ord_id) {
            let reused = Outcome::Rejected(Reject::plain(&DUPLICATE_CL_ORD_ID));
            return if self.is_resend(id, order) { Outcome::WouldAccept } else { reused };
        }
        match self.decide(order, None) {
            Ok(outcome) => outcome,
            Err(breach) => Outcome::Rejected(breach.reject),
        }
    }

    /// A ClOrdID that was accepted before: the same order is answered with its status, another one is refused.
    fn resend(&mut self, id: OrderId, order: &NewOrder) -> Outcome {
        if self.is_resend(id, order) {
            self.state.counters.duplicates += 1;
            return Outcome::Duplicate(id);
        }
        let router = self.observe_attempt(order.router);
        if let Some(router) = router {
            self.checks.attempted(router, Some(order), &self.state);
        }
        self.count_rejected(router, Reject::plain(&DUPLICATE_CL_ORD_ID))
    }

    fn is_resend(&self, id: OrderId, order: &NewOrder) -> bool {
        let orders = &self.state.orders;
        orders.get(id).is_some_and(|known| same_terms(known, order) && orders.was_sent_as(known, order))
    }

    /// An attempt that no check sees counts even so: a flood must not probe for free.
    fn observe_attempt(&mut self, router: RouterId) -> Option<ScopeIx> {
        let ix = self.state.scopes.router(router)?;
        self.checks.observe(ix, 1, &self.state);
        Some(ix)
    }

    fn count_rejected(&mut self, router: Option<ScopeIx>, reject: Reject) -> Outcome {
        self.turned_away(router, 1);
        Outcome::Rejected(reject)
    }

    /// Attempts of a router came to nothing.
    pub(crate) fn turned_away(&mut self, router: Option<ScopeIx>, count: u32) {
        self.state.counters.rejected += u64::from(count);
        if let Some(router) = router {
            self.checks.turned_away(router, count, &self.state);
            self.ladder.touch(router);
            self.state.watchlist.push(router, Causes::REFUSED);
        }
    }

    /// The verdict, and what follows from it: the order is placed under the hash of its id, or, without one, not.
    #[inline(always)]
    fn decide(&mut self, order: &NewOrder, place_as: Option<IdHash>) -> Result<Outcome, Breach> {
        self.blocked_by_latch(order)?;
        if place_as.is_some() && self.state.orders.is_buried(order.router, order.cl_ord_id) {
            self.state.orders.unbury(order.router, order.cl_ord_id);
            return Err(plain(&CANCELED_BEFORE_ARRIVAL));
        }
        let place = self.route(order)?;
        self.read_ahead(order, place);
        let (route, state) = (self.state.routes.at(place), &self.state);
        let (account, symbol) = (route.account(), route.symbol());
        let worth = worth(state, order, &route.touched, symbol)?;
        let bounds = state.routes.bounds(place);
        let mut candidate = candidate(state, order, (account, symbol), worth, route.touched, bounds, true);
        let granted = self.judge(&mut candidate, order.cl_ord_id, place_as.is_some(), Some(place))?;
        if !self.state.orders.has_room() {
            return Err(plain(&CAPACITY));
        }
        Ok(match place_as {
            Some(id_hash) => self.accept(order, &candidate, id_hash, granted),
            None => Outcome::WouldAccept,
        })
    }

    /// Everything that is asked of a resolved order, on this route, or of a replace. A check learns of its own refusals, but
    /// of a dry run's. Returns whether the order is placed within its route's grant of headroom.
    #[inline(always)]
    fn judge(
        &mut self,
        candidate: &mut Candidate,
        cl_ord_id: ClOrdId,
        placing: bool,
        route: Option<RoutePlace>,
    ) -> Result<bool, Breach> {
        self.reduce_only(candidate)?;
        let left = match route {
            Some(route) => self.state.within_grant(candidate, route),
            None => None,
        };
        let headroom = left.is_some();
        let mut overridden = false;
        while let Err(breach) = self.verdict(candidate, headroom) {
            if self.overridden(candidate, cl_ord_id, &breach) {
                overridden = true;
                continue;
            }
            if placing {
                self.checks.refused(breach.place, candidate, &breach.reject);
            }
            return Err(breach);
        }
        let delta = OpenDelta { qty: candidate.added, notional: candidate.added_notional, orders: 1 };
        debug_assert!(!headroom || self.state.can_open(&candidate.touched, candidate.side, delta));
        if !headroom && !self.state.can_open(&candidate.touched, candidate.side, delta) {
            return Err(plain(&ARITHMETIC_OVERFLOW));
        }
        if placing && candidate.bounds.trial {
            self.try_out(candidate);
        }
        let whole = placing && !headroom && !overridden && candidate.replaces.is_none();
        if whole && self.state.wants_headroom(candidate) {
            self.note_headroom(candidate);
        }
        if let (Some(route), Some(left), true) = (route, left, placing) {
            self.state.spend(route, candidate.side, left);
        }
        Ok(headroom)
    }

    #[inline(always)]
    fn verdict(&self, candidate: &Candidate, headroom: bool) -> Verdict {
        let verdict = self.checks.check(candidate, &self.state, headroom);
        debug_assert_eq!(verdict, self.checks.check(candidate, &self.state, false), "headroom decides nothing");
        verdict
    }

    /// The order passed every check: what comes next at its scopes need not ask all of them.
    #[cold]
    fn note_headroom(&mut self, candidate: &Candidate) {
        let (mut rooms, state) = (Rooms::BOUNDLESS, &self.state);
        rooms.narrow_to_fit(&candidate.touched, state);
        self.checks.rooms(candidate, state, &mut |ix, lane, room| {
            rooms.narrow(&candidate.touched, state, ix, lane, room);
        });
        self.state.keep_headroom(candidate, &rooms);
    }

    /// A scope that takes nothing but cancels refuses before anything else is looked at, even an unknown symbol.
    #[inline(always)]
    pub(crate) fn blocked_by_latch(&self, order: &NewOrder) -> Verdict {
        if self.state.halts.any() { self.find_latch(order) } else { Ok(()) }
    }

    fn find_latch(&self, order: &NewOrder) -> Verdict {
        let state = &self.state;
        if let (Some(account), Some(symbol)) = (order.account.known(), order.symbol.known()) {
            let key = RouteKey::new(account, order.router, symbol, order.strategy.known());
            if let Some(place) = state.routes.find(key, state.limits.version) {
                return not_stopped(state, state.routes.at(place).touched.latch_order());
            }
        }
        let mut scopes = [Some(Scope::Firm), Some(Scope::Router(order.router)), None, None, None, None, None];
        if let Some(account) = order.account.known() {
            scopes[2] = Some(Scope::Account(account));
        }
        if let Some(strategy) = order.strategy.known() {
            scopes[3] = Some(Scope::Strategy(strategy));
        }
        if let Some(symbol) = order.symbol.known() {
            scopes[4] = Some(Scope::Symbol(symbol));
            scopes[5] = order.account.known().map(|account| Scope::AccountSymbol(account, symbol));
            scopes[6] = Some(Scope::RouterSymbol(order.router, symbol));
        }
        let places = scopes.into_iter().flatten().filter_map(|scope| state.scopes.find(scope));
        not_stopped(state, places)
    }

    #[inline(always)]
    pub(crate) fn reduce_only(&self, candidate: &Candidate) -> Verdict {
        if self.state.halts.any() && !candidate.reduces { self.only_reducing(candidate) } else { Ok(()) }
    }

    #[cold]
    fn only_reducing(&self, candidate: &Candidate) -> Verdict {
        match self.state.halts.most_severe(candidate.touched.iter()) {
            Some((ix, _)) => Err(Breach::reject(halted(&self.state, ix, &REDUCE_ONLY))),
            None => Ok(()),
        }
    }

    /// The route of an order. Fails for names that are not configured.
    #[inline(always)]
    fn route(&mut self, order: &NewOrder) -> Result<RoutePlace, Breach> {
        let (account, symbol) = resolved(order)?;
        let key = RouteKey::new(account, order.router, symbol, order.strategy.known());
        if let Some(place) = self.state.routes.find(key, self.state.limits.version) {
            return Ok(place);
        }
        let touched = self.touch(order, account, symbol)?;
        Ok(self.state.route(key, &touched))
    }

    #[cold]
    fn touch(&mut self, order: &NewOrder, account: AccountId, symbol: SymbolId) -> Result<Touched, Breach> {
        let mut place = |scope: Scope, reason: Reason| {
            let before = self.state.scopes.len();
            let ix = self.state.scope_or_create(scope).ok_or_else(|| plain(reason))?;
            if self.state.scopes.len() > before {
                self.checks.limits_changed(ix, self.state.limits.at(ix));
            }
            Ok(ix)
        };
        let six = [
            ScopeIx::FIRM,
            place(Scope::Account(account), &UNKNOWN_ACCOUNT)?,
            place(Scope::Router(order.router), &UNKNOWN_ROUTER)?,
            place(Scope::Symbol(symbol), &UNKNOWN_SYMBOL)?,
            place(Scope::AccountSymbol(account, symbol), &CAPACITY)?,
            place(Scope::RouterSymbol(order.router, symbol), &CAPACITY)?,
        ];
        let strategy = match order.strategy {
            Ref::Known(strategy) => Some(place(Scope::Strategy(strategy), &UNKNOWN_STRATEGY)?),
            Ref::Absent | Ref::Unknown => None,
        };
        Ok(Touched::new(six, strategy))
    }

    #[inline(always)]
    fn accept(&mut self, order: &NewOrder, candidate: &Candidate, id_hash: IdHash, granted: bool) -> Outcome {
        self.reserve(candidate);
        self.overrides.used(order.router, &order.cl_ord_id);
        self.ladder.touch_all(&candidate.touched);
        self.state.venue.last_client_seq += 1;
        let id = self.state.orders.add(&Accepted {
            order,
            account: candidate.account,
            symbol: candidate.symbol,
            touched: candidate.touched,
            px_risk: candidate.px_risk.unwrap_or_default(),
            fx: candidate.fx,
            id_hash,
            now: self.state.now,
            venue_client_seq: self.state.venue.last_client_seq,
        });
        // It reserves all of itself from the start (`rehold` keeps that up).
        if let Some(parent) = order.parent.known().and_then(|parent| self.state.parents.get_mut(parent)) {
            parent.leaves = Qty(parent.leaves.0.saturating_add(candidate.added));
            parent.children = parent.children.saturating_add(1);
        }
        let delta = OpenDelta { qty: candidate.added, notional: candidate.added_notional, orders: 1 };
        if granted {
            self.state.open_granted(&candidate.touched, candidate.symbol, candidate.side, delta);
        } else {
            self.state.change_open(&candidate.touched, candidate.symbol, candidate.side, delta);
        }
        if let Some(order) = self.state.orders.newest() {
            self.state.resting.add(&self.state.orders, order);
            self.checks.placed(order, &self.state);
        }
        self.state.counters.accepted += 1;
        Outcome::Accepted(id)
    }

    fn refuse(&mut self, breach: &Breach, order: &NewOrder) -> Outcome {
        if let Some((scope, severity)) = breach.halt {
            let offender = Offender { router: order.router, cl_ord_id: order.cl_ord_id, parent: order.parent.known() };
            self.trip(scope, severity, breach.reject, Some(offender));
        }
        let router = self.state.scopes.router(order.router);
        self.count_rejected(router, breach.reject)
    }

    /// Decides a replace. One that only reduces risk counts as a cancel: no rate, no halt refuses it.
    pub(crate) fn replace(&mut self, replace: &Replace) -> Outcome {
        let id = self.state.orders.find(replace.router, replace.orig_cl_ord_id);
        let Some(order) = id.and_then(|id| self.state.orders.get(id)) else {
            let router = self.observe_attempt(replace.router);
            self.turned_away(router, 1);
            return Outcome::ReplaceRejected(None, CxlRejReason::UnknownOrder, None);
        };
        let id = order.id;
        let pending = self.state.orders.pending_replace(id);
        if pending.is_some_and(|pending| {
            pending.cl_ord_id == replace.cl_ord_id && (pending.qty, pending.price) == (replace.qty, replace.price)
        }) {
            return Outcome::Duplicate(id);
        }
        let taken = self.state.orders.find(replace.router, replace.cl_ord_id).is_some();
        let obstacle = match order {
            _ if pending.is_some() => Some(CxlRejReason::AlreadyPending),
            _ if taken => Some(CxlRejReason::DuplicateClOrdId),
            order if order.cl_ord_id != replace.orig_cl_ord_id => Some(CxlRejReason::UnknownOrder),
            order if !order.is_open() => Some(CxlRejReason::TooLate),
            order if order.cancel_requested().is_some() => Some(CxlRejReason::AlreadyPending),
            _ => None,
        };
        if let Some(reason) = obstacle {
            let router = self.observe_attempt(replace.router);
            self.turned_away(router, 1);
            return Outcome::ReplaceRejected(Some(id), reason, None);
        }
        match self.judge_replace(id, replace) {
            Ok(pending) => self.send_replace(id, replace.router, pending),
            Err(breach) => self.refuse_replace(id, replace, &breach),
        }
    }

    fn judge_replace(&mut self, id: OrderId, replace: &Replace) -> Result<PendingReplace, Breach> {
        let unknown = || plain(&CAPACITY);
        let order = self.state.orders.get(id).ok_or_else(unknown)?;
        let (touched, symbol, side, ord_type) = (order.touched, order.symbol, order.side, order.ord_type);
        let price = replace.price;
        let px_risk = risk_price(&self.state, &touched, symbol, side, price).or(price).unwrap_or(order.px_risk);
        let px_reserved = px_risk.max(order.px_risk);
        let fx = known_rate(&self.state, symbol)?;
        // What has been reserved at a higher rate stays so.
        let fx_reserved = fx.max(order.fx_risk);
        let pending = PendingReplace {
            cl_ord_id: replace.cl_ord_id,
            qty: replace.qty,
            price,
            px_risk,
            px_before: order.px_risk,
            fx_risk: fx_reserved,
            fx_before: order.fx_risk,
            client_seq: replace.client_seq,
        };
        let reserved = self.worst_open(order, Some(&pending));
        let added = reserved.minus(order.reserved).ok_or_else(|| plain(&ARITHMETIC_OVERFLOW))?;
        let before = valued(&self.state, symbol, Some(order.px_risk), order.reserved, order.fx_risk)?;
        let after = valued(&self.state, symbol, Some(px_reserved), reserved, fx_reserved)?;
        let notional = valued(&self.state, symbol, Some(px_risk), Qty(replace.qty.0.max(0)), fx_reserved)?;
        let (now, reduces) = (self.state.now, self.state.books[touched.account_symbol().at()].reduces(side, added.0));
        let (router, account, parent) = (order.router, order.account, order.parent);
        let (tif, strategy, flags) = (order.tif, order.strategy, order.flags);
        let larger = replace.qty > order.qty;
        let more = replace.qty.0.saturating_sub(order.qty.0);
        let less_aggressive = match (price, order.price) {
            (Some(new), Some(old)) if side.is_buy() => new <= old,
            (Some(new), Some(old)) => new >= old,
            (new, old) => new == old,
        };
        let no_larger = replace.qty.0 > 0 && replace.qty <= order.qty;
        // A sell that is raised beyond what it is valued at rests farther away, but counts for more.
        let no_dearer = price.is_none_or(|price| price <= order.px_risk);
        let (px_before, fx_before) = (order.px_risk, order.fx_risk);
        let key = RouteKey::new(account, router, symbol, order.strategy);
        let place = self.state.route(key, &touched);
        let bounds = *self.state.routes.bounds(place);
        let mut candidate = Candidate {
            now,
            router,
            account,
            symbol,
            parent: parent.map_or(Ref::Absent, Ref::Known),
            side,
            ord_type,
            tif,
            strategy,
            flags,
            replaces: Some(id),
            observed: true,
            qty: replace.qty,
            price,
            touched,
            bounds,
            px_risk: Some(px_reserved),
            fx,
            notional,
            added: added.0,
            added_notional: after.0 - before.0,
            asks_more: larger,
            reduces,
        };
        if added.0 <= 0 && less_aggressive && no_larger && no_dearer {
            // A market that moved meanwhile makes it worth no more than the order it reduces.
            let pending = PendingReplace { px_risk: px_risk.min(px_before), fx_risk: fx_before, ..pending };
            return self.well_formed_at_least(&candidate).map(|()| pending);
        }
        self.checks.observe(touched.router(), 1, &self.state);
        if let Some((ix, severity)) = self.state.halts.most_severe(touched.iter())
            && severity >= HaltState::CancelOnly
        {
            return Err(Breach::reject(halted(&self.state, ix, &HALTED)));
        }
        self.judge(&mut candidate, replace.cl_ord_id, true, None)?;
        if !self.state.orders.has_room() {
            return Err(plain(&CAPACITY));
        }
        self.reserve(&candidate);
        self.state.grow(&touched, 1, more.max(added.0), candidate.added_notional);
        self.overrides.used(router, &replace.cl_ord_id);
        self.ladder.touch_all(&candidate.touched);
        Ok(pending)
    }

    /// A risk-reducing replace must still be one the venue can read, and there must be a venue.
    fn well_formed_at_least(&self, candidate: &Candidate) -> Verdict {
        use crate::checks::Check;
        self.checks.venue_link.check(candidate, &self.state)?;
        self.checks.well_formed.check(candidate, &self.state)?;
        if self.state.orders.has_room() { Ok(()) } else { Err(plain(&CAPACITY)) }
    }

    fn send_replace(&mut self, id: OrderId, router: RouterId, pending: PendingReplace) -> Outcome {
        self.state.venue.last_client_seq += 1;
        let seq = self.state.venue.last_client_seq;
        self.state.orders.begin_replace(id, router, pending);
        if let Some(order) = self.state.orders.get_mut(id) {
            order.venue_client_seq = seq;
        }
        if let Some(order) = self.state.orders.get(id) {
            self.state.resting.reprice(&self.state.orders, order, pending.price);
        }
        self.rehold(id);
        Outcome::ReplaceAccepted(id)
    }

    fn refuse_replace(&mut self, id: OrderId, replace: &Replace, breach: &Breach) -> Outcome {
        let reject = breach.reject;
        if let Some((scope, severity)) = breach.halt {
            let parent = self.state.orders.get(id).and_then(|order| order.parent);
            let offender = Offender { router: replace.router, cl_ord_id: replace.cl_ord_id, parent };
            self.trip(scope, severity, reject, Some(offender));
        }
        let router = self.state.scopes.router(replace.router);
        self.turned_away(router, 1);
        Outcome::ReplaceRejected(Some(id), CxlRejReason::Other, Some(reject))
    }
}

/// The account and the instrument of an order whose names are configured.
#[inline(always)]
pub(crate) fn resolved(order: &NewOrder) -> Result<(AccountId, SymbolId), Breach> {
    let Ref::Known(account) = order.account else { return Err(plain(&UNKNOWN_ACCOUNT)) };
    let Ref::Known(symbol) = order.symbol else { return Err(plain(&UNKNOWN_SYMBOL)) };
    if order.strategy == Ref::Unknown {
        return Err(plain(&UNKNOWN_STRATEGY));
    }
    Ok((account, symbol))
}

/// The risk price of an order that touches these scopes, the rate of its currency, and what it is worth at both.
#[inline(always)]
pub(crate) fn worth(
    state: &State,
    order: &NewOrder,
    touched: &Touched,
    symbol: SymbolId,
) -> Result<(Option<Price>, Rate, Money), Breach> {
    // Without a market only a reducing limit order passes (`market_data`): it is worth its own price.
    let px_risk = risk_price(state, touched, symbol, order.side, order.price).or(order.price);
    let fx = known_rate(state, symbol)?;
    Ok((px_risk, fx, valued(state, symbol, px_risk, asked_qty(order), fx)?))
}

/// A quantity that is not positive is refused by `well_formed` with its own reason.
fn asked_qty(order: &NewOrder) -> Qty {
    Qty(order.qty.0.max(0))
}

/// Everything the checks need of a new order that touches these scopes. Built where it stays: it is large.
#[inline(always)]
pub(crate) fn candidate(
    state: &State,
    order: &NewOrder,
    (account, symbol): (AccountId, SymbolId),
    (px_risk, fx, notional): (Option<Price>, Rate, Money),
    touched: Touched,
    bounds: &Bounds,
    observed: bool,
) -> Candidate {
    let qty = asked_qty(order);
    Candidate {
        bounds: *bounds,
        now: state.now,
        router: order.router,
        account,
        symbol,
        parent: order.parent,
        side: order.side,
        ord_type: order.ord_type,
        tif: order.tif,
        strategy: order.strategy.known(),
        flags: order.flags,
        replaces: None,
        observed,
        qty: order.qty,
        price: order.price,
        touched,
        px_risk,
        fx,
        notional,
        added: qty.0,
        added_notional: notional.0,
        asks_more: true,
        reduces: state.books[touched.account_symbol().at()].reduces(order.side, qty.0),
    }
}

/// The reject of a halted scope: its trip's number is the value.
fn halted(state: &State, ix: ScopeIx, reason: Reason) -> Reject {
    let trip = state.halts.latch(ix).first;
    Reject { reason, scope: Some(state.scopes.at(ix)), limit: 0, value: trip.into(), unit: Unit::None }
}

/// What an order is valued at, worst case (rules.md, "Worst case"): a buy at its limit, a sell at the better of its limit and the
/// bid, a market order at the reference moved by the collar, rounded up. `None` without a usable market where one is
/// needed.
#[inline(always)]
fn risk_price(state: &State, touched: &Touched, symbol: SymbolId, side: Side, price: Option<Price>) -> Option<Price> {
    let touch = state.markets[symbol.index()].touch();
    match (price, side.is_buy()) {
        (Some(price), true) => Some(price),
        (Some(price), false) => touch.map(|(bid, _)| price.max(bid)),
        (None, _) => {
            let (_, ask) = touch?;
            let bps = in_force(state.limits.at(touched.symbol()), state.collecting(symbol))?;
            // What does not fit is worth the most there is, never nothing.
            let factor = i64::try_from(bps).map_or(i64::MAX, |bps| BPS.saturating_add(bps));
            Some(Price(mul_div_ceil(ask.0, factor, BPS).unwrap_or(i64::MAX)))
        }
    }
}

/// What the instrument's currency is worth. Without a rate nothing about an order can be told: it is no rate of one.
#[inline(always)]
fn known_rate(state: &State, symbol: SymbolId) -> Result<Rate, Breach> {
    state.rate(symbol).ok_or_else(|| {
        let scope = Some(Scope::Symbol(symbol));
        Breach::reject(Reject { scope, ..Reject::plain(&FX_RATE_NOT_AVAILABLE) })
    })
}

#[inline(always)]
fn valued(state: &State, symbol: SymbolId, px_risk: Option<Price>, qty: Qty, rate: Rate) -> Result<Money, Breach> {
    let Some(price) = px_risk else { return Ok(Money::ZERO) };
    state.notional(symbol, price, qty, rate).ok_or_else(|| plain(&ARITHMETIC_OVERFLOW))
}

fn same_terms(known: &Order, order: &NewOrder) -> bool {
    known.account == order.account.known().unwrap_or(AccountId(u32::MAX))
        && known.symbol == order.symbol.known().unwrap_or(SymbolId(u32::MAX))
        && known.side == order.side
}
