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

from router_sim.defence import ANY_MONEY, ANY_QTY, ANY_RATE, PARENTS, Line, Profile, Setting
from router_sim.incidents.flow import healthy_flow
from router_sim.incidents.scene import Fact, FaultyOrder, Instrument, Parent, Scene, Story, even
from router_sim.knight.table import marks
from router_sim.units import MILLISECOND, SECOND, USD

STOCKS: Final = 161
BASKETS: Final = 162
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
_CNY: Final = USD
_FEN: Final = _CNY // 100
_LOT: Final = 100

LINES: Final = (
    Line(
        "unanswered",
        "a router whose oldest order has no answer after half a second is halted",
        ("acknowledgement_overdue",),
        (Setting("router:*", "max_unacknowledged_age", SECOND // 2),),
    ),
    Line(
        PARENTS,
        "orders never exceed what the desk has registered; the third attempt halts the router",
        ("parent_overfill",),
        (Setting("router:*", "parent_overfill_halt_after", 3),),
    ),
    Line(
        "unacknowledged",
        "200 orders of a router without an answer",
        ("too_many_unacknowledged",),
        (Setting("router:*", "max_unacknowledged", 200),),
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
        "duplicates",
        "the same order 5 times in 1 s is enough, 10 times halt the router",
        ("duplicate_order",),
        (
            Setting("router:*", "duplicate_orders", 5),
            Setting("router:*", "duplicate_orders_halt", 10),
            Setting("router:*", "duplicate_orders_window", SECOND),
        ),
    ),
    Line(
        "reject_storm",
        "500 refusals in 1 s halt a router that does not listen",
        ("reject_storm",),
        (Setting("router:*", "max_rejects", 500), Setting("router:*", "max_rejects_window", SECOND)),
    ),
    Line(
        "velocity",
        "CNY 150M a second per router, cancelled or not",
        ("notional_velocity",),
        (
            Setting("router:*", "max_notional_velocity", 150_000_000 * _CNY),
            Setting("router:*", "notional_velocity_window", SECOND),
        ),
    ),
    Line(
        "open_orders",
        "300 orders of a router open at once; lost acknowledgements keep them open",
        ("max_open_orders",),
        (Setting("router:*", "max_open_orders", 300),),
    ),
    Line(
        "turnover",
        "CNY 500M in 5 minutes per router, CNY 3bn for the firm",
        ("turnover_limit",),
        (
            Setting("router:*", "max_turnover_window", 500_000_000 * _CNY),
            Setting("router:*", "turnover_window", 300 * SECOND),
            Setting("firm", "max_turnover_window", 3_000_000_000 * _CNY),
            Setting("firm", "turnover_window", 300 * SECOND),
            Setting("firm", "max_turnover_day", 10_000_000_000 * _CNY, ANY_MONEY),
        ),
    ),
    Line(
        "gross",
        "CNY 1bn gross notional for an account, CNY 4bn for the firm",
        ("gross_limit",),
        (
            Setting("account:*", "max_gross_notional", 1_000_000_000 * _CNY, ANY_MONEY),
            Setting("firm", "max_gross_notional", 4_000_000_000 * _CNY, ANY_MONEY),
        ),
    ),
    Line(
        "position",
        "5,000,000 shares long or short per account and stock",
        ("position_limit",),
        (
            Setting("account_symbol:*", "max_long_position", 5_000_000, ANY_QTY),
            Setting("account_symbol:*", "max_short_position", 5_000_000, ANY_QTY),
        ),
    ),
    Line(
        "day_loss",
        "CNY 20M for an account and the firm",
        ("loss_limit",),
        (
            Setting("account:*", "max_day_loss", 20_000_000 * _CNY, ANY_MONEY),
            Setting("firm", "max_day_loss", 20_000_000 * _CNY, ANY_MONEY),
        ),
    ),
    Line(
        "order_size",
        "500,000 shares and CNY 2M per order",
        ("max_order_qty", "max_order_notional"),
        (
            Setting("symbol:*", "max_order_qty", 500_000, ANY_QTY),
            Setting("account:*", "max_order_notional", 2_000_000 * _CNY, ANY_MONEY),
        ),
    ),
    Line(
        "price_collar",
        "2 % through the market",
        ("price_collar",),
        (Setting("symbol:*", "price_collar_bps", 200, 1_000_000),),
    ),
    Line(
        "market_data",
        "no decision on a quote older than 3 seconds",
        ("market_data_stale", "reference_price_not_available"),
        (Setting("symbol:*", "market_data_max_age", 3 * SECOND, 86_400 * SECOND),),
    ),
)

STORY: Final = Story(
    name="everbright",
    title="Everbright Securities, 16 August 2013",
    fault="the acknowledgements of a basket are lost, and 26,082 orders follow in two seconds",
    zero="11:05",
    unit="shares",
    facts=(Fact("orders", ORDERS, 0), Fact("notional_sent", SENT), Fact("executed_notional", EXECUTED)),
    currency="CNY ",
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
