"""Rates in real time: what the scenarios show to the nanosecond, seen from a router."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gateway.client import PRICE_UNIT, NewOrder, Outcome, RouterClient, Side, Verdict
from riskgate.v1 import types_pb2
from tests.support.gateway import LIMITS, Setup, router_token, running_gateway
from tests.support.venue import ScriptedVenue
from tests.support.waiting import RPC_SECONDS, eventually

ORDER = NewOrder("ACC2", "AAPL", Side.BUY, 1, 100 * PRICE_UNIT)


def with_rate(lines: str) -> Setup:
    return Setup(limits=LIMITS.replace("message_rate = 10_000", lines))


def names(outcomes: list[Outcome]) -> Counter[str]:
    """How often each verdict came, by reject name."""
    return Counter(outcome.reject.name if outcome.reject else outcome.verdict.value for outcome in outcomes)


async def test_burst_beyond_the_rate_is_refused_and_peers_go_on(tmp_path: Path, venue: ScriptedVenue) -> None:
    setup = with_rate('message_rate = 20\nmessage_rate_window = "30s"')
    with running_gateway(tmp_path, venue.address, setup) as gateway:
        async with (
            RouterClient(gateway.order_entry, "r1", router_token("r1")) as loud,
            RouterClient(gateway.order_entry, "r2", router_token("r2")) as quiet,
        ):
            sent = [loud.new_order(ORDER) for _ in range(30)]
            outcomes = [await order.outcome(RPC_SECONDS) for order in sent]
            assert names(outcomes) == {"accepted": 20, "RATE_LIMIT": 10}
            assert (await quiet.new_order(ORDER).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED

            # Cancels are never limited.
            assert (await loud.cancel(sent[0]).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED


async def test_router_that_stays_over_its_rate_is_halted(tmp_path: Path, venue: ScriptedVenue) -> None:
    setup = with_rate('message_rate = 5\nmessage_rate_window = "30s"\nmessage_rate_sustained = "200ms"')
    with running_gateway(tmp_path, venue.address, setup) as gateway:
        async with RouterClient(gateway.order_entry, "r1", router_token("r1")) as loud:
            seen: Counter[str] = Counter()
            while not seen["HALTED"]:
                seen += names([await loud.new_order(ORDER).outcome(RPC_SECONDS)])
                assert sum(seen.values()) < 100_000, seen

        def confirmed() -> bool:
            trip = gateway.status().trips[0]
            return trip.cancels_outstanding == 0

        eventually(confirmed, "the orders that rested are confirmed cancelled")
        trip = gateway.status().trips[0]

    assert (trip.cause.name, trip.scope.name, trip.principal) == ("RATE_LIMIT", "r1", trip.principal)
    assert trip.state == types_pb2.HALT_STATE_HALTED
    assert seen["accepted"] == 5
    assert all(order.leaves == 0 for order in venue.orders.values())
