"""Several currencies through a running gateway: rates from the feed, from two people, and none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.client import PRICE_UNIT, NewOrder, RouterClient, Side, Verdict
from tests.support.gateway import LIMITS, Gateway, Setup, router_token, running_gateway
from tests.support.venue import TRADE, ScriptedVenue
from tests.support.waiting import RPC_SECONDS, eventually, eventually_async

CENT = PRICE_UNIT // 100
ORDER = NewOrder("ACC2", "SAP", Side.BUY, 100, 100 * PRICE_UNIT)
ABROAD = """
[[symbols]]
name = "SAP"
tick = "0.01"
currency = "EUR"
[firm]
base_currency = "USD"
"""


@pytest.fixture
def abroad(tmp_path: Path, venue: ScriptedVenue) -> Iterator[Gateway]:
    """A gateway in dollars that trades a share in euros."""
    limits = LIMITS.replace("market_data_max_age", 'fx_rate_max_age = "3s"\nmarket_data_max_age')
    with running_gateway(tmp_path, venue.address, Setup(extra=ABROAD, limits=limits)) as gateway:
        venue.quote("SAP", 100 * PRICE_UNIT, 10_002 * CENT)
        yield gateway


def rates(gateway: Gateway) -> dict[str, str]:
    """What the command line lists."""
    listed = json.loads(gateway.run("rates", "list", "-o", "json", who="wall").stdout)
    return {rate["currency"]: rate.get("rate", "") for rate in listed["rates"]}


async def test_rate_of_the_feed_values_orders_and_positions(abroad: Gateway, venue: ScriptedVenue) -> None:
    async with RouterClient(abroad.order_entry, "r1", router_token("r1")) as client:

        async def verdict() -> str:
            reject = await client.check(ORDER)
            return reject.name if reject else "accept"

        async def unknown() -> bool:
            return await verdict() == "FX_RATE_NOT_AVAILABLE"

        async def fresh() -> bool:
            return await verdict() == "accept"

        async def stale() -> bool:
            return await verdict() == "FX_RATE_STALE"

        await eventually_async(unknown, "a quote without a rate is worth nothing that could be told")
        # On a thread: the client's heartbeats go on while the command starts.
        assert await asyncio.to_thread(rates, abroad) == {"EUR": ""}
        venue.rate("EUR", 11 * PRICE_UNIT // 10)
        await eventually_async(fresh, "the rate is there")

        order = client.new_order(ORDER)
        assert (await order.outcome(RPC_SECONDS)).verdict is Verdict.ACCEPTED
        (held,) = venue.new_orders(1)
        venue.report(held.cl_ord_id, TRADE, qty=100, price=100 * PRICE_UNIT)
        venue.settle()
        (position,) = json.loads(abroad.run("positions", "-o", "json", who="wall").stdout)["positions"]
        assert (position["currency"], position["cash"]) == ("EUR", str(-10_000 * PRICE_UNIT))
        assert abroad.status().base_currency == "USD"
        assert "limits in USD" in abroad.run("status", who="wall").stdout

        venue.rate("EUR", 2 * PRICE_UNIT)
        venue.quote("SAP", 99 * PRICE_UNIT, 9_901 * CENT)

        def lost() -> bool:
            (held,) = json.loads(abroad.run("positions", "-o", "json", who="wall").stdout)["positions"]
            return bool(held["pnl"] == str(-200 * PRICE_UNIT))

        eventually(lost, "a loss of 100 euros is one of 200 dollars")
        sent = ("r1", "--account", "ACC2", "--side", "buy", "--qty", "100", "--symbol", "SAP", "--price", "99.01")
        assert "valued at 99.01 EUR, at a rate of 2: 19,802" in abroad.run("explain", *sent, who="wall").stdout

        venue.freeze_quotes()
        await eventually_async(stale, "the rate grows old before the price")


def test_rate_of_a_person_takes_two(abroad: Gateway) -> None:
    proposed = abroad.run("rates", "propose", "EUR", "1.0850", "--reason", "the feed is down", "-o", "json")
    proposal = json.loads(proposed.stdout)["proposal_id"]
    assert rates(abroad) == {"EUR": ""}
    assert "value EUR at 1.085" in abroad.run("reinstate", "list").stdout
    assert abroad.run("reinstate", "approve", proposal).returncode != 0

    assert abroad.run("reinstate", "approve", proposal, who="bob").returncode == 0

    assert rates(abroad) == {"EUR": "1085000000"}
    assert "1.085" in abroad.run("rates", "list", who="wall").stdout


@pytest.mark.parametrize(
    ("arguments", "who", "code", "text"),
    [
        (("GBP", "1.25"), "alice", 64, '"GBP" is not configured'),
        (("EUR", "0"), "alice", 1, "BAD_FX_RATE"),
        (("EUR", "one"), "alice", 64, "rate:"),
        (("EUR", "1.1"), "desk", 77, "ProposeFxRate needs risk"),
    ],
)
def test_bad_rate_is_refused(abroad: Gateway, arguments: tuple[str, str], who: str, code: int, text: str) -> None:
    refused = abroad.run("rates", "propose", *arguments, "--reason", "x", who=who)

    assert (refused.returncode, text in refused.stderr) == (code, True), refused.stderr
