"""Lines of defence that several stories share, by their values; what each says is made of them.

Amounts are whole units of the story's currency, times ns, quantities whole units. A limit without which no order may pass
is set out of reach when its line is removed (`Setting.off`).
"""

from __future__ import annotations

from router_sim.defence import ANY_MONEY, ANY_QTY, ANY_RATE, PARENTS, Line, Setting
from router_sim.units import MILLISECOND, MINUTE, SECOND, USD

_HOUR = 60 * MINUTE
_DAY = 24 * _HOUR


def amount(whole: int, currency: str = "$") -> str:
    """An amount exactly, as short as it can be said: ``$2M``, ``CNY 3bn``, ``$250,000``."""
    for unit, name in ((10**9, "bn"), (10**6, "M")):
        if whole % unit == 0:
            return f"{currency}{whole // unit}{name}"
    return f"{currency}{whole:,}"


def duration(ns: int) -> str:
    """A time exactly: ``100 ms``, ``0.5 s``, ``60 s``, ``5 min``."""
    if ns % MINUTE == 0 and ns > MINUTE:
        return f"{ns // MINUTE} min"
    return f"{ns / SECOND:g} s" if ns >= SECOND // 2 else f"{ns / MILLISECOND:g} ms"


def parents(says: str = "children never exceed their parent; the third attempt halts the router") -> Line:
    """K1: conservation between parent and children; the earliest there is."""
    return Line(PARENTS, says, ("parent_overfill",), (Setting("router:*", "parent_overfill_halt_after", 3),))


def unanswered(age: int) -> Line:
    """R5: how long the oldest order may be without an answer."""
    return Line(
        "unanswered",
        f"a router whose oldest order has no answer after {duration(age)} is halted",
        ("acknowledgement_overdue",),
        (Setting("router:*", "max_unacknowledged_age", age),),
    )


def unacknowledged(most: int) -> Line:
    """R5: how many orders may be without an answer."""
    return Line(
        "unacknowledged",
        f"{most} orders of a router without an answer",
        ("too_many_unacknowledged",),
        (Setting("router:*", "max_unacknowledged", most),),
    )


def message_rate(per_second: int, burst: int | None = None, *, note: str = "") -> Line:
    """R1: orders in a second and, where a wave is not allowed, in 100 ms."""
    settings = [
        Setting("router:*", "message_rate", per_second, ANY_RATE),
        Setting("router:*", "message_rate_window", SECOND, SECOND),
        Setting("router:*", "message_rate_sustained", 100 * MILLISECOND),
    ]
    if burst is not None:
        settings += [
            Setting("router:*", "message_burst", burst),
            Setting("router:*", "message_burst_window", 100 * MILLISECOND),
        ]
    waves = f"{burst} orders in 100 ms, {per_second} in 1 s" if burst is not None else f"{per_second} orders in 1 s"
    says = f"{waves} per router{note}; 100 ms in breach halts it"
    return Line("message_rate", says, ("rate_limit",), tuple(settings))


def duplicates(most: int) -> Line:
    """R2: the same order again; twice as many halt."""
    return Line(
        "duplicates",
        f"the same order {most} times in 1 s is enough, {2 * most} times halt the router",
        ("duplicate_order",),
        (
            Setting("router:*", "duplicate_orders", most),
            Setting("router:*", "duplicate_orders_halt", 2 * most),
            Setting("router:*", "duplicate_orders_window", SECOND),
        ),
    )


def repeated_execution(most: int, within: int) -> Line:
    """R3: executions of one parent, or without one in one symbol and side."""
    return Line(
        "repeated_execution",
        f"{most} orders executed in {duration(within)} for one parent, or in one symbol and side without one",
        ("repeated_execution",),
        (
            Setting("router:*", "max_repeated_executions", most),
            Setting("router:*", "repeated_executions_window", within),
        ),
    )


def reject_storm(most: int) -> Line:
    """R6: a router that does not listen."""
    return Line(
        "reject_storm",
        f"{most} refusals in 1 s halt a router that does not listen",
        ("reject_storm",),
        (Setting("router:*", "max_rejects", most), Setting("router:*", "max_rejects_window", SECOND)),
    )


def velocity(most: int, *, currency: str = "$") -> Line:
    """R4: the pace of what is accepted."""
    return Line(
        "velocity",
        f"{amount(most, currency)} a second per router, cancelled or not",
        ("notional_velocity",),
        (
            Setting("router:*", "max_notional_velocity", most * USD),
            Setting("router:*", "notional_velocity_window", SECOND),
        ),
    )


