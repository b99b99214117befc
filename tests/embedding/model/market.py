"""What an instrument is worth: the touch, and the slow reference that a runaway cannot lift (rules.md L1)."""

from __future__ import annotations

from dataclasses import dataclass, field

STEPS = 60
WINDOW = 15 * 60 * 1_000_000_000
"""The slow reference: a time-weighted mean over 15 minutes, in steps of a sixtieth of it."""
BPS = 10_000
NEVER = -(2**63)


def ceil_div(part: int, whole: int) -> int:
    """Rounded up."""
    return -(-part // whole)


def of_whole_bps(part: int, whole: int) -> int:
    """A part of a whole in basis points, rounded up; any part of nothing is too much."""
    if part <= 0:
        return 0
    return ceil_div(part * BPS, whole) if whole > 0 else 2**127 - 1


@dataclass
class Market:
    """An instrument: its terms, its touch, and its slow reference from the first own fill on."""

    multiplier: int = 1
    lot: int = 1
    adv: int | None = None
    reg_sho: bool = False
    phase: str = "continuous"
    bid: int = 0
    ask: int = 0
    quoted_at: int | None = None
    begun: int | None = None
    at: int = 0
    mids: list[tuple[int, int]] = field(default_factory=list)

    @property
    def mid(self) -> int:
        """Half-way, rounded down."""
        return self.bid + (self.ask - self.bid) // 2

    @property
    def has_touch(self) -> bool:
        """There has been a price, if only the mark of an opening position."""
        return self.quoted_at is not None

    def age(self, now: int) -> int | None:
        """How old the touch is; ``None`` before the first."""
        return None if self.quoted_at is None else min(now - self.quoted_at, 2**63 - 1)

    def seed(self, mark: int) -> None:
        """The mark of a position brought into the day values it, and is stale from the start."""
        if not self.has_touch:
            self.bid, self.ask, self.quoted_at = mark, mark, NEVER

    def tick(self, now: int, bid: int, ask: int) -> None:
        """A usable touch is the new one; any other is ignored."""
        if not 0 < bid < ask:
            return
        self.advance(now)
        self.bid, self.ask, self.quoted_at = bid, ask, now
        self.mids.append((now, self.mid))

    def own_fill(self, now: int) -> None:
        """The first one begins the reference, as if the mid had always been what it is."""
        if self.begun is None and self.has_touch:
            self._begin(now)

    def _begin(self, now: int) -> None:
        self.begun = self.at = now
        self.mids = [(now - 2 * WINDOW, self.mid)]

    def advance(self, now: int) -> None:
        """The reference is as of now; after a silence of two windows it begins anew."""
        if self.begun is None:
            return
        step = WINDOW // STEPS
        running_since = self.begun + (self.at - self.begun) // step * step
        if now - running_since > 2 * WINDOW:
            self._begin(now)
        self.at = now

    def mean(self) -> tuple[int, int]:
        """The mean of the mid over the last sixty full steps and the running one, rounded down and up."""
        assert self.begun is not None
        step = WINDOW // STEPS
        start = self.begun + ((self.at - self.begun) // step - STEPS) * step
        ends = [time for time, _ in self.mids[1:]] + [self.at]
        total = sum(
            mid * max(min(end, self.at) - max(begin, start), 0)
            for (begin, mid), end in zip(self.mids, ends, strict=True)
        )
        span = self.at - start
        return total // span, ceil_div(total, span)

    @property
    def long_mark(self) -> int:
        """What a long position is worth: the worse of the bid and the reference."""
        return self.bid if self.begun is None else min(self.bid, self.mean()[0])

    @property
    def short_mark(self) -> int:
        """What a short position costs: the worse of the offer and the reference."""
        return self.ask if self.begun is None else max(self.ask, self.mean()[1])

    def risk_price(self, *, buys: bool, price: int | None, collar_bps: int) -> int | None:
        """What an order is valued at, worst case; without a market, a limit order at its own price."""
        if price is None:
            return ceil_div(self.ask * (BPS + collar_bps), BPS) if self.has_touch else None
        return price if buys or not self.has_touch else max(price, self.bid)
