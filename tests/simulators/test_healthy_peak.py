"""No false halts: healthy flow at twice the largest rate there is, opening burst included, meets no limit of the profile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_sim.knight.background import BURST_FACTOR, CHILDREN_PER_SECOND, healthy_flow
from router_sim.knight.gate import Gate
from router_sim.knight.limits import defence
from router_sim.knight.universe import ROUTERS, Universe, Variant, universe
from router_sim.replay.morning import Morning
from router_sim.units import SECOND


def peak(variant: Variant, seed: int, until: int) -> Universe:
    """Eight correct routers, each twice as busy as the busiest that a seed makes."""
    calm = universe(variant, seed, until=0)
    flows = [
        healthy_flow(
            seed,
            router,
            len(calm.stocks),
            until,
            children_per_second=2 * CHILDREN_PER_SECOND[1],
            burst_factor=BURST_FACTOR[1],
        )
        for router in range(len(ROUTERS))
    ]
    healthy = tuple(sorted((parent for flow in flows for parent in flow), key=lambda parent: parent.at))
    return replace(calm, parents=(), pre_open=(), healthy=healthy)


def undisturbed(scene: Universe, until: int) -> int:
    """Play it; the orders, of which none was refused."""
    gate = Gate(defence(), scene)
    run = Morning(scene, until=until, gate=gate).run()
    kept = run.gate

    assert kept is not None
    assert (kept.refusals, kept.halts, kept.findings, run.healthy_rejected) == ((), (), (), 0)
    return run.healthy_orders


@pytest.mark.parametrize("variant", ["S1", "S5"])
@pytest.mark.parametrize("seed", range(1, 9))
def test_opening_burst_at_twice_the_largest_rate_meets_no_limit(variant: Variant, seed: int) -> None:
    """Children with a parent (S1), and without one (S5)."""
    until = 4 * SECOND

    assert undisturbed(peak(variant, seed, until), until) > 8 * 400


@pytest.mark.parametrize("variant", ["S1", "S5"])
def test_a_minute_at_twice_the_largest_rate_meets_no_limit(variant: Variant) -> None:
    """As long as the longest window of a router: turnover and repeated executions."""
    until = 70 * SECOND

    assert undisturbed(peak(variant, 1, until), until) > 8 * 1_000


def test_healthy_routers_without_parents_go_on_after_minutes() -> None:
    """S5: executions in a symbol add up all day; only the pace of them is bounded."""
    until = 400 * SECOND
    scene = replace(universe("S5", 1, until=until), parents=(), pre_open=())

    assert undisturbed(scene, until) > 8 * 3 * 400
