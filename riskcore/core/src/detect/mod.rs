//! Pinpointing the culprit: what each router did last, what it shows that its peers do not, and the evidence of each halt.
//!
//! Everything here watches and tells. It sees each event after it was decided, refuses nothing and halts nothing; what it
//! keeps is bounded, and on the order path it costs a few counters.

pub mod divergence;
pub mod evidence;
pub mod findings;
pub mod first_seen;
pub mod pace;
pub mod trail;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::checks::Checks;
use crate::checks::parent_child::PARENT_OVERFILL;
use crate::events::{Event, NameKind, NewOrder, Report, ReportKind};
use crate::hash::FoldHasher;
use crate::ids::{ClOrdId, OrderId, ParentId, RouterId, VenueTextId};
use crate::orders::Order;
use crate::outcome::{Effect, Outcome, Reject};
use crate::reasons::MALFORMED;
use crate::scopes::ScopeIx;
use crate::state::State;
use crate::units::{Nanos, Price, checked_product, widening_mul};

use divergence::{Divergence, LOOK};
use evidence::{Evidence, MAX_EVIDENCE, MAX_PER_EVENT};
use findings::Findings;
use first_seen::{FirstSeen, Seen, is_consequence};
use pace::Pace;
use trail::{Step, Trails, What};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Detect {
    /// What each router did last.
    pub trails: Trails,
    /// What each router showed first.
    pub first_seen: FirstSeen,
    /// How each router stands among its peers.
    pub divergence: Divergence,
    /// What a person should look at.
    pub findings: Findings,
    /// How fast money is lost.
    pub pace: Pace,
    evidence: VecDeque<Evidence>,
    looked_at: Option<Nanos>,
}

impl Detect {
    /// A detector of an engine that has only its firm.
    pub fn new() -> Detect {
        let mut detect = Detect::default();
        detect.pace.add_scope(ScopeIx::FIRM);
        detect
    }

    /// The evidence of a halt, while it is held.
    pub fn evidence(&self, trip: u64) -> Option<&Evidence> {
        self.evidence.iter().rev().find(|evidence| evidence.trip == trip)
    }

    /// Sees an event that was applied, with what came of it.
    #[inline]
    pub(crate) fn see(&mut self, event: &Event, outcome: &Outcome, state: &State, effects: &mut Vec<Effect>) {
        match (event, outcome) {
            (Event::NewOrder(order), outcome) => self.order(order, outcome, state.now),
            (Event::Report(report), outcome) => self.report(report, outcome, state),
            (Event::Tick { .. } | Event::CheckOrder(_), _) => {}
            (Event::Timer, _) => self.turn(state, effects),
            (event, outcome) => self.rare(event, outcome, state),
        }
    }

    /// The same of a new order, of which there are more than of all others.
    #[inline(always)]
    pub(crate) fn order(&mut self, order: &NewOrder, outcome: &Outcome, now: Nanos) {
        let (what, id, reason) = match outcome {
            Outcome::Accepted(id) => (What::Order, Some(*id), None),
            Outcome::Duplicate(id) => (What::Resend, Some(*id), None),
            Outcome::Rejected(reject) => (What::OrderRefused, None, Some(reject.reason)),
            _ => return,
        };
        let step = Step {
            time: now,
            what,
            order: id,
            client_seq: order.client_seq,
            symbol: order.symbol.known(),
            side: Some(order.side),
            qty: order.qty.0,
            price: order.price,
            reason,
        };
        self.trails.note(order.router, step);
        if what == What::Resend {
            return;
        }
        self.first_seen.order(order, now);
        self.divergence.attempts(order.router, 1, order.parent.known());
        if let Outcome::Rejected(reject) = outcome {
            self.refused(order.router, reject, Some((order.cl_ord_id, order.parent.known())), now);
        }
    }

    fn refused(&mut self, router: RouterId, reject: &Reject, of: Option<(ClOrdId, Option<ParentId>)>, now: Nanos) {
        if !is_consequence(reject.reason) {
            self.first_seen.see(Seen::Refusal(reject.reason), router, 1, of, now);
            self.divergence.refused(router, reject.reason.code == PARENT_OVERFILL.code);
        }
    }

