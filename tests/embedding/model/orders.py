"""Orders, and what may still come of each, worst case (rules.md, "Worst case")."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.embedding.model.market import ceil_div
from tests.embedding.model.side import Sided


@dataclass
class Replace:
    """A replace the venue has not answered."""

    cl_ord_id: int
    qty: int
    price: int
    px_risk: int


@dataclass(kw_only=True)
class Order(Sided):
    """An accepted order; ``px_risk`` is what its open quantity is valued at, ``n`` the event that accepted it."""

    n: int
    accepted_at: int
    router: str
    account: str
    symbol: str
    strategy: str | None
    parent: str | None
    side: str
    qty: int
    price: int | None
    rests: bool
    px_risk: int
    cl_ord_id: int
    scopes: tuple[str, ...]
    open: bool = True
    answered: bool = False
    cancel_requested: bool = False
    pending: Replace | None = None
    fills: list[tuple[int, int]] = field(default_factory=list)
    excess: tuple[int, int] = (0, 0)
    """Quantity and notional of its executions that no order explains."""
    executed_once: bool = False

    @property
    def cum(self) -> int:
        """Filled quantity, less what was busted."""
        return sum(qty for qty, _ in self.fills)

    @property
    def reserved(self) -> int:
        """What may still fill: the rest, or, while a replace is in flight, its whole quantity if that is more."""
        return self.reserved_with(self.pending)

    def reserved_with(self, pending: Replace | None) -> int:
        """The same if this replace were in flight."""
        if not self.open:
            return 0
        rest = max(self.qty - self.cum, 0)
        return max(rest, pending.qty) if pending else rest

    @property
    def reserved_px(self) -> int:
        """The price that is valued at: the higher one while a replace is in flight."""
        return max(self.px_risk, self.pending.px_risk) if self.pending else self.px_risk

    @property
    def asked(self) -> int:
        """What its router has asked for with it, less what the venue has said will not be filled (rules.md K2)."""
        if not self.open:
            return min(self.cum, self.qty)
        return max(self.qty, self.pending.qty) if self.pending else self.qty

    @property
    def prices(self) -> list[int | None]:
        """Where it rests, or may rest any moment."""
        return [self.price, self.pending.price] if self.pending else [self.price]

    def finish_if_filled(self) -> None:
        """A filled order is done, unless a replace in flight may still enlarge it."""
        if self.open and not self.pending and self.cum >= self.qty:
            self.open = False

    # ---- Executions that no order explains (rules.md U1) ----

    @property
    def beyond(self) -> int:
        """Filled beyond its quantity, or beyond the one that a replace in flight asks for."""
        return max(self.cum - max(self.qty, self.pending.qty if self.pending else 0), 0)

    def exceed(self, at_most: int, price: int, multiplier: int) -> None:
        """What is beyond its quantity now, and was not before, is unmatched: by an execution at most all of it."""
        qty, notional = self.excess
        further = min(self.beyond - qty, at_most)
        if further > 0:
            self.excess = (qty + further, notional + further * price * multiplier)

    def exceed_at_mean(self, multiplier: int) -> None:
        """A replace that might have explained its fills came to nothing: valued at the mean, rounded up."""
        if self.fills and self.cum:
            mean = ceil_div(sum(qty * price for qty, price in self.fills), self.cum)
            self.exceed(self.cum, mean, multiplier)

    def shrink_excess(self) -> None:
        """A bust takes its part back, of the notional in proportion."""
        qty, notional = self.excess
        left = min(qty, self.beyond)
        if left < qty:
            self.excess = (left, notional - notional * (qty - left) // qty)
