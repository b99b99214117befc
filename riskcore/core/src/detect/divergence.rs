//! A5: a router that differs from its peers, leave-one-out, in integers.
//!
//! Every 100 ms each active router is held against the median of the other active ones, signal by signal. It differs if it
//! is over the signal's floor, over eight times that median, and over it by ten times the median absolute deviation of
//! the peers. A burst that lifts all routers at once lifts the median with them; floors keep small numbers quiet
//! (calibrated on the healthy flow of the replay, whose openings are 20 times its normal rate). Signals other than
//! excess attempts and unmatched executions must say so three times in a row.
//!
//! This only tells. Statistics can be wrong about a healthy router; what may halt are hard caps.
//!
//! On the order path it costs two counters. A look costs routers times signals, sorted.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::findings::{About, Finding, Findings};
use super::first_seen::LEAST_FLEET;
use crate::hash::FoldHasher;
use crate::ids::{ParentId, RouterId};
use crate::outcome::Effect;
use crate::units::{Nanos, UNIT};

/// Time between two looks.
pub const LOOK: Nanos = Nanos::from_millis(100);

/// Looks in the short and the long window: one second and ten.
const SHORT: usize = 10;
const LONG: usize = 100;

/// Looks in a row before a router that differs is told of.
const PERSISTS: u8 = 3;

/// How long a router must be like its peers before it can be found anew.
const RECOVERED: Nanos = Nanos::from_secs(60);

/// Over the peers' median by this factor, and by so many deviations.
const RATIO: i128 = 8;
const DEVIATIONS: i128 = 10;

/// In what a router can differ. The order is that of their weight: the first is said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Signal {
    /// Orders beyond their parent's quantity, in ten seconds.
    ExcessAttempts,
    /// Executions of orders that were final or full, in ten seconds.
    UnmatchedExecutions,
    /// What its executions lost against the mid, per share, in ten seconds; 1e-9.
    LossPerShare,
    /// Attempts per parent today, in thousandths.
    ChildrenPerParent,
    /// Orders refused of those sent, in ten seconds; basis points. Refusals by a halt do not count.
    RejectRate,
    /// Orders sent in one second.
    Orders,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Signal; 6] = [
        Signal::ExcessAttempts,
        Signal::UnmatchedExecutions,
        Signal::LossPerShare,
        Signal::ChildrenPerParent,
        Signal::RejectRate,
        Signal::Orders,
    ];

    /// Its name in metrics and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Signal::ExcessAttempts => "excess_attempts",
            Signal::UnmatchedExecutions => "unmatched_executions",
            Signal::LossPerShare => "loss_per_share",
            Signal::ChildrenPerParent => "children_per_parent",
            Signal::RejectRate => "reject_rate",
            Signal::Orders => "orders",
        }
    }

    /// Below this nobody differs.
    const fn floor(self) -> i64 {
        match self {
            Signal::ExcessAttempts | Signal::UnmatchedExecutions => 3,
            Signal::LossPerShare => UNIT / 100,
            Signal::ChildrenPerParent => 50_000,
            Signal::RejectRate => 2_000,
            Signal::Orders => 100,
        }
    }

    const fn persists(self) -> u8 {
        match self {
            Signal::ExcessAttempts | Signal::UnmatchedExecutions => 1,
            _ => PERSISTS,
        }
    }
}

/// Fewer executions, orders refused or attempts than this say nothing about a ratio.
const LEAST_TRADES: u64 = 100;
const LEAST_REFUSED: u64 = 20;
const LEAST_CHILDREN: u64 = 100;

/// Sums since the day began.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    attempts: u64,
    children: u64,
    parents: u64,
    refused: u64,
    excess: u64,
    unmatched: u64,
    trades: u64,
    shares: u64,
    /// What executions cost against the mid, 1e-9; negative where they gained.
    cost: i128,
}

/// How a router stands in one signal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// Its value, in the signal's unit.
    pub value: i64,
    /// The median of its peers.
    pub peers: i64,
    differs: u8,
    last: Option<Nanos>,
    finding: Option<u64>,
}

impl Standing {
    /// The value in hundredths of the peers' median, or of the signal's floor if that is more: 100 is like the others.
    pub fn percent_of_peers(&self, signal: Signal) -> u64 {
        let base = i128::from(self.peers.max(signal.floor()));
        u64::try_from(i128::from(self.value.max(0)) * 100 / base).unwrap_or(u64::MAX)
    }
}

