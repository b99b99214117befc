"""What one run of an incident leaves behind. Times are ns after the scene's zero, money is in units of the currency."""

from __future__ import annotations

from dataclasses import dataclass

from router_sim.incidents.record import Halt, Refusal


@dataclass(frozen=True, slots=True)
class Totals:
    """The faulty router's orders that were not meant to be sent, as far as they reached the venue, and what has leaked."""

    orders: int
    notional_sent: float
    executed_orders: int
    executed_qty: int
    executed_notional: float
    symbols: int
    """Instruments traded."""
    leaked_orders: int
    """Executed orders with at least one unit beyond what was meant to be executed."""
    leaked_qty: int
    leaked_notional: float
    loss: float | None
    """Of what leaked, against the mid; `None` where nothing is known to compare it with."""


@dataclass(frozen=True, slots=True)
class Lifting:
    """Staff tried to lift a block."""

    at: int
    scope: str
    alone: str
    """What one person alone was told."""
    lifted: bool
    """Whether two people could lift it."""


@dataclass(frozen=True, slots=True)
class Doorkeeping:
    """What the gateway did; absent in an uncontrolled run."""

    refusals: tuple[Refusal, ...]
    halts: tuple[Halt, ...]
    first_refusal: Refusal | None
    """The first refused order of the faulty router."""
    culprit: str | None
    named_at: int | None
    """When the culprit was named, by a halt or by a loud finding."""
    named_by: str
    orders_until_halt: int
    """Orders of the faulty router that had passed by the first halt, those meant to be sent included."""
    all_cancelled_at: int | None
    """When the venue had confirmed the last cancel of the first halt."""
    cancels: int
    cancels_outstanding: int
    liftings: tuple[Lifting, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    attempts: int
    """Orders that the faulty router tried to send and that were not meant to be sent."""
    duration: int
    """From the beginning of the fault to the end of the run."""
    totals: Totals
    first_excess_at: int | None
    """When the first order left the faulty router with which it asked for more than was meant."""
    healthy_orders: int
    healthy_rejected: int
    healthy_executions: int
    door: Doorkeeping | None
    wall_seconds: float


def caught_by(run: Run) -> str | None:
    """The check of the first halt; without a halt, the reason of the first refusal of the faulty router."""
    door = run.door
    if door is None:
        return None
    if door.halts:
        return door.halts[0].check
    return door.first_refusal.reason if door.first_refusal else None


def time_to_culprit(run: Run) -> int | None:
    """From the first excess order to the named culprit; 0 if it had been named before."""
    if run.door is None or run.door.named_at is None or run.first_excess_at is None:
        return None
    return max(run.door.named_at - run.first_excess_at, 0)
