"""The exchange over real gRPC: sequences, fencing, replay, cancel lane, drop copy, quotes, faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
import pytest
from grpc import aio

from exchange_sim.control import Control
from exchange_sim.exchange import Exchange
from exchange_sim.instruments import Instrument
from exchange_sim.server import ListenError, serve
from riskgate.v1 import exchange_pb2 as pb
from riskgate.v1 import exchange_pb2_grpc as rpc
from riskgate.v1 import types_pb2 as types
from tests.simulators.exchange_client import CENT, DOLLAR, ExchangeClient, order
from tests.support.waiting import eventually_async

MID = 100 * DOLLAR


@dataclass
class Running:
    """An exchange that serves, and what a test does with it."""

    exchange: Exchange
    address: str
    stack: AsyncExitStack

    async def client(
        self, gateway: str = "gw1", *, epoch: int = 1, resume_after: int = 0, cancel_on_disconnect: bool = True
    ) -> ExchangeClient:
        """A gateway that has tried to log on."""
        client = ExchangeClient(self.address, gateway)
        self.stack.push_async_callback(client.close)
        await client.log_on(epoch=epoch, resume_after=resume_after, cancel_on_disconnect=cancel_on_disconnect)
        return client

    async def until_gone(self, gateway: str) -> None:
        """Wait until the exchange has noticed that a gateway's session is lost."""

        async def gone() -> bool:
            return self.exchange.gateways[gateway].session is None

        await eventually_async(gone, f"the exchange noticed that {gateway} is gone")

    def control(self, line: str) -> None:
        """Carry out a control command."""
        answer = Control(self.exchange).run(line)
        assert answer["ok"], answer


@asynccontextmanager
async def running(heartbeat_ms: int = 1_000) -> AsyncIterator[Running]:
    exchange = Exchange(
        [Instrument("AAPL", MID, spread_ticks=2), Instrument("MSFT", MID)], heartbeat_ms=heartbeat_ms, quote_ms=100
    )
    server, address = await serve(exchange, "127.0.0.1:0")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, 0)
        yield Running(exchange, address, stack)


async def test_orders_are_answered_in_a_dense_sequence() -> None:
    """Every report and cancel reject has the next venue_seq; heartbeats and the logon have none."""
    async with running() as venue:
        gateway = await venue.client()
        await gateway.send(order(1), order(2, price=MID, ioc=False), pb.VenueCancel(cl_ord_id=9))
        await gateway.until(lambda: len(gateway.cancel_rejects()) == 1, "the cancel was refused")

        assert gateway.venue_seqs() == [1, 2, 3, 4]
        assert gateway.story(1) == ["NEW", "TRADE"]
        assert gateway.story(2) == ["NEW"]
        assert gateway.cancel_rejects()[0].cxl_rej_reason == types.CXL_REJ_REASON_UNKNOWN_ORDER


async def test_a_reconnect_gets_what_it_missed() -> None:
    """Resume after 1: 2 and everything since, once each, then new reports."""
    async with running() as venue:
        first = await venue.client(cancel_on_disconnect=False)
        await first.send(order(1), order(2))
        await first.until_story(2, "NEW", "TRADE")
        await first.close()
        await venue.until_gone("gw1")

        second = await venue.client(resume_after=1)
        await second.send(order(3))
        await second.until_story(3, "NEW", "TRADE")

        assert second.logon_acks()[0].last_client_seq_processed == 2
        assert second.logon_acks()[0].last_venue_seq == 4
        assert second.venue_seqs() == [2, 3, 4, 5, 6]


async def test_losing_the_session_cancels_the_orders_if_the_logon_said_so() -> None:
    """The reports wait for the next session."""
    async with running() as venue:
        for name, wanted in (("gw1", ["NEW", "CANCELED"]), ("gw2", ["NEW"])):
            first = await venue.client(name, cancel_on_disconnect=name == "gw1")
            await first.send(order(1, price=MID, ioc=False))
            await first.until_story(1, "NEW")
            await first.close()
            await venue.until_gone(name)

            second = await venue.client(name)

            await second.until_story(1, *wanted)
            assert [entry.cl_ord_id for entry in await second.mass_status(1)] == ([] if name == "gw1" else [1])


async def test_mass_status_lists_open_orders_and_how_far_the_exchange_has_read() -> None:
    """After every report that led to it."""
    async with running() as venue:
        gateway = await venue.client()
        await gateway.send(order(1, price=MID, ioc=False, qty=300), order(2), order(3, buy=False, qty=100))
        entries = await gateway.mass_status(7)

        assert [(entry.cl_ord_id, entry.order_qty, entry.cum_qty, entry.leaves_qty) for entry in entries] == [
            (1, 300, 100, 200)
        ]
        assert entries[0].ord_status == types.ORD_STATUS_PARTIALLY_FILLED
        end = gateway.mass_status_end(7)
        assert (end.last_client_seq_processed, end.complete, end.fenced) == (3, True, True)
        assert gateway.messages.index(next(m for m in gateway.messages if m.HasField("mass_status_entry"))) > max(
            index for index, message in enumerate(gateway.messages) if message.venue_seq
        )


