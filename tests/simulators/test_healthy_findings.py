"""The detectors on the flow of the replay: healthy routers are never told of, the faulty one is named at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_sim.knight.gate import Gate
from router_sim.knight.limits import defence
from router_sim.knight.universe import Universe, universe
from router_sim.replay.morning import Morning
from router_sim.units import MILLISECOND, SECOND


def play(scene: Universe, until: int) -> Gate:
    gate = Gate(defence(), scene)
    run = Morning(scene, until=until, gate=gate).run()

    assert run.healthy_orders > 8 * 3 * until // SECOND, "eight routers at three orders a second or more"
    return gate


@pytest.mark.parametrize("seed", range(1, 9))
def test_healthy_flow_with_its_opening_burst_finds_nothing(seed: int) -> None:
    until = 180 * SECOND
    gate = play(replace(universe("S1", seed, until=until), parents=(), pre_open=()), until)

    assert gate.engine.findings() == []


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_faulty_router_and_no_other_is_named_within_a_second(seed: int) -> None:
    until = 30 * SECOND
    gate = play(universe("S1", seed, until=until), until)
    findings = gate.engine.findings()
    first = next(finding for finding in findings if finding.kind == "divergence")

    assert {finding.router for finding in findings} == {"smars-8"}
    assert (first.what, first.loud, first.occurrences) == ("excess_attempts", True, first.total)
    assert first.first - gate.opened <= 500 * MILLISECOND
