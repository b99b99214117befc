"""A gateway's side of `riskgate.v1.Exchange`, as plain as possible: one stream, every message kept in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from grpc import aio

from riskgate.v1 import exchange_pb2 as pb
from riskgate.v1 import exchange_pb2_grpc as rpc
from riskgate.v1 import types_pb2 as types
from tests.support.waiting import eventually_async

CENT = 10_000_000
DOLLAR = 100 * CENT


def order(
    cl_ord_id: int,
    *,
    buy: bool = True,
    qty: int = 100,
    price: int | None = None,
    ioc: bool = True,
    symbol: str = "AAPL",
    flags: int = 0,
    router: str = "r1",
) -> pb.VenueNewOrder:
    """A new order; without a price a market order."""
    return pb.VenueNewOrder(
        cl_ord_id=cl_ord_id,
        account="ACC1",
        symbol=symbol,
        side=types.SIDE_BUY if buy else types.SIDE_SELL,
        ord_type=types.ORD_TYPE_MARKET if price is None else types.ORD_TYPE_LIMIT,
        time_in_force=types.TIME_IN_FORCE_IMMEDIATE_OR_CANCEL if ioc else types.TIME_IN_FORCE_DAY,
        order_qty=qty,
        price=price,
        order_flags=flags,
        router=router,
    )


class ExchangeClient:
    """One logged-on order stream."""

    def __init__(self, address: str, gateway: str = "gw1") -> None:
        self.gateway = gateway
        self.messages: list[pb.ExchangeMessage] = []
        self.error: aio.AioRpcError | None = None
        self.ended = False
        self.client_seq = 0
        self._channel = aio.insecure_channel(address)
        self._stub = rpc.ExchangeStub(self._channel)
        self._call = self._stub.Session()

    async def log_on(self, *, epoch: int = 1, resume_after: int = 0, cancel_on_disconnect: bool = True) -> None:
        """Open the stream and wait for the acknowledgement or the end of the stream."""
        logon = pb.ExchangeLogon(
            gateway=self.gateway, epoch=epoch, resume_after=resume_after, cancel_on_disconnect=cancel_on_disconnect
        )
        self._reader = asyncio.create_task(self._read())
        await self._write(pb.ExchangeRequest(logon=logon))
        await self.until(lambda: self.ended or bool(self.logon_acks()), "the exchange answered the logon")
        if self.logon_acks():
            self.client_seq = self.logon_acks()[0].last_client_seq_processed

    async def send(self, *bodies: pb.VenueNewOrder | pb.VenueReplace | pb.VenueCancel) -> None:
        """Send order messages in one frame."""
        requests = []
        for body in bodies:
            self.client_seq += 1
            request = pb.ExchangeRequest(client_seq=self.client_seq)
            if isinstance(body, pb.VenueNewOrder):
                request.new_order.CopyFrom(body)
            elif isinstance(body, pb.VenueReplace):
                request.replace.CopyFrom(body)
            else:
                request.cancel.CopyFrom(body)
            requests.append(request)
        await self._write(*requests)

    async def mass_status(self, request_id: int) -> list[pb.MassStatusEntry]:
        """Every open order as the exchange knows it."""
        await self._write(pb.ExchangeRequest(mass_status_request=pb.MassStatusRequest(request_id=request_id)))
        await self.until(lambda: bool(self._ends(request_id)), "mass status is complete")
        entries = [message.mass_status_entry for message in self.messages if message.HasField("mass_status_entry")]
        return [entry for entry in entries if entry.request_id == request_id]

    async def heartbeat(self, test_req_id: int = 0) -> None:
        """Say that we live."""
        await self._write(pb.ExchangeRequest(heartbeat=pb.VenueHeartbeat(test_req_id=test_req_id)))

    async def cancels(self, *cl_ord_ids: int) -> int:
        """Cancel on the cancel lane; how many the exchange has read."""
        frame = pb.ExchangeCancelsRequest(
            gateway=self.gateway, cancels=[pb.VenueCancel(cl_ord_id=number) for number in cl_ord_ids]
        )

        async def frames() -> AsyncIterator[pb.ExchangeCancelsRequest]:
            yield frame

        answers = [answer async for answer in self._stub.Cancels(frames())]
        return answers[-1].taken

    def reports(self, cl_ord_id: int | None = None) -> list[pb.VenueReport]:
        """Execution reports so far, of one order or of all."""
        found = [message.report for message in self.messages if message.HasField("report")]
        return [report for report in found if cl_ord_id is None or report.cl_ord_id == cl_ord_id]

    def story(self, cl_ord_id: int) -> list[str]:
        """The ExecTypes of an order's reports, in order."""
        names = [types.ExecType.Name(report.exec_type) for report in self.reports(cl_ord_id)]
        return [name.removeprefix("EXEC_TYPE_") for name in names]

    def cancel_rejects(self) -> list[pb.VenueCancelReject]:
        """Refused cancels and replaces so far."""
        return [message.cancel_reject for message in self.messages if message.HasField("cancel_reject")]

    def logon_acks(self) -> list[pb.ExchangeLogonAck]:
        """Logon acknowledgements: none or one."""
        return [message.logon_ack for message in self.messages if message.HasField("logon_ack")]

    def venue_seqs(self) -> list[int]:
        """Sequence numbers of everything sequenced so far."""
        return [message.venue_seq for message in self.messages if message.venue_seq]

    def mass_status_end(self, request_id: int) -> pb.MassStatusEnd:
        """The end of a mass status that is complete."""
        return self._ends(request_id)[0]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something has arrived."""

        async def check() -> bool:
            return condition()

        await eventually_async(check, what)

    async def until_story(self, cl_ord_id: int, *expected: str) -> None:
        """Wait until an order's reports are exactly these."""
        await self.until(lambda: self.story(cl_ord_id) == list(expected), f"order {cl_ord_id} went {expected}")

    async def close(self) -> None:
        """Cut the stream, as a gateway that dies."""
        self._call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._channel.close()

    def _ends(self, request_id: int) -> list[pb.MassStatusEnd]:
        ends = [message.mass_status_end for message in self.messages if message.HasField("mass_status_end")]
        return [end for end in ends if end.request_id == request_id]

    async def _write(self, *requests: pb.ExchangeRequest) -> None:
        with contextlib.suppress(asyncio.InvalidStateError, aio.AioRpcError):  # the reader tells why it ended
            await self._call.write(pb.ExchangeSessionRequest(messages=requests))

    async def _read(self) -> None:
        try:
            async for frame in self._call:
                self.messages += frame.messages
        except aio.AioRpcError as error:
            self.error = error
        finally:
            self.ended = True