def turnover(router: int, within: int, *, day: int, firm: int | None = None, currency: str = "$") -> Line:
    """X4: a router's budget of a window, the firm's of 5 minutes, the firm's of a day."""
    settings = [
        Setting("router:*", "max_turnover_window", router * USD),
        Setting("router:*", "turnover_window", within),
        Setting("firm", "max_turnover_day", day * USD, ANY_MONEY),
    ]
    ours = f"{amount(day, currency)} a day for the firm"
    if firm is not None:
        settings += [
            Setting("firm", "max_turnover_window", firm * USD),
            Setting("firm", "turnover_window", 5 * MINUTE),
        ]
        ours = f"{amount(firm, currency)} in 5 min and {ours}"
    says = f"{amount(router, currency)} in {duration(within)} per router, {ours}"
    return Line("turnover", says, ("turnover_limit",), tuple(settings))


def leaving(allowance: int) -> Line:
    """K2: what leaves a router against what enters it; ``allowance`` may leave without a parent in a day."""
    return Line(
        "leaving",
        f"no more leaves a router than enters it; {allowance:,} shares a day may leave without a parent",
        ("leaving_limit",),
        (
            Setting("router:*", "max_excess_leaving_bps", 0),
            Setting("router:*", "unparented_allowance_qty", allowance),
        ),
    )


def position(account: int, *, router: int | None = None, unit: str = "shares") -> Line:
    """X1: long or short, by account and symbol and, if given, by router and symbol."""
    settings = _both_sides("account_symbol:*", account, ANY_QTY)
    says = f"{account:,} {unit} long or short per account and symbol"
    if router is not None:
        settings += _both_sides("router_symbol:*", router, None)
        says = f"{router:,} {unit} long or short per router and symbol, {account:,} per account and symbol"
    return Line("position", says, ("position_limit",), settings)


def _both_sides(scope: str, most: int, off: int | None) -> tuple[Setting, ...]:
    return tuple(Setting(scope, f"max_{side}_position", most, off) for side in ("long", "short"))


def gross(account: int, firm: int, *, off: int = ANY_MONEY, currency: str = "$") -> Line:
    """X3: what the account and the firm may hold at worst."""
    return Line(
        "gross",
        f"gross notional of {_account_and_firm(account, firm, currency)}",
        ("gross_limit",),
        (
            Setting("account:*", "max_gross_notional", account * USD, off),
            Setting("firm", "max_gross_notional", firm * USD, off),
        ),
    )


def day_loss(account: int, firm: int, *, router: int | None = None, currency: str = "$") -> Line:
    """L1: at the worse of touch and slow reference."""
    settings = [
        Setting("account:*", "max_day_loss", account * USD, ANY_MONEY),
        Setting("firm", "max_day_loss", firm * USD, ANY_MONEY),
    ]
    says = _account_and_firm(account, firm, currency)
    if router is not None:
        settings.append(Setting("router:*", "max_day_loss", router * USD))
        says = f"{amount(router, currency)} per router, {says}"
    return Line("day_loss", f"{says}, at the worse of touch and slow reference", ("loss_limit",), tuple(settings))


def _account_and_firm(account: int, firm: int, currency: str) -> str:
    if account == firm:
        return f"{amount(firm, currency)} for an account and the firm"
    return f"{amount(account, currency)} for an account, {amount(firm, currency)} for the firm"


def unmatched(router: int, firm: int, *, currency: str = "$") -> Line:
    """U1: executions that no order explains."""
    return Line(
        "unmatched",
        f"{amount(router, currency)} executed that no order explains per router, {amount(firm, currency)} for the firm",
        ("unmatched_executions",),
        (
            Setting("router:*", "max_unmatched_notional", router * USD),
            Setting("firm", "max_unmatched_notional", firm * USD),
        ),
    )


def order_size(qty: int, value: int, *, unit: str = "shares", currency: str = "$") -> Line:
    """Q1 and Q2: one order."""
    return Line(
        "order_size",
        f"{qty:,} {unit} and {amount(value, currency)} per order",
        ("max_order_qty", "max_order_notional"),
        (
            Setting("symbol:*", "max_order_qty", qty, ANY_QTY),
            Setting("account:*", "max_order_notional", value * USD, ANY_MONEY),
        ),
    )


def price_collar(bps: int, *, auction_bps: int | None = None, off: int = 1_000_000) -> Line:
    """P1: through the market; before the open and in auctions another, if given."""
    settings = [Setting("symbol:*", "price_collar_bps", bps, off)]
    says = f"{bps / 100:g} % through the market"
    if auction_bps is not None:
        settings.append(Setting("symbol:*", "price_collar_auction_bps", auction_bps))
        says += f"; {auction_bps / 100:g} % before the open, and no phase without a collar"
    return Line("price_collar", says, ("price_collar",), tuple(settings))


def market_data(age: int) -> Line:
    """D1: nothing is decided on old prices."""
    return Line(
        "market_data",
        f"no decision on a quote older than {duration(age)}",
        ("market_data_stale", "reference_price_not_available"),
        (Setting("symbol:*", "market_data_max_age", age, _DAY),),
    )