/// One router.
#[derive(Clone, Debug)]
struct Flow {
    now: Sums,
    /// The sums at the last `LONG` looks.
    past: Box<[Sums; LONG]>,
    standings: [Standing; Signal::ALL.len()],
}

impl Flow {
    fn new() -> Flow {
        Flow { now: Sums::default(), past: Box::new([Sums::default(); LONG]), standings: Default::default() }
    }
}

/// All routers.
#[derive(Clone, Debug, Default)]
pub struct Divergence {
    flows: Vec<Flow>,
    /// Per parent: the routers that have sent a child of it, as bits; those from 64 on share the last.
    seen_by: Vec<u64>,
    /// Where the sums of this look go in `past`.
    next: usize,
    sorted: Vec<(i64, usize)>,
    deviations: Vec<i64>,
}

impl Divergence {
    pub(super) fn add_router(&mut self) {
        self.flows.push(Flow::new());
        self.sorted.reserve(self.flows.len());
        self.deviations.reserve(self.flows.len());
    }

    /// The OMS registered a parent: room for who works it.
    pub(super) fn add_parent(&mut self, parent: ParentId) {
        if self.seen_by.len() <= parent.index() {
            self.seen_by.resize(parent.index() + 1, 0);
        }
    }

    fn sums(&mut self, router: RouterId) -> Option<&mut Sums> {
        self.flows.get_mut(router.index()).map(|flow| &mut flow.now)
    }

    /// Attempts to place an order, of a parent if it names a known one.
    #[inline]
    pub(super) fn attempts(&mut self, router: RouterId, count: u32, parent: Option<ParentId>) {
        let first = parent.and_then(|parent| self.seen_by.get_mut(parent.index())).map(|seen| {
            let bit = 1 << router.0.min(63);
            let first = *seen & bit == 0;
            *seen |= bit;
            first
        });
        let Some(sums) = self.sums(router) else { return };
        sums.attempts += u64::from(count);
        if let Some(first) = first {
            sums.children += u64::from(count);
            sums.parents += u64::from(first);
        }
    }

    /// An order was refused, and not because of a halt.
    pub(super) fn refused(&mut self, router: RouterId, excess: bool) {
        if let Some(sums) = self.sums(router) {
            sums.refused += 1;
            sums.excess += u64::from(excess);
        }
    }

    /// An execution: its shares, and what it cost against the mid.
    pub(super) fn traded(&mut self, router: RouterId, shares: i64, cost: i128, unmatched: bool) {
        if let Some(sums) = self.sums(router) {
            sums.trades += 1;
            sums.shares = sums.shares.saturating_add(shares.unsigned_abs());
            sums.cost = sums.cost.saturating_add(cost);
            sums.unmatched += u64::from(unmatched);
        }
    }

    /// Whether a router has sent an order today.
    pub fn is_active(&self, router: RouterId) -> bool {
        self.flows.get(router.index()).is_some_and(|flow| flow.now.attempts > 0)
    }

    /// How a router stands in a signal.
    pub fn standing(&self, router: RouterId, signal: Signal) -> Standing {
        self.flows.get(router.index()).map_or(Standing::default(), |flow| flow.standings[signal as usize])
    }

    /// Today's total behind a signal that counts, at one router and at all; `None` for a ratio.
    fn totals(&self, router: usize, signal: Signal) -> Option<(u64, u64)> {
        let of = |sums: &Sums| match signal {
            Signal::ExcessAttempts => Some(sums.excess),
            Signal::UnmatchedExecutions => Some(sums.unmatched),
            Signal::Orders => Some(sums.attempts),
            _ => None,
        };
        let all = self.flows.iter().filter_map(|flow| of(&flow.now)).sum();
        Some((of(&self.flows[router].now)?, all))
    }

    /// Holds every active router against its peers.
    pub(super) fn look(&mut self, findings: &mut Findings, effects: &mut Vec<Effect>, now: Nanos) {
        for signal in Signal::ALL {
            self.sorted.clear();
            for (n, flow) in self.flows.iter().enumerate().filter(|(_, flow)| flow.now.attempts > 0) {
                self.sorted.push((value(signal, flow, self.next), n));
            }
            if self.sorted.len() < LEAST_FLEET {
                break;
            }
            self.sorted.sort_unstable();
            for at in 0..self.sorted.len() {
                self.judge(signal, at, findings, effects, now);
            }
        }
        for flow in &mut self.flows {
            flow.past[self.next] = flow.now;
        }
        self.next = (self.next + 1) % LONG;
    }

