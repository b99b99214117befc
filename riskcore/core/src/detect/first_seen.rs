//! A4: what one router shows and the fleet does not - a reject in new words, an order type, a lifetime, a flag, a
//! strategy, a group of instruments.
//!
//! On 1 August 2012 Knight's server 8 sent 97 e-mails, "Power Peg disabled", between 08:01 and the open; nobody read them
//! (SEC 34-70694 ¶19). Here the first of them is one loud finding, and the other 96 make it grow.
//!
//! What is normal at the start of a day is no finding: what at least half of the active fleet shows (of three routers or
//! more), what was seen on an earlier day and not left open, and what the configuration calls known. A venue's reject in
//! words that are not normal is loud at once. One of our own refusals is quiet from the third on, and loud from the tenth
//! if one router of at least three active ones has nine tenths of them. An attribute of orders is quiet, and only after a
//! minute in which enough of its peers had the chance to show it.
//!
//! On the order path this costs one mask: an attribute that is normal is not even counted.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::findings::{About, Finding, Findings};
use crate::events::{NewOrder, OrdType, TimeInForce};
use crate::hash::FoldHasher;
use crate::ids::{ClOrdId, ParentId, RouterId, SecurityGroupId, StrategyId, SymbolId, VenueTextId};
use crate::names::Names;
use crate::outcome::Effect;
use crate::reasons::Reason;
use crate::units::Nanos;

/// Things that may be seen in a day; further ones are not told apart and not found.
pub const MAX_SEEN: usize = 512;

/// Fewer routers than this have no fleet to compare them with.
pub const LEAST_FLEET: usize = 3;

/// Our own refusals at one router: quiet from the first number on, loud from the second.
const QUIET_REFUSALS: u64 = 3;
const LOUD_REFUSALS: u64 = 10;

/// How long the peers have to show an attribute of orders, and how many attempts of each count as the chance to.
const CHANCE_SPAN: Nanos = Nanos::from_secs(60);
const CHANCE_ATTEMPTS: u64 = 20;

/// Refusals that follow from a decision of people or of the gateway itself: no sign of a router that differs.
const CONSEQUENCES: [&str; 4] = ["HALTED", "REDUCE_ONLY", "NOT_READY", "GATEWAY_BUSY"];

/// Whether a refusal follows from a halt or from the gateway's own state.
pub fn is_consequence(reason: Reason) -> bool {
    CONSEQUENCES.contains(&reason.name)
}

/// Something that can be seen of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One of our own reasons.
    Refusal(Reason),
    /// The words of a venue's reject.
    VenueReject(VenueTextId),
    /// FIX 40.
    OrdType(OrdType),
    /// FIX 59.
    TimeInForce(TimeInForce),
    /// A bit of `order_flags`.
    Flag(u8),
    /// A strategy.
    Strategy(StrategyId),
    /// The group of the order's instrument.
    SecurityGroup(SecurityGroupId),
}

