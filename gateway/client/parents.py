"""The client of an order management system: it tells the gateway what each parent order may amount to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from grpc import aio

from gateway.client.channel import FINAL_CODES, open_channel
from gateway.client.convert import reject_of
from gateway.client.errors import LogonRefusedError, NotConnectedError
from gateway.client.types import Reject, Side, Verdict
from riskgate.v1 import parent_orders_pb2 as pb
from riskgate.v1 import parent_orders_pb2_grpc, types_pb2


@dataclass(frozen=True, slots=True)
class ParentResult:
    """What became of an instruction. Route the parent to the fleet only when ``verdict`` is ``ACCEPTED``.

    ``UNKNOWN``: no answer in time or the stream was lost. The same instruction may be given again: a parent that is
    registered with the same content is accepted again.
    """

    verdict: Verdict
    reject: Reject | None = None
    frozen: bool = False
    cum_qty: int = 0
    child_leaves_qty: int = 0
    text: str = ""

    def __bool__(self) -> bool:
        """Whether the instruction is in force."""
        return self.verdict is Verdict.ACCEPTED


class ParentOrdersClient:
    """An OMS's stream: ``async with ParentOrdersClient(address, oms, token) as parents``.

    Instructions may be given concurrently; each waits for its own answer. A lost stream is opened again by the next
    instruction.
    """

    def __init__(self, address: str, oms: str, token: str) -> None:
        self._address = address
        self._oms = oms
        self._token = token
        self._channel: aio.Channel | None = None
        self._call: aio.StreamStreamCall[pb.RegisterRequest, pb.RegisterResponse] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[ParentResult]] = {}
        self._last_id = 0
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Nothing is sent before the first instruction."""
        self._channel = open_channel(self._address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the stream."""
        if self._call is not None:
            self._call.cancel()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def open(
        self,
        parent: str,
        *,
        account: str,
        symbol: str,
        side: Side,
        qty: int,
        timeout: float = 5.0,  # noqa: ASYNC109 - part of the contract: never wait forever
    ) -> ParentResult:
        """Register a parent order."""
        body = pb.ParentOrder(
            parent_cl_ord_id=parent,
            account=account,
            symbol=symbol,
            side=types_pb2.Side.ValueType(side),
            order_qty=qty,
        )
        return await self._instruct(pb.ParentInstruction(open=body), timeout)

    async def amend(self, parent: str, qty: int, *, timeout: float = 5.0) -> ParentResult:  # noqa: ASYNC109 - see open()
        """Set a new total quantity; below what is filled or resting the parent is frozen."""
        body = pb.ParentAmend(parent_cl_ord_id=parent, order_qty=qty)
        return await self._instruct(pb.ParentInstruction(amend=body), timeout)

    async def finish(self, parent: str, *, timeout: float = 5.0) -> ParentResult:  # noqa: ASYNC109 - see open()
        """No further child of this parent."""
        return await self._instruct(pb.ParentInstruction(close=pb.ParentClose(parent_cl_ord_id=parent)), timeout)

    async def _instruct(self, instruction: pb.ParentInstruction, timeout: float) -> ParentResult:  # noqa: ASYNC109 - see open()
        self._last_id += 1
        instruction.request_id = self._last_id
        answer: asyncio.Future[ParentResult] = asyncio.get_running_loop().create_future()
        self._waiting[instruction.request_id] = answer
        try:
            async with asyncio.timeout(timeout):
                await self._write(instruction)
                return await answer
        except TimeoutError:
            return ParentResult(Verdict.UNKNOWN, text=f"no answer within {timeout:g} s")
        finally:
            self._waiting.pop(instruction.request_id, None)

    async def _write(self, instruction: pb.ParentInstruction) -> None:
        async with self._writing:
            request = pb.RegisterRequest(instructions=[instruction])
            call = self._call
            if call is None or call.done():
                request.oms, request.token = self._oms, self._token
                call = self._open()
            with suppress(aio.AioRpcError, asyncio.InvalidStateError):  # the reader says why, to everyone who waits
                await call.write(request)

    def _open(self) -> aio.StreamStreamCall[pb.RegisterRequest, pb.RegisterResponse]:
        if self._channel is None:
            raise NotConnectedError("the client is closed; use it inside `async with`")
        self._call = parent_orders_pb2_grpc.ParentOrdersStub(self._channel).Register()
        self._reader = asyncio.create_task(self._read(self._call), name=f"riskgate parents of {self._oms}")
        return self._call

    async def _read(self, call: aio.StreamStreamCall[pb.RegisterRequest, pb.RegisterResponse]) -> None:
        why = "the stream ended"
        try:
            async for response in call:
                for result in response.results:
                    self._answer(result)
        except aio.AioRpcError as error:
            why = error.details() or error.code().name
            if error.code() in FINAL_CODES:
                self._fail(LogonRefusedError(why))
                return
        except asyncio.CancelledError:
            why = "closed"
        except ValueError as error:
            self._fail(LogonRefusedError(f"the gateway speaks another contract: {error}"))
            return
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(ParentResult(Verdict.UNKNOWN, text=why))

    def _answer(self, result: pb.ParentResult) -> None:
        answer = self._waiting.get(result.request_id)
        if answer is None or answer.done():
            return
        verdict = Verdict.ACCEPTED if result.accepted else Verdict.REJECTED
        reject = reject_of(result.reject) if result.HasField("reject") else None
        answer.set_result(ParentResult(verdict, reject, result.frozen, result.cum_qty, result.child_leaves_qty))

    def _fail(self, error: LogonRefusedError) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
