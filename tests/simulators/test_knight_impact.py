"""The simulated price and the simulated fill."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_sim.impact import BUY_SIGN, SELL_SIGN, PriceImpact, fills, unwind_loss

CENT = 10_000_000


def stock(**changes: float) -> PriceImpact:
    values = {"mid0": 20_000_000_000, "spread_ticks": 1, "move": 0.10, "full_qty": 1_000_000} | changes
    return PriceImpact(
        mid0=int(values["mid0"]),
        tick=CENT,
        spread_ticks=int(values["spread_ticks"]),
        depth=1_000,
        move=values["move"],
        full_qty=values["full_qty"],
    )


@given(
    trades=st.lists(st.tuples(st.sampled_from([BUY_SIGN, SELL_SIGN]), st.integers(1, 1_000)), max_size=300),
    spread=st.integers(1, 5),
    cents=st.integers(100, 10_000),
)
def test_quotes_follow_the_rule_after_any_trades(trades: list[tuple[int, int]], spread: int, cents: int) -> None:
    """The bands in which quotes stay must never keep a quote that the rule would change."""
    market = stock(mid0=cents * CENT, spread_ticks=spread)
    for sign, qty in trades:
        market.take(sign, qty)
    fresh = stock(mid0=cents * CENT, spread_ticks=spread)
    fresh.net = market.net
    fresh.relax(1.0)

    assert (market.bid, market.ask) == (fresh.bid, fresh.ask)
    assert market.ask - market.bid == spread * CENT
    assert market.ask % CENT == 0


def test_buying_the_full_quantity_moves_the_mid_by_the_full_move() -> None:
    market = stock()
    for _ in range(10_000):
        market.take(BUY_SIGN, 100)

    assert market.mid == pytest.approx(22_000_000_000)


def test_impact_is_symmetric_and_forgets_a_round_trip() -> None:
    bought, sold = stock(), stock()
    for _ in range(100):
        bought.take(BUY_SIGN, 100)
        sold.take(SELL_SIGN, 100)

    assert bought.mid - bought.mid0 == pytest.approx(sold.mid0 - sold.mid)
    for _ in range(100):
        bought.take(SELL_SIGN, 100)
    assert bought.mid == bought.mid0


def test_a_large_order_walks_the_book() -> None:
    market = stock()
    best = market.ask

    levels = market.walk(BUY_SIGN, 2_500)

    assert levels == [(1_000, best), (1_000, best + CENT), (500, best + 2 * CENT)]
    assert market.net == 2_500


def test_prices_come_back_when_the_flow_stops() -> None:
    market = stock()
    for _ in range(1_000):
        market.take(BUY_SIGN, 100)
    away = market.mid - market.mid0

    market.relax(0.5)

    assert market.mid - market.mid0 == pytest.approx(away / 2)


def test_a_price_never_falls_to_nothing() -> None:
    market = stock(mid0=2 * CENT, move=0.9, spread_ticks=1)
    for _ in range(20_000):
        market.take(SELL_SIGN, 100)

    assert market.bid > 0


def test_fills_have_the_rate_and_the_size_of_the_morning() -> None:
    coins = list(itertools.islice(fills(seed=1, stream=1), 500_000))
    counted = Counter(coins)

    assert set(counted) == {0, 50, 100}
    executions = len(coins) - counted[0]
    assert executions / len(coins) == pytest.approx(1 / 1.05, rel=0.002)
    assert sum(coins) / executions == pytest.approx(99.25, rel=0.001)


def test_fills_depend_on_seed_and_stream_alone() -> None:
    def some(seed: int, stream: int) -> list[int]:
        return list(itertools.islice(fills(seed, stream), 5_000))

    assert some(1, 2) == some(1, 2)
    assert some(1, 2) != some(1, 3) != some(2, 2)


def test_unwinding_costs_the_discount_and_grows_faster_than_the_position() -> None:
    full = unwind_loss(1_000_000, 20_000_000_000, 1_000_000)

    assert full == pytest.approx(0.02868 * 1_000_000 * 20_000_000_000)
    assert unwind_loss(-250_000, 20_000_000_000, 1_000_000) == pytest.approx(full / 8)
    assert math.isclose(unwind_loss(0, 20_000_000_000, 1_000_000), 0)
