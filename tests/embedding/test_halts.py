"""Halting and reinstating: by the core, by one person, back by two; and what rests is asked to be cancelled."""

from __future__ import annotations

import pytest

import riskcore
from tests.embedding.desk import ASK, SECOND, USD, Desk


def test_router_that_loses_count_is_halted_alone() -> None:
    desk = Desk()
    child = {"account": desk.client, "parent": desk.parent}
    resting = desk.order(**child, qty=600)

    verdicts = [desk.name(desk.order(**child, qty=500)) for _ in range(3)]
    (trip,) = desk.engine.trips()

    assert verdicts == ["PARENT_OVERFILL"] * 3
    assert trip == riskcore.Trip(
        trip=1,
        scope="router:r1",
        state="HALTED",
        check="PARENT_OVERFILL",
        time=desk.t,
        principal="riskgate",
        text="",
        limit=1_000,
        value=1_100,
        router="r1",
        order_cl_ord_id="4",
        open_orders=1,
        cancels_outstanding=1,
    )
    assert desk.engine.cancels() == [resting]
    assert desk.engine.cancels() == []
    assert desk.name(desk.order()) == "HALTED"
    assert desk.order(router=desk.routers[1]) > 0


def test_halt_is_clean_when_every_order_is_confirmed_gone() -> None:
    desk = Desk()
    resting = [desk.order() for _ in range(3)]
    desk.engine.halt(desk.t, "firm", "CANCEL_ONLY", "alice", "drill")

    assert desk.engine.cancels() == resting
    outstanding = []
    for order in resting:
        outstanding.append(desk.engine.trips()[0].cancels_outstanding)
        desk.engine.canceled(desk.t, order)

    assert outstanding == [3, 2, 1]
    assert desk.engine.trips()[0].cancels_outstanding == 0
    assert desk.engine.open_orders() == 0


def test_sweep_goes_on_with_the_timer_and_asks_for_each_order_once() -> None:
    desk = Desk()
    resting = [desk.order(qty=10) for _ in range(150)]
    desk.engine.halt(desk.t, "router:r1", "HALTED", "alice", "drill")

    turns = [desk.engine.cancels()]
    while turns[-1]:
        desk.engine.timer(desk.t)
        turns.append(desk.engine.cancels())

    assert [len(turn) for turn in turns] == [64, 64, 22, 0]
    assert sorted(order for turn in turns for order in turn) == resting


def test_unanswered_cancel_is_asked_for_again() -> None:
    desk = Desk()
    order = desk.order()
    desk.engine.halt(desk.t, "router:r1", "HALTED", "alice", "drill")

    assert desk.engine.cancels() == [order]
    desk.engine.cancel_rejected(desk.t, order)
    desk.later(SECOND)
    desk.engine.timer(desk.t)

    assert desk.engine.cancels() == [order]


def test_two_people_reinstate() -> None:
    desk = Desk()
    trip = desk.engine.halt(desk.t, "router:r1", "HALTED", "alice", "drill")

    proposal = desk.engine.propose_reinstate(desk.t, "router:r1", trip, "alice", "the drill is over")
    assert desk.engine.state("router:r1") == "HALTED"
    with pytest.raises(riskcore.Refused, match="SAME_PERSON"):
        desk.engine.approve(desk.t, proposal, "alice")
    desk.engine.approve(desk.t, proposal, "bob")

    assert desk.engine.state("router:r1") == "ACTIVE"
    assert desk.engine.trips() == []
    assert desk.order() > 0


def test_newer_halt_voids_the_proposal() -> None:
    desk = Desk()
    trip = desk.engine.halt(desk.t, "router:r1", "CANCEL_ONLY", "alice", "drill")
    proposal = desk.engine.propose_reinstate(desk.t, "router:r1", trip, "alice", "over")
    newer = desk.engine.halt(desk.t, "router:r1", "HALTED", "carol", "not over")

    with pytest.raises(riskcore.Refused, match="TRIP_SUPERSEDED"):
        desk.engine.approve(desk.t, proposal, "bob")
    with pytest.raises(riskcore.Refused, match="TRIP_SUPERSEDED"):
        desk.engine.propose_reinstate(desk.t, "router:r1", trip, "alice", "over")

    assert newer > trip
    assert desk.engine.state("router:r1") == "HALTED"


def test_proposal_expires() -> None:
    desk = Desk()
    trip = desk.engine.halt(desk.t, "router:r1", "HALTED", "alice", "drill")
    proposal = desk.engine.propose_reinstate(desk.t, "router:r1", trip, "alice", "over")
    desk.later(600 * SECOND)

    with pytest.raises(riskcore.Refused, match="UNKNOWN_PROPOSAL"):
        desk.engine.approve(desk.t, proposal, "bob")


def test_what_is_not_halted_cannot_be_reinstated() -> None:
    with pytest.raises(riskcore.Refused, match="NOT_HALTED"):
        Desk().engine.propose_reinstate(1, "router:r1", 1, "alice", "why not")


def test_one_person_tightens_two_loosen() -> None:
    desk = Desk()

    desk.engine.set_limit("symbol:AAPL", "max_order_qty", 50)
    assert desk.name(desk.order()) == "MAX_ORDER_QTY"
    with pytest.raises(riskcore.Refused, match=r"max_order_qty = 100 at symbol:AAPL: .*\(NEEDS_APPROVAL\)"):
        desk.engine.set_limit("symbol:AAPL", "max_order_qty", 100)
    proposal = desk.engine.propose_limit(desk.t, "symbol:AAPL", "max_order_qty", 100, "alice", "a larger client")
    assert desk.name(desk.order()) == "MAX_ORDER_QTY"
    desk.engine.approve(desk.t, proposal, "bob")

    assert desk.order() > 0


