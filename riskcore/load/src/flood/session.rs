//! One session as a state machine: no socket, no clock. The source asks it what to send, the decoder tells it what
//! came; time is an argument.
//!
//! ```text
//! LoggingOn ──LogonAck──► Ready ──begin──► Running ──all sent, or stop──► Draining ──answered, or late──► Ended
//! ```

use std::sync::Arc;
use std::task::Waker;

use super::answered::Answered;
use super::config::{MAX_BATCH, Protocol, SessionConfig};
use super::schedule::Schedule;
use super::tally::Tally;
use super::template::Templates;
use crate::proto::{ExecType, OrdStatus};

/// Beyond the drain time, so that an orderly end always comes first.
const STUCK_GRACE: u64 = 1_000_000_000;

/// What the source sends next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Encode this frame.
    Send(Frame),
    /// Nothing until this time.
    WaitUntil(u64),
    /// Nothing until something arrives.
    Wait,
    /// The stream ends.
    End,
}

/// One frame to encode; orders by index, so that a frame is a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The first message.
    Logon,
    /// `count` orders from `first`, numbered from `seq`.
    Orders {
        /// Index in the schedule.
        first: u64,
        /// How many.
        count: u64,
        /// Sequence number of the first.
        seq: u64,
    },
    /// 0, or the echo of the peer's.
    Heartbeat {
        /// `test_req_id`.
        id: u64,
    },
    /// The last message.
    Logout,
}

/// A report, as far as the counts need it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report<'a> {
    /// The order's sequence number, when the report names one.
    pub seq: Option<u64>,
    /// FIX 150, the number on the wire.
    pub exec_type: u64,
    /// FIX 39; 0 when the protocol does not carry it.
    pub ord_status: u64,
    /// Units of this trade.
    pub last_qty: i64,
    /// Units still open.
    pub leaves_qty: i64,
    /// The reject's name; empty = none given.
    pub reject: &'a [u8],
    /// FIX 103.
    pub ord_rej_reason: u64,
}

impl Phase {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoggingOn => "LOGGING_ON",
            Self::Ready => "READY",
            Self::Running => "RUNNING",
            Self::Draining => "DRAINING",
            Self::Ended => "ENDED",
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The logon is not answered yet.
    LoggingOn,
    /// Waits for the common start.
    Ready,
    /// Sends.
    Running,
    /// Waits for the last answers.
    Draining,
    /// Nothing more is sent.
    Ended,
}

/// The state of one session.
#[derive(Debug)]
pub struct Session {
    /// What was counted.
    pub tally: Tally,
    /// Why the session ended early.
    pub error: Option<String>,
    phase: Phase,
    schedule: Schedule,
    duration: u64,
    limit: u64,
    templates: Arc<Templates>,
    max_batch: u64,
    drain: u64,
    logout: bool,
    ping_pong: bool,
    logon_sent: bool,
    start: u64,
    drain_until: u64,
    /// Index of the next order.
    next: u64,
    first_seq: u64,
    /// Ping-pong: when the order in flight was encoded.
    in_flight: Option<u64>,
    answered: Answered,
    heartbeat: u64,
    last_sent: u64,
    echo: Option<u64>,
    peer_seq: u64,
    resumed_after: Option<u64>,
    stopped: bool,
    waker: Option<Waker>,
}

