//! What the venue says, into the core and out to the router.

use std::collections::VecDeque;

use riskcore::events::{Event, MassStatusEnd, MassStatusEntry, Report, ReportKind};
use riskcore::ids::{ClOrdId, OrderId, RouterId};
use riskcore::outcome::{CxlRejReason, Outcome};
use riskcore::units::{Price, Qty};
use tonic::Status;

use crate::inbound::named;
use crate::plane::{CancelRequest, Plane};
use crate::reports::Exec;
use crate::venue::state::Phase;
use crate::wire::requests;
use crate::wire::responses::ExecType;
use crate::wire::venue::{SessionResponse, VenueMessage, VenueReport, write_heartbeat, write_mass_status_request};

/// Executions held for corrections and busts: those name the execution, not what it was.
const KEEP: usize = 65_536;

/// The newest executions.
#[derive(Default)]
pub struct Executions {
    held: VecDeque<(u64, Qty, Price)>,
}

impl Executions {
    /// Takes note of an execution.
    pub fn put(&mut self, exec_id: u64, qty: Qty, price: Price) {
        if self.held.len() == KEEP {
            self.held.pop_front();
        }
        self.held.push_back((exec_id, qty, price));
    }

    /// Quantity and price of an execution.
    pub fn find(&self, exec_id: u64) -> Option<(Qty, Price)> {
        self.held.iter().rev().find(|held| held.0 == exec_id).map(|(_, qty, price)| (*qty, *price))
    }
}

/// Whether the session goes on.
pub type Verdict = Result<(), Status>;

impl Plane {
    /// Works through one frame of the venue's session.
    pub fn on_venue_frame(&mut self, session: u64, frame: &[u8]) -> Verdict {
        if self.venue.session != session || self.venue.phase == Phase::Down {
            return Err(Status::aborted("this session is over"));
        }
        let mut messages = SessionResponse::new(frame);
        loop {
            let next = messages.next_message();
            let next = next.map_err(|e| Status::invalid_argument(format!("malformed frame of the venue: {}", e.0)))?;
            let Some(message) = next else { return Ok(()) };
            self.on_venue_message(message)?;
        }
    }

    fn on_venue_message(&mut self, message: VenueMessage<'_>) -> Verdict {
        match message {
            VenueMessage::LogonAck { last_venue_seq, heartbeat_ms } => {
                self.venue.heartbeat_ms = heartbeat_ms;
                self.venue_logged_on(last_venue_seq);
            }
            VenueMessage::Report(report) => return self.on_venue_report(&report),
            VenueMessage::CancelReject { venue_seq, order, to_replace, reason } => {
                let kind = if to_replace { ReportKind::ReplaceRejected } else { ReportKind::CancelRejected };
                let Some(venue_seq) = self.core_seq(venue_seq)? else { return Ok(()) };
                let order = OrderId(order);
                return self.on_cancel_reject(
                    &Report { venue_seq, order, exec_id: 0, instrument: None, kind },
                    cxl_rej_reason(reason),
                );
            }
            VenueMessage::MassStatusEntry { request_id, order, cum, leaves } => {
                if request_id == self.venue.request_id {
                    let entry = MassStatusEntry { order: OrderId(order), cum: Qty(cum), leaves: Qty(leaves) };
                    self.apply(&Event::MassStatusEntry(entry));
                }
            }
            VenueMessage::MassStatusEnd { request_id, last_client_seq_processed, complete, fenced } => {
                if request_id == self.venue.request_id {
                    let last_client_seq_processed = self.venue.sequence.core_at(last_client_seq_processed);
                    self.reconciled(MassStatusEnd { last_client_seq_processed, complete, fenced })?;
                }
            }
            VenueMessage::Heartbeat { test_req_id } if test_req_id != 0 => {
                self.send_control(|out| write_heartbeat(out, test_req_id));
            }
            VenueMessage::Heartbeat { .. } | VenueMessage::Unknown => {}
        }
        Ok(())
    }

    fn venue_logged_on(&mut self, last_venue_seq: u64) {
        if self.venue.phase != Phase::LoggingOn {
            return;
        }
        let core = self.engine.state().venue;
        if i128::from(last_venue_seq) + self.venue.venue_seq_base < i128::from(core.last_venue_seq) {
            self.venue_forgot();
        }
        if core.last_client_seq == 0 {
            self.venue.earlier_runs = last_venue_seq;
        }
        self.venue.phase = Phase::Reconciling;
        self.venue.request_id += 1;
        let request_id = self.venue.request_id;
        self.apply(&Event::VenueUp);
        self.send_control(|out| write_mass_status_request(out, request_id));
        self.announce("venue", "venue link up, reconciling".to_owned());
    }

