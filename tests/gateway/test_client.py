"""The routers' client through a running gateway to a scripted venue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.client import (
    PRICE_UNIT,
    BackpressureError,
    CancelReject,
    Connected,
    Disconnected,
    Event,
    HaltNotice,
    HistoryLost,
    LogonRefusedError,
    NewOrder,
    NotConnectedError,
    OrdStatus,
    ParentOrdersClient,
    Report,
    RouterClient,
    Side,
    Verdict,
)
from gateway.client import outbox as outbox_module
from gateway.wire import scope_of
from riskgate.v1 import admin_pb2 as pb
from tests.support.gateway import (
    TOKENS,
    Gateway,
    GatewayProcess,
    Setup,
    bearer,
    gateway_process,
    router_token,
    running_gateway,
)
from tests.support.relay import relay
from tests.support.venue import NEW, REJECTED, TRADE, ScriptedVenue
from tests.support.waiting import RPC_SECONDS, eventually, eventually_async

E = TypeVar("E", bound=Event)

PRICE = 100 * PRICE_UNIT


def buy(
    qty: int = 100, *, account: str = "ACC2", symbol: str = "AAPL", parent: str = "", cl_ord_id: str = ""
) -> NewOrder:
    """An order on the account that needs no parent, unless told otherwise."""
    return NewOrder(account, symbol, Side.BUY, qty, PRICE, parent=parent, cl_ord_id=cl_ord_id)


@asynccontextmanager
async def router(gateway: Gateway, name: str = "r1", address: str = "") -> AsyncIterator[RouterClient]:
    async with RouterClient(address or gateway.order_entry, name, router_token(name)) as client:
        yield client


class Watch:
    """Collects a client's events in the background."""

    def __init__(self, client: RouterClient) -> None:
        self.events: list[Event] = []
        self._task = asyncio.create_task(self._run(client))

    async def _run(self, client: RouterClient) -> None:
        async for event in client.events():
            self.events.append(event)

    async def until(self, kind: type[E], count: int = 1) -> E:
        """The newest event of a kind once there are so many."""

        async def seen() -> list[E]:
            found: list[E] = [event for event in self.events if isinstance(event, kind)]
            return found if len(found) >= count else []

        return (await eventually_async(seen, f"{count} {kind.__name__}: {self.events}"))[-1]


async def test_order_is_acknowledged_and_filled(gateway: Gateway, venue: ScriptedVenue) -> None:
    async with router(gateway) as client:
        order = client.new_order(buy())
        outcome = await order.outcome(RPC_SECONDS)
        assert outcome.verdict is Verdict.ACCEPTED
        assert order.status is OrdStatus.NEW

        venue.report(order.order_id, TRADE, qty=40, price=PRICE)
        venue.report(order.order_id, TRADE, qty=60, price=PRICE)
        done = await order.done(RPC_SECONDS)

    assert done.verdict is Verdict.ACCEPTED
    assert (order.status, order.cum_qty, order.leaves_qty) == (OrdStatus.FILLED, 100, 0)


async def test_refused_order_says_what_limit_and_value(gateway: Gateway) -> None:
    async with router(gateway) as client:
        outcome = await client.new_order(buy(10_001)).outcome(RPC_SECONDS)

    assert outcome.verdict is Verdict.REJECTED
    assert outcome.reject is not None
    assert (outcome.reject.name, outcome.reject.scope) == ("MAX_ORDER_QTY", "symbol:AAPL")
    assert (outcome.reject.limit, outcome.reject.value) == (10_000, 10_001)


async def test_venue_refusal_is_a_rejection_too(gateway: Gateway, venue: ScriptedVenue) -> None:
    venue.acknowledge = False
    async with router(gateway) as client:
        order = client.new_order(buy())
        (arrived,) = await asyncio.to_thread(venue.new_orders, 1)
        venue.report(arrived.cl_ord_id, REJECTED)

        assert (await order.outcome(RPC_SECONDS)).verdict is Verdict.REJECTED
        assert (await order.done(RPC_SECONDS)).verdict is Verdict.REJECTED


