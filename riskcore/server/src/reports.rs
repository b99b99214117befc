//! Reports to routers, built from the core's orders. Each gets the next report_seq of its router and waits for its record.

use riskcore::ids::{ClOrdId, OrderId, RouterId};
use riskcore::orders::Order;
use riskcore::outcome::{CxlRejReason, Reject};
use riskcore::reasons;

use crate::fleet::admission::is_about_flags;
use crate::plane::{CancelRequest, Plane};
use crate::wire::requests::{CancelFields, FieldError, NewOrderFields, ReplaceFields};
use crate::wire::responses::{
    CancelReject, ExecType, ExecutionReport, OrdStatus, Refusal, id_bytes, side_code, write_mass_cancel_report,
};

/// What an execution report says beyond the order itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exec {
    pub exec_type: ExecType,
    pub last_qty: i64,
    pub last_px: i64,
    pub client_seq: u64,
    pub venue_exec_id: u64,
    pub ord_rej_reason: u64,
    /// The id before a replace, or of the order a cancel names.
    pub orig_cl_ord_id: Option<ClOrdId>,
    /// The id to report under, if it is not the order's.
    pub cl_ord_id: Option<ClOrdId>,
    pub text: &'static str,
}

impl Exec {
    pub(crate) fn of(exec_type: ExecType) -> Exec {
        Exec {
            exec_type,
            last_qty: 0,
            last_px: 0,
            client_seq: 0,
            venue_exec_id: 0,
            ord_rej_reason: 0,
            orig_cl_ord_id: None,
            cl_ord_id: None,
            text: "",
        }
    }
}

impl Plane {
    /// Adds a report to its router's ring.
    pub(crate) fn emit(&mut self, router: RouterId, write: impl FnOnce(&Plane, &mut Vec<u8>)) {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        write(self, &mut body);
        let lsn = self.lsn();
        if let Some(known) = self.routers.get_mut(router.index()) {
            known.ring.push(lsn, &body);
        }
        self.body = body;
        self.reported(router);
    }