    fn reconciled(&mut self, end: MassStatusEnd) -> Verdict {
        if !end.complete {
            return Err(Status::unavailable("the venue's mass status was not complete"));
        }
        self.apply(&Event::MassStatusEnd(end));
        self.void_lost_replaces(&end);
        self.venue.phase = Phase::Up;
        self.announce("venue", "venue link reconciled".to_owned());
        Ok(())
    }

    /// Replaces sent on a lost link that the venue had not processed before it fenced that link.
    fn void_lost_replaces(&mut self, end: &MassStatusEnd) {
        if !end.fenced {
            return;
        }
        let lost = end.last_client_seq_processed.saturating_add(1)..=self.venue.lost_up_to;
        let orders = &self.engine.state().orders;
        let open = (0..self.routers.len() as u32).flat_map(|router| orders.open_of(RouterId(router)));
        let lost = open.filter(|order| lost.contains(&order.venue_client_seq)).map(|order| order.id);
        let void: Vec<OrderId> = lost.filter(|id| orders.pending_replace(*id).is_some()).collect();
        for id in void {
            self.replace_is_void(id);
        }
    }

    /// The core's number of a report of the venue; `None` if it comes before the first that counts.
    fn core_seq(&mut self, wire: u64) -> Result<Option<u64>, Status> {
        if wire == 0 {
            return Err(Status::data_loss("a report of the venue has no venue_seq"));
        }
        let first = self.engine.state().venue.last_venue_seq == 0 && self.venue.venue_seq_base == 0;
        if first && wire > 1 && wire <= self.venue.earlier_runs.saturating_add(1) {
            // This gateway began without memory, and the venue no longer holds every report to its earlier runs.
            self.venue.venue_seq_base = 1 - i128::from(wire);
            let gone = wire - 1;
            self.announce_text_alarm(format!(
                "the venue's reports up to {gone} are of earlier runs and no longer held"
            ));
        }
        Ok(u64::try_from(i128::from(wire) + self.venue.venue_seq_base).ok().filter(|seq| *seq > 0))
    }

