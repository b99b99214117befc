//! U2: what the venue's drop copy says was executed must be what was booked here, order by order. Source: FIA 2024, drop copy
//! reconciliation; RTS 6 Art. 17(3)-(4) (reconcile own records with those of trading venues in real time); rules.md U2.
//!
//! The drop copy is a second, independent account of every execution. It may run ahead of the order session or behind it; per
//! order the difference is followed, in quantity and in value, and counts as a lag since the side that is behind last caught
//! up with where the other had been. A lag beyond the bound says that one of the two accounts is wrong: positions are
//! uncertain, so the account takes no new risk, and at the firm's bound nobody does. The same goes for a drop copy that is
//! away for as long, or has lost copies for good. Nothing is corrected: which side is right is for people to find out.
//!
//! Followed from the first event of a drop copy on; a gateway without one pays nothing. Orders of an earlier run of the
//! gateway, which it does not remember, are not compared.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::Hasher;
use hashbrown::HashMap;

use super::{Check, Fill, Look, Measure, id};
use crate::hash::{FoldHasher, Seeded};
use crate::ids::{OrderId, RouterId, SymbolId};
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{Nanos, Price, saturating_sum, widening_mul};
use crate::watchlist::Causes;

reasons! { REASONS:
    DROP_COPY_MISMATCH = 343, ALGORITHM_RISK_THRESHOLD,
        "The venue's drop copy and this gateway differ about an execution for too long; the alarm names order and quantities.";
    DROP_COPY_LOST = 344, ALGORITHM_RISK_THRESHOLD,
        "The venue's drop copy is away, or has lost copies for good: executions cannot be checked against it.";
}

/// How long both accounts may differ.
pub static DROP_COPY_MAX_LAG: LimitDef = LimitDef {
    code: 205,
    name: "drop_copy_max_lag",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Firm, ScopeKind::Account]),
    required_at: 0,
    min: 0,
    judges: Judges::Events,
    action: Action::CancelOnly,
    doc: "How long drop copy and order session may differ about an order's executions, or the drop copy be away.",
};

/// Differences that are followed at once; with one more, nothing can be said any longer.
const MAX_DIFFERENCES: usize = 65_536;

/// An order about which both accounts differ.
#[derive(Clone, Copy, Debug)]
struct Difference {
    /// Quantity copied less quantity booked.
    ahead: i64,
    /// The same in value, 1e-9 of money without multiplier.
    value: i128,
    /// What the side that is behind has yet to make up of the difference as it was at `since`.
    owed: i64,
    /// When it was last level with where the other side had been.
    since: Nanos,
    /// The quantities were level and the values were not: one execution has two prices, which no later one makes good.
    mispriced: bool,
    account: Option<ScopeIx>,
    symbol: Option<SymbolId>,
}

impl Difference {
    /// Moves one side; `true` if the lag starts anew.
    fn shift(&mut self, qty: i64, value: i128) -> bool {
        let was_level = self.ahead == 0;
        self.ahead = self.ahead.saturating_add(qty);
        self.value = saturating_sum(self.value, value);
        if (qty > 0) != (self.owed > 0) {
            self.owed = self.owed.saturating_add(qty);
        }
        let caught_up = self.owed == 0 || (self.owed > 0) != (self.ahead > 0);
        if was_level || caught_up {
            self.owed = self.ahead;
        }
        let was_mispriced = self.mispriced;
        self.mispriced |= self.ahead == 0 && self.value != 0;
        (was_level || caught_up) && !was_mispriced
    }
}

/// The differences that concern one scope, oldest first.
struct Watched {
    lag: Nanos,
    /// Some may have been settled, or have started anew, since they were put here.
    queue: VecDeque<(Nanos, OrderId)>,
    /// Those that have lasted too long; some may have been settled since.
    overdue: VecDeque<(Nanos, OrderId)>,
}

/// A difference that has lasted too long, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The order.
    pub order: OrderId,
    /// Its instrument, where known.
    pub symbol: Option<SymbolId>,
    /// Quantity copied less quantity booked.
    pub ahead: i64,
}

