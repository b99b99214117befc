"""The gateway's Admin service, seen by an operator who may only look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from grpc import aio

from riskgate.v1 import admin_pb2, admin_pb2_grpc

ANSWER_S = 5.0
"""Seconds a call may take."""


class Watcher:
    """Status and events of a gateway. Use as an async context manager."""

    def __init__(self, address: str, token: str) -> None:
        """Watch the gateway whose Admin listens at `address`, with a `view` operator's token."""
        self._channel = aio.insecure_channel(address)
        self._stub: admin_pb2_grpc.AdminAsyncStub = admin_pb2_grpc.AdminStub(self._channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    async def __aenter__(self) -> Self:
        """Connects with the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        await self._channel.close()

    async def status(self) -> admin_pb2.GetStatusResponse:
        """The gateway now. Raises `grpc.aio.AioRpcError`."""
        return await self._stub.GetStatus(admin_pb2.GetStatusRequest(), metadata=self._metadata, timeout=ANSWER_S)

    async def fleet(self) -> admin_pb2.GetFleetResponse:
        """What every router runs, and who differs. Raises `grpc.aio.AioRpcError`."""
        return await self._stub.GetFleet(admin_pb2.GetFleetRequest(), metadata=self._metadata, timeout=ANSWER_S)

    async def positions(self) -> list[admin_pb2.Position]:
        """Every position. Raises `grpc.aio.AioRpcError`."""
        request = admin_pb2.ListPositionsRequest()
        answer = await self._stub.ListPositions(request, metadata=self._metadata, timeout=ANSWER_S)
        return list(answer.positions)

    async def events(self) -> AsyncIterator[admin_pb2.StreamEventsResponse]:
        """Every event from the first, then live."""
        async for event in self._stub.StreamEvents(admin_pb2.StreamEventsRequest(), metadata=self._metadata):
            yield event
