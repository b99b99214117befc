//! Frames of routers: sequence first, then the core, then the answer.

use riskcore::events::{Cancel, Event, MassCancel, NewOrder, Replace};
use riskcore::ids::{ClOrdId, Ref, RouterId};
use riskcore::outcome::{CxlRejReason, Outcome, Reject};
use riskcore::reasons::{self, Reason};
use riskcore::units::{Nanos, Price, Qty};
use tonic::Status;

use crate::plane::{CancelRequest, Plane};
use crate::router::{Answer, FLOOD_AFTER};
use crate::slab::Key;
use crate::wire::requests::{
    Body, CancelFields, FieldError, MassCancelFields, NewOrderChecked, NewOrderFields, ReplaceFields, RouterMessage,
    SessionRequest,
};

/// How far a frame has been worked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more of it: let others have their turn first.
    More,
    /// All of it.
    Done,
    /// The stream is over; nothing more is read.
    Over,
}

/// A place in a frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameAt {
    /// Bytes read.
    offset: usize,
    /// Messages read.
    messages: usize,
    /// When its first message was taken up.
    arrived: Option<Nanos>,
}

impl Plane {
    /// Works through up to `budget` messages of a frame.
    pub fn on_frame(&mut self, key: Key, frame: &[u8], at: &mut FrameAt, budget: &mut usize) -> Step {
        if self.is_over(key) {
            return Step::Over;
        }
        self.heard(key);
        self.arrived = *at.arrived.get_or_insert(self.arrived);
        match self.take_messages(key, frame, at, budget) {
            Ok(step) if self.is_over(key) && step != Step::Over => Step::Over,
            Ok(step) => {
                if *budget == 0
                    && let Some(router) = self.router_of(key)
                {
                    self.note_crowded(router);
                }
                step
            }
            Err(status) => {
                self.fail_stream(key, status);
                Step::Over
            }
        }
    }

    fn take_messages(&mut self, key: Key, frame: &[u8], at: &mut FrameAt, budget: &mut usize) -> Result<Step, Status> {
        let rest = frame.get(at.offset..).unwrap_or_default();
        let mut messages = SessionRequest::new(rest);
        loop {
            if *budget == 0 {
                at.offset = frame.len() - messages.rest();
                return Ok(Step::More);
            }
            let next = messages.next_message();
            let next = next.map_err(|e| Status::invalid_argument(format!("malformed frame: {}", e.0)))?;
            let Some(message) = next else { return Ok(Step::Done) };
            *budget -= 1;
            at.messages += 1;
            if at.messages > MAX_FRAME {
                return Err(Status::invalid_argument("a frame holds at most 256 messages"));
            }
            if self.on_message(key, &message)? == Step::Over {
                return Ok(Step::Over);
            }
        }
    }

    fn on_message(&mut self, key: Key, message: &RouterMessage<'_>) -> Result<Step, Status> {
        let router = match (&message.body, self.router_of(key)) {
            (Body::Logon(bytes), _) => return self.log_on(key, bytes).map(|()| Step::Done),
            (_, None) => return Err(Status::failed_precondition("the first message must be a logon")),
            (_, Some(router)) => router,
        };
        match message.body {
            Body::Heartbeat(test_req_id) => self.echo(key, test_req_id),
            Body::Logout => {
                self.log_out(key);
                return Ok(Step::Over);
            }
            _ if !self.is_next(router, message)? => self.answer_again(router, message),
            Body::NewOrder(fields) => self.on_new_order(router, message.client_seq, &fields),
            Body::Replace(fields) => self.on_replace(router, message.client_seq, &fields),
            Body::Cancel(fields) => self.on_cancel(router, message.client_seq, &fields),
            Body::MassCancel(fields) => self.on_mass_cancel(router, message.client_seq, &fields),
            Body::Unknown | Body::Logon(_) => self.on_unknown_body(router, message.client_seq),
        }
        Ok(Step::Done)
    }

