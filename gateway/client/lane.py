"""The cancel lane: cancels on a connection of their own, which orders cannot delay."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import grpc
from grpc import aio

from gateway.client.channel import Backoff, open_channel
from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import order_entry_pb2_grpc

_MAX_FRAME: Final = 200


class CancelLane:
    """Keeps the lane of one session open. What it could not deliver goes back to the session."""

    def __init__(self, address: str, session_token: bytes, fall_back: Callable[[str], None]) -> None:
        self._address = address
        self._token = session_token
        self._fall_back = fall_back
        self._queue: deque[str] = deque()
        self._untaken: deque[str] = deque()
        self._wake = asyncio.Event()
        self._open = False
        self._task = asyncio.create_task(self._run(), name="riskgate cancel lane")

    @property
    def is_open(self) -> bool:
        """Whether a cancel would go out on the lane now."""
        return self._open

    def cancel(self, orig_cl_ord_id: str) -> None:
        """Queue a cancel."""
        self._queue.append(orig_cl_ord_id)
        self._wake.set()

    async def close(self) -> None:
        """End the lane."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._serve(backoff)
            except grpc.RpcError:
                pass  # the lane is opened again below, and meanwhile cancels take the session
            finally:
                self._give_back()
            await asyncio.sleep(backoff.next())

    async def _serve(self, backoff: Backoff) -> None:
        async with open_channel(self._address) as channel:
            call = order_entry_pb2_grpc.OrderEntryStub(channel).Cancels()
            await call.write(pb.CancelsRequest(session_token=self._token))
            self._open = True
            reader = asyncio.create_task(self._read(call))
            writer = asyncio.create_task(self._write(call))
            try:
                await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
                backoff.reset()
            finally:
                self._open = False
                call.cancel()
                for task in (reader, writer):
                    task.cancel()
                await asyncio.gather(reader, writer, return_exceptions=True)

    async def _write(self, call: aio.StreamStreamCall[pb.CancelsRequest, pb.CancelsResponse]) -> None:
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            names = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_FRAME))]
            self._untaken.extend(names)
            await call.write(pb.CancelsRequest(cancels=[pb.OrderCancelRequest(orig_cl_ord_id=name) for name in names]))

    async def _read(self, call: aio.StreamStreamCall[pb.CancelsRequest, pb.CancelsResponse]) -> None:
        async for response in call:
            for _ in response.taken:
                if self._untaken:
                    self._untaken.popleft()

    def _give_back(self) -> None:
        """Cancels without an answer go over the session: a cancel said twice does no harm, one lost does."""
        names = [*self._untaken, *self._queue]
        self._untaken.clear()
        self._queue.clear()
        for name in names:
            self._fall_back(name)
