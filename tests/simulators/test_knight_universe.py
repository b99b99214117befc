"""The fixed table and what a seed may move."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from statistics import fmean, median

import pytest

from router_sim.behaviour import HEALTHY_PACE
from router_sim.knight.background import BURST_NS, healthy_flow
from router_sim.knight.calibration import assertions, forecast
from router_sim.knight.stocks import EXECUTIONS, stocks
from router_sim.knight.table import even_steps, golden_ranks, largest_remainder, marks
from router_sim.knight.universe import MORNING, OLD_SERVER, ROLLBACK_AT, VARIANTS, Variant, universe
from router_sim.units import MINUTE, SECOND

CALIBRATED: tuple[Variant, ...] = ("S1", "S2", "S3", "S5")


def test_marks_are_exact_and_even() -> None:
    for offset in (0, 19, 60):
        marked = [i for i, mark in enumerate(marks(154, 27, offset)) if mark]

        assert len(marked) == 27
        assert {b - a for a, b in pairwise(marked)} <= {5, 6}


def test_golden_order_is_a_permutation() -> None:
    assert sorted(golden_ranks(154)) == list(range(154))
    assert sorted(even_steps(5, 0.5, 0.1)) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_largest_remainder_adds_up() -> None:
    assert largest_remainder(100, [1, 1, 1]) == [34, 33, 33]


def test_rates_fit_what_was_observed() -> None:
    """Nanex: the top stock traded 134 times a second; EXC, 40 times a second, falls on rank 5."""
    per_second = [s.executions / 2_700 for s in stocks()]

    assert per_second[0] == pytest.approx(134.2, abs=0.1)
    assert per_second[4] == pytest.approx(40.9, abs=0.1)
    assert per_second[-1] == pytest.approx(3.26, abs=0.01)
    assert sum(s.executions for s in stocks()) == EXECUTIONS


def test_prices_and_groups_of_the_table() -> None:
    table = stocks()

    assert min(s.mid0 for s in table) == 2_280_000_000
    assert max(s.mid0 for s in table) == pytest.approx(92_370_000_000, rel=0.001)
    assert Counter(s.group for s in table) == {"high": 37, "mid": 38, "low": 79}
    assert Counter(s.sign for s in table) == {1: 80, -1: 74}
    assert sum(s.two_sided for s in table) == 27
    assert {s.spread_ticks for s in table} <= {1, 2, 3, 4, 5}
    assert all(500 <= s.depth <= 5_000 for s in table)


def test_212_parents_for_the_auction_on_one_server() -> None:
    parents = universe("S1").parents

    assert len(parents) == 212
    assert {p.router for p in parents} == {OLD_SERVER}
    assert all(-30 * MINUTE < p.entered_at < 0 for p in parents)
    assert all(0 <= p.first_at < p.delay for p in parents)
    assert parents[0].qty == 100
    assert all(p.qty % 100 == 0 and 100 <= p.qty <= 2_000 for p in parents)


def test_delays_of_the_children() -> None:
    delays = [p.delay / 1e6 for p in universe("S1").parents]

    assert min(delays) == pytest.approx(7.1, abs=0.05)
    assert median(delays) == pytest.approx(198, abs=3)
    assert max(delays) == pytest.approx(1_169, abs=2)


@pytest.mark.parametrize("seed", range(1, 9))
def test_calibration_holds_for_any_seed(seed: int) -> None:
    wrong = [str(a) for a in assertions(forecast(universe("S1", seed, until=0))) if not a.holds]

    assert not wrong


@pytest.mark.parametrize("variant", CALIBRATED)
def test_calibration_holds_for_every_variant_with_the_same_end(variant: Variant) -> None:
    scene = universe(variant, 11, until=0)

    assert scene.calibrated
    assert not [str(a) for a in assertions(forecast(scene)) if not a.holds]


def test_a_seed_moves_sizes_and_phases_but_not_the_stocks() -> None:
    one, other = universe("S1", 1, until=0), universe("S1", 2, until=0)

    assert one.stocks == other.stocks
    assert [p.delay for p in one.parents] == [p.delay for p in other.parents]
    assert [p.first_at for p in one.parents] != [p.first_at for p in other.parents]
    assert universe("S1", 1, until=0) == one


def test_rollback_leaves_27_parents_and_adds_185() -> None:
    parents = universe("S2", until=0).parents
    old = [p for p in parents if p.router == OLD_SERVER]
    further = [p for p in parents if p.router != OLD_SERVER]

    assert (len(old), len(further)) == (27, 185)
    assert parents[0] in old
    assert sum(p.executions for p in old) / EXECUTIONS == pytest.approx(0.238, abs=0.0005)
    assert {p.router for p in further} == set(range(7))
    assert all(p.entered_at == ROLLBACK_AT <= p.first_at for p in further)
    assert sum(p.executions / (MORNING - ROLLBACK_AT) for p in further) * 1e9 + sum(
        p.executions / MORNING for p in old
    ) * 1e9 == pytest.approx(2_770, rel=0.005)


def test_stealth_is_one_affordable_parent() -> None:
    scene = universe("S4", until=0)
    (parent,) = scene.parents

    assert parent.executions == pytest.approx(18_800, rel=0.005)
    assert scene.stocks[parent.stock].mid0 <= 40_000_000_000
    assert parent.stock == 54


def test_churn_pairs_212_parents_on_106_stocks() -> None:
    parents = universe("S6", until=0).parents
    sides = Counter((p.stock, p.sign) for p in parents)

    assert len(parents) == 212
    assert set(sides) == {(stock, sign) for stock in range(106) for sign in (1, -1)}


def test_97_warnings_before_the_open() -> None:
    warnings = universe("S1", until=0).pre_open

    assert len(warnings) == 97
    assert {w.text for w in warnings} == {"Power Peg disabled"}
    assert {w.router for w in warnings} == {OLD_SERVER}
    assert all(-89 * MINUTE <= w.at < 0 for w in warnings)
    assert warnings[0].at == -89 * MINUTE, "08:01, as the release says"


@pytest.mark.parametrize("router", range(8))
def test_healthy_flow_is_three_to_five_children_a_second_after_a_burst(router: int) -> None:
    flow = healthy_flow(1, router, 154, 10 * MINUTE)
    burst = sum(p.qty // 100 for p in flow if p.at < BURST_NS) / 2
    normal = sum(p.qty // 100 for p in flow if p.at >= BURST_NS) / (10 * 60 - 2)

    assert 2.5 <= normal <= 5.6
    assert 9 * normal <= burst <= 24 * normal


def test_no_healthy_parent_hurries() -> None:
    """Never identical children of one parent faster than twice a second."""
    flow = healthy_flow(1, 0, 154, 10 * MINUTE)

    assert all(p.pace >= HEALTHY_PACE for p in flow)
    assert fmean(p.qty for p in flow if p.at > BURST_NS) == pytest.approx(550, rel=0.15)
    assert all(p.resting < SECOND for p in flow)


def test_every_variant_is_known() -> None:
    assert VARIANTS == ("S1", "S2", "S3", "S4", "S5", "S6")
