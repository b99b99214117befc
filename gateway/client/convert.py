"""Between protobuf and the client's own types."""

from __future__ import annotations

from gateway.client.types import (
    CancelReject,
    Event,
    ExecType,
    HaltNotice,
    HaltState,
    MassCancelReport,
    NewOrder,
    OrdStatus,
    Reject,
    Report,
)
from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import types_pb2

_KINDS = ("", "firm", "account", "router", "strategy", "symbol", "account_symbol", "router_symbol")


def new_order_message(order: NewOrder, cl_ord_id: str) -> pb.NewOrderSingle:
    """The message of an order. Prices and quantities beyond 64 bits raise ``ValueError``."""
    market = order.price is None
    return pb.NewOrderSingle(
        cl_ord_id=cl_ord_id,
        account=order.account,
        symbol=order.symbol,
        side=types_pb2.Side.ValueType(order.side),
        ord_type=types_pb2.ORD_TYPE_MARKET if market else types_pb2.ORD_TYPE_LIMIT,
        time_in_force=types_pb2.TimeInForce.ValueType(order.time_in_force),
        order_qty=order.qty,
        price=order.price,
        parent_cl_ord_id=order.parent,
        strategy=order.strategy,
        order_flags=order.flags,
    )


def event_of(message: pb.GatewayMessage) -> Event | None:
    """A sequenced message as an event; ``None`` for the session's own."""
    match message.WhichOneof("body"):
        case "execution_report":
            return _report(message.report_seq, message.execution_report)
        case "order_cancel_reject":
            return _cancel_reject(message.report_seq, message.order_cancel_reject)
        case "order_mass_cancel_report":
            body = message.order_mass_cancel_report
            return MassCancelReport(message.report_seq, body.cl_ord_id, body.total_affected_orders, body.client_seq)
        case "halt_notice":
            return _halt_notice(message.report_seq, message.halt_notice)
    return None


def reject_of(detail: types_pb2.RejectDetail) -> Reject:
    """Why something was refused."""
    scope = scope_text(detail.scope)
    if detail.unit == "field":
        return Reject(detail.code, detail.name, scope, field=detail.value)
    return Reject(detail.code, detail.name, scope, int(detail.limit or 0), int(detail.value or 0), detail.unit)


def scope_text(scope: types_pb2.Scope) -> str:
    """``router:smars-8``, ``account_symbol:ACC1/AAPL``, ``firm``; empty for none."""
    kind = _KINDS[scope.kind] if 0 <= scope.kind < len(_KINDS) else ""
    if kind in {"", "firm"}:
        return kind
    return f"{kind}:{scope.name}/{scope.symbol}" if scope.symbol else f"{kind}:{scope.name}"


def _report(seq: int, body: pb.ExecutionReport) -> Report:
    return Report(
        report_seq=seq,
        order_id=body.order_id,
        cl_ord_id=body.cl_ord_id,
        orig_cl_ord_id=body.orig_cl_ord_id,
        exec_type=ExecType(body.exec_type),
        ord_status=OrdStatus(body.ord_status),
        symbol=body.symbol,
        side=body.side,
        order_qty=body.order_qty,
        cum_qty=body.cum_qty,
        leaves_qty=body.leaves_qty,
        last_qty=body.last_qty,
        last_px=body.last_px,
        price=body.price if body.HasField("price") else None,
        client_seq=body.client_seq,
        venue_exec_id=body.venue_exec_id,
        ord_rej_reason=body.ord_rej_reason,
        reject=reject_of(body.reject) if body.HasField("reject") else None,
        transact_time=body.transact_time,
        text=body.text,
    )


def _cancel_reject(seq: int, body: pb.OrderCancelReject) -> CancelReject:
    return CancelReject(
        report_seq=seq,
        order_id=body.order_id,
        cl_ord_id=body.cl_ord_id,
        orig_cl_ord_id=body.orig_cl_ord_id,
        ord_status=OrdStatus(body.ord_status),
        to_replace=body.cxl_rej_response_to == types_pb2.CXL_REJ_RESPONSE_TO_ORDER_CANCEL_REPLACE_REQUEST,
        reason=body.cxl_rej_reason,
        reject=reject_of(body.reject) if body.HasField("reject") else None,
        client_seq=body.client_seq,
    )


def _halt_notice(seq: int, body: pb.HaltNotice) -> HaltNotice:
    return HaltNotice(
        report_seq=seq,
        scope=scope_text(body.scope),
        state=HaltState(body.state),
        trip_id=body.trip_id,
        cause=reject_of(body.cause) if body.HasField("cause") else None,
        principal=body.principal,
        text=body.text,
        open_orders=body.open_orders,
    )
