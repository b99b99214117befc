//! The cancel lane: a second stream of a router, on a connection of its own, that orders can never delay.

use std::task::{Context, Poll, Waker};

use riskcore::events::{Cancel, Event};
use riskcore::ids::RouterId;
use riskcore::outcome::Outcome;
use riskgate_journal::Lsn;
use tonic::Status;
use tonic::codec::EncodeBuf;

use crate::inbound::Step;
use crate::io::Cord;
use crate::plane::{CancelRequest, Plane};
use crate::secrets;
use crate::slab::Key;
use crate::wire::frame::Ready;
use crate::wire::primitives::Sink;
use crate::wire::requests::{CancelFields, CancelsItem, CancelsRequest};
use crate::wire::responses::write_cancel_taken;

/// One `Cancels` stream.
pub struct Lane {
    cord: Cord,
    waker: Option<Waker>,
    router: Option<RouterId>,
    /// Encoded answers.
    out: Vec<u8>,
    /// The record of the last of them.
    lsn: Lsn,
    ending: Option<Status>,
    over: bool,
}

/// Bytes of answers that may wait: a lane whose peer does not read them is cut. Its cancels have been taken.
const MAX_ANSWERS: usize = 256 << 10;

impl Plane {
    /// A lane begins.
    pub fn open_lane(&mut self, cord: Cord) -> Key {
        self.lanes.insert(Lane {
            cord,
            waker: None,
            router: None,
            out: Vec::new(),
            lsn: Lsn(0),
            ending: None,
            over: false,
        })
    }

    /// The transport is done with a lane.
    pub fn close_lane(&mut self, key: Key) {
        if let Some(lane) = self.lanes.remove(key)
            && let Some(router) = lane.router.and_then(|id| self.routers.get_mut(id.index()))
            && router.lane == Some(key)
        {
            router.lane = None;
        }
    }

    /// Ends a lane with a status.
    pub fn end_lane(&mut self, key: Key, status: Status) {
        if let Some(lane) = self.lanes.get_mut(key)
            && !lane.over
        {
            lane.over = true;
            lane.ending = Some(status);
        }
        self.wake_lane(key);
    }

    pub(crate) fn wake_lane(&mut self, key: Key) {
        if let Some(waker) = self.lanes.get_mut(key).and_then(|lane| lane.waker.take()) {
            waker.wake();
        }
    }

    /// Works through one frame of a lane.
    pub fn on_cancels(&mut self, key: Key, frame: &[u8]) -> Step {
        if self.lanes.get(key).is_none_or(|lane| lane.over) {
            return Step::Over;
        }
        match self.take_cancels(key, frame) {
            Ok(()) => {
                self.wake_lane(key);
                Step::Done
            }
            Err(status) => {
                self.counters.protocol_errors += 1;
                self.end_lane(key, status);
                Step::Over
            }
        }
    }

    fn take_cancels(&mut self, key: Key, frame: &[u8]) -> Result<(), Status> {
        let malformed = |e: crate::wire::Malformed| Status::invalid_argument(format!("malformed frame: {}", e.0));
        let mut items = CancelsRequest::new(frame);
        let mut count = 0;
        while let Some(item) = items.next_item().map_err(malformed)? {
            match item {
                CancelsItem::Token(token) => self.bind_lane(key, token)?,
                CancelsItem::Cancel(fields) => {
                    count += 1;
                    if count > MAX_CANCELS {
                        return Err(Status::invalid_argument("a frame holds at most 256 cancels"));
                    }
                    self.cancel_on_lane(key, &fields)?;
                }
            }
        }
        Ok(())
    }

    fn bind_lane(&mut self, key: Key, token: &[u8]) -> Result<(), Status> {
        let owner = self.routers.iter().position(|router| {
            router.live.is_some() && !router.session_token.is_empty() && secrets::equal(token, &router.session_token)
        });
        let Some(owner) = owner else {
            return Err(Status::unauthenticated("session_token: no live session has this token"));
        };
        let id = RouterId(owner as u32);
        if let Some(old) =
            self.routers.get_mut(owner).and_then(|router| router.lane.replace(key)).filter(|old| *old != key)
        {
            self.end_lane(old, Status::aborted("another cancel lane of this session took over"));
        }
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.cord.identified();
            lane.router = Some(id);
        }
        Ok(())
    }

    fn cancel_on_lane(&mut self, key: Key, fields: &CancelFields<'_>) -> Result<(), Status> {
        let router = self.lanes.get(key).and_then(|lane| lane.router);
        let Some(router) = router else {
            return Err(Status::unauthenticated("session_token: missing on the first frame"));
        };
        let live = self.routers.get(router.index()).and_then(|router| router.live);
        if let Some(session) = live {
            self.heard(session);
        }
        let forwarded = match fields.check() {
            Ok(id) => self.forward_cancel(router, id, fields.cl_ord_id),
            Err(error) => {
                self.report_cancel_malformed(router, fields, 0, error);
                false
            }
        };
        let lsn = self.lsn();
        let Some(lane) = self.lanes.get_mut(key) else { return Ok(()) };
        write_cancel_taken(&mut lane.out, fields.orig_cl_ord_id, forwarded);
        lane.lsn = lsn;
        if lane.out.len() > MAX_ANSWERS {
            lane.cord.cut();
        }
        Ok(())
    }

    fn forward_cancel(&mut self, router: RouterId, id: riskcore::ids::ClOrdId, request_id: &[u8]) -> bool {
        let request = CancelRequest { cl_ord_id: riskcore::ids::ClOrdId::new(request_id), client_seq: 0 };
        let event = Event::Cancel(Cancel { router, client_seq: 0, orig_cl_ord_id: id, lane: true });
        match self.apply(&event) {
            Outcome::CancelAccepted(order) => {
                self.cancels.insert(order, request);
                true
            }
            Outcome::CancelRejected(order, reason) => {
                self.report_cancel_rejected(router, order, id, request, reason);
                false
            }
            _ => false,
        }
    }

    /// Whether there is something to write on a lane.
    pub fn poll_lane(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<Option<Result<Ready, Status>>> {
        let durable = self.journal.durable();
        let Some(lane) = self.lanes.get_mut(key) else { return Poll::Ready(None) };
        if !lane.out.is_empty() && lane.lsn <= durable {
            return Poll::Ready(Some(Ok(Ready)));
        }
        if lane.over {
            return Poll::Ready(lane.ending.take().map(Err));
        }
        lane.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Writes the answers of a lane.
    pub fn drain_lane(&mut self, key: Key, out: &mut EncodeBuf<'_>) {
        if let Some(lane) = self.lanes.get_mut(key) {
            out.put(&lane.out);
            lane.out.clear();
        }
    }
}

/// Cancels in one frame.
const MAX_CANCELS: usize = 256;