/// See the module.
pub struct DropCopy {
    /// There is a drop copy to compare with.
    expected: bool,
    last_seq: u64,
    /// Since when it has been away.
    down_since: Option<Nanos>,
    /// Since when copies are lost for good, or more differ than can be followed.
    lost_since: Option<Nanos>,
    differences: HashMap<OrderId, Difference, Seeded>,
    /// When somebody last looked, one of them had lasted too long.
    any_overdue: bool,
    /// All differences, oldest first; a limit that is set later begins with them.
    all: VecDeque<(Nanos, OrderId)>,
    /// Firm and accounts that have a limit.
    scopes: Vec<Option<Box<Watched>>>,
    news: Vec<Mismatch>,
}

impl Default for DropCopy {
    fn default() -> DropCopy {
        DropCopy {
            expected: false,
            last_seq: 0,
            down_since: None,
            lost_since: None,
            // The keys are our own numbers: nobody else can choose colliding ones.
            differences: HashMap::with_hasher(Seeded(0)),
            any_overdue: false,
            all: VecDeque::new(),
            scopes: Vec::new(),
            news: Vec::new(),
        }
    }
}

/// Puts a difference at the end of a queue. What is settled is cleared away when it makes up more than half.
#[inline]
fn put(
    queue: &mut VecDeque<(Nanos, OrderId)>,
    differences: &HashMap<OrderId, Difference, Seeded>,
    since: Nanos,
    order: OrderId,
) {
    if queue.len() > 2 * differences.len() + 64 {
        clear_away(queue, differences);
    }
    queue.push_back((since, order));
}

#[cold]
fn clear_away(queue: &mut VecDeque<(Nanos, OrderId)>, differences: &HashMap<OrderId, Difference, Seeded>) {
    queue.retain(|(since, order)| lasts(differences, *since, *order));
}

/// Whether a difference that was put into a queue is there yet, and has not started anew.
fn lasts(differences: &HashMap<OrderId, Difference, Seeded>, since: Nanos, order: OrderId) -> bool {
    differences.get(&order).is_some_and(|difference| difference.since == since)
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the next one.
    Next,
    /// It had been seen.
    Duplicate,
    /// Copies from this one on are missing before it.
    Gap(u64),
}

impl DropCopy {
    /// The number of the last copy.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Since when the drop copy has been away; `None` while it is there, or none is expected.
    pub fn down_since(&self) -> Option<Nanos> {
        self.down_since
    }

    /// Orders about which both accounts differ at the moment.
    pub fn differences(&self) -> usize {
        self.differences.len()
    }

    /// The drop copy is there. `restarted`: its numbers start again, and copies after the last one are lost.
    pub fn up(&mut self, now: Nanos, restarted: bool) {
        self.expected = true;
        self.down_since = None;
        if restarted {
            self.last_seq = 0;
            self.lost_since.get_or_insert(now);
        }
    }

    /// The drop copy is away, or not there yet.
    pub fn down(&mut self, now: Nanos) {
        self.expected = true;
        self.down_since.get_or_insert(now);
    }

    /// Takes a copy's place in the sequence. The first one of a day may have any number: what came before is not held any
    /// more, and was executed before this gateway had sent an order.
    pub fn take(&mut self, drop_seq: u64) -> Taken {
        if drop_seq <= self.last_seq {
            return Taken::Duplicate;
        }
        if self.last_seq != 0 && drop_seq != self.last_seq + 1 {
            return Taken::Gap(self.last_seq + 1);
        }
        self.last_seq = drop_seq;
        Taken::Next
    }

    /// The drop copy tells of an execution.
    pub fn copied(&mut self, place: Place, qty: i64, price: Price, now: Nanos) {
        self.differ(place, qty, widening_mul(qty, price.0), now);
    }

    /// An execution was booked.
    pub fn booked(&mut self, place: Place, qty: i64, price: Price, now: Nanos) {
        if self.expected {
            self.differ(place, qty.saturating_neg(), widening_mul(qty, price.0).saturating_neg(), now);
        }
    }