def test_one_person_restricts_two_lift() -> None:
    desk = Desk()
    desk.engine.restrict("AAPL", "opening", principal="alice", text="research report due")
    desk.engine.restrict("AAPL", "all", principal="carol")

    for stops in ("opening", None):
        with pytest.raises(riskcore.Refused, match="NEEDS_APPROVAL"):
            desk.engine.restrict("AAPL", stops, principal="alice")
    proposal = desk.engine.propose_restriction(desk.t, "AAPL", None, "alice", "digested")
    with pytest.raises(riskcore.Refused, match="SAME_PERSON"):
        desk.engine.approve(desk.t, proposal, "alice")
    assert desk.order() < 0
    desk.engine.approve(desk.t, proposal, "bob")

    assert desk.order() > 0


def test_list_of_symbols_only_gets_shorter_while_trading() -> None:
    desk = Desk()
    desk.engine.permit("router:r1", ["AAPL", "MSFT"])
    desk.engine.permit("router:r1", ["MSFT"])

    for longer in (["AAPL", "MSFT"], []):
        with pytest.raises(riskcore.Refused, match="NEEDS_APPROVAL"):
            desk.engine.permit("router:r1", longer)

    assert desk.order(router=desk.routers[0]) < 0
    assert desk.order(router=desk.routers[1]) > 0


def test_milder_halt_keeps_the_more_severe_one() -> None:
    desk = Desk()
    desk.engine.halt(desk.t, "router:r1", "HALTED", "alice", "first")

    desk.engine.halt(desk.t, "router:r1", "REDUCE_ONLY", "bob", "second")

    assert desk.engine.state("router:r1") == "HALTED"
    assert [trip.text for trip in desk.engine.trips()] == ["first"]


@pytest.mark.parametrize("number", [0, 9, 10, 99, 100, 4_294_967_296, 10**18 - 1, 2**63 - 1])
def test_numbered_order_is_known_by_its_decimal_text(number: int) -> None:
    desk = Desk(limits={("router:*", "parent_overfill_halt_after"): 1})

    desk.order(account=desk.client, parent=desk.parent, qty=1_100, cl_ord_id=number)

    assert [trip.order_cl_ord_id for trip in desk.engine.trips()] == [str(number)]


def test_cancel_passes_in_every_state() -> None:
    desk = Desk()
    order = desk.order(cl_ord_id=7)
    desk.engine.halt(desk.t, "firm", "REDUCE_ONLY", "alice", "drill")

    assert desk.engine.cancel(desk.t, desk.routers[0], 7) == order
    assert desk.engine.cancels() == [order]


def test_day_loss_halts_without_an_order() -> None:
    desk = Desk(limits={("account:*", "max_day_loss"): 1_000 * USD})
    order = desk.order(qty=1_000)
    desk.engine.trade(desk.t, order, 1_000, ASK)
    assert desk.engine.trips() == []

    desk.engine.tick(desk.t, desk.aapl, ASK - 1 * USD, ASK - 1 * USD + 1)

    (trip,) = desk.engine.trips()
    assert (trip.scope, trip.check, trip.router, trip.order_cl_ord_id) == ("account:ACC1", "LOSS_LIMIT", "", "")
    assert (trip.limit, trip.value) == (1_000 * USD, 1_000 * USD)
    assert desk.engine.pnl("account:ACC1") == -1_000 * USD


def test_router_that_goes_on_when_refused_is_halted() -> None:
    desk = Desk(limits={("router:*", "max_rejects"): 2})
    verdicts = [desk.order(qty=50_010) for _ in range(3)]

    (trip,) = desk.engine.trips()
    assert all(verdict < 0 for verdict in verdicts)
    assert (trip.scope, trip.check, trip.limit, trip.value) == ("router:r1", "REJECT_STORM", 2, 3)
    assert desk.order(router=desk.routers[1]) > 0


def test_router_whose_order_is_not_answered_in_time_is_halted() -> None:
    desk = Desk(limits={("router:*", "max_unacknowledged_age"): SECOND})
    desk.order()
    desk.later(SECOND)
    desk.engine.timer(desk.t)
    assert desk.engine.trips() == []

    desk.later(1)
    desk.engine.timer(desk.t)

    (trip,) = desk.engine.trips()
    assert (trip.scope, trip.check) == ("router:r1", "ACKNOWLEDGEMENT_OVERDUE")
    assert (trip.limit, trip.value) == (SECOND, SECOND + 1)


def test_answer_to_another_order_finds_the_one_that_waits_without_a_timer() -> None:
    desk = Desk(limits={("router:*", "max_unacknowledged_age"): SECOND})
    desk.order()
    desk.later(SECOND + 1)
    answered = desk.order()
    assert desk.engine.trips() == []

    desk.engine.accepted(desk.t, answered)

    (trip,) = desk.engine.trips()
    assert (trip.scope, trip.check) == ("router:r1", "ACKNOWLEDGEMENT_OVERDUE")


def test_report_that_cannot_be_true_stops_its_account_only() -> None:
    desk = Desk()
    order = desk.order()

    desk.engine.trade(desk.t, order, 0, ASK)

    (trip,) = desk.engine.trips()
    assert (trip.scope, trip.state, trip.check) == ("account:ACC1", "CANCEL_ONLY", "BAD_VENUE_REPORT")
    assert desk.order(account=desk.client, parent=desk.parent) > 0
