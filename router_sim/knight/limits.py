"""The lines of defence of the replay: limits by name, in the order in which they catch the morning.

Values are the starting points of the demo profile: tight enough to stop Power Peg in milliseconds, wide enough that the
healthy flow of eight servers never meets one. Each line can be removed, to see what the next one catches. Some limits
must be set or no order passes at all; a removed line sets those out of reach instead of leaving them away.
"""

from __future__ import annotations

from typing import Final

from router_sim.defence import ANY_MONEY, ANY_QTY, ANY_RATE, Line, Profile, Setting
from router_sim.units import MILLISECOND, SECOND, USD

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
            Setting("router:*", "message_rate", 250, ANY_RATE),
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
            Setting("firm", "max_turnover_day", 1_000_000_000 * USD, ANY_MONEY),
        ),
    ),
    Line(
        "position",
        "25,000 shares long or short per router and symbol, 200,000 per account and symbol",
        ("position_limit",),
        (
            Setting("router_symbol:*", "max_long_position", 25_000),
            Setting("router_symbol:*", "max_short_position", 25_000),
            Setting("account_symbol:*", "max_long_position", 200_000, ANY_QTY),
            Setting("account_symbol:*", "max_short_position", 200_000, ANY_QTY),
        ),
    ),
    Line(
        "day_loss",
        "$250,000 per router, $1M for the account and the firm, at the worse of touch and slow reference",
        ("loss_limit",),
        (
            Setting("router:*", "max_day_loss", 250_000 * USD),
            Setting("account:*", "max_day_loss", 1_000_000 * USD, ANY_MONEY),
            Setting("firm", "max_day_loss", 1_000_000 * USD, ANY_MONEY),
        ),
    ),
    Line(
        "gross",
        "$100M gross notional for the firm and the account",
        ("gross_limit",),
        (
            Setting("firm", "max_gross_notional", 100_000_000 * USD, ANY_MONEY),
            Setting("account:*", "max_gross_notional", 100_000_000 * USD, ANY_MONEY),
        ),
    ),
    Line(
        "order_size",
        "10,000 shares and $500,000 per order",
        ("max_order_qty", "max_order_notional"),
        (
            Setting("symbol:*", "max_order_qty", 10_000, ANY_QTY),
            Setting("account:*", "max_order_notional", 500_000 * USD, ANY_MONEY),
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


PROFILE: Final = Profile(LINES)
names = PROFILE.names
defence = PROFILE.defence
only = PROFILE.only
line_of = PROFILE.line_of