    fn differ(&mut self, place: Place, qty: i64, value: i128, now: Nanos) {
        if self.differences.len() >= MAX_DIFFERENCES && !self.differences.contains_key(&place.order) {
            self.lost_since.get_or_insert(now);
            return;
        }
        let new =
            Difference { ahead: 0, value: 0, owed: 0, since: now, mispriced: false, account: place.account, symbol: place.symbol };
        let difference = self.differences.entry(place.order).or_insert(new);
        let starts = difference.shift(qty, value);
        if difference.ahead == 0 && difference.value == 0 {
            self.differences.remove(&place.order);
            return;
        }
        if starts {
            difference.since = now;
            let account = difference.account;
            self.follow(place.order, account, now);
        }
    }

    #[inline]
    fn follow(&mut self, order: OrderId, account: Option<ScopeIx>, since: Nanos) {
        let differences = &self.differences;
        put(&mut self.all, differences, since, order);
        for ix in [Some(ScopeIx::FIRM), account].into_iter().flatten() {
            let Some(Some(watched)) = self.scopes.get_mut(ix.at()) else { continue };
            if differences.len() == 1 {
                // This one: whatever was put here before is settled, and nobody need look.
                watched.queue.clear();
            }
            put(&mut watched.queue, differences, since, order);
        }
    }

    /// The differences of a scope, oldest first.
    fn differences_of(&self, ix: ScopeIx) -> VecDeque<(Nanos, OrderId)> {
        let concerns = |(since, order): &(Nanos, OrderId)| {
            let difference = self.differences.get(order).filter(|difference| difference.since == *since);
            difference.is_some_and(|difference| ix == ScopeIx::FIRM || difference.account == Some(ix))
        };
        self.all.iter().copied().filter(concerns).collect()
    }

    /// The first in a queue that still differs: since when.
    fn oldest<'a>(&self, queue: impl IntoIterator<Item = &'a (Nanos, OrderId)>) -> Option<Nanos> {
        queue.into_iter().find(|(since, order)| lasts(&self.differences, *since, *order)).map(|(since, _)| *since)
    }

    /// Whether both accounts agree, or have not differed for longer than this. Where no drop copy is expected there is
    /// nothing to disagree about.
    pub fn agrees(&self, now: Nanos, longest: Nanos) -> bool {
        let since = self.uncertain_since().is_none().then(|| self.oldest(&self.all));
        !self.expected || since.is_some_and(|since| since.is_none_or(|since| now.since(since) <= longest))
    }

    /// Since when nothing has been certain.
    fn uncertain_since(&self) -> Option<Nanos> {
        self.down_since.into_iter().chain(self.lost_since).min()
    }

    /// Whether there is anything to hold against the bound of a scope: differences that have lasted too long, or a drop copy
    /// that is away.
    #[inline]
    fn is_doubtful(&self, ix: ScopeIx) -> bool {
        let overdue = matches!(self.scopes.get(ix.at()), Some(Some(watched)) if !watched.overdue.is_empty());
        overdue || ix == ScopeIx::FIRM && self.uncertain_since().is_some()
    }

    /// Differences that have lasted too long since the last call.
    pub fn take_news(&mut self) -> Option<Mismatch> {
        self.news.pop()
    }

    /// Moves the differences that have lasted too long off the queue of a scope; whether there are any.
    fn look(&mut self, ix: ScopeIx, now: Nanos) -> bool {
        let (differences, news) = (&self.differences, &mut self.news);
        let Some(Some(watched)) = self.scopes.get_mut(ix.at()) else { return false };
        while let Some((since, order)) = watched.queue.front().copied() {
            let current = differences.get(&order).filter(|difference| difference.since == since);
            if current.is_some() && now.since(since) <= watched.lag {
                break;
            }
            watched.queue.pop_front();
            if let Some(difference) = current {
                put(&mut watched.overdue, differences, since, order);
                let told = Mismatch { order, symbol: difference.symbol, ahead: difference.ahead };
                if !news.contains(&told) {
                    news.push(told);
                }
            }
        }
        while watched.overdue.front().is_some_and(|(since, order)| !lasts(differences, *since, *order)) {
            watched.overdue.pop_front();
        }
        let overdue = !watched.overdue.is_empty();
        self.any_overdue |= overdue;
        overdue
    }
}

