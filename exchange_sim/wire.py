"""Between the wire and the venue: what a message means here, and how an outcome is told. No state."""

from __future__ import annotations

from typing import Final

from exchange_sim.trading import Phase, ShortSale, Trading
from exchange_sim.venue import Arrival, CancelRefusal, CancelReject, Kind, Order, Outcome, RejectCode, Report, Tif
from riskgate.v1 import exchange_pb2 as pb
from riskgate.v1 import types_pb2 as types

EXEC_TYPES: Final = {
    Kind.NEW: types.EXEC_TYPE_NEW,
    Kind.CANCELED: types.EXEC_TYPE_CANCELED,
    Kind.REPLACED: types.EXEC_TYPE_REPLACED,
    Kind.REJECTED: types.EXEC_TYPE_REJECTED,
    Kind.TRADE: types.EXEC_TYPE_TRADE,
    Kind.TRADE_CORRECT: types.EXEC_TYPE_TRADE_CORRECT,
    Kind.TRADE_CANCEL: types.EXEC_TYPE_TRADE_CANCEL,
}

CXL_REJ_REASONS: Final = {
    CancelRefusal.TOO_LATE_TO_CANCEL: types.CXL_REJ_REASON_TOO_LATE_TO_CANCEL,
    CancelRefusal.UNKNOWN_ORDER: types.CXL_REJ_REASON_UNKNOWN_ORDER,
    CancelRefusal.OTHER: types.CXL_REJ_REASON_OTHER,
}

PHASES: Final = {
    Phase.CLOSED: types.TRADING_PHASE_CLOSED,
    Phase.PRE_OPEN: types.TRADING_PHASE_PRE_OPEN,
    Phase.AUCTION: types.TRADING_PHASE_AUCTION,
    Phase.CONTINUOUS: types.TRADING_PHASE_CONTINUOUS,
    Phase.HALTED: types.TRADING_PHASE_HALTED,
    Phase.POST_CLOSE: types.TRADING_PHASE_POST_CLOSE,
}

SHORT_SALES: Final = {
    None: types.SHORT_SALE_RESTRICTION_UNSPECIFIED,
    ShortSale.NONE: types.SHORT_SALE_RESTRICTION_NONE,
    ShortSale.NOT_SHORTABLE: types.SHORT_SALE_RESTRICTION_NOT_SHORTABLE,
    ShortSale.NOT_AT_BID: types.SHORT_SALE_RESTRICTION_NOT_AT_BID,
    ShortSale.PRE_BORROW: types.SHORT_SALE_RESTRICTION_PRE_BORROW,
}

_TIFS: Final = {
    types.TIME_IN_FORCE_DAY: Tif.DAY,
    types.TIME_IN_FORCE_GOOD_TILL_CANCEL: Tif.DAY,
    types.TIME_IN_FORCE_IMMEDIATE_OR_CANCEL: Tif.IOC,
    types.TIME_IN_FORCE_FILL_OR_KILL: Tif.FOK,
}
_BUYS: Final = {
    types.SIDE_BUY: True,
    types.SIDE_SELL: False,
    types.SIDE_SELL_SHORT: False,
    types.SIDE_SELL_SHORT_EXEMPT: False,
}

DROP_COPIED: Final = (Kind.TRADE, Kind.TRADE_CORRECT, Kind.TRADE_CANCEL)


class UnreadableError(ValueError):
    """An order message the venue cannot take; `str()` names the field. It ends the session: the gateway is wrong."""


