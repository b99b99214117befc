"""Lines of defence: limits by name, in the order in which they catch a story, each of them removable.

A story's table is a `Profile`. To give it one more line is one more entry: its name, what it says, the reasons with which it
speaks, and its limits. Some limits must be set or no order passes at all; a removed line sets those out of reach instead
of leaving them away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from router_sim.units import USD

ANY_MONEY: Final = 10**15 * USD
ANY_QTY: Final = 10**12
ANY_RATE: Final = 100_000
"""Messages a second that no run reaches; a rate limit keeps one time per message, so it cannot be endless."""

PARENTS: Final = "parent_overfill"
"""The line that, removed, also takes the parent ids off all orders."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One limit at one scope, in the core's units; ``off`` is its value when its line is removed (`None`: not set)."""

    scope: str
    limit: str
    value: int
    off: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of defence. One without settings always stands, and cannot be removed."""

    name: str
    says: str
    reasons: tuple[str, ...]
    """Reject reasons with which it refuses."""
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Defence:
    """What stands in a controlled run."""

    settings: tuple[Setting, ...]
    removed: frozenset[str] = frozenset()
    """Names of lines or limits taken away."""

    @property
    def parents(self) -> bool:
        """Whether orders of the account must name their parent."""
        return PARENTS not in self.removed


class Profile:
    """The lines of one story, the earliest catcher first."""

    def __init__(self, lines: Sequence[Line]) -> None:
        """Order matters to people only: the core asks its checks in an order of its own."""
        self.lines = tuple(lines)

    @property
    def standing(self) -> frozenset[str]:
        """Reasons of the lines that cannot be removed."""
        return frozenset(reason for line in self.lines if not line.settings for reason in line.reasons)

    def names(self) -> tuple[str, ...]:
        """What can be removed: lines, and single limits (`message_rate` is the line)."""
        lines = [line.name for line in self.lines if line.settings]
        return tuple(dict.fromkeys(lines + [setting.limit for line in self.lines for setting in line.settings]))

    def defence(self, without: Iterable[str] = (), extra: Collection[Setting] = ()) -> Defence:
        """The profile without some lines or limits; ``extra`` settings are added and win over those of the profile.

        Raises:
            ValueError: a name in ``without`` is neither a line nor a limit; the message lists what there is.
        """
        removed = frozenset(without)
        unknown = sorted(removed - set(self.names()))
        if unknown:
            raise ValueError(f"unknown line of defence {', '.join(unknown)}; there are: {', '.join(self.names())}")
        chosen = {}
        for line in self.lines:
            for setting in line.settings:
                gone = line.name in removed or setting.limit in removed
                value = setting.off if gone else setting.value
                if value is not None:
                    chosen[setting.scope, setting.limit] = Setting(setting.scope, setting.limit, value)
        for setting in extra:
            chosen[setting.scope, setting.limit] = setting
        return Defence(tuple(chosen.values()), removed)

    def only(self, *settings: Setting, parents: bool = False) -> Defence:
        """Nothing but these limits: one control alone, as in the table of counterfactuals."""
        every = [line.name for line in self.lines if line.settings]
        removed = frozenset(name for name in every if name != PARENTS or not parents)
        return Defence((*self.defence(every).settings, *settings), removed)

    def line_of(self, reason: str) -> str:
        """The line that refuses with this reason; the reason itself if no line does."""
        return next((line.name for line in self.lines if reason in line.reasons), reason)
