"""One decision of the core, embedded in Python.

Goal: nanoseconds per order, flat calls (order, acknowledgement, fill) and packed batches (order alone), every check on.
Not in it: gRPC, records, other threads. The state hash is printed so that two runs can be seen to have done the same.
"""

from __future__ import annotations

import argparse
import struct
import time
from collections.abc import Callable

import riskcore

NANO = 1_000_000_000
PRICE = 100 * NANO
STEP_NS = 1_000  # one order in a microsecond of virtual time
BATCH = 256
LIMITS = {
    "firm": {"max_gross_notional": 10**24, "max_turnover_day": 10**27, "max_day_loss": 10**24},
    "account:*": {"max_order_notional": 10**18, "max_gross_notional": 10**24, "max_day_loss": 10**24},
    "router:*": {"message_rate": 1_000_000, "message_burst": 100_000},
    "symbol:*": {"max_order_qty": 10_000, "price_collar_bps": 300, "market_data_max_age": 3_600 * NANO},
    "account_symbol:*": {"max_long_position": 10**9, "max_short_position": 10**9},
}


def engine(orders: int) -> tuple[riskcore.Engine, int, int, int]:
    """A core with every limit set wide, and its account, router and symbol."""
    core = riskcore.Engine(max_orders=orders)
    for scope, limits in LIMITS.items():
        for limit, value in limits.items():
            core.set_limit(scope, limit, value)
    account = core.define_account("ACC1", parent_required=False)
    router = core.define_router("r1")
    symbol = core.define_symbol("AAPL", tick=NANO // 100)
    core.venue_up(1)
    core.tick(1, symbol, PRICE - NANO // 100, PRICE + NANO // 100)
    return core, account, router, symbol


def flat(orders: int) -> tuple[int, riskcore.Engine]:
    """Order, acknowledgement, fill; buys and sells in turn. Nanoseconds, and the core afterwards."""
    core, account, router, symbol = engine(orders)
    new_order, accepted, trade = core.new_order, core.accepted, core.trade
    sides = (riskcore.BUY, riskcore.SELL)

    begin = time.perf_counter_ns()
    for n in range(orders):
        now = 2 + n * STEP_NS
        order = new_order(now, router, account, symbol, sides[n & 1], 100, PRICE, -1, n)
        accepted(now, order)
        trade(now, order, 100, PRICE)
    return time.perf_counter_ns() - begin, core


def packed(orders: int) -> tuple[int, riskcore.Engine]:
    """Orders alone, 256 to a batch, packed beforehand. Nanoseconds, and the core afterwards."""
    core, account, router, symbol = engine(orders)
    record = struct.Struct(riskcore.NEW_ORDER_FORMAT)
    sides = (riskcore.BUY, riskcore.SELL)
    rows = [
        record.pack(
            2 + n * STEP_NS,
            100,
            PRICE,
            n,
            0,
            router,
            account,
            symbol,
            -1,
            -1,
            sides[n & 1],
            riskcore.LIMIT,
            riskcore.DAY,
        )
        for n in range(orders)
    ]
    batches = [b"".join(rows[first : first + BATCH]) for first in range(0, orders, BATCH)]

    begin = time.perf_counter_ns()
    for batch in batches:
        core.new_orders(batch)
    return time.perf_counter_ns() - begin, core


def measure(name: str, work: Callable[[int], tuple[int, riskcore.Engine]], orders: int, repeat: int) -> None:
    """The best of some runs: the others were disturbed."""
    runs = [work(orders) for _ in range(repeat)]
    best = min(elapsed for elapsed, _ in runs)
    core = runs[0][1]
    refused = core.last_reject()
    assert refused is None, f"an order was refused, so this measured something else: {refused}"
    print(
        f"{name:24} {best / orders:7,.0f} ns an order  {orders * NANO // best:>11,} /s  hash {core.state_hash():016x}"
    )


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    measure("flat: order, ack, fill", flat, given.orders, given.repeat)
    measure("packed: order", packed, given.orders, given.repeat)


if __name__ == "__main__":
    main()
