"""What of each limit is used: the number a person sees beside the bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.embedding.model import watch, windows
from tests.embedding.model.checks import exposure, pace, parents, prices, short
from tests.embedding.model.market import of_whole_bps
from tests.embedding.model.scopes import kind
from tests.embedding.model.windows import SECOND

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm


def leaving(firm: Firm, scope: str) -> int:
    """K2 of what left."""
    return parents.excess_leaving(firm, scope, firm.since(scope, "max_excess_leaving_bps", armed=False), 0, None)


def messages(limit: str, window: int) -> Callable[[Firm, str], int]:
    """R1; more than the bound are not counted."""

    def count(firm: Firm, scope: str) -> int:
        setting = firm.limits.get(scope, limit)
        assert setting
        attempts = [
            each.time for each in firm.past.attempts if f"router:{each.router}" == scope and each.n > setting.since
        ]
        times = attempts if kind(scope) == "router" else firm.committed(scope, setting.since)
        return min(windows.count(times, firm.now, window), max(setting.value, 1))

    return count


def refusals(firm: Firm, scope: str) -> int:
    """R6; counted up to one more than the bound."""
    return min(watch.refusals(firm, scope), firm.limits.value(scope, "max_rejects", 0) + 1)


def concentration(firm: Firm, scope: str) -> int:
    """X5."""
    return of_whole_bps(firm.books.gross(scope), exposure.allowed(firm, scope))


def drift(firm: Firm, scope: str) -> int:
    """P2, of the side that went farther."""
    return max(prices.drift(firm, scope, buys=True), prices.drift(firm, scope, buys=False))


def committed(firm: Firm, scope: str) -> int:
    """X4, the least that its window of a minute holds: what is still open of the orders that were accepted within it."""
    since = firm.since(scope, "max_turnover_window", armed=False)
    recent = [order for order in firm.books.of(scope) if order.n > since and firm.now - order.accepted_at < 60 * SECOND]
    return sum(firm.books.value(order.symbol, order.px_risk, order.reserved) for order in recent if not order.pending)


AT_LEAST = {"max_turnover_window": committed}
"""What may count too long or too much, but never too little."""

USED: dict[str, Callable[[Firm, str], int]] = {
    "parent_overfill_halt_after": lambda firm, scope: firm.excess_attempts(scope),
    "max_excess_leaving_bps": leaving,
    "message_rate": messages("message_rate", SECOND),
    "message_burst": messages("message_burst", SECOND // 10),
    "max_repeated_executions": watch.most_executed,
    "max_unacknowledged": pace.unanswered,
    "max_unacknowledged_age": watch.waited,
    "max_rejects": refusals,
    "own_drift_bps": drift,
    "short_locate": short.located,
    "max_long_position": lambda firm, scope: firm.books.worst_long(scope),
    "max_short_position": lambda firm, scope: -firm.books.worst_short(scope),
    "max_open_orders": lambda firm, scope: firm.books.open_orders(scope),
    "max_open_qty": exposure.open_qty,
    "max_open_notional": lambda firm, scope: firm.books.open_notional(scope),
    "max_gross_notional": lambda firm, scope: firm.books.gross(scope),
    "max_concentration_bps": concentration,
    "max_notional_velocity": pace.velocity,
    "max_turnover_day": lambda firm, scope: firm.books.turnover(scope),
    "max_day_loss": lambda firm, scope: -firm.books.pnl(scope),
    "max_drawdown": watch.fallen,
    "max_execution_loss": watch.execution_loss,
    "max_unmatched_notional": watch.unmatched,
}
"""By limit."""
