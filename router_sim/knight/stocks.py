"""The 154 stocks of 1 August 2012, synthetic but calibrated: executions, sides, prices, impact.

The table is fixed; no seed moves it. It is solved so that the run reproduces what the SEC found (Release 34-70694):
4 million executions, 397 million shares, $3.5bn long in 80 stocks, $3.15bn short in 74, 37 stocks moved by more than
10 %, 38 by 5-10 %. Names are ranks by executions, S001 the busiest: the real names are not public.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

from exchange_sim.impact import FILL_PROBABILITY, HALF_FILL_SHARE, PriceImpact
from router_sim.knight.table import even_steps, golden_ranks, largest_remainder, marks

SYMBOLS: Final = 154
EXECUTIONS: Final = 3_997_000
"""Expected executions of the 212 parents in the full run."""

MEAN_FILL: Final = 100 * (1 - HALF_FILL_SHARE / 2)
"""Mean shares of one execution: 99.25."""

ATTEMPTS_PER_EXECUTION: Final = 1 / FILL_PROBABILITY

ZIPF_EXPONENT: Final = 0.738
"""Of executions by rank; fits the top stock's 134 trades a second (Nanex on NOK) and the 154th's 3.3."""

BUYS: Final = 80
TWO_SIDED: Final = 27
MINOR_SHARE: Final = 0.25
"""Share of a two-sided stock's executions that go against its net side."""

NET_LONG_USD: Final = 3.5e9
NET_SHORT_USD: Final = 3.15e9

TICK: Final = 10_000_000
"""One cent, in 1e-9."""

Group = Literal["high", "mid", "low"]


@dataclass(frozen=True, slots=True)
class Stock:
    """One stock of the table. Prices are in 1e-9, quantities in shares."""

    rank: int
    name: str
    sign: int
    """+1 if the net position at the end is long."""
    two_sided: bool
    executions: int
    """Expected executions in the full run, both sides."""
    mid0: int
    """Mid at the open."""
    spread_ticks: int
    depth: int
    """Shares shown at each price."""
    group: Group
    move: float
    """How far the mid has gone at the end of the full run, as a fraction."""
    volume_share: float
    """Knight's share of the day's volume; a label, nothing is computed from it."""
    full_qty: float
    """Expected net quantity at the end of the full run, unsigned."""

    def market(self) -> PriceImpact:
        """A fresh market in this stock, as at the open."""
        return PriceImpact(
            mid0=self.mid0,
            tick=TICK,
            spread_ticks=self.spread_ticks,
            depth=self.depth,
            move=self.move,
            full_qty=self.full_qty,
        )


def minor_executions(executions: int) -> int:
    """How many executions of a two-sided stock go against its net side."""
    return round(MINOR_SHARE * executions)


def weights(n: int) -> list[float]:
    """Zipf weights of the first ``n`` ranks, not normalized."""
    return [rank**-ZIPF_EXPONENT for rank in range(1, n + 1)]


def stocks() -> tuple[Stock, ...]:
    """The table, by rank."""
    executions = largest_remainder(EXECUTIONS, weights(SYMBOLS))
    buys = marks(SYMBOLS, BUYS, 0)
    two_sided = marks(SYMBOLS, TWO_SIDED, 19)
    net = [
        (n - 2 * minor_executions(n) if both else n) * MEAN_FILL for n, both in zip(executions, two_sided, strict=True)
    ]
    groups = _groups()
    moves = _by_group(groups, {"high": (0.16, 0.105), "mid": (0.095, 0.055), "low": (0.045, 0.005)})
    shares = _by_group(groups, {"high": (0.80, 0.52), "mid": (0.48, 0.22), "low": (0.18, 0.02)})
    cents = _prices(buys, net, moves)
    depths = golden_ranks(SYMBOLS)
    return tuple(
        Stock(
            rank=i + 1,
            name=f"S{i + 1:03d}",
            sign=1 if buys[i] else -1,
            two_sided=two_sided[i],
            executions=executions[i],
            mid0=cents[i] * TICK,
            spread_ticks=min(max(round(cents[i] * 8 / 10_000), 1), 5),
            depth=100 * (5 + depths[i] * 45 // (SYMBOLS - 1)),
            group=groups[i],
            move=moves[i],
            volume_share=shares[i],
            full_qty=net[i],
        )
        for i in range(SYMBOLS)
    )


def _groups() -> list[Group]:
    """37 stocks that move by more than 10 %, 38 by 5-10 %, 79 by less."""
    high = marks(SYMBOLS, 37, 60)
    mid = iter(marks(SYMBOLS - 37, 38, 30))
    return ["high" if is_high else "mid" if next(mid) else "low" for is_high in high]


def _by_group(groups: list[Group], ranges: dict[Group, tuple[float, float]]) -> list[float]:
    """A value per stock: even steps through its group's range."""
    steps = {group: iter(even_steps(groups.count(group), *ends)) for group, ends in ranges.items()}
    return [next(steps[group]) for group in groups]


def _prices(buys: list[bool], net: list[float], moves: list[float]) -> list[int]:
    """Opening mids in cents: log-normal, then one factor per side that makes the net position exact at the end."""
    normal = NormalDist()
    raw = [14.5 * 2.718281828459045 ** (0.70 * normal.inv_cdf((k + 0.5) / SYMBOLS)) for k in golden_ranks(SYMBOLS)]
    long = sum(n * p * (1 + d) for n, p, d, buy in zip(net, raw, moves, buys, strict=True) if buy)
    short = sum(n * p * (1 - d) for n, p, d, buy in zip(net, raw, moves, buys, strict=True) if not buy)
    return [
        round(100 * p * (NET_LONG_USD / long if buy else NET_SHORT_USD / short))
        for p, buy in zip(raw, buys, strict=True)
    ]
