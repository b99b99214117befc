"""One parent order, its first child, a child too many, and a cancel.

Run it beside the gateway of examples/riskgate.toml and the simulated exchange (see README.md). It is what a router and
an order management system do, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio

from gateway.client import PRICE_UNIT, NewOrder, ParentOrdersClient, RouterClient, Side


async def trade(address: str, router: str, router_token: str, oms: str, oms_token: str) -> None:
    """Send the orders, print what became of each."""
    async with (
        ParentOrdersClient(address, oms, oms_token) as parents,
        RouterClient(address, router, router_token) as session,
    ):
        # The quantity comes from the OMS, never from the router: 300 shares, however many children.
        parent = await parents.open("CLIENT-1", account="ACC1", symbol="AAPL", side=Side.BUY, qty=300)
        print(f"parent CLIENT-1: {parent.verdict.value}")

        # A little below the market, so that it rests.
        child = NewOrder("ACC1", "AAPL", Side.BUY, 200, price=99 * PRICE_UNIT, parent="CLIENT-1")
        first = session.new_order(child)
        print(f"200 shares: {(await first.outcome(timeout=5)).verdict.value}")

        # 200 of 300 are out; another 200 would be 100 more than the client ordered.
        second = await session.new_order(child).outcome(timeout=5)
        assert second.reject is not None
        print(f"200 more: {second.verdict.value}, {second.reject.name}: {second.reject.value} of {second.reject.limit}")

        await session.cancel(first).outcome(timeout=5)
        done = await first.done(timeout=5)
        print(f"cancelled: {'still open' if first.is_open else done.verdict.value}")


def main() -> None:
    """Connect as examples/riskgate.toml says, unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:7001", help="the gateway's order entry")
    parser.add_argument("--router", default="smars-1")
    parser.add_argument("--router-token", default="example-token-of-smars-1")
    parser.add_argument("--oms", default="oms1")
    parser.add_argument("--oms-token", default="example-token-of-oms1")
    given = parser.parse_args()
    asyncio.run(trade(given.address, given.router, given.router_token, given.oms, given.oms_token))


if __name__ == "__main__":
    main()