impl Seen {
    /// Its kind, in configuration, metrics and scenarios.
    pub const fn kind(self) -> &'static str {
        match self {
            Seen::Refusal(_) => "refusal",
            Seen::VenueReject(_) => "venue_reject",
            Seen::OrdType(_) => "ord_type",
            Seen::TimeInForce(_) => "time_in_force",
            Seen::Flag(_) => "flag",
            Seen::Strategy(_) => "strategy",
            Seen::SecurityGroup(_) => "security_group",
        }
    }

    /// What a text such as `refusal:PRICE_COLLAR`, `venue_reject:Power Peg disabled`, `ord_type:MARKET`,
    /// `time_in_force:IOC`, `flag:3`, `strategy:S1` or `security_group:ETF` names; `None` if it names nothing. Words of the
    /// venue must have an id.
    pub fn parse(text: &str, names: &Names) -> Option<Seen> {
        let (kind, value) = text.split_once(':')?;
        Some(match kind {
            "refusal" => Seen::Refusal(crate::checks::all_reasons().into_iter().find(|reason| reason.name == value)?),
            "venue_reject" => Seen::VenueReject(names.venue_text(value).known()?),
            "ord_type" => Seen::OrdType(ORD_TYPES.iter().find(|(name, _)| *name == value)?.1),
            "time_in_force" => Seen::TimeInForce(TIFS.iter().find(|(name, _)| *name == value)?.1),
            "flag" => Seen::Flag(value.parse().ok().filter(|bit| *bit < 64)?),
            "strategy" => Seen::Strategy(names.strategy(value).known()?),
            "security_group" => Seen::SecurityGroup(names.security_group(value).known()?),
            _ => return None,
        })
    }

    /// The value as text.
    pub fn value<'a>(&self, names: &'a Names) -> Cow<'a, str> {
        match *self {
            Seen::Refusal(reason) => reason.name.into(),
            Seen::VenueReject(text) => names.venue_texts.name(text.0).into(),
            Seen::OrdType(of) => ORD_TYPES.iter().find(|(_, one)| *one == of).map_or("", |(name, _)| name).into(),
            Seen::TimeInForce(of) => TIFS.iter().find(|(_, one)| *one == of).map_or("", |(name, _)| name).into(),
            Seen::Flag(bit) => bit.to_string().into(),
            Seen::Strategy(id) => names.strategies.name(id.0).into(),
            Seen::SecurityGroup(id) => names.security_groups.name(id.0).into(),
        }
    }

    /// Every kind there is.
    pub const KINDS: [&'static str; 7] =
        ["refusal", "venue_reject", "ord_type", "time_in_force", "flag", "strategy", "security_group"];

    /// The bit of an attribute that only few values have: 2 order types, 5 lifetimes.
    fn attribute(self) -> Option<u8> {
        match self {
            Seen::OrdType(ord_type) => Some(1 << type_bit(ord_type)),
            Seen::TimeInForce(tif) => Some(1 << tif_bit(tif)),
            _ => None,
        }
    }

    fn is_of_order(self) -> bool {
        !matches!(self, Seen::Refusal(_) | Seen::VenueReject(_))
    }
}

const ORD_TYPES: [(&str, OrdType); 2] = [("MARKET", OrdType::Market), ("LIMIT", OrdType::Limit)];

const TIFS: [(&str, TimeInForce); 5] = [
    ("DAY", TimeInForce::Day),
    ("GTC", TimeInForce::GoodTillCancel),
    ("OPG", TimeInForce::AtTheOpening),
    ("IOC", TimeInForce::ImmediateOrCancel),
    ("FOK", TimeInForce::FillOrKill),
];

const fn type_bit(ord_type: OrdType) -> u8 {
    match ord_type {
        OrdType::Market => 0,
        OrdType::Limit => 1,
    }
}

const fn tif_bit(tif: TimeInForce) -> u8 {
    match tif {
        TimeInForce::Day => 2,
        TimeInForce::GoodTillCancel => 3,
        TimeInForce::AtTheOpening => 4,
        TimeInForce::ImmediateOrCancel => 5,
        TimeInForce::FillOrKill => 6,
    }
}

/// What one router showed of one thing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sighting {
    /// How often today.
    pub count: u64,
    /// The first time.
    pub first: Nanos,
    /// The last time.
    pub last: Nanos,
    /// The order of the first time.
    pub order: Option<(ClOrdId, Option<ParentId>)>,
}

/// One thing, over the fleet.
#[derive(Clone, Debug)]
struct Row {
    seen: Seen,
    /// Nothing to find in it any more.
    normal: bool,
    finding: Option<u64>,
    total: u64,
    /// `total` when it was last looked at.
    looked_at: u64,
    first: Nanos,
    by_router: Vec<Sighting>,
}

impl Row {
    fn new(seen: Seen, routers: usize, now: Nanos) -> Row {
        let by_router = alloc::vec![Sighting::default(); routers];
        Row { seen, normal: false, finding: None, total: 0, looked_at: 0, first: now, by_router }
    }

    /// The router that shows it most; the first among equals.
    fn top(&self) -> (RouterId, Sighting) {
        let mut top = (RouterId(0), Sighting::default());
        for (n, sighting) in self.by_router.iter().enumerate() {
            if sighting.count > top.1.count {
                top = (RouterId(n as u32), *sighting);
            }
        }
        top
    }

