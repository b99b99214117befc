"""The simulated order management system: it says what a parent order may amount to, and only then routes it.

It speaks `riskgate.v1.ParentOrders`, the quantity authority: the gateway learns a parent's quantity from here, never
from a router.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from grpc import aio

from riskgate.v1 import parent_orders_pb2 as pb
from riskgate.v1 import parent_orders_pb2_grpc as rpc
from riskgate.v1 import types_pb2 as types
from router_sim.plan import Parent

MAX_FRAME = 256
"""Instructions in one frame, the bound of the contract."""

ANSWER_S = 10.0
"""Seconds until an unanswered registration counts as failed."""


class OmsError(Exception):
    """The gateway cannot be asked; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The gateway's answer to one instruction."""

    parent_cl_ord_id: str
    accepted: bool
    reason: str


class Oms:
    """A registration stream to the gateway. Use as an async context manager."""

    def __init__(self, gateway: str, name: str, token: str) -> None:
        """Prepare.

        Args:
            gateway: `host:port` of the gateway's order entry.
            name: this OMS in the gateway's configuration.
            token: its credential.
        """
        self._gateway, self._name, self._token = gateway, name, token
        self._ids = itertools.count(1)
        self._waiting: dict[int, tuple[str, asyncio.Future[Registration]]] = {}
        self._lost: str | None = None

    async def __aenter__(self) -> Self:
        """Open the stream."""
        self._channel = aio.insecure_channel(self._gateway)
        self._call = rpc.ParentOrdersStub(self._channel).Register()
        self._reader = asyncio.create_task(self._read())
        try:
            await self._call.write(pb.RegisterRequest(oms=self._name, token=self._token))
        except aio.AioRpcError as error:
            await self._close()
            raise OmsError(f"{self._gateway}: {error.details()}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        await self._close()

    async def register(self, parents: Sequence[Parent]) -> list[Registration]:
        """Register parents; the answers in the same order.

        Raises:
            OmsError: the stream broke, or an answer did not come in time.
        """
        answers = [self._ask(parent) for parent in parents]
        for start in range(0, len(parents), MAX_FRAME):
            frame = pb.RegisterRequest(instructions=[ask for ask, _ in answers[start : start + MAX_FRAME]])
            try:
                await self._call.write(frame)
            except (aio.AioRpcError, asyncio.InvalidStateError) as error:
                raise OmsError(self._lost or f"{self._gateway}: the registration stream is closed") from error
        try:
            async with asyncio.timeout(ANSWER_S):
                return [await answer for _, answer in answers]
        except TimeoutError as error:
            raise OmsError(f"{self._gateway}: no answer to a registration in {ANSWER_S:g} s") from error

    def _ask(self, parent: Parent) -> tuple[pb.ParentInstruction, asyncio.Future[Registration]]:
        if self._lost is not None:
            raise OmsError(self._lost)
        request_id = next(self._ids)
        answer: asyncio.Future[Registration] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = parent.parent_cl_ord_id, answer
        order = pb.ParentOrder(
            parent_cl_ord_id=parent.parent_cl_ord_id,
            account=parent.account,
            symbol=parent.symbol,
            side=types.SIDE_BUY if parent.buy else types.SIDE_SELL,
            order_qty=parent.qty,
        )
        return pb.ParentInstruction(request_id=request_id, open=order), answer

    async def _read(self) -> None:
        try:
            async for response in self._call:
                for result in response.results:
                    self._answered(result)
            self._fail(f"{self._gateway}: the gateway closed the registration stream")
        except aio.AioRpcError as error:
            self._fail(f"{self._gateway}: {error.details()}")

    def _answered(self, result: pb.ParentResult) -> None:
        parent_cl_ord_id, answer = self._waiting.pop(result.request_id, (None, None))
        if parent_cl_ord_id is not None and answer is not None and not answer.done():
            answer.set_result(Registration(parent_cl_ord_id, result.accepted, result.reject.name))

    def _fail(self, why: str) -> None:
        self._lost = why
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(OmsError(why))
        self._waiting.clear()

    async def _close(self) -> None:
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._channel.close()
