"""What the firm decides besides its limits: the culprit's build kept out (S2), the gate at the open, its override."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace

import pytest
from rich.console import Console

from router_sim.knight.firm import Firm
from router_sim.knight.gate import Gate
from router_sim.knight.limits import defence
from router_sim.knight.result import RunResult, caught_by, culprit, excess_to_culprit
from router_sim.knight.universe import PRE_OPEN_REJECTS, PRE_OPEN_TEXT, ROUTERS, Universe, Variant, universe
from router_sim.replay.morning import Morning
from router_sim.replay.report_card import held, render
from router_sim.replay.report_json import as_json
from router_sim.replay.side_by_side import Comparison
from router_sim.units import MILLISECOND, MINUTE, SECOND
from tests.simulators.knight_gate import gate_of

ROLLBACK = 5 * SECOND
"""After the open, instead of 24 minutes."""

GOOD = ROUTERS[:7]


def play(scene: Universe, until: int, firm: Firm | None = None, without: Iterable[str] = ()) -> RunResult:
    return Morning(scene, until=until, gate=Gate(defence(without), scene, firm)).run()


def rolled_back(until: int, *, quarantine: bool = True, without: Iterable[str] = ()) -> RunResult:
    scene = universe("S2", 1, until=until, rollback_at=ROLLBACK)
    return play(scene, until, Firm(quarantine=quarantine), without)


# ---- the rollback


def test_rollback_is_refused_on_all_good_servers_and_the_fault_stays_on_one() -> None:
    run = rolled_back(30 * SECOND)
    gate = gate_of(run)

    assert run.rollback is not None
    assert (run.rollback.refused, run.rollback.spread) == (GOOD, ())
    assert "CULPRIT_BUILD" in run.rollback.sentence
    assert [halt.scope for halt in gate.halts] == ["router:smars-8"]
    assert run.totals.leaked_shares == 0


def test_servers_that_are_refused_lose_no_order_and_work_the_new_parents_correctly() -> None:
    """All 185 further clients' orders are filled to the share."""
    until = 60 * SECOND
    scene = universe("S2", 1, until=0, rollback_at=ROLLBACK)
    further = sum(parent.qty for parent in scene.parents if parent.entered_at == ROLLBACK)
    morning = Morning(scene, until=until, gate=Gate(defence(), scene))
    run = morning.run()
    filled = sum(
        healthy.behaviour.cum for healthy in morning.healthy if healthy.plan.at == ROLLBACK and healthy.plan.router < 7
    )

    assert run.healthy_rejected == 0
    assert filled == further > 100_000
    assert {refusal.healthy for refusal in gate_of(run).refusals} == {0}


def test_without_the_quarantine_the_fault_spreads_and_every_server_is_halted() -> None:
    run = rolled_back(ROLLBACK + 10 * SECOND, quarantine=False)
    gate = gate_of(run)

    assert run.rollback is not None
    assert (run.rollback.refused, run.rollback.spread) == ((), GOOD)
    assert gate.halts[0].scope == "router:smars-8"
    assert sorted(halt.scope for halt in gate.halts) == [f"router:{name}" for name in ROUTERS]
    assert all(ROLLBACK < halt.at < ROLLBACK + 10 * SECOND for halt in gate.halts[1:])
    assert (run.totals.leaked_shares, run.healthy_rejected, gate.cancels_outstanding) == (0, 0, 0)


def test_behind_parent_and_child_the_quarantine_is_what_keeps_the_leak_small() -> None:
    """Other lines halt smars-8 in time for the rollback to be refused; without the quarantine seven more servers leak."""
    until = ROLLBACK + 10 * SECOND
    kept = rolled_back(until, without=["parent_overfill"])
    spread = rolled_back(until, quarantine=False, without=["parent_overfill"])

    assert [halt.scope for halt in gate_of(kept).halts] == ["router:smars-8"]
    assert len(gate_of(spread).halts) == 8
    assert 10 * kept.totals.leaked_shares < spread.totals.leaked_shares


def test_without_the_core_the_rollback_spreads_the_fault() -> None:
    scene = universe("S2", 1, until=10 * SECOND, rollback_at=ROLLBACK)
    run = Morning(scene, until=10 * SECOND).run()

    assert run.rollback is not None
    assert run.rollback.spread == GOOD
    assert run.totals.leaked_executions > 2_000


# ---- before the open


@pytest.mark.parametrize("variant", ["S1", "S5"])
def test_97_rejects_are_one_loud_finding_from_the_first_on(variant: Variant) -> None:
    run = play(universe(variant, 1, until=0), MILLISECOND)
    gate = gate_of(run)
    (found,) = gate.findings

    assert gate.warning == found
    assert (found.kind, found.what, found.router, found.loud) == ("venue_reject", PRE_OPEN_TEXT, "smars-8", True)
    assert (found.occurrences, found.total) == (PRE_OPEN_REJECTS, PRE_OPEN_REJECTS)
    assert -89 * MINUTE <= found.at < -89 * MINUTE + SECOND
    assert gate.opening.red == ("parity", "findings")


