"""Whatever numbers come, the core answers or raises one of its own errors; it never panics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

import riskcore
from tests.embedding.desk import ASK, BID, CENT, SECOND, Desk

EXTREMES = [0, 1, -1, 2, 10, 2**31, 2**32, 2**53, 2**62, -(2**62), 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64]
NUMBERS = st.one_of(st.sampled_from(EXTREMES), st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3))
SANE = st.sampled_from([BID, ASK, CENT, 100, 1_000, SECOND, 1_000 * SECOND])
NUMBER = st.one_of(NUMBERS, SANE)
SMALL = st.one_of(st.integers(0, 3), NUMBERS)
TIME = st.one_of(st.integers(0, 10**4).map(lambda ms: 1_000 * SECOND + ms * 10**6), NUMBERS)
SIDE = st.sampled_from([riskcore.BUY, riskcore.SELL, riskcore.SELL_SHORT, 0])
TYPE = st.sampled_from([riskcore.MARKET, riskcore.LIMIT, 0])
ORDER = st.one_of(st.integers(1, 12).map(lambda n: (1 << 40) | n), NUMBERS)
SCOPE = st.sampled_from(
    [
        "firm",
        "account:ACC1",
        "router:r1",
        "strategy:S1",
        "symbol:AAPL",
        "account_symbol:ACC1/AAPL",
        "router_symbol:r1/AAPL",
    ]
)
TARGET = st.one_of(SCOPE, st.sampled_from(["router:*", "symbol:*", "account:*", "account_symbol:*"]))
STATE = st.sampled_from(["REDUCE_ONLY", "CANCEL_ONLY", "HALTED"])
LIMIT = st.sampled_from([info.name for info in riskcore.limits()])
VALUE = st.one_of(st.none(), st.integers(0, 2**127 - 1), NUMBER)

CALLS: list[st.SearchStrategy[tuple[str, tuple[object, ...]]]] = [
    st.tuples(st.just(name), st.tuples(*arguments))
    for name, arguments in [
        ("new_order", (TIME, SMALL, SMALL, SMALL, SIDE, NUMBER, NUMBER, SMALL, SMALL, TYPE)),
        ("new_order", (TIME, st.just(0), st.just(0), st.just(0), SIDE, NUMBER, NUMBER, st.just(-1), SMALL, TYPE)),
        ("trade", (TIME, ORDER, NUMBER, NUMBER)),
        ("trade_cancel", (TIME, ORDER, NUMBER, NUMBER)),
        ("accepted", (TIME, ORDER)),
        ("canceled", (TIME, ORDER)),
        ("rejected", (TIME, ORDER)),
        ("cancel_rejected", (TIME, ORDER)),
        ("cancel", (TIME, SMALL, SMALL)),
        ("replace", (TIME, SMALL, SMALL, SMALL, NUMBER, NUMBER)),
        ("replaced", (TIME, ORDER)),
        ("replace_rejected", (TIME, ORDER)),
        ("tick", (TIME, SMALL, NUMBER, NUMBER)),
        ("timer", (TIME,)),
        ("open_parent", (TIME, st.sampled_from(["P1", "P2", "P3"]), SMALL, SMALL, SIDE, NUMBER)),
        ("amend_parent", (TIME, SMALL, NUMBER)),
        ("close_parent", (TIME, SMALL)),
        ("opening_position", (TIME, SMALL, SMALL, NUMBER, NUMBER)),
        ("set_limit", (TARGET, LIMIT, VALUE)),
        ("propose_limit", (TIME, TARGET, LIMIT, VALUE, st.just("alice"), st.just(""))),
        ("halt", (TIME, SCOPE, STATE, st.just("alice"), st.just(""))),
        ("propose_reinstate", (TIME, SCOPE, SMALL, st.just("alice"), st.just(""))),
        ("approve", (TIME, SMALL, st.just("bob"))),
        ("day_roll", (TIME, SMALL)),
        ("venue_down", (TIME,)),
        ("venue_up", (TIME,)),
        ("define_symbol", (st.sampled_from(["X", "Y", "AAPL"]), NUMBER, NUMBER, NUMBER)),
    ]
]


def loose(start: int) -> Desk:
    """A desk whose limits let absurd orders through to the arithmetic behind them."""
    endless = 2**126
    limits: dict[tuple[str, str], int | None] = {
        ("firm", "max_gross_notional"): endless,
        ("firm", "max_turnover_day"): endless,
        ("firm", "max_turnover_window"): endless,
        ("firm", "turnover_window"): 1,
        ("router:*", "max_turnover_window"): endless,
        ("router:*", "turnover_window"): 2**63 - 1,
        ("firm", "max_day_loss"): endless,
        ("account:*", "max_order_notional"): endless,
        ("account:*", "max_gross_notional"): endless,
        ("account:*", "max_day_loss"): endless,
        ("symbol:*", "max_order_qty"): 2**63 - 1,
        ("symbol:*", "price_collar_bps"): 2**63 - 1,
        ("symbol:*", "market_data_max_age"): 2**63 - 1,
        ("symbol:*", "loss_mark_window"): 1,
        ("account_symbol:*", "max_long_position"): 2**63 - 1,
        ("account_symbol:*", "max_short_position"): 2**63 - 1,
    }
    desk = Desk(limits=limits, start=start)
    desk.engine.define_symbol("BIG", tick=1, multiplier=2**63 - 1)
    return desk


def apply(engine: riskcore.Engine, name: str, arguments: tuple[object, ...]) -> None:
    """One call; its own errors are answers too, a panic is not."""
    with suppress(riskcore.RiskcoreError, OverflowError):
        if name == "define_symbol":
            symbol, tick, lot, multiplier = arguments
            engine.define_symbol(symbol, tick=tick, lot=lot, multiplier=multiplier)  # type: ignore[arg-type]
            return
        call: Callable[..., object] = getattr(engine, name)
        call(*arguments)


@settings(max_examples=4 * settings().max_examples)
@given(st.lists(st.one_of(CALLS), max_size=25), st.sampled_from([1_000 * SECOND, -(2**63), -(2**63) + 1, 0]))
@example([("new_order", (1, 0, 0, 0, riskcore.BUY, 2**63 - 1, 2**63 - 1, -1, 1, riskcore.LIMIT))], 0)
@example([("trade_cancel", (1, (1 << 40) | 1, 10, ASK)), ("canceled", (2**63 - 1, (1 << 40) | 2))], -(2**63) + 5)
def test_no_panic_on_absurd_numbers(calls: list[tuple[str, tuple[object, ...]]], start: int) -> None:
    desk = loose(start)
    first = desk.order(qty=10)
    desk.order(qty=10)
    desk.engine.trade(desk.t, first, 10, ASK)

    for name, arguments in calls:
        apply(desk.engine, name, arguments)

    read(desk.engine)


def read(engine: riskcore.Engine) -> None:
    """Everything there is to read, of every kind of scope."""
    for scope in (
        "firm",
        "account:ACC1",
        "router:r1",
        "strategy:S1",
        "symbol:AAPL",
        "symbol:BIG",
        "router_symbol:r1/AAPL",
    ):
        for figure in (engine.pnl, engine.gross_notional, engine.turnover, engine.utilization, engine.state):
            with suppress(riskcore.RiskcoreError):
                figure(scope)
    engine.trips(), engine.cancels(), engine.last_reject(), engine.open_orders(), engine.state_hash()
