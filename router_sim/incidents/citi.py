"""2 May 2022: a basket meant to be $58M becomes $444bn; every item passes its own limits, and nothing bounds the whole.

Known: $58M meant, $444bn in 349 names, $255bn of it stopped item by item, $189bn in the hands of the algorithm, $1.4bn
sold, 711 warnings of which 18 were visible, a missing price that was taken as -1. Assumed: the weights of the names (those of
a rank-size law), that the largest items are the ones that were stopped, prices, children of $400,000, that each name's
first child leaves within the first second and the others evenly within 15 minutes, that one name in twenty has no price of its
own, two healthy routers beside it.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final

from router_sim import bounds
from router_sim.defence import Line, Profile, Setting
from router_sim.incidents.flow import healthy_flow
from router_sim.incidents.scene import Fact, FaultyOrder, Instrument, Parent, Scene, Story, even
from router_sim.knight.table import golden_ranks, largest_remainder
from router_sim.units import MINUTE, SECOND, USD

NAMES: Final = 349
MEANT: Final = 58_000_000
"""In dollars, as the four below."""

ENTERED: Final = 444_000_000_000
STOPPED: Final = 255_000_000_000
SOLD: Final = 1_400_000_000
CHILD: Final = 400_000

SENTINEL: Final = -USD
"""The price of a name that has none."""

_SENTINEL_EVERY: Final = 20
WARNINGS, VISIBLE_WARNINGS = 711, 18
FIRST_WAVE: Final = SECOND
LASTS: Final = 15 * MINUTE
ZERO: Final = int(datetime(2022, 5, 2, 8, 0, tzinfo=UTC).timestamp()) * SECOND
"""A time in the morning; the real one does not matter here."""

ROUTERS: Final = ("basket-1", "basket-2", "cash-1")
CULPRIT: Final = 0
_TICK: Final = USD // 100
_RANK_EXPONENT: Final = -0.738
"""Of Knight's stocks, for want of a better one."""

LINES: Final = (
    bounds.parents("children never exceed their parent; here the parents themselves are wrong"),
    Line("price", "a price below zero is no price, and none is made up", ("invalid_price",)),
    bounds.velocity(60_000_000),
    bounds.turnover(75_000_000, 5 * MINUTE, firm=500_000_000, day=5_000_000_000),
    bounds.gross(100_000_000, 500_000_000, off=2_000_000_000 * USD),
    bounds.position(100_000),
    Line(
        "concentration",
        "30 basis points of what the firm may hold, in one name",
        ("concentration_limit",),
        (Setting("symbol:*", "max_concentration_bps", 30),),
    ),
    bounds.message_rate(600, note=": a wave of children is allowed"),
    bounds.day_loss(5_000_000, 5_000_000),
    bounds.order_size(100_000, 500_000),
    bounds.price_collar(300),
    bounds.market_data(5 * SECOND),
)

STORY: Final = Story(
    name="citi",
    title="Citigroup, 2 May 2022",
    fault="a basket meant to be $58M becomes $444bn, of which $189bn reach the algorithm",
    zero="the release of the basket",
    unit="shares",
    facts=(Fact("executed_notional", SOLD),),
)


def scene(seed: int = 1) -> Scene:
    """From 5 s before the basket is released until a minute after the last child; the seed moves phases."""
    names = tuple(
        Instrument(f"EU{n:03}", mid, _TICK, _TICK)
        for n, mid in enumerate(even(8 * USD, 180 * USD, NAMES, step=_TICK), start=1)
    )
    weights = _weights()
    begin, end = -5 * SECOND, LASTS + MINUTE
    parents = tuple(
        Parent(n, -1, _shares(ENTERED * weight, name))
        for n, (weight, name) in enumerate(zip(weights, names, strict=True))
    )
    return Scene(
        story=STORY,
        profile=Profile(LINES),
        seed=seed,
        trading_day=20220502,
        zero=ZERO,
        begin=begin,
        end=end,
        routers=ROUTERS,
        culprit=CULPRIT,
        instruments=names,
        orders=_children(seed, names, weights),
        healthy=healthy_flow(
            seed, [1, 2], range(NAMES), begin=begin + SECOND, end=end - SECOND, per_second=3.0, qty=100
        ),
        allowed=tuple(_shares(MEANT * weight, name) for weight, name in zip(weights, names, strict=True)),
        parents=parents,
        tick_every=2 * SECOND,
    )


def _weights() -> list[float]:
    """Each name's part of the basket; the largest are spread over the table, so that they are not the cheapest."""
    raw = [(rank + 1) ** _RANK_EXPONENT for rank in golden_ranks(NAMES)]
    return [weight / sum(raw) for weight in raw]


def passed_items(weights: list[float]) -> list[int]:
    """The names that were not stopped: all but the largest, which make up $255bn."""
    by_size = sorted(range(len(weights)), key=lambda n: -weights[n])
    part = sum(weights) * STOPPED / ENTERED
    sums = accumulate(weights[n] for n in by_size)
    stopped = min(enumerate(sums, start=1), key=lambda item: abs(item[1] - part))[0]
    return sorted(by_size[stopped:])


def _shares(dollars: float, name: Instrument) -> int:
    return max(round(dollars * USD / name.bid), 1)


def _children(seed: int, names: tuple[Instrument, ...], weights: list[float]) -> tuple[FaultyOrder, ...]:
    """What the algorithm sells: one child of every name at once, then the others."""
    source = random.Random(f"citi/{seed}")
    chosen = passed_items(weights)
    counts = largest_remainder(SOLD // CHILD, [weights[n] for n in chosen])
    orders = []
    for place, (n, count) in enumerate(zip(chosen, counts, strict=True)):
        qty = _shares(CHILD, names[n])
        price = SENTINEL if place % _SENTINEL_EVERY == _SENTINEL_EVERY - 1 else names[n].bid
        for child in range(count):
            first, spread = (
                (0, FIRST_WAVE) if child == 0 else (FIRST_WAVE + (child - 1) * LASTS // count, LASTS // count)
            )
            orders.append(FaultyOrder(first + source.randrange(spread), n, -1, qty, price, qty, parent=n))
    return tuple(sorted(orders, key=lambda order: order.at))
