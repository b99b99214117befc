"""What one run of the morning leaves behind. Times are ns after the open, money is in dollars."""

from __future__ import annotations

from dataclasses import dataclass, field

from router_sim.incidents.record import Found, Halt, Naming, Refusal
from router_sim.knight.firm import Opening, Rollback


@dataclass(frozen=True, slots=True)
class Sample:
    """The run at one moment; only the 212 parents' orders count."""

    at: int
    executions: int
    leaked_shares: int
    loss_usd: float
    """Cost over the opening mid of what exceeds the parents, and of unwinding it if the run stopped now."""
    long_usd: float
    short_usd: float
    touch_pnl_usd: float
    """Profit and loss marked at the live touch: the figure that deceives."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures that are known of the real morning; only the 212 parents' orders count."""

    executions: int
    shares: int
    symbols: int
    long_symbols: int
    short_symbols: int
    net_long_usd: float
    """At the final mid, as `net_short_usd`; both positive."""
    net_short_usd: float
    loss_usd: float
    """Cost over the opening mid of what exceeds the parents, and of unwinding it."""
    moved_over_10pct: int
    moved_5_to_10pct: int
    moved_less: int


@dataclass(frozen=True, slots=True)
class Totals(Figures):
    """The sums of a run: the known figures, and what leaked beyond the parents' quantity."""

    leaked_executions: int
    leaked_shares: int
    leaked_notional_usd: float
    touch_pnl_usd: float
    """Profit and loss marked at the live touch: the figure that deceives."""


@dataclass(frozen=True, slots=True)
class Gatekeeping:
    """What the gateway did; absent in an uncontrolled run."""

    refusals: tuple[Refusal, ...]
    halts: tuple[Halt, ...]
    first_refusal: Refusal | None
    """The first refused child of a faulty router."""
    namings: tuple[Naming, ...]
    """Which router was named when, before the open, too."""
    findings: tuple[Found, ...]
    opening: Opening
    executions_until_halt: int
    loss_at_halt_usd: float
    all_cancelled_at: int | None
    """When the venue had confirmed the last cancel of the first halt; `None` if there was no halt or one is missing."""
    cancels: int
    cancels_outstanding: int

    @property
    def warning(self) -> Found | None:
        """The first loud finding before the open."""
        return next((found for found in self.findings if found.loud and found.at < 0), None)


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run."""

    variant: str
    seed: int
    duration: int
    attempts: int
    totals: Totals
    first_excess_at: int | None
    """When a child first executed beyond its parent's quantity; see also the function of this name."""
    healthy_orders: int
    """Orders of routers while they ran correct code."""
    healthy_rejected: int
    healthy_executions: int
    gate: Gatekeeping | None
    rollback: Rollback | None
    wall_seconds: float
    samples: tuple[Sample, ...] = field(default=(), repr=False)


def caught_by(run: RunResult) -> str | None:
    """The check of the first halt; without a halt, the reason of the first refusal of a faulty router."""
    gate = run.gate
    if gate is None:
        return None
    if gate.halts:
        return gate.halts[0].check
    return gate.first_refusal.reason if gate.first_refusal else None


def first_excess_at(run: RunResult) -> int | None:
    """When the first child beyond its parent's quantity was sent, whether refused or executed."""
    refusals = run.gate.refusals if run.gate else ()
    refused = [refusal.first_at for refusal in refusals if refusal.reason == "parent_overfill"]
    sent = [run.first_excess_at] if run.first_excess_at is not None else []
    return min(refused + sent, default=None)


def culprit(run: RunResult) -> Naming | None:
    """Who was named for the excess: first since it began; without excess, first of all. A warning before it is no proof of it."""
    namings = run.gate.namings if run.gate else ()
    since = first_excess_at(run)
    return next((naming for naming in namings if since is None or naming.at >= since), None)


def excess_to_culprit(run: RunResult) -> int | None:
    """From the first excess child to the name of the router, in ns; `None` if there was none, or nobody was named."""
    since, named = first_excess_at(run), culprit(run)
    return named.at - since if since is not None and named is not None else None
