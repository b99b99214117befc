"""Limits on what happens - executions, ticks, time - where there is no order to refuse: a breach halts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.embedding.model import windows
from tests.embedding.model.checks.pace import executions, same_orders
from tests.embedding.model.checks.prices import drift
from tests.embedding.model.orders import Order
from tests.embedding.model.windows import SECOND

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm

DRAWDOWN_WINDOW = 10 * SECOND
LOSS_WINDOW = 60 * SECOND


def value(firm: Firm, scope: str) -> None:
    """Note what profit and loss has become, where a drawdown is limited."""
    if firm.limits.get(scope, "max_drawdown") is None:
        firm.past.values.pop(scope, None)
        return
    pnl = firm.books.pnl(scope)
    before = firm.past.values.setdefault(scope, [(-(2**63), pnl)])
    before.append((firm.now, pnl))


VALUED, WIDENED, EXECUTED, REFUSED = "valued", "widened", "executed", "refused"
UNMATCHED, WAITED, ANY = "unmatched", "waited", "any"
"""Why a scope is looked at."""


def broken(firm: Firm, scope: str, causes: set[str]) -> Iterator[tuple[str, str]]:
    """The reasons, in the order of the checks, and the state each asks for; only those that the causes can have broken."""
    for limit, reason, over, watched in (
        ("duplicate_orders_halt", "DUPLICATE_ORDER", repeats, {REFUSED}),
        ("duplicate_orders", "DUPLICATE_ORDER", repeats, {REFUSED}),
        ("max_repeated_executions", "REPEATED_EXECUTION", executed_too_often, {EXECUTED}),
        ("max_unacknowledged_age", "ACKNOWLEDGEMENT_OVERDUE", overdue, {WAITED}),
        ("max_rejects", "REJECT_STORM", refused_too_often, {REFUSED}),
        ("own_drift_bps", "OWN_DRIFT", drifted, {EXECUTED}),
        ("max_gross_notional", "GROSS_LIMIT", widened, {WIDENED}),
        ("max_day_loss", "LOSS_LIMIT", lost, {VALUED}),
        ("max_drawdown", "DRAWDOWN_LIMIT", fell, {VALUED}),
        ("max_execution_loss", "EXECUTION_LOSS", paid, {EXECUTED, VALUED}),
        ("max_unmatched_notional", "UNMATCHED_EXECUTIONS", unexplained, {UNMATCHED}),
    ):
        setting = firm.limits.get(scope, limit)
        if causes & {ANY, *watched} and setting and setting.halts and over(firm, scope, setting.value):
            yield reason, setting.halts


def repeats(firm: Firm, scope: str, bound: int) -> bool:
    """R2, of attempts that something else refused, too."""
    since = firm.since(
        scope, "duplicate_orders_halt" if firm.limits.get(scope, "duplicate_orders_halt") else "duplicate_orders"
    )
    sent = [attempt for attempt in firm.past.attempts if f"router:{attempt.router}" == scope and attempt.n > since]
    return any(attempt.content for attempt in sent) and same_orders(firm, scope) > bound


def executed_too_often(firm: Firm, scope: str, bound: int) -> bool:
    """R3, by what rested."""
    return most_executed(firm, scope) > bound


def most_executed(firm: Firm, scope: str) -> int:
    """The most executions of any work."""
    return max(executions(firm, scope).values(), default=0)


def overdue(firm: Firm, scope: str, bound: int) -> bool:
    """R5: ``now - oldest sent > max age``."""
    return waited(firm, scope) > bound


def waited(firm: Firm, scope: str) -> int:
    """How long the oldest of them has waited."""
    return max((firm.now - order.accepted_at for order in waiting(firm, scope)), default=0)


def waiting(firm: Firm, scope: str) -> list[Order]:
    """Orders since the limit was set that the venue has not answered."""
    since = firm.since(scope, "max_unacknowledged_age", armed=False)
    return [order for order in firm.books.of(scope) if order.open and not order.answered and order.n > since]


def refused_too_often(firm: Firm, scope: str, bound: int) -> bool:
    """R6: more than ``n`` refusals in a second."""
    return refusals(firm, scope) > bound


def refusals(firm: Firm, scope: str) -> int:
    """Refusals within a second, since a person armed the router."""
    since = firm.since(scope, "max_rejects")
    times = [time for n, time, router in firm.past.refusals if f"router:{router}" == scope and n > since]
    return windows.count(times, firm.now, SECOND)


def drifted(firm: Firm, scope: str, bound: int) -> bool:
    """P2, where the setting halts."""
    return max(drift(firm, scope, buys=True), drift(firm, scope, buys=False)) > bound


def widened(firm: Firm, scope: str, bound: int) -> bool:
    """X3, where the setting halts: by the market, because orders are refused before."""
    return firm.books.gross(scope) > bound


def lost(firm: Firm, scope: str, bound: int) -> bool:
    """L1: ``sum(cash + position * mark) <= -max``."""
    return -firm.books.pnl(scope) >= bound


def fell(firm: Firm, scope: str, bound: int) -> bool:
    """L2: ``P&L - max(P&L over the window) <= -max``."""
    return fallen(firm, scope) >= bound


def fallen(firm: Firm, scope: str) -> int:
    """What a scope has lost since its best moment of the window."""
    return windows.peak(firm.past.values[scope], firm.now, DRAWDOWN_WINDOW) - firm.books.pnl(scope)


def paid(firm: Firm, scope: str, bound: int) -> bool:
    """L3."""
    return execution_loss(firm, scope) > bound


def execution_loss(firm: Firm, scope: str) -> int:
    """What executions lost against the mid within the window, less what others gained, which leaves it sooner."""
    since = firm.since(scope, "max_execution_loss", armed=False)
    losses = [(each.time, each.loss) for each in firm.past.executions if scope in each.scopes and each.n > since]
    lost_in = windows.total([(time, loss) for time, loss in losses if loss > 0], firm.now, LOSS_WINDOW)
    gained_in = [(time, -loss) for time, loss in losses if loss < 0]
    return lost_in - windows.total(gained_in, firm.now, windows.shorter(LOSS_WINDOW))


def unexplained(firm: Firm, scope: str, bound: int) -> bool:
    """U1."""
    return unmatched(firm, scope) > bound


def unmatched(firm: Firm, scope: str) -> int:
    """Notional executed that no order explains."""
    return sum(order.excess[1] for order in firm.books.of(scope))
