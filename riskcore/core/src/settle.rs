//! What the venue says: acknowledgements, fills, cancels, busts - in any order, more than once, too late.
//!
//! Exposure is released on evidence alone, exactly once (rules.md, "Worst case"). A fill always counts, whatever
//! state the order is in.

use crate::books::{Execution, OpenDelta};
use crate::checks::{Answer, Fill, Released, id};
use crate::engine::Engine;
use crate::events::{MassStatusEnd, MassStatusEntry, Report, ReportKind, Side};
use crate::halts::State as HaltState;
use crate::ids::{OrderId, SymbolId};
use crate::orders::{Order, PendingReplace, Status, Touched};
use crate::outcome::{Alarm, Effect, Outcome, Reject};
use crate::reasons::{OTHER, reasons};
use crate::scopes::Scope;
use crate::units::{Money, Nanos, Price, Qty, Rate, widening_mul};
use crate::watchlist::Causes;

reasons! { REASONS:
    BAD_VENUE_REPORT = 903, OTHER,
        "A venue report about this account makes no sense; its positions are uncertain until a person has looked.";
}

/// What changes with the quantity that an order reserves.
struct Hold {
    touched: Touched,
    symbol: SymbolId,
    side: Side,
    accepted_at: Nanos,
    delta: OpenDelta,
    /// Notional that was given back without having been executed; negative if more was executed than was reserved.
    released: i128,
}

const DEFAULT_MARK_WINDOW: Nanos = Nanos::from_secs(15 * 60);

impl Engine {
    /// What an order could still fill, worst case. While a replace is in flight: the larger of the old leaves and the new
    /// quantity, which the venue may put on top of what has filled, unless it mitigates that.
    pub(crate) fn worst_open(&self, order: &Order, pending: Option<&PendingReplace>) -> Qty {
        if !order.is_open() {
            return Qty::ZERO;
        }
        let leaves = order.leaves();
        let Some(pending) = pending else { return leaves };
        let new =
            if self.state.in_flight_mitigation { pending.qty.0.saturating_sub(order.cum.0) } else { pending.qty.0 };
        Qty(leaves.0.max(new))
    }

    /// Brings what an order reserves in line with what it could still fill; returns what that changes in its books and for
    /// the checks. `executed` is the part of the difference that was filled; the rest of a decrease is given back.
    #[inline(always)]
    fn hold(&mut self, id: OrderId, executed: Qty) -> Option<Hold> {
        let order = self.state.orders.get(id)?;
        let pending = self.state.orders.pending_replace(id);
        let target = self.worst_open(order, pending);
        let px_target = pending.map_or(order.px_risk, |pending| pending.px_risk.max(pending.px_before));
        let fx_target = pending.map_or(order.fx_risk, |pending| pending.fx_risk);
        let (reserved, px_before, fx_before) = (order.reserved, order.px_risk, order.fx_risk);
        let counts = order.is_open();
        let orders = i32::from(counts) - i32::from(order.counted);
        // Both products were formed, checked, when the order was accepted with this quantity, price and rate.
        let multiplier = self.state.multiplier(order.symbol);
        let notional = |price, qty, fx: Rate| {
            Money::of(price, qty, multiplier).and_then(|cost| fx.exposure(cost)).map_or(i128::MAX / 4, |money| money.0)
        };
        let added = target.0 - reserved.0;
        let added_notional = notional(px_target, target, fx_target) - notional(px_before, reserved, fx_before);
        // A fill may take more than what it releases: while a replace is in flight, or beyond the order's quantity.
        let given_back = -added - executed.0;
        let counts_anew = given_back > 0 || given_back < 0 && executed.0 > 0;
        // A difference, so that what is rounded up is taken back as often as it was counted.
        let held = |qty| notional(px_before, Qty(qty), fx_before);
        let released = if counts_anew { held(target.0 + given_back) - held(target.0) } else { 0 };

        let order = self.state.orders.get_mut(id)?;
        (order.reserved, order.px_risk, order.fx_risk, order.counted) = (target, px_target, fx_target, counts);
        let (touched, symbol, side, accepted_at) = (order.touched, order.symbol, order.side, order.accepted_at);
        if let Some(parent) = order.parent.and_then(|parent| self.state.parents.get_mut(parent)) {
            parent.leaves = Qty(parent.leaves.0.saturating_add(added));
        }
        let delta = OpenDelta { qty: added, notional: added_notional, orders };
        Some(Hold { touched, symbol, side, accepted_at, delta, released })
    }

