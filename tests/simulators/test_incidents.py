"""The incidents of other firms: the known figures without the gateway, and with it who catches them, line by line."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from router_sim.incidents.citi import MEANT, STOPPED, passed_items
from router_sim.incidents.compare import (
    SCENES,
    Incident,
    controlled_run,
    first_line,
    ladder,
    missed,
    uncontrolled_run,
)
from router_sim.incidents.result import Doorkeeping, Run, caught_by, time_to_culprit
from router_sim.incidents.scene import Scene
from router_sim.units import MILLISECOND, SECOND

INCIDENTS: tuple[Incident, ...] = tuple(SCENES)


@pytest.fixture(scope="module", params=INCIDENTS)
def scene(request: pytest.FixtureRequest) -> Scene:
    return SCENES[request.param](1)


def door_of(run: Run) -> Doorkeeping:
    assert run.door is not None
    return run.door


@pytest.mark.parametrize("incident", INCIDENTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_uncontrolled_run_meets_the_known_figures(incident: Incident, seed: int) -> None:
    scene = SCENES[incident](seed)
    run = uncontrolled_run(scene)

    assert missed(run, scene.story.facts) == []
    assert run.healthy_executions == run.healthy_orders > 3_000


def test_the_seed_moves_phases_and_not_the_table(scene: Scene) -> None:
    other = SCENES[scene.story.name](2)  # type: ignore[index]  # a story's name is its incident's

    assert other.instruments == scene.instruments
    assert other.parents == scene.parents
    assert len(other.orders) == len(scene.orders)
    assert [order.at for order in other.orders] != [order.at for order in scene.orders]


def test_the_same_seed_gives_the_same_run(scene: Scene) -> None:
    runs = [controlled_run(scene, until=5 * SECOND) for _ in range(2)]

    assert replace(runs[0], wall_seconds=0) == replace(runs[1], wall_seconds=0)


def test_healthy_flow_alone_meets_no_limit(scene: Scene) -> None:
    run = controlled_run(replace(scene, orders=(), liftings=()))
    door = door_of(run)

    assert (door.refusals, door.halts, door.culprit) == ((), (), None)
    assert run.healthy_executions == run.healthy_orders


@pytest.mark.parametrize("incident", INCIDENTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_healthy_routers_lose_no_order_and_the_culprit_is_named_within_a_second(incident: Incident, seed: int) -> None:
    scene = SCENES[incident](seed)
    run = controlled_run(scene)
    door = door_of(run)
    culprit = time_to_culprit(run)

    assert (run.healthy_rejected, door.cancels_outstanding) == (0, 0)
    assert run.healthy_executions == run.healthy_orders
    assert door.culprit == scene.routers[scene.culprit]
    assert culprit is not None
    assert culprit < SECOND
    assert {halt.scope for halt in door.halts} == {f"router:{scene.routers[scene.culprit]}"}


@dataclass(frozen=True)
class Caught:
    """With these lines removed, the one that speaks first, what trips, and how much leaks at most."""

    incident: Incident
    without: tuple[str, ...]
    line: str | None
    check: str | None
    leaked_orders: tuple[int, int]
    until: int | None = None


STORM = (
    "unanswered",
    "parent_overfill",
    "unacknowledged",
    "message_rate",
    "open_orders",
    "velocity",
    "turnover",
    "duplicates",
)
"""Everbright's lines in the order in which they speak."""

CAUGHT = [
    Caught("goldman", (), "price_collar", "rate_limit", (0, 0)),
    Caught("goldman", ("price_collar",), "message_rate", "rate_limit", (0, 0)),
    Caught("goldman", ("message_rate",), "price_collar", "reject_storm", (0, 0)),
    Caught("goldman", ("price_collar", "message_rate"), "velocity", "notional_velocity", (0, 0)),
    Caught("goldman", ("price_collar", "message_rate", "velocity"), "turnover", "turnover_limit", (0, 0)),
    Caught("goldman", ("price_collar", "message_rate", "velocity", "canary"), "turnover", "turnover_limit", (40, 60)),
    Caught("everbright", (), "unanswered", "acknowledgement_overdue", (0, 0)),
    Caught("everbright", STORM[:1], "parent_overfill", "parent_overfill", (0, 0)),
    Caught("everbright", STORM[:2], "unacknowledged", "reject_storm", (10, 15)),
    Caught("everbright", STORM[:3], "message_rate", "reject_storm", (10, 20)),
    Caught("everbright", STORM[:4], "open_orders", "reject_storm", (35, 50)),
    Caught("everbright", STORM[:5], "velocity", "notional_velocity", (45, 60)),
    Caught("everbright", STORM[:6], "turnover", "turnover_limit", (100, 140)),
    Caught("everbright", STORM[:7], "duplicates", "reject_storm", (240, 260)),
    Caught("everbright", (*STORM[:7], "reject_storm"), "duplicates", "duplicate_order", (240, 260)),
    Caught("everbright", STORM, "gross", "reject_storm", (280, 310)),
    Caught("citi", (), "velocity", "notional_velocity", (140, 160), 5 * SECOND),
    Caught("citi", ("velocity",), "turnover", "turnover_limit", (180, 195), 5 * SECOND),
    Caught("citi", ("velocity", "turnover"), "gross", "gross_limit", (240, 260), 5 * SECOND),
]


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda c: f"{c.incident} without {', '.join(c.without) or 'nothing'}")
def test_next_line_catches(caught: Caught) -> None:
    scene = SCENES[caught.incident](1)
    run = controlled_run(scene, without=caught.without, until=caught.until)

    assert first_line(scene, run) == caught.line
    assert caught_by(run) == caught.check
    assert caught.leaked_orders[0] <= run.totals.leaked_orders <= caught.leaked_orders[1]
    assert run.healthy_rejected == 0


