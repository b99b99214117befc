"""The morning through the risk core: each control alone, then all of them.

Bands are generous around the prototype's figures; the healthy flow, which the prototype left out, makes the firm-wide
and per-router limits trip a little earlier.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from router_sim.defence import Defence, Setting
from router_sim.knight.gate import Gate
from router_sim.knight.limits import defence, only
from router_sim.knight.result import RunResult, caught_by, culprit
from router_sim.knight.universe import Variant, universe
from router_sim.replay.morning import Morning
from router_sim.replay.side_by_side import ladder
from router_sim.units import MILLISECOND, MINUTE, SECOND, USD
from tests.simulators.knight_gate import gate_of


def play(stands: Defence, until: int, *, variant: Variant = "S1", seed: int = 1, to_halt: bool = False) -> RunResult:
    scene = universe(variant, seed, until=until)
    return Morning(scene, until=until, gate=Gate(stands, scene), stop_at_halt=to_halt).run()


def named(run: RunResult) -> str:
    naming = culprit(run)
    assert naming is not None
    return naming.router


@dataclass(frozen=True)
class Alone:
    """One control alone, and when it must trip: bounds in seconds, executions and dollars."""

    name: str
    settings: tuple[Setting, ...]
    trips_at: tuple[float, float]
    executions: tuple[int, int]
    loss: float
    check: str
    parents: bool = False


ALONE = [
    Alone(
        "K1 and halt: the third overfill attempt",
        (Setting("router:*", "parent_overfill_halt_after", 3),),
        (0.015, 0.045),
        (10, 60),
        0,
        "parent_overfill",
        parents=True,
    ),
    Alone(
        "R1: 50 orders in 100 ms, in breach for 100 ms",
        (
            Setting("router:*", "message_burst", 50),
            Setting("router:*", "message_burst_window", 100 * MILLISECOND),
            Setting("router:*", "message_rate_sustained", 100 * MILLISECOND),
        ),
        (0.12, 0.16),
        (40, 115),
        6_000,
        "rate_limit",
    ),
    Alone(
        "R2: the same order 20 times in 1 s",
        (Setting("router:*", "duplicate_orders_halt", 20),),
        (0.12, 0.18),
        (180, 260),
        25_000,
        "duplicate_order",
    ),
    Alone(
        "R2: more than 5 times in 1 s",
        (Setting("router:*", "duplicate_orders_halt", 5),),
        (0.03, 0.09),
        (45, 120),
        8_000,
        "duplicate_order",
    ),
    Alone(
        "R3: 20 executions in one symbol and side, halting",
        (Setting("router:*", "max_repeated_executions", 20),),
        (0.13, 0.19),
        (190, 270),
        25_000,
        "repeated_execution",
    ),
    Alone(
        "R4: $500k a second per router",
        (
            Setting("router:*", "max_notional_velocity", 500_000 * USD),
            Setting("router:*", "notional_velocity_window", SECOND),
        ),
        (0.13, 0.26),
        (200, 370),
        35_000,
        "notional_velocity",
    ),
    Alone(
        "X4: $2M of turnover",
        (Setting("router:*", "max_turnover_day", 2_000_000 * USD),),
        (0.60, 0.85),
        (950, 1_250),
        138_000,
        "turnover_limit",
    ),
    Alone(
        "K2: 250,000 shares without a parent per router",
        (
            Setting("router:*", "max_excess_leaving_bps", 0),
            Setting("router:*", "unparented_allowance_qty", 250_000),
        ),
        (1.4, 1.9),
        (2_100, 2_700),
        5_000,
        "leaving_limit",
    ),
    Alone(
        "X4: $100M of turnover for the firm",
        (Setting("firm", "max_turnover_day", 100_000_000 * USD),),
        (36, 43),
        (53_000, 63_000),
        6_900_000,
        "turnover_limit",
    ),
    Alone(
        "L1: a day's loss of $1M at the worse of touch and slow reference",
        (Setting("firm", "max_day_loss", 1_000_000 * USD),),
        (50, 72),
        (74_000, 107_000),
        3_500_000,
        "loss_limit",
    ),
]


@pytest.mark.parametrize("control", ALONE, ids=lambda control: control.name)
def test_a_control_alone_trips_when_it_should(control: Alone) -> None:
    run = play(only(*control.settings, parents=control.parents), 90 * SECOND, to_halt=True)
    gate = gate_of(run)

    assert gate.halts, f"never halted; refused {gate.refusals}"
    halt = gate.halts[0]
    assert control.trips_at[0] <= halt.at / SECOND <= control.trips_at[1]
    assert control.executions[0] <= gate.executions_until_halt <= control.executions[1]
    assert halt.check == control.check
    assert run.totals.loss_usd <= control.loss
    assert gate.cancels_outstanding == 0


def test_parent_child_alone_lets_no_excess_share_through() -> None:
    """K1 without its halt: every parent is filled, none is exceeded."""
    run = play(only(parents=True), 60 * SECOND)
    gate = gate_of(run)

    assert run.totals.leaked_shares == 0
    assert run.totals.loss_usd == 0
    assert not gate.halts
    assert gate.first_refusal is not None
    assert gate.first_refusal.reason == "parent_overfill"
    assert 5 * MILLISECOND < gate.first_refusal.first_at < 16 * MILLISECOND
    assert run.healthy_rejected == 0


def test_turnover_of_two_million_leaks_a_third_of_it() -> None:
    """Prototype: 1,128 executions, 333 of them in excess."""
    run = play(only(Setting("router:*", "max_turnover_day", 2_000_000 * USD)), 2 * SECOND)

    assert 200 <= run.totals.leaked_executions <= 460


def test_rate_cap_refuses_the_fifty_first_order() -> None:
    burst = (
        Setting("router:*", "message_burst", 50),
        Setting("router:*", "message_burst_window", 100 * MILLISECOND),
    )
    gate = gate_of(play(only(*burst), SECOND))

    assert gate.first_refusal is not None
    assert gate.first_refusal.reason == "rate_limit"
    assert 0.022 <= gate.first_refusal.first_at / SECOND <= 0.045
    assert not gate.halts


def test_position_limit_refuses_but_does_not_stop() -> None:
    """50,000 shares per symbol: the hottest meets it at 3.7 s, the last one-sided symbol at 306 s."""
    limits = (
        Setting("router_symbol:*", "max_long_position", 50_000),
        Setting("router_symbol:*", "max_short_position", 50_000),
    )
    run = play(only(*limits), 6 * MINUTE)
    gate = gate_of(run)

    assert gate.first_refusal is not None
    assert gate.first_refusal.reason == "position_limit"
    assert 3.3 <= gate.first_refusal.first_at / SECOND <= 4.1
    assert not gate.halts
    late = [s for s in run.samples if s.at > 5.5 * MINUTE]
    per_second = (late[-1].executions - late[0].executions) / ((late[-1].at - late[0].at) / SECOND)
    assert 1 < per_second < 250, "only the two-sided symbols go on"


@pytest.fixture(scope="module")
def defended() -> RunResult:
    """S1 with every line of defence, five minutes."""
    return play(defence(), 5 * MINUTE)


def test_all_lines_stop_the_morning_in_milliseconds(defended: RunResult) -> None:
    gate = gate_of(defended)

    assert gate.halts[0].scope == "router:smars-8"
    assert gate.halts[0].check == "parent_overfill"
    assert 15 * MILLISECOND <= gate.halts[0].at <= 45 * MILLISECOND
    assert named(defended) == "smars-8"
    assert len(gate.halts) == 1
    assert defended.totals.leaked_shares == 0
    assert defended.totals.loss_usd == 0


def test_seven_routers_go_on_without_one_wrong_refusal(defended: RunResult) -> None:
    assert defended.healthy_orders > 5_000
    assert defended.healthy_rejected == 0


def test_every_resting_order_of_the_halted_router_is_cancelled(defended: RunResult) -> None:
    gate = gate_of(defended)

    assert gate.halts[0].swept > 0
    assert gate.cancels > 0
    assert gate.cancels_outstanding == 0
    assert gate.all_cancelled_at is not None
    assert gate.all_cancelled_at - gate.halts[0].at < 20 * MILLISECOND


def test_the_router_hammers_on_and_every_attempt_is_refused(defended: RunResult) -> None:
    gate = gate_of(defended)
    refused = {refusal.reason: refusal.count for refusal in gate.refusals}

    assert refused["halted"] > 0.99 * defended.attempts
    assert defended.totals.executions == gate.executions_until_halt


def test_healthy_flow_alone_meets_no_limit_all_morning() -> None:
    """Eight servers with correct code, 45 minutes, the opening burst included."""
    scene = replace(universe("S1", 1), parents=(), pre_open=())
    gate = Gate(defence(), scene)
    run = Morning(scene, gate=gate).run()

    assert not gate_of(run).refusals
    assert not gate_of(run).halts
    assert run.healthy_orders > 70_000


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_other_seeds_are_stopped_as_well(seed: int) -> None:
    run = play(defence(), 10 * SECOND, seed=seed)
    gate = gate_of(run)

    assert gate.halts[0].scope == "router:smars-8"
    assert gate.halts[0].at < 100 * MILLISECOND
    assert run.totals.leaked_shares == 0
    assert run.healthy_rejected == 0


def test_stealth_escapes_the_rate_cap_but_not_its_parent() -> None:
    """S4: the rate cap stays silent; the first excess child is refused after seconds."""
    run = play(defence(), MINUTE, variant="S4")
    gate = gate_of(run)

    assert caught_by(run) == "parent_overfill"
    assert gate.halts[0].at < 10 * SECOND
    assert run.totals.leaked_shares == 0
    assert "rate_limit" not in {refusal.reason for refusal in gate.refusals}


def test_without_parent_ids_the_rate_cap_holds() -> None:
    """S5: parent/child conservation cannot see anything; the rate cap halts the server."""
    run = play(defence(), MINUTE, variant="S5")
    gate = gate_of(run)

    assert caught_by(run) == "rate_limit"
    assert named(run) == "smars-8"
    assert gate.halts[0].at < 200 * MILLISECOND
    assert run.healthy_rejected == 0


def test_churn_is_invisible_to_positions_but_not_to_turnover() -> None:
    """S6 without parent/child conservation and the lines that count orders and their pace: turnover never nets."""
    faster = ["parent_overfill", "message_rate", "duplicates", "velocity", "repeated_execution"]
    run = play(defence(faster), MINUTE, variant="S6")

    assert caught_by(run) == "turnover_limit"
    assert gate_of(run).halts[0].at < 2 * SECOND
    assert "position_limit" not in {refusal.reason for refusal in gate_of(run).refusals}


def test_ladder_shows_the_next_line_behind_each() -> None:
    steps = ladder("S1", 1, until=90 * SECOND)
    caught = [step.caught for step in steps]

    assert caught == [
        "parent_overfill",
        "message_rate",
        "duplicates",
        "velocity",
        "repeated_execution",
        "turnover",
        "position",
        "day_loss",
        "gross",
        "leaving",
        None,
    ]
    losses = [step.run.totals.loss_usd for step in steps]
    assert losses[0] == 0
    assert losses[-1] == max(losses)


def test_reports_reach_the_core_before_the_next_child_of_their_parent() -> None:
    """Exact order: time never runs backwards, and no parent has two children on their way."""
    seen: list[tuple[int, str, int, int]] = []

    class Watched(Gate):
        def trade(self, at: int, order: int, qty: int, price: int) -> None:
            super().trade(at, order, qty, price)
            seen.append((at, "report", 0, order))

        def canceled(self, at: int, order: int) -> None:
            super().canceled(at, order)
            seen.append((at, "report", 0, order))

    scene = universe("S1", 1, until=5 * SECOND)
    gate = Watched(only(parents=True), scene)
    decide = gate.decide

    def watched(*order: int) -> int:
        verdict = decide(*order)
        seen.append((order[0] - gate.opened, "order", order[7], verdict))
        return verdict

    gate.decide = watched  # type: ignore[assignment]  # the same order, seen on its way
    Morning(scene, until=5 * SECOND, gate=gate).run()

    open_children: dict[int, int] = {}
    owners: dict[int, int] = {}
    for _, what, owner, order in seen:
        if what == "order":
            assert owner not in open_children, "a second child before the report of the first"
            if order > 0:
                open_children[owner] = order
                owners[order] = owner
        elif order in owners:
            open_children.pop(owners[order], None)
    assert len(seen) > 7_000
    assert [at for at, *_ in seen] == sorted(at for at, *_ in seen)


def test_unknown_line_of_defence_is_named_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"unknown line of defence hope; there are: parent_overfill, message_rate"):
        defence(["hope"])


def test_a_single_limit_can_be_removed() -> None:
    left = {(s.scope, s.limit) for s in defence(["message_burst"]).settings}

    assert ("router:*", "message_rate") in left
    assert ("router:*", "message_burst") not in left