    /// Whether a message is the next one of its router; `false` if it was applied before. A gap ends the stream.
    fn is_next(&mut self, id: RouterId, message: &RouterMessage<'_>) -> Result<bool, Status> {
        let Some(router) = self.routers.get_mut(id.index()) else { return Err(Status::internal("router table")) };
        let expected = router.high_water + 1;
        match message.client_seq {
            0 => Err(Status::invalid_argument(format!("client_seq: missing; {expected} was expected"))),
            seq if seq == expected => {
                router.high_water = seq;
                Ok(true)
            }
            seq if seq < expected => Ok(false),
            seq => Err(Status::out_of_range(format!(
                "client_seq: {seq} came where {expected} was expected; log on again and send from there"
            ))),
        }
    }

    fn remember(&mut self, id: RouterId, client_seq: u64, answer: Answer) {
        if let Some(router) = self.routers.get_mut(id.index()) {
            router.answers.put(client_seq, answer);
        }
    }

    /// A message that was applied before: answered with where the order stands now, never with a new decision.
    fn answer_again(&mut self, id: RouterId, message: &RouterMessage<'_>) {
        let held = self.routers.get(id.index()).and_then(|router| router.answers.get(message.client_seq));
        let seq = message.client_seq;
        match held {
            Some(Answer::Order(order)) => self.report_status(id, order, seq),
            Some(Answer::MassCancel(count)) => {
                if let Body::MassCancel(fields) = message.body {
                    self.report_mass_cancel(id, fields.cl_ord_id, count, seq);
                }
            }
            Some(Answer::Refused(reason)) => self.refuse_message(id, message, reason),
            Some(Answer::UnknownOrder) => self.refuse_message(id, message, &reasons::STALE_ID),
            None => self.refuse_message(id, message, &reasons::STALE_ID),
        }
    }

    fn refuse_message(&mut self, id: RouterId, message: &RouterMessage<'_>, reason: Reason) {
        let (seq, reject) = (message.client_seq, Reject::plain(reason));
        match message.body {
            Body::NewOrder(fields) => self.report_refused(id, &fields, seq, reject, None),
            Body::Replace(fields) => {
                self.report_replace_refused(id, &fields, seq, CxlRejReason::Other, Some(reject), None)
            }
            Body::Cancel(fields) => self.report_cancel_refused(id, &fields, seq, reject, None),
            _ => self.report_refused(id, &NewOrderFields::default(), seq, reject, None),
        }
    }

    fn on_unknown_body(&mut self, id: RouterId, client_seq: u64) {
        let error = FieldError { field: "body", problem: crate::wire::requests::Problem::Missing };
        self.malformed(id, client_seq);
        let reject = Reject::plain(&reasons::MALFORMED);
        self.report_refused(id, &NewOrderFields::default(), client_seq, reject, Some(error));
    }

    /// A message that cannot be understood counts as an attempt of its router.
    fn malformed(&mut self, id: RouterId, client_seq: u64) {
        self.apply(&Event::Malformed { router: id, client_seq });
        self.remember(id, client_seq, Answer::Refused(&reasons::MALFORMED));
    }

    fn on_new_order(&mut self, id: RouterId, client_seq: u64, fields: &NewOrderFields<'_>) {
        let checked = match fields.check() {
            Ok(checked) => checked,
            Err(error) => {
                self.malformed(id, client_seq);
                let reject = Reject::plain(&reasons::MALFORMED);
                return self.report_refused(id, fields, client_seq, reject, Some(error));
            }
        };
        // Idempotency comes before everything: what was accepted once is never refused at the edge.
        if let Some(reject) = self.refused_at_edge(id)
            && self.engine.find_order(id, checked.cl_ord_id).is_none()
        {
            self.count_dropped(id, client_seq);
            self.remember(id, client_seq, Answer::Refused(reject.reason));
            return self.report_refused(id, fields, client_seq, reject, None);
        }
        let order = self.resolve(id, client_seq, fields, checked);
        let permitted = self.routers.get(id.index()).is_some_and(|router| router.may_use(order.account));
        if !permitted {
            self.malformed(id, client_seq);
            let reason = &reasons::ACCOUNT_NOT_PERMITTED;
            self.remember(id, client_seq, Answer::Refused(reason));
            return self.report_refused(id, fields, client_seq, Reject::plain(reason), None);
        }
        let outcome = self.decide(&Event::NewOrder(order));
        if let Outcome::Accepted(order) = outcome {
            self.send_order(order);
        }
        self.follow_up();
        match outcome {
            Outcome::Accepted(order) => {
                self.count_accepted(id);
                self.remember(id, client_seq, Answer::Order(order));
            }
            Outcome::Rejected(reject) => {
                self.note_flood(id, reject);
                self.remember(id, client_seq, Answer::Refused(reject.reason));
                self.report_refused(id, fields, client_seq, reject, None);
            }
            Outcome::Duplicate(order) => {
                self.remember(id, client_seq, Answer::Order(order));
                self.report_status(id, order, client_seq);
            }
            _ => {}
        }
    }