impl Session {
    /// A session that has not logged on. `drain` is the time for the last answers, ns.
    pub fn new(
        config: &SessionConfig,
        protocol: Protocol,
        templates: Arc<Templates>,
        max_batch: usize,
        drain: u64,
    ) -> Self {
        let max_batch = max_batch.clamp(1, MAX_BATCH.min(templates.max_batch()));
        Self {
            tally: Tally::new(),
            error: None,
            phase: Phase::LoggingOn,
            schedule: Schedule::new(config.shape),
            duration: config.shape.duration,
            limit: if config.shape.orders > 0 { config.shape.orders } else { u64::MAX },
            templates,
            max_batch: max_batch as u64,
            drain,
            // A venue session has no Logout: the end of the stream is one.
            logout: protocol == Protocol::OrderEntry,
            ping_pong: config.ping_pong,
            logon_sent: false,
            start: 0,
            drain_until: 0,
            next: 0,
            first_seq: 1,
            in_flight: None,
            answered: Answered::default(),
            heartbeat: 0,
            last_sent: 0,
            echo: None,
            peer_seq: 0,
            resumed_after: config.resume_after,
            stopped: false,
            waker: None,
        }
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The last report that it has seen by now; 0 = none.
    pub fn last_report_seq(&self) -> u64 {
        self.peer_seq
    }

    /// Whom to wake when there may be something to send.
    pub fn set_waker(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    /// Starts sending; order 0 is due at `start`.
    pub fn begin(&mut self, start: u64) {
        if self.phase == Phase::Ready {
            self.phase = Phase::Running;
            self.start = start;
            self.tally.started = start;
        }
        self.wake();
    }

    /// No further orders; what is in flight may still be answered.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.wake();
    }

    /// The stream is over.
    pub fn close(&mut self, error: Option<String>) {
        self.phase = Phase::Ended;
        if self.error.is_none() {
            self.error = error;
        }
        self.wake();
    }

    /// What to send now.
    pub fn step(&mut self, now: u64) -> Step {
        let step = self.decide(now);
        if let Step::Send(frame) = step {
            self.last_sent = now;
            self.tally.frames += 1;
            if let Frame::Orders { first, count, .. } = frame {
                self.count_sent(first, count, now);
            }
        }
        step
    }

    /// Whether the peer has taken nothing for so long that it never will: flow control can keep the source from being
    /// asked, and then no other deadline is seen.
    pub fn stuck(&self, now: u64) -> bool {
        let scheduled = match self.phase {
            Phase::Running if self.stopped => 0,
            Phase::Running if self.ping_pong => self.end_of_time(),
            Phase::Running => self.start.saturating_add(self.schedule.due(self.schedule.total().saturating_sub(1))),
            Phase::Draining => 0,
            Phase::LoggingOn | Phase::Ready | Phase::Ended => return false,
        };
        let alive = scheduled.max(self.last_sent).max(self.tally.finished);
        now > alive.saturating_add(self.drain).saturating_add(STUCK_GRACE)
    }

    /// Whether an order of the schedule is due.
    pub fn is_due(&self, now: u64) -> bool {
        self.phase == Phase::Running
            && !self.ping_pong
            && self.next < self.schedule.total()
            && self.start.saturating_add(self.schedule.due(self.next)) <= now
    }

    /// Orders of the schedule that were never encoded.
    pub fn unsent(&self) -> u64 {
        if self.ping_pong { 0 } else { self.schedule.total().saturating_sub(self.next) }
    }

    fn decide(&mut self, now: u64) -> Step {
        if let Some(id) = self.echo.take() {
            return Step::Send(Frame::Heartbeat { id });
        }
        match self.phase {
            Phase::LoggingOn if self.stopped => self.end(),
            Phase::LoggingOn if self.logon_sent => Step::Wait,
            Phase::LoggingOn => {
                self.logon_sent = true;
                Step::Send(Frame::Logon)
            }
            Phase::Ready if self.stopped => self.end(),
            Phase::Ready => self.idle(now, u64::MAX),
            Phase::Running if self.stopped => self.begin_drain(now),
            Phase::Running if self.ping_pong => self.one_in_flight(now),
            Phase::Running => self.open_loop(now),
            Phase::Draining => self.drain(now),
            Phase::Ended => Step::End,
        }
    }

    fn open_loop(&mut self, now: u64) -> Step {
        let total = self.schedule.total();
        if self.next >= total {
            return self.begin_drain(now);
        }
        let due = self.start.saturating_add(self.schedule.due(self.next));
        if due > now {
            return self.idle(now, due);
        }
        let room = self.max_batch.min(total - self.next);
        let mut count = 1;
        while count < room && self.start.saturating_add(self.schedule.due(self.next + count)) <= now {
            count += 1;
        }
        self.orders(count)
    }

    fn one_in_flight(&mut self, now: u64) -> Step {
        if self.in_flight.is_some() {
            return if now >= self.end_of_time() { self.begin_drain(now) } else { self.idle(now, self.end_of_time()) };
        }
        if now < self.start {
            return self.idle(now, self.start);
        }
        if self.next >= self.limit || now >= self.end_of_time() {
            return self.begin_drain(now);
        }
        self.in_flight = Some(now);
        self.orders(1)
    }

    fn end_of_time(&self) -> u64 {
        self.start.saturating_add(self.duration)
    }

    fn orders(&mut self, count: u64) -> Step {
        let first = self.next;
        self.next += count;
        Step::Send(Frame::Orders { first, count, seq: self.first_seq + first })
    }

    fn count_sent(&mut self, first: u64, count: u64, now: u64) {
        self.tally.sent += count;
        for index in first..first + count {
            self.tally.lag.saturating_record(now.saturating_sub(self.intended(index)));
        }
    }

    fn begin_drain(&mut self, now: u64) -> Step {
        self.phase = Phase::Draining;
        self.drain_until = now.saturating_add(self.drain);
        self.drain(now)
    }

    fn drain(&mut self, now: u64) -> Step {
        if self.tally.unanswered() == 0 || now >= self.drain_until {
            self.end()
        } else {
            self.idle(now, self.drain_until)
        }
    }

    fn end(&mut self) -> Step {
        self.phase = Phase::Ended;
        if self.logout && self.logon_sent { Step::Send(Frame::Logout) } else { Step::End }
    }

    /// Nothing is due before `until`; a heartbeat may be.
    fn idle(&self, now: u64, until: u64) -> Step {
        if self.heartbeat == 0 {
            return if until == u64::MAX { Step::Wait } else { Step::WaitUntil(until) };
        }
        let heartbeat = self.last_sent.saturating_add(self.heartbeat);
        if now >= heartbeat { Step::Send(Frame::Heartbeat { id: 0 }) } else { Step::WaitUntil(until.min(heartbeat)) }
    }

    /// When an order was meant to leave.
    fn intended(&self, index: u64) -> u64 {
        match self.in_flight {
            Some(encoded) => encoded,
            None => self.start.saturating_add(self.schedule.due(index)),
        }
    }

    /// The peer accepted the logon. Sequence numbers go on after `last_seq`, reports after `last_report`, when told,
    /// or after the one that the session resumes from.
    pub fn on_logon_ack(&mut self, last_seq: u64, last_report: Option<u64>, heartbeat_ms: u64) {
        if self.phase != Phase::LoggingOn {
            return;
        }
        self.phase = Phase::Ready;
        self.first_seq = last_seq.saturating_add(1);
        self.peer_seq = last_report.or(self.resumed_after).unwrap_or_default();
        // Half the agreed interval, so that one late timer is not a missed heartbeat.
        self.heartbeat = heartbeat_ms.saturating_mul(1_000_000) / 2;
    }

    /// A heartbeat; answered when it asks for it.
    pub fn on_heartbeat(&mut self, test_req_id: u64) {
        if test_req_id != 0 {
            self.echo = Some(test_req_id);
            self.wake();
        }
    }

    /// The sequence number of a message that carries one; dense from the first one seen.
    pub fn on_peer_seq(&mut self, seq: u64) {
        if self.peer_seq != 0 && seq != self.peer_seq + 1 {
            self.tally.sequence_gaps += 1;
        }
        self.peer_seq = seq;
    }

    /// Reports up to this one are no longer held by the peer.
    pub fn on_resume_gap(&mut self, up_to: u64) {
        self.peer_seq = up_to;
    }

    /// The peer ends the session.
    pub fn on_logout(&mut self, text: &[u8]) {
        if self.phase != Phase::Ended {
            self.close(Some(format!("logged out by the peer: {}", String::from_utf8_lossy(text))));
        }
    }

    /// The id in a report without a sequence number.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// An execution report.
    pub fn on_report(&mut self, now: u64, report: &Report<'_>) {
        let Some(index) = self.index_of(report.seq) else { return };
        let first = self.answered.insert(index);
        if first {
            self.answer(now, index, report);
        } else if [ExecType::New as u64, ExecType::Rejected as u64].contains(&report.exec_type) {
            self.tally.duplicates += 1;
        }
        self.follow(report);
    }

    /// Which order of this run a report is about; counts those of no order.
    fn index_of(&mut self, seq: Option<u64>) -> Option<u64> {
        let index = seq.and_then(|seq| seq.checked_sub(self.first_seq));
        match (seq, index) {
            (_, Some(index)) if index < self.next => return Some(index),
            (Some(1..), None) => self.tally.earlier += 1,
            _ => self.tally.unsolicited += 1,
        }
        None
    }

    fn answer(&mut self, now: u64, index: u64, report: &Report<'_>) {
        self.tally.answered += 1;
        self.tally.finished = now;
        let latency = now.saturating_sub(self.intended(index));
        self.tally.latency.saturating_record(latency);
        if report.exec_type == ExecType::Rejected as u64 {
            self.tally.rejected += 1;
            self.count_reject(report);
        } else {
            self.tally.accepted += 1;
            self.tally.accepted_latency.saturating_record(latency);
        }
        let drained = self.phase == Phase::Draining && self.tally.unanswered() == 0;
        if self.in_flight.take().is_some() || drained {
            self.wake();
        }
    }

    fn count_reject(&mut self, report: &Report<'_>) {
        if report.reject.is_empty() {
            let mut name = *b"ORD_REJ_REASON_00";
            let code = report.ord_rej_reason.min(99) as u8;
            name[15] = b'0' + code / 10;
            name[16] = b'0' + code % 10;
            self.tally.reject(&name, 1);
        } else {
            self.tally.reject(report.reject, 1);
        }
    }

    fn follow(&mut self, report: &Report<'_>) {
        const ENDS: [u64; 3] = [ExecType::Canceled as u64, ExecType::Expired as u64, ExecType::DoneForDay as u64];
        if report.exec_type == ExecType::Trade as u64 {
            self.tally.trades += 1;
            self.tally.filled_qty = self.tally.filled_qty.saturating_add(u64::try_from(report.last_qty).unwrap_or(0));
            if report.leaves_qty == 0 && [0, OrdStatus::Filled as u64].contains(&report.ord_status) {
                self.tally.filled += 1;
            }
        } else if ENDS.contains(&report.exec_type) {
            self.tally.canceled += 1;
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::{OrdType, OrderLine, Shape, Side, TimeInForce};
    use super::*;

    const MS: u64 = 1_000_000;

    fn session(shape: Shape, ping_pong: bool) -> Session {
        let line = OrderLine {
            account: "ACC1".into(),
            symbol: "AAPL".into(),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            time_in_force: TimeInForce::ImmediateOrCancel,
            order_qty: 100,
            price: Some(1),
            parent_cl_ord_id: String::new(),
            strategy: String::new(),
            order_flags: 0,
        };
        let config = SessionConfig {
            router: "r1".into(),
            token: "t".into(),
            lines: vec![line],
            cancels_from: None,
            shape,
            ping_pong,
            cl_ord_id_prefix: "F".into(),
            resume_after: None,
        };
        let templates = Arc::new(Templates::new(&config, Protocol::OrderEntry, "r1"));
        Session::new(&config, Protocol::OrderEntry, templates, MAX_BATCH, 10 * MS)
    }

    /// Logged on after sequence number 41 with a heartbeat of 10 ms, begun at 100 ms.
    fn running(shape: Shape, ping_pong: bool) -> Session {
        let mut session = session(shape, ping_pong);
        assert_eq!(Step::Send(Frame::Logon), session.step(0));
        session.on_logon_ack(41, None, 10);
        session.last_sent = 100 * MS;
        session.begin(100 * MS);
        session
    }

    fn orders(first: u64, count: u64, seq: u64) -> Step {
        Step::Send(Frame::Orders { first, count, seq })
    }

    fn new_report(seq: u64) -> Report<'static> {
        Report { seq: Some(seq), exec_type: ExecType::New as u64, ..Report::default() }
    }

    const THREE: Shape = Shape { rate: 1_000, burst: 1, active: 0, pause: 0, duration: 3 * MS, orders: 0 };

    #[test]
    fn orders_due_together_share_a_frame_and_a_late_answer_delays_none() {
        let mut session = running(THREE, false);

        assert_eq!(orders(0, 1, 42), session.step(100 * MS));
        assert_eq!(Step::WaitUntil(101 * MS), session.step(100 * MS));
        assert_eq!(orders(1, 2, 43), session.step(103 * MS));
        assert_eq!(3, session.tally.sent);
    }

    #[test]
    fn latency_counts_from_the_intended_time() {
        let mut session = running(THREE, false);
        session.step(150 * MS);
        session.on_report(151 * MS, &new_report(42));

        let latency = session.tally.latency.max();
        assert!(latency.abs_diff(51 * MS) < MS / 10, "{latency}");
    }

    #[test]
    fn all_answers_in_end_the_session_with_a_logout() {
        let mut session = running(THREE, false);
        session.step(103 * MS);
        for seq in 42..45 {
            session.on_report(104 * MS, &new_report(seq));
        }

        assert_eq!(Step::Send(Frame::Logout), session.step(104 * MS));
        assert_eq!(Step::End, session.step(104 * MS));
        assert_eq!(0, session.tally.unanswered());
    }

    #[test]
    fn missing_answers_are_counted_after_the_drain_time() {
        let mut session = running(THREE, false);
        session.step(103 * MS);

        assert_eq!(Step::WaitUntil(108 * MS), session.step(103 * MS));
        assert_eq!(Step::Send(Frame::Heartbeat { id: 0 }), session.step(108 * MS));
        assert_eq!(Step::WaitUntil(113 * MS), session.step(108 * MS));
        assert_eq!(Step::Send(Frame::Logout), session.step(113 * MS));
        assert_eq!(3, session.tally.unanswered());
    }

    #[test]
    fn ping_pong_sends_the_next_order_on_the_answer() {
        let mut session = running(Shape { duration: 1_000 * MS, orders: 2, ..THREE }, true);

        assert_eq!(orders(0, 1, 42), session.step(100 * MS));
        assert!(matches!(session.step(101 * MS), Step::WaitUntil(_)));
        session.on_report(102 * MS, &new_report(42));
        assert_eq!(orders(1, 1, 43), session.step(102 * MS));
        session.on_report(103 * MS, &new_report(43));
        assert_eq!(Step::Send(Frame::Logout), session.step(103 * MS));
        assert_eq!(2, session.tally.latency.len());
    }

    #[test]
    fn a_second_ack_is_a_duplicate_and_a_fill_is_not() {
        let mut session = running(THREE, false);
        session.step(103 * MS);
        session.on_report(104 * MS, &new_report(42));
        session.on_report(104 * MS, &new_report(42));
        let trade = Report { exec_type: ExecType::Trade as u64, last_qty: 100, ..new_report(42) };
        session.on_report(104 * MS, &trade);

        assert_eq!((1, 1, 1), (session.tally.answered, session.tally.duplicates, session.tally.filled));
    }

    #[test]
    fn reports_of_other_runs_touch_no_order() {
        let mut session = running(THREE, false);
        for seq in [Some(0), Some(1), Some(41), Some(42), Some(u64::MAX), None] {
            session.on_report(100 * MS, &Report { seq, ..new_report(0) });
        }

        assert_eq!((2, 4, 0), (session.tally.earlier, session.tally.unsolicited, session.tally.answered));
    }

    #[test]
    fn heartbeats_fill_the_silence_and_answer_the_peer() {
        let mut session = running(Shape { rate: 1, duration: 3_000 * MS, ..THREE }, false);
        session.step(100 * MS);

        assert_eq!(Step::WaitUntil(105 * MS), session.step(100 * MS));
        assert_eq!(Step::Send(Frame::Heartbeat { id: 0 }), session.step(105 * MS));
        session.on_heartbeat(9);
        assert_eq!(Step::Send(Frame::Heartbeat { id: 9 }), session.step(105 * MS));
    }

    #[test]
    fn a_peer_that_takes_nothing_is_given_up() {
        let mut session = running(THREE, false);
        session.step(100 * MS);

        assert!(!session.stuck(1_112 * MS));
        assert!(session.stuck(1_113 * MS));
        assert_eq!(2, session.unsent());
    }

    #[test]
    fn a_stop_before_the_start_ends_without_orders() {
        let mut session = session(THREE, false);
        session.step(0);
        session.on_logon_ack(0, None, 0);
        session.stop();

        assert_eq!(Step::Send(Frame::Logout), session.step(1));
        assert_eq!(Step::End, session.step(1));
        assert_eq!(0, session.tally.sent);
    }
}
