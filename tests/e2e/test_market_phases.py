"""A morning at the exchange: collected before the open, executed at it, halted, banded - and the gateway knows each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange_sim.control import ask
from gateway.client import PRICE_UNIT, NewOrder, Report, RouterClient, Side, Verdict
from tests.support.gateway import LIMITS, Setup, gateway_process, router_token
from tests.support.processes import process
from tests.support.waiting import RPC_SECONDS, eventually_async

OWN_COLLAR = LIMITS.replace("price_collar_bps = 300", "price_collar_bps = 300\nprice_collar_auction_bps = 100")


def buy(price: int) -> NewOrder:
    """100 AAPL at so many cents."""
    return NewOrder("ACC2", "AAPL", Side.BUY, 100, price * PRICE_UNIT // 100)


@pytest.mark.timeout(300)
async def test_gateway_follows_the_phases_of_the_exchange(tmp_path: Path) -> None:
    ready, control = tmp_path / "exchange.json", tmp_path / "c"
    arguments = ["exchange_sim", "--listen", "127.0.0.1:0", "--symbol", "AAPL=100.00", "--symbol", "MSFT=30.00"]
    with process([*arguments, "--control", control, "--ready-file", ready], tmp_path / "exchange.log") as venue:
        address = venue.ready(ready)["address"]
        ask(control, "phase * pre_open")
        with gateway_process(tmp_path, address, Setup(venue="publishes_phases = true", limits=OWN_COLLAR)) as gateway:
            async with RouterClient(gateway.order_entry, "r1", router_token("r1")) as router:

                async def answered(order: NewOrder, name: str) -> None:
                    async def same() -> bool:
                        reject = await router.check(order)
                        return (reject.name if reject else "accept") == name

                    await eventually_async(same, f"{order} is answered {name}")

                # Before the open another collar holds; what passes it waits.
                await answered(buy(10_050), "accept")
                await answered(buy(10_200), "PRICE_COLLAR")
                waiting = router.new_order(buy(10_050))
                assert (await waiting.outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED
                ask(control, "phase * continuous")
                done = await waiting.done(timeout=RPC_SECONDS)
                assert isinstance(done.report, Report)
                assert (done.verdict, done.report.cum_qty) == (Verdict.ACCEPTED, 100)
                await answered(buy(10_200), "accept")

                ask(control, "bands AAPL 99.00 101.00")
                await answered(buy(10_200), "LULD_BAND")
                ask(control, "phase AAPL halted")
                await answered(buy(10_050), "INSTRUMENT_HALTED")
                ask(control, "phase * continuous")
                ask(control, "phase AAPL continuous")
                await answered(buy(10_050), "accept")
                ask(control, "phase * closed")
                await answered(buy(10_050), "MARKET_CLOSED")