def test_a_ladder_ends_with_nothing_left_and_everything_leaked() -> None:
    scene = SCENES["everbright"](1)
    steps = ladder(scene)

    assert tuple(step.caught for step in steps)[: len(STORM)] == STORM
    assert steps[-1].caught is None
    leaks = [step.run.totals.leaked_orders for step in steps]
    assert leaks == sorted(leaks)
    assert leaks[-1] == uncontrolled_run(scene).totals.leaked_orders


def test_collar_has_no_gap_before_the_open() -> None:
    """Goldman's first order at $1 is refused at 08:44, and so is it if the collar for the time before the open is removed."""
    for without in ((), ("price_collar_auction_bps",)):
        door = door_of(controlled_run(SCENES["goldman"](1), without=without, until=SECOND))

        assert door.first_refusal is not None
        assert door.first_refusal.reason == "price_collar"
        assert door.first_refusal.first_at < 20 * MILLISECOND


def test_no_single_person_lifts_a_block_and_after_two_did_it_latches_again() -> None:
    door = door_of(controlled_run(SCENES["goldman"](1)))

    assert len(door.liftings) == 12
    assert all("SAME_PERSON" in lifting.alone for lifting in door.liftings)
    assert all(lifting.lifted for lifting in door.liftings)
    assert len(door.halts) == 13
    for lifting, halt in zip(door.liftings, door.halts[1:], strict=True):
        assert 0 < halt.at - lifting.at < 3 * SECOND


def test_what_rests_when_it_is_halted_never_executes() -> None:
    """Without the collar 50 of Goldman's orders reach the venue, are cancelled there, and the open finds none."""
    run = controlled_run(SCENES["goldman"](1), without=["price_collar"])

    assert run.totals.orders == 50
    assert run.totals.executed_orders == 0
    assert door_of(run).halts[0].swept == 50


def test_lost_acknowledgements_halt_long_before_the_storm() -> None:
    """Everbright's router is halted half a second after its first unanswered order, two and a half minutes early."""
    scene = SCENES["everbright"](1)
    run = controlled_run(scene)
    door = door_of(run)

    assert door.culprit == "etf-1"
    assert door.halts[0].at - scene.orders[0].at < 520 * MILLISECOND
    assert door.orders_until_halt < 40
    assert run.totals.orders == 0


def test_cancels_stay_open_while_the_venue_is_not_heard() -> None:
    """Everbright: the halt's cancels are not called clean before the reports are back."""
    scene = SCENES["everbright"](1)
    early = door_of(controlled_run(scene, until=10 * SECOND))
    late = door_of(controlled_run(scene))

    assert early.cancels_outstanding == early.halts[0].swept > 0
    assert early.all_cancelled_at is None
    assert late.cancels_outstanding == 0
    assert late.all_cancelled_at == scene.deaf_until


def test_no_limit_of_a_single_order_sees_citis_basket() -> None:
    scene = SCENES["citi"](1)
    run = controlled_run(scene, without=["velocity", "turnover", "gross", "concentration", "position"])
    refused = {refusal.reason for refusal in door_of(run).refusals}

    assert refused == {"invalid_price"}, "each item is within its own limits; only what has no price is refused"
    assert run.totals.leaked_notional > 1.25e9
    assert run.healthy_rejected == 0


def test_citis_largest_items_were_stopped_one_by_one() -> None:
    scene = SCENES["citi"](1)
    weights = [parent.qty * name.bid for parent, name in zip(scene.parents, scene.instruments, strict=True)]
    passed = sum(weights[n] for n in passed_items([float(weight) for weight in weights])) / 1e9
    meant = sum(qty * name.bid for qty, name in zip(scene.allowed, scene.instruments, strict=True)) / 1e9

    assert passed == pytest.approx(444e9 - STOPPED, rel=0.01)
    assert meant == pytest.approx(MEANT, rel=0.01)