    fn holders(&self) -> usize {
        self.by_router.iter().filter(|sighting| sighting.count > 0).count()
    }
}

/// No row yet.
const NONE: u16 = u16::MAX;

/// What of an order is not normal yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    /// Bits of order type and lifetime.
    attributes: u8,
    flags: u64,
    strategy: Option<StrategyId>,
    group: Option<SecurityGroupId>,
}

/// The rows of a shape: of order type, lifetime, strategy and group, and of some flags.
const MAX_ROWS: usize = 8;

/// The shape that a router showed last, where all of it was shown before: the next order like it only raises counts.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    shape: Shape,
    rows: [u16; MAX_ROWS],
    /// How many rows; none if the shape is not told apart from others.
    held: usize,
    /// How often it was shown again, which its rows have not been told yet (`tell_rows`), and when last.
    again: u64,
    last: Nanos,
}

/// What has been seen today, by whom.
#[derive(Clone, Debug, Default)]
pub struct FirstSeen {
    rows: Vec<Row>,
    /// Per router; void when rows begin anew.
    shown: Vec<Shown>,
    /// Rows by the number of what was seen, one table per kind.
    refusals: Vec<u16>,
    venue_rejects: Vec<u16>,
    attributes: Vec<u16>,
    flags: Vec<u16>,
    strategies: Vec<u16>,
    security_groups: Vec<u16>,
    /// The group of each instrument that has one.
    group_of: Vec<Option<SecurityGroupId>>,
    /// Attributes that are normal: not counted any more.
    settled_attributes: u8,
    settled_flags: u64,
    settled_strategies: Vec<bool>,
    settled_groups: u64,
    /// Attempts of each router today.
    attempts: Vec<u64>,
    /// Per router and kind: things shown for the first time.
    firsts: Vec<[u64; Seen::KINDS.len()]>,
}

impl FirstSeen {
    pub(super) fn add_router(&mut self) {
        self.attempts.push(0);
        self.shown.push(Shown::default());
        self.firsts.push(Default::default());
        for row in &mut self.rows {
            row.by_router.push(Sighting::default());
        }
    }

    pub(super) fn add_strategy(&mut self) {
        self.settled_strategies.push(false);
    }

    /// An instrument belongs to a group.
    pub(super) fn put_in_group(&mut self, symbol: SymbolId, group: SecurityGroupId) {
        if self.group_of.len() <= symbol.index() {
            self.group_of.resize(symbol.index() + 1, None);
        }
        self.group_of[symbol.index()] = Some(group);
    }

    /// The group of the order's instrument, while it is not normal.
    #[inline]
    fn unsettled_group(&self, order: &NewOrder) -> Option<SecurityGroupId> {
        let group = order.symbol.known().and_then(|symbol| *self.group_of.get(symbol.index())?)?;
        (self.settled_groups >> group.0 & 1 == 0).then_some(group)
    }

    /// An attempt of a router to place an order.
    #[inline(always)]
    pub(super) fn order(&mut self, order: &NewOrder, now: Nanos) {
        if let Some(attempts) = self.attempts.get_mut(order.router.index()) {
            *attempts += 1;
        }
        let shape = self.unsettled(order);
        if shape != Shape::default() && !self.show_again(&shape, order.router, now) {
            self.show(&shape, order, now);
        }
    }

    /// What of an order is not normal.
    #[inline]
    fn unsettled(&self, order: &NewOrder) -> Shape {
        let unsettled = |id: &StrategyId| self.settled_strategies.get(id.index()) == Some(&false);
        Shape {
            attributes: (1 << type_bit(order.ord_type) | 1 << tif_bit(order.tif)) & !self.settled_attributes,
            flags: order.flags & !self.settled_flags,
            strategy: order.strategy.known().filter(unsettled),
            group: self.unsettled_group(order),
        }
    }

