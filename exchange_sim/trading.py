"""Whether and within which bounds an instrument trades: phases, price bands, and what else the venue says of it.

A venue has a phase, and an instrument may have one of its own; a halt of either holds whatever the other says. The words
are those of FIX TradingSessionStatus (h) and SecurityStatus (f).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """What the venue does with orders; the names of `TradingPhase` on the wire."""

    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    AUCTION = "auction"
    CONTINUOUS = "continuous"
    HALTED = "halted"
    POST_CLOSE = "post_close"

    @property
    def takes_orders(self) -> bool:
        """Whether new orders are admitted."""
        return self in (Phase.PRE_OPEN, Phase.AUCTION, Phase.CONTINUOUS)


class ShortSale(Enum):
    """What binds short sales; FIX ShortSaleRestriction (1687)."""

    NONE = "none"
    NOT_SHORTABLE = "not_shortable"
    NOT_AT_BID = "not_at_bid"
    PRE_BORROW = "pre_borrow"


@dataclass(slots=True)
class Security:
    """One instrument, beside its book. Prices in 1e-9; None = nothing is said."""

    phase: Phase | None = None
    """Its own phase; None = the venue's."""
    bands: tuple[int, int] | None = None
    prior_close: int | None = None
    short_sale: ShortSale | None = None


class Trading:
    """The phases of a venue and of its instruments. Everything trades continuously until told otherwise."""

    def __init__(self, symbols: Iterable[str]) -> None:
        """Open for these symbols."""
        self.market = Phase.CONTINUOUS
        self.securities = {symbol: Security() for symbol in symbols}

    def phase(self, symbol: str) -> Phase:
        """The phase an order of this symbol meets."""
        own = self.securities[symbol].phase
        if Phase.HALTED in (self.market, own):
            return Phase.HALTED
        return own or self.market

    def set_market(self, phase: Phase) -> None:
        """The phase of the whole venue; an instrument keeps only a halt of its own."""
        self.market = phase
        for security in self.securities.values():
            if security.phase is not Phase.HALTED:
                security.phase = None

    def outside(self, symbol: str, price: int | None, *, buy: bool) -> bool:
        """Whether a price is beyond the band of its side. Bands hold in continuous trading."""
        bands = self.securities[symbol].bands
        if bands is None or price is None or self.phase(symbol) is not Phase.CONTINUOUS:
            return False
        return price > bands[1] if buy else price < bands[0]
