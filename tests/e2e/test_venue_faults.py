"""The exchange misbehaves in small ways: afterwards the gateway's books are the exchange's books."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange_sim.control import ask
from gateway.client import NewOrder, Report, RouterClient, Side, TimeInForce, Verdict
from router_sim.demo.setting import protected
from tests.e2e.floor import ACCOUNT, STOCK, UNEVEN, Floor, floor, until, until_status
from tests.support.waiting import RPC_SECONDS, eventually_async

AWAY = STOCK.mid0 // 100 * 99 // 10_000_000 * 10_000_000
"""A price one percent below the market: it rests."""


class Desk:
    """One router that trades by hand on a floor."""

    def __init__(self, hall: Floor, router: RouterClient) -> None:
        self.hall = hall
        self.router = router
        self.last_exec_id = 0

    def drill(self, command: str) -> None:
        """Make the exchange misbehave."""
        ask(self.hall.control, command)

    async def take(self, qty: int = 100) -> Verdict:
        """Buy at the market; how the order ended."""
        tif = TimeInForce.IMMEDIATE_OR_CANCEL
        order = NewOrder(ACCOUNT, STOCK.name, Side.BUY, qty, time_in_force=tif, parent="P1")
        outcome = await self.router.new_order(order).done(timeout=RPC_SECONDS)
        if isinstance(outcome.report, Report):
            self.last_exec_id = outcome.report.venue_exec_id
        return outcome.verdict

    def net(self) -> int:
        """The position by the exchange's own books."""
        net: int = self.hall.venue_router("smars-1")["net"].get(STOCK.name, 0)
        return net


@pytest.mark.timeout(300)
async def test_rejects_duplicates_losses_delays_cuts_and_busts(tmp_path: Path) -> None:
    """One after the other; the position is right each time and no order stays open."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        hall.start_gateway(protected(UNEVEN))
        async with hall.watcher() as watcher, hall.oms() as oms:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            assert await oms.open("P1", account=ACCOUNT, symbol=STOCK.name, side=Side.BUY, qty=10_000)
            async with hall.router("smars-1") as router:
                desk = Desk(hall, router)

                async def agrees(what: str) -> None:
                    async def position() -> tuple[int, int]:
                        found = [p for p in await watcher.positions() if p.symbol == STOCK.name]
                        return (found[0].position, found[0].open_buy_qty) if found else (0, 0)

                    assert await position() == (desk.net(), 0), what

                assert await desk.take() is Verdict.ACCEPTED
                await agrees("a plain order")

                desk.drill("set reject_next 1")
                assert await desk.take() is Verdict.REJECTED
                await agrees("a reject releases what was reserved")

                desk.drill("set duplicate_reports 10")
                assert await desk.take() is Verdict.ACCEPTED
                desk.drill("set duplicate_reports 0")
                await agrees("a doubled fill counts once")

                desk.drill("set delay_reports_ms 300")
                assert await desk.take() is Verdict.ACCEPTED
                desk.drill("set delay_reports_ms 0")
                await agrees("late reports are reports")

                desk.drill("set lose_reports 1")
                assert await desk.take() is Verdict.ACCEPTED
                await until_status(watcher, lambda status: status.venue_reconciled, "the gap was filled")
                await agrees("a lost report is asked for again")

                resting = router.new_order(NewOrder(ACCOUNT, STOCK.name, Side.BUY, 100, price=AWAY, parent="P1"))
                assert (await resting.outcome(timeout=RPC_SECONDS)).verdict is Verdict.ACCEPTED
                desk.drill("disconnect gw1")
                await resting.done(timeout=RPC_SECONDS)
                await until_status(watcher, lambda status: status.venue_reconciled, "the link is back")
                await until(lambda: hall.venue_router("smars-1")["open_orders"] == 0, "cancel on disconnect")
                await agrees("a cut session leaves nothing open")

                assert await desk.take() is Verdict.ACCEPTED
                await agrees("and trading goes on")
                assert desk.net() == 500

                desk.drill(f"bust {desk.last_exec_id}")
                assert desk.net() == 400

                async def taken_back() -> bool:
                    return [p.position for p in await watcher.positions() if p.symbol == STOCK.name] == [400]

                await eventually_async(taken_back, "the bust was booked")
                assert (await watcher.status()).unknown_orders == 0


@pytest.mark.timeout(300)
async def test_without_fresh_quotes_nothing_that_needs_a_price_passes(tmp_path: Path) -> None:
    """Stale within a second of the last quote; the first new one ends it."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        # The same order again and again is what this test sends.
        hall.start_gateway(protected(["duplicates", "repeated_execution"]))
        async with hall.watcher() as watcher, hall.oms() as oms, hall.router("smars-1") as router:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            assert await oms.open("P1", account=ACCOUNT, symbol=STOCK.name, side=Side.BUY, qty=1_000_000)
            desk = Desk(hall, router)

            async def answer() -> str:
                order = NewOrder(
                    ACCOUNT,
                    STOCK.name,
                    Side.BUY,
                    100,
                    time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
                    parent="P1",
                )
                outcome = await router.new_order(order).done(timeout=RPC_SECONDS)
                return outcome.reject.name if outcome.reject is not None else outcome.verdict.value

            async def accepted() -> bool:
                return await answer() == "accepted"

            async def stale() -> bool:
                return await answer() == "MARKET_DATA_STALE"

            await eventually_async(accepted, "with quotes it trades")
            desk.drill("set freeze_market_data on")
            await eventually_async(stale, "the quote grew old")
            desk.drill("set freeze_market_data off")
            await eventually_async(accepted, "with quotes it trades again")
