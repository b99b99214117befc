"""The lines of defence of the replay: limits by name, in the order in which they catch the morning.

Values are the starting points of the demo profile: tight enough to stop Power Peg in milliseconds, wide enough that the
healthy flow of eight servers never meets one, at twice its largest opening burst either. Each line can be removed, to see
what the next one catches.
"""

from __future__ import annotations

from typing import Final

from router_sim import bounds
from router_sim.defence import Profile
from router_sim.units import MINUTE, SECOND

ROUTER_DAY: Final = 12_000_000
"""Shares of a healthy router's day: five children of 100 a second for six and a half hours. K2 may not halt it before."""

VENUE_PATIENCE: Final = 15 * SECOND
"""How long a venue may leave an order unanswered. The demo's exchange shares a machine with everything else, and a stall of
five seconds under load halted routers that were healthy."""

LINES: Final = (
    bounds.parents(),
    bounds.message_rate(250, 50),
    bounds.duplicates(10),
    bounds.velocity(500_000),
    bounds.repeated_execution(60, MINUTE),
    bounds.turnover(2_500_000, MINUTE, firm=100_000_000, day=1_000_000_000),
    bounds.position(200_000, router=25_000),
    bounds.leaving(ROUTER_DAY),
    bounds.day_loss(1_000_000, 1_000_000, router=250_000),
    bounds.gross(100_000_000, 100_000_000),
    bounds.reject_storm(500),
    bounds.unanswered(VENUE_PATIENCE),
    bounds.unacknowledged(500),
    bounds.unmatched(10_000, 50_000),
    bounds.order_size(10_000, 500_000),
    bounds.price_collar(300),
    bounds.market_data(SECOND),
)
"""Every line, the earliest catcher first. The last six bound what was in order that morning: the venue answered, its executions
were of orders that had been sent, and Power Peg's children were small and well priced."""


PROFILE: Final = Profile(LINES)
names = PROFILE.names
defence = PROFILE.defence
only = PROFILE.only
line_of = PROFILE.line_of
