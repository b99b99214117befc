"""A small firm around one embedded core, for the tests of this directory."""

from __future__ import annotations

import riskcore

USD = 1_000_000_000
"""One dollar, and one second, in the core's units."""
SECOND = 1_000_000_000
CENT = USD // 100
BID, ASK = 100 * USD, 100 * USD + 2 * CENT

LIMITS: dict[tuple[str, str], int] = {
    ("firm", "max_gross_notional"): 10**9 * USD,
    ("firm", "max_turnover_day"): 10**10 * USD,
    ("firm", "max_day_loss"): 10**8 * USD,
    ("account:*", "max_order_notional"): 10**7 * USD,
    ("account:*", "max_gross_notional"): 10**9 * USD,
    ("account:*", "max_day_loss"): 10**8 * USD,
    ("router:*", "message_rate"): 10_000,
    ("router:*", "parent_overfill_halt_after"): 3,
    ("symbol:*", "max_order_qty"): 50_000,
    ("symbol:*", "price_collar_bps"): 500,
    ("symbol:*", "market_data_max_age"): 10 * SECOND,
    ("account_symbol:*", "max_long_position"): 100_000,
    ("account_symbol:*", "max_short_position"): 100_000,
}
"""Every limit that is required, and none that the flow of these tests meets unless a test says so."""


class Desk:
    """An engine with an account, two routers, two symbols, a strategy, quotes and a parent; and what a test changes."""

    def __init__(
        self,
        *,
        limits: dict[tuple[str, str], int | None] | None = None,
        max_orders: int = 10_000,
        start: int = 1_000 * SECOND,
        adv: int | None = None,
    ) -> None:
        self.engine = riskcore.Engine(max_orders=max_orders, max_parents=100)
        self.account = self.engine.define_account("ACC1", parent_required=False)
        self.client = self.engine.define_account("CLIENT")
        self.routers = [self.engine.define_router(name) for name in ("r1", "r2")]
        self.strategy = self.engine.define_strategy("S1")
        self.aapl = self.engine.define_symbol("AAPL", tick=CENT, lot=10, adv=adv)
        self.msft = self.engine.define_symbol("MSFT", tick=CENT)
        for (scope, limit), value in (LIMITS | (limits or {})).items():
            self.engine.set_limit(scope, limit, value)
        self.t = start
        self.engine.venue_up(self.t)
        for symbol in (self.aapl, self.msft):
            self.engine.tick(self.t, symbol, BID, ASK)
        self.parent = self.engine.open_parent(self.t, "P1", self.client, self.aapl, riskcore.BUY, 1_000)
        self._cl_ord_id = 0

    def later(self, span: int) -> None:
        """Time passes."""
        self.t += span

    def next_id(self) -> int:
        """A fresh ClOrdID."""
        self._cl_ord_id += 1
        return self._cl_ord_id

    def order(self, **changes: int) -> int:
        """A good order, but for what is named; the core's verdict."""
        return self.engine.new_order(**self.arguments(**changes))

    def arguments(self, **changes: int) -> dict[str, int]:
        """The arguments of a good order, but for what is named."""
        good = {
            "t": self.t,
            "router": self.routers[0],
            "account": self.account,
            "symbol": self.aapl,
            "side": riskcore.BUY,
            "qty": 100,
            "price": ASK,
            "parent": -1,
            "ord_type": riskcore.LIMIT,
            "tif": riskcore.DAY,
            "strategy": -1,
            "flags": 0,
        }
        assert not changes.keys() - good.keys() - {"cl_ord_id"}
        return {"cl_ord_id": changes.get("cl_ord_id") or self.next_id()} | good | changes

    def name(self, verdict: int) -> str:
        """The reason of a negative verdict, by its name."""
        return NAMES[-verdict] if verdict < 0 else "accepted"


NAMES = {reason.code: reason.name for reason in riskcore.reasons()}
