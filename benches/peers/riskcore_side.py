"""`riskcore`, embedded: flat calls with fresh values each time, and packed batches of 64; an engine as `Engine()` makes it."""

from __future__ import annotations

import struct
import time

from turns import Side, serve

import riskcore

NANO = 1_000_000_000
BID = 100 * NANO
TICK = NANO // 100
STEP_NS = 2_000_000
ENOUGH = 1 << 61
BATCH = 64
SCOPES = {"firm": "firm", "account": "account:*", "router": "router:*", "symbol": "symbol:*"}
OTHERWISE = "account_symbol"
"""Where the few limits are set that must, or can only, be set there."""
TIGHT = {
    "message_rate": 1_000,
    "canary_message_rate": 1_000,
    "max_rejects": 1_000,
    "message_burst": 100,
    "duplicate_orders": 16,
    "duplicate_orders_halt": 32,
    "max_children_factor": 1,
    "max_order_qty": 10_000,
    "max_order_notional": 10_000_000 * NANO,
    "max_order_adv_bps": 10_000,
    "max_concentration_bps": 10_000,
}
WIDE = {"bps": 300, "money": 10**15 * NANO, "quantity": ENOUGH, "ns": ENOUGH}


def set_limits(core: riskcore.Engine) -> None:
    """Every limit of the catalogue at every one of the four scopes where it can be set, out of the way of an ordinary order."""
    for limit in riskcore.limits():
        if limit.action == "parameter":
            continue
        value = TIGHT.get(limit.name, WIDE.get(limit.unit, 10**9))
        places = [SCOPES[kind] for kind in limit.settable_at if kind in SCOPES]
        if OTHERWISE in limit.required_at or not places:
            places.append(f"{OTHERWISE}:*")
        for scope in places:
            core.set_limit(scope, limit.name, value)


class Desk:
    """A core with everything on, and the ids an order needs."""

    def __init__(self) -> None:
        core = riskcore.Engine(touch_pages=True)
        set_limits(core)
        core.set_flags(1)
        core.phases_published()
        self.account = core.define_account("ACC1", smp_group=1)
        self.router = core.define_router("r1")
        core.attest(1, self.router, "1.0", known_flags=1, quarantined=True)
        self.symbol = core.define_symbol("AAPL", tick=TICK, reg_sho=True, luld=True, adv=10**9)
        core.permit("account:ACC1", ["AAPL"])
        core.permit("router:r1", ["AAPL"])
        core.short_sale(1, self.symbol, "free")
        core.prior_close(1, self.symbol, BID)
        core.bands(1, self.symbol, BID // 2, 2 * BID)
        core.phase(1, self.symbol, "continuous")
        core.tick(1, self.symbol, BID, BID + TICK)
        core.readiness_gate(23 * 3_600 * NANO, NANO)
        core.venue_up(1)
        self.sides = (riskcore.BUY, riskcore.SELL_SHORT)
        self.prices = (BID, BID + TICK)
        self.parents = [core.open_parent(1, f"P{side}", self.account, self.symbol, side, ENOUGH) for side in self.sides]
        self.core, self.sent, self.record = core, 0, struct.Struct(riskcore.NEW_ORDER_FORMAT)

    def flat(self, orders: int) -> int:
        """Every order a call with values of its own; making them is the caller's work and not timed."""
        new_order, router, account, symbol = self.core.new_order, self.router, self.account, self.symbol
        day, limit = riskcore.DAY, riskcore.LIMIT
        fresh = [self.fresh(n) for n in range(self.sent, self.sent + orders)]
        begin = time.thread_time_ns()
        verdicts = [
            new_order(t, router, account, symbol, side, qty, price, parent, cl_ord_id, limit, day, -1, 1)
            for t, side, qty, price, parent, cl_ord_id in fresh
        ]
        elapsed = time.thread_time_ns() - begin
        self.settle(verdicts)
        return elapsed

    def fresh(self, n: int) -> tuple[int, int, int, int, int, int]:
        """What differs from order to order: time, side, quantity, price, parent, id."""
        way = n & 1
        return n * STEP_NS, self.sides[way], 100 + n % 64, self.prices[way], self.parents[way], n

    def packed(self, orders: int) -> int:
        """64 orders to a call; packing them is the caller's work and not timed."""
        rows = [self.row(n) for n in range(self.sent, self.sent + orders)]
        batches = [b"".join(rows[first : first + BATCH]) for first in range(0, orders, BATCH)]
        new_orders = self.core.new_orders
        begin = time.thread_time_ns()
        answers = [new_orders(batch) for batch in batches]
        elapsed = time.thread_time_ns() - begin
        self.settle([verdict for answer in answers for (verdict,) in struct.iter_unpack("<q", answer)])
        return elapsed

    def row(self, n: int) -> bytes:
        """One record of a batch."""
        t, side, qty, price, parent, cl_ord_id = self.fresh(n)
        ids = (self.router, self.account, self.symbol, -1, parent)
        return self.record.pack(t, qty, price, cl_ord_id, 1, *ids, side, riskcore.LIMIT, riskcore.DAY)

    def settle(self, verdicts: list[int]) -> None:
        """Takes the orders back, which must all have passed."""
        self.sent += len(verdicts)
        if min(verdicts) <= 0:
            raise RuntimeError(f"an order was refused, so this measured something else: {self.core.last_reject()}")
        for order in verdicts:
            self.core.canceled(self.sent * STEP_NS, order)


def main() -> None:
    """Takes turns."""
    ran = "every limit of the catalogue at firm, account, router and symbol, every rule in force; buys and short sales in turn"
    desk = Desk()
    serve(
        {
            "riskcore, flat call": Side(f"{ran}; Engine.new_order with fresh values each time", desk.flat),
            "riskcore, packed batch": Side(
                f"{ran}; Engine.new_orders, batches of {BATCH} packed beforehand", desk.packed
            ),
        }
    )


if __name__ == "__main__":
    main()