    /// An order reserves what it could still fill, and no execution has changed that.
    pub(crate) fn rehold(&mut self, id: OrderId) {
        let Some(hold) = self.hold(id, Qty::ZERO) else { return };
        self.state.change_open(&hold.touched, hold.symbol, hold.side, hold.delta);
        self.release(id, &hold);
    }

    /// The checks learn what an order has given back, and what it asks for now.
    #[inline(always)]
    fn release(&mut self, id: OrderId, hold: &Hold) {
        if hold.released != 0 {
            let Hold { touched, accepted_at, released, .. } = hold;
            let released = Released { touched, accepted_at: *accepted_at, notional: *released };
            self.checks.released(&released, &self.state);
            if released.notional < 0 {
                self.state.grow(touched, 0, 0, -released.notional);
            }
        }
        self.count_asked(id);
    }

    /// Tells the checks when an order asks for more or less than it did (`Order::asked`).
    pub(crate) fn count_asked(&mut self, id: OrderId) {
        let Some(order) = self.state.orders.get(id) else { return };
        let asked = if order.is_open() {
            self.state.orders.pending_replace(id).map_or(order.qty, |pending| pending.qty.max(order.qty))
        } else {
            order.cum.min(order.qty)
        };
        let change = asked.0 - order.asked.0;
        if change == 0 {
            return;
        }
        if let Some(order) = self.state.orders.get_mut(id) {
            order.asked = asked;
        }
        if let Some(order) = self.state.orders.get(id) {
            self.checks.asked(order, change, &self.state);
        }
    }

    /// A report of the venue. Duplicates are told by its sequence number alone; a gap is not stepped over.
    pub(crate) fn report(&mut self, report: &Report) -> Outcome {
        let venue = &mut self.state.venue;
        if report.venue_seq != 0 {
            if report.venue_seq <= venue.last_venue_seq {
                self.state.counters.duplicate_reports += 1;
                return Outcome::DuplicateReport;
            }
            let expected = venue.last_venue_seq + 1;
            if report.venue_seq > expected {
                self.effects.push(Effect::Alarm(Alarm::VenueGap(expected)));
                return Outcome::ReportGap(expected);
            }
            venue.last_venue_seq = report.venue_seq;
        }
        if self.state.orders.get(report.order).is_none() {
            return self.unknown_order(report);
        }
        self.reported = Some(report.order);
        if self.apply_report(report.order, report.kind).is_none() {
            self.bad_report(report.order);
        }
        Outcome::Reported(report.order)
    }

    /// The checks learn what the venue made of an order.
    fn answered(&mut self, id: OrderId, answer: Answer, first: bool) {
        let Some(order) = self.state.orders.get(id) else { return };
        let waited = self.checks.answered(order, answer, first, &self.state);
        if answer == Answer::Rejected {
            self.state.watchlist.push(order.touched.router(), Causes::REFUSED);
        }
        // What others still wait for may have lasted too long: no timer need come to find that.
        debug_assert!(!first || waited != 0 || self.is_quiet(order.touched.router(), Causes::WAITED));
        for ix in order.touched.among(waited) {
            self.state.watchlist.push(ix, Causes::WAITED);
        }
    }

    /// The venue has it: said once, whether by an acknowledgement, a fill or the mass status.
    fn venue_has(&mut self, id: OrderId) {
        let pending = self.state.orders.get_mut(id).filter(|order| order.status == Status::PendingNew);
        if let Some(order) = pending {
            order.status = Status::New;
            self.answered(id, Answer::New, true);
        }
    }

    /// The checks learn of an execution, or of one taken back.
    #[inline(always)]
    fn executed(&mut self, id: OrderId, qty: i64, price: Price, notional: i128) {
        let Some(order) = self.state.orders.get_mut(id) else { return };
        let is_first = !core::mem::replace(&mut order.executed, true);
        let Some(order) = self.state.orders.get(id) else { return };
        let places = self.checks.executed(&Fill { order, is_first, qty, price, notional }, &self.state);
        let mut others = order.touched.iter().enumerate().filter(|(place, _)| places >> place & 1 == 0);
        debug_assert!(others.all(|(_, ix)| self.is_quiet(ix, Causes::EXECUTED)));
        for ix in order.touched.among(places) {
            self.state.watchlist.push(ix, Causes::EXECUTED);
        }
        self.ladder.touch_all(&order.touched);
    }

