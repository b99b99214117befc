//! Sessions of routers: logon, resume, heartbeats, take-over, end.

use std::task::{Context, Poll, Waker};

use prost::Message;
use riskcore::events::Event;
use riskcore::ids::RouterId;
use riskcore::units::Nanos;
use tonic::codec::EncodeBuf;
use tonic::{Code, Status};

use crate::config::{LATE_HEARTBEATS, MISSED_HEARTBEATS};
use crate::error::in_full;
use crate::fleet::attestation::Attestation;
use crate::io::Cord;
use crate::plane::Plane;
use crate::proto;
use crate::ring::Cursor;
use crate::secrets;
use crate::slab::Key;
use crate::wire::frame::Ready;
use crate::wire::primitives::{Sink, put_entry, put_message, put_uint};

/// One `Session` stream, logged on or not.
pub struct Stream {
    cord: Cord,
    waker: Option<Waker>,
    /// The router, once logged on.
    pub router: Option<RouterId>,
    cursor: Option<Cursor>,
    /// While reports are sent again: the last of them.
    resume_until: Option<u64>,
    /// Encoded session messages, which go before reports.
    control: Vec<u8>,
    ending: Option<Ending>,
    heard: Nanos,
    beat: Nanos,
}

struct Ending {
    status: Option<Status>,
    since: Nanos,
}

/// How a router leaves.
#[derive(Clone, Copy)]
enum Leaving {
    /// It said so, or the gateway did.
    InOrder,
    /// Its connection is gone, or had to be ended.
    Lost,
}

/// How long an ending stream may take to tell its peer why, before it is cut.
const LINGER: Nanos = Nanos::from_millis(1_000);

/// Reports in one frame.
const FRAME_REPORTS: usize = 256;

impl Plane {
    /// A stream begins.
    pub fn open_stream(&mut self, cord: Cord) -> Key {
        let now = self.now();
        self.streams.insert(Stream {
            cord,
            waker: None,
            router: None,
            cursor: None,
            resume_until: None,
            control: Vec::new(),
            ending: None,
            heard: now,
            beat: now,
        })
    }

    /// The transport is done with a stream.
    pub fn close_stream(&mut self, key: Key) {
        if let Some(stream) = self.streams.remove(key) {
            let silent = self.now().since(stream.heard).0 / 1_000_000;
            let why = format!("connection closed, {silent} ms after it was last heard");
            self.leave(key, stream.router, Leaving::Lost, &why);
        }
    }

    /// Ends a stream with a status: what its peer sent cannot be taken.
    pub fn fail_stream(&mut self, key: Key, status: Status) {
        self.counters.protocol_errors += 1;
        self.end_stream(key, Some(status), "protocol error");
    }

    /// Ends a stream that cannot be read any further: its connection broke, or its peer broke gRPC's framing.
    pub fn lose_stream(&mut self, key: Key, status: Status) {
        match status.code() {
            Code::OutOfRange | Code::InvalidArgument | Code::Internal => self.fail_stream(key, status),
            _ => self.end_stream(key, Some(status), "connection lost"),
        }
    }

    fn end_stream(&mut self, key: Key, status: Option<Status>, why: &str) {
        let since = self.now();
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.ending.is_some() {
            return;
        }
        let router = stream.router;
        let leaving = if status.is_none() { Leaving::InOrder } else { Leaving::Lost };
        let why = match &status {
            Some(status) if status.message() != why => format!("{why}: {}", in_full(status)),
            _ => why.to_owned(),
        };
        stream.ending = Some(Ending { status, since });
        self.leave(key, router, leaving, &why);
        self.wake_stream(key);
    }

    /// Cuts a stream's connection: its peer does not read, or is not there.
    fn cut_stream(&mut self, key: Key, why: &str) {
        if let Some(stream) = self.streams.get(key) {
            stream.cord.cut();
        }
        self.end_stream(key, Some(Status::aborted(why.to_owned())), why);
    }

    /// A logged-on router is gone: its orders are cancelled if so configured, those of a lost session after its grace period.
    fn leave(&mut self, key: Key, router: Option<RouterId>, leaving: Leaving, why: &str) {
        let Some(id) = router else { return };
        let Some(router) = self.routers.get_mut(id.index()).filter(|router| router.live == Some(key)) else { return };
        router.live = None;
        router.session_token.clear();
        if let Some(lane) = router.lane.take() {
            self.end_lane(lane, Status::aborted("the session of this cancel lane has ended"));
        }
        let cancel_orders = self.config.cancel_on_disconnect;
        let event = match leaving {
            Leaving::Lost if cancel_orders && !self.stopping => Event::SessionLost { router: id },
            _ => Event::SessionDown { router: id, cancel_orders },
        };
        self.apply(&event);
        let name = self.routers.get(id.index()).map(|router| router.name.clone()).unwrap_or_default();
        self.announce_session(id, &format!("router {name} logged off: {why}"));
    }