async def test_a_live_session_keeps_its_place_and_a_higher_epoch_takes_it() -> None:
    """One logon per gateway; a new epoch fences the old one, and the old one can never come back."""
    async with running() as venue:
        first = await venue.client(epoch=5)
        twin = await venue.client(epoch=5)
        assert twin.error is not None
        assert twin.error.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert not first.ended

        successor = await venue.client(epoch=6)
        await first.until(lambda: first.ended, "the old session ended")
        late = await venue.client(epoch=5)

        assert successor.logon_acks()
        assert first.error is not None
        assert first.error.code() == grpc.StatusCode.ABORTED
        assert late.error is not None
        assert "fenced by epoch 6" in str(late.error.details())


async def test_a_silent_session_is_lost() -> None:
    """Three heartbeats without a word: cut, its orders canceled, its place free."""
    async with running(heartbeat_ms=30) as venue:
        gateway = await venue.client()
        await gateway.send(order(1, price=MID, ioc=False))
        await gateway.until(lambda: gateway.ended, "the exchange gave up")

        assert gateway.error is not None
        assert gateway.error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert venue.exchange.venue.open_orders("gw1") == []


async def test_heartbeats_are_sent_and_echoed() -> None:
    """An echo carries the number that was asked for."""
    async with running(heartbeat_ms=50) as venue:
        gateway = await venue.client()
        await gateway.heartbeat(42)
        await gateway.until(
            lambda: (
                {message.heartbeat.test_req_id for message in gateway.messages if message.HasField("heartbeat")}
                >= {0, 42}
            ),
            "both kinds came",
        )


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (pb.ExchangeRequest(client_seq=3, cancel=pb.VenueCancel(cl_ord_id=1)), "INVALID_ARGUMENT", "client_seq 3"),
        (pb.ExchangeRequest(client_seq=1, cancel=pb.VenueCancel(cl_ord_id=1)), "INVALID_ARGUMENT", "client_seq 1"),
        (pb.ExchangeRequest(client_seq=2, new_order=pb.VenueNewOrder(cl_ord_id=2)), "INVALID_ARGUMENT", "ord_type"),
        (pb.ExchangeRequest(), "INVALID_ARGUMENT", "without a body"),
        (pb.ExchangeRequest(logon=pb.ExchangeLogon(gateway="gw1")), "INVALID_ARGUMENT", "unexpected message logon"),
    ],
)
async def test_what_a_gateway_must_not_send_ends_its_session(
    request_: pb.ExchangeRequest, code: str, says: str
) -> None:
    """The status names the numbers or the field."""
    async with running() as venue:
        gateway = await venue.client()
        await gateway.send(order(1))
        await gateway.until_story(1, "NEW", "TRADE")
        await gateway._write(request_)
        await gateway.until(lambda: gateway.ended, "the session ended")

        assert gateway.error is not None
        assert gateway.error.code().name == code
        assert says in str(gateway.error.details())


async def test_the_first_message_must_be_a_logon() -> None:
    """Nothing is taken from a stranger."""
    async with running() as venue, aio.insecure_channel(venue.address) as channel:
        call = rpc.ExchangeStub(channel).Session()
        await call.write(pb.ExchangeSessionRequest(messages=[pb.ExchangeRequest(client_seq=1, new_order=order(1))]))

        assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert venue.exchange.venue.tallies == {}


async def test_the_cancel_lane_works_while_the_order_stream_is_stuck() -> None:
    """Orders wait, cancels do not."""
    async with running() as venue:
        gateway = await venue.client()
        await gateway.send(order(1, price=MID, ioc=False))
        await gateway.until_story(1, "NEW")
        venue.control("set stall_orders on")
        await gateway.send(order(2))

        assert await gateway.cancels(1, 99) == 2
        await gateway.until_story(1, "NEW", "CANCELED")
        assert gateway.story(2) == []
        venue.control("set stall_orders off")
        await gateway.until_story(2, "NEW", "TRADE")


async def test_the_cancel_lane_needs_a_session() -> None:
    """An unknown gateway has nothing to cancel."""
    async with running() as venue:
        gateway = await venue.client()
        gateway.gateway = "nobody"
        with pytest.raises(aio.AioRpcError, match="has not logged on"):
            await gateway.cancels(1)


