"""A router's link to a real gateway: `gateway.client` behind the few words of `router_sim.link`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

from gateway.client import (
    RETAIL_LIQUIDITY,
    Attestation,
    BackpressureError,
    CancelReject,
    ExecType,
    HaltNotice,
    HaltState,
    NewOrder,
    NotConnectedError,
    Order,
    Report,
    RouterClient,
    Side,
    TimeInForce,
    Verdict,
)
from gateway.client import Connected as ClientConnected
from gateway.client import Disconnected as ClientDisconnected
from gateway.client import Event as ClientEvent
from router_sim.link import (
    Accepted,
    CancelRefused,
    Child,
    Closed,
    Connected,
    Disconnected,
    Halted,
    LinkEvent,
    Refused,
    Traded,
)

NOT_SENT = "NOT_SENT"
"""Reason of an order that never reached the gateway's sequence."""

UNKNOWN = "UNKNOWN"
"""Reason of an order whose fate the gateway cannot tell any more."""

VENUE = "VENUE"
"""Reason of an order that the exchange refused, not the gateway."""

ROOM_S = 5.0
"""Seconds to wait for a session or for room before an order counts as not sent."""


class GatewayLink:
    """One router's session. Use as an async context manager; logging on is part of entering."""

    def __init__(
        self, address: str, router: str, token: str, attestation: Attestation, *, parent_ids: bool = True
    ) -> None:
        """Prepare.

        Args:
            address: `host:port` of the gateway's order entry.
            router: this router's name.
            token: its credential.
            attestation: the build and flags it claims to run.
            parent_ids: name the parent on each child; without, the gateway cannot tell children apart.
        """
        self._client = RouterClient(address, router, token, attestation=attestation)
        self._parent_ids = parent_ids
        self._orders: dict[str, Order] = {}

    async def __aenter__(self) -> Self:
        """Log on. Raises what `RouterClient` raises."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out."""
        await self.close()

    async def submit(self, children: Sequence[Child]) -> Sequence[LinkEvent]:
        """Send orders; returns the refusals of those that could not be sent."""
        refused: list[LinkEvent] = []
        for child in children:
            try:
                self._orders[child.cl_ord_id] = await self._send(self._order(child))
            except (NotConnectedError, BackpressureError):
                refused.append(Refused(child.cl_ord_id, NOT_SENT))
        return refused

    async def cancel(self, cl_ord_ids: Sequence[str]) -> None:
        """Ask to cancel orders; unknown ones are done already."""
        for cl_ord_id in cl_ord_ids:
            order = self._orders.get(cl_ord_id)
            if order is not None:
                self._client.cancel(order)

    async def events(self) -> AsyncIterator[Sequence[LinkEvent]]:
        """What happens, in batches, until the link is closed."""
        async for batch in self._client.batches():
            events: list[LinkEvent] = []
            for event in batch:
                events += self._translate(event)
            yield events

    async def close(self) -> None:
        """Log out."""
        await self._client.close()

    async def _send(self, order: NewOrder) -> Order:
        try:
            return self._client.new_order(order)
        except (NotConnectedError, BackpressureError):
            await self._client.ready(timeout=ROOM_S)
            return self._client.new_order(order)

    def _order(self, child: Child) -> NewOrder:
        market = child.price is None
        return NewOrder(
            account=child.account,
            symbol=child.symbol,
            side=Side.BUY if child.buy else Side.SELL,
            qty=child.qty,
            price=child.price,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL if market else TimeInForce.DAY,
            parent=child.parent_cl_ord_id if self._parent_ids else "",
            flags=RETAIL_LIQUIDITY if child.retail else 0,
            cl_ord_id=child.cl_ord_id,
        )

    def _translate(self, event: ClientEvent) -> list[LinkEvent]:
        match event:
            case Report():
                return self._report(event)
            case CancelReject():
                return [CancelRefused(event.orig_cl_ord_id)]
            case HaltNotice() if event.state is not HaltState.ACTIVE:
                reason = event.cause.name if event.cause is not None else event.principal
                return [Halted(event.scope, reason, event.text)]
            case ClientConnected():
                return [Connected(event.resumed), *self._settled()]
            case ClientDisconnected():
                return [Disconnected(event.why), *self._settled()]
            case _:
                return self._settled()

    def _report(self, report: Report) -> list[LinkEvent]:
        name = report.cl_ord_id
        if report.is_final:
            self._orders.pop(name, None)
        match report.exec_type:
            case ExecType.NEW:
                return [Accepted(name)]
            case ExecType.TRADE:
                return [Traded(name, report.last_qty, report.last_px, report.leaves_qty)]
            case ExecType.REJECTED:
                return [Refused(name, report.reject.name if report.reject is not None else VENUE)]
            case ExecType.CANCELED | ExecType.EXPIRED | ExecType.DONE_FOR_DAY:
                return [Closed(name)]
            case ExecType.ORDER_STATUS if report.is_final:
                return [Closed(name)]
            case _:
                return []

    def _settled(self) -> list[LinkEvent]:
        """Orders that got their outcome without a report: never sent, or forgotten by the gateway."""
        reasons = {Verdict.NOT_SENT: NOT_SENT, Verdict.UNKNOWN: UNKNOWN}
        found: list[LinkEvent] = []
        for name, order in list(self._orders.items()):
            outcome = order.known
            if outcome is not None and outcome.verdict in reasons and not order.is_open:
                del self._orders[name]
                found.append(Refused(name, reasons[outcome.verdict]))
        return found