    fn refusal(&self, reject: Reject, field: Option<FieldError>) -> Refusal<'_> {
        Refusal { reject, field, names: self.names(), limit_version: self.engine.state().limits.version }
    }

    /// An order was refused; it leaves no trace but this.
    pub(crate) fn report_refused(
        &mut self,
        router: RouterId,
        fields: &NewOrderFields<'_>,
        client_seq: u64,
        reject: Reject,
        field: Option<FieldError>,
    ) {
        let refused = self.routers.get_mut(router.index()).map(|known| known.count_refused(reject.reason));
        if refused == Some(1) && is_about_flags(reject.reason) {
            self.announce_flag_refusal(router, &reject);
        }
        let now = self.now().0 as u64;
        let text = field.map(|field| field.to_string()).unwrap_or_default();
        let fields = *fields;
        self.emit(router, |plane, out| {
            ExecutionReport {
                order_id: 0,
                cl_ord_id: clipped(fields.cl_ord_id),
                orig_cl_ord_id: &[],
                exec_type: ExecType::Rejected,
                ord_status: OrdStatus::Rejected,
                symbol: clipped(fields.symbol),
                side: crate::wire::requests::side(fields.side_code()).map_or(0, side_code),
                order_qty: fields.order_qty,
                cum_qty: 0,
                leaves_qty: 0,
                last_qty: 0,
                last_px: 0,
                client_seq,
                venue_exec_id: 0,
                ord_rej_reason: u64::from(reject.reason.ord_rej_reason),
                refusal: Some(plane.refusal(reject, field)),
                transact_time: now,
                text: text.as_bytes(),
                price: fields.price,
            }
            .write(out);
        });
    }

    /// A report about an order that exists.
    pub(crate) fn report_order(&mut self, id: OrderId, exec: Exec) {
        let Some(router) = self.engine.order(id).map(|order| order.router) else { return };
        let now = self.engine.state().now.0 as u64;
        self.emit(router, |plane, out| {
            if let Some(order) = plane.engine.order(id) {
                let symbol = plane.names().symbols.name(order.symbol.0);
                order_report(order, symbol, &exec, now).write(out);
            }
        });
    }

    /// Where an order stands.
    pub(crate) fn report_status(&mut self, router: RouterId, id: OrderId, client_seq: u64) {
        if self.engine.order(id).is_some_and(|order| order.router == router) {
            self.report_order(id, Exec { client_seq, ..Exec::of(ExecType::OrderStatus) });
        }
    }

    /// Every open order of a router, after a gap in its reports.
    pub(crate) fn report_open_orders(&mut self, router: RouterId) {
        let open: Vec<OrderId> = self.engine.state().orders.open_of(router).map(|order| order.id).collect();
        for id in open.into_iter().rev() {
            self.report_order(id, Exec::of(ExecType::OrderStatus));
        }
    }

    /// An order was released on evidence: it is not, and cannot come to be, at the venue.
    pub(crate) fn report_released(&mut self, id: OrderId) {
        self.forget_cancel(id);
        let Some(order) = self.engine.order(id) else { return };
        debug_assert!(!order.is_open(), "released orders are final");
        self.report_order(id, Exec { text: "not at the venue", ..Exec::of(ExecType::Canceled) });
    }

    pub(crate) fn forget_cancel(&mut self, id: OrderId) -> Option<CancelRequest> {
        self.cancels.remove(&id)
    }

    pub(crate) fn report_replace_refused(
        &mut self,
        router: RouterId,
        fields: &ReplaceFields<'_>,
        client_seq: u64,
        reason: CxlRejReason,
        reject: Option<Reject>,
        field: Option<FieldError>,
    ) {
        let found =
            ClOrdId::new(fields.orig_cl_ord_id).and_then(|id| self.engine.find_order(router, id)).map(|order| order.id);
        let fields = *fields;
        self.emit(router, |plane, out| {
            let order = found.and_then(|id| plane.engine.order(id));
            CancelReject {
                order_id: order.map_or(0, |order| order.id.0),
                cl_ord_id: clipped(fields.cl_ord_id),
                orig_cl_ord_id: clipped(fields.orig_cl_ord_id),
                ord_status: order.map_or(OrdStatus::Rejected, |order| order.status.into()),
                to_replace: true,
                reason,
                refusal: reject.map(|reject| plane.refusal(reject, field)),
                client_seq,
            }
            .write(out);
        });
    }

    pub(crate) fn report_cancel_refused(
        &mut self,
        router: RouterId,
        fields: &CancelFields<'_>,
        client_seq: u64,
        reject: Reject,
        field: Option<FieldError>,
    ) {
        let fields = *fields;
        self.emit(router, |plane, out| {
            CancelReject {
                order_id: 0,
                cl_ord_id: clipped(fields.cl_ord_id),
                orig_cl_ord_id: clipped(fields.orig_cl_ord_id),
                ord_status: OrdStatus::Rejected,
                to_replace: false,
                reason: CxlRejReason::Other,
                refusal: Some(plane.refusal(reject, field)),
                client_seq,
            }
            .write(out);
        });
    }

    pub(crate) fn report_cancel_malformed(
        &mut self,
        router: RouterId,
        fields: &CancelFields<'_>,
        client_seq: u64,
        error: FieldError,
    ) {
        self.report_cancel_refused(router, fields, client_seq, Reject::plain(&reasons::MALFORMED), Some(error));
    }

    pub(crate) fn report_cancel_rejected(
        &mut self,
        router: RouterId,
        order: Option<OrderId>,
        orig_cl_ord_id: ClOrdId,
        request: CancelRequest,
        reason: CxlRejReason,
    ) {
        self.emit(router, |plane, out| {
            let order = order.and_then(|id| plane.engine.order(id));
            CancelReject {
                order_id: order.map_or(0, |order| order.id.0),
                cl_ord_id: id_bytes(&request.cl_ord_id),
                orig_cl_ord_id: orig_cl_ord_id.as_bytes(),
                ord_status: order.map_or(OrdStatus::Rejected, |order| order.status.into()),
                to_replace: false,
                reason,
                refusal: None,
                client_seq: request.client_seq,
            }
            .write(out);
        });
    }

    /// The venue refused a cancel or a replace.
    pub(crate) fn report_venue_refused(
        &mut self,
        id: OrderId,
        cl_ord_id: Option<ClOrdId>,
        client_seq: u64,
        to_replace: bool,
        reason: CxlRejReason,
    ) {
        let Some(router) = self.engine.order(id).map(|order| order.router) else { return };
        self.emit(router, |plane, out| {
            let Some(order) = plane.engine.order(id) else { return };
            CancelReject {
                order_id: id.0,
                cl_ord_id: id_bytes(&cl_ord_id),
                orig_cl_ord_id: order.cl_ord_id.as_bytes(),
                ord_status: order.status.into(),
                to_replace,
                reason,
                refusal: None,
                client_seq,
            }
            .write(out);
        });
    }

    pub(crate) fn report_mass_cancel(&mut self, router: RouterId, cl_ord_id: &[u8], affected: u32, client_seq: u64) {
        self.emit(router, |_, out| write_mass_cancel_report(out, clipped(cl_ord_id), affected, client_seq));
    }
}

fn order_report<'a>(order: &'a Order, symbol: &'a str, exec: &'a Exec, now: u64) -> ExecutionReport<'a> {
    ExecutionReport {
        order_id: order.id.0,
        cl_ord_id: exec.cl_ord_id.as_ref().unwrap_or(&order.cl_ord_id).as_bytes(),
        orig_cl_ord_id: id_bytes(&exec.orig_cl_ord_id),
        exec_type: exec.exec_type,
        ord_status: order.status.into(),
        symbol: symbol.as_bytes(),
        side: side_code(order.side),
        order_qty: order.qty.0,
        cum_qty: order.cum.0,
        leaves_qty: order.leaves().0,
        last_qty: exec.last_qty,
        last_px: exec.last_px,
        client_seq: exec.client_seq,
        venue_exec_id: exec.venue_exec_id,
        ord_rej_reason: exec.ord_rej_reason,
        refusal: None,
        transact_time: now,
        text: exec.text.as_bytes(),
        price: order.price.map(|price| price.0),
    }
}

/// What a router sent, back to it, within the bounds of an identifier: a reject is never larger than an accept.
fn clipped(bytes: &[u8]) -> &[u8] {
    let cut = bytes.get(..ClOrdId::MAX).unwrap_or(bytes);
    if std::str::from_utf8(cut).is_ok() { cut } else { &[] }
}
