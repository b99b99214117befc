"""What the OMS hands a router: parent orders, and what goes with them. One JSON object per line between processes.

Times are ns after the open; a negative one is before it. Prices are in 1e-9 of the currency.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from router_sim.behaviour import CHILD_QTY, NEVER


class PlanError(ValueError):
    """A line that is no parent order; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A client order for one router."""

    parent_cl_ord_id: str
    account: str
    symbol: str
    buy: bool
    qty: int
    at: int
    """When the OMS enters it."""
    first_at: int
    """When its first child may leave."""
    retail: bool = False
    """It carries the flag: the retail liquidity program to new code, Power Peg to old code."""
    delay: int = NEVER
    """Time between two children of Power Peg, if that is what the flag means."""
    pace: int = 500_000_000
    """Time between two children of healthy code, at least."""
    slice_qty: int = CHILD_QTY
    """Shares of one child of healthy code, at most."""
    price: int | None = None
    """Where a child rests first; None = every child is marketable."""
    resting: int = NEVER
    """How long a child rests before the router takes it back and crosses the spread; NEVER = it stays."""

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


_KINDS = {"parent_cl_ord_id": str, "account": str, "symbol": str, "buy": bool, "retail": bool}


def parse_parent(text: str) -> Parent:
    """Read what `Parent.line` wrote. Raises `PlanError`."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise PlanError(f"not JSON: {text[:80]!r}") from error
    if not isinstance(raw, dict):
        raise PlanError(f"expected an object, not {text[:80]!r}")
    known = {field.name for field in fields(Parent)}
    if set(raw) != known:
        raise PlanError(f"expected the keys {sorted(known)}, not {sorted(raw)}")
    for key, value in raw.items():
        wanted = _KINDS.get(key, int)
        if not (isinstance(value, wanted) or (key == "price" and value is None)):
            raise PlanError(f"{key} must be {wanted.__name__}, not {value!r}")
    return Parent(**raw)
