"""The books of one run: what was executed, what of it exceeded the parents, and what that costs.

The loss model is that of a firm that has to get out: the cost of each excess fill over the opening mid, plus the
discount at which the residual position is sold as one block. Marking at the live touch would show a profit, because
the flow itself has moved the touch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from exchange_sim.impact import PriceImpact, fills, unwind_loss
from router_sim.behaviour import Behaviour
from router_sim.knight.result import Sample, Totals
from router_sim.knight.stocks import Stock
from router_sim.knight.universe import KnightParent
from router_sim.units import USD

_NO_QTY: Final = 1 << 62


class Work:
    """One parent in the hands of Power Peg: the objects the event loop needs, and what has been executed.

    ``qty`` is the parent's quantity until an execution takes ``cum`` beyond it, and out of reach from then on.
    """

    __slots__ = (
        "coin",
        "cum",
        "executions",
        "legit_executions",
        "legit_paid",
        "legit_qty",
        "market",
        "on_done",
        "on_reject",
        "paid",
        "parent_id",
        "plan",
        "qty",
        "router_id",
        "side",
        "sign",
        "stock",
        "symbol_id",
    )

    def __init__(self, plan: KnightParent, market: PriceImpact, behaviour: Behaviour, seed: int) -> None:
        """Begin with nothing executed; ids of the core are set by who has one."""
        self.plan = plan
        self.stock = plan.stock
        self.sign = plan.sign
        self.market = market
        self.on_done: Callable[[int, int], int] = behaviour.on_done
        self.on_reject: Callable[[int], int] = behaviour.on_reject
        self.coin: Callable[[], int] = fills(seed, plan.number).__next__
        self.qty = plan.qty
        self.cum = 0
        self.paid = 0
        self.executions = 0
        self.legit_qty = 0
        self.legit_paid = 0
        self.legit_executions = 0
        self.router_id = plan.router
        self.symbol_id = plan.stock
        self.side = 0
        self.parent_id = -1

    def fill(self, filled: int, price: int) -> bool:
        """Count an execution; whether it is the first with shares beyond the parent's quantity."""
        self.cum = cum = self.cum + filled
        self.paid += filled * price
        self.executions += 1
        if cum <= self.qty:
            return False
        over = self.cum - self.qty
        self.legit_qty = self.qty
        self.legit_paid = self.paid - over * price
        self.legit_executions = self.executions - 1
        self.qty = _NO_QTY
        return True

    @property
    def leaked_qty(self) -> int:
        """Shares beyond the parent's quantity."""
        return self.cum - self.legit_qty if self.qty == _NO_QTY else 0

    @property
    def leaked_paid(self) -> int:
        """Their traded value in 1e-9."""
        return self.paid - self.legit_paid if self.qty == _NO_QTY else 0

    @property
    def leaked_executions(self) -> int:
        """Executions with at least one share beyond the parent's quantity."""
        return self.executions - self.legit_executions if self.qty == _NO_QTY else 0


def loss(works: Sequence[Work], table: Sequence[Stock]) -> int:
    """Cost of the excess over the opening mid, and of unwinding what is left of it; in 1e-9."""
    residual = [0] * len(table)
    cost = 0
    for work in works:
        qty = work.leaked_qty
        if qty:
            residual[work.stock] += work.sign * qty
            cost += work.sign * (work.leaked_paid - table[work.stock].mid0 * qty)
    return cost + sum(unwind_loss(qty, s.mid0, s.full_qty) for qty, s in zip(residual, table, strict=True) if qty)


def sample(at: int, works: Sequence[Work], table: Sequence[Stock], markets: Sequence[PriceImpact]) -> Sample:
    """The run at one moment."""
    net, cash = _positions(works, len(table))
    long, short = _at_mid(net, markets)
    return Sample(
        at=at,
        executions=sum(w.executions for w in works),
        leaked_shares=sum(w.leaked_qty for w in works),
        loss_usd=loss(works, table) / USD,
        long_usd=long,
        short_usd=short,
        touch_pnl_usd=_at_touch(net, cash, markets),
    )


def totals(works: Sequence[Work], table: Sequence[Stock], markets: Sequence[PriceImpact]) -> Totals:
    """The sums at the end."""
    net, cash = _positions(works, len(table))
    long, short = _at_mid(net, markets)
    moves = [abs(m.mid / m.mid0 - 1.0) for m in markets]
    over_10 = sum(move > 0.10 for move in moves)
    mid = sum(0.05 < move <= 0.10 for move in moves)
    return Totals(
        executions=sum(w.executions for w in works),
        shares=sum(w.cum for w in works),
        symbols=len({w.stock for w in works if w.executions}),
        long_symbols=sum(qty > 0 for qty in net),
        short_symbols=sum(qty < 0 for qty in net),
        net_long_usd=long,
        net_short_usd=short,
        leaked_executions=sum(w.leaked_executions for w in works),
        leaked_shares=sum(w.leaked_qty for w in works),
        leaked_notional_usd=sum(w.leaked_paid for w in works) / USD,
        loss_usd=loss(works, table) / USD,
        touch_pnl_usd=_at_touch(net, cash, markets),
        moved_over_10pct=over_10,
        moved_5_to_10pct=mid,
        moved_less=len(moves) - over_10 - mid,
    )


def _positions(works: Sequence[Work], symbols: int) -> tuple[list[int], int]:
    """Net shares per stock, and cash in 1e-9."""
    net = [0] * symbols
    cash = 0
    for work in works:
        net[work.stock] += work.sign * work.cum
        cash -= work.sign * work.paid
    return net, cash


def _at_mid(net: Sequence[int], markets: Sequence[PriceImpact]) -> tuple[float, float]:
    """Long and short value at the mid, in dollars, both positive."""
    values = [qty * m.mid / USD for qty, m in zip(net, markets, strict=True) if qty]
    return sum(v for v in values if v > 0), -sum(v for v in values if v < 0)


def _at_touch(net: Sequence[int], cash: int, markets: Sequence[PriceImpact]) -> float:
    """Profit and loss in dollars if every position were closed at the price shown now."""
    value = sum(qty * (m.bid if qty > 0 else m.ask) for qty, m in zip(net, markets, strict=True))
    return (cash + value) / USD
