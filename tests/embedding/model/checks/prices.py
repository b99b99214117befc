"""The state of the market, and prices against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.embedding.model.ask import Ask, Held, Refusal
from tests.embedding.model.market import BPS, ceil_div
from tests.embedding.model.windows import SECOND, STEPS

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm

UNKNOWN = 2**127 - 1


def market_phase(firm: Firm, ask: Ask) -> Iterator[Refusal]:
    """P3: the instrument trades."""
    match firm.markets[ask.symbol].phase:
        case "halted":
            yield Refusal("INSTRUMENT_HALTED", f"symbol:{ask.symbol}")
        case "closed" | "post_close":
            yield Refusal("MARKET_CLOSED", f"symbol:{ask.symbol}")


def market_data(firm: Firm, ask: Ask) -> Iterator[Held]:
    """D1: ``now - time of the touch <= max age``; a limit order that can only reduce passes."""
    if ask.reduces and ask.price is not None:
        return
    age = firm.markets[ask.symbol].age(firm.now)
    scope = f"symbol:{ask.symbol}"
    if age is None:
        yield Held(scope, "market_data_max_age", UNKNOWN, "REFERENCE_PRICE_NOT_AVAILABLE")
    else:
        yield Held(scope, "market_data_max_age", age, "MARKET_DATA_STALE")


def through(firm: Firm, ask: Ask) -> int | None:
    """How far a price is through the market, in parts of the near side, rounded up; negative: on the passive side."""
    market = firm.markets[ask.symbol]
    if ask.price is None or not market.has_touch:
        return None
    reference = market.bid if ask.buys else market.ask
    distance = (ask.price - reference) * ask.sign
    bps = ceil_div(abs(distance) * BPS, reference)
    return bps if distance > 0 else -bps


def price_collar(firm: Firm, ask: Ask) -> Iterator[Held]:
    """P1: ``(price - reference) * 10,000 <= bps * reference``; where orders are only collected ``bps`` may be another."""
    value = through(firm, ask)
    if value is None or value <= 0:
        return
    for scope in ask.scopes:
        yield Held(scope, collar_at(firm, scope, ask.symbol), value, "PRICE_COLLAR")


def collar_at(firm: Firm, scope: str, symbol: str) -> str:
    """The collar that is in force at a scope."""
    collecting = firm.markets[symbol].phase != "continuous"
    auction = "price_collar_auction_bps"
    return auction if collecting and firm.limits.blocking(scope, auction) else "price_collar_bps"


def price_passive(firm: Firm, ask: Ask) -> Iterator[Held]:
    """P1: a price absurdly far on the side where it would not trade."""
    value = through(firm, ask)
    if value is not None and value < 0:
        for scope in ask.scopes:
            yield Held(scope, "price_collar_passive_bps", -value, "PRICE_FAR_PASSIVE")


def own_drift(firm: Firm, ask: Ask) -> Iterator[Held]:
    """P2: ``(farthest own fill - mid before the first) * 10,000 <= bps * that mid`` over the own fills of a side."""
    for scope in ask.scopes:
        if firm.limits.get(scope, "own_drift_bps"):
            yield Held(scope, "own_drift_bps", drift(firm, scope, buys=ask.buys), "OWN_DRIFT")


def drift(firm: Firm, scope: str, *, buys: bool) -> int:
    """In basis points, rounded up, over a minute in 64 steps."""
    since, step = firm.since(scope, "own_drift_bps"), 60 * SECOND // STEPS + 1
    fills = [
        fill
        for fill in firm.past.executions
        if scope in fill.scopes
        and fill.n > since
        and fill.buys == buys
        and fill.time // step >= firm.now // step - STEPS
    ]
    if not fills:
        return 0
    reference = fills[0].mid
    distances = [fill.price - reference if buys else reference - fill.price for fill in fills]
    return ceil_div(max(*distances, 0) * BPS, max(reference, 1))