async def test_the_drop_copy_has_every_execution_and_no_fault_touches_it() -> None:
    """Numbered by itself, with the router that sent the order; a reader may come late."""
    async with running() as venue, aio.insecure_channel(venue.address) as channel:
        gateway = await venue.client()
        venue.control("set lose_reports 100")
        await gateway.send(order(1), order(2, price=MID, ioc=False), order(3, router="r2"))
        stub = rpc.ExchangeStub(channel)
        copies = []
        async for copy in stub.DropCopy(pb.DropCopyRequest(gateway="gw1", resume_after=0)):
            copies.append(copy)
            if copy.drop_seq == 2:
                break

        beginning = copies.pop(0)
        assert (beginning.drop_seq, beginning.HasField("report")) == (0, False)
        assert [(c.drop_seq, c.report.cl_ord_id, c.router, c.symbol) for c in copies] == [
            (1, 1, "r1", "AAPL"),
            (2, 3, "r2", "AAPL"),
        ]
        future = stub.DropCopy(pb.DropCopyRequest(gateway="gw1", resume_after=50))
        assert await future.code() == grpc.StatusCode.OUT_OF_RANGE


async def test_a_gateway_that_began_anew_gets_the_reports_that_are_still_held() -> None:
    """Only within an epoch are reports that are gone a reason to refuse: a new one has nothing to lose by them."""
    async with running() as venue:
        gateway = await venue.client(cancel_on_disconnect=False)
        await gateway.send(order(1, price=MID, ioc=False), order(2, price=MID, ioc=False))
        await gateway.until(lambda: len(gateway.reports()) == 2, "both are acknowledged")
        venue.exchange.gateways["gw1"].reports.popleft()
        anew = await venue.client(epoch=2)
        await anew.until(lambda: len(anew.reports()) == 1, "the report that is held")

        assert [report.cl_ord_id for report in anew.reports()] == [2]


async def test_quotes_come_at_once_on_change_and_again_at_each_interval() -> None:
    """All symbols first; then the one that changed; then all again. Frozen, they stop."""
    async with running() as venue, aio.insecure_channel(venue.address) as channel:
        gateway = await venue.client()
        call = rpc.ExchangeStub(channel).MarketData(pb.MarketDataRequest())
        first = await call.read()
        assert isinstance(first, pb.MarketDataResponse)
        assert [quote.symbol for quote in first.quotes] == ["AAPL", "MSFT"]
        assert (first.quotes[0].bid_px, first.quotes[0].offer_px) == (MID - CENT, MID + CENT)

        await gateway.send(order(1, price=MID, ioc=False))
        seen: list[tuple[str, int]] = []
        repeated = 0
        while ("AAPL", MID) not in seen or repeated < 3:
            frame = await asyncio.wait_for(call.read(), 10)
            assert isinstance(frame, pb.MarketDataResponse)
            assert frame.heartbeat_ms == 100
            repeated += len(frame.quotes) == 2
            seen += [(quote.symbol, quote.bid_px) for quote in frame.quotes]

        venue.control("set freeze_market_data on")
        while frame := await asyncio.wait_for(call.read(), 10):
            assert isinstance(frame, pb.MarketDataResponse)
            if not frame.quotes:
                break
        call.cancel()


async def test_statuses_come_first_and_when_they_change() -> None:
    """Those of the whole market and of each followed symbol in the first frame, then what a command changes."""
    async with running() as venue, aio.insecure_channel(venue.address) as channel:
        call = rpc.ExchangeStub(channel).MarketData(pb.MarketDataRequest(symbols=["AAPL"]))
        first = await call.read()
        assert isinstance(first, pb.MarketDataResponse)
        assert [(s.symbol, s.phase) for s in first.statuses] == [("", types.TRADING_PHASE_CONTINUOUS), ("AAPL", 0)]

        said = pb.SecurityStatus()
        for line in (
            "phase AAPL halted",
            "bands AAPL 99.00 101.00",
            "prior_close AAPL 100",
            "short_sale AAPL not_at_bid",
        ):
            venue.control(line)
        venue.control("phase MSFT halted")
        while not said.symbol or not said.short_sale_restriction:
            frame = await asyncio.wait_for(call.read(), 10)
            assert isinstance(frame, pb.MarketDataResponse)
            for status in frame.statuses:
                assert status.symbol == "AAPL"
                said.CopyFrom(status)
        call.cancel()

        assert said.phase == types.TRADING_PHASE_HALTED
        assert (said.low_limit_px, said.high_limit_px) == (99_000_000_000, 101_000_000_000)
        assert said.prev_close_px == 100_000_000_000
        assert said.short_sale_restriction == types.SHORT_SALE_RESTRICTION_NOT_AT_BID


