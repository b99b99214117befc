"""What a recording says, whatever its format: a sequence of steps, each with its time and its place in the file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol

OrderKey = int | str
"""How the recording names an order; unique per symbol."""

Progress = Callable[[float], None]
"""Told the part of the file that is done, from 0 to 1."""


class FlowError(Exception):
    """A recording that cannot be used. The message says which file, which line or record, what, and how to mend it."""

    def __init__(self, file: str, place: str, what: str, mend: str) -> None:
        super().__init__(f"{file}: {place}: {what}; {mend}" if place else f"{file}: {what}; {mend}")


class Side(IntEnum):
    """FIX 54, as the native module takes it."""

    BUY = ord("1")
    SELL = ord("2")


class Party(NamedTuple):
    """Whose order it is, and which router sends it."""

    account: str
    router: str


class New(NamedTuple):
    """A new order. ``number`` is the record or line it stands in; ``price`` is 1e-9, ``None`` for a market order."""

    number: int
    time: int
    symbol: int
    order: OrderKey
    party: int
    side: Side
    qty: int
    price: int | None


class Replace(NamedTuple):
    """A replace. ``leaves`` is what shall be open from now on: a recording of a book knows no total quantity."""

    number: int
    time: int
    symbol: int
    order: OrderKey
    leaves: int
    price: int | None


class Cancel(NamedTuple):
    """The order is gone, whoever asked for it."""

    number: int
    time: int
    symbol: int
    order: OrderKey


class Fill(NamedTuple):
    """A part of the order is filled; ``price`` in 1e-9."""

    number: int
    time: int
    symbol: int
    order: OrderKey
    qty: int
    price: int


class Quote(NamedTuple):
    """The touch, in 1e-9: it is this now, changed or not."""

    number: int
    time: int
    symbol: int
    bid: int
    ask: int


Step = New | Replace | Cancel | Fill | Quote


@dataclass(slots=True)
class Summary:
    """What a first look through the whole file found: it is well formed, and this large.

    ``messages`` counts records or lines; ``order_messages`` bounds the orders and replaces they make; ``notes`` says
    what a reader of the report should know about the recording.
    """

    messages: int = 0
    order_messages: int = 0
    first_time: int = 0
    last_time: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Flow(Protocol):
    """A recording. ``steps`` may be called again and again; each call reads the file from its beginning."""

    file: str
    format: str
    unit: str
    """What ``number`` counts: "record" or "line"."""
    symbols: tuple[str, ...]
    parties: tuple[Party, ...]

    def summary(self) -> Summary:
        """Look through the whole file once.

        Raises:
            FlowError: the first thing wrong with it.
        """
        ...

    def steps(self) -> Iterator[Step]:
        """The steps, in order of their time.

        Raises:
            FlowError: the first thing wrong with the file.
        """
        ...

    def interpreted(self) -> dict[str, int]:
        """How often the newest call of ``steps`` had to interpret what the recording does not say outright."""
        ...