    /// `None`: the report contradicts the order, or its numbers do not fit. Nothing was changed.
    fn apply_report(&mut self, id: OrderId, kind: ReportKind) -> Option<()> {
        let order = self.state.orders.get_mut(id)?;
        order.unknown = false;
        match kind {
            ReportKind::New => self.venue_has(id),
            ReportKind::Trade { qty, price } => self.fill(id, qty, price)?,
            ReportKind::Canceled => self.finish(id, Status::Canceled),
            ReportKind::Rejected { .. } => self.finish(id, Status::Rejected),
            ReportKind::Expired => self.finish(id, Status::Expired),
            ReportKind::DoneForDay => self.finish(id, Status::DoneForDay),
            ReportKind::Replaced => self.replaced(id)?,
            ReportKind::ReplaceRejected => self.replace_refused(id)?,
            ReportKind::CancelRejected => self.cancel_refused(id),
            ReportKind::TradeCancel { qty, price } => self.bust(id, qty, price)?,
            ReportKind::TradeCorrect { old_qty, old_price, qty, price } => {
                self.correct(id, (old_qty, old_price), (qty, price))?;
            }
        }
        Some(())
    }

    /// An execution of an order; `None` if it makes no sense or does not fit.
    #[inline(always)]
    fn execution(&self, order: &Order, qty: Qty, price: Price) -> Option<Execution> {
        if qty.0 <= 0 || price.0 <= 0 {
            return None;
        }
        order.cum.plus(qty)?;
        Execution::of(order.side, qty, self.state.cost(order.symbol, price, qty)?, order.fx)
    }

    /// The first own fill of an instrument begins its slow reference.
    fn begin_reference(&mut self, touched: &Touched, symbol: SymbolId) {
        let limits = self.state.limits.at(touched.symbol());
        let window = || {
            let window = limits.get(id::LOSS_MARK_WINDOW).and_then(|ns| i64::try_from(ns).ok());
            window.map_or(DEFAULT_MARK_WINDOW, Nanos)
        };
        self.state.markets[symbol.index()].own_fill(self.state.now, window);
    }

    fn fill(&mut self, id: OrderId, qty: Qty, price: Price) -> Option<()> {
        let order = self.state.orders.get(id)?;
        let execution = self.execution(order, qty, price)?;
        let (touched, symbol, side) = (order.touched, order.symbol, order.side);
        self.begin_reference(&touched, symbol);
        if !self.state.can_execute(&touched, execution) {
            return None;
        }
        let in_flight = self.state.orders.pending_replace(id).map(|pending| pending.qty);
        let order = self.state.orders.get_mut(id)?;
        let (was_new, was_final) = (order.status == Status::PendingNew, order.status.is_final());
        order.cum = Qty(order.cum.0 + qty.0);
        order.cum_px_qty += widening_mul(price.0, qty.0);
        // A larger quantity may still come into force: the order stays open until the venue answers.
        let may_grow = in_flight.is_some_and(|qty| qty > order.cum || !self.state.in_flight_mitigation);
        let filled = !was_final && order.cum >= order.qty && !may_grow;
        if !was_final {
            order.status = if filled { Status::Filled } else { Status::PartiallyFilled };
        }
        let overfilled = order.cum > order.qty;
        if let Some(parent) = order.parent.and_then(|parent| self.state.parents.get_mut(parent)) {
            parent.cum = Qty(parent.cum.0.saturating_add(qty.0));
        }
        // What an order had reserved was given back when it ended: a fill after that counts anew.
        let hold = if was_final { None } else { self.hold(id, qty) };
        let delta = hold.as_ref().map_or(OpenDelta::default(), |hold| hold.delta);
        self.state.book(&touched, symbol, side, execution, delta);
        if was_new || filled {
            self.answered(id, if filled { Answer::Ended } else { Answer::New }, was_new);
        }
        self.executed(id, qty.0, price, execution.notional);
        if overfilled {
            self.suspend_excess(id, Some((qty, price)));
        }
        if was_final {
            self.state.counters.late_fills += 1;
            self.effects.push(Effect::Alarm(Alarm::LateFill(id)));
        }
        // More than was ordered, though a replace in flight may explain it.
        if overfilled && in_flight.is_none() {
            self.effects.push(Effect::Alarm(Alarm::Overfill(id)));
        }
        match hold {
            Some(hold) => self.release(id, &hold),
            None => self.count_late(id, execution.notional),
        }
        if filled {
            self.close(id);
        }
        Some(())
    }

