"""The firm: every event of a history, applied to plain lists. Verdicts and halts follow from what the lists hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tests.embedding.model import watch
from tests.embedding.model.ask import Ask, Held, Refusal
from tests.embedding.model.books import Books, is_cell
from tests.embedding.model.checks import REGISTRY
from tests.embedding.model.checks.pace import work_of
from tests.embedding.model.limits import SEVERITY, Limits
from tests.embedding.model.market import Market
from tests.embedding.model.orders import Order, Replace
from tests.embedding.model.past import Attempt, Child, Commitment, Decision, Execution, Past
from tests.embedding.model.scopes import latch_order, touched
from tests.embedding.model.windows import SECOND


@dataclass
class Parent:
    """What a client ordered."""

    account: str
    symbol: str
    buys: bool
    qty: int
    scopes: tuple[str, ...]
    closed: bool = False
    frozen: bool = False


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a router says of an order."""

    router: str
    account: str
    symbol: str
    strategy: str | None
    parent: str | None
    side: str
    qty: int
    price: int | None
    rests: bool
    cl_ord_id: int

    @property
    def scopes(self) -> tuple[str, ...]:
        """What it touches."""
        return touched(account=self.account, router=self.router, symbol=self.symbol, strategy=self.strategy)


@dataclass
class Firm:
    """Everything there is. ``n`` counts events, so that what came before another can be told at equal times."""

    books: Books
    limits: Limits
    parent_required: frozenset[str]
    self_match: frozenset[str]
    parents: dict[str, Parent] = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    states: dict[str, str] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    """Per halted scope, the reason of its newest trip."""
    sent: dict[tuple[str, int], int] = field(default_factory=dict)
    """Router and ClOrdID to OrderID: every id an order ever had."""
    now: int = 0
    n: int = 0
    valued_at: int | None = None
    looked_at: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    known: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Profit and loss and gross notional of the cells after the last event."""

    @property
    def markets(self) -> dict[str, Market]:
        """By symbol."""
        return self.books.markets

    def begin(self, now: int) -> None:
        """An event at its time."""
        self.now = max(self.now, now)
        self.n += 1

    # ---- Reading ----

    def state(self, scope: str) -> str:
        """A scope's own state."""
        return self.states.get(scope, "ACTIVE")

    def severity(self, scope: str) -> int:
        """The same as a number."""
        return SEVERITY.index(self.state(scope))

    def since(self, scope: str, limit: str, *, armed: bool = True) -> int:
        """The event since which a limit counts."""
        setting = self.limits.get(scope, limit)
        assert setting
        return self.past.since(scope, setting.since) if armed else setting.since

    def headroom(self, parent: str) -> int:
        """What a further child may ask for."""
        children = [order for order in self.books.orders.values() if order.parent == parent]
        return self.parents[parent].qty - sum(order.cum + order.reserved for order in children)

    def committed(self, scope: str, since: int) -> list[int]:
        """When orders and replaces of a scope passed."""
        return [each.time for each in self.past.commitments if scope in each.scopes and each.n > since]

    def excess_attempts(self, router: str) -> int:
        """Orders of a router beyond their parents since a person armed it."""
        armed = self.past.armed.get(router, 0)
        return sum(f"router:{name}" == router and n > armed for n, name in self.past.excess_attempts)

    # ---- Orders ----

    def new_order(self, terms: Terms, order_id: int) -> Refusal | None:
        """Decide a new order; accepted, it has this OrderID. Its ClOrdID is fresh."""
        content = (terms.account, terms.symbol, terms.side, terms.qty, terms.price)
        self.past.attempts.append(Attempt(self.n, self.now, terms.router, content))
        refusal = self.latched(latch_order(terms.scopes), "CANCEL_ONLY", "HALTED") or self.judge(self.ask(terms))
        if refusal:
            self.refuse(terms.router, refusal)
        else:
            self.accept(terms, order_id)
        return refusal

    def ask(self, terms: Terms) -> Ask:
        """A new order, as the checks see it."""
        cell, buys = terms.scopes[4], terms.side == "buy"
        px_risk = self.risk_price(terms.symbol, buys=buys, price=terms.price)
        qty = max(terms.qty, 0)
        notional = self.books.value(terms.symbol, px_risk or 0, qty)
        return Ask(
            router=terms.router, account=terms.account, symbol=terms.symbol, strategy=terms.strategy,
            parent=terms.parent, side=terms.side, qty=terms.qty, price=terms.price, rests=terms.rests,
            scopes=terms.scopes, replaces=None, px_risk=px_risk, notional=notional, added=qty,
            added_notional=notional, asks_more=True, reduces=self.books.reduces(cell, buys=buys, added=qty),
        )  # fmt: skip

    def risk_price(self, symbol: str, *, buys: bool, price: int | None) -> int | None:
        """A market order is valued at the collar of its instrument."""
        scope, market = f"symbol:{symbol}", self.markets[symbol]
        auction = self.limits.blocking(scope, "price_collar_auction_bps") if market.phase != "continuous" else None
        collar = auction or self.limits.blocking(scope, "price_collar_bps")
        if collar is None and price is None:
            return None
        return market.risk_price(buys=buys, price=price, collar_bps=collar.value if collar else 0)

    def judge(self, ask: Ask) -> Refusal | None:
        """The first refusal."""
        if not ask.reduces and (refusal := self.latched(list(ask.scopes), "REDUCE_ONLY", "REDUCE_ONLY")):
            return refusal
        for check in REGISTRY:
            for said in check(self, ask):
                if refusal := said if isinstance(said, Refusal) else self.held(said):
                    if refusal.reason == "PARENT_OVERFILL" and ask.asks_more:
                        self.past.excess_attempts.append((self.n, ask.router))
                    return refusal
        return None

    def held(self, said: Held) -> Refusal | None:
        """An order held against one limit, if that is set and stops anything."""
        setting = self.limits.blocking(said.scope, said.limit)
        if setting is None:
            return None
        bound = setting.value if said.bound is None else said.bound
        if said.value <= bound:
            return None
        return Refusal(
            said.reason, said.scope, bound, said.value, (said.scope, setting.halts) if setting.halts else None
        )

    def latched(self, scopes: list[str], least: str, reason: str) -> Refusal | None:
        """The refusal by a halt: of the most severe, the first is named."""
        worst = max(scopes, key=self.severity)
        return Refusal(reason, worst) if self.severity(worst) >= SEVERITY.index(least) else None

    def accept(self, terms: Terms, order_id: int) -> None:
        """Reserve it."""
        ask = self.ask(terms)
        assert ask.px_risk is not None
        order = Order(
            n=self.n, accepted_at=self.now, router=terms.router, account=terms.account, symbol=terms.symbol,
            strategy=terms.strategy, parent=terms.parent, side=terms.side, qty=terms.qty, price=terms.price,
            rests=terms.rests, px_risk=ask.px_risk, cl_ord_id=terms.cl_ord_id, scopes=terms.scopes,
        )  # fmt: skip
        self.books.orders[order_id] = order
        self.sent[terms.router, terms.cl_ord_id] = order_id
        self.commit(ask)
        self.child(order)

    def commit(self, ask: Ask) -> None:
        """What passed counts in the windows."""
        self.past.commitments.append(Commitment(self.n, self.now, ask.scopes, max(ask.added_notional, 0)))

    def child(self, order: Order) -> None:
        """A parent enters a router with the orders that are sent for it."""
        if order.parent:
            self.past.children.append(Child(order.n, order.scopes, order.parent, self.parents[order.parent].qty))

    def refuse(self, router: str, refusal: Refusal | None) -> None:
        """It counts, and halts if the limit says so."""
        if refusal and refusal.halts:
            self.trip(*refusal.halts, refusal.reason)
        self.past.refusals.append((self.n, self.now, router))
        self.look([f"router:{router}"], watch.REFUSED)

    def cancel(self, order: Order) -> bool:
        """A cancel of an open order always passes, and releases nothing."""
        order.cancel_requested |= order.open
        return order.open

    def replace(self, order: Order, asked: Replace) -> Refusal | None:
        """Decide a replace; an obstacle of the order itself is refused as the venue would."""
        if obstacle := self.obstacle(order):
            self.attempt_replace(order)
            self.refuse(order.router, None)
            return obstacle
        ask, pending = self.ask_replace(order, asked)
        if self.only_reduces(order, ask):
            refusal = next((said for said in REGISTRY[0](self, ask) if isinstance(said, Refusal)), None)
            pending = replace(pending, px_risk=min(pending.px_risk, order.px_risk))
        else:
            self.attempt_replace(order)
            refusal = self.latched(list(order.scopes), "CANCEL_ONLY", "HALTED") or self.judge(ask)
            if refusal is None:
                self.commit(ask)
                if ask.asks_more and order.executed_once:
                    self.decide_anew(order)
        if refusal:
            self.refuse(order.router, refusal)
        else:
            order.pending = pending
            self.sent[order.router, pending.cl_ord_id] = next(i for i, o in self.books.orders.items() if o is order)
            if pending.qty > order.qty:
                self.child(order)
        return refusal

    def attempt_replace(self, order: Order) -> None:
        """A replace is a message, and no order that could be the same as another."""
        self.past.attempts.append(Attempt(self.n, self.now, order.router, None))

    @staticmethod
    def obstacle(order: Order) -> Refusal | None:
        """What refuses a replace before anything is asked of it."""
        if order.pending:
            return Refusal("CXL_REJ_ALREADY_PENDING")
        if not order.open:
            return Refusal("CXL_REJ_TOO_LATE")
        return Refusal("CXL_REJ_ALREADY_PENDING") if order.cancel_requested else None

    def ask_replace(self, order: Order, asked: Replace) -> tuple[Ask, Replace]:
        """An order as a replace would make it, by what it adds to what is reserved."""
        px_risk = self.risk_price(order.symbol, buys=order.buys, price=asked.price) or asked.price
        pending = replace(asked, px_risk=px_risk)
        px_reserved, reserved = max(px_risk, order.px_risk), order.reserved_with(pending)
        added = reserved - order.reserved
        before = self.books.value(order.symbol, order.px_risk, order.reserved)
        ask = Ask(
            router=order.router, account=order.account, symbol=order.symbol, strategy=order.strategy,
            parent=order.parent, side=order.side, qty=asked.qty, price=asked.price, rests=order.rests,
            scopes=order.scopes, replaces=order, px_risk=px_reserved,
            notional=self.books.value(order.symbol, px_risk, max(asked.qty, 0)), added=added,
            added_notional=self.books.value(order.symbol, px_reserved, reserved) - before,
            asks_more=asked.qty > order.qty,
            reduces=self.books.reduces(order.scopes[4], buys=order.buys, added=added),
        )  # fmt: skip
        return ask, pending

    @staticmethod
    def only_reduces(order: Order, ask: Ask) -> bool:
        """A replace that only reduces risk counts as a cancel."""
        assert ask.price is not None
        assert order.price is not None
        less_aggressive = (ask.price - order.price) * order.sign <= 0
        no_larger = 0 < ask.qty <= order.qty
        return ask.added <= 0 and less_aggressive and no_larger and ask.price <= order.px_risk

    def decide_anew(self, order: Order) -> None:
        """A decision of its router: an order that was executed, or more of it after an execution."""
        work = work_of(order.parent, order.strategy, order.symbol, buys=order.buys)
        self.past.decisions.append(Decision(self.n, order.scopes, work))

    # ---- The venue ----

    def accepted(self, order: Order) -> None:
        """The venue has it."""
        self.answer(order)

    def answer(self, order: Order) -> None:
        """Once: what others of its router still wait for may have lasted too long."""
        if not order.answered:
            order.answered = True
            self.look([f"router:{order.router}"], watch.WAITED)

    def trade(self, order: Order, qty: int, price: int) -> None:
        """A fill always counts, whatever state the order is in."""
        market = self.markets[order.symbol]
        market.own_fill(self.now)
        order.fills.append((qty, price))
        self.answer(order)
        explained = order.excess
        order.exceed(qty, price, market.multiplier)
        if order.excess != explained:
            self.look(order.scopes, watch.UNMATCHED)
        loss = self.loss(order, qty, price)
        self.past.executions.append(Execution(self.n, self.now, order.scopes, order.buys, price, market.mid, loss))
        if not order.executed_once:
            order.executed_once = True
            self.decide_anew(order)
        order.finish_if_filled()
        self.look(order.scopes, watch.EXECUTED)

    def loss(self, order: Order, qty: int, price: int) -> int:
        """L3: against the mid, rounded up; against a touch that is too old the distance to it, either way."""
        market = self.markets[order.symbol]
        age = market.age(self.now)
        assert age is not None
        twice = (2 * price - market.bid - market.ask) * order.sign * qty * market.multiplier
        if age > self.limits.value(f"symbol:{order.symbol}", "market_data_max_age", 2**63 - 2):
            twice = abs(twice)
        return -(-twice // 2)

    def bust(self, order: Order, fill: int) -> tuple[int, int]:
        """An execution is taken back exactly; the order does not come back to life."""
        qty, price = order.fills.pop(fill % len(order.fills))
        order.shrink_excess()
        self.look(order.scopes, watch.EXECUTED)
        return qty, price

    def gone(self, order: Order, *, refused: bool) -> None:
        """Cancelled or refused; said twice, it changes nothing."""
        if not order.open:
            return
        order.open = False
        self.answer(order)
        if order.pending:
            self.forget_replace(order)
        if refused:
            self.past.refusals.append((self.n, self.now, order.router))
            self.look([f"router:{order.router}"], watch.REFUSED)

    def forget_replace(self, order: Order) -> None:
        """It may have explained fills that nothing explains any more."""
        explained, order.pending = order.excess, None
        order.exceed_at_mean(self.markets[order.symbol].multiplier)
        if order.excess != explained:
            self.look(order.scopes, watch.UNMATCHED)

    def cancel_refused(self, order: Order) -> None:
        """A halt asks again."""
        if order.open and not any(self.severity(scope) >= SEVERITY.index("CANCEL_ONLY") for scope in order.scopes):
            order.cancel_requested = False

    def replaced(self, order: Order) -> None:
        """The venue carried out the replace; one that nobody asked for cannot be true."""
        pending, order.pending = order.pending, None
        if pending is None:
            self.trip(f"account:{order.account}", "CANCEL_ONLY", "BAD_VENUE_REPORT")
            return
        self.accepted(order)
        order.cl_ord_id, order.qty = pending.cl_ord_id, pending.qty
        order.price, order.px_risk = pending.price, pending.px_risk
        order.finish_if_filled()

    def replace_refused(self, order: Order) -> None:
        """The order is what it was."""
        if order.pending is None:
            return
        self.forget_replace(order)
        order.finish_if_filled()

    # ---- Markets and time ----

    def tick(self, symbol: str, bid: int, ask: int) -> None:
        """A touch."""
        self.markets[symbol].tick(self.now, bid, ask)

    def timer(self) -> None:
        """Positions are valued with it, a second apart or more; and what waits for an answer grows old."""
        if self.valued_at is None or self.now - self.valued_at >= SECOND:
            self.valued_at = self.now
            for market in self.markets.values():
                market.advance(self.now)
        for router in self.books.routers:
            scope = f"router:{router}"
            if self.limits.get(scope, "max_unacknowledged_age") and watch.waiting(self, scope):
                self.look([scope], watch.WAITED)

    # ---- People ----

    def set_limit(self, target: str, name: str, value: int | None, action: str | None = None) -> None:
        """A bound that is broken already acts now."""
        self.limits.put(self.n, target, name, value, action)
        self.look(self.scopes(), watch.ANY)

    def trip(self, scope: str, state: str, reason: str) -> None:
        """A latch only becomes more severe; what rests is cancelled."""
        if SEVERITY.index(state) <= self.severity(scope):
            return
        self.states[scope], self.causes[scope] = state, reason
        if SEVERITY.index(state) >= SEVERITY.index("CANCEL_ONLY"):
            for order in self.books.of(scope):
                self.cancel(order)

    def reinstate(self, scope: str) -> None:
        """Two people lift a halt. Counters that tripped it start again; a cause that persists halts again at once."""
        del self.states[scope]
        self.past.armed[scope] = self.n
        self.look([scope], watch.ANY)

    def register(self, name: str, account: str, symbol: str, qty: int, *, buys: bool) -> None:
        """A client ordered."""
        scopes = ("firm", f"account:{account}", f"symbol:{symbol}", f"account_symbol:{account}/{symbol}")
        self.parents[name] = Parent(account, symbol, buys, qty, scopes)

    def amend(self, parent: str, qty: int) -> None:
        """Another total quantity; below what is filled or resting the parent is frozen."""
        self.parents[parent].qty = qty
        self.parents[parent].frozen = self.headroom(parent) < 0

    # ---- What is watched ----

    def scopes(self) -> Iterable[str]:
        """Every scope there is or may be."""
        books, strategies = self.books, {order.strategy for order in self.books.orders.values() if order.strategy}
        yield "firm"
        yield from (f"account:{name}" for name in books.accounts)
        yield from (f"router:{name}" for name in books.routers)
        yield from (f"strategy:{name}" for name in sorted(strategies))
        for symbol in books.markets:
            yield f"symbol:{symbol}"
            yield from (f"account_symbol:{name}/{symbol}" for name in books.accounts)
            yield from (f"router_symbol:{name}/{symbol}" for name in books.routers)

    def look(self, scopes: Iterable[str], cause: str) -> None:
        """Something happened at scopes: what it can have broken there is watched."""
        for scope in scopes:
            self.looked_at[scope].add(cause)

    def end(self) -> None:
        """After an event: what changed is held against the limits on events."""
        for cell in filter(is_cell, self.scopes()):
            worth, before = (self.books.pnl(cell), self.books.gross(cell)), self.known.get(cell, (0, 0))
            self.known[cell] = worth
            if worth[0] != before[0]:
                self.look([cell, *self.books.owners(cell)], watch.VALUED)
            if worth[1] > before[1]:
                self.look([cell, *self.books.owners(cell)], watch.WIDENED)
        for scope in sorted(self.looked_at):
            causes = self.looked_at[scope]
            if causes & {watch.VALUED, watch.ANY}:
                watch.value(self, scope)
            for reason, state in watch.broken(self, scope, causes):
                self.trip(scope, state, reason)
        self.looked_at.clear()
