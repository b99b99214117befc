"""Sells: marked, located, and not against ourselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.embedding.model.ask import Ask, Held, Refusal

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm


def sell_marking(firm: Firm, ask: Ask) -> Iterator[Refusal]:
    """P3: a sell marked long is covered: ``open sells + q <= position``."""
    if ask.side == "sell" and ask.added > 0 and firm.markets[ask.symbol].reg_sho:
        long = max(firm.books.position(ask.cell), 0)
        sold = firm.books.open(ask.cell, buys=False) + ask.added
        if sold > long:
            yield Refusal("MISMARKED_SELL", ask.cell, long, sold)


def short_sale(firm: Firm, ask: Ask) -> Iterator[Refusal]:
    """P3: Rule 201 is not in force in these histories."""
    return iter(())


def locate(firm: Firm, ask: Ask) -> Iterator[Held | Refusal]:
    """P3: ``sold short today + open short + q <= located``."""
    if not ask.short or ask.added <= 0 or not firm.markets[ask.symbol].reg_sho:
        return
    value = located(firm, ask.cell) + ask.added
    if firm.limits.blocking(ask.cell, "short_locate"):
        yield Held(ask.cell, "short_locate", value, "NO_LOCATE")
    else:
        yield Refusal("NO_LOCATE", ask.cell, 0, value)


def located(firm: Firm, cell: str) -> int:
    """What is used up: sold short, bought back or not, and open short."""
    return sum(order.cum + order.reserved for order in firm.books.of(cell) if order.short)


def self_match(firm: Firm, ask: Ask) -> Iterator[Refusal]:
    """P4: buy: ``price < best open sell`` of its self-match group, sell mirrored. A market order could reach any."""
    if ask.account not in firm.self_match:
        return
    theirs = [
        (order, price)
        for order in firm.books.orders.values()
        if order.open and order.rests and order.account in firm.self_match
        and order.symbol == ask.symbol and order.buys != ask.buys
        for price in order.prices
    ]  # fmt: skip
    if any(meets(ask, price) for _, price in theirs):
        yield Refusal("SELF_MATCH", ask.cell)


def meets(ask: Ask, theirs: int | None) -> bool:
    """Whether the order could trade with one at this price."""
    return ask.price is None or theirs is None or (ask.price - theirs) * ask.sign >= 0
