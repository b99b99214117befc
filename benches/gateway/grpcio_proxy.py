"""`python -m benches.gateway.grpcio_proxy VENUE`: the bare proxy of `benches/proxy`, on Python's grpcio.

What an order path in Python would cost before it looked at an order. It is written as fast as grpcio goes: asyncio, one
stream at the venue for each router's on one channel, and the protobuf runtime in C. (The same on threads took 670 us of
processor time for each order of eight sessions where this took 340, and as much as this with one.) Prints its address,
and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import grpc.aio

from riskgate.v1 import exchange_pb2, order_entry_pb2, types_pb2

EPOCH: Final = 1
SEQ_BITS: Final = 40
LAST: Final = (1 << 64) - 1
STATUS: Final = {
    types_pb2.EXEC_TYPE_REJECTED: types_pb2.ORD_STATUS_REJECTED,
    types_pb2.EXEC_TYPE_CANCELED: types_pb2.ORD_STATUS_CANCELED,
    types_pb2.EXEC_TYPE_TRADE: types_pb2.ORD_STATUS_FILLED,
    types_pb2.EXEC_TYPE_NEW: types_pb2.ORD_STATUS_NEW,
}

Orders = dict[int, order_entry_pb2.NewOrderSingle]
"""By `client_seq`, until answered finally."""


def to_venue(frame: order_entry_pb2.SessionRequest, orders: Orders) -> exchange_pb2.ExchangeSessionRequest:
    """A router's frame for the venue."""
    out = exchange_pb2.ExchangeSessionRequest()
    for message in frame.messages:
        kind = message.WhichOneof("body")
        if kind == "new_order_single":
            order, seq = message.new_order_single, message.client_seq
            orders[seq] = order
            request = out.messages.add(client_seq=seq).new_order
            request.cl_ord_id = EPOCH << SEQ_BITS | seq
            request.account, request.symbol, request.side = order.account, order.symbol, order.side
            request.ord_type, request.time_in_force = order.ord_type, order.time_in_force
            request.order_qty, request.order_flags = order.order_qty, order.order_flags
            if order.HasField("price"):
                request.price = order.price
        elif kind == "heartbeat":
            out.messages.add().heartbeat.test_req_id = message.heartbeat.test_req_id
        elif kind == "logon":
            logon = out.messages.add().logon
            logon.gateway, logon.epoch, logon.resume_after = message.logon.router, EPOCH, LAST
            logon.cancel_on_disconnect = True
    return out


def to_router(frame: exchange_pb2.ExchangeSessionResponse, orders: Orders) -> order_entry_pb2.SessionResponse:
    """The venue's frame for the router."""
    out = order_entry_pb2.SessionResponse()
    for message in frame.messages:
        kind = message.WhichOneof("body")
        if kind == "report":
            _report(out.messages.add(report_seq=message.venue_seq).execution_report, message.report, orders)
        elif kind == "heartbeat":
            out.messages.add().heartbeat.test_req_id = message.heartbeat.test_req_id
        elif kind == "logon_ack":
            ack = out.messages.add().logon_ack
            ack.last_client_seq = message.logon_ack.last_client_seq_processed
            ack.heartbeat_ms, ack.state = message.logon_ack.heartbeat_ms, types_pb2.HALT_STATE_ACTIVE
    return out


def _report(out: order_entry_pb2.ExecutionReport, report: exchange_pb2.VenueReport, orders: Orders) -> None:
    seq = report.cl_ord_id & ((1 << SEQ_BITS) - 1)
    order = orders[seq] if report.leaves_qty else orders.pop(seq)
    out.order_id, out.cl_ord_id, out.client_seq = report.cl_ord_id, order.cl_ord_id, seq
    out.symbol, out.side, out.order_qty = order.symbol, order.side, order.order_qty
    out.exec_type, out.ord_status = report.exec_type, STATUS[report.exec_type]
    out.cum_qty, out.leaves_qty = report.cum_qty, report.leaves_qty
    out.last_qty, out.last_px, out.venue_exec_id = report.last_qty, report.last_px, report.venue_exec_id
    out.ord_rej_reason, out.transact_time = report.ord_rej_reason, report.transact_time


class Proxy:
    """New orders of sessions; nothing else is served."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._venue = channel.stream_stream(
            "/riskgate.v1.Exchange/Session",
            request_serializer=exchange_pb2.ExchangeSessionRequest.SerializeToString,
            response_deserializer=exchange_pb2.ExchangeSessionResponse.FromString,
        )

    async def session(
        self, frames: AsyncIterator[order_entry_pb2.SessionRequest], context: Any
    ) -> AsyncIterator[order_entry_pb2.SessionResponse]:
        """One router's session, until its logout."""
        orders: Orders = {}

        async def requests() -> AsyncIterator[exchange_pb2.ExchangeSessionRequest]:
            async for frame in frames:
                forward = to_venue(frame, orders)
                if not forward.messages:
                    return
                yield forward

        async for frame in self._venue(requests()):
            yield to_router(frame, orders)

    def handler(self) -> grpc.GenericRpcHandler:
        """What a server needs."""
        session = grpc.stream_stream_rpc_method_handler(
            self.session,
            request_deserializer=order_entry_pb2.SessionRequest.FromString,
            response_serializer=order_entry_pb2.SessionResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("riskgate.v1.OrderEntry", {"Session": session})


async def serve(venue: str) -> None:
    """Serve until standard input ends."""
    async with grpc.aio.insecure_channel(venue) as channel:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((Proxy(channel).handler(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        print(f"127.0.0.1:{port}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await server.stop(None)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
