"""Market data in real time: quotes that grow old, that make no sense, and that come back."""

from __future__ import annotations

from pathlib import Path

from gateway.client import PRICE_UNIT, NewOrder, RouterClient, Side, Verdict
from tests.support.gateway import LIMITS, Setup, router_token, running_gateway
from tests.support.venue import ScriptedVenue
from tests.support.waiting import RPC_SECONDS, eventually_async

CENT = PRICE_UNIT // 100
ORDER = NewOrder("ACC2", "AAPL", Side.BUY, 100, 100 * PRICE_UNIT)


async def test_old_price_refuses_new_risk_until_it_is_fresh_again(tmp_path: Path, venue: ScriptedVenue) -> None:
    setup = Setup(limits=LIMITS.replace('market_data_max_age = "30s"', 'market_data_max_age = "400ms"'))
    with running_gateway(tmp_path, venue.address, setup) as gateway:
        async with RouterClient(gateway.order_entry, "r1", router_token("r1")) as client:

            async def verdict() -> str:
                reject = await client.check(ORDER)
                return reject.name if reject else "accept"

            async def fresh() -> bool:
                return await verdict() == "accept"

            async def stale() -> bool:
                return await verdict() == "MARKET_DATA_STALE"

            await eventually_async(fresh, "the first quotes are there")
            order = client.new_order(ORDER)
            assert (await order.outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED

            venue.freeze_quotes()
            await eventually_async(stale, "the price grows old")
            assert (await client.cancel(order).outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED

            # A crossed quote is no price.
            venue.quote("AAPL", 10_001 * CENT, 9_999 * CENT)
            assert await stale()
            venue.quote("AAPL", 9_999 * CENT, 10_001 * CENT)
            venue.freeze_quotes(frozen=False)
            await eventually_async(fresh, "the price is fresh again")
