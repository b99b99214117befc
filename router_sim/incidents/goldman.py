"""20 August 2013: contingent orders become live ones, sells at $1 in many option series, before the market opens.

Known: about 16,000 orders at $1 from 08:44 to 09:32, 1.5 million contracts, a potential loss of $500M, blocks of the
message rate that staff lifted by hand again and again, one untested router for tickers from I to K. Assumed, because it
is not known: the 120 series and their values (so that the whole costs $500M), that all orders sell, the bursts and
their pace, that what rests at the open executes at its limit.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Final

from router_sim import bounds
from router_sim.defence import Line, Profile, Setting
from router_sim.incidents.flow import healthy_flow
from router_sim.incidents.scene import Fact, FaultyOrder, Instrument, Scene, Story, even
from router_sim.knight.table import largest_remainder
from router_sim.units import MILLISECOND, MINUTE, SECOND, USD

ORDERS: Final = 16_000
CONTRACTS: Final = 1_500_000
POTENTIAL_LOSS: Final = 500_000_000
"""In dollars."""

MULTIPLIER: Final = 100
"""Shares of one contract."""

ZERO: Final = int(datetime(2013, 8, 20, 12, 44, tzinfo=UTC).timestamp()) * SECOND
"""08:44 in New York."""

OPENS_AT: Final = 46 * MINUTE
LAST_AT: Final = 48 * MINUTE
BURST_EVERY: Final = 4 * MINUTE
BURSTS: Final = LAST_AT // BURST_EVERY + 1
PACE: Final = 10 * MILLISECOND
"""Time between two orders of a burst."""

ROUTERS: Final = ("options-a-h", "options-i-k", "options-l-q", "options-r-z")
CULPRIT: Final = 1
_TICK: Final = USD // 100
_CENTS: Final = 100

LINES: Final = (
    bounds.price_collar(500, auction_bps=1_000, off=10_000_000),
    bounds.message_rate(50, 20),
    bounds.velocity(2_000_000),
    bounds.reject_storm(80),
    Line(
        "canary",
        "a router that was halted comes back with 10 contracts an order and 5 orders a second",
        ("canary_order_qty", "canary_rate"),
        (
            Setting("router:*", "canary_max_order_qty", 10),
            Setting("router:*", "canary_message_rate", 5),
        ),
    ),
    bounds.turnover(5_000_000, MINUTE, day=2_000_000_000),
    bounds.position(5_000, router=1_000, unit="contracts"),
    bounds.gross(50_000_000, 200_000_000),
    bounds.day_loss(1_000_000, 2_000_000),
    bounds.order_size(500, 500_000, unit="contracts"),
    bounds.market_data(10 * SECOND),
)

STORY: Final = Story(
    name="goldman",
    title="Goldman Sachs, 20 August 2013",
    fault="16,000 contingent orders go live as sells at $1, in 120 option series, before the open",
    zero="08:44",
    unit="contracts",
    facts=(Fact("orders", ORDERS, 0), Fact("executed_qty", CONTRACTS, 0), Fact("loss", POTENTIAL_LOSS)),
    notional_only=False,
)


def scene(seed: int = 1) -> Scene:
    """The morning from 08:43:50 to 09:33; the seed moves phases."""
    series = _series()
    others = tuple(
        Instrument(f"{letter}{n:02}-C1", 4 * USD, 5 * _TICK, _TICK, MULTIPLIER) for letter in "ALR" for n in range(20)
    )
    begin, end = -10 * SECOND, LAST_AT + MINUTE
    return Scene(
        story=STORY,
        profile=Profile(LINES),
        seed=seed,
        trading_day=20130820,
        zero=ZERO,
        begin=begin,
        end=end,
        routers=ROUTERS,
        culprit=CULPRIT,
        instruments=series + others,
        orders=_orders(seed, len(series)),
        healthy=healthy_flow(
            seed,
            [0, 2, 3],
            range(len(series), len(series) + len(others)),
            begin=begin + SECOND,
            end=end - SECOND,
            per_second=1.0,
            qty=5,
        ),
        allowed=(0,) * (len(series) + len(others)),
        opens_at=OPENS_AT,
        rest=True,
        liftings=tuple(n * BURST_EVERY - SECOND for n in range(1, BURSTS)),
        tick_every=5 * SECOND,
        timer_every=100 * MILLISECOND,
    )


def _series() -> tuple[Instrument, ...]:
    """Option series I01-C1 to K08-C5. Their mean value is what makes 1.5 million contracts at $1 cost $500M."""
    names = [f"{letter}{n:02}-C{strike}" for letter in "IJK" for n in range(1, 9) for strike in range(1, 6)]
    mean = USD + POTENTIAL_LOSS * USD // (CONTRACTS * MULTIPLIER)
    cheapest = 145 * USD // _CENTS
    mids = even(cheapest, 2 * mean - cheapest, len(names), step=_TICK)
    return tuple(Instrument(name, mid, 5 * _TICK, _TICK, MULTIPLIER) for name, mid in zip(names, mids, strict=True))


def _orders(seed: int, series: int) -> tuple[FaultyOrder, ...]:
    source = random.Random(f"goldman/{seed}")
    per_burst = largest_remainder(ORDERS, [1.0] * BURSTS)
    quantities = largest_remainder(CONTRACTS, [1.0] * ORDERS)
    orders: list[FaultyOrder] = []
    for burst, count in enumerate(per_burst):
        for place in range(count):
            number = len(orders)
            orders.append(
                FaultyOrder(
                    at=burst * BURST_EVERY + place * PACE + source.randrange(PACE),
                    symbol=number % series,
                    sign=-1,
                    qty=quantities[number],
                    price=USD,
                    fills=quantities[number],
                    parent=-1,
                )
            )
    return tuple(orders)
