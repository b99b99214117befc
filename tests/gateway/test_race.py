"""Routers that race for the last unit of a limit: exactly one gets it (scenario 14)."""

from __future__ import annotations

import threading
from pathlib import Path

from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import types_pb2
from tests.support.gateway import LIMITS, Setup, router_token, running_gateway
from tests.support.scenario.session import RouterSession
from tests.support.venue import ScriptedVenue

ROUTERS = ("r1", "r2", "r3", "r4")
ROUNDS = 100
BURST = 1_000
FRAME = 100
BOUND = 1_500
"""Fewer than the routers send together, more than one of them does."""


def order(name: str) -> pb.RouterMessage:
    """One share, at a price at which it rests."""
    return pb.RouterMessage(
        new_order_single=pb.NewOrderSingle(
            cl_ord_id=name,
            account="ACC2",
            symbol="AAPL",
            side=types_pb2.SIDE_BUY,
            ord_type=types_pb2.ORD_TYPE_LIMIT,
            time_in_force=types_pb2.TIME_IN_FORCE_DAY,
            order_qty=1,
            price=99_000_000_000,
        )
    )


def race(sessions: list[RouterSession], frames: dict[int, list[pb.RouterMessage]]) -> None:
    """Each session sends its messages, from a thread of its own, at the same moment; until all are answered."""
    start = threading.Barrier(len(sessions))

    def send(n: int) -> None:
        start.wait()
        for at in range(0, len(frames[n]), FRAME):
            sessions[n].send_all(frames[n][at : at + FRAME])
        sessions[n].settle()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(len(sessions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def setup(bound: int) -> Setup:
    limits = LIMITS.replace("max_long_position = 100_000", f"max_long_position = {bound}")
    return Setup(routers=ROUTERS, limits=limits, heartbeat="60s")


def refusals(session: RouterSession) -> list[str]:
    return [m.execution_report.reject.name for m in session.messages if m.execution_report.HasField("reject")]


def test_one_of_four_routers_gets_the_last_unit_every_time(tmp_path: Path, venue: ScriptedVenue) -> None:
    with running_gateway(tmp_path, venue.address, setup(1)) as gateway:
        sessions = [RouterSession(gateway.order_entry, name, router_token(name)) for name in ROUTERS]
        for number in range(ROUNDS):
            race(sessions, {n: [order(f"A-{number}")] for n in range(len(sessions))})
            won = venue.new_orders(number + 1)
            assert len(won) == number + 1
            # It ends, and the unit is there to be had again.
            venue.report(won[-1].cl_ord_id, types_pb2.EXEC_TYPE_CANCELED)
            venue.settle()

        assert len(venue.orders) == ROUNDS
        assert [name for session in sessions for name in refusals(session)] == ["POSITION_LIMIT"] * 3 * ROUNDS


def test_bursts_that_meet_at_the_limit_get_all_of_it_and_no_more(tmp_path: Path, venue: ScriptedVenue) -> None:
    with running_gateway(tmp_path, venue.address, setup(BOUND)) as gateway:
        sessions = [RouterSession(gateway.order_entry, name, router_token(name)) for name in ROUTERS]
        race(sessions, {n: [order(f"B-{number}") for number in range(BURST)] for n in range(len(sessions))})

        venue.new_orders(BOUND)
        refused = [name for session in sessions for name in refusals(session)]
        assert refused == ["POSITION_LIMIT"] * (len(ROUTERS) * BURST - BOUND)
        assert len(venue.orders) == BOUND
