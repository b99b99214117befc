"""The lines of defence of the replay: limits by name, in the order in which they catch the morning.

Values are the starting points of the demo profile: tight enough to stop Power Peg in milliseconds, wide enough that the
healthy flow of eight servers never meets one. Each line can be removed, to see what the next one catches. Some limits
must be set or no order passes at all; a removed line sets those out of reach instead of leaving them away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from router_sim.units import MILLISECOND, SECOND, USD

_ANY_MONEY: Final = 10**15 * USD
_ANY_QTY: Final = 10**12
_ANY_RATE: Final = 100_000
"""Messages a second that no run reaches; a rate limit keeps one time per message, so it cannot be endless."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One limit at one scope, in the core's units; ``off`` is its value when its line is removed (`None`: not set)."""

    scope: str
    limit: str
    value: int
    off: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of defence."""

    name: str
    says: str
    reasons: tuple[str, ...]
    """Reject reasons with which it refuses."""
    settings: tuple[Setting, ...]


LINES: Final = (
    Line(
        "parent_overfill",
        "children never exceed their parent; the third attempt halts the router",
        ("parent_overfill",),
        (Setting("router:*", "parent_overfill_halt_after", 3),),
    ),
    Line(
        "message_rate",
        "50 orders in 100 ms, 250 in 1 s per router; 100 ms in breach halts it",
        ("rate_limit",),
        (
            Setting("router:*", "message_rate", 250, _ANY_RATE),
            Setting("router:*", "message_rate_window", SECOND, SECOND),
            Setting("router:*", "message_burst", 50),
            Setting("router:*", "message_burst_window", 100 * MILLISECOND),
            Setting("router:*", "message_rate_sustained", 100 * MILLISECOND),
        ),
    ),
    Line(
        "turnover",
        "$2M a minute per router, $100M in 5 minutes and $1bn a day for the firm",
        ("turnover_limit",),
        (
            Setting("router:*", "max_turnover_window", 2_000_000 * USD),
            Setting("router:*", "turnover_window", 60 * SECOND),
            Setting("firm", "max_turnover_window", 100_000_000 * USD),
            Setting("firm", "turnover_window", 300 * SECOND),
            Setting("firm", "max_turnover_day", 1_000_000_000 * USD, _ANY_MONEY),
        ),
    ),
    Line(
        "position",
        "25,000 shares long or short per router and symbol, 200,000 per account and symbol",
        ("position_limit",),
        (
            Setting("router_symbol:*", "max_long_position", 25_000),
            Setting("router_symbol:*", "max_short_position", 25_000),
            Setting("account_symbol:*", "max_long_position", 200_000, _ANY_QTY),
            Setting("account_symbol:*", "max_short_position", 200_000, _ANY_QTY),
        ),
    ),
    Line(
        "day_loss",
        "$250,000 per router, $1M for the account and the firm, at the worse of touch and slow reference",
        ("loss_limit",),
        (
            Setting("router:*", "max_day_loss", 250_000 * USD),
            Setting("account:*", "max_day_loss", 1_000_000 * USD, _ANY_MONEY),
            Setting("firm", "max_day_loss", 1_000_000 * USD, _ANY_MONEY),
        ),
    ),
    Line(
        "gross",
        "$100M gross notional for the firm and the account",
        ("gross_limit",),
        (
            Setting("firm", "max_gross_notional", 100_000_000 * USD, _ANY_MONEY),
            Setting("account:*", "max_gross_notional", 100_000_000 * USD, _ANY_MONEY),
        ),
    ),
    Line(
        "order_size",
        "10,000 shares and $500,000 per order",
        ("max_order_qty", "max_order_notional"),
        (
            Setting("symbol:*", "max_order_qty", 10_000, _ANY_QTY),
            Setting("account:*", "max_order_notional", 500_000 * USD, _ANY_MONEY),
        ),
    ),
    Line(
        "price_collar",
        "300 basis points through the market",
        ("price_collar",),
        (Setting("symbol:*", "price_collar_bps", 300, 1_000_000),),
    ),
    Line(
        "market_data",
        "no decision on a quote older than a second",
        ("market_data_stale", "reference_price_not_available"),
        (Setting("symbol:*", "market_data_max_age", SECOND, 86_400 * SECOND),),
    ),
)
"""Every line, the earliest catcher first; the last three bound single orders, and Power Peg's were small and well priced."""


@dataclass(frozen=True, slots=True)
class Defence:
    """What stands in a controlled run."""

    settings: tuple[Setting, ...]
    removed: frozenset[str] = frozenset()
    """Names of lines or limits taken away."""

    @property
    def parents(self) -> bool:
        """Whether orders of the account must name their parent."""
        return "parent_overfill" not in self.removed


def names() -> tuple[str, ...]:
    """What can be removed: lines, and single limits (`message_rate` is the line)."""
    lines = [line.name for line in LINES]
    return tuple(dict.fromkeys(lines + [setting.limit for line in LINES for setting in line.settings]))


def defence(without: Iterable[str] = (), extra: Collection[Setting] = ()) -> Defence:
    """The profile without some lines or limits; ``extra`` settings are added and win over those of the profile.

    Raises:
        ValueError: a name in ``without`` is neither a line nor a limit; the message lists what there is.
    """
    removed = frozenset(without)
    unknown = sorted(removed - set(names()))
    if unknown:
        raise ValueError(f"unknown line of defence {', '.join(unknown)}; there are: {', '.join(names())}")
    chosen = {}
    for line in LINES:
        for setting in line.settings:
            gone = line.name in removed or setting.limit in removed
            value = setting.off if gone else setting.value
            if value is not None:
                chosen[setting.scope, setting.limit] = Setting(setting.scope, setting.limit, value)
    for setting in extra:
        chosen[setting.scope, setting.limit] = setting
    return Defence(tuple(chosen.values()), removed)


def only(*settings: Setting, parents: bool = False) -> Defence:
    """Nothing but these limits: one control alone, as in the table of counterfactuals."""
    bare = defence(line.name for line in LINES)
    removed = frozenset(line.name for line in LINES if line.name != "parent_overfill" or not parents)
    return Defence((*bare.settings, *settings), removed)


def line_of(reason: str) -> str:
    """The line that refuses with this reason; the reason itself if no line does."""
    return next((line.name for line in LINES if reason in line.reasons), reason)
