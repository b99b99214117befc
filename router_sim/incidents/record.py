"""What a gateway refused and halted during a replay, kept for the report. Times are ns after the replay's zero."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from router_sim.units import MILLISECOND

if TYPE_CHECKING:
    import riskcore  # at run time only a controlled run needs the native module


_LOOK: Final = 100 * MILLISECOND
"""How often the core looks for findings at most."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often one reason was given, and the first time in full."""

    reason: str
    count: int
    first_at: int
    scope: str
    router: str
    limit: int
    value: int
    unit: str
    healthy: int
    """How many of them were orders of routers that ran correct code."""


@dataclass(frozen=True, slots=True)
class Halt:
    """One latched halt as the core reports it."""

    at: int
    scope: str
    check: str
    router: str
    limit: int
    value: int
    text: str
    swept: int
    """Resting orders at the moment of the halt, each of them to be cancelled."""
    cancels_outstanding: int
    """Of these, not yet confirmed at the end of the run."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Somebody is told which router is at fault."""

    at: int
    router: str
    by: str
    """``halt``, or the loud finding."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of the core, as it stood at the end of the run."""

    at: int
    """When it was told."""
    kind: str
    what: str
    router: str
    occurrences: int
    total: int
    loud: bool

    @property
    def words(self) -> str:
        """As a halt's evidence is told of: ``finding: venue_reject Power Peg disabled``."""
        return f"finding: {self.kind} {self.what}"


class Witness:
    """Who was named when: by halts, and by loud findings."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._namings: list[Naming] = []
        self._next_look = -(1 << 62)
        self._found: dict[int, Found] = {}

    def halted(self, at: int, router: str) -> None:
        """A halt names a router, if it names one."""
        if router:
            self._namings.append(Naming(at, router, "halt"))

    def look(self, at: int, findings: Callable[[], Iterable[riskcore.Finding]]) -> None:
        """Take note of new findings, of those that have become loud, and of how they have grown.

        To be called after each timer of the core; the core looks no more often than this does.
        """
        if at < self._next_look:
            return
        self._next_look = at + _LOOK
        for finding in findings():
            known = self._found.get(finding.finding)
            found = Found(
                at=known.at if known and known.loud == finding.loud else at,
                kind=finding.kind,
                what=finding.what,
                router=finding.router,
                occurrences=finding.occurrences,
                total=finding.total,
                loud=finding.loud,
            )
            self._found[finding.finding] = found
            if finding.loud and not (known and known.loud):
                self._namings.append(Naming(at, finding.router, found.words))

    @property
    def namings(self) -> tuple[Naming, ...]:
        """In order of time."""
        return tuple(sorted(self._namings, key=lambda naming: naming.at))

    @property
    def findings(self) -> tuple[Found, ...]:
        """What was found, the oldest first."""
        return tuple(self._found.values())


def router_of(trip: riskcore.Trip) -> str:
    """The router a halt is about: the one whose order tripped it, else the one in its scope; empty if neither."""
    kind, _, name = trip.scope.partition(":")
    return trip.router or (name if kind == "router" else "")


def halt_of(trip: riskcore.Trip, zero: int) -> Halt:
    """A trip of the core, in the replay's time."""
    return Halt(
        at=trip.time - zero,
        scope=trip.scope,
        check=trip.check.lower(),
        router=trip.router,
        limit=trip.limit,
        value=trip.value,
        text=trip.text,
        swept=trip.open_orders,
        cancels_outstanding=trip.cancels_outstanding,
    )


class _Reason:
    """One reason, counted."""

    __slots__ = ("at", "count", "healthy", "reject", "router")

    def __init__(self, at: int, router: str, reject: riskcore.Reject | None) -> None:
        self.at = at
        self.router = router
        self.reject = reject
        self.count = 0
        self.healthy = 0


class Refusals:
    """The reasons that were given; a verdict is minus a reason's code."""

    def __init__(self) -> None:
        """Begin with none."""
        self._reasons: dict[int, _Reason] = {}
        self._faulty: list[int] = []

    def note(self, at: int, verdict: int, router: str, reject: riskcore.Reject | None, *, faulty: bool = False) -> None:
        """Keep the details of a reason that is given for the first time, and in which order faulty routers met them."""
        if verdict not in self._reasons:
            self._reasons[verdict] = _Reason(at, router, reject)
        if faulty and verdict not in self._faulty:
            self._faulty.append(verdict)

    def knows(self, verdict: int) -> bool:
        """Whether the reason has been noted: its details are those of the first time."""
        return verdict in self._reasons

    def count(self, verdict: int, *, healthy: bool) -> None:
        """One more refusal for a noted reason, of a router that runs correct code or not."""
        reason = self._reasons[verdict]
        reason.count += 1
        reason.healthy += healthy

    def listed(self, further: Mapping[int, int] | None = None) -> tuple[Refusal, ...]:
        """Every reason, the earliest first; ``further`` has refusals by verdict that were counted elsewhere."""
        noted = sorted(self._reasons.items(), key=lambda item: item[1].at)
        return tuple(self._refusal(verdict, reason, (further or {}).get(verdict, 0)) for verdict, reason in noted)

    def first_faulty(self, listed: tuple[Refusal, ...], but: Collection[str] = ()) -> Refusal | None:
        """Of those listed, the first that was given to a faulty router; reasons in ``but`` only if there is no other."""
        met = [_name(self._reasons[verdict].reject) for verdict in self._faulty]
        name = next((name for name in met if name not in but), met[0] if met else None)
        return next((refusal for refusal in listed if refusal.reason == name), None)

    def _refusal(self, verdict: int, reason: _Reason, further: int) -> Refusal:
        reject = reason.reject
        return Refusal(
            reason=_name(reject),
            count=reason.count + further,
            first_at=reason.at,
            scope=reject.scope if reject else "",
            router=reason.router,
            limit=reject.limit if reject else 0,
            value=reject.value if reject else 0,
            unit=reject.unit if reject else "",
            healthy=reason.healthy,
        )


def _name(reject: riskcore.Reject | None) -> str:
    return reject.name.lower() if reject else "unknown"
