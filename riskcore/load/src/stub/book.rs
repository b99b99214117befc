//! One gateway at the venue: its sequences, its open orders, and the reports it may ask for again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use super::config::{Behaviour, StubConfig};
use super::order::{NewOrder, Replace};
use super::quotes::Quotes;
use super::report::{Execution, Report};
use crate::proto::{CxlRejResponseTo, ExecType, Side};

/// FIX 103 = 99, other.
const OTHER: u32 = 99;

/// What an order rests with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// The total quantity; nothing of a resting order is ever filled here.
    pub qty: i64,
}

/// How a book treats orders; the same for every gateway.
#[derive(Clone, Debug)]
pub struct Rules {
    behaviour: Behaviour,
    separate_ack: bool,
    max_open_orders: usize,
    max_reports: usize,
    quotes: Arc<Quotes>,
}

impl Rules {
    /// The rules of `config`.
    pub fn new(config: &StubConfig, quotes: Arc<Quotes>) -> Self {
        Self {
            behaviour: config.behaviour,
            separate_ack: config.separate_ack,
            max_open_orders: config.max_open_orders,
            max_reports: config.max_reports.max(1),
            quotes,
        }
    }
}

/// What a book has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookCounts {
    /// New orders taken.
    pub orders: u64,
    /// Cancels taken, on either stream.
    pub cancels: u64,
    /// Replaces taken.
    pub replaces: u64,
    /// Trades reported.
    pub trades: u64,
    /// Orders rejected.
    pub rejects: u64,
    /// Reports written.
    pub reports: u64,
    /// Requests already processed, sent again.
    pub duplicates: u64,
}

/// The answer to a logon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedOn {
    /// Names this session among all that the gateway ever had; the highest one lives.
    pub generation: u64,
    /// The last request processed in this epoch.
    pub last_client_seq: u64,
    /// The last report written today.
    pub last_venue_seq: u64,
    /// Reports after this one are sent.
    pub cursor: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Book {
    rules: Rules,
    epoch: u32,
    generation: u64,
    connected: bool,
    cancel_on_disconnect: bool,
    last_client_seq: u64,
    /// Nothing numbered has come in this session yet.
    fresh: bool,
    venue_seq: u64,
    reports: VecDeque<Report>,
    open: BTreeMap<u64, OpenOrder>,
    counts: BookCounts,
    waker: Option<Waker>,
}