    /// An order that had ended was filled.
    fn count_late(&mut self, id: OrderId, notional: i128) {
        if let Some(order) = self.state.orders.get(id) {
            let released = Released { touched: &order.touched, accepted_at: order.accepted_at, notional: -notional };
            self.checks.released(&released, &self.state);
        }
        self.count_asked(id);
    }

    /// A busted trade is taken back exactly. The order does not come back to life, and no halt is lifted by it. An order from
    /// before the day roll may have executed then: its bust takes nothing off today's turnover.
    fn bust(&mut self, id: OrderId, qty: Qty, price: Price) -> Option<()> {
        let order = self.state.orders.get(id)?;
        let reversal = self.reversal(order, qty, price)?;
        if !self.state.can_execute(&order.touched, reversal) {
            return None;
        }
        let order = self.state.orders.get_mut(id)?;
        order.cum = Qty(order.cum.0 - qty.0);
        order.cum_px_qty -= widening_mul(price.0, qty.0);
        if let Some(parent) = order.parent.and_then(|parent| self.state.parents.get_mut(parent)) {
            parent.cum = Qty(parent.cum.0 - qty.0);
        }
        let hold = self.hold(id, Qty::ZERO)?;
        self.state.book(&hold.touched, hold.symbol, hold.side, reversal, hold.delta);
        self.release(id, &hold);
        self.executed(id, -qty.0, price, reversal.notional);
        self.shrink_excess(id);
        Some(())
    }

    /// What takes an execution of an order back; `None` if it makes no sense.
    fn reversal(&self, order: &Order, qty: Qty, price: Price) -> Option<Execution> {
        let execution = self.execution(order, qty, price).filter(|_| order.cum >= qty)?;
        let turnover = if self.state.orders.is_carried(order.id) { 0 } else { execution.notional };
        Some(Execution { signed_qty: -execution.signed_qty, cash: -execution.cash, notional: -turnover })
    }

    /// An execution turns out to have been another one. What is wrong of it is taken back only if what is right fits: books
    /// without either would show less than there is.
    fn correct(&mut self, id: OrderId, wrong: (Qty, Price), right: (Qty, Price)) -> Option<()> {
        let order = self.state.orders.get(id)?;
        let (back, booked) = (self.reversal(order, wrong.0, wrong.1)?, self.execution(order, right.0, right.1)?);
        let both = Execution {
            signed_qty: back.signed_qty.checked_add(booked.signed_qty)?,
            cash: back.cash.checked_add(booked.cash)?,
            notional: back.notional.checked_add(booked.notional)?,
        };
        if !self.state.can_execute(&order.touched, both) {
            return None;
        }
        self.bust(id, wrong.0, wrong.1)?;
        self.fill(id, right.0, right.1)
    }

    /// The order can fill no more - as far as the venue says. Said twice, it changes nothing.
    pub(crate) fn finish(&mut self, id: OrderId, status: Status) {
        let Some(order) = self.state.orders.get_mut(id).filter(|order| order.is_open()) else { return };
        let first = order.status == Status::PendingNew;
        order.status = status;
        order.unknown = false;
        if self.state.orders.end_replace(id).is_some() {
            self.suspend_excess(id, None);
        }
        self.rehold(id);
        self.close(id);
        self.answered(id, if status == Status::Rejected { Answer::Rejected } else { Answer::Ended }, first);
    }

    /// A final order is forgotten wherever open ones are kept.
    fn close(&mut self, id: OrderId) {
        self.state.orders.close(id);
        self.settle_resting(id);
    }

    fn settle_resting(&mut self, id: OrderId) {
        if let Some(order) = self.state.orders.get(id) {
            self.state.resting.settle(&self.state.orders, order);
        }
    }

