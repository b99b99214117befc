"""How often and how fast: messages, the same order, executions, answers, money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.embedding.model import windows
from tests.embedding.model.ask import Ask, Held
from tests.embedding.model.past import Work
from tests.embedding.model.windows import SECOND

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm

RATES = (("message_burst", SECOND // 10), ("message_rate", SECOND))
"""R1: the shorter window first."""


def message_rate(firm: Firm, ask: Ask) -> Iterator[Held]:
    """R1: the N-th last message is at least a window old. The router's own windows first; there every attempt counts."""
    router = ask.scopes[2]
    for limit, window in RATES:
        if setting := firm.limits.get(router, limit):
            times = [
                attempt.time
                for attempt in firm.past.attempts
                if attempt.router == ask.router and attempt.n > setting.since
            ]
            broken = windows.count(times, firm.now, window) > setting.value
            yield Held(router, limit, setting.value + broken, "RATE_LIMIT")
    for limit, window in RATES:
        for scope in ask.scopes:
            if scope != router and (setting := firm.limits.get(scope, limit)):
                passed = windows.count(firm.committed(scope, setting.since), firm.now, window)
                yield Held(scope, limit, passed + 1, "RATE_LIMIT")


def duplicate_order(firm: Firm, ask: Ask) -> Iterator[Held]:
    """R2: attempts of the same order in a window, refused ones too, ``<= k``; beyond twice that it halts."""
    if ask.replaces is None:
        router = ask.scopes[2]
        for limit in ("duplicate_orders_halt", "duplicate_orders"):
            if firm.limits.get(router, limit):
                yield Held(router, limit, same_orders(firm, router), "DUPLICATE_ORDER")


def same_orders(firm: Firm, router: str) -> int:
    """How often the newest order of a router was sent within a second; counted up to one more than passes."""
    settings = [firm.limits.get(router, limit) for limit in ("duplicate_orders_halt", "duplicate_orders")]
    since = firm.past.since(router, min(setting.since for setting in settings if setting))
    sent = [attempt for attempt in firm.past.attempts if f"router:{attempt.router}" == router and attempt.content]
    sent = [attempt for attempt in sent if attempt.n > since]
    same = [attempt.time for attempt in sent if attempt.content == sent[-1].content]
    return min(windows.count(same, firm.now, SECOND), 1 + max(setting.value for setting in settings if setting))


def work_of(parent: str | None, strategy: str | None, symbol: str, *, buys: bool) -> Work:
    """What repeats: the work on a parent, or without one of a strategy in a symbol, on a side."""
    return (parent,) if parent else (strategy or "", symbol, "buy" if buys else "sell")


def repeated_execution(firm: Firm, ask: Ask) -> Iterator[Held]:
    """R3: orders executed for one parent, or in one symbol and side of a strategy, since a person last looked."""
    if not ask.asks_more:
        return
    work = work_of(ask.parent, ask.strategy, ask.symbol, buys=ask.buys)
    for scope in ask.scopes:
        if firm.limits.get(scope, "max_repeated_executions"):
            yield Held(scope, "max_repeated_executions", executions(firm, scope)[work] + 1, "REPEATED_EXECUTION")


def executions(firm: Firm, scope: str) -> dict[Work, int]:
    """Per work: what was executed since the limit was set, or the scope reinstated."""
    since = firm.since(scope, "max_repeated_executions")
    done = [decision.work for decision in firm.past.decisions if scope in decision.scopes and decision.n > since]
    return Counting({work: done.count(work) for work in done})


class Counting(dict[Work, int]):
    """Nothing was counted of what is not there."""

    def __missing__(self, work: Work) -> int:
        return 0


def unacknowledged(firm: Firm, ask: Ask) -> Iterator[Held]:
    """R5: ``unanswered + 1 <= n``."""
    if ask.replaces is None:
        for scope in ask.scopes[0], ask.scopes[2]:
            yield Held(scope, "max_unacknowledged", unanswered(firm, scope) + 1, "TOO_MANY_UNACKNOWLEDGED")


def unanswered(firm: Firm, scope: str) -> int:
    """New orders without any word of the venue."""
    return sum(order.open and not order.answered for order in firm.books.of(scope))


def notional_velocity(firm: Firm, ask: Ask) -> Iterator[Held]:
    """R4: notional accepted in a window, of replaces what they add, ``<= max``; a cancel gives nothing back."""
    if ask.added_notional > 0:
        for scope in ask.scopes:
            if firm.limits.get(scope, "max_notional_velocity"):
                value = velocity(firm, scope) + ask.added_notional
                yield Held(scope, "max_notional_velocity", value, "NOTIONAL_VELOCITY")


def velocity(firm: Firm, scope: str) -> int:
    """Notional accepted within a second."""
    since = firm.since(scope, "max_notional_velocity", armed=False)
    amounts = [(each.time, each.notional) for each in firm.past.commitments if scope in each.scopes and each.n > since]
    return windows.total(amounts, firm.now, SECOND)
