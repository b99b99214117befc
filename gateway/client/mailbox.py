"""What happened, for whoever reads it: a bounded buffer between the session and the user of the client."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence

from gateway.client.types import Event


class Mailbox:
    """Events in order. A full one holds its writer up while somebody reads, and drops the oldest while nobody does."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._read = False
        self._closed = False

    async def put(self, events: Iterable[Event]) -> None:
        """Hand events over; waits for room if there is a reader."""
        for event in events:
            while len(self._events) >= self._capacity:
                if not self._read:
                    self._events.popleft()
                    continue
                self._room.clear()
                await self._room.wait()
            self._events.append(event)
            self._ready.set()

    def close(self) -> None:
        """Nothing more comes: readers get what is left, and end."""
        self._closed = True
        self._ready.set()

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """All that is there, as often as something is, until closed. One reader at a time."""
        self._read = True
        try:
            while True:
                if self._events:
                    batch = list(self._events)
                    self._events.clear()
                    self._room.set()
                    yield batch
                elif self._closed:
                    return
                else:
                    self._ready.clear()
                    await self._ready.wait()
        finally:
            self._read = False
            self._room.set()
