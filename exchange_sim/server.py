"""The gRPC face of the exchange: `riskgate.v1.Exchange` on grpcio's asyncio server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
from grpc import aio

from exchange_sim.drop_copy import DropCopyStream
from exchange_sim.exchange import Exchange
from exchange_sim.gateways import SequenceError
from exchange_sim.market_data import QuoteStream
from exchange_sim.session import MAX_FRAME, Context, OrderSession
from riskgate.v1 import exchange_pb2 as pb
from riskgate.v1 import exchange_pb2_grpc as rpc

OPTIONS = [
    ("grpc.so_reuseport", 0),  # by default two exchanges could share one port without an error
    ("grpc.max_receive_message_length", 1 << 20),
    ("grpc.http2.max_pings_without_data", 0),
]


class ListenError(OSError):
    """The address cannot be bound; the message says which."""


class ExchangeService(rpc.ExchangeServicer):
    """Hands each stream to the object that lives it."""

    def __init__(self, exchange: Exchange) -> None:
        """Serve this exchange."""
        self._exchange = exchange

    # grpcio takes a coroutine that reads from and writes to its context as well as a generator.
    async def Session(self, request_iterator: object, context: Context) -> None:  # type: ignore[override]  # noqa: N802
        """The order stream of one gateway."""
        await OrderSession(self._exchange, context).run()

    async def Cancels(  # noqa: N802 - gRPC method name
        self,
        request_iterator: AsyncIterator[pb.ExchangeCancelsRequest],
        context: aio.ServicerContext[pb.ExchangeCancelsRequest, pb.ExchangeCancelsResponse],
    ) -> AsyncIterator[pb.ExchangeCancelsResponse]:
        """The cancel lane of one gateway: nothing on it waits for an order."""
        gateway, taken = "", 0
        async for frame in request_iterator:
            gateway = gateway or frame.gateway
            if not gateway:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "gateway is required on the first frame")
            # The lane may be open before the logon has arrived; there is nothing to cancel until then.
            if frame.cancels and gateway not in self._exchange.gateways:
                text = f"gateway {gateway!r} has not logged on; open its session first"
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, text)
            if len(frame.cancels) > MAX_FRAME:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"more than {MAX_FRAME} cancels in a frame")
            for cancel in frame.cancels:
                self._exchange.cancel(gateway, cancel.cl_ord_id)
            taken += len(frame.cancels)
            yield pb.ExchangeCancelsResponse(taken=taken)

    async def DropCopy(  # noqa: N802 - gRPC method name
        self, request: pb.DropCopyRequest, context: aio.ServicerContext[pb.DropCopyRequest, pb.DropCopyResponse]
    ) -> AsyncIterator[pb.DropCopyResponse]:
        """Every execution of one gateway."""
        try:
            stream = DropCopyStream(self._exchange.gateway(request.gateway).drops, request.resume_after)
            async for execution in stream.executions():
                yield execution
        except SequenceError as error:
            await context.abort(grpc.StatusCode.OUT_OF_RANGE, str(error))

    async def MarketData(  # noqa: N802 - gRPC method name
        self, request: pb.MarketDataRequest, context: aio.ServicerContext[pb.MarketDataRequest, pb.MarketDataResponse]
    ) -> AsyncIterator[pb.MarketDataResponse]:
        """The newest quote of each symbol."""
        async for frame in QuoteStream(self._exchange, request.symbols).frames():
            yield frame


async def serve(exchange: Exchange, listen: str) -> tuple[aio.Server, str]:
    """Bind and start the exchange.

    Args:
        exchange: what to serve.
        listen: `host:port`; port 0 lets the system choose.

    Returns:
        The running server and the address it really listens on.

    Raises:
        ListenError: the address is malformed or taken.
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ListenError(f"cannot listen on {listen!r}; write host:port, for instance 127.0.0.1:7100")
    server = aio.server(options=OPTIONS)
    rpc.add_ExchangeServicer_to_server(ExchangeService(exchange), server)
    try:
        bound = server.add_insecure_port(listen)
    except RuntimeError as error:
        raise ListenError(f"cannot listen on {listen}: the port is taken; stop its owner or choose another") from error
    await server.start()
    return server, f"{host}:{bound}"
