"""Positions, open exposure, turnover, profit and loss agree with a model in plain Python, over random histories.

The histories have orders and their resends, acknowledgements, partial fills, fills of cancelled orders, more filled than
ordered, busts, cancels, replaces and their answers, reports said twice, quotes and silence.
"""

from __future__ import annotations

from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import riskcore
from tests.embedding.desk import CENT, NAMES, SECOND, USD
from tests.embedding.model import Market, Model, Order, Replace

COLLAR_BPS = 1_000_000
ENDLESS = 10**15 * USD
LIMITS = {
    ("firm", "max_gross_notional"): ENDLESS,
    ("firm", "max_turnover_day"): ENDLESS,
    ("firm", "max_day_loss"): ENDLESS,
    ("account:*", "max_order_notional"): ENDLESS,
    ("account:*", "max_gross_notional"): ENDLESS,
    ("account:*", "max_day_loss"): ENDLESS,
    ("router:*", "message_rate"): 10_000,
    ("symbol:*", "max_order_qty"): 10**9,
    ("symbol:*", "price_collar_bps"): COLLAR_BPS,
    ("symbol:*", "market_data_max_age"): 10**18,
    ("account_symbol:*", "max_long_position"): 10**12,
    ("account_symbol:*", "max_short_position"): 10**12,
}
ACCOUNTS, ROUTERS = ("ACC1", "CLIENT"), ("r1", "r2")
MULTIPLIERS = {"AAPL": 1, "ES": 50}
OPENING = {("ACC1", "ES"): (-7, 5_000 * USD)}
PARENT_QTY = 500

QTY = st.integers(1, 400)
PRICE = st.integers(9_000, 11_000).map(lambda cents: cents * CENT)
PICK = st.integers(0, 2**16)
SPAN = st.sampled_from([0, 1, SECOND, 20 * SECOND, 70 * SECOND, 300 * SECOND, 2_400 * SECOND])


