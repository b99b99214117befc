"""A venue that does exactly what a test tells it to: it speaks the exchange contract and decides nothing.

It runs on threads of its own, so that tests may block. Orders that arrive are remembered; reports and quotes go out when
the test says so.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import grpc

from riskgate.v1 import exchange_pb2 as pb
from riskgate.v1 import exchange_pb2_grpc, types_pb2
from tests.support.waiting import eventually

T = TypeVar("T")

THREADS = 32
"""Streams at once: a gateway opens four, and a cut one may linger."""

HEARTBEAT_MS = 20_000
"""What the gateway is told: no stall of a busy machine is taken for a lost venue."""

_REPEAT_SECONDS = 0.1
"""Between two repetitions of what was quoted."""

_COPY_SECONDS = 0.01
"""Between two looks of a drop copy stream at what there is to send."""
SERVER_OPTIONS = (("grpc.so_reuseport", 0), ("grpc.http2.min_ping_interval_without_data_ms", 100))

NEW = types_pb2.EXEC_TYPE_NEW
TRADE = types_pb2.EXEC_TYPE_TRADE
CANCELED = types_pb2.EXEC_TYPE_CANCELED
REPLACED = types_pb2.EXEC_TYPE_REPLACED
REJECTED = types_pb2.EXEC_TYPE_REJECTED
EXPIRED = types_pb2.EXEC_TYPE_EXPIRED

Numbered = tuple[int, pb.Quote | pb.SecurityStatus | pb.FxRate]
"""What goes out on the feed, with the number it was published under; 0 for a repetition."""

_FIELDS = {pb.Quote: "quotes", pb.SecurityStatus: "statuses", pb.FxRate: "rates"}
"""Where it goes in a frame."""

_NO_LEAVES = {CANCELED, REJECTED, EXPIRED}


@dataclass
class VenueOrder:
    """An order as the venue holds it."""

    message: pb.VenueNewOrder
    cum: int = 0
    leaves: int = 0
    replaces: list[pb.VenueReplace] = field(default_factory=list)
    cancels: int = 0

    @property
    def cl_ord_id(self) -> int:
        """The gateway's OrderID."""
        return self.message.cl_ord_id


