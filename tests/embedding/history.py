"""One engine and one model, told the same: every step of a history, and what must agree after it."""

from __future__ import annotations

import riskcore
from tests.embedding.desk import CENT, SECOND, USD
from tests.embedding.model.ask import Refusal
from tests.embedding.model.books import Books, is_cell
from tests.embedding.model.firm import Firm, Terms
from tests.embedding.model.limits import Limits
from tests.embedding.model.market import Market
from tests.embedding.model.orders import Order, Replace
from tests.embedding.model.used import AT_LEAST, USED

ENDLESS = 10**15 * USD
REQUIRED: list[tuple[str, str, int]] = [
    ("firm", "max_gross_notional", ENDLESS),
    ("firm", "max_turnover_day", ENDLESS),
    ("firm", "max_day_loss", ENDLESS),
    ("account:*", "max_order_notional", ENDLESS),
    ("account:*", "max_gross_notional", ENDLESS),
    ("account:*", "max_day_loss", ENDLESS),
    ("router:*", "message_rate", 10_000),
    ("symbol:*", "max_order_qty", 10**9),
    ("symbol:*", "price_collar_bps", 100_000),
    ("symbol:*", "market_data_max_age", 10**18),
    ("account_symbol:*", "max_long_position", 10**12),
    ("account_symbol:*", "max_short_position", 10**12),
    ("account_symbol:*", "short_locate", 10**12),
]
"""What no order can do without, and no history reaches."""

ACCOUNTS, ROUTERS, STRATEGIES = ("ACC1", "CLIENT"), ("r1", "r2"), ("S1",)
SIDES = {
    "buy": riskcore.BUY,
    "sell": riskcore.SELL,
    "short": riskcore.SELL_SHORT,
    "exempt": riskcore.SELL_SHORT_EXEMPT,
}
PARENTS = {"P1": ("AAPL", "buy", 500), "P2": ("ES", "buy", 800), "P3": ("AAPL", "sell", 400)}
"""Parents of CLIENT: symbol, side, quantity."""
OPENING = {("ACC1", "ES"): (-7, 5_000 * USD), ("ACC1", "AAPL"): (120, 99 * USD)}
NO_NUMBERS = {"NO_LIMIT_CONFIGURED", "SELF_MATCH", "HALTED", "REDUCE_ONLY"}
"""Refusals whose numbers are codes, trips, or not for everybody's eyes."""


