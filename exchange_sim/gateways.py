"""What the exchange remembers of each gateway: its epoch, its sequences, its reports, its live session.

A gateway has at most one session. A higher epoch fences every session of a lower one; within an epoch a second logon
is refused while the first session is alive, and takes over when that one has fallen silent. Reports carry a dense
`venue_seq`; those still held are sent again after a reconnect.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from riskgate.v1 import exchange_pb2 as pb

KEEP_REPORTS = 200_000
"""Reports held per gateway for a reconnect; about a minute and a half of the worst flood."""

KEEP_DROPS = 200_000
"""Executions held per gateway for drop copy readers that come back."""


class LogonError(Exception):
    """A logon that must not be accepted; `str()` says why and what to do."""


class SequenceError(Exception):
    """A client_seq or resume point that cannot be right; `str()` names the numbers."""


class Waker(Protocol):
    """Somebody who waits for something to send."""

    def wake(self) -> None:
        """There is something to send."""


class LiveSession(Waker, Protocol):
    """What the gateway's record needs of a session."""

    def alive(self) -> bool:
        """Whether its gateway was heard in time."""

    def fence(self, why: str) -> None:
        """End it: nothing more of it may be processed."""


@dataclass(slots=True)
class Held:
    """A report in the log, with the earliest time (monotonic s) it may be sent."""

    message: pb.ExchangeMessage
    not_before: float


@dataclass(slots=True)
class DropLog:
    """The executions of one gateway, for drop copy; `wakers` are told of each new one."""

    last_seq: int = 0
    held: deque[pb.DropCopyResponse] = field(default_factory=lambda: deque(maxlen=KEEP_DROPS))
    wakers: list[Waker] = field(default_factory=list)


@dataclass(slots=True)
class GatewayRecord:
    """One gateway as the exchange knows it."""

    name: str
    epoch: int = 0
    last_client_seq: int = 0
    last_venue_seq: int = 0
    session: LiveSession | None = None
    reports: deque[Held] = field(default_factory=lambda: deque(maxlen=KEEP_REPORTS))
    drops: DropLog = field(default_factory=DropLog)

    def log_on(self, session: LiveSession, epoch: int, resume_after: int) -> int:
        """Make `session` the gateway's only one.

        Returns:
            The `venue_seq` after which reports are sent. A new epoch may have begun without memory: where reports it asks
            for are no longer held, it gets those that are.

        Raises:
            LogonError: a newer epoch has been here, or the epoch's session is alive.
            SequenceError: reports after `resume_after` are no longer held, or it lies in the future.
        """
        if epoch < self.epoch:
            raise LogonError(
                f"gateway {self.name}: epoch {epoch} is fenced by epoch {self.epoch}; start with a higher epoch"
            )
        if self.session is not None and epoch == self.epoch and self.session.alive():
            raise LogonError(f"gateway {self.name}: epoch {epoch} has a live session; end it first")
        if resume_after > self.last_venue_seq:
            raise SequenceError(
                f"gateway {self.name}: resume_after {resume_after} is above the last venue_seq {self.last_venue_seq}"
            )
        if epoch > self.epoch:
            resume_after = max(resume_after, self.first_held() - 1)
        if resume_after < self.first_held() - 1:
            raise SequenceError(
                f"gateway {self.name}: reports after {resume_after} are gone, the oldest held is {self.first_held()}"
            )
        if self.session is not None:
            self.session.fence(f"gateway {self.name} logged on again with epoch {epoch}")
        if epoch > self.epoch:
            self.epoch, self.last_client_seq = epoch, 0
        self.session = session
        return resume_after

    def log_off(self, session: LiveSession) -> bool:
        """Forget a session that ended; whether it was still the gateway's."""
        if self.session is not session:
            return False
        self.session = None
        return True

    def took(self, client_seq: int, *, first: bool) -> None:
        """Note the sequence number of an order message.

        The first message of a session may jump ahead: what was numbered in between was lost with the last link.

        Raises:
            SequenceError: not the next number.
        """
        expected = self.last_client_seq + 1
        if client_seq < expected or (client_seq > expected and not first):
            raise SequenceError(f"gateway {self.name}: client_seq {client_seq} where {expected} was expected")
        self.last_client_seq = client_seq

    def append(self, message: pb.ExchangeMessage, not_before: float) -> None:
        """Give a report its venue_seq and hold it for sending."""
        self.last_venue_seq += 1
        message.venue_seq = self.last_venue_seq
        self.reports.append(Held(message, not_before))
        if self.session is not None:
            self.session.wake()

    def first_held(self) -> int:
        """The oldest venue_seq that can still be sent; one past the last when nothing is held."""
        return self.last_venue_seq - len(self.reports) + 1

    def held(self, venue_seq: int) -> Held:
        """A report by its number; it must be held (`first_held` to `last_venue_seq`)."""
        return self.reports[venue_seq - self.first_held()]

    def drop(self, response: pb.DropCopyResponse) -> None:
        """Give an execution its drop_seq and hand it to the drop copy readers."""
        self.drops.last_seq += 1
        response.drop_seq = self.drops.last_seq
        self.drops.held.append(response)
        for waker in self.drops.wakers:
            waker.wake()