    /// The names of an order as ids.
    pub(crate) fn resolve(
        &self,
        router: RouterId,
        client_seq: u64,
        fields: &NewOrderFields<'_>,
        checked: NewOrderChecked,
    ) -> NewOrder {
        let names = self.names();
        NewOrder {
            router,
            client_seq,
            cl_ord_id: checked.cl_ord_id,
            account: named(fields.account, |name| names.account(name)),
            symbol: named(fields.symbol, |name| names.symbol(name)),
            strategy: named(fields.strategy, |name| names.strategy(name)),
            parent: self.engine.parent(fields.parent_cl_ord_id),
            side: checked.side,
            ord_type: checked.ord_type,
            tif: checked.tif,
            qty: Qty(fields.order_qty),
            price: fields.price.map(Price),
            flags: fields.order_flags,
        }
    }

    fn count_accepted(&mut self, id: RouterId) {
        if let Some(router) = self.routers.get_mut(id.index()) {
            router.accepted += 1;
        }
    }

    /// Refusals that need no decision: the router floods against a latch or its rate, nothing more fits on the way to the
    /// venue, or what waits is late.
    fn refused_at_edge(&self, id: RouterId) -> Option<Reject> {
        let router = self.routers.get(id.index())?;
        match router.flood.reject {
            Some(reject) if router.flood.refusals >= FLOOD_AFTER && self.engine.may_drop(id) => Some(reject),
            _ if self.venue_is_full() || self.overload.refuses(router.crowded_in) => {
                Some(Reject::plain(&reasons::GATEWAY_BUSY))
            }
            _ => None,
        }
    }

    fn venue_is_full(&self) -> bool {
        self.venue.queued_bytes() > self.config.venue_queue
    }

    /// Attempts refused at the edge are counted together, in one record per 10 ms.
    fn count_dropped(&mut self, id: RouterId, client_seq: u64) {
        let now = self.now();
        self.counters.dropped_attempts += 1;
        self.counters.venue_busy += u64::from(self.venue_is_full());
        let Some(router) = self.routers.get_mut(id.index()) else { return };
        let flood = &mut router.flood;
        if flood.dropped == 0 {
            flood.first = now;
        }
        flood.dropped += 1;
        flood.last_client_seq = client_seq;
    }

    fn note_flood(&mut self, id: RouterId, reject: Reject) {
        if !matches!(reject.reason.name, "HALTED" | "RATE_LIMIT") {
            return;
        }
        if let Some(router) = self.routers.get_mut(id.index()) {
            router.flood.refusals += 1;
            router.flood.reject = Some(reject);
        }
    }

    /// Writes down what was refused at the edge since the last turn.
    pub(crate) fn flush_dropped(&mut self, id: RouterId) {
        let Some(router) = self.routers.get_mut(id.index()) else { return };
        let flood = std::mem::take(&mut router.flood);
        if flood.dropped > 0 {
            self.apply(&Event::AttemptsDropped {
                router: id,
                count: flood.dropped,
                last_client_seq: flood.last_client_seq,
                first: flood.first,
            });
        }
    }

