"""What a backtest found."""

from dataclasses import dataclass, field
from fractions import Fraction

from gateway.backtest.flow import Party, Summary


@dataclass(frozen=True, slots=True)
class Seen:
    """A moment of the flow: its time, its record or line, and the order concerned ("" if none is)."""

    time: int
    number: int
    order: str


@dataclass(slots=True)
class Stop:
    """One check that refused something: how often, and its first refusal.

    ``limit`` and ``value`` are in ``unit``'s core scale; without a bound ``unit`` is empty.
    """

    check: str
    first: Seen
    scope: str
    limit: int
    value: int
    unit: str
    orders: int = 0
    replaces: int = 0

    @property
    def count(self) -> int:
        """Messages refused."""
        return self.orders + self.replaces


@dataclass(frozen=True, slots=True)
class Halted:
    """One halt: what tripped it and where."""

    scope: str
    state: str
    check: str
    at: Seen
    limit: int
    value: int
    unit: str
    open_orders: int


@dataclass(slots=True)
class Closeness:
    """How close the flow came to one limit at one scope; values in ``unit``'s core scale.

    ``peak`` is what the flow as recorded reached, refused messages included: with the bound out of the way.
    """

    scope: str
    limit: str
    check: str
    unit: str
    bound: int
    peak: int = 0
    seen: Seen | None = None

    @property
    def used(self) -> Fraction | None:
        """The used part of the bound; ``None`` for a bound of zero that something was used of."""
        if self.bound == 0:
            return None if self.peak else Fraction(0)
        return Fraction(max(self.peak, 0), self.bound)

    @property
    def headroom(self) -> int:
        """What is left; negative if the flow needs more than the bound."""
        return self.bound - max(self.peak, 0)


@dataclass(slots=True)
class Report:
    """See the module. ``sent`` counts what went to the core: orders, replaces, cancels, fills, quotes."""

    file: str
    format: str
    unit: str
    symbols: tuple[str, ...]
    parties: tuple[Party, ...]
    summary: Summary
    limits_file: str
    tighten: Fraction
    sent: dict[str, int] = field(default_factory=dict)
    stops: list[Stop] = field(default_factory=list)
    halts: list[Halted] = field(default_factory=list)
    canceled_by_halts: int = 0
    not_followed: int = 0
    """Cancels, fills and replaces of orders that were refused or cancelled by a halt, so not sent."""
    closeness: list[Closeness] = field(default_factory=list)
    interpreted: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    passes: int = 1

    @property
    def stopped(self) -> bool:
        """Whether anything was refused or halted."""
        return bool(self.stops or self.halts)