async def test_no_answer_in_time_is_unknown_and_may_become_known(gateway: Gateway, venue: ScriptedVenue) -> None:
    venue.acknowledge = False
    async with router(gateway) as client:
        order = client.new_order(buy())
        assert (await order.outcome(0.05)).verdict is Verdict.UNKNOWN

        (arrived,) = await asyncio.to_thread(venue.new_orders, 1)
        venue.report(arrived.cl_ord_id, NEW)
        assert (await order.outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED


async def test_cancel_goes_out_on_the_lane_and_is_confirmed(gateway: Gateway) -> None:
    async with router(gateway) as client:
        order = client.new_order(buy())
        await order.outcome(RPC_SECONDS)
        request = client.cancel(order)
        outcome = await request.outcome(RPC_SECONDS)

        assert outcome.verdict is Verdict.ACCEPTED
        assert client.cancel(order) is not request
        assert (await client.cancel(order).outcome(RPC_SECONDS)).verdict is Verdict.REJECTED

    assert order.status is OrdStatus.CANCELED


async def test_cancel_that_came_too_late_is_rejected(gateway: Gateway, venue: ScriptedVenue) -> None:
    async with router(gateway) as client:
        order = client.new_order(buy())
        await order.outcome(RPC_SECONDS)
        venue.acknowledge = False
        request = client.cancel(order)
        await asyncio.to_thread(eventually, lambda: venue.orders[order.order_id].cancels, "the cancel is at the venue")
        venue.report(order.order_id, TRADE, qty=100, price=PRICE)

        assert (await request.outcome(RPC_SECONDS)).verdict is Verdict.REJECTED
        assert (await order.done(RPC_SECONDS)).verdict is Verdict.ACCEPTED


async def test_replace_changes_the_order_under_its_new_id(gateway: Gateway) -> None:
    async with router(gateway) as client:
        order = client.new_order(buy(cl_ord_id="a"))
        await order.outcome(RPC_SECONDS)
        outcome = await client.replace(order, 150, PRICE, cl_ord_id="b").outcome(RPC_SECONDS)
        assert outcome.verdict is Verdict.ACCEPTED
        assert (order.cl_ord_id, order.leaves_qty) == ("b", 150)

        refused = await client.replace(order, 20_000, PRICE).outcome(RPC_SECONDS)
        assert refused.verdict is Verdict.REJECTED
        assert refused.reject is not None
        assert refused.reject.name == "MAX_ORDER_QTY"
        assert (await client.cancel(order).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED


async def test_mass_cancel_reports_how_many(gateway: Gateway) -> None:
    async with router(gateway) as client:
        orders = [client.new_order(buy()) for _ in range(3)] + [client.new_order(buy(symbol="MSFT"))]
        for order in orders:
            await order.outcome(RPC_SECONDS)
        outcome = await client.mass_cancel("AAPL").outcome(RPC_SECONDS)

        assert outcome.report is not None
        assert getattr(outcome.report, "total_affected_orders", 0) == 3
        for order in orders[:3]:
            await order.done(RPC_SECONDS)
        assert [order.is_open for order in orders] == [False, False, False, True]


async def test_dry_run_gives_the_verdict_and_changes_nothing(gateway: Gateway, venue: ScriptedVenue) -> None:
    async with router(gateway) as client:
        reject = await client.check(buy(10_001))
        assert reject is not None
        assert reject.name == "MAX_ORDER_QTY"
        assert await client.check(buy()) is None

    assert not venue.orders


async def test_parents_bound_their_children(gateway: Gateway) -> None:
    async with (
        ParentOrdersClient(gateway.order_entry, "oms1", TOKENS["oms1"]) as parents,
        router(gateway) as client,
    ):
        assert await parents.open("P1", account="ACC1", symbol="AAPL", side=Side.BUY, qty=150)
        first = client.new_order(buy(100, account="ACC1", parent="P1"))
        assert (await first.outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED
        second = await client.new_order(buy(100, account="ACC1", parent="P1")).outcome(RPC_SECONDS)
        assert second.reject is not None
        assert second.reject.name == "PARENT_OVERFILL"

        assert await parents.amend("P1", 300)
        assert (
            await client.new_order(buy(100, account="ACC1", parent="P1")).outcome(RPC_SECONDS)
        ).verdict is Verdict.ACCEPTED
        assert await parents.finish("P1")
        closed = await client.new_order(buy(50, account="ACC1", parent="P1")).outcome(RPC_SECONDS)
        assert closed.reject is not None
        assert closed.reject.name == "PARENT_CLOSED"


async def test_refused_parent_says_why(gateway: Gateway) -> None:
    async with ParentOrdersClient(gateway.order_entry, "oms1", TOKENS["oms1"]) as parents:
        refused = await parents.open("P1", account="ACC9", symbol="AAPL", side=Side.BUY, qty=1)

        assert refused.verdict is Verdict.REJECTED
        assert refused.reject is not None
        assert refused.reject.name == "MALFORMED"
        assert refused.reject.field.startswith("account")


async def test_wrong_token_is_final_for_router_and_oms(gateway: Gateway) -> None:
    with pytest.raises(LogonRefusedError, match="no router has this name and token"):
        async with RouterClient(gateway.order_entry, "r1", "wrong"):
            pass
    async with ParentOrdersClient(gateway.order_entry, "oms1", "wrong") as parents:
        with pytest.raises(LogonRefusedError):
            await parents.open("P1", account="ACC1", symbol="AAPL", side=Side.BUY, qty=1)


async def test_halt_reaches_the_router_and_its_orders_are_cancelled(gateway: Gateway) -> None:
    async with router(gateway) as client, router(gateway, "r2") as other:
        watch = Watch(client)
        order = client.new_order(buy())
        await order.outcome(RPC_SECONDS)
        gateway.stub().HaltScope(
            pb.HaltScopeRequest(scope=scope_of("router:r1"), reason="wild"),
            metadata=bearer("desk"),
            timeout=RPC_SECONDS,
        )
        notice = await watch.until(HaltNotice)
        assert (notice.scope, notice.principal) == ("router:r1", "desk")
        assert (await order.done(RPC_SECONDS)).verdict is Verdict.ACCEPTED
        assert order.status is OrdStatus.CANCELED

        refused = await client.new_order(buy()).outcome(RPC_SECONDS)
        assert refused.reject is not None
        assert refused.reject.name == "HALTED"
        assert (await other.new_order(buy()).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED


async def test_nothing_is_queued_while_there_is_no_session(child: GatewayProcess) -> None:
    async with router(child) as client:
        child.process.popen.terminate()
        child.process.wait()

        async def down() -> bool:
            return not client.connected

        await eventually_async(down, "the client notices")
        with pytest.raises(NotConnectedError, match="nothing was sent"):
            client.new_order(buy())
        with pytest.raises(NotConnectedError):
            await client.ready(timeout=0.1)


async def test_client_comes_back_and_hears_what_it_missed(gateway: Gateway, venue: ScriptedVenue) -> None:
    with relay(gateway.order_entry) as cut:
        async with router(gateway, address=cut.address) as client:
            watch = Watch(client)
            order = client.new_order(buy())
            await order.outcome(RPC_SECONDS)
            venue.acknowledge = False
            cut.cut()
            venue.report(order.order_id, TRADE, qty=30, price=PRICE)
            assert (await watch.until(Connected, 2)).resumed

            async def filled() -> bool:
                return order.cum_qty == 30

            await eventually_async(filled, "the fill made while away is known")
            reports = [event.report_seq for event in watch.events if isinstance(event, Report)]

    assert reports == sorted(set(reports))


async def test_order_in_flight_at_a_cut_is_sent_once_or_not_at_all(gateway: Gateway, venue: ScriptedVenue) -> None:
    with relay(gateway.order_entry) as cut:
        async with router(gateway, address=cut.address) as client:
            for turn in range(5):
                order = client.new_order(buy(cl_ord_id=f"cut-{turn}"))
                if turn % 2:
                    await asyncio.sleep(0)
                cut.cut()
                outcome = await order.outcome(RPC_SECONDS)
                assert outcome.verdict in {Verdict.ACCEPTED, Verdict.REJECTED}, outcome
                await client.ready(RPC_SECONDS)

    # Cancel-on-disconnect may have cancelled them, but none was sent twice.
    assert len(venue.orders) <= 5
    assert len({order.message.cl_ord_id for order in venue.orders.values()}) == len(venue.orders)


async def test_frozen_connection_is_noticed_by_heartbeats(tmp_path: Path, venue: ScriptedVenue) -> None:
    often = Setup(heartbeat="500ms")
    with running_gateway(tmp_path, venue.address, often) as gateway, relay(gateway.order_entry) as cut:
        async with router(gateway, address=cut.address) as client:
            watch = Watch(client)
            cut.freeze()
            lost = await watch.until(Disconnected)
            assert "silent" in lost.why
            cut.thaw()
            await watch.until(Connected, 2)


async def test_stale_order_is_not_sent_after_a_long_outage(gateway: Gateway, venue: ScriptedVenue) -> None:
    with relay(gateway.order_entry) as cut:
        client = RouterClient(cut.address, "r1", router_token("r1"), resend_within=0.0)
        async with client:
            cut.freeze()
            order = client.new_order(buy())
            cut.cut()
            outcome = await order.outcome(RPC_SECONDS)

    assert outcome.verdict in {Verdict.NOT_SENT, Verdict.ACCEPTED}
    assert (outcome.verdict is Verdict.NOT_SENT) == (not venue.orders)


async def test_restarted_gateway_makes_open_orders_unknown(tmp_path: Path, venue: ScriptedVenue) -> None:
    place = relay("")
    with place as cut:
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        with gateway_process(tmp_path / "one", venue.address) as first:
            cut.aim(first.order_entry)
            client = RouterClient(cut.address, "r1", router_token("r1"))
            await client.__aenter__()
            watch = Watch(client)
            order = client.new_order(buy())
            await order.outcome(RPC_SECONDS)
            first.process.popen.kill()
            first.process.wait()
        with running_gateway(tmp_path / "two", venue.address) as second:
            cut.aim(second.order_entry)
            lost = await watch.until(HistoryLost)
            assert lost.cl_ord_ids == (order.cl_ord_id,)
            assert (await order.done(RPC_SECONDS)).verdict is Verdict.UNKNOWN
            assert order.unknown
            await client.ready(RPC_SECONDS)
            assert (await client.new_order(buy()).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED
            await client.close()


async def test_second_session_of_a_router_waits_until_the_first_ends(gateway: Gateway) -> None:
    async with router(gateway) as first:
        second = RouterClient(gateway.order_entry, "r1", router_token("r1"))
        task = asyncio.create_task(second.__aenter__())
        order = first.new_order(buy())
        assert (await order.outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED
        assert not task.done()
    await task
    await second.close()


async def test_cancel_of_an_unknown_order_is_refused_and_the_session_goes_on(gateway: Gateway) -> None:
    async with router(gateway) as client:
        watch = Watch(client)
        order = client.new_order(buy(cl_ord_id="x"))
        await order.outcome(RPC_SECONDS)
        order.cl_ord_id = "never-sent"
        client.cancel(order)
        refused = await watch.until(CancelReject)
        assert refused.orig_cl_ord_id == "never-sent"
        assert (await client.new_order(buy()).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED


async def test_too_much_at_once_is_refused_and_nothing_lost(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MAX_HELD", 50)
    async with router(gateway) as client:
        sent = [client.new_order(buy(1)) for _ in range(50)]
        with pytest.raises(BackpressureError, match="await ready"):
            client.new_order(buy(1))
        await client.ready(RPC_SECONDS)
        for order in sent:
            assert (await order.outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("qty", [0, -1, 2**63 - 1], ids=str)
async def test_absurd_quantity_is_a_precise_reject(gateway: Gateway, qty: int) -> None:
    async with router(gateway) as client:
        outcome = await client.new_order(buy(qty)).outcome(RPC_SECONDS)
        assert outcome.verdict is Verdict.REJECTED
        assert outcome.reject is not None
        assert outcome.reject.name in {"INVALID_QUANTITY", "MAX_ORDER_QTY", "MALFORMED"}
        assert (await client.new_order(buy()).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED


async def test_number_beyond_64_bits_is_refused_before_it_is_sent(gateway: Gateway, venue: ScriptedVenue) -> None:
    async with router(gateway) as client:
        with pytest.raises(ValueError, match="out of range"):
            client.new_order(buy(2**63))
        assert not client.open_orders
    assert not venue.orders
