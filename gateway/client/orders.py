"""The orders of this client as it knows them, and the requests that wait for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from gateway.client.types import (
    CancelReject,
    ExecType,
    NewOrder,
    OrdStatus,
    Outcome,
    Report,
    Verdict,
)


class Request:
    """Something asked of the gateway: its outcome is certain once, and explicitly unknown until then."""

    __slots__ = ("_answer",)

    def __init__(self) -> None:
        self._answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def outcome(self, timeout: float) -> Outcome:  # noqa: ASYNC109 - part of the contract: never wait forever
        """The outcome, or ``UNKNOWN`` when none is known within ``timeout`` seconds. May be asked again later."""
        done, _ = await asyncio.wait((self._answer,), timeout=timeout)
        return self._answer.result() if done else Outcome(Verdict.UNKNOWN, text=f"no answer within {timeout:g} s")

    @property
    def known(self) -> Outcome | None:
        """The outcome, if there is one."""
        return self._answer.result() if self._answer.done() else None

    def resolve(self, outcome: Outcome) -> None:
        """The client learnt the outcome; the first one stays."""
        if not self._answer.done():
            self._answer.set_result(outcome)


class Order(Request):
    """One order. As a request its outcome is the acknowledgement; :meth:`done` waits for its end."""

    __slots__ = (
        "_done",
        "cl_ord_id",
        "content",
        "cum_qty",
        "leaves_qty",
        "order_id",
        "pending_cancel",
        "pending_replace",
        "status",
        "unknown",
    )

    def __init__(self, content: NewOrder, cl_ord_id: str) -> None:
        super().__init__()
        self._done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.content = content
        self.cl_ord_id = cl_ord_id
        self.order_id = 0
        self.status = OrdStatus.PENDING_NEW
        self.cum_qty = 0
        self.leaves_qty = content.qty
        self.unknown = False
        """Its fate is not known: the gateway lost the history that would tell."""
        self.pending_cancel: Request | None = None
        self.pending_replace: Request | None = None

    async def done(self, timeout: float) -> Outcome:  # noqa: ASYNC109 - part of the contract: never wait forever
        """How the order ended: filled, cancelled, expired (``ACCEPTED``), ``REJECTED``, ``NOT_SENT``, or ``UNKNOWN``."""
        done, _ = await asyncio.wait((self._done,), timeout=timeout)
        return self._done.result() if done else Outcome(Verdict.UNKNOWN, text=f"still open after {timeout:g} s")

    @property
    def is_open(self) -> bool:
        """Whether something of it may still trade, as far as is known."""
        return not self._done.done()

    def end(self, outcome: Outcome) -> None:
        """Nothing further will come."""
        self.resolve(outcome)
        if not self._done.done():
            self._done.set_result(outcome)
        for request in (self.pending_cancel, self.pending_replace):
            if request is not None:
                request.resolve(outcome)
        self.pending_cancel = self.pending_replace = None

    def apply(self, report: Report) -> None:
        """Take over what a report says."""
        self.status = report.ord_status
        self.cum_qty, self.leaves_qty = report.cum_qty, report.leaves_qty
        self.order_id = report.order_id or self.order_id
        self.unknown = False
        if report.exec_type is ExecType.REJECTED:
            self.end(Outcome(Verdict.REJECTED, report, report.text))
            return
        self.resolve(Outcome(Verdict.ACCEPTED, report))
        if report.exec_type is ExecType.REPLACED and self.pending_replace is not None:
            self.pending_replace.resolve(Outcome(Verdict.ACCEPTED, report))
            self.pending_replace = None
        if report.is_final:
            self._finish(report)

    def _finish(self, report: Report) -> None:
        """The order is over: a cancel that asked for it succeeded if the order was cancelled, else it was too late."""
        cancelled = report.ord_status is OrdStatus.CANCELED
        if self.pending_cancel is not None:
            self.pending_cancel.resolve(Outcome(Verdict.ACCEPTED if cancelled else Verdict.REJECTED, report))
            self.pending_cancel = None
        if self.pending_replace is not None:
            self.pending_replace.resolve(Outcome(Verdict.REJECTED, report))
            self.pending_replace = None
        self.end(Outcome(Verdict.ACCEPTED, report))

    def refuse(self, answer: CancelReject) -> None:
        """A cancel or replace of it came to nothing."""
        request = self.pending_replace if answer.to_replace else self.pending_cancel
        if request is not None:
            request.resolve(Outcome(Verdict.REJECTED, answer))
        if answer.to_replace:
            self.pending_replace = None
        else:
            self.pending_cancel = None


class OrderBook:
    """The open orders, by ClOrdID. Orders leave it when they end."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    def __iter__(self) -> Iterator[Order]:
        return iter(list(self._orders.values()))

    def add(self, cl_ord_id: str, order: Order) -> None:
        """Know an order under an id.

        Raises:
            ValueError: another open order has it.
        """
        if self._orders.setdefault(cl_ord_id, order) is not order:
            raise ValueError(f'ClOrdID "{cl_ord_id}" belongs to an open order; use an id once a day')

    def find(self, *cl_ord_ids: str) -> Order | None:
        """The order that has one of these ids."""
        return next((self._orders[name] for name in cl_ord_ids if name in self._orders), None)

    def report(self, report: Report) -> None:
        """Apply a report to its order, if it is known here."""
        order = self.find(report.orig_cl_ord_id, report.cl_ord_id)
        if order is None:
            return
        if report.exec_type is ExecType.REPLACED:
            self._orders.pop(report.orig_cl_ord_id, None)
            self._orders[report.cl_ord_id] = order
            order.cl_ord_id = report.cl_ord_id
        order.apply(report)
        self.drop_if_ended(order)

    def refuse(self, answer: CancelReject) -> None:
        """Apply a cancel reject to its order, if it is known here."""
        order = self.find(answer.orig_cl_ord_id)
        if order is None:
            return
        order.refuse(answer)

    def drop_if_ended(self, order: Order) -> None:
        """Forget an order that has ended."""
        if not order.is_open and self._orders.get(order.cl_ord_id) is order:
            del self._orders[order.cl_ord_id]