    /// An order of the shape that the router showed last.
    #[inline]
    fn show_again(&mut self, shape: &Shape, router: RouterId, now: Nanos) -> bool {
        let Some(shown) = self.shown.get_mut(router.index()).filter(|shown| shown.held > 0 && shown.shape == *shape)
        else {
            return false;
        };
        shown.again += 1;
        shown.last = now;
        true
    }

    /// The rows of the shape that a router showed last get what was counted for all of them at once.
    fn tell_rows(&mut self, router: usize) {
        let Some(shown) = self.shown.get_mut(router) else { return };
        let again = core::mem::take(&mut shown.again);
        for row in shown.rows.iter().take(shown.held).filter(|_| again > 0) {
            let Some(row) = self.rows.get_mut(usize::from(*row)) else { continue };
            row.total += again;
            if let Some(sighting) = row.by_router.get_mut(router) {
                sighting.count += again;
                sighting.last = shown.last;
            }
        }
    }

    /// How often a row was shown that it has not been told yet, by one router or by all, and when last.
    fn untold(&self, at: usize, router: Option<RouterId>) -> (u64, Nanos) {
        let shown = self.shown.iter().enumerate().filter(|(n, _)| router.is_none_or(|router| router.index() == *n));
        let has_row = |shown: &Shown| shown.rows.iter().take(shown.held).any(|row| usize::from(*row) == at);
        let untold = shown.filter(|(_, shown)| shown.again > 0 && has_row(shown));
        untold.fold((0, Nanos(i64::MIN)), |(sum, last), (_, shown)| (sum + shown.again, last.max(shown.last)))
    }

    #[cold]
    fn show(&mut self, shape: &Shape, order: &NewOrder, now: Nanos) {
        self.tell_rows(order.router.index());
        let of = Some((order.cl_ord_id, order.parent.known()));
        let mut shown = Shown { shape: *shape, ..Shown::default() };
        let mut again = self.attempts.len() >= LEAST_FLEET;
        let mut see = |seen: Seen| {
            self.see(seen, order.router, 1, of, now);
            match (self.row(seen), shown.rows.get_mut(shown.held)) {
                (Some(row), Some(slot)) => {
                    *slot = row as u16;
                    shown.held += 1;
                }
                _ => again = false,
            }
        };
        for seen in [Seen::OrdType(order.ord_type), Seen::TimeInForce(order.tif)] {
            if seen.attribute().is_some_and(|bit| bit & shape.attributes != 0) {
                see(seen);
            }
        }
        let mut flags = shape.flags;
        while flags != 0 {
            see(Seen::Flag(flags.trailing_zeros() as u8));
            flags &= flags - 1;
        }
        if let Some(id) = shape.strategy {
            see(Seen::Strategy(id));
        }
        if let Some(group) = shape.group {
            see(Seen::SecurityGroup(group));
        }
        if !again {
            shown.held = 0;
        }
        if let Some(slot) = self.shown.get_mut(order.router.index()) {
            *slot = shown;
        }
    }

    /// Something was seen of a router, so often.
    pub(super) fn see(
        &mut self,
        seen: Seen,
        router: RouterId,
        count: u64,
        order: Option<(ClOrdId, Option<ParentId>)>,
        now: Nanos,
    ) {
        if self.see_again(seen, router, count, now) {
            return;
        }
        let Some(at) = self.row_or_add(seen, now) else { return };
        let alone = self.attempts.len() < LEAST_FLEET && seen.is_of_order();
        let row = &mut self.rows[at];
        row.total += count;
        if let Some(sighting) = row.by_router.get_mut(router.index()) {
            if sighting.count == 0 {
                (sighting.first, sighting.order) = (now, order);
                let place = Seen::KINDS.iter().position(|kind| *kind == seen.kind());
                if let Some(first) = place.and_then(|place| self.firsts.get_mut(router.index())?.get_mut(place)) {
                    *first += u64::from(!row.normal);
                }
            }
            sighting.count += count;
            sighting.last = now;
        }
        if alone {
            self.settle(at);
        }
    }