class ScriptedVenue:
    """See the module. Every public method may be called from any thread."""

    def __init__(self) -> None:
        self.address = ""
        self.orders: dict[int, VenueOrder] = {}
        """Every order that arrived, in order of arrival."""
        self.acknowledge = False
        """Answer each order with New, each cancel with Canceled and each replace with Replaced, at once."""
        self.logons: list[pb.ExchangeLogon] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(THREADS, thread_name_prefix="venue"), options=SERVER_OPTIONS)
        self._sessions: list[queue.SimpleQueue[pb.ExchangeMessage | None]] = []
        self._feeds: list[queue.SimpleQueue[Numbered | None]] = []
        self._quotes: dict[str, pb.Quote] = {}
        self._statuses: dict[str, pb.SecurityStatus] = {}
        self._rates: dict[str, pb.FxRate] = {}
        self._log: list[pb.ExchangeMessage] = []
        self._seq = 0
        self._exec_id = 0
        self._seen_seq = 0
        self._repeat_quotes = True
        self._copies: list[pb.DropCopyResponse] = []
        self.cancels: list[int] = []
        """Every cancel that arrived; a test may clear it."""
        self._echoes: set[int] = set()
        self._pings = 0
        self._published = 0
        self._sent = {"quotes": 0, "statuses": 0, "rates": 0}
        self._sent_with: dict[int, int] = {}
        self._refusing = False
        self._refusing_feeds = False
        self._hold_status = False
        self._status_requests: list[int] = []
        self._wire_seq: dict[int, int] = {}

    # ---- What a test says ------------------------------------------------------------------------------------

    def new_orders(self, count: int) -> list[VenueOrder]:
        """Wait until so many orders have arrived in all; those orders."""
        eventually(lambda: len(self.orders) >= count, f"{count} orders at the venue (has {len(self.orders)})")
        return list(self.orders.values())

    def report(
        self,
        cl_ord_id: int,
        kind: types_pb2.ExecType.ValueType,
        *,
        qty: int = 0,
        price: int = 0,
        exec_ref_id: int = 0,
        text: str = "",
    ) -> int:
        """Send an execution report; its execution id."""
        return self._call(lambda: self._report(cl_ord_id, kind, qty, price, exec_ref_id, text))

    def report_unknown(self, symbol: str, side: types_pb2.Side.ValueType, *, qty: int, price: int) -> None:
        """Send an execution of an order that this gateway never sent."""
        message = pb.VenueNewOrder(cl_ord_id=2**62, symbol=symbol, side=side, order_qty=qty)
        unknown = VenueOrder(message, leaves=qty)
        self._call(lambda: self._report_about(unknown, TRADE, qty, price, 0))

    def copy(self, cl_ord_id: int, kind: types_pb2.ExecType.ValueType, *, qty: int, price: int) -> int:
        """Send an execution on the drop copy; how many were sent so far."""
        return self._call(lambda: self._copy(self.orders[cl_ord_id], kind, qty, price))

    def repeat_report(self) -> None:
        """Send the newest report once more, under the number it had."""
        self._call(lambda: self._send(self._log[-1]))

    def settle(self) -> None:
        """Until the gateway has worked through everything sent so far; at once while there is no session."""
        if not self._sessions:
            return
        number = self._call(self._ping)
        eventually(lambda: number in self._echoes, "the gateway echoes the venue's heartbeat")

    def refuse_cancel(self, cl_ord_id: int, *, of_replace: bool = False, reason: int = 2) -> None:
        """Answer a cancel, or a replace, with a cancel reject."""
        body = pb.VenueCancelReject(
            cl_ord_id=cl_ord_id,
            cxl_rej_response_to=types_pb2.CxlRejResponseTo.ValueType(2 if of_replace else 1),
            cxl_rej_reason=types_pb2.CxlRejReason.ValueType(reason),
        )
        self._call(lambda: self._sequenced(pb.ExchangeMessage(cancel_reject=body)))

    def quote(self, symbol: str, bid: int, offer: int) -> Callable[[], int]:
        """Publish a quote; it is repeated until :meth:`freeze_quotes`.

        Returns:
            A function that tells how many quotes had been sent when this one was; a huge number before that.
        """
        number = self._call(lambda: self._publish(symbol, bid, offer))
        return lambda: self._sent_with.get(number, 2**62)

    def status(self, symbol: str, **said: Any) -> Callable[[], int]:
        """Publish what is said of a symbol (empty: of the market) beside what was said before; bands of ``None`` end.

        Returns:
            A function that tells how many statuses had been sent when this one was; a huge number before that.
        """
        number = self._call(lambda: self._publish_status(symbol, said))
        return lambda: self._sent_with.get(number, 2**62)

    def rate(self, currency: str, rate: int) -> None:
        """Say what a currency is worth, 1e-9; it is repeated like a quote."""
        self._call(lambda: self._publish_rate(pb.FxRate(currency=currency, rate=rate)))

    def freeze_quotes(self, *, frozen: bool = True) -> None:
        """Stop repeating quotes, so that they grow old."""
        self._repeat_quotes = not frozen

    def refuse_feeds(self) -> None:
        """Cut every market data stream and admit no other until :meth:`admit_feeds`."""
        self._refusing_feeds = True
        self._call(self._drop_feeds)

    def admit_feeds(self) -> None:
        """Admit market data streams again."""
        self._refusing_feeds = False

    def drop_sessions(self) -> None:
        """Cut every order session."""
        self._call(self._drop)

    def refuse_sessions(self) -> None:
        """Cut every order session and admit no other."""
        self._refusing = True
        self._call(self._drop)

    def admit_sessions(self) -> bool:
        """Admit sessions again; mass status requests then wait for :meth:`answer_mass_status`. Whether they were refused."""
        was, self._refusing = self._refusing, False
        self._hold_status = self._hold_status or was
        return was

    def wait_for_mass_status_request(self) -> None:
        """Until the gateway asks where its orders stand; a session that has asked already is cut, so that it asks again."""
        if not self._status_requests and self._sessions:
            self.drop_sessions()
        eventually(lambda: self._status_requests, "the gateway asks for the mass status")

    def answer_mass_status(self, filled: dict[int, int], processed: int, *, fenced: bool) -> None:
        """Answer the oldest mass status request: these orders are open with so much filled.

        ``processed`` counts new orders, in order of arrival; 0 means all of them.
        """
        self._call(lambda: self._answer_status(filled, processed, fenced))

    # ---- Life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Serve on a free loopback port."""
        exchange_pb2_grpc.add_ExchangeServicer_to_server(_Servicer(self), self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self.address = f"127.0.0.1:{port}"

    def stop(self) -> None:
        """End every stream."""
        self._stopping.set()
        self._call(self._drop)
        for feed in self._feeds:
            feed.put(None)
        self._server.stop(grace=0.2).wait()

    def _drop(self) -> None:
        for session in self._sessions:
            session.put(None)

    def _drop_feeds(self) -> None:
        for feed in self._feeds:
            feed.put(None)

    def _call(self, function: Callable[[], T]) -> T:
        """Run a function alone; its result."""
        with self._lock:
            return function()

    # ---- Under the lock --------------------------------------------------------------------------------------

    def _report(
        self, cl_ord_id: int, kind: types_pb2.ExecType.ValueType, qty: int, price: int, ref: int, text: str = ""
    ) -> int:
        return self._report_about(self.orders[cl_ord_id], kind, qty, price, ref, text)

    def _report_about(
        self, order: VenueOrder, kind: types_pb2.ExecType.ValueType, qty: int, price: int, ref: int, text: str = ""
    ) -> int:
        if kind == TRADE:
            order.cum += qty
            order.leaves = max(order.leaves - qty, 0)
        elif kind == types_pb2.EXEC_TYPE_TRADE_CANCEL:
            order.cum -= qty
        elif kind == REPLACED and order.replaces:
            order.leaves = max(order.replaces.pop(0).order_qty - order.cum, 0)
        elif kind in _NO_LEAVES:
            order.leaves = 0
        self._exec_id += 1
        body = pb.VenueReport(
            cl_ord_id=order.cl_ord_id,
            venue_exec_id=self._exec_id,
            exec_type=kind,
            last_qty=qty,
            last_px=price,
            cum_qty=order.cum,
            leaves_qty=order.leaves,
            exec_ref_id=ref,
            transact_time=time.time_ns(),
            symbol=order.message.symbol,
            side=order.message.side,
            text=text,
        )
        self._sequenced(pb.ExchangeMessage(report=body))
        return self._exec_id

    def _copy(self, order: VenueOrder, kind: types_pb2.ExecType.ValueType, qty: int, price: int) -> int:
        report = pb.VenueReport(cl_ord_id=order.cl_ord_id, exec_type=kind, last_qty=qty, last_px=price)
        sequence, symbol = len(self._copies) + 1, order.message.symbol
        self._copies.append(pb.DropCopyResponse(drop_seq=sequence, report=report, symbol=symbol))
        return sequence

    def _sequenced(self, message: pb.ExchangeMessage) -> None:
        self._seq += 1
        message.venue_seq = self._seq
        self._log.append(message)
        self._send(message)

    def _send(self, message: pb.ExchangeMessage) -> None:
        for session in self._sessions:
            session.put(message)

    def _ping(self) -> int:
        self._pings += 1
        self._send(pb.ExchangeMessage(heartbeat=pb.VenueHeartbeat(test_req_id=self._pings)))
        return self._pings

    def _publish(self, symbol: str, bid: int, offer: int) -> int:
        quote = pb.Quote(
            symbol=symbol, bid_px=bid, offer_px=offer, bid_size=1000, offer_size=1000, transact_time=time.time_ns()
        )
        self._quotes[symbol] = quote
        return self._put(quote)

    def _quoted(self) -> list[pb.Quote | pb.FxRate]:
        """What is repeated."""
        return [*self._rates.values(), *self._quotes.values()]

    def _publish_rate(self, rate: pb.FxRate) -> int:
        self._rates[rate.currency] = rate
        return self._put(rate)

    def _publish_status(self, symbol: str, said: dict[str, Any]) -> int:
        status = self._statuses.setdefault(symbol, pb.SecurityStatus(symbol=symbol))
        if said.get("low_limit_px", 0) is None:
            status.ClearField("low_limit_px")
            status.ClearField("high_limit_px")
        for name, value in said.items():
            if value is not None:
                setattr(status, name, value)
        if not symbol:
            # A phase of the market is that of every instrument that is not halted by itself.
            for other in self._statuses.values():
                if other.symbol and other.phase != types_pb2.TRADING_PHASE_HALTED:
                    other.ClearField("phase")
        copy = pb.SecurityStatus()
        copy.CopyFrom(status)
        return self._put(copy)

    def _put(self, published: pb.Quote | pb.SecurityStatus | pb.FxRate) -> int:
        self._published += 1
        for feed in self._feeds:
            feed.put((self._published, published))
        return self._published

    def _take(self, request: pb.ExchangeRequest) -> None:
        self._seen_seq = max(self._seen_seq, request.client_seq)
        match request.WhichOneof("body"):
            case "logon":
                self._log_on(request.logon)
            case "new_order":
                order = VenueOrder(request.new_order, leaves=request.new_order.order_qty)
                self.orders[order.cl_ord_id] = order
                self._wire_seq[len(self.orders)] = request.client_seq
                if self.acknowledge:
                    self._report(order.cl_ord_id, NEW, 0, 0, 0)
            case "replace":
                self.orders[request.replace.cl_ord_id].replaces.append(request.replace)
                if self.acknowledge:
                    self._report(request.replace.cl_ord_id, REPLACED, 0, 0, 0)
            case "cancel":
                self._take_cancel(request.cancel)
            case "mass_status_request":
                self._mass_status(request.mass_status_request.request_id)
            case "heartbeat":
                self._echoes.add(request.heartbeat.test_req_id)
                self._send(pb.ExchangeMessage(heartbeat=pb.VenueHeartbeat()))

    def _log_on(self, logon: pb.ExchangeLogon) -> None:
        self.logons.append(logon)
        ack = pb.ExchangeLogonAck(
            last_client_seq_processed=self._seen_seq, last_venue_seq=self._seq, heartbeat_ms=HEARTBEAT_MS
        )
        self._send(pb.ExchangeMessage(logon_ack=ack))
        for message in self._log:
            if message.venue_seq > logon.resume_after:
                self._send(message)

    def _take_cancel(self, cancel: pb.VenueCancel) -> None:
        self.cancels.append(cancel.cl_ord_id)
        order = self.orders.get(cancel.cl_ord_id)
        if order is None:
            return
        order.cancels += 1
        if self.acknowledge and order.leaves:
            self._report(cancel.cl_ord_id, CANCELED, 0, 0, 0)

    def _mass_status(self, request_id: int) -> None:
        if self._hold_status:
            self._status_requests.append(request_id)
            return
        self._send_status(request_id, [(order, order.cum) for order in self.orders.values() if order.leaves])

    def _answer_status(self, filled: dict[int, int], processed: int, fenced: bool) -> None:  # noqa: FBT001 - internal
        entries = [(self.orders[cl_ord_id], cum) for cl_ord_id, cum in filled.items()]
        self._seen_seq = self._wire_seq.get(processed, self._seen_seq)
        self._send_status(self._status_requests.pop(0), entries, fenced=fenced)

    def _send_status(self, request_id: int, entries: list[tuple[VenueOrder, int]], *, fenced: bool = True) -> None:
        for order, cum in entries:
            entry = pb.MassStatusEntry(
                request_id=request_id,
                cl_ord_id=order.cl_ord_id,
                order_qty=order.message.order_qty,
                cum_qty=cum,
                leaves_qty=order.message.order_qty - cum,
            )
            self._send(pb.ExchangeMessage(mass_status_entry=entry))
        end = pb.MassStatusEnd(
            request_id=request_id, last_client_seq_processed=self._seen_seq, complete=True, fenced=fenced
        )
        self._send(pb.ExchangeMessage(mass_status_end=end))


class _Servicer(exchange_pb2_grpc.ExchangeServicer):
    def __init__(self, venue: ScriptedVenue) -> None:
        self._venue = venue

    def Session(self, request_iterator: Any, context: Any) -> Iterator[pb.ExchangeSessionResponse]:  # noqa: N802
        if self._venue._refusing:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the venue is closed")
        messages: queue.SimpleQueue[pb.ExchangeMessage | None] = queue.SimpleQueue()

        def read() -> None:
            try:
                for frame in request_iterator:
                    for message in frame.messages:
                        self._venue._call(partial(self._venue._take, message))
            except grpc.RpcError:
                pass  # the gateway is gone
            messages.put(None)

        self._venue._call(lambda: self._venue._sessions.append(messages))
        threading.Thread(target=read, name="venue session", daemon=True).start()
        try:
            while (message := messages.get()) is not None:
                yield pb.ExchangeSessionResponse(messages=[message])
        finally:
            self._venue._call(lambda: self._venue._sessions.remove(messages))

    def Cancels(self, request_iterator: Any, context: Any) -> Iterator[pb.ExchangeCancelsResponse]:  # noqa: N802
        taken = 0
        for frame in request_iterator:
            for cancel in frame.cancels:
                self._venue._call(partial(self._venue._take_cancel, cancel))
                taken += 1
            yield pb.ExchangeCancelsResponse(taken=taken)

    def DropCopy(self, request: pb.DropCopyRequest, context: Any) -> Iterator[pb.DropCopyResponse]:  # noqa: N802
        last = request.resume_after
        yield pb.DropCopyResponse(drop_seq=last)
        while context.is_active() and not self._venue._stopping.wait(_COPY_SECONDS):
            for copy in self._venue._copies[last:]:
                last = copy.drop_seq
                yield copy

    def MarketData(self, request: pb.MarketDataRequest, context: Any) -> Iterator[pb.MarketDataResponse]:  # noqa: N802
        if self._venue._refusing_feeds:
            return
        feed: queue.SimpleQueue[Numbered | None] = queue.SimpleQueue()
        self._venue._call(lambda: self._venue._feeds.append(feed))
        numbered: list[Numbered] = [(0, status) for status in list(self._venue._statuses.values())]
        numbered += [(0, said) for said in self._venue._quoted()]
        try:
            while context.is_active() and not self._venue._stopping.is_set():
                frame = pb.MarketDataResponse(heartbeat_ms=HEARTBEAT_MS)
                for number, published in numbered:
                    kind = _FIELDS[type(published)]
                    self._venue._sent[kind] += 1
                    self._venue._sent_with[number] = self._venue._sent[kind]
                    getattr(frame, kind).append(published)
                yield frame
                following = self._next_quotes(feed)
                if following is None:
                    return
                numbered = following
        finally:
            self._venue._call(lambda: self._venue._feeds.remove(feed))

    def _next_quotes(self, feed: queue.SimpleQueue[Numbered | None]) -> list[Numbered] | None:
        """The next quote, or after a while without one all of them again; ``None`` if the feed is cut."""
        try:
            numbered = feed.get(timeout=_REPEAT_SECONDS)
        except queue.Empty:
            return [(0, said) for said in self._venue._quoted()] if self._venue._repeat_quotes else []
        return None if numbered is None else [numbered]


@contextmanager
def scripted_venue() -> Iterator[ScriptedVenue]:
    """A venue that serves."""
    venue = ScriptedVenue()
    venue.start()
    try:
        yield venue
    finally:
        venue.stop()
