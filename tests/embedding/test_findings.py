"""Findings through the flat calls."""

from __future__ import annotations

import pytest

import riskcore
from tests.embedding.desk import ASK, BID, Desk

MS = 1_000_000


def fleet() -> tuple[Desk, list[int]]:
    desk = Desk()
    return desk, [desk.engine.define_router(name) for name in ("smars-6", "smars-7", "smars-8")]


def refuse(desk: Desk, router: int, text: str) -> None:
    """The venue refuses an order of a router, and 100 ms pass."""
    desk.engine.tick(desk.t, desk.aapl, BID, ASK)
    desk.engine.rejected(desk.t, desk.order(router=router), text)
    desk.later(100 * MS)
    desk.engine.timer(desk.t)


def test_words_of_the_venue_at_one_router_are_one_loud_finding() -> None:
    desk, routers = fleet()
    desk.engine.known("venue_reject:Not shortable")
    refuse(desk, routers[0], "Not shortable")
    refuse(desk, routers[0], "")
    assert desk.engine.findings() == []

    for n in range(97):
        refuse(desk, routers[2], f"Power Peg disabled: order {n}")
    (finding,) = desk.engine.findings()
    assert finding[:6] == (1, "venue_reject", "Power Peg disabled: order #", "smars-8", 97, 97)
    assert (finding.loud, finding.acknowledged_by) == (True, "")

    desk.engine.acknowledge_finding(desk.t, 1, "alice", "old build on server 8")
    assert desk.engine.findings()[0].acknowledged_by == "alice"
    with pytest.raises(riskcore.Refused, match="FINDING_ACKNOWLEDGED"):
        desk.engine.acknowledge_finding(desk.t, 1, "bob", "again")
    with pytest.raises(riskcore.Refused, match="UNKNOWN_FINDING"):
        desk.engine.acknowledge_finding(desk.t, 2, "bob", "none")


@pytest.mark.parametrize("text", ["", "venue_reject:", "flag:64", "flag:x", "ord_type:STOP", "refusal:NOPE", "nothing"])
def test_what_names_nothing_cannot_be_known(text: str) -> None:
    with pytest.raises(riskcore.InvalidArgument, match="names nothing"):
        Desk().engine.known(text)
