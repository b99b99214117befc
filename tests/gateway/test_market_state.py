"""What the venue says beside quotes: phases it must have said, a feed that is lost, restrictions that bind."""

from __future__ import annotations

from pathlib import Path

from gateway.client import PRICE_UNIT, NewOrder, RouterClient, Side
from riskgate.v1 import types_pb2 as pb
from tests.support.gateway import Setup, router_token, running_gateway
from tests.support.venue import ScriptedVenue
from tests.support.waiting import eventually_async

BUY = NewOrder("ACC2", "AAPL", Side.BUY, 100, 100 * PRICE_UNIT)
SHORT = NewOrder("ACC2", "GME", Side.SELL_SHORT, 100, 90 * PRICE_UNIT)
EASY = '[[symbols]]\nname = "GME"\ntick = "0.01"\nreg_sho = true\neasy_to_borrow = true\nprior_close = "100"\n'


async def test_lost_feed_leaves_the_phase_unknown_until_the_venue_says_it_again(
    tmp_path: Path, venue: ScriptedVenue
) -> None:
    with running_gateway(tmp_path, venue.address, Setup(venue="publishes_phases = true")) as gateway:
        async with RouterClient(gateway.order_entry, "r1", router_token("r1")) as client:

            async def answers(name: str) -> None:
                async def same() -> bool:
                    reject = await client.check(BUY)
                    return (reject.name if reject else "accept") == name

                await eventually_async(same, name)

            await answers("MARKET_PHASE_UNKNOWN")
            venue.status("", phase=pb.TRADING_PHASE_CONTINUOUS)
            await answers("accept")

            venue.refuse_feeds()
            await answers("MARKET_PHASE_UNKNOWN")
            # It was halted meanwhile: the first thing the new stream says, before any quote.
            venue.status("AAPL", phase=pb.TRADING_PHASE_HALTED)
            venue.admit_feeds()
            await answers("INSTRUMENT_HALTED")
            venue.status("AAPL", phase=pb.TRADING_PHASE_CONTINUOUS)
            await answers("accept")


async def test_configured_prior_close_tells_rule_201(tmp_path: Path, venue: ScriptedVenue) -> None:
    with running_gateway(tmp_path, venue.address, Setup(extra=EASY)) as gateway:
        async with RouterClient(gateway.order_entry, "r1", router_token("r1")) as client:

            async def restricted() -> bool:
                reject = await client.check(SHORT)
                return reject is not None and reject.name == "SHORT_SALE_RESTRICTED"

            async def accepted() -> bool:
                return await client.check(SHORT) is None

            venue.quote("GME", 91 * PRICE_UNIT, 92 * PRICE_UNIT)
            # 90.00 is below the bid by 1.1 %: within the collar, and no rule is in force.
            await eventually_async(accepted, "the quote is there")
            venue.quote("GME", 90 * PRICE_UNIT, 91 * PRICE_UNIT)
            await eventually_async(restricted, "the bid is 10 % below the close")
