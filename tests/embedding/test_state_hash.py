"""The same calls give the same state, in any engine; another call gives another."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

import riskcore
from tests.embedding.desk import ASK, BID, SECOND, Desk
from tests.support import ROOT

MORNING = """
from tests.embedding.test_state_hash import morning
print(morning().engine.state_hash())
"""


def morning() -> Desk:
    """A little of everything."""
    desk = Desk()
    child = {"account": desk.client, "parent": desk.parent}
    orders = [desk.order(), desk.order(side=riskcore.SELL_SHORT, price=BID), desk.order(**child, strategy=0)]
    desk.engine.accepted(desk.t, orders[0])
    desk.engine.trade(desk.t, orders[0], 40, ASK)
    desk.later(SECOND)
    desk.engine.tick(desk.t, desk.aapl, BID + 1, ASK + 1)
    desk.engine.replace(desk.t, desk.routers[0], 2, 22, 200, BID)
    desk.engine.halt(desk.t, "router:r2", "HALTED", "alice", "drill")
    desk.order(qty=50_010)
    desk.engine.canceled(desk.t, orders[2])
    desk.engine.timer(desk.t)
    return desk


def test_same_calls_same_hash() -> None:
    assert morning().engine.state_hash() == morning().engine.state_hash()


def test_same_calls_same_hash_in_another_process() -> None:
    done = subprocess.run([sys.executable, "-c", MORNING], cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(done.stdout) == morning().engine.state_hash()


def test_reading_changes_nothing() -> None:
    desk = morning()
    before = desk.engine.state_hash()

    for scope in ("firm", "account:ACC1", "router:r1", "symbol:AAPL", "account_symbol:ACC1/AAPL"):
        desk.engine.state(scope), desk.engine.pnl(scope), desk.engine.turnover(scope)
        desk.engine.gross_notional(scope), desk.engine.utilization(scope)
    desk.engine.trips(), desk.engine.cancels(), desk.engine.last_reject(), desk.engine.open_orders()

    assert desk.engine.state_hash() == before


@given(st.lists(st.sampled_from(["order", "trade", "tick", "halt", "limit", "later"]), min_size=1, max_size=8))
def test_every_call_that_can_change_a_decision_changes_the_hash(calls: list[str]) -> None:
    desk = Desk()
    order = desk.order()
    seen = {desk.engine.state_hash()}
    for n, call in enumerate(calls, 1):
        match call:
            case "order":
                desk.order(router=desk.routers[1], account=desk.client, parent=desk.parent, qty=10)
            case "trade":
                desk.engine.trade(desk.t, order, 1, ASK)
            case "tick":
                desk.engine.tick(desk.t, desk.aapl, BID - n, ASK + n)
            case "halt":
                desk.engine.halt(desk.t, "strategy:S1", "HALTED", "alice", "drill")
            case "limit":
                desk.engine.set_limit("firm", "max_order_qty", 1_000_000 - n)
            case "later":
                desk.later(1)
                desk.engine.timer(desk.t)
        seen.add(desk.engine.state_hash())

    assert len(seen) == len(calls) + 1
