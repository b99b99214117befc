"""Orders against what clients ordered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.embedding.model.ask import Ask, Held, Refusal
from tests.embedding.model.market import ceil_div, of_whole_bps
from tests.embedding.model.scopes import kind

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm

ROUTERS = ("router", "router_symbol")
"""Where a parent enters with the orders that are sent for it, and not when the OMS registers it."""


def parent_child(firm: Firm, ask: Ask) -> Iterator[Refusal]:
    """K1: ``filled + leaves of children + q <= parent quantity``; the n-th attempt halts the router."""
    if ask.parent is None:
        if ask.account in firm.parent_required:
            yield Refusal("PARENT_REQUIRED")
        return
    parent = firm.parents[ask.parent]
    if (parent.account, parent.symbol, parent.buys) != (ask.account, ask.symbol, ask.buys):
        yield Refusal("PARENT_MISMATCH")
    elif parent.closed:
        yield Refusal("PARENT_CLOSED")
    elif parent.frozen and ask.added > 0:
        yield Refusal("PARENT_FROZEN")
    elif ask.added > 0 and ask.added > firm.headroom(ask.parent):
        value = parent.qty - firm.headroom(ask.parent) + ask.added
        yield Refusal("PARENT_OVERFILL", f"router:{ask.router}", parent.qty, value, excess_halts(firm, ask))


def excess_halts(firm: Firm, ask: Ask) -> tuple[str, str] | None:
    """The router is halted by its n-th order of the day that asked for more than its parent."""
    router = f"router:{ask.router}"
    after = firm.limits.get(router, "parent_overfill_halt_after")
    if after and after.halts and ask.asks_more and firm.excess_attempts(router) + 1 >= after.value:
        return router, after.halts
    return None


def leaving(firm: Firm, ask: Ask) -> Iterator[Held]:
    """K2: ``asked for - not filled - (without parent, up to an allowance) <= parents * (1 + tolerance)``."""
    asked = ask.qty - (ask.replaces.qty if ask.replaces else 0)
    if asked <= 0:
        return
    for scope in ask.scopes:
        if setting := firm.limits.get(scope, "max_excess_leaving_bps"):
            excess = excess_leaving(firm, scope, setting.since, asked, ask.parent)
            yield Held(scope, "max_excess_leaving_bps", excess, "LEAVING_LIMIT")


def excess_leaving(firm: Firm, scope: str, since: int, asked: int, parent: str | None) -> int:
    """What leaves beyond what enters, in parts of it, if so much more were asked for."""
    counted = [order for order in firm.books.of(scope) if order.n > since]
    left = sum(order.asked for order in counted if order.parent) + (asked if parent else 0)
    bare = sum(order.asked for order in counted if not order.parent) + (0 if parent else asked)
    left += max(bare - firm.limits.value(scope, "unparented_allowance_qty", 0), 0)
    return of_whole_bps(left - entered(firm, scope, since, parent), entered(firm, scope, since, parent))


def entered(firm: Firm, scope: str, since: int, parent: str | None) -> int:
    """The parents that a router works, each with its quantity at its latest order for it; elsewhere those registered."""
    if kind(scope) not in ROUTERS:
        return sum(each.qty for each in firm.parents.values() if scope in each.scopes)
    worked = {
        child.parent: child.parent_qty for child in firm.past.children if scope in child.scopes and child.order > since
    }
    if parent:
        worked[parent] = firm.parents[parent].qty
    return sum(worked.values())


def children(firm: Firm, ask: Ask) -> Iterator[Held]:
    """K3: ``n + 1 <= ceil(parent quantity / smallest child) * factor``."""
    if ask.parent is None or ask.replaces:
        return
    parent = firm.parents[ask.parent]
    for scope in ask.scopes:
        if setting := firm.limits.get(scope, "max_children_factor"):
            own = kind(scope) in ROUTERS
            sent = sum(
                order.parent == ask.parent and (not own or (scope in order.scopes and order.n > setting.since))
                for order in firm.books.orders.values()
            )
            smallest = firm.limits.value(scope, "min_child_qty", firm.markets[ask.symbol].lot)
            bound = ceil_div(parent.qty, smallest) * setting.value
            yield Held(scope, "max_children_factor", sent + 1, "TOO_MANY_CHILDREN", bound)
