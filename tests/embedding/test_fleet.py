"""Builds in the embedded core: the culprit's stays out, a change halts, a canary is promoted by two people."""

from __future__ import annotations

import pytest

import riskcore
from tests.embedding.desk import Desk


def halt_by_check(desk: Desk) -> int:
    """The first router overfills its parent until it is halted; the trip."""
    for _ in range(3):
        desk.order(account=desk.client, parent=desk.parent, qty=1_010)
    trip = desk.engine.trips()[0]
    assert trip.scope == "router:r1"
    return trip.trip


def test_culprits_build_stays_out_until_the_incident_is_closed() -> None:
    desk = Desk()
    desk.engine.attest(desk.t, desk.routers[0], "2005.03")
    trip = halt_by_check(desk)

    with pytest.raises(riskcore.Refused, match="CULPRIT_BUILD"):
        desk.engine.attest(desk.t, desk.routers[1], "2005.03")
    proposal = desk.engine.propose_close_incident(desk.t, trip, "alice", "it was the configuration")
    desk.engine.approve(desk.t, proposal, "bob")
    desk.engine.attest(desk.t, desk.routers[1], "2005.03")

    assert desk.engine.state("router:r1") == "HALTED"
    with pytest.raises(riskcore.Refused, match="NO_INCIDENT"):
        desk.engine.propose_close_incident(desk.t, trip, "alice", "again")


def test_without_the_rule_the_fault_can_spread() -> None:
    desk = Desk()
    desk.engine.fleet_rules(quarantine_culprit=False)
    desk.engine.attest(desk.t, desk.routers[0], "2005.03")
    halt_by_check(desk)

    desk.engine.attest(desk.t, desk.routers[1], "2005.03")


def test_change_of_build_halts_where_the_rules_say_so() -> None:
    desk = Desk()
    desk.engine.attest(desk.t, desk.routers[0], "1")
    desk.engine.attest(desk.t, desk.routers[0], "2")
    assert desk.engine.state("router:r1") == "ACTIVE"

    desk.engine.fleet_rules(halt_on_change=True)
    desk.engine.attest(desk.t, desk.routers[0], "2")
    assert desk.engine.state("router:r1") == "ACTIVE"
    desk.engine.attest(desk.t, desk.routers[0], "2", known_flags=1)

    assert desk.engine.state("router:r1") == "HALTED"
    assert desk.name(desk.order()) == "HALTED"


def test_two_people_promote_a_canary() -> None:
    desk = Desk(limits={("router:*", "canary_max_order_qty"): 10})
    with pytest.raises(riskcore.Refused, match="NOT_ON_CANARY"):
        desk.engine.propose_promotion(desk.t, desk.routers[0], "alice", "trusted")
    desk.engine.attest(desk.t, desk.routers[0], "1", quarantined=True)
    assert desk.name(desk.order()) == "CANARY_ORDER_QTY"

    desk.engine.approve(desk.t, desk.engine.propose_promotion(desk.t, desk.routers[0], "alice", "trusted"), "bob")

    assert desk.order() > 0


def test_router_that_does_not_exist_cannot_attest() -> None:
    desk = Desk()

    with pytest.raises(riskcore.Refused, match="UNKNOWN_SCOPE"):
        desk.engine.attest(desk.t, 99, "1")
    with pytest.raises(riskcore.InvalidArgument, match="router"):
        desk.engine.attest(desk.t, -1, "1")
