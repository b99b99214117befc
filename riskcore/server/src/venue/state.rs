//! What waits for the venue, and where the link stands.

use std::collections::{BTreeSet, VecDeque};
use std::task::{Context, Poll, Waker};

use riskcore::events::{Event, Report, ReportKind};
use riskcore::ids::OrderId;
use riskcore::orders::Status;
use riskcore::units::Nanos;
use riskgate_journal::{Lsn, Outbox};
use tonic::Status as RpcStatus;
use tonic::codec::EncodeBuf;

use crate::error::in_full;
use crate::io::Cord;
use crate::plane::Plane;
use crate::venue::residence::Residence;
use crate::venue::sequence::WireSequence;
use crate::wire::frame::Ready;
use crate::wire::primitives::{Sink, put_entry};
use crate::wire::venue;

/// Where the link stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// No session.
    #[default]
    Down,
    /// Logon sent.
    LoggingOn,
    /// Logged on; the mass status is under way.
    Reconciling,
    /// Orders flow.
    Up,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    New { core: u64 },
    Replace { core: u64 },
    Cancel,
    Control,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    kind: Kind,
    order: OrderId,
    length: u32,
    /// When the frame came that it is from.
    arrived: Nanos,
}

/// See the module.
#[derive(Default)]
pub struct VenueState {
    /// Where the link stands.
    pub phase: Phase,
    /// Counts sessions: streams of an old one find nothing.
    pub session: u64,
    outbox: Outbox<Waiting>,
    bytes: VecDeque<u8>,
    waker: Option<Waker>,
    /// Cancels for the cancel stream.
    lane: Outbox<OrderId>,
    lane_waker: Option<Waker>,
    /// The session whose cancel stream is open.
    pub lane_session: Option<u64>,
    lane_greeted: bool,
    /// Cancels written to the cancel stream that the venue has not taken yet.
    lane_written: VecDeque<OrderId>,
    /// How many it has taken.
    lane_taken: u64,
    /// Since when it has taken nothing although something waits.
    lane_stuck_since: Option<Nanos>,
    /// Orders whose cancel waits on either stream: a cancel that is asked for again waits once.
    cancels_waiting: BTreeSet<OrderId>,
    /// Wire numbers of what left.
    pub sequence: WireSequence,
    /// Wire venue_seq + this = the core's: above 0 after a venue has lost its memory, below 0 after this gateway has.
    pub venue_seq_base: i128,
    /// The venue's last report before this gateway sent its first order: up to it, reports are of earlier runs.
    pub earlier_runs: u64,
    /// Orders and replaces up to this one, in the core's numbers, were sent on links that are lost.
    pub lost_up_to: u64,
    /// The running mass status.
    pub request_id: u64,
    /// The venue's interval, ms; 0 until it told.
    pub heartbeat_ms: u64,
    /// Executions that may yet be corrected or busted.
    pub executions: super::reports::Executions,
    /// How long new orders stayed.
    pub residence: Residence,
    /// Cuts the connections of the running session.
    pub cords: Vec<Cord>,
}

/// Messages in one frame.
const FRAME_MESSAGES: usize = 256;

/// Bytes after which a frame takes no further message.
const FRAME_BYTES: usize = 16 << 10;

impl VenueState {
    /// Bytes that wait for the order stream.
    pub fn queued_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Messages that wait, on both streams.
    pub fn queued(&self) -> usize {
        self.outbox.len() + self.lane.len()
    }

