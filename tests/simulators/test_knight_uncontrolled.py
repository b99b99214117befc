"""The morning without a gateway, event by event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_sim.knight.calibration import assertions, forecast
from router_sim.knight.result import RunResult
from router_sim.knight.universe import universe
from router_sim.replay.side_by_side import uncontrolled_run

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def morning() -> RunResult:
    """S1 from the open to the end."""
    return uncontrolled_run("S1", 1)


def test_the_run_is_the_one_the_sec_describes(morning: RunResult) -> None:
    assert not [str(a) for a in assertions(morning.totals) if not a.holds]


def test_the_forecast_is_exact_but_for_the_loss(morning: RunResult) -> None:
    expected = forecast(universe("S1", 1, until=0))

    assert morning.totals.executions == expected.executions
    assert morning.totals.shares == expected.shares
    assert morning.totals.net_long_usd == pytest.approx(expected.net_long_usd)
    assert morning.totals.loss_usd == pytest.approx(expected.loss_usd, rel=0.001)


def test_the_touch_shows_a_profit_while_the_firm_dies(morning: RunResult) -> None:
    assert morning.totals.touch_pnl_usd == pytest.approx(127e6, rel=0.05)
    assert morning.totals.loss_usd > 450e6


def test_only_what_exceeds_the_parents_has_leaked(morning: RunResult) -> None:
    owed = sum(parent.qty for parent in universe("S1", 1, until=0).parents)

    assert morning.totals.leaked_shares == morning.totals.shares - owed
    assert morning.totals.leaked_executions < morning.totals.executions


def test_healthy_flow_is_counted_apart(morning: RunResult) -> None:
    assert morning.healthy_rejected == 0
    assert 60_000 < morning.healthy_orders < morning.healthy_executions < 120_000


def test_the_loss_at_the_touch_is_small_and_short() -> None:
    """A loss limit marked at the touch has two seconds and a few thousand dollars to see anything."""
    samples = uncontrolled_run("S1", 1, until=10 * SECOND).samples
    worst = min(samples, key=lambda s: s.touch_pnl_usd)
    profitable = [s.at for s in samples if s.at > worst.at and s.touch_pnl_usd > 0]

    assert -5_000 < worst.touch_pnl_usd < -500
    assert worst.at < 4 * SECOND
    assert min(profitable) < 8 * SECOND


def test_stealth_sells_one_stock() -> None:
    totals = uncontrolled_run("S4", 1).totals

    assert totals.symbols == 1
    assert totals.executions == pytest.approx(18_800, rel=0.01)
    assert totals.shares == pytest.approx(1_870_000, rel=0.01)


def test_churn_costs_the_spread_and_leaves_no_position() -> None:
    """About $2.8M in 45 minutes at these spreads."""
    totals = uncontrolled_run("S6", 1, until=5 * 60 * SECOND).totals

    assert abs(totals.net_long_usd - totals.net_short_usd) < 10e6
    assert totals.loss_usd == pytest.approx(2.8e6 / 9, rel=0.15)
    assert totals.moved_over_10pct == 0


def test_the_same_seed_gives_the_same_run() -> None:
    one = uncontrolled_run("S1", 3, until=20 * SECOND)
    other = uncontrolled_run("S1", 3, until=20 * SECOND)

    assert replace(one, wall_seconds=0.0) == replace(other, wall_seconds=0.0)
