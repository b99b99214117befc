"""The checks, in the order in which they are asked: the first that refuses is the answer (rules.md, "Checks")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from tests.embedding.model.ask import Ask, Held, Refusal
from tests.embedding.model.checks import exposure, pace, parents, prices, short, size

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm

Check: TypeAlias = "Callable[[Firm, Ask], Iterator[Held] | Iterator[Refusal] | Iterator[Held | Refusal]]"

REGISTRY: list[Check] = [
    size.well_formed,
    size.limit_configured,
    parents.parent_child,
    parents.leaving,
    parents.children,
    pace.message_rate,
    pace.duplicate_order,
    pace.repeated_execution,
    pace.unacknowledged,
    size.order_size,
    size.average_volume,
    prices.market_phase,
    prices.market_data,
    size.order_value,
    prices.price_collar,
    prices.price_passive,
    prices.own_drift,
    short.sell_marking,
    short.short_sale,
    short.locate,
    short.self_match,
    exposure.net_position,
    exposure.open_orders,
    exposure.gross_notional,
    exposure.concentration,
    pace.notional_velocity,
    exposure.turnover_day,
]