    fn on_replace(&mut self, id: RouterId, client_seq: u64, fields: &ReplaceFields<'_>) {
        let (cl_ord_id, orig_cl_ord_id) = match fields.check() {
            Ok(ids) => ids,
            Err(error) => {
                self.malformed(id, client_seq);
                let reject = Some(Reject::plain(&reasons::MALFORMED));
                return self.report_replace_refused(id, fields, client_seq, CxlRejReason::Other, reject, Some(error));
            }
        };
        let event = Event::Replace(Replace {
            router: id,
            client_seq,
            cl_ord_id,
            orig_cl_ord_id,
            qty: Qty(fields.order_qty),
            price: fields.price.map(Price),
        });
        let outcome = self.decide(&event);
        if let Outcome::ReplaceAccepted(order) = outcome {
            self.send_replace(order);
        }
        self.follow_up();
        match outcome {
            Outcome::ReplaceAccepted(order) => self.remember(id, client_seq, Answer::Order(order)),
            Outcome::ReplaceRejected(order, reason, reject) => {
                self.remember(id, client_seq, order.map_or(Answer::UnknownOrder, Answer::Order));
                self.report_replace_refused(id, fields, client_seq, reason, reject, None);
            }
            Outcome::Duplicate(order) => {
                self.remember(id, client_seq, Answer::Order(order));
                self.report_status(id, order, client_seq);
            }
            _ => {}
        }
    }

    fn on_cancel(&mut self, id: RouterId, client_seq: u64, fields: &CancelFields<'_>) {
        let orig_cl_ord_id = match fields.check() {
            Ok(id) => id,
            Err(error) => {
                self.malformed(id, client_seq);
                return self.report_cancel_malformed(id, fields, client_seq, error);
            }
        };
        let request = CancelRequest { cl_ord_id: ClOrdId::new(fields.cl_ord_id), client_seq };
        match self.apply(&Event::Cancel(Cancel { router: id, client_seq, orig_cl_ord_id, lane: false })) {
            Outcome::CancelAccepted(order) => {
                self.remember(id, client_seq, Answer::Order(order));
                self.cancels.insert(order, request);
            }
            Outcome::CancelRejected(order, reason) => {
                self.remember(id, client_seq, order.map_or(Answer::UnknownOrder, Answer::Order));
                self.report_cancel_rejected(id, order, orig_cl_ord_id, request, reason);
            }
            _ => {}
        }
    }

    fn on_mass_cancel(&mut self, id: RouterId, client_seq: u64, fields: &MassCancelFields<'_>) {
        let symbol = match fields.check() {
            Ok(None) => None,
            Ok(Some(name)) => match named(name, |name| self.names().symbol(name)) {
                Ref::Known(symbol) => Some(symbol),
                // Nothing of a symbol that is not configured can rest.
                Ref::Absent | Ref::Unknown => {
                    self.remember(id, client_seq, Answer::MassCancel(0));
                    return self.report_mass_cancel(id, fields.cl_ord_id, 0, client_seq);
                }
            },
            Err(error) => {
                self.malformed(id, client_seq);
                let cancel = CancelFields { orig_cl_ord_id: &[], cl_ord_id: fields.cl_ord_id };
                return self.report_cancel_malformed(id, &cancel, client_seq, error);
            }
        };
        if let Outcome::MassCancelAccepted(count) =
            self.apply(&Event::MassCancel(MassCancel { router: id, client_seq, symbol }))
        {
            self.remember(id, client_seq, Answer::MassCancel(count));
            self.report_mass_cancel(id, fields.cl_ord_id, count, client_seq);
        }
    }
}

/// Messages in one frame.
const MAX_FRAME: usize = 256;

/// The id a name refers to. What is not UTF-8 is not configured.
pub(crate) fn named<T>(bytes: &[u8], find: impl Fn(&str) -> Ref<T>) -> Ref<T> {
    match std::str::from_utf8(bytes) {
        Ok(name) => find(name),
        Err(_) => Ref::Unknown,
    }
}