    fn replaced(&mut self, id: OrderId) -> Option<()> {
        let pending = self.state.orders.end_replace(id)?;
        self.venue_has(id);
        self.state.orders.put_in_force(id, &pending)?;
        let order = self.state.orders.get_mut(id)?;
        let filled = order.cum >= order.qty;
        order.status = match (filled, order.cum.0) {
            (true, _) => Status::Filled,
            (false, 0) => Status::New,
            (false, _) => Status::PartiallyFilled,
        };
        self.settle_resting(id);
        self.rehold(id);
        if let Some(order) = self.state.orders.get(id).filter(|order| order.px_risk != pending.px_risk) {
            self.revalue_at(order.id, pending.px_risk, pending.fx_risk);
        }
        if filled {
            self.close(id);
            self.answered(id, Answer::Ended, false);
        }
        Some(())
    }

    /// A replace was refused. It may have met an order that was filled, cancelled or never sent: what was reserved for it
    /// is gone already, and nothing is left to do.
    fn replace_refused(&mut self, id: OrderId) -> Option<()> {
        let Some(pending) = self.state.orders.end_replace(id) else { return Some(()) };
        self.suspend_excess(id, None);
        self.settle_resting(id);
        self.rehold(id);
        self.revalue_at(id, pending.px_before, pending.fx_before);
        let order = self.state.orders.get(id)?;
        if order.is_open() && order.cum >= order.qty {
            self.finish(id, Status::Filled);
        }
        Some(())
    }

    /// The reserved quantity stays, its risk price and its rate change.
    fn revalue_at(&mut self, id: OrderId, px_risk: Price, fx_risk: Rate) {
        let Some(order) = self.state.orders.get(id) else { return };
        let (touched, symbol, side) = (order.touched, order.symbol, order.side);
        let notional = |price, fx| self.state.notional(symbol, price, order.reserved, fx).map_or(0, |money| money.0);
        let change = notional(px_risk, fx_risk) - notional(order.px_risk, order.fx_risk);
        let delta = OpenDelta { qty: 0, notional: change, orders: 0 };
        if let Some(order) = self.state.orders.get_mut(id) {
            (order.px_risk, order.fx_risk) = (px_risk, fx_risk);
        }
        self.state.change_open(&touched, symbol, side, delta);
    }

    /// A cancel was refused. If the order is to go, the sweep of its halt tries again.
    fn cancel_refused(&mut self, id: OrderId) {
        let halts = &self.state.halts;
        let Some(order) = self.state.orders.get(id) else { return };
        let halted = halts.any() && order.touched.iter().any(|ix| halts.state(ix).cancels_resting());
        if !order.is_open() {
            return;
        }
        if halted {
            let touched = order.touched;
            self.count_refused_cancel(&touched);
            self.effects.push(Effect::Alarm(Alarm::CancelRefused(id)));
        }
        let now = self.state.now;
        if let Some(order) = self.state.orders.get_mut(id) {
            // Kept when halted: the next try waits for the retry interval.
            order.set_cancel_requested(halted.then_some(now));
        }
    }

    fn count_refused_cancel(&mut self, touched: &Touched) {
        let scopes = &self.state.scopes;
        for trip in self.state.halts.trips_mut().iter_mut().filter(|trip| trip.reinstated.is_none()) {
            if scopes.find(trip.scope).is_some_and(|ix| touched.iter().any(|touched| touched == ix)) {
                trip.cancels_refused += 1;
            }
        }
    }

    /// An execution of an order we never sent counts where it can be placed, and always raises an alarm.
    fn unknown_order(&mut self, report: &Report) -> Outcome {
        self.state.counters.unknown_orders += 1;
        self.effects.push(Effect::Alarm(Alarm::UnknownOrder(report.order)));
        if let (ReportKind::Trade { qty, price }, Some((symbol, side))) = (report.kind, report.instrument)
            && self.book_unmatched(report.order, symbol, side, qty, price).is_none()
        {
            self.state.counters.bad_reports += 1;
            self.effects.push(Effect::Alarm(Alarm::BadReport(report.order)));
        }
        Outcome::UnknownOrder
    }

    fn book_unmatched(&mut self, order: OrderId, symbol: SymbolId, side: Side, qty: Qty, price: Price) -> Option<()> {
        if qty.0 <= 0 || price.0 <= 0 {
            return None;
        }
        let cost = self.state.cost(symbol, price, qty)?;
        let execution = match self.state.rate(symbol) {
            Some(rate) => Execution::of(side, qty, cost, rate)?,
            // Of its turnover nothing can be told; as unmatched it is beyond every bound.
            None => Execution { notional: 0, ..Execution::of(side, qty, cost, Rate::ONE)? },
        };
        self.state.execute_unmatched(symbol, execution)?;
        self.suspend_unknown(order, symbol, execution);
        self.booked_unknown(order, symbol, qty, price);
        Some(())
    }

