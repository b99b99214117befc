"""How a router turns one parent order into child orders: healthy code and Power Peg.

Sans-I/O: no clock, no socket, no randomness. The caller (the replay's event loop or the live fleet) keeps one object
per parent order, sends a child of ``child_qty`` shares when the time returned by the object has come, and tells it the
outcome::

    peg = PowerPeg(first_at=now, delay=7_100_000)
    at = peg.next_at                      # send peg.child_qty shares at this time (ns)
    at = peg.on_done(now, filled=100)     # the venue has closed the child: filled shares, 0 for none
    at = peg.on_reject(now)               # the gateway or the venue has refused it
    at == NEVER                           # this parent sends nothing more

One child of a parent is open at a time. Times are nanoseconds on the caller's clock, quantities are shares.

`behaviour` picks the class as SMARS did on 1 August 2012: the flag that came with the order meant "retail liquidity
program" to the new code and "Power Peg" to the code that one server still ran (SEC Release 34-70694, paragraphs 13-16).
"""

from __future__ import annotations

import enum
from typing import Final, Protocol

NEVER: Final = 1 << 62
"""The time of a child that will not be sent; later than every other time."""

CHILD_QTY: Final = 100
"""Shares of one child order: 397 million shares in 4 million executions are 99 shares each."""

HEALTHY_PACE: Final = 500_000_000
"""The shortest time between two children of one parent in healthy code, in ns: two a second at most."""


class Build(enum.Enum):
    """The code a router runs."""

    RLP = "smars-2012.08"
    """The release of July 2012: the flag sends an order to the retail liquidity program."""
    POWER_PEG = "smars-2005.03"
    """The code before it: the flag starts Power Peg, whose stop-counter was moved away in 2005."""


class Behaviour(Protocol):
    """What the caller may rely on; see the module's description."""

    child_qty: int
    next_at: int

    def on_done(self, now: int, filled: int) -> int:
        """The venue has closed the child after ``filled`` shares; returns the time of the next child."""

    def on_reject(self, now: int) -> int:
        """The child was refused; returns the time of the next child."""


class HealthyRouter:
    """Sends children until the parent is filled, then stops; hands a refused parent back instead of insisting."""

    __slots__ = ("child_qty", "cum", "next_at", "pace", "qty", "slice_qty")

    def __init__(self, *, qty: int, first_at: int, pace: int = HEALTHY_PACE, slice_qty: int = CHILD_QTY) -> None:
        """Work ``qty`` shares from ``first_at`` on, one child of ``slice_qty`` every ``pace`` ns at most."""
        self.qty = qty
        self.cum = 0
        self.slice_qty = slice_qty
        self.pace = pace
        self.next_at = first_at
        self.child_qty = min(slice_qty, qty)

    def on_done(self, now: int, filled: int) -> int:
        """Count the fill; the next child takes at most what is left."""
        self.cum += filled
        leaves = self.qty - self.cum
        if leaves <= 0:
            return self._stop()
        self.child_qty = min(self.slice_qty, leaves)
        self.next_at = max(now, self.next_at + self.pace)
        return self.next_at

    def on_reject(self, now: int) -> int:
        """Stop: a person has to look at a refused order."""
        return self._stop()

    def _stop(self) -> int:
        self.child_qty = 0
        self.next_at = NEVER
        return NEVER


class PowerPeg:
    """Sends the same child for ever, whatever was filled: the stop-counter is no longer where it was called."""

    __slots__ = ("child_qty", "delay", "next_at")

    def __init__(self, *, first_at: int, delay: int, child_qty: int = CHILD_QTY) -> None:
        """Send from ``first_at`` on, every ``delay`` ns (later only when the answer takes longer)."""
        self.child_qty = child_qty
        self.delay = delay
        self.next_at = first_at

    def on_done(self, now: int, filled: int) -> int:
        """Ignore the fill; the next child follows on schedule."""
        at = self.next_at + self.delay
        if at < now:
            at = now
        self.next_at = at
        return at

    def on_reject(self, now: int) -> int:
        """Ignore the refusal too: it is followed by the next try like a fill."""
        at = self.next_at + self.delay
        if at < now:
            at = now
        self.next_at = at
        return at


def behaviour(
    build: Build, *, rlp_flag: bool, qty: int, first_at: int, delay: int, pace: int = HEALTHY_PACE
) -> HealthyRouter | PowerPeg:
    """What a router with this code does with a parent of ``qty`` shares; ``delay`` is Power Peg's, ``pace`` healthy."""
    if build is Build.POWER_PEG and rlp_flag:
        return PowerPeg(first_at=first_at, delay=delay)
    return HealthyRouter(qty=qty, first_at=first_at, pace=pace)