    fn on_venue_report(&mut self, report: &VenueReport<'_>) -> Verdict {
        let Some(venue_seq) = self.core_seq(report.venue_seq)? else { return Ok(()) };
        let gap = |expected| {
            Err(Status::data_loss(format!("the venue's report {venue_seq} came where {expected} was expected")))
        };
        let Some(kind) = self.kind_of(report) else {
            self.announce_text_alarm(format!(
                "venue report {} has ExecType {} or an execution reference that cannot be used",
                report.venue_seq, report.exec_type
            ));
            // It takes its place in the sequence as a report that cannot be true: its account takes no new risk.
            let kind = ReportKind::TradeCancel { qty: Qty::ZERO, price: Price(0) };
            let void = Report { venue_seq, order: OrderId(report.order), exec_id: 0, instrument: None, kind };
            return match self.apply(&Event::Report(void)) {
                Outcome::ReportGap(expected) => gap(expected),
                _ => Ok(()),
            };
        };
        let symbol = named(report.symbol, |name| self.names().symbol(name)).known();
        let event = Report {
            venue_seq,
            order: OrderId(report.order),
            exec_id: report.exec_id,
            instrument: symbol.zip(requests::side(report.side)),
            kind,
        };
        match self.on_report(&event, report.ord_rej_reason) {
            Outcome::ReportGap(expected) => gap(expected),
            Outcome::Reported(_) => {
                if let ReportKind::Trade { qty, price } = kind {
                    self.venue.executions.put(report.exec_id, qty, price);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn kind_of(&mut self, report: &VenueReport<'_>) -> Option<ReportKind> {
        let (qty, price) = (Qty(report.last_qty), Price(report.last_px));
        let referred = || self.venue.executions.find(report.exec_ref_id);
        Some(match u8::try_from(report.exec_type).ok()? {
            b'0' => ReportKind::New,
            b'3' => ReportKind::DoneForDay,
            b'4' => ReportKind::Canceled,
            b'5' => ReportKind::Replaced,
            b'8' => ReportKind::Rejected { text: self.venue_text(report.text) },
            b'C' => ReportKind::Expired,
            b'F' => ReportKind::Trade { qty, price },
            b'G' => {
                let (old_qty, old_price) = referred()?;
                ReportKind::TradeCorrect { old_qty, old_price, qty, price }
            }
            b'H' => {
                let (qty, price) = referred().or((qty.0 > 0).then_some((qty, price)))?;
                ReportKind::TradeCancel { qty, price }
            }
            _ => return None,
        })
    }

    /// Applies a report of the venue, and tells the order's router.
    pub(crate) fn on_report(&mut self, report: &Report, ord_rej_reason: u64) -> Outcome {
        let id = report.order;
        let before = self.engine.order(id).map(|order| order.cl_ord_id);
        let replace =
            self.engine.state().orders.pending_replace(id).map(|pending| (pending.cl_ord_id, pending.client_seq));
        let outcome = self.apply(&Event::Report(*report));
        if outcome != Outcome::Reported(id) {
            return outcome;
        }
        match report.kind {
            ReportKind::ReplaceRejected => {
                if let Some((cl_ord_id, client_seq)) = replace {
                    self.report_venue_refused(id, Some(cl_ord_id), client_seq, true, CxlRejReason::Other);
                }
            }
            ReportKind::CancelRejected => {}
            kind => {
                let mut exec = self.exec_of(report, kind, before, replace);
                if matches!(kind, ReportKind::Rejected { .. }) {
                    exec.ord_rej_reason = ord_rej_reason;
                }
                self.report_order(id, exec);
            }
        }
        if self.engine.order(id).is_none_or(|order| !order.is_open()) {
            self.forget_cancel(id);
        }
        outcome
    }

    fn exec_of(
        &self,
        report: &Report,
        kind: ReportKind,
        before: Option<ClOrdId>,
        replace: Option<(ClOrdId, u64)>,
    ) -> Exec {
        let client_seq = self.engine.order(report.order).map_or(0, |order| order.client_seq);
        let base = Exec { venue_exec_id: report.exec_id, ..Exec::of(ExecType::New) };
        let with = |exec_type, client_seq| Exec { exec_type, client_seq, ..base };
        let traded = |exec_type, qty: Qty, price: Price| Exec { exec_type, last_qty: qty.0, last_px: price.0, ..base };
        match kind {
            ReportKind::New => with(ExecType::New, client_seq),
            ReportKind::Trade { qty, price } => traded(ExecType::Trade, qty, price),
            ReportKind::TradeCancel { qty, price } => traded(ExecType::TradeCancel, qty, price),
            ReportKind::TradeCorrect { qty, price, .. } => traded(ExecType::TradeCorrect, qty, price),
            ReportKind::Rejected { .. } => with(ExecType::Rejected, client_seq),
            ReportKind::Expired => with(ExecType::Expired, 0),
            ReportKind::DoneForDay => with(ExecType::DoneForDay, 0),
            ReportKind::Replaced => {
                Exec { orig_cl_ord_id: before, ..with(ExecType::Replaced, replace.map_or(0, |(_, seq)| seq)) }
            }
            ReportKind::Canceled | ReportKind::CancelRejected | ReportKind::ReplaceRejected => {
                let request = self.cancels.get(&report.order).copied();
                let cl_ord_id = request.and_then(|request| request.cl_ord_id);
                Exec {
                    cl_ord_id,
                    orig_cl_ord_id: cl_ord_id.and(before),
                    ..with(ExecType::Canceled, request.map_or(0, |request| request.client_seq))
                }
            }
        }
    }

    fn on_cancel_reject(&mut self, report: &Report, reason: CxlRejReason) -> Verdict {
        let request = self.cancels.get(&report.order).copied();
        match self.on_report(report, 0) {
            Outcome::ReportGap(expected) => {
                return Err(Status::data_loss(format!(
                    "the venue's report {} came where {expected} was expected",
                    report.venue_seq
                )));
            }
            Outcome::Reported(id) if report.kind == ReportKind::CancelRejected => {
                // What a halt asks for is the core's affair, which asks again; a router's own request is answered, be it a
                // cancel or a mass cancel.
                let asks_again = self.engine.order(id).is_none_or(|order| order.cancel_requested().is_some());
                let by_mass = CancelRequest { cl_ord_id: None, client_seq: 0 };
                if let Some(CancelRequest { cl_ord_id, client_seq }) = request.or((!asks_again).then_some(by_mass)) {
                    self.report_venue_refused(id, cl_ord_id, client_seq, false, reason);
                    self.forget_cancel(id);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn cxl_rej_reason(code: u64) -> CxlRejReason {
    match code {
        1 => CxlRejReason::TooLate,
        2 => CxlRejReason::UnknownOrder,
        4 => CxlRejReason::AlreadyPending,
        7 => CxlRejReason::DuplicateClOrdId,
        _ => CxlRejReason::Other,
    }
}
