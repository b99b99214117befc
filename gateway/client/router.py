"""The client of a router: one live session to the gateway, kept up.

Rules it keeps, so that its user can trust an answer:

- a request has exactly one ClOrdID and one place in the sequence; it is sent again only where the gateway says it never
  arrived, and never under a new id;
- while there is no session nothing is queued for later: sending raises, and nothing was sent;
- no wait is without end: what is not known in time is ``UNKNOWN``, said so, and may still become known;
- cancels go out on a connection of their own, and fall back to the session.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import grpc
from grpc import aio

from gateway.client.channel import FINAL_CODES, Backoff, open_channel
from gateway.client.convert import event_of, new_order_message, reject_of
from gateway.client.errors import ClientError, LogonRefusedError, NotConnectedError, SessionLostError
from gateway.client.lane import CancelLane
from gateway.client.mailbox import Mailbox
from gateway.client.orders import Order, OrderBook, Request
from gateway.client.outbox import Outbox
from gateway.client.types import (
    Attestation,
    CancelReject,
    Connected,
    Disconnected,
    Event,
    HaltState,
    HistoryLost,
    MassCancelReport,
    NewOrder,
    Outcome,
    Reject,
    Report,
    Resumed,
    Verdict,
)
from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import order_entry_pb2_grpc, types_pb2

_SILENT_HEARTBEATS: Final = 3
"""A gateway that said nothing for this many heartbeat intervals is lost."""

Call = aio.StreamStreamCall[pb.SessionRequest, pb.SessionResponse]


class RouterClient:
    """A router's session: ``async with RouterClient(address, router, token) as client``.

    Args:
        address: The gateway's order entry, ``host:port``.
        router: This router's name in the gateway's configuration.
        token: Its credential.
        attestation: What runs here, told at logon.
        resend_within: Seconds after which an order that never arrived is stale and reported ``NOT_SENT`` instead of
            being sent again after a reconnect.
        cancel_lane: Whether to open the cancel lane.
        event_buffer: Events held for :meth:`events`. When they are full the client stops reading the session, and the
            gateway will in time cut a reader that slow; without a reader of :meth:`events` the oldest are dropped.
    """

    def __init__(
        self,
        address: str,
        router: str,
        token: str,
        *,
        attestation: Attestation | None = None,
        resend_within: float = 1.0,
        cancel_lane: bool = True,
        event_buffer: int = 65_536,
    ) -> None:
        self._address = address
        self._router = router
        self._token = token
        self._attestation = attestation or Attestation()
        self._resend_within = resend_within
        self._with_lane = cancel_lane
        self._outbox = Outbox()
        self._orders = OrderBook()
        self._mass_cancels: dict[int, Request] = {}
        self._lane: CancelLane | None = None
        self._report_seq = 0
        self._applied = 0
        self._trading_day = 0
        self._history_lost = False
        self._connected = asyncio.Event()
        self._refused: LogonRefusedError | None = None
        self._closing = False
        self._mailbox = Mailbox(event_buffer)
        self._heard = 0.0
        """When the gateway was last heard, on the monotonic clock, in seconds."""
        self._task: asyncio.Task[None] | None = None
        # Unique within the day over restarts of this process: time and chance, in 12 characters.
        self._prefix = f"{int(time.time()) % 86_400:05x}{secrets.token_hex(3)}-"
        self._made = 0

    # ---- Life ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Connect and log on.

        Raises:
            LogonRefusedError: the gateway refused for good.
            NotConnectedError: no session within ten seconds.
        """
        self._task = asyncio.create_task(self._run(), name=f"riskgate session of {self._router}")
        try:
            await self.ready(timeout=10.0)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out."""
        await self.close()

    async def ready(self, timeout: float) -> None:  # noqa: ASYNC109 - part of the contract: never wait forever
        """Wait until a message would be taken.

        Raises:
            LogonRefusedError: the gateway refused this router for good.
            NotConnectedError: still no session after ``timeout`` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._connected.wait()
                await self._outbox.room()
        except TimeoutError:
            raise NotConnectedError(f"no session with {self._address} within {timeout:g} s") from None
        if self._refused is not None:
            raise self._refused

    async def close(self) -> None:
        """Log out, end. What is still open stays open or is cancelled by the gateway, as it is configured."""
        self._closing = True
        if self._task is None:
            return
        if self.connected:
            self._outbox.queue(pb.RouterMessage(logout=pb.Logout(text="done")))
            await asyncio.wait((self._task,), timeout=1.0)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        self._mailbox.close()

    @property
    def connected(self) -> bool:
        """Whether there is a session now."""
        return self._connected.is_set() and self._refused is None

    @property
    def open_orders(self) -> list[Order]:
        """The orders that may still trade, as far as is known."""
        return list(self._orders)

    # ---- Requests --------------------------------------------------------------------------------------------

    def new_order(self, order: NewOrder) -> Order:
        """Send an order; answers come to the returned object and to :meth:`events`.

        Raises:
            NotConnectedError: no session; nothing was sent.
            BackpressureError: too many messages wait; nothing was sent.
            ValueError: the ClOrdID belongs to an open order, or a number does not fit in 64 bits; nothing was sent.
        """
        self._need_session()
        name = order.cl_ord_id or self._new_id()
        message = pb.RouterMessage(new_order_single=new_order_message(order, name))
        sent = Order(order, name)
        self._orders.add(name, sent)
        try:
            self._outbox.send(message, sent)
        except BaseException:
            sent.end(Outcome(Verdict.NOT_SENT))
            self._orders.drop_if_ended(sent)
            raise
        return sent

    def replace(self, order: Order, qty: int, price: int | None, *, cl_ord_id: str = "") -> Request:
        """Ask to change an order: new total quantity, new price (``None`` for a market order).

        Raises:
            NotConnectedError: no session; nothing was sent.
            BackpressureError: too many messages wait; nothing was sent.
            ValueError: a replace of it is pending already, or a number does not fit; nothing was sent.
        """
        self._need_session()
        if order.pending_replace is not None:
            raise ValueError(f'a replace of "{order.cl_ord_id}" is pending; wait for its answer')
        body = pb.OrderCancelReplaceRequest(
            cl_ord_id=cl_ord_id or self._new_id(), orig_cl_ord_id=order.cl_ord_id, order_qty=qty, price=price
        )
        request = Request()
        self._outbox.send(pb.RouterMessage(order_cancel_replace_request=body), request)
        order.pending_replace = request
        return request

    def cancel(self, order: Order) -> Request:
        """Ask to cancel an order; asking again returns the same request. Goes out at once on the cancel lane.

        Without a session the cancel is remembered and goes out first thing after the reconnect: unlike an order, a
        cancel does no harm late.
        """
        if not order.is_open:
            request = Request()
            request.resolve(Outcome(Verdict.REJECTED, text="the order is done"))
            return request
        if order.pending_cancel is None:
            order.pending_cancel = Request()
            self._send_cancel(order.cl_ord_id)
        return order.pending_cancel

    def mass_cancel(self, symbol: str = "") -> Request:
        """Ask to cancel all orders of this router, or those of one instrument.

        Raises:
            NotConnectedError: no session; nothing was sent.
        """
        self._need_session()
        kind = types_pb2.MASS_CANCEL_REQUEST_TYPE_SECURITY if symbol else types_pb2.MASS_CANCEL_REQUEST_TYPE_ALL_ORDERS
        body = pb.OrderMassCancelRequest(cl_ord_id=self._new_id(), mass_cancel_request_type=kind, symbol=symbol)
        request = Request()
        seq = self._outbox.send(pb.RouterMessage(order_mass_cancel_request=body), request, is_cancel=True)
        self._mass_cancels[seq] = request
        return request

    async def check(self, order: NewOrder, timeout: float = 1.0) -> Reject | None:  # noqa: ASYNC109 - see ready()
        """What the gateway would say to this order now; ``None`` if it would accept. Uses one slot of the rate window.

        Raises:
            NotConnectedError: no answer within ``timeout`` seconds.
        """
        request = pb.CheckOrderRequest(
            router=self._router,
            token=self._token,
            order=new_order_message(order, order.cl_ord_id or self._new_id()),
        )
        try:
            async with open_channel(self._address) as channel:
                stub = order_entry_pb2_grpc.OrderEntryStub(channel)
                answer = await stub.CheckOrder(request, timeout=timeout)
        except aio.AioRpcError as error:
            raise NotConnectedError(f"no dry run: {error.details()}") from error
        return None if answer.accepted else reject_of(answer.reject)

    # ---- Events ----------------------------------------------------------------------------------------------

    def batches(self) -> AsyncIterator[Sequence[Event]]:
        """What happens, in batches as it arrives, until the client is closed. One reader at a time."""
        return self._mailbox.batches()

    async def events(self) -> AsyncIterator[Event]:
        """What happens, one by one, until the client is closed. One reader at a time."""
        async for batch in self.batches():
            for event in batch:
                yield event

    # ---- Session ---------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Keep a session up until closed or refused for good."""
        backoff = Backoff()
        while not self._closing:
            try:
                await self._session(backoff)
            except LogonRefusedError as error:
                await self._give_up(error)
                return
            except (SessionLostError, grpc.RpcError) as error:
                why = error.details() if isinstance(error, aio.AioRpcError) else str(error)
                if self.connected:
                    self._connected.clear()
                    await self._mailbox.put([Disconnected(why or type(error).__name__)])
            if not self._closing:
                await asyncio.sleep(backoff.next())
        self._connected.clear()
        await self._mailbox.put([Disconnected("closed", final=True)])

    async def _session(self, backoff: Backoff) -> None:
        async with open_channel(self._address) as channel:
            call = order_entry_pb2_grpc.OrderEntryStub(channel).Session()
            ack, rest = await self._logon(call)
            backoff.reset()
            await self._begin(ack)
            heartbeat = ack.heartbeat_ms / 1000
            self._heard = time.monotonic()
            tasks = [
                asyncio.create_task(self._read(call, rest)),
                asyncio.create_task(self._write(call)),
                asyncio.create_task(self._beat(heartbeat)),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            except ValueError as error:
                raise LogonRefusedError(f"the gateway speaks another contract: {error}") from error
            finally:
                call.cancel()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                if self._lane is not None:
                    await self._lane.close()
                    self._lane = None

    async def _logon(self, call: Call) -> tuple[pb.LogonAck, list[pb.GatewayMessage]]:
        """Log on; the acknowledgement and what came in the same frame after it."""
        about = self._attestation
        logon = pb.Logon(
            router=self._router,
            token=self._token,
            resume_after=self._report_seq,
            instance_id=about.instance_id or f"{self._router}:{os.getpid()}",
            host=about.host,
            build=about.build,
            config_hash=about.config_hash,
            feature_flags=about.feature_flags,
            binary_sha256=about.binary_sha256,
            vcs_commit=about.vcs_commit,
            build_time=about.build_time,
            schema_revision=about.schema_revision,
            environment=about.environment,
            deploy_id=about.deploy_id,
            signature=about.signature,
        )
        try:
            await call.write(pb.SessionRequest(messages=[pb.RouterMessage(logon=logon)]))
            async with asyncio.timeout(5.0):
                response = await call.read()
        except TimeoutError:
            raise SessionLostError("no answer to the logon within 5 s") from None
        except (aio.AioRpcError, asyncio.InvalidStateError):  # the latter: the call ended before the write
            response = aio.EOF
        if not isinstance(response, pb.SessionResponse):
            raise self._refusal(await call.code(), await call.details() or "")
        first, *rest = response.messages
        if first.WhichOneof("body") == "logout":
            raise SessionLostError(first.logout.text)
        return first.logon_ack, rest

    def _refusal(self, code: grpc.StatusCode, details: str) -> ClientError:
        """Why there is no session, and whether there is any point in trying again."""
        if code is grpc.StatusCode.INVALID_ARGUMENT and self._report_seq and "resume_after" in details:
            # The gateway has sent fewer reports today than we have seen: it started anew.
            self._report_seq = 0
            self._history_lost = True
            return SessionLostError(details)
        if code in FINAL_CODES:
            return LogonRefusedError(details or code.name)
        return SessionLostError(details or code.name)

    async def _begin(self, ack: pb.LogonAck) -> None:
        """A session stands: settle what the last one left open."""
        resumed = self._trading_day != 0
        fewer = ack.last_client_seq < self._applied or (resumed and ack.trading_day != self._trading_day)
        if fewer or self._history_lost:
            self._history_lost = False
            await self._mailbox.put([self._lose_history(ack.last_client_seq)])
        else:
            for sent in self._outbox.rewind(ack.last_client_seq, self._resend_within):
                self._not_sent(sent.request)
        self._applied = ack.last_client_seq
        self._trading_day = ack.trading_day
        if self._with_lane:
            self._lane = CancelLane(self._address, ack.session_token, self._cancel_on_session)
        self._connected.set()
        for order in self._orders:
            if order.pending_cancel is not None:
                self._send_cancel(order.cl_ord_id)
        await self._mailbox.put([Connected(resumed, HaltState(ack.state), ack.trading_day)])

    def _lose_history(self, last_client_seq: int) -> HistoryLost:
        """The gateway knows less than it had told us: it started anew. Nothing of ours can be answered any more."""
        unknown = Outcome(Verdict.UNKNOWN, text="the gateway lost its history")
        for sent in self._outbox.forget(last_client_seq):
            if sent.request is not None:
                sent.request.resolve(unknown)
        names = tuple(order.cl_ord_id for order in self._orders)
        for order in self._orders:
            order.unknown = True
        self._end_unknown(unknown.text)
        for request in self._mass_cancels.values():
            request.resolve(unknown)
        self._mass_cancels.clear()
        self._report_seq = 0
        return HistoryLost(names)

    def _end_unknown(self, why: str) -> None:
        """Give up on the orders of which nobody can tell what became."""
        for order in self._orders:
            if order.unknown:
                order.end(Outcome(Verdict.UNKNOWN, text=why))
                self._orders.drop_if_ended(order)

    def _not_sent(self, request: Request | None) -> None:
        outcome = Outcome(Verdict.NOT_SENT, text="it never reached the gateway, and is too old to be sent again")
        if isinstance(request, Order):
            request.end(outcome)
            self._orders.drop_if_ended(request)
        elif request is not None:
            request.resolve(outcome)
            for order in self._orders:
                if order.pending_replace is request:
                    order.pending_replace = None

    async def _read(self, call: Call, first: list[pb.GatewayMessage]) -> None:
        await self._take(first)
        while True:
            response = await call.read()
            if not isinstance(response, pb.SessionResponse):
                code = await call.code()
                raise SessionLostError(await call.details() or code.name)
            self._heard = time.monotonic()
            await self._take(response.messages)

    async def _take(self, messages: Iterable[pb.GatewayMessage]) -> None:
        """Take over a frame: in sequence, each report once."""
        events: list[Event] = []
        for message in messages:
            if message.report_seq:
                if message.report_seq <= self._report_seq:
                    continue
                self._report_seq = message.report_seq
                event = event_of(message)
                if event is not None:
                    self._settle(event)
                    events.append(event)
            else:
                events += self._take_own(message)
        if events:
            await self._mailbox.put(events)

    def _take_own(self, message: pb.GatewayMessage) -> list[Event]:
        """A message of the session itself."""
        match message.WhichOneof("body"):
            case "heartbeat" if message.heartbeat.test_req_id:
                # The gateway takes messages in order: an echo tells that everything before it has been applied.
                self._know_applied(message.heartbeat.test_req_id)
            case "execution_report":
                report = event_of(message)
                if report is not None:
                    self._settle(report)
                    return [report]
            case "resume_complete":
                self._report_seq = max(self._report_seq, message.resume_complete.last_report_seq)
                self._end_unknown("it ended in the reports that were missed")
                return [Resumed(message.resume_complete.last_report_seq)]
            case "resume_gap":
                self._report_seq = message.resume_gap.up_to
                names = tuple(order.cl_ord_id for order in self._orders)
                for order in self._orders:
                    order.unknown = True
                return [HistoryLost(names)]
            case "logout":
                raise SessionLostError(message.logout.text or "the gateway logged out")
        return []

    def _settle(self, event: Event) -> None:
        match event:
            case Report():
                self._know_applied(event.client_seq)
                self._orders.report(event)
            case CancelReject():
                self._know_applied(event.client_seq)
                self._orders.refuse(event)
            case MassCancelReport():
                self._know_applied(event.client_seq)
                request = self._mass_cancels.pop(event.client_seq, None)
                if request is not None:
                    request.resolve(Outcome(Verdict.ACCEPTED, event))
            case _:
                pass

    def _know_applied(self, client_seq: int) -> None:
        if client_seq > self._applied:
            self._applied = client_seq
            self._outbox.applied(client_seq)

    async def _write(self, call: Call) -> None:
        while True:
            frame = await self._outbox.frame()
            try:
                await call.write(frame)
            except asyncio.InvalidStateError:  # grpc.aio's way to say that the call has ended
                raise SessionLostError("the stream ended") from None

    async def _beat(self, interval: float) -> None:
        """Say that we live, and find out whether the gateway does."""
        while True:
            await asyncio.sleep(interval / 2)
            self._outbox.queue(pb.RouterMessage(heartbeat=pb.Heartbeat(test_req_id=self._outbox.last_seq)))
            if time.monotonic() - self._heard > _SILENT_HEARTBEATS * interval:
                raise SessionLostError(f"the gateway has been silent for {_SILENT_HEARTBEATS} heartbeats")

    async def _give_up(self, error: LogonRefusedError) -> None:
        self._refused = error
        for order in self._orders:
            order.resolve(Outcome(Verdict.UNKNOWN, text=str(error)))
        self._connected.set()  # wakes whoever waits in ready(), which raises
        await self._mailbox.put([Disconnected(str(error), final=True)])

    def _send_cancel(self, cl_ord_id: str) -> None:
        if self._lane is not None and self._lane.is_open:
            self._lane.cancel(cl_ord_id)
        else:
            self._cancel_on_session(cl_ord_id)

    def _cancel_on_session(self, cl_ord_id: str) -> None:
        if self.connected:
            body = pb.OrderCancelRequest(orig_cl_ord_id=cl_ord_id)
            self._outbox.send(pb.RouterMessage(order_cancel_request=body), None, is_cancel=True)

    def _need_session(self) -> None:
        if self._refused is not None:
            raise NotConnectedError(f"the gateway refused this router: {self._refused}; nothing was sent")
        if not self.connected or self._closing:
            raise NotConnectedError(f"no session with {self._address}; nothing was sent")

    def _new_id(self) -> str:
        self._made += 1
        return f"{self._prefix}{self._made}"
