"""The gate at the open through the flat calls."""

from __future__ import annotations

import pytest

import riskcore
from tests.embedding.desk import ASK, BID, SECOND, Desk

HOUR = 3_600 * SECOND


def at_open() -> Desk:
    """A desk whose gate has just asked for the first time."""
    desk = Desk(start=HOUR - SECOND)
    desk.engine.readiness_gate(HOUR, 60 * SECOND, ["AAPL"])
    assert desk.engine.readiness() == ("waiting", ["kill_path"])
    desk.later(SECOND)
    desk.engine.timer(desk.t)
    return desk


def test_gate_holds_until_what_is_red_is_mended() -> None:
    desk = at_open()
    assert desk.engine.readiness() == ("holding", ["kill_path"])
    assert desk.name(desk.order()) == "NOT_READY"

    desk.engine.halt(desk.t, "strategy:S1", "HALTED", "alice", "drill")
    desk.later(SECOND)
    desk.engine.tick(desk.t, desk.aapl, BID, ASK)
    desk.engine.timer(desk.t)
    assert desk.engine.readiness() == ("open", [])
    assert desk.order() > 0


def test_two_people_override_the_gate() -> None:
    desk = at_open()
    proposal = desk.engine.propose_override(desk.t, desk.t + HOUR, "alice", "test of the venue")
    with pytest.raises(riskcore.Refused, match="SAME_PERSON"):
        desk.engine.approve(desk.t, proposal, "alice")
    desk.engine.approve(desk.t, proposal, "bob")

    assert desk.engine.readiness() == ("open", ["kill_path"])
    assert desk.order() > 0
    with pytest.raises(riskcore.Refused, match="BAD_VALUE"):
        desk.engine.propose_override(desk.t, desk.t + 25 * HOUR, "alice", "longer")


def test_gate_needs_a_time_of_day_and_known_symbols() -> None:
    desk = Desk()
    with pytest.raises(riskcore.InvalidArgument, match="BAD_VALUE"):
        desk.engine.readiness_gate(24 * HOUR, 0)
    with pytest.raises(riskcore.InvalidArgument, match="not defined"):
        desk.engine.readiness_gate(0, 0, ["APPL"])