class History:
    """A small firm. A step's numbers are taken modulo what there is."""

    def __init__(self, limits: list[tuple[str, str, int, str | None]], quoted: tuple[str, ...]) -> None:
        self.t = 1_000 * SECOND
        self.engine = riskcore.Engine(max_orders=1_000, max_parents=16)
        engine = self.engine
        self.ids = {
            name: engine.define_account(name, parent_required=name == "CLIENT", smp_group=1) for name in ACCOUNTS
        }
        self.ids |= {name: engine.define_router(name) for name in ROUTERS}
        self.ids |= {name: engine.define_strategy(name) for name in STRATEGIES}
        markets = {"AAPL": Market(lot=10, adv=5_000, reg_sho=True), "ES": Market(multiplier=50)}
        for name, market in markets.items():
            self.ids[name] = engine.define_symbol(
                name, tick=CENT, lot=market.lot, multiplier=market.multiplier, reg_sho=market.reg_sho, adv=market.adv
            )
        engine.short_sale(self.t, self.ids["AAPL"], "free")
        books = Books(ACCOUNTS, ROUTERS, markets, OPENING)
        self.firm = Firm(books, Limits(), frozenset({"CLIENT"}), frozenset(ACCOUNTS))
        for (account, symbol), (qty, mark) in OPENING.items():
            engine.opening_position(self.t, self.ids[account], self.ids[symbol], qty, mark)
            markets[symbol].seed(mark)
        for target, name, value, action in [*[(*limit, None) for limit in REQUIRED], *limits]:
            self.limit(target=target, name=name, value=value, action=action)
        self.newest_trip: dict[str, int] = {}
        self.last_id = 0
        self.firm.begin(self.t)
        engine.venue_up(self.t)
        for name, (symbol, side, qty) in PARENTS.items():
            self.ids[name] = engine.open_parent(self.t, name, self.ids["CLIENT"], self.ids[symbol], SIDES[side], qty)
            self.firm.register(name, "CLIENT", symbol, qty, buys=side == "buy")
        for symbol in quoted:
            self.quote(symbol=symbol, bid=100 * USD, spread=2)
        self.firm.end()

    def step(self, name: str, arguments: dict[str, object]) -> None:
        """Take one, and compare."""
        self.firm.begin(self.t)
        getattr(self, name)(**arguments)
        self.firm.end()
        self.compare()

    # ---- Orders ----

    def terms(self, order: Terms) -> int:
        """The core's verdict on an order as the model knows it."""
        return self.engine.new_order(
            self.t,
            self.ids[order.router],
            self.ids[order.account],
            self.ids[order.symbol],
            SIDES[order.side],
            order.qty,
            order.price or 0,
            self.ids[order.parent] if order.parent else -1,
            order.cl_ord_id,
            riskcore.MARKET if order.price is None else riskcore.LIMIT,
            riskcore.DAY if order.rests else riskcore.IOC,
            self.ids[order.strategy] if order.strategy else -1,
        )

    def order(
        self, *, router: str, account: str, symbol: str, strategy: str | None, parent: str | None, side: str, qty: int,
        price: int | None, rests: bool,
    ) -> None:  # fmt: skip
        """A new order, and at once the same message again."""
        self.last_id += 1
        terms = Terms(
            router=router, account=account, symbol=symbol, strategy=strategy, parent=parent, side=side, qty=qty,
            price=price, rests=rests, cl_ord_id=self.last_id,
        )  # fmt: skip
        verdict = self.terms(terms)
        self.same_verdict(verdict, self.firm.new_order(terms, verdict))
        if verdict > 0:
            assert self.terms(terms) == verdict, "a resend is answered"

    def same_verdict(self, verdict: int, refusal: Refusal | None) -> None:
        """The core's answer is the model's: in its reason, its scope and its numbers."""
        if refusal is None:
            assert verdict > 0, self.engine.last_reject()
            return
        assert verdict < 0, refusal
        if refusal.reason.startswith("CXL_REJ"):
            assert -verdict == getattr(riskcore, refusal.reason)
            return
        reject = self.engine.last_reject()
        assert reject
        assert reject.code == -verdict
        assert (reject.name, reject.scope) == refusal[:2], (reject, refusal)
        if refusal.reason not in NO_NUMBERS:
            assert (reject.limit, reject.value) == refusal[2:4], (reject, refusal)

    def pick(self, n: int) -> tuple[int, Order] | None:
        """One of the orders; for three numbers of four an open one, if there is any."""
        orders = list(self.firm.books.orders.items())
        if n % 4:
            orders = [(order_id, order) for order_id, order in orders if order.open] or orders
        return orders[n // 4 % len(orders)] if orders else None

    def cancel(self, *, n: int) -> None:
        """Passes for every open order."""
        if picked := self.pick(n):
            order_id, order = picked
            verdict = self.engine.cancel(self.t, self.ids[order.router], order.cl_ord_id)
            assert verdict == (order_id if self.firm.cancel(order) else -riskcore.CXL_REJ_TOO_LATE)

    def replace(self, *, n: int, qty: int, price: int) -> None:
        """Of a limit order."""
        picked = self.pick(n)
        if not picked or picked[1].price is None:
            return
        _, order = picked
        self.last_id += 1
        router = self.ids[order.router]
        verdict = self.engine.replace(self.t, router, order.cl_ord_id, self.last_id, qty, price)
        self.same_verdict(verdict, self.firm.replace(order, Replace(self.last_id, qty, price, 0)))

    # ---- The venue ----

    def acknowledge(self, *, n: int) -> None:
        """It has the order."""
        if picked := self.pick(n):
            self.engine.accepted(self.t, picked[0])
            self.firm.accepted(picked[1])

    def fill(self, *, n: int, qty: int | None, price: int) -> None:
        """The rest, or any quantity, of any order: also of one that is cancelled or filled, and more than was ordered."""
        if picked := self.pick(n):
            qty = qty or max(picked[1].qty - picked[1].cum, 1)
            self.engine.trade(self.t, picked[0], qty, price)
            self.firm.trade(picked[1], qty, price)

    def bust(self, *, n: int) -> None:
        """An execution is taken back."""
        filled = [(order_id, order) for order_id, order in self.firm.books.orders.items() if order.fills]
        if filled:
            order_id, order = filled[n % len(filled)]
            self.engine.trade_cancel(self.t, order_id, *self.firm.bust(order, n))

    def gone(self, *, n: int, refused: bool) -> None:
        """Cancelled or refused; perhaps said before."""
        if picked := self.pick(n):
            (self.engine.rejected if refused else self.engine.canceled)(self.t, picked[0])
            self.firm.gone(picked[1], refused=refused)

    def cancel_refused(self, *, n: int) -> None:
        """The order stays."""
        if picked := self.pick(n):
            self.engine.cancel_rejected(self.t, picked[0])
            self.firm.cancel_refused(picked[1])

    def replace_answered(self, *, n: int, refused: bool) -> None:
        """Of an order with a replace in flight, for seven numbers of eight; of any other it cannot be true."""
        waiting = [(order_id, order) for order_id, order in self.firm.books.orders.items() if order.pending]
        picked = waiting[n // 8 % len(waiting)] if waiting and n % 8 else self.pick(n) if n % 8 == 0 else None
        if picked:
            (self.engine.replace_rejected if refused else self.engine.replaced)(self.t, picked[0])
            (self.firm.replace_refused if refused else self.firm.replaced)(picked[1])

    # ---- Markets and time ----

    def quote(self, *, symbol: str, bid: int, spread: int) -> None:
        """Also one that is locked or crossed."""
        self.engine.tick(self.t, self.ids[symbol], bid, bid + spread * CENT)
        self.firm.tick(symbol, bid, bid + spread * CENT)

    def pause(self, *, span: int) -> None:
        """Time passes."""
        self.t += span
        self.firm.begin(self.t)
        self.engine.timer(self.t)
        self.firm.timer()

    def phase(self, *, symbol: str, phase: str) -> None:
        """Of an instrument."""
        self.engine.phase(self.t, self.ids[symbol], phase)
        self.firm.markets[symbol].phase = phase

    # ---- People ----

    def limit(self, *, target: str, name: str, value: int | None, action: str | None) -> None:
        """Tightened by one person, loosened by two."""
        try:
            self.engine.set_limit(target, name, value, action=action)
        except riskcore.Refused:
            proposal = self.engine.propose_limit(self.t, target, name, value, "alice", "test", action=action)
            self.engine.approve(self.t, proposal, "bob")
        self.firm.set_limit(target, name, value, action)

    def halt(self, *, scope: str, state: str) -> None:
        """By a person."""
        self.newest_trip[scope] = self.engine.halt(self.t, scope, state, "alice", "drill")
        self.firm.trip(scope, state, "")

    def reinstate(self, *, n: int) -> None:
        """By two."""
        if not self.firm.states:
            return
        scope = sorted(self.firm.states)[n % len(self.firm.states)]
        proposal = self.engine.propose_reinstate(self.t, scope, self.newest_trip[scope], "carol", "mended")
        self.engine.approve(self.t, proposal, "dave")
        self.firm.reinstate(scope)

    def amend_parent(self, *, parent: str, qty: int) -> None:
        """Another total quantity."""
        self.engine.amend_parent(self.t, self.ids[parent], qty)
        self.firm.amend(parent, qty)

    def close_parent(self, *, parent: str, times: int) -> None:
        """No further child; mostly not yet."""
        if times == 0:
            return
        self.engine.close_parent(self.t, self.ids[parent])
        self.firm.parents[parent].closed = True

    # ---- They agree ----

    def compare(self) -> None:
        """Halts, books, and what is used of every limit."""
        for trip in self.engine.trips():
            self.newest_trip[trip.scope] = max(self.newest_trip.get(trip.scope, 0), trip.trip)
        causes = {trip.scope: trip.check for trip in self.engine.trips()}
        assert causes == {scope: self.firm.causes[scope] for scope in self.firm.states}
        for scope in self.firm.scopes():
            assert self.engine.state(scope) == self.firm.state(scope), scope
            self.compare_books(scope)
            for name, (used, bound) in self.engine.utilization(scope).items():
                setting = self.firm.limits.get(scope, name)
                assert setting, (scope, name)
                assert setting.value == bound, (scope, name)
                if name in AT_LEAST:
                    assert used >= AT_LEAST[name](self.firm, scope), (scope, name)
                if name in USED:
                    assert used == USED[name](self.firm, scope), (scope, name)
        assert self.engine.open_orders() == self.firm.books.open_orders("firm")

    def compare_books(self, scope: str) -> None:
        """What a scope holds."""
        engine, books = self.engine, self.firm.books
        if is_cell(scope):
            expected = (books.position(scope), books.open(scope, buys=True), books.open(scope, buys=False))
            assert engine.position(scope) == expected, scope
        if not scope.startswith("strategy"):
            assert engine.pnl(scope) == books.pnl(scope), scope
            assert engine.gross_notional(scope) == books.gross(scope), scope
        assert engine.turnover(scope) == books.turnover(scope), scope
