"""Actions, soft limits and loosenings that end, through the embedded core."""

from __future__ import annotations

import pytest

import riskcore
from tests.embedding.desk import Desk

NANO = 1_000_000_000


def test_where_no_order_is_judged_there_is_none_to_refuse() -> None:
    with pytest.raises(riskcore.InvalidArgument, match="BAD_ACTION"):
        Desk().engine.set_limit("firm", "max_day_loss", 1, action="reject")


def test_an_unknown_action_is_named_with_those_there_are() -> None:
    with pytest.raises(riskcore.InvalidArgument, match="shadow, notify, reject"):
        Desk().engine.set_limit("firm", "max_turnover_day", 1, action="rejct")


def test_a_hard_limit_knows_no_override() -> None:
    desk = Desk()

    with pytest.raises(riskcore.Refused, match="HARD_LIMIT"):
        desk.engine.propose_limit_override(desk.t, "firm", "max_turnover_day", 1, desk.t + NANO, "alice", "why")


def test_a_loosening_for_a_time_that_has_passed_is_refused() -> None:
    desk = Desk()

    with pytest.raises(riskcore.Refused, match="LAPSED"):
        desk.engine.propose_limit(desk.t, "firm", "max_turnover_day", 1, "alice", "why", until=desk.t)


def test_one_order_passes_a_soft_limit_by_two_people() -> None:
    desk = Desk()
    desk.engine.set_limit("account:ACC1", "max_order_qty", 5, soft=True)
    refused = desk.order(qty=100)

    number = desk.engine.propose_limit_override(
        desk.t, "account:ACC1", "max_order_qty", 100, desk.t + NANO, "alice", "a block trade"
    )
    desk.engine.approve(desk.t, number, "bob")

    assert refused < 0
    assert desk.order(qty=100) > 0
    assert desk.order(qty=101) < 0