class History(RuleBasedStateMachine):
    """One engine and one model, told the same."""

    opened: ClassVar[int] = 1_000 * SECOND

    def __init__(self) -> None:
        super().__init__()
        self.t = self.opened
        self.engine = riskcore.Engine(max_orders=1_000)
        self.accounts = {name: self.engine.define_account(name, parent_required=name == "CLIENT") for name in ACCOUNTS}
        self.routers = {name: self.engine.define_router(name) for name in ROUTERS}
        self.symbols = {
            name: self.engine.define_symbol(name, tick=CENT, multiplier=multiplier)
            for name, multiplier in MULTIPLIERS.items()
        }
        for (scope, limit), value in LIMITS.items():
            self.engine.set_limit(scope, limit, value)
        self.engine.venue_up(self.t)
        self.model = Model({name: Market(n) for name, n in MULTIPLIERS.items()}, OPENING, {})
        for (account, symbol), (qty, mark) in OPENING.items():
            self.engine.opening_position(self.t, self.accounts[account], self.symbols[symbol], qty, mark)
        for symbol in MULTIPLIERS:
            self.tell_tick(symbol, 100 * USD, 100 * USD + CENT)
        self.parents = {
            name: self.engine.open_parent(
                self.t, name, self.accounts["CLIENT"], self.symbols[name], riskcore.BUY, PARENT_QTY
            )
            for name in MULTIPLIERS
        }
        self.model.parents = dict.fromkeys(MULTIPLIERS, PARENT_QTY)
        self.valued_at: int | None = None
        self.ids = 0

    # ---- Telling both ----

    def tell_tick(self, symbol: str, bid: int, ask: int) -> None:
        self.engine.tick(self.t, self.symbols[symbol], bid, ask)
        self.model.markets[symbol].tick(self.t, bid, ask)

    def send(self, order: Order, cl_ord_id: int) -> int:
        """The core's verdict on an order as the model knows it."""
        return self.engine.new_order(
            self.t,
            self.routers[order.router],
            self.accounts[order.account],
            self.symbols[order.symbol],
            riskcore.BUY if order.buy else riskcore.SELL,
            order.qty,
            order.price or 0,
            self.parents[order.parent] if order.parent else -1,
            cl_ord_id,
            riskcore.LIMIT if order.price else riskcore.MARKET,
            riskcore.DAY,
        )

    def pick(self, n: int) -> tuple[int, Order]:
        """One of the orders; for three numbers of four an open one, if there is any."""
        orders = list(self.model.orders.items())
        if n % 4:
            orders = [(order_id, order) for order_id, order in orders if order.open] or orders
        return orders[n // 4 % len(orders)]

    # ---- Orders ----

    @rule(
        router=st.sampled_from(ROUTERS),
        account=st.sampled_from(ACCOUNTS),
        symbol=st.sampled_from(list(MULTIPLIERS)),
        buy=st.booleans(),
        qty=QTY,
        price=st.one_of(st.none(), PRICE),
    )
    def new_order(self, router: str, account: str, symbol: str, buy: bool, qty: int, price: int | None) -> None:  # noqa: FBT001 - hypothesis passes by name
        parent = symbol if account == "CLIENT" else None
        px_risk = self.model.markets[symbol].risk_price(
            buy=buy or parent is not None, price=price, collar_bps=COLLAR_BPS
        )
        self.ids += 1
        order = Order(router, account, symbol, parent, buy or parent is not None, qty, price, px_risk, self.ids)

        verdict = self.send(order, self.ids)

        if parent and qty > self.model.headroom(parent):
            assert NAMES[-verdict] == "PARENT_OVERFILL"
        else:
            assert verdict > 0, NAMES[-verdict]
            self.model.orders[verdict] = order

    @precondition(lambda self: self.model.orders)
    @rule(n=PICK)
    def resend(self, n: int) -> None:
        order_id, order = self.pick(n)
        if order.pending or order.cl_ord_id >= 10**6:
            return  # its terms are not those it was first sent with

        assert self.send(order, order.cl_ord_id) == order_id

    @precondition(lambda self: self.model.orders)
    @rule(n=PICK)
    def cancel(self, n: int) -> None:
        order_id, order = self.pick(n)

        verdict = self.engine.cancel(self.t, self.routers[order.router], order.cl_ord_id)

        assert verdict == (order_id if order.open else -riskcore.CXL_REJ_TOO_LATE)
        order.cancel_requested |= order.open

    @precondition(lambda self: self.model.orders)
    @rule(n=PICK, qty=QTY, price=PRICE)
    def replace(self, n: int, qty: int, price: int) -> None:
        order_id, order = self.pick(n)
        if order.price is None:
            return
        self.ids += 1
        new_id = 10**6 + self.ids

        verdict = self.engine.replace(self.t, self.routers[order.router], order.cl_ord_id, new_id, qty, price)

        market = self.model.markets[order.symbol]
        px_risk = market.risk_price(buy=order.buy, price=price, collar_bps=COLLAR_BPS)
        added = max(qty, order.reserved) - order.reserved
        if order.pending:
            assert verdict == -riskcore.CXL_REJ_ALREADY_PENDING
        elif not order.open:
            assert verdict == -riskcore.CXL_REJ_TOO_LATE
        elif order.cancel_requested:
            assert verdict == -riskcore.CXL_REJ_ALREADY_PENDING
        elif order.parent and added > max(self.model.headroom(order.parent), 0):
            assert NAMES[-verdict] == "PARENT_OVERFILL"
        else:
            assert verdict == order_id, NAMES.get(-verdict, verdict)
            order.pending = Replace(new_id, qty, price, px_risk)

    # ---- The venue ----

    @precondition(lambda self: self.model.orders)
    @rule(n=PICK)
    def acknowledge(self, n: int) -> None:
        order_id, _ = self.pick(n)

        self.engine.accepted(self.t, order_id)

    @precondition(lambda self: self.model.orders)
    @rule(n=PICK, qty=st.one_of(st.none(), QTY), price=PRICE)
    def fill(self, n: int, qty: int | None, price: int) -> None:
        """The rest, or any quantity, of any order: also of one that is cancelled or filled, and more than was ordered."""
        order_id, order = self.pick(n)
        qty = qty or max(order.qty - order.cum, 1)

        self.engine.trade(self.t, order_id, qty, price)

        self.model.markets[order.symbol].own_fill(self.t)
        order.fills.append((qty, price))
        order.finish_if_filled()

    @precondition(lambda self: any(order.fills for order in self.model.orders.values()))
    @rule(n=PICK)
    def bust(self, n: int) -> None:
        filled = [(order_id, order) for order_id, order in self.model.orders.items() if order.fills]
        order_id, order = filled[n % len(filled)]
        qty, price = order.fills.pop(n % len(order.fills))

        self.engine.trade_cancel(self.t, order_id, qty, price)

    @precondition(lambda self: self.model.orders)
    @rule(n=PICK, refused=st.booleans())
    def gone(self, n: int, refused: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Cancelled or refused; perhaps said before."""
        order_id, order = self.pick(n)

        (self.engine.rejected if refused else self.engine.canceled)(self.t, order_id)

        order.open, order.pending = False, None

    @precondition(lambda self: self.model.orders)
    @rule(n=PICK)
    def cancel_refused(self, n: int) -> None:
        order_id, order = self.pick(n)

        self.engine.cancel_rejected(self.t, order_id)

        order.cancel_requested &= not order.open

    @precondition(lambda self: any(order.pending for order in self.model.orders.values()))
    @rule(n=PICK, refused=st.booleans())
    def replace_answered(self, n: int, refused: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        waiting = [(order_id, order) for order_id, order in self.model.orders.items() if order.pending]
        order_id, order = waiting[n % len(waiting)]
        pending, order.pending = order.pending, None
        assert pending

        if refused:
            self.engine.replace_rejected(self.t, order_id)
        else:
            self.engine.replaced(self.t, order_id)
            order.cl_ord_id, order.qty = pending.cl_ord_id, pending.qty
            order.price, order.px_risk = pending.price, pending.px_risk
        order.finish_if_filled()

    # ---- Time and prices ----

    @rule(symbol=st.sampled_from(list(MULTIPLIERS)), bid=PRICE, spread=st.integers(-1, 50), span=SPAN)
    def quote(self, symbol: str, bid: int, spread: int, span: int) -> None:
        """Also one that is locked or crossed."""
        self.tell_tick(symbol, bid, bid + spread * CENT)
        self.pass_time(span)

    @rule(spans=st.lists(SPAN, max_size=5))
    def pause(self, spans: list[int]) -> None:
        for span in spans:
            self.pass_time(span)

    def pass_time(self, span: int) -> None:
        """Positions are valued with the timer, a second apart or more."""
        self.t += span
        self.engine.timer(self.t)
        if self.valued_at is None or self.t - self.valued_at >= SECOND:
            self.valued_at = self.t
            for market in self.model.markets.values():
                market.advance(self.t)

    # ---- They agree ----

    @invariant()
    def cells_agree(self) -> None:
        for symbol in MULTIPLIERS:
            cells = [(f"symbol:{symbol}", {"symbol": symbol})]
            cells += [(f"account_symbol:{name}/{symbol}", {"account": name, "symbol": symbol}) for name in ACCOUNTS]
            cells += [(f"router_symbol:{name}/{symbol}", {"router": name, "symbol": symbol}) for name in ROUTERS]
            for scope, cell in cells:
                assert self.engine.position(scope) == self.model.position(**cell), scope
                assert self.engine.pnl(scope) == self.model.cell_pnl(**cell), scope
                assert self.engine.gross_notional(scope) == self.model.cell_gross(**cell), scope
                assert self.engine.turnover(scope) == self.model.turnover(**cell), scope

    @invariant()
    def totals_agree(self) -> None:
        totals: list[tuple[str, str, tuple[str, ...]]] = [("firm", "account", ACCOUNTS)]
        totals += [(f"account:{name}", "account", (name,)) for name in ACCOUNTS]
        totals += [(f"router:{name}", "router", (name,)) for name in ROUTERS]
        for scope, kind, names in totals:
            assert self.engine.pnl(scope) == self.model.pnl(kind, names), scope
            assert self.engine.gross_notional(scope) == self.model.gross(kind, names), scope
            where = {} if scope == "firm" else {kind: names[0]}
            assert self.engine.turnover(scope) == self.model.turnover(**where), scope
        assert self.engine.open_orders() == sum(order.open for order in self.model.orders.values())

    @invariant()
    def nobody_is_halted(self) -> None:
        assert self.engine.trips() == []


TestHistory = History.TestCase
TestHistory.settings = settings(stateful_step_count=30)