    pub(crate) fn wake_stream(&mut self, key: Key) {
        if let Some(waker) = self.streams.get_mut(key).and_then(|stream| stream.waker.take()) {
            waker.wake();
        }
    }

    /// Whether a stream has ended, so that nothing more is read from it.
    pub fn is_over(&self, key: Key) -> bool {
        self.streams.get(key).is_none_or(|stream| stream.ending.is_some())
    }

    /// Notes that the peer is alive.
    pub(crate) fn heard(&mut self, key: Key) {
        let now = self.now();
        self.arrived = now;
        if let Some(stream) = self.streams.get_mut(key) {
            stream.heard = now;
        }
    }

    /// The router of a stream.
    pub(crate) fn router_of(&self, key: Key) -> Option<RouterId> {
        self.streams.get(key).and_then(|stream| stream.router)
    }

    /// A logon. `Err` ends the stream with this status.
    pub(crate) fn log_on(&mut self, key: Key, bytes: &[u8]) -> Result<(), Status> {
        if self.router_of(key).is_some() {
            return Err(Status::failed_precondition("logon: this stream is logged on already"));
        }
        let logon = proto::Logon::decode(bytes)
            .map_err(|e| Status::invalid_argument(format!("logon: not a Logon message: {e}")))?;
        self.admit(key, logon).inspect_err(|_| self.counters.refused_logons += 1)
    }

    fn admit(&mut self, key: Key, logon: proto::Logon) -> Result<(), Status> {
        if self.stopping {
            return Err(Status::unavailable("the gateway is stopping; try again later"));
        }
        let id = self.authenticate(&logon.router, &logon.token)?;
        self.make_way(id)?;
        if self.sessions() >= self.config.max_sessions {
            return Err(Status::resource_exhausted(format!(
                "{} sessions are connected, the configured maximum; raise order_entry.max_sessions",
                self.config.max_sessions
            )));
        }
        self.check_resume(id, logon.resume_after)?;
        self.attest(id, Attestation::of(&logon)?)?;
        self.welcome(key, id, logon.resume_after)
    }

    /// The router of a name and token. Neither says which of the two was wrong.
    pub(crate) fn authenticate(&self, name: &str, token: &str) -> Result<RouterId, Status> {
        let id = self.names().router(name).known();
        let known = id.and_then(|id| self.routers.get(id.index()));
        let expected = known.map_or("", |router| router.token.as_str());
        match (id, secrets::equal(token.as_bytes(), expected.as_bytes()) && !expected.is_empty()) {
            (Some(id), true) => Ok(id),
            _ => Err(Status::unauthenticated("logon: no router has this name and token")),
        }
    }

    /// A second logon is refused while the first session heartbeats in time; a late one gives way.
    fn make_way(&mut self, id: RouterId) -> Result<(), Status> {
        let Some(live) = self.routers.get(id.index()).and_then(|router| router.live) else { return Ok(()) };
        let late = Nanos(self.heartbeat().0 * i64::from(LATE_HEARTBEATS));
        let silent = self.streams.get(live).map_or(late, |stream| self.now().since(stream.heard));
        if silent < late {
            return Err(Status::already_exists("logon: this router has a live session; log it out first"));
        }
        self.cut_stream(live, "another session of this router took over");
        Ok(())
    }

    fn check_resume(&self, id: RouterId, resume_after: Option<u64>) -> Result<(), Status> {
        let last = self.routers.get(id.index()).map_or(0, |router| router.ring.last());
        match resume_after {
            Some(seq) if seq > last => Err(Status::invalid_argument(format!(
                "logon: resume_after is {seq}, but the last report of the day is {last}"
            ))),
            _ => Ok(()),
        }
    }

    fn welcome(&mut self, key: Key, id: RouterId, resume_after: Option<u64>) -> Result<(), Status> {
        let token = secrets::random().map_err(|e| Status::internal(format!("no random numbers: {e}")))?;
        let state = self.engine.effective_state(riskcore::scopes::Scope::Router(id)) as i32;
        let now = self.now();
        let Some(router) = self.routers.get_mut(id.index()) else { return Err(Status::internal("router table")) };
        router.live = Some(key);
        router.session_token = token.to_vec();
        let ack = proto::LogonAck {
            session_token: token.to_vec(),
            last_client_seq: router.high_water,
            heartbeat_ms: self.config.heartbeat.as_millis() as u32,
            state,
            trading_day: self.config.trading_day,
        };
        let name = router.name.clone();
        let resume_after = resume_after.unwrap_or(0);
        let Some(stream) = self.streams.get_mut(key) else { return Ok(()) };
        stream.cord.identified();
        stream.router = Some(id);
        stream.heard = now;
        stream.beat = now;
        control(stream, 2, &ack.encode_to_vec());
        self.apply(&Event::SessionUp { router: id });
        self.resume(key, id, resume_after);
        self.announce_session(id, &format!("router {name} logged on"));
        self.wake_stream(key);
        Ok(())
    }

