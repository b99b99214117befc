"""One order by itself: its form, its quantity, its value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.embedding.model.ask import Ask, Held, Refusal
from tests.embedding.model.market import of_whole_bps

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm

CENT = 10_000_000
"""The tick of every instrument here."""
UNKNOWN = 2**127 - 1
"""What cannot be told is beyond every bound."""


def well_formed(firm: Firm, ask: Ask) -> Iterator[Refusal]:
    """V1."""
    lot = firm.markets[ask.symbol].lot
    if ask.qty <= 0:
        yield Refusal("INVALID_QUANTITY", "", 1, ask.qty)
    elif ask.qty % lot:
        yield Refusal("INVALID_LOT", "", lot, ask.qty)
    elif ask.price is not None and ask.price <= 0:
        yield Refusal("INVALID_PRICE", "", 0, ask.price)
    elif ask.price is not None and ask.price % CENT:
        yield Refusal("INVALID_TICK", "", CENT, ask.price)


def limit_configured(firm: Firm, ask: Ask) -> Iterator[Refusal]:
    """V2: no limit, no order. The value names the limit by its code, which is not compared."""
    for scope in ask.scopes:
        if firm.limits.missing(scope):
            yield Refusal("NO_LIMIT_CONFIGURED", scope)


def order_size(firm: Firm, ask: Ask) -> Iterator[Held]:
    """Q1: ``q <= max``."""
    return (Held(scope, "max_order_qty", ask.qty, "MAX_ORDER_QTY") for scope in ask.scopes)


def average_volume(firm: Firm, ask: Ask) -> Iterator[Held]:
    """Q1: ``q * 10,000 <= bps * average daily volume``; an unknown volume refuses."""
    volume = firm.markets[ask.symbol].adv
    for scope in ask.scopes:
        if volume is None:
            yield Held(scope, "max_order_adv_bps", UNKNOWN, "ADV_UNKNOWN")
        else:
            yield Held(scope, "max_order_adv_bps", of_whole_bps(ask.qty, volume), "ORDER_ABOVE_ADV")


def order_value(firm: Firm, ask: Ask) -> Iterator[Held]:
    """Q2: ``q * risk price <= max``."""
    return (Held(scope, "max_order_notional", ask.notional, "MAX_ORDER_NOTIONAL") for scope in ask.scopes)