    /// A report that cannot be true: its account's positions are uncertain, so it takes no new risk. Not the firm: one
    /// malformed report must not stop everybody.
    fn bad_report(&mut self, id: OrderId) {
        self.state.counters.bad_reports += 1;
        self.effects.push(Effect::Alarm(Alarm::BadReport(id)));
        if let Some(order) = self.state.orders.get(id) {
            let scope = Scope::Account(order.account);
            let reject = Reject { scope: Some(scope), ..Reject::plain(&BAD_VENUE_REPORT) };
            self.trip(scope, HaltState::CancelOnly, reject, None);
        }
    }

    // ---- Link loss and reconciliation ----

    /// The link is lost: whatever was sent and not answered for good is unknown, and counted in full.
    pub(crate) fn venue_down(&mut self) -> Outcome {
        self.state.venue.up = false;
        self.state.venue.reconciled = false;
        self.for_open_orders(|order| order.unknown = true);
        Outcome::Applied
    }

    /// The link is up. If nothing was ever sent there is nothing to reconcile.
    pub(crate) fn venue_up(&mut self) -> Outcome {
        self.state.venue.up = true;
        self.state.venue.ever_up = true;
        self.state.venue.reconciled |= self.state.orders.open() == 0;
        self.state.venue.reconciliation += 1;
        if self.state.venue.reconciled {
            self.resume_sweeps();
        }
        Outcome::Applied
    }

    /// The venue has this order. Fills missed while the link was down come as reports of their own, replayed before the
    /// mass status; if the quantities differ even so, a person must look.
    pub(crate) fn mass_status_entry(&mut self, entry: &MassStatusEntry) -> Outcome {
        let reconciliation = self.state.venue.reconciliation;
        let Some(order) = self.state.orders.get_mut(entry.order) else {
            self.state.counters.unknown_orders += 1;
            self.effects.push(Effect::Alarm(Alarm::UnknownOrder(entry.order)));
            return Outcome::UnknownOrder;
        };
        order.unknown = false;
        order.seen_in = reconciliation;
        self.venue_has(entry.order);
        let Some(order) = self.state.orders.get(entry.order) else { return Outcome::UnknownOrder };
        let contradicts = !order.is_open() && entry.leaves.0 > 0;
        if order.cum != entry.cum || !order.is_open() {
            self.effects.push(Effect::Alarm(Alarm::Mismatch(entry.order)));
        }
        if contradicts {
            // It rests though its exposure was given back: it must go, and its account takes no new risk before a
            // person has looked.
            self.bad_report(entry.order);
            self.effects.push(Effect::SendCancel(entry.order));
        }
        Outcome::Reported(entry.order)
    }

    /// Orders absent from a complete status are released if the venue had processed their message, or has fenced the link
    /// they were sent on. A time-out is never evidence: others stay unknown, counted in full.
    pub(crate) fn mass_status_end(&mut self, end: &MassStatusEnd) -> Outcome {
        if !end.complete || !self.state.venue.up {
            return Outcome::Applied;
        }
        let reconciliation = self.state.venue.reconciliation;
        let mut released = alloc::vec::Vec::new();
        self.for_open_orders(|order| {
            let processed = order.venue_client_seq <= end.last_client_seq_processed || end.fenced;
            if order.unknown && processed && order.seen_in != reconciliation {
                released.push(order.id);
            }
        });
        for id in released {
            self.finish(id, Status::Canceled);
            self.effects.push(Effect::Released(id));
        }
        self.state.venue.reconciled = true;
        self.resend_cancels();
        self.resume_sweeps();
        Outcome::Applied
    }

    /// The order provably did not leave this process.
    pub(crate) fn not_sent(&mut self, id: OrderId) -> Outcome {
        self.finish(id, Status::Canceled);
        self.effects.push(Effect::Released(id));
        Outcome::Applied
    }

    pub(crate) fn for_open_orders(&mut self, mut act: impl FnMut(&mut Order)) {
        let ids: alloc::vec::Vec<OrderId> = self.open_order_ids();
        for id in ids {
            if let Some(order) = self.state.orders.get_mut(id) {
                act(order);
            }
        }
    }
}
