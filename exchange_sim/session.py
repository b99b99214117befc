"""One gateway's order stream: logon, order messages in sequence, reports out, heartbeats both ways.

Reports are not queued per session: the session is a cursor into the gateway's log, so a gateway that reads slowly
costs no memory, and a reconnect is the same walk from an earlier place.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

import grpc
from grpc.aio import ServicerContext

from exchange_sim import wire
from exchange_sim.exchange import Exchange
from exchange_sim.gateways import GatewayRecord, LogonError, SequenceError
from riskgate.v1 import exchange_pb2 as pb

MAX_FRAME = 256
"""Messages in one frame, the bound of the contract."""

SILENT_HEARTBEATS = 3
"""A gateway that has sent nothing for this many heartbeat intervals is lost."""

_ORDER_BODIES = frozenset({"new_order", "replace", "cancel"})

Context = ServicerContext[pb.ExchangeSessionRequest, pb.ExchangeSessionResponse]


class SessionEndError(Exception):
    """Why a session ends, with the gRPC status that tells the gateway."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        """Remember status and sentence."""
        super().__init__(text)
        self.code = code


class OrderSession:
    """The live stream of one gateway; `run` is its whole life."""

    def __init__(self, exchange: Exchange, context: Context) -> None:
        """Prepare; nothing is read yet."""
        self._exchange = exchange
        self._context = context
        self._record = GatewayRecord("")
        self._cursor = 0
        self._asides: deque[tuple[int, pb.ExchangeMessage]] = deque()
        self._wake = asyncio.Event()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = time.monotonic()
        self._first = True
        self._cancel_on_disconnect = False

    async def run(self) -> None:
        """Serve the stream until either side ends it."""
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._log_on()
            tasks = [asyncio.create_task(step) for step in (self._read(), self._write(), self._beat())]
            done, _ = await asyncio.wait({*tasks, self._ended}, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                finished.result()
        except SessionEndError as end:
            self._end_of_session()
            await self._context.abort(end.code, str(end))
        finally:
            self._end_of_session()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._ended, return_exceptions=True)

    def alive(self) -> bool:
        """Whether the gateway was heard within its heartbeat deadline."""
        return not self._ended.done() and time.monotonic() - self._heard <= self._deadline()

    def fence(self, why: str) -> None:
        """End the session from outside."""
        if not self._ended.done():
            self._ended.set_exception(SessionEndError(grpc.StatusCode.ABORTED, why))
            self._end_of_session()

    def wake(self) -> None:
        """The log has something new."""
        self._wake.set()

    def _deadline(self) -> float:
        return SILENT_HEARTBEATS * self._exchange.heartbeat_ms / 1_000

    async def _log_on(self) -> None:
        frame: object = await self._context.read()
        messages = list(frame.messages) if isinstance(frame, pb.ExchangeSessionRequest) else []
        first = messages[0] if messages else pb.ExchangeRequest()
        if first.WhichOneof("body") != "logon" or not first.logon.gateway:
            raise SessionEndError(
                grpc.StatusCode.INVALID_ARGUMENT, "the first message must be a logon with a gateway name"
            )
        if self._exchange.faults.refuse_logon:
            raise SessionEndError(grpc.StatusCode.UNAVAILABLE, "logon refused by a fault drill")
        logon = first.logon
        record = self._exchange.gateway(logon.gateway)
        try:
            resume_after = record.log_on(self, logon.epoch, logon.resume_after)
        except LogonError as refusal:
            raise SessionEndError(grpc.StatusCode.FAILED_PRECONDITION, str(refusal)) from refusal
        except SequenceError as error:
            raise SessionEndError(grpc.StatusCode.OUT_OF_RANGE, str(error)) from error
        self._record, self._cursor = record, resume_after
        self._cancel_on_disconnect = logon.cancel_on_disconnect
        ack = pb.ExchangeLogonAck(
            last_client_seq_processed=record.last_client_seq,
            last_venue_seq=record.last_venue_seq,
            heartbeat_ms=self._exchange.heartbeat_ms,
        )
        self._aside(pb.ExchangeMessage(logon_ack=ack), after=self._cursor)
        for message in messages[1:]:
            self._take(message)

    async def _read(self) -> None:
        while True:
            frame: object = await self._context.read()
            while self._exchange.faults.stall_orders:
                await asyncio.sleep(0.01)
                self._heard = time.monotonic()
            if not isinstance(frame, pb.ExchangeSessionRequest) or self._ended.done():
                return
            self._heard = time.monotonic()
            for message in frame.messages:
                self._take(message)

    def _take(self, message: pb.ExchangeRequest) -> None:
        body = message.WhichOneof("body")
        try:
            if body in _ORDER_BODIES:
                self._record.took(message.client_seq, first=self._first)
                self._first = False
            if body == "new_order":
                self._exchange.new_order(self._record.name, message.new_order)
            elif body == "replace":
                self._exchange.replace(self._record.name, message.replace)
            elif body == "cancel":
                self._exchange.cancel(self._record.name, message.cancel.cl_ord_id)
            elif body == "mass_status_request":
                self._mass_status(message.mass_status_request.request_id)
            elif body == "heartbeat":
                self._echo(message.heartbeat.test_req_id)
            else:
                raise SessionEndError(
                    grpc.StatusCode.INVALID_ARGUMENT, f"unexpected message {body or 'without a body'}"
                )
        except (SequenceError, wire.UnreadableError) as error:
            raise SessionEndError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error

    def _mass_status(self, request_id: int) -> None:
        for order in self._exchange.venue.open_orders(self._record.name):
            self._aside(wire.mass_status(request_id, order))
        end = pb.MassStatusEnd(
            request_id=request_id,
            last_client_seq_processed=self._record.last_client_seq,
            complete=True,
            fenced=True,
        )
        self._aside(pb.ExchangeMessage(mass_status_end=end))

    def _echo(self, test_req_id: int) -> None:
        if test_req_id and not self._exchange.faults.mute_heartbeats:
            self._aside(pb.ExchangeMessage(heartbeat=pb.VenueHeartbeat(test_req_id=test_req_id)))

    def _aside(self, message: pb.ExchangeMessage, after: int | None = None) -> None:
        """Queue an unsequenced message behind the reports that exist now."""
        self._asides.append((self._record.last_venue_seq if after is None else after, message))
        self._wake.set()

    async def _write(self) -> None:
        while True:
            self._wake.clear()
            messages = self._due()
            if messages:
                await self._context.write(pb.ExchangeSessionResponse(messages=messages))
            else:
                await self._wake.wait()

    def _due(self) -> list[pb.ExchangeMessage]:
        """What may be sent now, in order: reports from the log, asides at their place among them."""
        record, faults = self._record, self._exchange.faults
        if self._cursor < record.first_held() - 1:
            raise SessionEndError(grpc.StatusCode.RESOURCE_EXHAUSTED, "the gateway reads too slowly; log on again")
        now = time.monotonic()
        messages: list[pb.ExchangeMessage] = []
        while len(messages) < MAX_FRAME:
            if self._asides and self._asides[0][0] <= self._cursor:
                messages.append(self._asides.popleft()[1])
                continue
            if self._cursor >= record.last_venue_seq:
                break
            held = record.held(self._cursor + 1)
            if held.not_before > now:
                asyncio.get_running_loop().call_later(held.not_before - now, self._wake.set)
                break
            self._cursor += 1
            if faults.use("lose_reports"):
                continue
            messages.append(held.message)
            if faults.use("duplicate_reports"):
                messages.append(held.message)
        return messages

    async def _beat(self) -> None:
        interval = self._exchange.heartbeat_ms / 1_000
        while True:
            await asyncio.sleep(interval)
            if time.monotonic() - self._heard > self._deadline():
                text = f"gateway {self._record.name} was silent for {self._deadline():g} s"
                raise SessionEndError(grpc.StatusCode.DEADLINE_EXCEEDED, text)
            if not self._exchange.faults.mute_heartbeats:
                self._aside(pb.ExchangeMessage(heartbeat=pb.VenueHeartbeat()))

    def _end_of_session(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
        if self._record.log_off(self) and self._cancel_on_disconnect:
            self._exchange.cancel_all(self._record.name, "session lost")
