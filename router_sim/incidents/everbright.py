"""16 August 2013: acknowledgements get lost, and the basket is sent again: 26,082 orders in two seconds.

Known: 26,082 orders in about 2 s at 11:05, CNY 23.4bn sent, CNY 7.27bn executed, orders are sent again when nothing has
been heard of them within 150 s, the desk was outside the firm's risk system. Assumed: a basket of 161 stocks, sent once at
11:02:30 and 162 times at 11:05 (161 x 162 = 26,082), their prices, equal amounts in each, which orders execute (evenly
spread), that the first basket executes in full, that reports are back after 30 s, two healthy desks beside it.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Final

from router_sim import bounds
from router_sim.defence import Line, Profile, Setting
from router_sim.incidents.flow import healthy_flow
from router_sim.incidents.scene import Fact, FaultyOrder, Instrument, Parent, Scene, Story, even
from router_sim.knight.table import marks
from router_sim.units import MINUTE, SECOND, USD

STOCKS: Final = 161
ORDERS: Final = 26_082
SENT: Final = 23_400_000_000
"""In CNY, as `EXECUTED`."""

EXECUTED: Final = 7_270_000_000
STORM: Final = 2 * SECOND
UNHEARD: Final = 150 * SECOND
"""How long the router waits for an answer."""

DEAF_FOR: Final = 30 * SECOND
ZERO: Final = int(datetime(2013, 8, 16, 3, 5, tzinfo=UTC).timestamp()) * SECOND
"""11:05 in Shanghai."""

ROUTERS: Final = ("etf-1", "prop-1", "clients-1")
CULPRIT: Final = 0
_CURRENCY: Final = "CNY "
_CNY: Final = USD
_FEN: Final = _CNY // 100
_LOT: Final = 100

LINES: Final = (
    bounds.unanswered(SECOND // 2),
    bounds.parents("orders never exceed what the desk has registered; the third attempt halts the router"),
    bounds.unacknowledged(200),
    bounds.message_rate(250, 50),
    bounds.duplicates(5),
    bounds.reject_storm(500),
    bounds.velocity(150_000_000, currency=_CURRENCY),
    Line(
        "open_orders",
        "300 orders of a router open at once; lost acknowledgements keep them open",
        ("max_open_orders",),
        (Setting("router:*", "max_open_orders", 300),),
    ),
    bounds.turnover(500_000_000, 5 * MINUTE, firm=3_000_000_000, day=10_000_000_000, currency=_CURRENCY),
    bounds.gross(1_000_000_000, 4_000_000_000, currency=_CURRENCY),
    bounds.position(5_000_000),
    bounds.day_loss(20_000_000, 20_000_000, currency=_CURRENCY),
    bounds.order_size(500_000, 2_000_000, currency=_CURRENCY),
    bounds.price_collar(200),
    bounds.market_data(3 * SECOND),
)

STORY: Final = Story(
    name="everbright",
    title="Everbright Securities, 16 August 2013",
    fault="the acknowledgements of a basket are lost, and 26,082 orders follow in two seconds",
    zero="11:05",
    unit="shares",
    facts=(Fact("orders", ORDERS, 0), Fact("notional_sent", SENT), Fact("executed_notional", EXECUTED)),
    currency=_CURRENCY,
)


def scene(seed: int = 1) -> Scene:
    """From 11:02:25 to 11:05:40; the seed moves phases, and which orders execute."""
    stocks = tuple(
        Instrument(f"SH{n:03}", mid, _FEN, _FEN)
        for n, mid in enumerate(even(3 * _CNY, 30 * _CNY, STOCKS, step=_FEN), start=1)
    )
    quantities = [round(SENT * _CNY / ORDERS / stock.ask / _LOT) * _LOT for stock in stocks]
    begin, end = -UNHEARD - 5 * SECOND, DEAF_FOR + 10 * SECOND
    return Scene(
        story=STORY,
        profile=Profile(LINES),
        seed=seed,
        trading_day=20130816,
        zero=ZERO,
        begin=begin,
        end=end,
        routers=ROUTERS,
        culprit=CULPRIT,
        instruments=stocks,
        orders=_orders(seed, stocks, quantities),
        healthy=healthy_flow(
            seed, [1, 2], range(STOCKS), begin=begin + SECOND, end=end - SECOND, per_second=8.0, qty=10 * _LOT
        ),
        allowed=tuple(quantities),
        parents=tuple(Parent(n, 1, qty) for n, qty in enumerate(quantities)),
        deaf_until=DEAF_FOR,
        rest=True,
    )


def _orders(seed: int, stocks: tuple[Instrument, ...], quantities: list[int]) -> tuple[FaultyOrder, ...]:
    """The basket, in three seconds; then all of it again, and again."""
    source = random.Random(f"everbright/{seed}")
    orders = [
        _order(3 * SECOND * n // STOCKS - UNHEARD, n, stocks, quantities, executes=True, intended=True)
        for n in range(STOCKS)
    ]
    executes = marks(ORDERS, round(ORDERS * EXECUTED / SENT), source.randrange(ORDERS))
    slot = STORM // ORDERS
    for number in range(ORDERS):
        at = number * slot + source.randrange(slot)
        orders.append(_order(at, number % STOCKS, stocks, quantities, executes=executes[number], intended=False))
    return tuple(orders)


def _order(
    at: int, stock: int, stocks: tuple[Instrument, ...], quantities: list[int], *, executes: bool, intended: bool
) -> FaultyOrder:
    """A buy at the ask."""
    qty = quantities[stock]
    return FaultyOrder(at, stock, 1, qty, stocks[stock].ask, qty if executes else 0, parent=stock, intended=intended)