    /// Places the stream's cursor after `resume_after`. If reports after it are gone, the stream is told so, and the open
    /// orders are reported anew behind what is still held.
    fn resume(&mut self, key: Key, id: RouterId, resume_after: u64) {
        let gone = self.routers.get(id.index()).is_some_and(|router| router.ring.after(resume_after).is_none());
        if gone {
            self.report_open_orders(id);
        }
        let Some(ring) = self.routers.get(id.index()).map(|router| &router.ring) else { return };
        let from = resume_after.max(ring.first() - 1);
        let (cursor, until) = (ring.after(from), ring.last());
        let Some(stream) = self.streams.get_mut(key) else { return };
        if gone {
            control(stream, 9, &proto::ResumeGap { up_to: from }.encode_to_vec());
        }
        stream.cursor = cursor;
        stream.resume_until = Some(until);
    }

    /// The peer ends its session in order.
    pub(crate) fn log_out(&mut self, key: Key) {
        if let Some(stream) = self.streams.get_mut(key) {
            control(stream, 10, &proto::Logout { text: "bye".to_owned() }.encode_to_vec());
        }
        self.end_stream(key, None, "logout");
    }

    /// Answers a heartbeat that wants an echo.
    pub(crate) fn echo(&mut self, key: Key, test_req_id: u64) {
        if test_req_id == 0 {
            return;
        }
        if let Some(stream) = self.streams.get_mut(key)
            && stream.control.len() < MAX_CONTROL
        {
            put_heartbeat(stream, test_req_id);
        }
        self.wake_stream(key);
    }

    pub(crate) fn heartbeat(&self) -> Nanos {
        Nanos::from_millis(self.config.heartbeat.as_millis() as i64)
    }

    /// How many routers are logged on.
    pub fn sessions(&self) -> usize {
        self.routers.iter().filter(|router| router.live.is_some()).count()
    }

    /// A report was added for a router: wakes its session, or cuts it if it has not read for too long.
    pub(crate) fn reported(&mut self, id: RouterId) {
        let Some(router) = self.routers.get(id.index()) else { return };
        let Some(key) = router.live else { return };
        let Some(stream) = self.streams.get_mut(key) else { return };
        let Some(cursor) = stream.cursor else { return };
        let overtaken = cursor.next < router.ring.first();
        if overtaken || stream.resume_until.is_none() && router.ring.lags(cursor) {
            self.counters.slow_readers += 1;
            self.cut_stream(key, "the session did not read its reports; log on again to resume");
            return;
        }
        if let Some(waker) = stream.waker.take() {
            waker.wake();
        }
    }

    /// Heartbeats out, deadlines in. `late`: how long this turn has waited. While the gateway itself stood still it heard
    /// nobody, and what was said meanwhile waits in the sockets: that silence is not the peers'.
    pub(crate) fn check_sessions(&mut self, late: Nanos) {
        let (now, every) = (self.now(), self.heartbeat());
        let stood_still = late >= every;
        let deadline = Nanos(every.0 * i64::from(MISSED_HEARTBEATS));
        for key in self.streams.keys().collect::<Vec<Key>>() {
            let Some(stream) = self.streams.get_mut(key) else { continue };
            if stood_still {
                stream.heard = now;
            }
            if let Some(ending) = &stream.ending {
                if now.since(ending.since) > LINGER {
                    stream.cord.cut();
                }
            } else if now.since(stream.heard) > deadline {
                self.counters.silent_sessions += 1;
                self.cut_stream(key, "nothing was heard for three heartbeats");
            } else if stream.router.is_some() && now.since(stream.beat) >= every {
                stream.beat = now;
                if stream.control.len() < MAX_CONTROL {
                    put_heartbeat(stream, 0);
                }
                self.wake_stream(key);
            }
        }
    }