    fn report(&mut self, report: &Report, outcome: &Outcome, state: &State) {
        let Outcome::Reported(id) = outcome else { return };
        let Some(order) = state.orders.get(*id) else { return };
        let mut step = of_order(order, state.now, What::Gone);
        step.client_seq = 0;
        match report.kind {
            ReportKind::New => step.what = What::Acknowledged,
            ReportKind::Trade { qty, price } => {
                (step.what, step.qty, step.price) = (What::Trade, qty.0, Some(price));
                self.divergence.traded(order.router, qty.0, cost(order, qty.0, price, state), unmatched(order, state));
            }
            ReportKind::TradeCancel { qty, price } | ReportKind::TradeCorrect { qty, price, .. } => {
                (step.what, step.qty, step.price) = (What::TradeChanged, qty.0, Some(price));
            }
            ReportKind::Rejected { text } => {
                step.what = What::VenueRejected;
                self.venue_rejected(order, text, state.now);
            }
            ReportKind::Replaced => step.what = What::Replaced,
            ReportKind::CancelRejected | ReportKind::ReplaceRejected => step.what = What::VenueRefused,
            ReportKind::Canceled | ReportKind::Expired | ReportKind::DoneForDay => {}
        }
        self.trails.note(order.router, step);
    }

    /// The venue's words count as much as our own reasons, and without words there is nothing to tell apart.
    fn venue_rejected(&mut self, order: &Order, text: Option<VenueTextId>, now: Nanos) {
        self.divergence.refused(order.router, false);
        if let Some(text) = text {
            let of = Some((order.cl_ord_id, order.parent));
            self.first_seen.see(Seen::VenueReject(text), order.router, 1, of, now);
        }
    }

    /// Events that are not many a second.
    #[cold]
    fn rare(&mut self, event: &Event, outcome: &Outcome, state: &State) {
        let now = state.now;
        match event {
            Event::Replace(replace) => {
                let (what, id, reject) = match outcome {
                    Outcome::ReplaceAccepted(id) => (What::Replace, Some(*id), None),
                    Outcome::ReplaceRejected(id, _, reject) => (What::ReplaceRefused, *id, *reject),
                    _ => return,
                };
                let mut step = about(id, state, now, what);
                (step.client_seq, step.qty, step.price) = (replace.client_seq, replace.qty.0, replace.price);
                step.reason = reject.map(|reject| reject.reason);
                self.trails.note(replace.router, step);
                if let Some(reject) = reject {
                    let parent = id.and_then(|id| state.orders.get(id)).and_then(|order| order.parent);
                    self.refused(replace.router, &reject, Some((replace.cl_ord_id, parent)), now);
                }
            }
            Event::Cancel(cancel) => {
                let (Outcome::CancelAccepted(id) | Outcome::CancelRejected(Some(id), _)) = outcome else { return };
                let step = Step { client_seq: cancel.client_seq, ..about(Some(*id), state, now, What::Cancel) };
                self.trails.note(cancel.router, step);
            }
            Event::MassCancel(request) => {
                let step = Step {
                    client_seq: request.client_seq,
                    symbol: request.symbol,
                    ..Step::plain(now, What::MassCancel)
                };
                self.trails.note(request.router, step);
            }
            Event::Malformed { router, client_seq } => {
                let reason = Some(&MALFORMED);
                let step = Step { client_seq: *client_seq, reason, ..Step::plain(now, What::Malformed) };
                self.trails.note(*router, step);
                self.divergence.attempts(*router, 1, None);
                self.refused(*router, &Reject::plain(&MALFORMED), None, now);
            }
            Event::AttemptsDropped { router, count, last_client_seq, .. } => {
                let step =
                    Step { client_seq: *last_client_seq, qty: i64::from(*count), ..Step::plain(now, What::Dropped) };
                self.trails.note(*router, step);
                self.divergence.attempts(*router, *count, None);
            }
            Event::SessionUp { router } => self.trails.note(*router, Step::plain(now, What::SessionUp)),
            Event::SessionDown { router, .. } => self.trails.note(*router, Step::plain(now, What::SessionDown)),
            Event::ParentOpen { .. } => {
                if let Outcome::Parent(parent) = outcome {
                    self.divergence.add_parent(*parent);
                }
            }
            Event::Define { kind, .. } if *outcome == Outcome::Applied => self.define(*kind, state),
            Event::SecurityGroup { symbol, group } if *outcome == Outcome::Applied => {
                self.first_seen.put_in_group(*symbol, *group);
            }
            Event::Known { seen } => self.first_seen.known(*seen, now),
            Event::DayRoll { .. } if *outcome == Outcome::Applied => {
                self.first_seen.day_roll(&self.findings);
                self.findings.day_roll();
                self.divergence.day_roll();
            }
            _ => {}
        }
    }

