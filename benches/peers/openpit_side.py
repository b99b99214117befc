"""`openpit`, embedded: its four policies, set up as its Getting Started page does."""

from __future__ import annotations

import datetime as dt
import time

import openpit
from openpit.param import AccountId, Pnl, Price, Quantity, Side, TradeAmount, Volume
from openpit.pretrade import policies
from turns import Side as Turn
from turns import serve

ACCOUNT = AccountId.from_int(99224416)
AAPL = openpit.Instrument("AAPL", "USD")
SIDES = (Side.BUY, Side.SELL)
MOST_QUANTITY, MOST_NOTIONAL = Quantity("10000"), Volume("10000000")
POLICIES = (
    "openpit 0.10.0: order validation, order size (broker and both assets), rate limit (broker) and P&L kill switch (broker), "
    "as in its Getting Started page; execute_pre_trade and commit"
)


def engine() -> openpit.Engine:
    """Limits that no order comes near, for one thread."""
    rate = policies.RateLimit(max_orders=10**9, window=dt.timedelta(seconds=1))
    loss = policies.PnlBoundsBrokerBarrier(settlement_asset="USD", lower_bound=Pnl("-1000000000000000"))
    both = policies.OrderSizeLimit(max_quantity=MOST_QUANTITY, max_notional=MOST_NOTIONAL)
    size = policies.build_order_size_limit().broker_barrier(policies.OrderSizeBrokerBarrier(limit=both))
    size.asset_barriers(
        policies.OrderSizeAssetBarrier(limit=policies.OrderSizeLimit(max_quantity=MOST_QUANTITY), asset="AAPL"),
        policies.OrderSizeAssetBarrier(limit=policies.OrderSizeLimit(max_notional=MOST_NOTIONAL), asset="USD"),
    )
    return (
        openpit.Engine.builder()
        .no_sync()
        .builtin(policies.build_order_validation())
        .builtin(policies.build_pnl_bounds_killswitch().broker_barriers(loss))
        .builtin(policies.build_rate_limit().broker_barrier(policies.RateLimitBrokerBarrier(limit=rate)))
        .builtin(size)
        .build()
    )


def order(side: Side, quantity: int) -> openpit.Order:
    """An order of these values."""
    return openpit.Order(
        operation=openpit.OrderOperation(
            instrument=AAPL,
            account_id=ACCOUNT,
            side=side,
            trade_amount=TradeAmount.quantity(quantity),
            price=Price("100"),
        )
    )


def main() -> None:
    """Takes turns."""
    pit = engine()
    again = order(Side.BUY, 100)

    def building(orders: int) -> int:
        fresh = [(SIDES[n & 1], 100 + n % 64) for n in range(orders)]
        begin = time.thread_time_ns()
        for side, quantity in fresh:
            pit.execute_pre_trade(order=order(side, quantity)).reservation.commit()
        return time.thread_time_ns() - begin

    def reusing(orders: int) -> int:
        begin = time.thread_time_ns()
        for _ in range(orders):
            pit.execute_pre_trade(order=again).reservation.commit()
        return time.thread_time_ns() - begin

    serve(
        {
            "openpit, building its order": Turn(f"{POLICIES}; the order is built each time", building),
            "openpit, re-using its order": Turn(f"{POLICIES}; the same order object each time", reusing),
        }
    )


if __name__ == "__main__":
    main()