    fn judge(&mut self, signal: Signal, at: usize, findings: &mut Findings, effects: &mut Vec<Effect>, now: Nanos) {
        let (value, router) = self.sorted[at];
        let peers = median_without(&self.sorted, at);
        let over = value > signal.floor().saturating_sub(1) && i128::from(value) > RATIO * i128::from(peers.max(0));
        let differs = over && {
            self.deviations.clear();
            let others = self.sorted.iter().enumerate().filter(|(n, _)| *n != at);
            self.deviations.extend(others.map(|(_, (other, _))| other.abs_diff(peers).min(i64::MAX as u64) as i64));
            self.deviations.sort_unstable();
            let mad = self.deviations[(self.deviations.len() - 1) / 2];
            i128::from(value) > i128::from(peers) + DEVIATIONS * i128::from(mad)
        };
        let standing = &mut self.flows[router].standings[signal as usize];
        (standing.value, standing.peers) = (value, peers);
        if !differs {
            standing.differs = 0;
            if standing.last.is_some_and(|last| now.since(last) >= RECOVERED) {
                (standing.last, standing.finding) = (None, None);
            }
            return;
        }
        standing.differs = standing.differs.saturating_add(1);
        if standing.differs >= signal.persists() {
            standing.last = Some(now);
            self.tell(signal, router, findings, effects, now);
        }
    }

    /// Opens the finding, or makes it grow. Acknowledged, it stays so until the router has been like its peers again.
    fn tell(&mut self, signal: Signal, at: usize, findings: &mut Findings, effects: &mut Vec<Effect>, now: Nanos) {
        let (count, total) = self.totals(at, signal).unwrap_or_default();
        let standing = self.flows[at].standings[signal as usize];
        let about = About::Divergence { signal, value: standing.value, peers: standing.peers };
        if let Some(id) = standing.finding {
            let Some(finding) = findings.get_mut(id) else { return };
            (finding.count, finding.total, finding.last) = (count, total, now);
            if let About::Divergence { value, .. } = finding.about
                && standing.value > value
            {
                finding.about = about;
            }
            return;
        }
        let finding = Finding {
            id: 0,
            about,
            router: RouterId(at as u32),
            count,
            total,
            first: now,
            last: now,
            loud: true,
            common: false,
            acknowledged: None,
        };
        let id = findings.open(finding);
        self.flows[at].standings[signal as usize].finding = id;
        effects.extend(id.map(Effect::Finding));
    }

    pub(super) fn day_roll(&mut self) {
        for flow in &mut self.flows {
            *flow = Flow::new();
        }
        self.seen_by.clear();
    }

    pub(super) fn digest(&self, hasher: &mut FoldHasher) {
        for flow in &self.flows {
            let sums = &flow.now;
            for word in [sums.attempts, sums.children, sums.refused, sums.excess, sums.unmatched, sums.shares] {
                hasher.write_u64(word);
            }
            hasher.write_u64(sums.cost as u64);
        }
    }
}

/// The value of a signal at one router. `next` is the slot of this look: the oldest of the past.
fn value(signal: Signal, flow: &Flow, next: usize) -> i64 {
    let now = &flow.now;
    let long = &flow.past[next];
    let clipped = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    match signal {
        Signal::ExcessAttempts => clipped(now.excess - long.excess),
        Signal::UnmatchedExecutions => clipped(now.unmatched - long.unmatched),
        Signal::LossPerShare if now.trades - long.trades >= LEAST_TRADES => {
            let shares = i128::from((now.shares - long.shares).max(1));
            i64::try_from(now.cost.saturating_sub(long.cost) / shares).unwrap_or(i64::MAX)
        }
        Signal::ChildrenPerParent if now.children >= LEAST_CHILDREN => {
            clipped(now.children.saturating_mul(1_000) / now.parents.max(1))
        }
        Signal::RejectRate if now.refused - long.refused >= LEAST_REFUSED => {
            let sent = (now.attempts - long.attempts).max(1);
            clipped((now.refused - long.refused).saturating_mul(10_000) / sent)
        }
        Signal::Orders => clipped(now.attempts - flow.past[(next + LONG - SHORT) % LONG].attempts),
        Signal::LossPerShare | Signal::ChildrenPerParent | Signal::RejectRate => 0,
    }
}