    fn push(&mut self, lsn: Lsn, kind: Kind, order: OrderId, arrived: Nanos, body: &[u8]) {
        self.outbox.push(lsn, Waiting { kind, order, length: body.len() as u32, arrived });
        self.bytes.extend(body);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Wakes both streams.
    pub fn wake_all(&mut self) {
        for waker in [self.waker.take(), self.lane_waker.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}

impl Plane {
    /// An order was accepted: it leaves when its record is durable.
    pub(crate) fn send_order(&mut self, id: OrderId) {
        let lsn = self.lsn();
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        if let Some(order) = self.engine.order(id) {
            let names = self.names();
            venue::NewOrder {
                order,
                account: names.accounts.name(order.account.0),
                symbol: names.symbols.name(order.symbol.0),
                router: names.routers.name(order.router.0),
            }
            .write(&mut body);
            let core = order.venue_client_seq;
            self.venue.push(lsn, Kind::New { core }, id, self.arrived, &body);
        }
        self.body = body;
    }

    /// A replace was accepted.
    pub(crate) fn send_replace(&mut self, id: OrderId) {
        let lsn = self.lsn();
        let pending = self.engine.state().orders.pending_replace(id).copied();
        let (Some(pending), Some(order)) = (pending, self.engine.order(id)) else { return };
        let core = order.venue_client_seq;
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        venue::write_replace(&mut body, id.0, pending.qty.0, pending.price.map(|price| price.0));
        self.venue.push(lsn, Kind::Replace { core }, id, self.arrived, &body);
        self.body = body;
    }

    /// The core wants an order cancelled. Behind an order that the venue has not acknowledged, the cancel stays on the
    /// order stream; otherwise it takes the cancel stream, which orders cannot delay. While the link is down the core
    /// keeps it and asks again after the reconciliation.
    pub(crate) fn send_cancel(&mut self, id: OrderId) {
        let (lsn, now) = (self.lsn(), self.now());
        if self.venue.phase == Phase::Down || !self.venue.cancels_waiting.insert(id) {
            return;
        }
        let acknowledged = self.engine.order(id).is_some_and(|order| order.status != Status::PendingNew);
        if acknowledged && self.venue.lane_session == Some(self.venue.session) {
            self.venue.lane.push(lsn, id);
            self.venue.lane_stuck_since.get_or_insert(now);
            if let Some(waker) = self.venue.lane_waker.take() {
                waker.wake();
            }
            return;
        }
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        venue::write_cancel(&mut body, 5, id.0);
        self.venue.push(lsn, Kind::Cancel, id, self.arrived, &body);
        self.body = body;
    }

    pub(crate) fn send_control(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let lsn = self.lsn();
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        write(&mut body);
        self.venue.push(lsn, Kind::Control, OrderId(0), self.arrived, &body);
        self.body = body;
    }

    /// Whether there is something for the order stream of a session.
    pub fn poll_venue(&mut self, session: u64, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        if session != self.venue.session || self.venue.phase == Phase::Down {
            return Poll::Ready(None);
        }
        if self.venue.outbox.ready(self.journal.durable()) {
            return Poll::Ready(Some(Ready));
        }
        self.venue.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Writes the next frame of the order stream.
    pub fn drain_venue(&mut self, session: u64, out: &mut EncodeBuf<'_>) {
        let durable = self.journal.durable();
        if session != self.venue.session {
            return;
        }
        let now = self.now();
        let (mut count, mut written) = (0, 0);
        let state = &mut self.venue;
        while count < FRAME_MESSAGES && written < FRAME_BYTES {
            let Some(waiting) = state.outbox.pop(durable) else { return };
            let client_seq = match waiting.kind {
                Kind::New { core } => {
                    state.residence.record(now.since(waiting.arrived));
                    state.sequence.next(Some(core))
                }
                Kind::Replace { core } => state.sequence.next(Some(core)),
                Kind::Cancel => {
                    state.cancels_waiting.remove(&waiting.order);
                    state.sequence.next(None)
                }
                Kind::Control => 0,
            };
            let length = waiting.length as usize;
            let body = state.bytes.make_contiguous_prefix(length);
            put_entry(out, client_seq, body);
            state.bytes.drain(..length);
            count += 1;
            written += length;
        }
    }

    /// Whether there is something for the cancel stream of a session.
    pub fn poll_venue_lane(&mut self, session: u64, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        if session != self.venue.session || self.venue.phase == Phase::Down {
            return Poll::Ready(None);
        }
        if !self.venue.lane_greeted || self.venue.lane.ready(self.journal.durable()) {
            return Poll::Ready(Some(Ready));
        }
        self.venue.lane_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Writes the next frame of the cancel stream.
    pub fn drain_venue_lane(&mut self, session: u64, out: &mut EncodeBuf<'_>) {
        let durable = self.journal.durable();
        if session != self.venue.session {
            return;
        }
        if !self.venue.lane_greeted {
            self.venue.lane_greeted = true;
            venue::put_cancels_gateway(out, &self.config.gateway);
        }
        let mut cancel = Vec::with_capacity(16);
        for _ in 0..FRAME_MESSAGES {
            let Some(order) = self.venue.lane.pop(durable) else { return };
            self.venue.lane_written.push_back(order);
            cancel.clear();
            venue::write_cancel(&mut cancel, 2, order.0);
            out.put(&cancel);
        }
    }

    /// A connection for a new session is there: the logon goes first.
    pub fn venue_session_begins(&mut self, cords: Vec<Cord>) -> u64 {
        self.venue.session += 1;
        self.venue.phase = Phase::LoggingOn;
        self.venue.cords = cords;
        self.venue.lane_greeted = false;
        self.venue.lane_taken = 0;
        self.venue.lane_session = Some(self.venue.session);
        let resume_after = i128::from(self.engine.state().venue.last_venue_seq) - self.venue.venue_seq_base;
        let resume_after = u64::try_from(resume_after).unwrap_or_default();
        let (gateway, epoch) = (self.config.gateway.clone(), self.config.epoch);
        let cancel_on_disconnect = self.config.cancel_on_disconnect;
        self.send_control(|out| venue::write_logon(out, &gateway, epoch, resume_after, cancel_on_disconnect));
        self.venue.session
    }

    /// The cancel stream of a session has ended before the session: cancels take the order stream.
    pub fn venue_lane_lost(&mut self, session: u64) {
        if self.venue.session != session || self.venue.lane_session != Some(session) {
            return;
        }
        self.venue.lane_session = None;
        self.venue.lane_stuck_since = None;
        let written: Vec<OrderId> = self.venue.lane_written.drain(..).collect();
        let waiting: Vec<OrderId> = self.venue.lane.drain().collect();
        for id in written.into_iter().chain(waiting) {
            self.venue.cancels_waiting.remove(&id);
            self.send_cancel(id);
        }
    }

    /// The venue has taken so many cancels of a session's cancel stream.
    pub fn venue_lane_taken(&mut self, session: u64, taken: u64) {
        if self.venue.session != session || self.venue.lane_session != Some(session) {
            return;
        }
        let now = self.now();
        while self.venue.lane_taken < taken {
            let Some(order) = self.venue.lane_written.pop_front() else { break };
            self.venue.cancels_waiting.remove(&order);
            self.venue.lane_taken += 1;
        }
        let waits = !self.venue.lane_written.is_empty() || !self.venue.lane.is_empty();
        self.venue.lane_stuck_since = waits.then_some(now);
    }

    /// A cancel stream that the venue has stopped reading is given up, so that cancels take the order stream.
    pub fn check_venue_lane(&mut self, session: u64, patience: Nanos) {
        if self.venue.lane_stuck_since.is_some_and(|since| self.now().since(since) > patience) {
            self.announce_text_alarm(
                "the venue does not read its cancel stream; cancels take the order stream".to_owned(),
            );
            self.venue_lane_lost(session);
        }
    }

    /// The session is lost. Nothing is kept for later: what did not leave is released, what left is unknown until the
    /// reconciliation.
    pub fn venue_session_ends(&mut self, session: u64, why: &RpcStatus) {
        if self.venue.session != session || self.venue.phase == Phase::Down {
            return;
        }
        let was_up = self.venue.phase >= Phase::Reconciling;
        self.venue.phase = Phase::Down;
        self.venue.cords.drain(..).for_each(|cord| cord.cut());
        self.venue.bytes.clear();
        let unsent: Vec<Waiting> = self.venue.outbox.drain().collect();
        self.venue.lane.drain().for_each(drop);
        self.venue.lane_written.clear();
        self.venue.lane_stuck_since = None;
        self.venue.cancels_waiting.clear();
        self.venue.lost_up_to = self.engine.state().venue.last_client_seq;
        self.venue.wake_all();
        if was_up {
            self.counters.venue_losses += 1;
            self.apply(&Event::VenueDown);
            self.announce("venue", format!("venue link lost: {}", in_full(why)));
        }
        for waiting in unsent {
            self.release_unsent(waiting);
        }
    }

    /// The venue does not know the reports we have seen: it lost its memory. Its sequence starts again behind ours.
    pub fn venue_forgot(&mut self) {
        self.venue.venue_seq_base = i128::from(self.engine.state().venue.last_venue_seq);
        self.announce_text_alarm("the venue has forgotten this gateway's reports; resuming from its first".to_owned());
    }

    /// How often either side of the link sends something.
    pub fn venue_heartbeat(&self) -> std::time::Duration {
        match self.venue.heartbeat_ms {
            0 => self.config.heartbeat,
            ms => std::time::Duration::from_millis(ms).min(std::time::Duration::from_secs(60)),
        }
    }

    fn release_unsent(&mut self, waiting: Waiting) {
        match waiting.kind {
            Kind::New { .. } => {
                self.apply(&Event::NotSent { order: waiting.order });
            }
            Kind::Replace { .. } => self.replace_is_void(waiting.order),
            Kind::Cancel | Kind::Control => {}
        }
    }

    /// A replace never reached the venue and cannot any more: its router is told as if the venue had refused it.
    pub(crate) fn replace_is_void(&mut self, order: OrderId) {
        let kind = ReportKind::ReplaceRejected;
        self.on_report(&Report { venue_seq: 0, order, exec_id: 0, instrument: None, kind }, 0);
    }
}

impl PartialOrd for Phase {
    fn partial_cmp(&self, other: &Phase) -> Option<std::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

/// The first bytes of a queue in one piece.
trait Prefix {
    fn make_contiguous_prefix(&mut self, length: usize) -> &[u8];
}

impl Prefix for VecDeque<u8> {
    /// Almost always the head is in one piece already; at the wrap the queue is rotated once.
    fn make_contiguous_prefix(&mut self, length: usize) -> &[u8] {
        if self.as_slices().0.len() < length {
            self.make_contiguous();
        }
        self.as_slices().0.get(..length).unwrap_or_default()
    }
}
