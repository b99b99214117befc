"""One drop copy stream: every execution of a gateway, numbered by itself, untouched by the faults of the session."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from exchange_sim.gateways import DropLog, SequenceError
from riskgate.v1 import exchange_pb2 as pb

QUIET_S = 1.0
"""A stream that has sent no execution for so long says that it lives."""


class DropCopyStream:
    """A cursor into a gateway's executions."""

    def __init__(self, log: DropLog, resume_after: int) -> None:
        """Start after `resume_after`.

        Raises:
            SequenceError: executions after it are no longer held, or it lies in the future.
        """
        oldest = log.last_seq - len(log.held) + 1
        resume_after = resume_after or oldest - 1  # all of the day that are still held
        if not oldest - 1 <= resume_after <= log.last_seq:
            raise SequenceError(f"resume_after {resume_after} is outside what is held, {oldest - 1}..{log.last_seq}")
        self._log = log
        self._cursor = resume_after
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is a new execution."""
        self._wake.set()

    async def executions(self) -> AsyncIterator[pb.DropCopyResponse]:
        """The executions, for ever; between them, that there is no further one.

        Raises:
            SequenceError: the reader fell so far behind that executions are gone.
        """
        self._log.wakers.append(self)
        try:
            while True:
                if not self._wake.is_set():
                    yield pb.DropCopyResponse(drop_seq=self._cursor)
                while self._cursor < self._log.last_seq:
                    place = self._cursor - (self._log.last_seq - len(self._log.held))
                    if place < 0:
                        raise SequenceError(f"executions after {self._cursor} are gone; this reader is too slow")
                    self._cursor += 1
                    yield self._log.held[place]
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), QUIET_S)
        finally:
            self._log.wakers.remove(self)