/// The lower median of a sorted list without one of its entries.
fn median_without(sorted: &[(i64, usize)], at: usize) -> i64 {
    let middle = (sorted.len() - 2) / 2;
    let place = if middle >= at { middle + 1 } else { middle };
    sorted[place].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_leaves_the_router_itself_out() {
        let sorted = [(1, 0), (2, 1), (3, 2), (100, 3)];
        let medians: Vec<i64> = (0..4).map(|at| median_without(&sorted, at)).collect();

        assert_eq!(alloc::vec![3, 3, 2, 2], medians);
        assert_eq!(7, median_without(&[(7, 0), (7, 1), (9, 2)], 2));
    }

    /// A fleet of eight that sends so many orders per look each, for so many looks.
    fn looks(divergence: &mut Divergence, per_look: [u32; 8], count: i64, findings: &mut Findings) -> usize {
        let mut effects = Vec::new();
        for n in 0..count {
            for (router, attempts) in per_look.iter().enumerate() {
                divergence.attempts(RouterId(router as u32), *attempts, None);
            }
            divergence.look(findings, &mut effects, Nanos(LOOK.0 * n));
        }
        effects.len()
    }

    fn fleet() -> (Divergence, Findings) {
        let mut divergence = Divergence::default();
        (0..8).for_each(|_| divergence.add_router());
        (divergence, Findings::default())
    }

    #[test]
    fn a_burst_of_all_routers_is_quiet_and_of_one_is_found_once() {
        let (mut divergence, mut findings) = fleet();
        assert_eq!(0, looks(&mut divergence, [1; 8], 100, &mut findings));
        assert_eq!(0, looks(&mut divergence, [20, 8, 9, 10, 30, 12, 18, 20], 20, &mut findings));
        assert_eq!(0, looks(&mut divergence, [1; 8], 100, &mut findings));

        assert_eq!(1, looks(&mut divergence, [1, 1, 1, 1, 1, 1, 1, 148], 100, &mut findings));
        let finding = findings.get(1).unwrap();
        assert_eq!(RouterId(7), finding.router);
        let About::Divergence { signal, value, peers } = finding.about else { unreachable!() };
        assert_eq!((Signal::Orders, 1_480, 10), (signal, value, peers));
    }

    #[test]
    fn the_floor_the_factor_and_the_persistence_are_exact() {
        // 99 a second at one router, none elsewhere: below the floor.
        let (mut divergence, mut findings) = fleet();
        looks(&mut divergence, [1, 0, 0, 0, 0, 0, 0, 0], 1, &mut findings);
        for _ in 0..4 {
            looks(&mut divergence, [9, 1, 1, 1, 1, 1, 1, 1], 10, &mut findings);
        }
        assert_eq!(0, looks(&mut divergence, [9, 1, 1, 1, 1, 1, 1, 1], 10, &mut findings));

        // 160 is eight times 20, not more.
        let (mut divergence, mut findings) = fleet();
        assert_eq!(0, looks(&mut divergence, [16, 2, 2, 2, 2, 2, 2, 2], 50, &mut findings));
        assert_eq!(1, looks(&mut divergence, [17, 2, 2, 2, 2, 2, 2, 2], 50, &mut findings));
    }

    #[test]
    fn a_fleet_of_two_has_no_peers() {
        let mut divergence = Divergence::default();
        (0..2).for_each(|_| divergence.add_router());
        let mut findings = Findings::default();
        let mut effects = Vec::new();
        for n in 0..100 {
            divergence.attempts(RouterId(0), 1_000, None);
            divergence.attempts(RouterId(1), 1, None);
            divergence.look(&mut findings, &mut effects, Nanos(LOOK.0 * n));
        }

        assert!(effects.is_empty());
    }

    #[test]
    fn a_recovered_router_can_be_found_anew() {
        let (mut divergence, mut findings) = fleet();
        let wild = [1, 1, 1, 1, 1, 1, 1, 148];
        assert_eq!(1, looks(&mut divergence, wild, 30, &mut findings));
        let mut effects = Vec::new();
        for n in 30..800 {
            (0..8).for_each(|router| divergence.attempts(RouterId(router), 1, None));
            divergence.look(&mut findings, &mut effects, Nanos(LOOK.0 * n));
        }
        assert!(effects.is_empty());

        for n in 800..830 {
            (0..8).for_each(|r| divergence.attempts(RouterId(r), wild[r as usize], None));
            divergence.look(&mut findings, &mut effects, Nanos(LOOK.0 * n));
        }
        assert_eq!(alloc::vec![Effect::Finding(2)], effects);
    }
}
