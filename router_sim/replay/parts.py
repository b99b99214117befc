"""What the cards and the JSON of all replays have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from router_sim.defence import Line, Profile
from router_sim.incidents.record import Found, Halt, Refusal
from router_sim.units import span

NOTHING: Final = "-"
WIDE: Final = 110
"""Columns of a terminal that shows the bounds of the lines of defence beside them."""

_MS: Final = 1_000_000


def lines_table(
    profile: Profile, without: Collection[str], refusals: Sequence[Refusal], halts: Sequence[Halt], *, bounds: bool
) -> Table:
    """Which line of defence spoke, and when; ``bounds`` shows what each says."""
    table = Table(title="Lines of defence", title_justify="left", title_style="bold")
    table.add_column("line", no_wrap=True)
    if bounds:
        table.add_column("bound")
    for column in ("refused", "first", "halted"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("scope", no_wrap=True)

    def row(name: str, says: str, *cells: str, style: str) -> None:
        table.add_row(name, *([says] if bounds else []), *cells, style=style)

    for line in profile.lines:
        if line.name in without:
            row(line.name, line.says, "removed", "", "", "", style="dim")
            continue
        spoken = [r for r in refusals if r.reason in line.reasons]
        halted = [h for h in halts if h.check in line.reasons]
        row(line.name, line.says, *_line_cells(spoken, halted), style=_style(spoken, halted))
    ours = {reason for line in profile.lines for reason in line.reasons}
    for refusal in refusals:
        if refusal.reason not in ours:
            name = "(the halt itself)" if refusal.reason == "halted" else f"({refusal.reason})"
            row(name, "", f"{refusal.count:,}", span(refusal.first_at), "", refusal.scope, style="dim")
    return table


def _line_cells(refusals: Sequence[Refusal], halts: Sequence[Halt]) -> tuple[str, str, str, str]:
    scopes = [halt.scope for halt in halts] or [refusal.scope for refusal in refusals]
    return (
        f"{sum(r.count for r in refusals):,}" if refusals else NOTHING,
        span(min((r.first_at for r in refusals), default=None)),
        span(min((h.at for h in halts), default=None)),
        "".join(scopes[:1]) + (f" and {len(scopes) - 1} more" if len(scopes) > 1 else ""),
    )


def _style(refusals: Sequence[Refusal], halts: Sequence[Halt]) -> str:
    if halts:
        return "bold green"
    return "yellow" if refusals else ""


def first_line(profile: Profile, halts: Iterable[Halt], first_refusal: Refusal | None) -> Line | None:
    """The line of defence that spoke first to a faulty router, by a refusal or by a halt."""
    spoken = [(halt.at, halt.check) for halt in halts]
    if first_refusal is not None:
        spoken.append((first_refusal.first_at, first_refusal.reason))
    name = profile.line_of(min(spoken)[1]) if spoken else None
    return next((line for line in profile.lines if line.name == name), None)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder, as people read it."""

    removed: tuple[str, ...]
    caught: str | None
    first_refusal: Refusal | None
    halt: Halt | None
    halt_line: str | None
    """The line that halted."""
    until_halt: int
    excess: int
    loss: str
    healthy_refused: int


def ladder_table(rungs: Sequence[Rung], *, unit: str, loss: str) -> Table:
    """Who catches the story when the lines before are removed; ``unit`` is what is counted until the halt."""
    table = Table(title="Remove what caught it, and the next line catches", title_justify="left", title_style="bold")
    table.add_column("removed")
    table.add_column("caught by")
    for column in ("first refusal", "halt", unit, "in excess", loss, "healthy refused"):
        table.add_column(column, justify="right")
    for rung in rungs:
        table.add_row(
            f"and {rung.removed[-1]}" if len(rung.removed) > 1 else "".join(rung.removed) or "nothing",
            rung.caught or "nothing",
            span(rung.first_refusal.first_at if rung.first_refusal else None),
            _halted(rung),
            f"{rung.until_halt:,}",
            f"{rung.excess:,}",
            rung.loss,
            f"{rung.healthy_refused:,}",
        )
    return table


def _halted(rung: Rung) -> str:
    """When, and by which reason if it is not one of the line that spoke first."""
    if rung.halt is None:
        return "none"
    other = rung.halt_line if rung.halt_line != rung.caught else ""
    return " ".join(filter(None, (other, span(rung.halt.at))))


def refusal_json(refusal: Refusal, profile: Profile) -> dict[str, Any]:
    """A reason, counted."""
    return {
        "reason": refusal.reason,
        "line": profile.line_of(refusal.reason),
        "count": refusal.count,
        "healthy": refusal.healthy,
        "first_ms": ms(refusal.first_at),
        "scope": refusal.scope,
        "router": refusal.router,
        "limit": refusal.limit,
        "value": refusal.value,
        "unit": refusal.unit,
    }


def halt_json(halt: Halt) -> dict[str, Any]:
    """A halt."""
    return {
        "check": halt.check,
        "scope": halt.scope,
        "router": halt.router,
        "at_ms": ms(halt.at),
        "limit": halt.limit,
        "value": halt.value,
        "text": halt.text,
        "swept": halt.swept,
        "cancels_outstanding": halt.cancels_outstanding,
    }


def finding_json(found: Found) -> dict[str, Any]:
    """A finding, as it stood at the end."""
    return {
        "at_ms": ms(found.at),
        "kind": found.kind,
        "what": found.what,
        "router": found.router,
        "occurrences": found.occurrences,
        "total": found.total,
        "loud": found.loud,
    }


def ms(ns: int | None) -> float | None:
    """Milliseconds, to the microsecond."""
    return None if ns is None else round(ns / _MS, 3)
