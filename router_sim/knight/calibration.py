"""What the uncontrolled run must reproduce, and a fast forecast of it.

The figures are those of SEC Release 34-70694 (paragraphs 1, 17, 18); only the 212 parents' orders count. They hold for
the variants that end in the same positions: S1, S2, S3 and S5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice

from exchange_sim.impact import fills, unwind_loss
from router_sim.knight.result import Figures
from router_sim.knight.universe import Universe


@dataclass(frozen=True, slots=True)
class Assertion:
    """One figure, what it must be and within which fraction of it."""

    name: str
    expected: float
    tolerance: float
    actual: float

    @property
    def holds(self) -> bool:
        """Whether the actual figure is close enough."""
        return abs(self.actual - self.expected) <= self.tolerance * self.expected

    def __str__(self) -> str:
        """For people, on failure."""
        return f"{self.name}: {self.actual:,.0f}, must be {self.expected:,.0f} within {self.tolerance:.0%}"


def assertions(run: Figures) -> list[Assertion]:
    """Every figure of the calibration beside what the run made of it."""
    return [
        Assertion("executions", 4_000_000, 0.01, run.executions),
        Assertion("shares", 397_000_000, 0.01, run.shares),
        Assertion("symbols", 154, 0.0, run.symbols),
        Assertion("symbols net long", 80, 0.0, run.long_symbols),
        Assertion("symbols net short", 74, 0.0, run.short_symbols),
        Assertion("net long in USD", 3.5e9, 0.03, run.net_long_usd),
        Assertion("net short in USD", 3.15e9, 0.03, run.net_short_usd),
        Assertion("loss in USD", 460e6, 0.02, run.loss_usd),
        Assertion("symbols that moved more than 10 %", 37, 0.0, run.moved_over_10pct),
        Assertion("symbols that moved 5-10 %", 38, 0.0, run.moved_5_to_10pct),
        Assertion("symbols that moved less", 79, 0.0, run.moved_less),
    ]


def forecast(universe: Universe) -> Figures:
    """The figures of the uncontrolled run without its events: exact but for the loss.

    Quantities depend only on each parent's number of attempts and its coins. The cost of the impact depends only on
    the final positions, because the price does: it is the integral of the mid over the quantity. Left out are the
    rounding to ticks and the parents' own (legitimate) shares, together less than 0.1 % of the loss.
    """
    markets = [stock.market() for stock in universe.stocks]
    traded = [0] * len(markets)
    executions = 0
    for parent in universe.parents:
        attempts = -(-(universe.duration - parent.first_at) // parent.delay)
        coins = list(islice(fills(universe.seed, parent.number), attempts))
        shares = sum(coins)
        executions += attempts - coins.count(0)
        traded[parent.stock] += shares
        market = markets[parent.stock]
        market.net += parent.sign * shares
    loss = 0.0
    for stock, market, shares in zip(universe.stocks, markets, traded, strict=True):
        net = abs(market.net)
        impact = stock.move * stock.mid0 * net * math.sqrt(net / stock.full_qty) * 2 / 3
        spread = shares * stock.spread_ticks * market.tick / 2
        loss += impact + spread + unwind_loss(net, stock.mid0, stock.full_qty)
    values = [market.net * market.mid / 1e9 for market in markets]
    moves = [abs(market.mid / market.mid0 - 1) for market in markets]
    over_10 = sum(move > 0.10 for move in moves)
    mid = sum(0.05 < move <= 0.10 for move in moves)
    return Figures(
        executions=executions,
        shares=sum(traded),
        symbols=sum(shares > 0 for shares in traded),
        long_symbols=sum(value > 0 for value in values),
        short_symbols=sum(value < 0 for value in values),
        net_long_usd=sum(value for value in values if value > 0),
        net_short_usd=-sum(value for value in values if value < 0),
        loss_usd=loss / 1e9,
        moved_over_10pct=over_10,
        moved_5_to_10pct=mid,
        moved_less=len(moves) - over_10 - mid,
    )