    /// What a router of a fleet has shown before: only the counts rise.
    #[inline]
    fn see_again(&mut self, seen: Seen, router: RouterId, count: u64, now: Nanos) -> bool {
        let (row, routers) = (self.row(seen), self.attempts.len());
        let Some(row) = row.and_then(|at| self.rows.get_mut(at)) else { return false };
        let Some(sighting) = row.by_router.get_mut(router.index()).filter(|sighting| sighting.count > 0) else {
            return false;
        };
        if routers < LEAST_FLEET {
            return false;
        }
        row.total += count;
        sighting.count += count;
        sighting.last = now;
        true
    }

    /// The configuration knows of it: it is never found.
    pub(super) fn known(&mut self, seen: Seen, now: Nanos) {
        if let Some(at) = self.row_or_add(seen, now) {
            self.settle(at);
        }
    }

    /// What a router showed of something.
    pub fn sighting(&self, seen: Seen, router: RouterId) -> Option<Sighting> {
        let at = self.row(seen)?;
        let told = self.rows[at].by_router.get(router.index()).filter(|sighting| sighting.count > 0)?;
        let (again, last) = self.untold(at, Some(router));
        Some(Sighting { count: told.count + again, last: told.last.max(last), ..*told })
    }

    /// How often a router showed something of a kind for the first time in a day, while it was not normal. Only rises.
    pub fn firsts(&self, router: RouterId) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.firsts.get(router.index()).copied().unwrap_or_default();
        Seen::KINDS.into_iter().zip(counts)
    }

    fn table(&self, seen: Seen) -> (&Vec<u16>, usize) {
        match seen {
            Seen::Refusal(reason) => (&self.refusals, usize::from(reason.code)),
            Seen::VenueReject(text) => (&self.venue_rejects, text.index()),
            Seen::OrdType(ord_type) => (&self.attributes, usize::from(type_bit(ord_type))),
            Seen::TimeInForce(tif) => (&self.attributes, usize::from(tif_bit(tif))),
            Seen::Flag(bit) => (&self.flags, usize::from(bit)),
            Seen::Strategy(id) => (&self.strategies, id.index()),
            Seen::SecurityGroup(id) => (&self.security_groups, id.index()),
        }
    }

    fn row(&self, seen: Seen) -> Option<usize> {
        let (table, at) = self.table(seen);
        table.get(at).filter(|row| **row != NONE).map(|row| usize::from(*row))
    }

    #[inline]
    fn row_or_add(&mut self, seen: Seen, now: Nanos) -> Option<usize> {
        self.row(seen).or_else(|| self.add_row(seen, now))
    }

    #[cold]
    fn add_row(&mut self, seen: Seen, now: Nanos) -> Option<usize> {
        if self.rows.len() >= MAX_SEEN {
            return None;
        }
        let (row, (_, at)) = (self.rows.len(), self.table(seen));
        let table = match seen {
            Seen::Refusal(_) => &mut self.refusals,
            Seen::VenueReject(_) => &mut self.venue_rejects,
            Seen::OrdType(_) | Seen::TimeInForce(_) => &mut self.attributes,
            Seen::Flag(_) => &mut self.flags,
            Seen::Strategy(_) => &mut self.strategies,
            Seen::SecurityGroup(_) => &mut self.security_groups,
        };
        if table.len() <= at {
            table.resize(at + 1, NONE);
        }
        table[at] = row as u16;
        self.rows.push(Row::new(seen, self.attempts.len(), now));
        Some(row)
    }

    /// It is normal from now on.
    fn settle(&mut self, at: usize) {
        let row = &mut self.rows[at];
        row.normal = true;
        match row.seen {
            Seen::OrdType(_) | Seen::TimeInForce(_) => {
                self.settled_attributes |= row.seen.attribute().unwrap_or_default();
            }
            Seen::Flag(bit) => self.settled_flags |= 1 << bit,
            Seen::SecurityGroup(id) => self.settled_groups |= 1 << id.0,
            Seen::Strategy(id) => {
                if let Some(settled) = self.settled_strategies.get_mut(id.index()) {
                    *settled = true;
                }
            }
            Seen::Refusal(_) | Seen::VenueReject(_) => {}
        }
    }

    /// Looks at everything that was seen since the last look, and at what its peers have had time to show since.
    pub(super) fn look(&mut self, findings: &mut Findings, effects: &mut Vec<Effect>, now: Nanos) {
        (0..self.shown.len()).for_each(|router| self.tell_rows(router));
        let active = self.attempts.iter().filter(|n| **n > 0).count();
        let able = self.attempts.iter().filter(|n| **n >= CHANCE_ATTEMPTS).count();
        for at in 0..self.rows.len() {
            let row = &mut self.rows[at];
            let waits = row.finding.is_none() && row.seen.is_of_order();
            if row.normal || row.total == 0 || (row.looked_at == row.total && !waits) {
                continue;
            }
            row.looked_at = row.total;
            let common = active >= LEAST_FLEET && row.holders() * 2 >= active;
            if common && row.finding.is_none() {
                self.settle(at);
                continue;
            }
            let had_chance = able >= LEAST_FLEET && able * 2 >= active && now.since(row.first) >= CHANCE_SPAN;
            let level = if common { Some(false) } else { level(row, self.attempts.len(), active, had_chance) };
            tell(row, level, common, findings, effects);
        }
    }

    /// What was seen today is normal tomorrow, except what nobody has looked at.
    pub(super) fn day_roll(&mut self, findings: &Findings) {
        (0..self.shown.len()).for_each(|router| self.tell_rows(router));
        for at in 0..self.rows.len() {
            let row = &mut self.rows[at];
            let open = row.finding.and_then(|id| findings.get(id)).is_some_and(Finding::is_open);
            if !open {
                row.finding = None;
                row.by_router.fill(Sighting::default());
                (row.total, row.looked_at) = (0, 0);
                self.settle(at);
            }
        }
        self.attempts.fill(0);
        self.shown.fill(Shown::default());
    }

    pub(super) fn digest(&self, hasher: &mut FoldHasher) {
        for (at, row) in self.rows.iter().enumerate() {
            hasher.write_u64(row.total + self.untold(at, None).0);
            hasher.write_u8(u8::from(row.normal));
            hasher.write_u64(row.finding.unwrap_or(0));
        }
        self.group_of.iter().for_each(|group| hasher.write_u32(group.map_or(u32::MAX, |group| group.0)));
    }
}

