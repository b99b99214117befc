"""What the firm has decided besides its limits, and what came of it. Times are ns after the open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Firm:
    """Decisions of people, taken before the day or in its course."""

    quarantine: bool = True
    """While an incident is open, no other router may log on with the culprit's build."""
    readiness_gate: bool = False
    """What is red at the open keeps the firm from trading."""
    override_at: int | None = None
    """When two people let the firm trade all the same."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How the firm stood at the open."""

    red: tuple[str, ...]
    """What was not as it must be."""
    gate: str | None
    """Where the gate stood at the end of the run; `None` if the firm has none."""
    overridden_at: int | None = None


@dataclass(frozen=True, slots=True)
class Rollback:
    """The old code was installed on the good servers."""

    at: int
    refused: tuple[str, ...]
    """Routers that were not let in with it; each goes on with the code that it has."""
    spread: tuple[str, ...]
    """Routers that run it from then on."""
    sentence: str
    """What the first one that was refused was told."""
