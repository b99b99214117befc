"""An incident as data: who sends what when, what the venue does with it, who lifts a block.

Times are ns after the scene's zero, the moment the fault begins. Prices are 1e-9 of the currency, quantities whole units.
A scene is a fixed table; the seed moves phases and coin flips alone. Nothing in it depends on what the gateway answers:
the faulty router takes a refusal for nothing and goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from router_sim.defence import Profile
from router_sim.units import MILLISECOND, SECOND

NEVER: Final = 1 << 62

DESK: Final = "DESK"
"""Account of the faulty router's desk."""

CLIENTS: Final = "CLIENTS"
"""Account that the healthy routers trade for."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is traded; the mid does not move: how the market answered is not what these replays are about."""

    name: str
    mid: int
    half_spread: int
    tick: int
    multiplier: int = 1

    @property
    def bid(self) -> int:
        """The price somebody buys at."""
        return self.mid - self.half_spread

    @property
    def ask(self) -> int:
        """The price somebody sells at."""
        return self.mid + self.half_spread


@dataclass(frozen=True, slots=True)
class FaultyOrder:
    """One order of the faulty router."""

    at: int
    symbol: int
    """Index into the instruments."""
    sign: int
    qty: int
    price: int
    fills: int
    """What the venue executes of it, if it gets it."""
    parent: int
    """Index into the parents; -1: it has none."""
    intended: bool = False
    """Part of what was meant to be sent."""


@dataclass(frozen=True, slots=True)
class Parent:
    """What the OMS has registered for the faulty router's desk."""

    symbol: int
    sign: int
    qty: int


@dataclass(frozen=True, slots=True)
class HealthyOrder:
    """One order of a router that runs correct code: passive, at the near touch."""

    at: int
    router: int
    symbol: int
    sign: int
    qty: int
    resting: int
    """How long it rests, at an open market, before it fills."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure that is known of the incident, and must come out of a full run without the gateway."""

    figure: str
    """Which of the totals."""
    known: float
    tolerance: float = 0.01
    """As a part of ``known``."""


@dataclass(frozen=True, slots=True)
class Story:
    """What an incident is called, and what is known of it."""

    name: str
    title: str
    fault: str
    """What the faulty router does, in half a sentence."""
    zero: str
    """What the times of the report count from."""
    unit: str
    """What a quantity counts."""
    facts: tuple[Fact, ...]
    currency: str = "$"
    notional_only: bool = True
    """No loss is known; otherwise the loss is what was executed worse than the mid."""


@dataclass(frozen=True)
class Scene:
    """Everything that happens in one run, before anybody stops it."""

    story: Story
    profile: Profile
    seed: int
    trading_day: int
    zero: int
    """In ns UTC."""
    begin: int
    end: int
    routers: tuple[str, ...]
    culprit: int
    """Index of the faulty router."""
    instruments: tuple[Instrument, ...]
    orders: tuple[FaultyOrder, ...]
    healthy: tuple[HealthyOrder, ...]
    allowed: tuple[int, ...]
    """Quantity per instrument that was meant to be executed; what goes beyond it has leaked."""
    parents: tuple[Parent, ...] = ()
    opens_at: int | None = None
    """When trading begins; `None`: it has begun. Before, the venue collects."""
    deaf_until: int = -NEVER
    """Until then no report of the faulty router's orders comes back from the venue."""
    rest: bool = False
    """What does not fill rests; otherwise it is cancelled at once."""
    liftings: tuple[int, ...] = ()
    """When staff lift whatever blocks the faulty router."""
    tick_every: int = SECOND
    timer_every: int = 10 * MILLISECOND


def stop_at(scene_end: int, until: int | None) -> int:
    """When a run ends that shall end ``until`` ns after the fault began."""
    return scene_end if until is None else min(scene_end, until)


def even(low: int, high: int, n: int, *, step: int) -> Sequence[int]:
    """``n`` values from ``low`` to ``high`` in even steps, each a whole number of ``step``."""
    return [round((low + (high - low) * i / (n - 1)) / step) * step for i in range(n)]
