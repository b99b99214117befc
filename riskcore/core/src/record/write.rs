//! Writing a record.

use alloc::vec::Vec;

use super::MAX_TEXT;
use crate::detect::first_seen::Seen;
use crate::events::{Change, DropCopy, Event, NameKind, NewOrder, OrdType, Report, ReportKind, Side, TimeInForce};
use crate::ids::{ClOrdId, Ref};
use crate::limits::{LimitTarget, Setting};
use crate::permissions::MAX_LIST;
use crate::scopes::Scope;

/// Appends a record's fields.
pub struct Writer<'a>(pub &'a mut Vec<u8>);

impl Writer<'_> {
    #[inline]
    pub fn u8(&mut self, n: u8) {
        self.0.push(n);
    }

    #[inline]
    pub fn u16(&mut self, n: u16) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn u32(&mut self, n: u32) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    #[inline]
    pub fn u64(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    #[inline]
    pub fn i64(&mut self, n: i64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    fn optional_i64(&mut self, n: Option<i64>) {
        self.flag(n.is_some());
        self.i64(n.unwrap_or(0));
    }

    fn optional_i128(&mut self, n: Option<i128>) {
        self.flag(n.is_some());
        self.0.extend_from_slice(&n.unwrap_or(0).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        // Cut at a character boundary; the edge refuses longer texts before they come here.
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.u16(end as u16);
        self.0.extend_from_slice(&text.as_bytes()[..end]);
    }

    fn cl_ord_id(&mut self, id: &ClOrdId) {
        self.u8(id.as_bytes().len() as u8);
        self.0.extend_from_slice(id.as_bytes());
    }

    /// Absent and unknown take the two highest numbers.
    fn reference(&mut self, id: Ref<u32>) {
        self.u32(match id {
            Ref::Absent => u32::MAX,
            Ref::Unknown => u32::MAX - 1,
            Ref::Known(id) => id,
        });
    }

    fn side(&mut self, side: Side) {
        self.u8(match side {
            Side::Buy => 1,
            Side::Sell => 2,
            Side::SellShort => 5,
            Side::SellShortExempt => 6,
        });
    }

    fn scope(&mut self, scope: Scope) {
        let (a, b) = scope.parts();
        self.u8(scope.kind() as u8);
        self.u32(a);
        self.u32(b);
    }

    fn setting(&mut self, setting: Option<Setting>) {
        self.optional_i128(setting.map(|setting| setting.value));
        if let Some(setting) = setting {
            self.u8(setting.action as u8);
            self.flag(setting.soft);
        }
    }

    fn target(&mut self, target: LimitTarget) {
        match target {
            LimitTarget::Scope(scope) => {
                self.u8(0);
                self.scope(scope);
            }
            LimitTarget::Default(kind) => {
                self.u8(1);
                self.u8(kind as u8);
            }
        }
    }

    fn order(&mut self, order: &NewOrder) {
        self.u32(order.router.0);
        self.u64(order.client_seq);
        self.cl_ord_id(&order.cl_ord_id);
        self.reference(as_number(order.account, |id| id.0));
        self.reference(as_number(order.symbol, |id| id.0));
        self.reference(as_number(order.strategy, |id| id.0));
        self.reference(as_number(order.parent, |id| id.0));
        self.side(order.side);
        self.u8(ord_type(order.ord_type));
        self.u8(tif(order.tif));
        self.i64(order.qty.0);
        self.optional_i64(order.price.map(|price| price.0));
        self.u64(order.flags);
    }

    fn report(&mut self, report: &Report) {
        self.u64(report.venue_seq);
        self.u64(report.order.0);
        self.u64(report.exec_id);
        match report.instrument {
            Some((symbol, side)) => {
                self.flag(true);
                self.u32(symbol.0);
                self.side(side);
            }
            None => self.flag(false),
        }
        self.report_kind(report.kind);
    }

    fn drop_copy(&mut self, copy: &DropCopy) {
        self.u64(copy.drop_seq);
        self.u64(copy.order.0);
        self.flag(copy.symbol.is_some());
        if let Some(symbol) = copy.symbol {
            self.u32(symbol.0);
        }
        self.report_kind(copy.kind);
    }

    fn report_kind(&mut self, kind: ReportKind) {
        if let ReportKind::Rejected { text: Some(text) } = kind {
            self.u8(60);
            return self.u32(text.0);
        }
        let (kind, numbers): (u8, &[i64]) = match kind {
            ReportKind::New => (0, &[]),
            ReportKind::Trade { qty, price } => (1, &[qty.0, price.0]),
            ReportKind::Canceled => (2, &[]),
            ReportKind::Replaced => (3, &[]),
            ReportKind::Rejected { .. } => (4, &[]),
            ReportKind::Expired => (5, &[]),
            ReportKind::DoneForDay => (6, &[]),
            ReportKind::TradeCancel { qty, price } => (7, &[qty.0, price.0]),
            ReportKind::TradeCorrect { old_qty, old_price, qty, price } => {
                (8, &[old_qty.0, old_price.0, qty.0, price.0])
            }
            ReportKind::CancelRejected => (9, &[]),
            ReportKind::ReplaceRejected => (10, &[]),
        };
        self.u8(kind);
        numbers.iter().for_each(|n| self.i64(*n));
    }

    fn seen(&mut self, seen: Seen) {
        let (kind, number) = match seen {
            Seen::Refusal(reason) => (1, u32::from(reason.code)),
            Seen::VenueReject(text) => (2, text.0),
            Seen::OrdType(of) => (3, u32::from(ord_type(of))),
            Seen::TimeInForce(of) => (4, u32::from(tif(of))),
            Seen::Flag(bit) => (5, u32::from(bit)),
            Seen::Strategy(id) => (6, id.0),
            Seen::SecurityGroup(id) => (7, id.0),
        };
        self.u8(kind);
        self.u32(number);
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::OverrideReadiness { until } => {
                self.u8(60);
                self.i64(until.0);
            }
            Change::Reinstate { scope, trip } => {
                self.u8(0);
                self.scope(*scope);
                self.u64(*trip);
            }
            Change::Limit { target, limit, setting, until } => {
                self.u8(1);
                self.target(*target);
                self.u16(limit.def().code);
                self.setting(*setting);
                self.optional_i64(until.map(|until| until.0));
            }
            Change::Override { scope, limit, up_to, order, until } => {
                self.u8(2);
                self.scope(*scope);
                self.u16(limit.def().code);
                self.0.extend_from_slice(&up_to.to_le_bytes());
                self.flag(order.is_some());
                if let Some((router, cl_ord_id)) = order {
                    self.u32(router.0);
                    self.cl_ord_id(cl_ord_id);
                }
                self.i64(until.0);
            }
            Change::Promote { router } => {
                self.u8(50);
                self.u32(router.0);
            }
            Change::CloseIncident { trip } => {
                self.u8(51);
                self.u64(*trip);
            }
            Change::FxRate { currency, rate } => {
                self.u8(30);
                self.u32(currency.0);
                self.i64(rate.0);
            }
            Change::Restrict { symbol, stops } => {
                self.u8(80);
                self.u32(symbol.0);
                self.u8(stops.map_or(0, |stops| stops as u8));
            }
        }
    }

    pub fn event(&mut self, event: &Event) {
        match event {
            Event::NewOrder(order) => {
                self.u8(1);
                self.order(order);
            }
            Event::CheckOrder(order) => {
                self.u8(2);
                self.order(order);
            }
            Event::Replace(replace) => {
                self.u8(3);
                self.u32(replace.router.0);
                self.u64(replace.client_seq);
                self.cl_ord_id(&replace.cl_ord_id);
                self.cl_ord_id(&replace.orig_cl_ord_id);
                self.i64(replace.qty.0);
                self.optional_i64(replace.price.map(|price| price.0));
            }
            Event::Cancel(cancel) => {
                self.u8(4);
                self.u32(cancel.router.0);
                self.u64(cancel.client_seq);
                self.cl_ord_id(&cancel.orig_cl_ord_id);
                self.flag(cancel.lane);
            }
            Event::MassCancel(request) => {
                self.u8(5);
                self.u32(request.router.0);
                self.u64(request.client_seq);
                self.reference(request.symbol.map_or(Ref::Absent, |symbol| Ref::Known(symbol.0)));
            }
            Event::Malformed { router, client_seq } => {
                self.u8(6);
                self.u32(router.0);
                self.u64(*client_seq);
            }
            Event::AttemptsDropped { router, count, last_client_seq, first } => {
                self.u8(7);
                self.u32(router.0);
                self.u32(*count);
                self.u64(*last_client_seq);
                self.i64(first.0);
            }
            Event::Report(report) => {
                self.u8(8);
                self.report(report);
            }
            Event::Tick { symbol, bid, ask } => {
                self.u8(9);
                self.u32(symbol.0);
                self.i64(bid.0);
                self.i64(ask.0);
            }
            Event::Timer => self.u8(10),
            Event::SessionUp { router } => {
                self.u8(11);
                self.u32(router.0);
            }
            Event::SessionDown { router, cancel_orders } => {
                self.u8(12);
                self.u32(router.0);
                self.flag(*cancel_orders);
            }
            Event::VenueUp => self.u8(13),
            Event::VenueDown => self.u8(14),
            Event::MassStatusEntry(entry) => {
                self.u8(15);
                self.u64(entry.order.0);
                self.i64(entry.cum.0);
                self.i64(entry.leaves.0);
            }
            Event::MassStatusEnd(end) => {
                self.u8(16);
                self.u64(end.last_client_seq_processed);
                self.flag(end.complete);
                self.flag(end.fenced);
            }
            Event::NotSent { order } => {
                self.u8(17);
                self.u64(order.0);
            }
            Event::ParentOpen { name, account, symbol, side, qty } => {
                self.u8(18);
                self.cl_ord_id(name);
                self.u32(account.0);
                self.u32(symbol.0);
                self.side(*side);
                self.i64(qty.0);
            }
            Event::ParentAmend { parent, qty } => {
                self.u8(19);
                self.u32(parent.0);
                self.i64(qty.0);
            }
            Event::ParentClose { parent } => {
                self.u8(20);
                self.u32(parent.0);
            }
            Event::Halt { scope, state, principal, text } => {
                self.u8(21);
                self.scope(*scope);
                self.u8(*state as u8);
                self.text(principal);
                self.text(text);
            }
            Event::Propose { change, principal, text } => {
                self.u8(22);
                self.change(change);
                self.text(principal);
                self.text(text);
            }
            Event::Approve { proposal, principal } => {
                self.u8(23);
                self.u64(*proposal);
                self.text(principal);
            }
            Event::SetLimit { target, limit, setting, principal } => {
                self.u8(24);
                self.target(*target);
                self.u16(limit.def().code);
                self.setting(*setting);
                self.text(principal);
            }
            Event::Define { kind, name } => {
                self.u8(25);
                self.u8(match kind {
                    NameKind::Account => 1,
                    NameKind::Router => 2,
                    NameKind::Strategy => 3,
                    NameKind::Symbol => 4,
                    NameKind::Currency => 30,
                    NameKind::VenueText => 60,
                    NameKind::SecurityGroup => 61,
                });
                self.text(name);
            }
            Event::Instrument { symbol, instrument } => {
                self.u8(if instrument.currency.is_some() { 30 } else { 26 });
                self.u32(symbol.0);
                self.i64(instrument.tick.0);
                self.i64(instrument.lot.0);
                self.i64(instrument.multiplier);
                if let Some(currency) = instrument.currency {
                    self.u32(currency.0);
                }
            }
            Event::FxRate { currency, rate } => {
                self.u8(31);
                self.u32(currency.0);
                self.i64(rate.0);
            }
            Event::SecurityGroup { symbol, group } => {
                self.u8(63);
                self.u32(symbol.0);
                self.u32(group.0);
            }
            Event::AverageVolume { symbol, qty } => {
                self.u8(80);
                self.u32(symbol.0);
                self.optional_i64(qty.map(|qty| qty.0));
            }
            Event::Permit { scope, symbols } => {
                self.u8(81);
                self.scope(*scope);
                // One too many is enough for the engine to refuse the list again.
                let symbols = &symbols[..symbols.len().min(MAX_LIST + 1)];
                self.u32(symbols.len() as u32);
                symbols.iter().for_each(|symbol| self.u32(symbol.0));
            }
            Event::Restrict { symbol, stops, principal, text } => {
                self.u8(82);
                self.u32(symbol.0);
                self.u8(stops.map_or(0, |stops| stops as u8));
                self.text(principal);
                self.text(text);
            }
            Event::ParentRequired { account, required } => {
                self.u8(27);
                self.u32(account.0);
                self.flag(*required);
            }
            Event::OpeningPosition { account, symbol, qty, mark } => {
                self.u8(28);
                self.u32(account.0);
                self.u32(symbol.0);
                self.i64(qty.0);
                self.i64(mark.0);
            }
            Event::DayRoll { date } => {
                self.u8(29);
                self.u32(*date);
            }
            Event::PhasesPublished { published } => {
                self.u8(40);
                self.flag(*published);
            }
            Event::SymbolRules { symbol, rules } => {
                self.u8(41);
                self.u32(symbol.0);
                self.flag(rules.reg_sho);
                self.flag(rules.luld);
                self.flag(rules.easy_to_borrow);
            }
            Event::Phase { symbol, phase } => {
                self.u8(42);
                self.reference(symbol.map_or(Ref::Absent, |symbol| Ref::Known(symbol.0)));
                self.u8(phase.map_or(0, |phase| phase as u8));
            }
            Event::Bands { symbol, bands } => {
                self.u8(43);
                self.u32(symbol.0);
                self.optional_i64(bands.map(|(low, _)| low.0));
                self.optional_i64(bands.map(|(_, high)| high.0));
            }
            Event::PriorClose { symbol, price } => {
                self.u8(44);
                self.u32(symbol.0);
                self.i64(price.0);
            }
            Event::SelfMatchGroup { account, group } => {
                self.u8(46);
                self.u32(account.0);
                self.flag(group.is_some());
                self.u32(group.unwrap_or(0));
            }
            Event::ShortSale { symbol, restriction } => {
                self.u8(45);
                self.u32(symbol.0);
                self.u8(*restriction as u8);
            }
            Event::Flags(flags) => {
                self.u8(50);
                self.u64(flags.registered);
                self.u64(flags.retired);
            }
            Event::FleetRules(rules) => {
                self.u8(51);
                self.flag(rules.quarantine_culprit);
                self.flag(rules.halt_on_change);
            }
            Event::Attested(attested) => {
                self.u8(52);
                self.u32(attested.router.0);
                self.text(&attested.build);
                self.0.extend_from_slice(&attested.runs);
                self.u64(attested.known_flags);
                self.flag(attested.quarantined);
            }
            Event::Readiness(rules) => {
                self.u8(62);
                self.i64(rules.open.0);
                self.i64(rules.grace.0);
                self.flag(rules.all_routers);
                self.flag(rules.compare_builds);
                // One too many is enough to be refused again when it is read back.
                let symbols = &rules.symbols[..rules.symbols.len().min(MAX_LIST + 1)];
                self.u32(symbols.len() as u32);
                symbols.iter().for_each(|symbol| self.u32(symbol.0));
            }
            Event::Known { seen } => {
                self.u8(60);
                self.seen(*seen);
            }
            Event::AcknowledgeFinding { finding, principal, text } => {
                self.u8(61);
                self.u64(*finding);
                self.text(principal);
                self.text(text);
            }
            Event::DropCopy(copy) => {
                self.u8(70);
                self.drop_copy(copy);
            }
            Event::DropCopyUp { restarted } => {
                self.u8(71);
                self.flag(*restarted);
            }
            Event::DropCopyDown => self.u8(72),
            Event::SelfCheck(figures) => {
                self.u8(73);
                self.i64(figures.event_lag.0);
                self.i64(figures.journal_lag.0);
                self.u64(figures.queue_depth);
            }
            Event::SessionLost { router } => {
                self.u8(74);
                self.u32(router.0);
            }
        }
    }
}

fn ord_type(ord_type: OrdType) -> u8 {
    match ord_type {
        OrdType::Market => 1,
        OrdType::Limit => 2,
    }
}

fn tif(tif: TimeInForce) -> u8 {
    match tif {
        TimeInForce::Day => 0,
        TimeInForce::GoodTillCancel => 1,
        TimeInForce::AtTheOpening => 2,
        TimeInForce::ImmediateOrCancel => 3,
        TimeInForce::FillOrKill => 4,
    }
}

fn as_number<T>(id: Ref<T>, number: impl Fn(T) -> u32) -> Ref<u32> {
    match id {
        Ref::Absent => Ref::Absent,
        Ref::Unknown => Ref::Unknown,
        Ref::Known(id) => Ref::Known(number(id)),
    }
}
