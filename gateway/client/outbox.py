"""Messages on their way to the gateway: numbered once, kept until the gateway has surely applied them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from gateway.client.errors import BackpressureError
from gateway.client.orders import Request
from riskgate.v1 import order_entry_pb2 as pb

MAX_FRAME: Final = 200
"""Messages written at once; with the longest ids they stay below the contract's 64 KiB a frame."""

MAX_HELD: Final = 16_384
"""Messages not known to be applied, before new ones are refused."""


@dataclass(slots=True)
class Sent:
    """A numbered message, whose it is, and when it was handed over (monotonic seconds)."""

    message: pb.RouterMessage
    request: Request | None
    at: float
    is_cancel: bool


class Outbox:
    """Numbers messages in one sequence and remembers those that may have to be sent again."""

    def __init__(self) -> None:
        self._next_seq = 1
        self._held: deque[Sent] = deque()
        self._queue: deque[pb.RouterMessage] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def last_seq(self) -> int:
        """The newest number given."""
        return self._next_seq - 1

    def send(self, message: pb.RouterMessage, request: Request | None, *, is_cancel: bool = False) -> int:
        """Number a message and queue it; its number.

        Raises:
            BackpressureError: too many messages wait already. Cancels are never refused.
        """
        if len(self._held) >= MAX_HELD and not is_cancel:
            raise BackpressureError(f"{MAX_HELD} messages wait for the gateway; await ready() before sending more")
        message.client_seq = self._next_seq
        self._next_seq += 1
        self._held.append(Sent(message, request, time.monotonic(), is_cancel))
        if len(self._held) >= MAX_HELD:
            self._room.clear()
        self.queue(message)
        return message.client_seq

    def queue(self, message: pb.RouterMessage) -> None:
        """Queue a message without a number of its own (heartbeat, logout)."""
        self._queue.append(message)
        self._wake.set()

    async def frame(self) -> pb.SessionRequest:
        """The next messages to write, at least one."""
        while not self._queue:
            self._wake.clear()
            await self._wake.wait()
        count = min(len(self._queue), MAX_FRAME)
        return pb.SessionRequest(messages=[self._queue.popleft() for _ in range(count)])

    async def room(self) -> None:
        """Wait until a message would be taken."""
        await self._room.wait()

    def applied(self, client_seq: int) -> None:
        """The gateway has applied everything up to this number."""
        while self._held and self._held[0].message.client_seq <= client_seq:
            self._held.popleft()
        if len(self._held) < MAX_HELD:
            self._room.set()

    def rewind(self, last_applied: int, resend_within: float) -> list[Sent]:
        """Start a new connection: queue again what the gateway never applied, in order.

        Its numbers continue from ``last_applied``; nothing that was applied is ever sent under another number. New
        orders and replaces older than ``resend_within`` seconds are stale and left out; they are returned, certain not
        to have had any effect.
        """
        self.applied(last_applied)
        self._queue.clear()
        held, self._held = self._held, deque()
        self._next_seq = last_applied + 1
        oldest = time.monotonic() - resend_within
        stale = []
        for sent in held:
            if not sent.is_cancel and sent.at < oldest:
                stale.append(sent)
                continue
            sent.message.client_seq = self._next_seq
            self._next_seq += 1
            self._held.append(sent)
            self.queue(sent.message)
        self._room.set()
        return stale

    def forget(self, last_applied: int) -> list[Sent]:
        """The gateway lost its history: drop everything held, whose fate is unknown, and number on from its own."""
        held, self._held = list(self._held), deque()
        self._queue.clear()
        self._next_seq = last_applied + 1
        self._room.set()
        return held