    fn define(&mut self, kind: NameKind, state: &State) {
        if matches!(kind, NameKind::VenueText | NameKind::SecurityGroup) {
            return;
        }
        match kind {
            NameKind::Router => {
                self.trails.add_router();
                self.first_seen.add_router();
                self.divergence.add_router();
            }
            NameKind::Strategy => self.first_seen.add_strategy(),
            NameKind::Account
            | NameKind::Symbol
            | NameKind::Currency
            | NameKind::VenueText
            | NameKind::SecurityGroup => {}
        }
        // The newest scope is the one of this name.
        let ix = ScopeIx(state.scopes.len() as u32 - 1);
        if Pace::covers(state.scopes.at(ix).kind()) {
            self.pace.add_scope(ix);
        }
    }

    fn turn(&mut self, state: &State, effects: &mut Vec<Effect>) {
        self.pace.turn(state);
        if self.looked_at.is_some_and(|at| state.now.since(at) < LOOK) {
            return;
        }
        self.looked_at = Some(state.now);
        self.first_seen.look(&mut self.findings, effects, state.now);
        self.divergence.look(&mut self.findings, effects, state.now);
    }

    /// Keeps the evidence of the halts that an event has latched.
    #[cold]
    pub(crate) fn keep_evidence(&mut self, before: usize, checks: &Checks, state: &State) {
        for trip in state.halts.trips().iter().skip(before).take(MAX_PER_EVENT) {
            if self.evidence.len() == MAX_EVIDENCE {
                self.evidence.pop_front();
            }
            let evidence = evidence::capture(trip, self, checks, state);
            self.evidence.push_back(evidence);
        }
    }

    /// Feeds the state hash: open findings keep the readiness gate red.
    pub(crate) fn digest(&self, hasher: &mut FoldHasher) {
        self.first_seen.digest(hasher);
        self.divergence.digest(hasher);
        self.findings.digest(hasher);
    }
}

/// A step about an order, in the order's own terms.
fn of_order(order: &Order, now: Nanos, what: What) -> Step {
    Step {
        time: now,
        what,
        order: Some(order.id),
        client_seq: order.client_seq,
        symbol: Some(order.symbol),
        side: Some(order.side),
        qty: order.qty.0,
        price: order.price,
        reason: None,
    }
}

/// The same, of an order that may not be known.
fn about(id: Option<OrderId>, state: &State, now: Nanos, what: What) -> Step {
    id.and_then(|id| state.orders.get(id)).map_or(Step::plain(now, what), |order| of_order(order, now, what))
}

/// What an execution cost against the mid, 1e-9 of the base currency; nothing without a market.
fn cost(order: &Order, qty: i64, price: Price, state: &State) -> i128 {
    let Some((bid, ask)) = state.markets[order.symbol.index()].touch() else { return 0 };
    let mid = i128::from(bid.0) + (i128::from(ask.0) - i128::from(bid.0)) / 2;
    let per_unit = (i128::from(price.0) - mid) * i128::from(order.side.sign());
    let units = widening_mul(qty, state.multiplier(order.symbol));
    let own = checked_product(per_unit, units).unwrap_or_else(|| per_unit.saturating_mul(units));
    state.loss_in_base(order.symbol, own).unwrap_or(0)
}

/// Whether an execution, now booked, had no open quantity to fill.
fn unmatched(order: &Order, state: &State) -> bool {
    let late = !matches!(order.status, crate::orders::Status::PartiallyFilled | crate::orders::Status::Filled);
    late || order.cum > order.qty && state.orders.pending_replace(order.id).is_none()
}
