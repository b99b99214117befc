"""One drop copy stream: every execution of a gateway, numbered by itself, untouched by the faults of the session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from exchange_sim.gateways import DropLog, SequenceError
from riskgate.v1 import exchange_pb2 as pb


class DropCopyStream:
    """A cursor into a gateway's executions."""

    def __init__(self, log: DropLog, resume_after: int) -> None:
        """Start after `resume_after`.

        Raises:
            SequenceError: executions after it are no longer held, or it lies in the future.
        """
        oldest = log.last_seq - len(log.held) + 1
        if not oldest - 1 <= resume_after <= log.last_seq:
            raise SequenceError(f"resume_after {resume_after} is outside what is held, {oldest - 1}..{log.last_seq}")
        self._log = log
        self._cursor = resume_after
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is a new execution."""
        self._wake.set()

    async def executions(self) -> AsyncIterator[pb.DropCopyResponse]:
        """The executions, for ever.

        Raises:
            SequenceError: the reader fell so far behind that executions are gone.
        """
        self._log.wakers.append(self)
        try:
            while True:
                while self._cursor < self._log.last_seq:
                    place = self._cursor - (self._log.last_seq - len(self._log.held))
                    if place < 0:
                        raise SequenceError(f"executions after {self._cursor} are gone; this reader is too slow")
                    self._cursor += 1
                    yield self._log.held[place]
                self._wake.clear()
                await self._wake.wait()
        finally:
            self._log.wakers.remove(self)