/// The order of an execution, and where it counts.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The order.
    pub order: OrderId,
    /// Its account, where known.
    pub account: Option<ScopeIx>,
    /// Its instrument, where known.
    pub symbol: Option<SymbolId>,
}

impl Check for DropCopy {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::EXECUTED.and(Causes::WAITED);

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.scopes.len() <= ix.at() {
            self.scopes.resize_with(ix.at() + 1, || None);
        }
        let lag = limits.get(id::DROP_COPY_MAX_LAG).map(|ns| Nanos(i64::try_from(ns).unwrap_or(i64::MAX)));
        match (self.scopes[ix.at()].as_mut(), lag) {
            (_, None) => self.scopes[ix.at()] = None,
            (Some(watched), Some(lag)) => watched.lag = lag,
            (None, Some(lag)) => {
                let queue = self.differences_of(ix);
                self.scopes[ix.at()] = Some(Box::new(Watched { lag, queue, overdue: VecDeque::new() }));
            }
        }
    }

    fn executed(&mut self, fill: &Fill<'_>, state: &State) -> u8 {
        if !self.expected {
            return 0;
        }
        let (order, touched) = (fill.order, &fill.order.touched);
        let place = Place { order: order.id, account: Some(touched.account()), symbol: Some(order.symbol) };
        self.booked(place, fill.qty, fill.price, state.now);
        if !self.any_overdue && self.uncertain_since().is_none() {
            return 0;
        }
        u8::from(self.is_doubtful(ScopeIx::FIRM)) << Touched::FIRM
            | u8::from(self.is_doubtful(touched.account())) << Touched::ACCOUNT
    }

    fn turn(&mut self, state: &State, watch: &mut Vec<ScopeIx>) {
        if !self.expected {
            return;
        }
        self.any_overdue = false;
        for n in 0..self.scopes.len() {
            let ix = ScopeIx(n as u32);
            if self.look(ix, state.now) {
                watch.push(ix);
            }
        }
        if self.uncertain_since().is_some() {
            watch.push(ScopeIx::FIRM);
        }
    }

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, state, .. } = *look;
        let Some(Some(watched)) = self.scopes.get(ix.at()).filter(|_| self.is_doubtful(ix)) else { return };
        let (limit, bound) = (id::DROP_COPY_MAX_LAG, i128::from(watched.lag.0));
        let differs = self.oldest(&watched.overdue).map(|since| (since, &DROP_COPY_MISMATCH));
        let away = self.uncertain_since().filter(|_| ix == ScopeIx::FIRM).map(|since| (since, &DROP_COPY_LOST));
        for (since, reason) in differs.into_iter().chain(away) {
            let measure = Measure { ix, limit, bound, value: state.now.since(since).0.into(), reason };
            if measure.is_over() {
                see(measure);
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        if limit != id::DROP_COPY_MAX_LAG {
            return None;
        }
        let watched = self.scopes.get(ix.at())?.as_ref()?;
        let since = self.oldest(watched.overdue.iter().chain(&watched.queue));
        let mut lag = since.map_or(0, |since| state.now.since(since).0);
        if let Some(since) = self.uncertain_since().filter(|_| ix == ScopeIx::FIRM) {
            lag = lag.max(state.now.since(since).0);
        }
        Some(lag.into())
    }

    /// Copies that are lost for good never come: whoever reinstates the firm has looked at what they were. Differences of
    /// orders stay, and halt again.
    fn reinstated(&mut self, ix: ScopeIx, _router: Option<RouterId>) {
        if ix == ScopeIx::FIRM {
            self.lost_since = None;
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        hasher.write_u64(self.last_seq);
        for since in [self.down_since, self.lost_since] {
            hasher.write_u64(since.map_or(0, |since| since.0 as u64));
        }
        hasher.write_u64(self.differences.len() as u64);
        for (since, order) in &self.all {
            let ahead = self.differences.get(order).map_or(0, |difference| difference.ahead);
            hasher.write_u64(since.0 as u64 ^ order.0);
            hasher.write_u64(ahead as u64);
        }
        for (_, order) in self.scopes.iter().flatten().flat_map(|watched| &watched.overdue) {
            hasher.write_u64(order.0);
        }
    }
}