def arrival(gateway: str, message: pb.VenueNewOrder) -> Arrival:
    """The order in a VenueNewOrder.

    Raises:
        UnreadableError: an unknown side, order type or time in force, or a price that does not fit the order type.
    """
    limit = message.ord_type == types.ORD_TYPE_LIMIT
    if not limit and message.ord_type != types.ORD_TYPE_MARKET:
        raise UnreadableError(f"order {message.cl_ord_id}: ord_type {message.ord_type} is not served")
    if limit != message.HasField("price"):
        raise UnreadableError(
            f"order {message.cl_ord_id}: price is required for a limit order and absent for a market one"
        )
    tif = _TIFS.get(message.time_in_force)
    if tif is None:
        raise UnreadableError(f"order {message.cl_ord_id}: time_in_force {message.time_in_force} is not served")
    buy = _BUYS.get(message.side)
    if buy is None:
        raise UnreadableError(f"order {message.cl_ord_id}: side {message.side} is unknown")
    return Arrival(
        gateway=gateway,
        cl_ord_id=message.cl_ord_id,
        account=message.account,
        symbol=message.symbol,
        buy=buy,
        qty=message.order_qty,
        price=message.price if limit else None,
        tif=tif,
        flags=message.order_flags,
        router=message.router,
    )


def owner(outcome: Outcome) -> str:
    """The gateway an outcome belongs to."""
    return outcome.gateway if isinstance(outcome, CancelReject) else outcome.order.arrival.gateway


def message(outcome: Outcome) -> pb.ExchangeMessage:
    """An outcome as a sequenced message, its venue_seq still to be given."""
    if isinstance(outcome, CancelReject):
        answers = (
            types.CXL_REJ_RESPONSE_TO_ORDER_CANCEL_REPLACE_REQUEST
            if outcome.replace
            else types.CXL_REJ_RESPONSE_TO_ORDER_CANCEL_REQUEST
        )
        return pb.ExchangeMessage(
            cancel_reject=pb.VenueCancelReject(
                cl_ord_id=outcome.cl_ord_id,
                cxl_rej_response_to=answers,
                cxl_rej_reason=CXL_REJ_REASONS[outcome.refusal],
            )
        )
    return pb.ExchangeMessage(report=report(outcome))


def report(outcome: Report) -> pb.VenueReport:
    """An execution report."""
    return pb.VenueReport(
        cl_ord_id=outcome.order.arrival.cl_ord_id,
        venue_exec_id=outcome.exec_id,
        exec_type=EXEC_TYPES[outcome.kind],
        last_qty=outcome.last_qty,
        last_px=outcome.last_px,
        cum_qty=outcome.cum,
        leaves_qty=outcome.leaves,
        exec_ref_id=outcome.exec_ref_id,
        ord_rej_reason=_reject_reason(outcome.reject),
        transact_time=outcome.time,
        text=outcome.text,
    )


def drop_copy(outcome: Report) -> pb.DropCopyResponse:
    """An execution for the drop copy, its drop_seq still to be given."""
    source = outcome.order.arrival
    return pb.DropCopyResponse(
        report=report(outcome),
        account=source.account,
        symbol=source.symbol,
        side=types.SIDE_BUY if source.buy else types.SIDE_SELL,
        router=source.router,
    )


def mass_status(request_id: int, order: Order) -> pb.ExchangeMessage:
    """One open order in the answer to a mass status request."""
    filled = types.ORD_STATUS_PARTIALLY_FILLED if order.cum else types.ORD_STATUS_NEW
    return pb.ExchangeMessage(
        mass_status_entry=pb.MassStatusEntry(
            request_id=request_id,
            cl_ord_id=order.arrival.cl_ord_id,
            ord_status=filled,
            order_qty=order.qty,
            cum_qty=order.cum,
            leaves_qty=order.leaves,
        )
    )


def status(trading: Trading, symbol: str | None) -> pb.SecurityStatus:
    """What the venue says of a symbol beside its quote; None = of the whole market."""
    if symbol is None:
        return pb.SecurityStatus(phase=PHASES[trading.market])
    security = trading.securities[symbol]
    low, high = security.bands or (None, None)
    return pb.SecurityStatus(
        symbol=symbol,
        phase=PHASES[security.phase] if security.phase else types.TRADING_PHASE_UNSPECIFIED,
        low_limit_px=low,
        high_limit_px=high,
        prev_close_px=security.prior_close,
        short_sale_restriction=SHORT_SALES[security.short_sale],
    )


def _reject_reason(code: RejectCode | None) -> int:
    return code.value if code is not None else 0