def test_without_a_gate_trade_goes_on_and_the_next_line_catches() -> None:
    run = play(universe("S1", 1, until=2 * SECOND), 2 * SECOND)
    gate = gate_of(run)

    assert gate.opening.gate is None
    assert not held(run)
    assert caught_by(run) == "parent_overfill"
    assert (run.totals.leaked_shares, run.healthy_rejected) == (0, 0)


# ---- the gate


def test_red_gate_holds_the_firm_and_latches_after_a_minute() -> None:
    run = play(universe("S1", 1, until=62 * SECOND), 62 * SECOND, Firm(readiness_gate=True))
    gate = gate_of(run)
    firm = next(halt for halt in gate.halts if halt.scope == "firm")

    assert held(run)
    assert gate.opening.gate == "latched"
    assert (firm.check, firm.at, firm.text) == ("not_ready", MINUTE, "parity, findings")
    assert (run.totals.executions, run.totals.leaked_shares, gate.cancels_outstanding) == (0, 0, 0)
    assert run.healthy_rejected > 0, "the price: nobody trades until people have looked"


def test_no_line_of_defence_is_needed_where_the_gate_holds() -> None:
    """With every limit out of reach and no parents nothing leaks either."""
    lines = ["parent_overfill", "message_rate", "duplicates", "velocity", "repeated_execution", "turnover", "position"]
    run = play(universe("S1", 1, until=5 * SECOND), 5 * SECOND, Firm(readiness_gate=True), lines)

    assert gate_of(run).opening.gate == "holding"
    assert run.totals.executions == 0


def test_two_people_override_the_gate_and_the_later_lines_catch() -> None:
    """Without the lines that see attempts that are refused, Power Peg is met by parent/child after the override."""
    until = 6 * SECOND
    firm = Firm(readiness_gate=True, override_at=3 * SECOND)
    run = play(universe("S1", 1, until=until), until, firm, ["message_rate", "duplicates", "reject_storm"])
    gate = gate_of(run)

    assert (gate.opening.gate, gate.opening.overridden_at) == ("open", 3 * SECOND)
    assert gate.halts[0].check == "parent_overfill"
    assert 3 * SECOND < gate.halts[0].at < 3.1 * SECOND
    assert run.totals.executions > 0
    assert run.totals.leaked_shares == 0


def test_gate_opens_by_itself_for_a_fleet_of_one_build() -> None:
    scene = replace(universe("S1", 1, until=2 * SECOND), parents=(), pre_open=())
    run = play(scene, 2 * SECOND, Firm(readiness_gate=True))
    gate = gate_of(run)

    assert (gate.opening.gate, gate.opening.red) == ("open", ())
    assert (gate.refusals, run.healthy_rejected) == ((), 0)


# ---- who it was


@pytest.mark.parametrize(
    "without",
    [
        (),
        ("parent_overfill",),
        ("parent_overfill", "message_rate"),
        ("parent_overfill", "message_rate", "duplicates", "velocity", "repeated_execution", "turnover"),
    ],
)
def test_culprit_is_named_within_a_second_of_the_first_excess(without: tuple[str, ...]) -> None:
    """By a halt, or, where only slow lines are left, by a finding."""
    run = play(universe("S1", 1, until=2 * SECOND), 2 * SECOND, without=without)
    named, took = culprit(run), excess_to_culprit(run)

    assert named is not None
    assert named.router == "smars-8"
    assert took is not None
    assert 0 < took < SECOND
    assert (run.totals.leaked_shares == 0) == ("parent_overfill" not in without)


# ---- how it is told


@pytest.mark.parametrize(("quarantine", "refused"), [(True, list(GOOD)), (False, [])])
def test_rollback_is_told_on_the_card_and_in_json(*, quarantine: bool, refused: list[str]) -> None:
    until = ROLLBACK + 2 * SECOND
    scene = universe("S2", 1, until=until, rollback_at=ROLLBACK)
    firm = Firm(quarantine=quarantine)
    told = Comparison("S2", 1, (), firm, Morning(scene, until=until).run(), play(scene, until, firm))
    document = as_json(told)
    console = Console(file=io.StringIO(), width=150)
    console.print(render(told))
    assert isinstance(console.file, io.StringIO)
    card = console.file.getvalue()

    assert document["quarantine"] == quarantine
    assert document["controlled"]["rollback_refused"] == refused
    assert document["details"]["rollback"]["at_ms"] == ROLLBACK / MILLISECOND
    assert ("refused on all 7" in card) == ("CULPRIT_BUILD" in card) == quarantine
    assert ("let in on 7" in card) != quarantine