impl Book {
    /// A gateway never seen before.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            epoch: 0,
            generation: 0,
            connected: false,
            cancel_on_disconnect: false,
            last_client_seq: 0,
            fresh: true,
            venue_seq: 0,
            reports: VecDeque::new(),
            open: BTreeMap::new(),
            counts: BookCounts::default(),
            waker: None,
        }
    }

    /// Begins a session: fences every earlier one of the gateway. A lower epoch is refused, with the epoch in force.
    pub fn logon(&mut self, epoch: u32, resume_after: u64, cancel_on_disconnect: bool) -> Result<LoggedOn, u32> {
        if epoch < self.epoch {
            return Err(self.epoch);
        }
        if epoch > self.epoch {
            self.epoch = epoch;
            self.last_client_seq = 0;
        }
        self.generation += 1;
        self.fresh = true;
        self.connected = true;
        self.cancel_on_disconnect = cancel_on_disconnect;
        self.wake();
        Ok(LoggedOn {
            generation: self.generation,
            last_client_seq: self.last_client_seq,
            last_venue_seq: self.venue_seq,
            cursor: resume_after.clamp(self.forgotten(), self.venue_seq),
        })
    }

    /// Ends session `generation`, when it still is the gateway's.
    pub fn disconnect(&mut self, generation: u64, now: u64) {
        if generation != self.generation || !self.connected {
            return;
        }
        self.connected = false;
        if self.cancel_on_disconnect {
            for id in self.open_ids() {
                self.cancel(id, now);
            }
        }
    }

    /// The session that may speak for the gateway.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Takes the sequence number of a request: whether to process it, or the number that was expected. The first of a
    /// session may jump ahead: what was numbered in between was lost with the last link.
    pub fn take_seq(&mut self, seq: u64) -> Result<bool, u64> {
        let expected = self.last_client_seq + 1;
        if seq > expected && !self.fresh {
            return Err(expected);
        }
        if seq < expected {
            self.counts.duplicates += 1;
            return Ok(false);
        }
        self.last_client_seq = seq;
        self.fresh = false;
        Ok(true)
    }

    /// The last request processed in this epoch.
    pub fn last_client_seq(&self) -> u64 {
        self.last_client_seq
    }

    /// The last report written.
    pub fn venue_seq(&self) -> u64 {
        self.venue_seq
    }

    /// Reports up to and including this one are no longer held.
    pub fn forgotten(&self) -> u64 {
        self.venue_seq - self.reports.len() as u64
    }

    /// Report number `venue_seq`, while it is held.
    pub fn report(&self, venue_seq: u64) -> Option<&Report> {
        let position = venue_seq.checked_sub(self.forgotten() + 1)?;
        self.reports.get(usize::try_from(position).ok()?)
    }

    /// The open order of this id.
    pub fn open_order(&self, id: u64) -> Option<OpenOrder> {
        self.open.get(&id).copied()
    }

    /// The ids of all open orders, ascending.
    pub fn open_ids(&self) -> Vec<u64> {
        self.open.keys().copied().collect()
    }

    /// What was done so far, and the open orders.
    pub fn counts(&self) -> (BookCounts, usize) {
        (self.counts, self.open.len())
    }

    /// Whom to wake when a report is written outside of the session.
    pub fn set_waker(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// A new order.
    #[inline]
    pub fn new_order(&mut self, order: &NewOrder<'_>, now: u64) {
        self.counts.orders += 1;
        let immediate = order.immediate();
        let price = if self.rules.behaviour == Behaviour::Fill && immediate { self.trade_price(order) } else { None };
        if self.refuses(order, immediate) {
            self.counts.rejects += 1;
            self.execution(order.id, ExecType::Rejected, now, |report| report.ord_rej_reason = OTHER);
            return;
        }
        if !immediate || self.rules.separate_ack {
            self.execution(order.id, ExecType::New, now, |report| report.leaves_qty = order.qty);
        }
        if !immediate {
            self.open.insert(order.id, OpenOrder { qty: order.qty });
        } else if let Some(price) = price {
            self.trade(order, price, now);
        } else {
            self.execution(order.id, ExecType::Canceled, now, |_| {});
        }
    }

    fn refuses(&self, order: &NewOrder<'_>, immediate: bool) -> bool {
        let full = !immediate && self.open.len() >= self.rules.max_open_orders;
        self.rules.behaviour == Behaviour::Reject || order.qty <= 0 || full || self.open.contains_key(&order.id)
    }

    fn trade(&mut self, order: &NewOrder<'_>, price: i64, now: u64) {
        self.counts.trades += 1;
        self.execution(order.id, ExecType::Trade, now, |report| {
            report.last_qty = order.qty;
            report.last_px = price;
            report.cum_qty = order.qty;
        });
    }

    /// The limit price, or for a market order the far side of the quote; `None` when there is neither.
    fn trade_price(&self, order: &NewOrder<'_>) -> Option<i64> {
        if order.price.is_some() {
            return order.price;
        }
        let quote = self.rules.quotes.find(order.symbol)?;
        Some(if order.side == Side::Buy as u64 { quote.offer_px } else { quote.bid_px })
    }

    /// A cancel, from either stream.
    pub fn cancel(&mut self, id: u64, now: u64) {
        self.counts.cancels += 1;
        if self.open.remove(&id).is_some() {
            self.execution(id, ExecType::Canceled, now, |_| {});
        } else {
            self.push(Report::CancelReject { id, response_to: CxlRejResponseTo::OrderCancelRequest });
        }
        self.wake();
    }

    /// A replace.
    pub fn replace(&mut self, replace: &Replace, now: u64) {
        self.counts.replaces += 1;
        match self.open.get_mut(&replace.id) {
            Some(order) if replace.qty > 0 => {
                order.qty = replace.qty;
                self.execution(replace.id, ExecType::Replaced, now, |report| report.leaves_qty = replace.qty);
            }
            _ => {
                let response_to = CxlRejResponseTo::OrderCancelReplaceRequest;
                self.push(Report::CancelReject { id: replace.id, response_to });
            }
        }
    }

    #[inline]
    fn execution(&mut self, id: u64, exec_type: ExecType, now: u64, fill_in: impl FnOnce(&mut Execution)) {
        let mut report = Execution {
            id,
            exec_type,
            last_qty: 0,
            last_px: 0,
            cum_qty: 0,
            leaves_qty: 0,
            ord_rej_reason: 0,
            time: now,
        };
        fill_in(&mut report);
        self.push(Report::Execution(report));
    }

    #[inline]
    fn push(&mut self, report: Report) {
        if self.reports.len() >= self.rules.max_reports {
            self.reports.pop_front();
        }
        self.reports.push_back(report);
        self.venue_seq += 1;
        self.counts.reports += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{OrdType, Quote, TimeInForce};

    const IOC: NewOrder<'static> = NewOrder {
        id: 7,
        symbol: b"AAPL",
        side: Side::Buy as u64,
        ord_type: OrdType::Limit as u64,
        time_in_force: TimeInForce::ImmediateOrCancel as u64,
        qty: 100,
        price: Some(5),
    };
    const DAY: NewOrder<'static> = NewOrder { time_in_force: TimeInForce::Day as u64, ..IOC };

    fn book(config: StubConfig) -> Book {
        let quotes = Quotes::new(config.quotes.clone());
        Book::new(Rules::new(&config, Arc::new(quotes)))
    }

    fn check(config: StubConfig, order: NewOrder<'_>, expected: &[ExecType]) -> Book {
        let mut book = book(config);
        book.new_order(&order, 1);
        let types: Vec<ExecType> = (1..=book.venue_seq())
            .filter_map(|seq| match book.report(seq) {
                Some(Report::Execution(execution)) => Some(execution.exec_type),
                _ => None,
            })
            .collect();

        assert_eq!(expected, types);
        book
    }

    #[test]
    fn each_behaviour_answers_an_order_in_its_way() {
        let of = |behaviour| StubConfig { behaviour, ..StubConfig::default() };
        check(of(Behaviour::Fill), IOC, &[ExecType::New, ExecType::Trade]);
        check(of(Behaviour::Fill), DAY, &[ExecType::New]);
        check(of(Behaviour::Ack), IOC, &[ExecType::New, ExecType::Canceled]);
        check(of(Behaviour::Ack), DAY, &[ExecType::New]);
        check(of(Behaviour::Reject), IOC, &[ExecType::Rejected]);
        check(StubConfig { separate_ack: false, ..of(Behaviour::Fill) }, IOC, &[ExecType::Trade]);
        check(of(Behaviour::Fill), NewOrder { qty: -1, ..IOC }, &[ExecType::Rejected]);
    }

    #[test]
    fn market_orders_trade_at_the_far_side_or_not_at_all() {
        let market = NewOrder { ord_type: OrdType::Market as u64, price: None, ..IOC };
        let quote = Quote { symbol: "AAPL".to_owned(), bid_px: 10, offer_px: 12, ..Quote::default() };
        let quoted = StubConfig { quotes: vec![quote], ..StubConfig::default() };
        let book = check(quoted, market, &[ExecType::New, ExecType::Trade]);

        assert!(matches!(book.report(2), Some(Report::Execution(Execution { last_px: 12, .. }))));
        check(StubConfig::default(), market, &[ExecType::New, ExecType::Canceled]);
    }

    #[test]
    fn a_resting_order_is_canceled_once_and_then_unknown() {
        let mut book = check(StubConfig::default(), DAY, &[ExecType::New]);
        book.cancel(7, 2);
        book.cancel(7, 3);

        assert!(matches!(book.report(2), Some(Report::Execution(Execution { exec_type: ExecType::Canceled, .. }))));
        assert!(matches!(book.report(3), Some(Report::CancelReject { id: 7, .. })));
        assert_eq!(Vec::<u64>::new(), book.open_ids());
    }

    #[test]
    fn open_orders_and_kept_reports_are_bounded() {
        let mut book = book(StubConfig { max_open_orders: 2, max_reports: 3, ..StubConfig::default() });
        for id in 1..=5 {
            book.new_order(&NewOrder { id, ..DAY }, 1);
        }

        assert_eq!(vec![1, 2], book.open_ids());
        assert_eq!((5, 2), (book.venue_seq(), book.forgotten()));
        assert_eq!(None, book.report(2));
        assert!(book.report(3).is_some());
    }

    #[test]
    fn sequence_gaps_are_refused_and_repeats_ignored() {
        let mut book = book(StubConfig::default());

        assert_eq!(Ok(true), book.take_seq(1));
        assert_eq!(Ok(false), book.take_seq(1));
        assert_eq!(Err(2), book.take_seq(3));
    }

    #[test]
    fn what_was_numbered_and_lost_with_a_link_is_no_gap_of_the_next() {
        let mut book = book(StubConfig::default());
        let _ = book.take_seq(1);
        let _ = book.logon(0, 0, false);

        assert_eq!(Ok(true), book.take_seq(5));
        assert_eq!((Err(6), Ok(false)), (book.take_seq(7), book.take_seq(3)));
    }

    #[test]
    fn a_new_epoch_counts_requests_afresh_and_reports_on() {
        let mut book = check(StubConfig::default(), IOC, &[ExecType::New, ExecType::Trade]);
        let _ = book.take_seq(1);

        assert_eq!(Ok(1), book.logon(0, 0, false).map(|ack| ack.last_client_seq));
        let fresh = book.logon(2, u64::MAX, false);
        assert_eq!(Ok((0, 2, 2)), fresh.map(|ack| (ack.last_client_seq, ack.last_venue_seq, ack.cursor)));
        assert_eq!(Err(2), book.logon(1, 0, false));
    }

    #[test]
    fn only_the_living_session_cancels_on_disconnect() {
        let mut book = check(StubConfig::default(), DAY, &[ExecType::New]);
        let first = book.logon(1, 0, true).map(|ack| ack.generation).unwrap_or_default();
        let second = book.logon(1, 0, true).map(|ack| ack.generation).unwrap_or_default();
        book.disconnect(first, 2);
        assert_eq!(vec![7], book.open_ids());
        book.disconnect(second, 2);

        assert_eq!(Vec::<u64>::new(), book.open_ids());
    }
}