    /// Whether there is something to write on a stream.
    pub fn poll_stream(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<Option<Result<Ready, Status>>> {
        let durable = self.journal.durable();
        let Some(stream) = self.streams.get_mut(key) else { return Poll::Ready(None) };
        if !stream.control.is_empty() {
            return Poll::Ready(Some(Ok(Ready)));
        }
        if let Some(ending) = &mut stream.ending {
            return Poll::Ready(ending.status.take().map(Err));
        }
        let ring = stream.router.and_then(|id| self.routers.get_mut(id.index())).map(|router| &mut router.ring);
        let ready = match (ring, stream.cursor) {
            (Some(ring), Some(cursor)) => {
                ring.ready(cursor, durable) || stream.resume_until.is_some_and(|until| cursor.next > until)
            }
            _ => false,
        };
        if ready {
            return Poll::Ready(Some(Ok(Ready)));
        }
        stream.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Writes the next frame of a stream.
    pub fn drain_stream(&mut self, key: Key, out: &mut EncodeBuf<'_>) {
        let durable = self.journal.durable();
        let Some(stream) = self.streams.get_mut(key) else { return };
        out.put(&stream.control);
        stream.control.clear();
        if stream.ending.is_some() {
            return;
        }
        let Some(router) = stream.router.and_then(|id| self.routers.get_mut(id.index())) else { return };
        let Some(cursor) = &mut stream.cursor else { return };
        let until = stream.resume_until.unwrap_or(u64::MAX);
        router.ring.read(cursor, durable, FRAME_REPORTS, until, out);
        if let Some(until) = stream.resume_until
            && cursor.next > until
        {
            stream.resume_until = None;
            let mut done = Vec::with_capacity(16);
            let body = proto::ResumeComplete { last_report_seq: until }.encode_to_vec();
            session_message(&mut done, 8, &body);
            out.put(&done);
        }
    }

    /// How many reports of a router its session has not written yet.
    pub(crate) fn queued_reports(&self, id: RouterId) -> u64 {
        let Some(router) = self.routers.get(id.index()) else { return 0 };
        let cursor = router.live.and_then(|key| self.streams.get(key)).and_then(|stream| stream.cursor);
        cursor.map_or(0, |cursor| router.ring.behind(cursor))
    }

    /// Logs every router out: the gateway stops.
    pub fn log_everybody_out(&mut self) {
        self.stopping = true;
        for key in self.streams.keys().collect::<Vec<Key>>() {
            self.log_out(key);
        }
    }
}

/// Bytes of session messages that may wait on one stream: a peer that does not read gets no more heartbeats.
const MAX_CONTROL: usize = 4 << 10;

fn control(stream: &mut Stream, field: u32, body: &[u8]) {
    session_message(&mut stream.control, field, body);
}

fn session_message(out: &mut Vec<u8>, field: u32, body: &[u8]) {
    let mut message = Vec::with_capacity(body.len() + 8);
    put_message(&mut message, field, |out| out.extend_from_slice(body));
    put_entry(out, 0, &message);
}

fn put_heartbeat(stream: &mut Stream, test_req_id: u64) {
    let mut body = Vec::new();
    put_uint(&mut body, 1, test_req_id);
    control(stream, 7, &body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Setup};
    use crate::ring::RingBounds;
    use std::time::Duration;

    const HEARTBEAT: Nanos = Nanos::from_millis(1_000);

    fn plane() -> Plane {
        let config = Config {
            gateway: "gw1".to_owned(),
            epoch: 1,
            trading_day: 20_120_801,
            order_entry_listen: String::new(),
            halt_listen: String::new(),
            halt_socket: None,
            halt_file: None,
            venue_address: String::new(),
            market_data_address: String::new(),
            heartbeat: Duration::from_nanos(HEARTBEAT.0 as u64),
            cancel_on_disconnect: true,
            drop_copy: false,
            replace_in_flight_mitigation: false,
            publishes_phases: false,
            journal_file: None,
            max_orders: 16,
            max_parents: 16,
            max_sessions: 1,
            reports: RingBounds::default(),
            venue_queue: 1 << 10,
        };
        crate::runtime::prepare(config, Setup::default()).unwrap()
    }

    /// Whether a stream is over after four heartbeats in which nothing was heard.
    async fn over_after_silence(late: Nanos) -> bool {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut plane = plane();
        let key = plane.open_stream(Cord::of(&stream).unwrap());
        plane.stand_at(Nanos(plane.now().0 + 4 * HEARTBEAT.0));
        plane.check_sessions(late);
        plane.is_over(key)
    }

    #[tokio::test]
    async fn a_silent_peer_is_cut_but_not_for_the_time_in_which_the_gateway_stood_still() {
        assert!(over_after_silence(Nanos(0)).await);
        assert!(over_after_silence(Nanos(HEARTBEAT.0 - 1)).await);
        assert!(!over_after_silence(Nanos(4 * HEARTBEAT.0)).await);
    }
}
