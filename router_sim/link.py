"""What a router needs of its session to the gateway, and what it hears there. No protobuf on this side of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Child:
    """A child order to send. `price` in 1e-9; None = market, immediate or cancel. With a price it rests for the day."""

    cl_ord_id: str
    parent_cl_ord_id: str
    account: str
    symbol: str
    buy: bool
    qty: int
    price: int | None = None
    retail: bool = False
    """Ask the venue for the retail liquidity program."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue has the order."""

    cl_ord_id: str


@dataclass(frozen=True, slots=True)
class Traded:
    """An execution; `leaves` is what is still open."""

    cl_ord_id: str
    qty: int
    price: int
    leaves: int


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing of the order is open any more (canceled or expired)."""

    cl_ord_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The order was refused; by the gateway's check `reason`, or by the venue (`VENUE`)."""

    cl_ord_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """A cancel came to nothing."""

    cl_ord_id: str


@dataclass(frozen=True, slots=True)
class Halted:
    """The gateway has halted a scope this router belongs to."""

    scope: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Connected:
    """Logged on; `resumed` when it is not the first time."""

    resumed: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The session is lost; the link tries again by itself."""

    why: str


LinkEvent = Accepted | Traded | Closed | Refused | CancelRefused | Halted | Connected | Disconnected


class Link(Protocol):
    """A session to the gateway."""

    async def submit(self, children: Sequence[Child]) -> Sequence[LinkEvent]:
        """Send orders; answers come as events, except for those that could not be sent: their refusals are returned."""

    async def cancel(self, cl_ord_ids: Sequence[str]) -> None:
        """Ask to cancel orders."""

    def events(self) -> AsyncIterator[Sequence[LinkEvent]]:
        """What happens, in batches as they arrive, until the link is closed."""

    async def close(self) -> None:
        """Log out."""