/// Whether it is a finding, and whether a loud one.
fn level(row: &Row, routers: usize, active: usize, had_chance: bool) -> Option<bool> {
    let (_, top) = row.top();
    let concentrated = u128::from(top.count) * 10 >= u128::from(row.total) * 9;
    match row.seen {
        // Without a fleet there is no telling whether the others show it too.
        Seen::VenueReject(_) => Some(routers >= LEAST_FLEET && concentrated),
        Seen::Refusal(_) if top.count >= LOUD_REFUSALS && concentrated && active >= LEAST_FLEET => Some(true),
        Seen::Refusal(_) => (top.count >= QUIET_REFUSALS).then_some(false),
        _ => had_chance.then_some(false),
    }
}

/// Opens the finding of a row, or makes it grow. One that was loud stays so until the fleet shows the same.
fn tell(row: &mut Row, level: Option<bool>, common: bool, findings: &mut Findings, effects: &mut Vec<Effect>) {
    let (router, top) = row.top();
    let last = row.by_router.iter().map(|sighting| sighting.last).max().unwrap_or(row.first);
    if let Some(id) = row.finding {
        // It may have made room for another: then it was looked at, or quiet.
        let Some(finding) = findings.get_mut(id) else { return };
        (finding.router, finding.count, finding.total, finding.last) = (router, top.count, row.total, last);
        finding.common = common;
        let loud = !common && (finding.loud || level == Some(true));
        if loud && !finding.loud && finding.is_open() {
            effects.push(Effect::Finding(finding.id));
        }
        finding.loud = loud;
        return;
    }
    let Some(loud) = level else { return };
    let finding = Finding {
        id: 0,
        about: About::FirstSeen(row.seen),
        router,
        count: top.count,
        total: row.total,
        first: row.first,
        last,
        loud,
        common,
        acknowledged: None,
    };
    row.finding = findings.open(finding);
    effects.extend(row.finding.map(Effect::Finding));
}
