"""The client library for routers and order management systems: asyncio, typed, reconnecting.

Example:
    async with RouterClient("127.0.0.1:7001", "smars-1", token) as router:
        order = router.new_order(NewOrder("ACC1", "AAPL", Side.BUY, 100, price=150 * PRICE_UNIT, parent="P1"))
        outcome = await order.outcome(timeout=1.0)
        if outcome.verdict is Verdict.REJECTED:
            print(outcome.reject)
"""

from gateway.client.document import read_attestation
from gateway.client.errors import BackpressureError, ClientError, LogonRefusedError, NotConnectedError
from gateway.client.orders import Order, Request
from gateway.client.parents import ParentOrdersClient, ParentResult
from gateway.client.router import RouterClient
from gateway.client.types import (
    FINAL,
    PRICE_UNIT,
    RETAIL_LIQUIDITY,
    Attestation,
    CancelReject,
    Connected,
    Disconnected,
    Event,
    ExecType,
    HaltNotice,
    HaltState,
    HistoryLost,
    MassCancelReport,
    NewOrder,
    OrdStatus,
    Outcome,
    Reject,
    Report,
    Resumed,
    Side,
    TimeInForce,
    Verdict,
)

__all__ = [
    "FINAL",
    "PRICE_UNIT",
    "RETAIL_LIQUIDITY",
    "Attestation",
    "BackpressureError",
    "CancelReject",
    "ClientError",
    "Connected",
    "Disconnected",
    "Event",
    "ExecType",
    "HaltNotice",
    "HaltState",
    "HistoryLost",
    "LogonRefusedError",
    "MassCancelReport",
    "NewOrder",
    "NotConnectedError",
    "OrdStatus",
    "Order",
    "Outcome",
    "ParentOrdersClient",
    "ParentResult",
    "Reject",
    "Report",
    "Request",
    "Resumed",
    "RouterClient",
    "Side",
    "TimeInForce",
    "Verdict",
    "read_attestation",
]