async def test_a_subscriber_gets_the_symbols_it_named() -> None:
    """And none for a name that is not traded."""
    async with running() as venue, aio.insecure_channel(venue.address) as channel:
        stub = rpc.ExchangeStub(channel)
        for named, expected in ((["MSFT", "NOPE"], ["MSFT"]), (["NOPE"], [])):
            call = stub.MarketData(pb.MarketDataRequest(symbols=named))
            frame = await call.read()
            assert isinstance(frame, pb.MarketDataResponse)
            assert [quote.symbol for quote in frame.quotes] == expected
            call.cancel()


async def test_lost_and_doubled_reports_are_seen_in_the_sequence() -> None:
    """A lost report leaves a gap, and a resume fills it; a doubled one repeats its number."""
    async with running() as venue:
        gateway = await venue.client()
        venue.control("set lose_reports 1")
        await gateway.send(order(1))
        await gateway.until(lambda: gateway.venue_seqs() == [2], "only the trade came")
        venue.control("set duplicate_reports 1")
        await gateway.send(order(2))
        await gateway.until(lambda: gateway.venue_seqs() == [2, 3, 3, 4], "the first report came twice")
        venue.control("disconnect gw1")
        await gateway.until(lambda: gateway.ended, "the session was cut")

        again = await venue.client(resume_after=0)

        await again.until(lambda: again.venue_seqs() == [1, 2, 3, 4], "everything came once")


async def test_drills_reject_delay_and_swallow() -> None:
    """Each switch does what it says and nothing else."""
    async with running() as venue:
        gateway = await venue.client()
        venue.control("set reject_next 1")
        await gateway.send(order(1), order(2, price=MID, ioc=False))
        await gateway.until_story(2, "NEW")
        assert gateway.story(1) == ["REJECTED"]

        venue.control("set ignore_cancels 1")
        await gateway.send(pb.VenueCancel(cl_ord_id=2))
        await gateway.send(pb.VenueCancel(cl_ord_id=2))
        await gateway.until_story(2, "NEW", "CANCELED")

        venue.control("set delay_reports_ms 60000")
        await gateway.send(order(3))
        await gateway.until(lambda: venue.exchange.venue.tallies["r1"].shares == 100, "it executed")
        venue.control("set refuse_logon on")
        other = await venue.client("gw2")
        assert other.error is not None
        assert other.error.code() == grpc.StatusCode.UNAVAILABLE
        assert gateway.story(3) == []


async def test_busts_corrections_and_pins_by_control() -> None:
    """They reach the gateway as TradeCancel and TradeCorrect; a pinned market shows what it was told."""
    async with running() as venue:
        gateway = await venue.client()
        venue.control("pin AAPL 50.00 50.10")
        await gateway.send(order(1), order(2))
        await gateway.until_story(2, "NEW", "TRADE")
        first, second = gateway.reports(1)[1], gateway.reports(2)[1]
        assert first.last_px == 50 * DOLLAR + 10 * CENT

        venue.control(f"bust {first.venue_exec_id}")
        venue.control(f"correct {second.venue_exec_id} 49.00")
        await gateway.until_story(2, "NEW", "TRADE", "TRADE_CORRECT")

        assert gateway.reports(1)[2].exec_ref_id == first.venue_exec_id
        assert (gateway.reports(2)[2].exec_ref_id, gateway.reports(2)[2].last_px) == (
            second.venue_exec_id,
            49 * DOLLAR,
        )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "no command ''"),
        ("fly", "there are set"),
        ("set reject_next", "takes 2 arguments"),
        ("set gravity off", "there are delay_reports_ms"),
        ("set refuse_logon 1", "use on or off"),
        ("set reject_next -1", "takes a count"),
        ("pin AAPL 10 9", "must be below"),
        ("pin NOPE 9 10", "not traded"),
        ("phase AAPL lunch", "is none of closed, pre_open"),
        ("phase NOPE halted", "not traded"),
        ("bands AAPL 10 9", "must be below"),
        ("short_sale AAPL maybe", "is none of none, not_shortable"),
        ("bust 17", "not known"),
        ("bust x", "not an execution number"),
        ("disconnect gw9", "has no session"),
    ],
)
async def test_a_wrong_command_says_what_is_wrong(line: str, says: str) -> None:
    """Nothing changes, the exchange goes on."""
    answer = Control(Exchange([Instrument("AAPL", MID)])).run(line)

    assert not answer["ok"]
    assert says in answer["error"]


async def test_two_exchanges_cannot_share_a_port() -> None:
    """By default grpcio would let them, silently."""
    async with running() as venue:
        with pytest.raises(ListenError, match="taken"):
            await serve(venue.exchange, venue.address)
