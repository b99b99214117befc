"""Recordings made by tests: single records, and a whole session that looks like one of CME's."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard
from databento_dbn import UNDEF_PRICE, Action, MBOMsg, Metadata, Schema, SType
from databento_dbn import Side as DbnSide

from gateway.backtest import Flow, Party, open_flow
from tests.support import ROOT

PARTY = Party("FLOW", "flow")
INSTRUMENT = 17077
SYMBOL = "ESH4"
NANO = 1_000_000_000
OPEN = 1_703_545_200 * NANO
"""2023-12-25T23:00:00Z."""
TICK = NANO // 4

LAST, SNAPSHOT = 128, 32

CSV_HEADER = "time,action,order_id,symbol,side,qty,price,bid,ask"


@dataclass
class Interval:
    """When an instrument id stands for a symbol."""

    symbol: str
    start_date: dt.date = dt.date(2023, 12, 25)
    end_date: dt.date = dt.date(2023, 12, 26)


@dataclass
class Mapping:
    """One symbol of a header."""

    raw_symbol: str
    intervals: list[Interval]


def header(
    schema: str = Schema.MBO, symbols: dict[str, int] | None = None, stype_out: str = SType.INSTRUMENT_ID
) -> bytes:
    """A DBN header."""
    ids = {SYMBOL: INSTRUMENT} if symbols is None else symbols
    # The library's stubs call its enum members text, and its parameters enums.
    arguments: dict[str, Any] = {
        "dataset": "GLBX.MDP3",
        "start": OPEN,
        "stype_in": SType.RAW_SYMBOL,
        "stype_out": stype_out,
        "schema": schema,
        "symbols": list(ids),
        "mappings": [Mapping(name, [Interval(str(number))]) for name, number in ids.items()],
        "partial": [],
        "not_found": [],
    }
    metadata = Metadata(**arguments)
    return metadata.encode()


def record(
    action: str,
    order: int,
    side: str = "B",
    price: float | None = 4800.0,
    size: int = 1,
    *,
    at: int = OPEN,
    flags: int = LAST,
    instrument: int = INSTRUMENT,
) -> bytes:
    """One market-by-order record; ``at`` in ns."""
    message = MBOMsg(
        publisher_id=1,
        instrument_id=instrument,
        ts_event=at,
        order_id=order,
        price=UNDEF_PRICE if price is None else round(price * 4) * TICK,
        size=size,
        action=Action.from_str(action),
        side=DbnSide.from_str(side),
        ts_recv=at,
        flags=flags,
        channel_id=0,
    )
    return bytes(message)


def write(path: Path, records: Iterable[bytes], *, head: bytes | None = None, compress: bool = True) -> Path:
    """A recording; compressed like Databento's, header and records as a frame each."""
    parts = [header() if head is None else head, b"".join(records)]
    path.write_bytes(b"".join(zstandard.compress(part) if compress else part for part in parts))
    return path


def dbn(path: Path, *events: list[bytes]) -> Flow:
    """A recording of these events, after an opening book of 4799 bid, 4801 offered."""
    opening = [
        record("A", 1, "B", 4799, 10, at=OPEN - NANO, flags=SNAPSHOT),
        record("A", 2, "A", 4801, 10, at=OPEN - NANO, flags=SNAPSHOT),
    ]
    return open_flow(write(path / "flow.mbo.dbn.zst", [*opening, *(one for event in events for one in event)]), PARTY)


def real_recordings() -> list[Path]:
    """Recordings of real sessions on this machine: RISKGATE_TEST_FLOW, or a sibling data directory, if present."""
    named = os.environ.get("RISKGATE_TEST_FLOW")
    if named:
        assert Path(named).is_file(), f"RISKGATE_TEST_FLOW={named}: there is no such file"
        return [Path(named)]
    return sorted(ROOT.parent.glob("*/data/es*.mbo.dbn.zst"))


# ---- A session ---------------------------------------------------------------------------------------------------


@dataclass
class Rest:
    """A resting order of the made-up exchange; ``hidden`` is what an iceberg has left to show."""

    order: int
    side: str
    price: float
    size: int
    ours: bool = True
    hidden: int = 0


@dataclass
class Session:
    """A made-up exchange that records what it does, as Databento would, and knows what it means.

    ``position`` is what all orders but the opening book's have bought less what they have sold.
    """

    seed: int = 1
    records: list[bytes] = field(default_factory=list)
    book: dict[int, Rest] = field(default_factory=dict)
    orders: int = 0
    position: int = 0
    now: int = OPEN - 3600 * NANO

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.next_order = 1000

    def run(self, messages: int = 6_000) -> list[bytes]:
        """Opening book, pre-open, auction, and a session of so many messages that begins in a burst."""
        self.opening_book()
        self.pre_open()
        self.auction()
        for count in range(messages):
            self.now += self.random.randint(200_000, 900_000) if count < 250 else self.random.randint(1, 60) * 1_000_000
            self.random.choices([self.add, self.cancel, self.modify, self.aggress], weights=[45, 25, 20, 10])[0]()
        return self.records

    def opening_book(self) -> None:
        """Orders of the others, on both sides of 4800."""
        for level in range(1, 200):
            for side, sign in (("B", -1), ("A", 1)):
                self.rest(side, 4800 + sign * level / 4, self.random.randint(1, 40), flags=SNAPSHOT | 8)

    def pre_open(self) -> None:
        """Orders that cross without trading, an hour before the open."""
        for _ in range(40):
            self.now += 30 * NANO
            side = self.random.choice("BA")
            self.rest(side, 4800 + (3 if side == "B" else -3) + self.random.randint(-4, 4) / 4, 2)

    def auction(self) -> None:
        """Everything that crosses trades at 4800; the exchange names no aggressor."""
        self.now = OPEN
        bids = self.best("B", lambda price: price >= 4800)
        asks = self.best("A", lambda price: price <= 4800)
        volume = min(sum(rest.size for rest in bids), sum(rest.size for rest in asks))
        filled: list[tuple[Rest, int]] = []
        for rests in (bids, asks):
            left = volume
            for rest in rests:
                size = min(rest.size, left)
                left -= size
                if size:
                    filled.append((rest, size))
        event = [("T", 0, "N", 4800.0, volume), *(("F", rest.order, "N", 4800.0, size) for rest, size in filled)]
        self.emit([*event, *(self.taken(rest, size) for rest, size in filled)])

    def add(self) -> None:
        """A new order behind the touch, rarely large."""
        side = self.random.choice("BA")
        touch = self.touch(side)
        away = self.random.randint(0, 20) / 4
        size = 250 if self.random.random() < 0.004 else self.random.choice((1, 1, 1, 2, 3, 5, 10))
        hidden = size * 3 if self.random.random() < 0.02 else 0
        self.rest(side, touch - away if side == "B" else touch + away, size, hidden=hidden)

    def cancel(self) -> None:
        """An order goes, or a part of it."""
        rest = self.any()
        size = rest.size if rest.size == 1 or self.random.random() < 0.9 else rest.size // 2
        rest.size -= size
        rest.hidden = 0
        self.emit([("C", rest.order, rest.side, rest.price, size)])
        if not rest.size:
            del self.book[rest.order]

    def modify(self) -> None:
        """An order moves a tick away from the market, or changes its size."""
        rest = self.any()
        if self.random.random() < 0.5:
            rest.price += -0.25 if rest.side == "B" else 0.25
        else:
            rest.size += 1
        self.emit([("M", rest.order, rest.side, rest.price, rest.size)])

    def aggress(self) -> None:
        """An order takes what is at the touch, sometimes more, and sometimes leaves a rest."""
        side, other = self.random.choice((("B", "A"), ("A", "B")))
        price = self.touch(other)
        makers = self.best(other, lambda level: level == price)
        shown = sum(rest.size for rest in makers)
        qty = self.random.choice((1, 2, 5, shown, shown + 2))
        order = self.new_order()
        left, trades = min(qty, shown), []
        for rest in makers:
            size = min(rest.size, left)
            left -= size
            if size:
                trades.append((rest, size))
        traded = sum(size for _, size in trades)
        sign = 1 if side == "B" else -1
        self.position += sign * traded
        event = [("T", order, side, price, traded), *(("F", rest.order, other, price, size) for rest, size in trades)]
        if qty > traded:
            self.book[order] = Rest(order, side, price, qty - traded)
            event.append(("A", order, side, price, qty - traded))
        self.emit([*event, *(self.taken(rest, size) for rest, size in trades)])

    def taken(self, rest: Rest, size: int) -> tuple[str, int, str, float, int]:
        """Take a fill off the book: the record that says so. An iceberg shows its next part."""
        if rest.ours:
            self.position += size if rest.side == "B" else -size
        left = rest.size - size
        if not left and rest.hidden:
            left = min(rest.hidden, size)
            rest.hidden -= left
        if left:
            rest.size = left
            return ("M", rest.order, rest.side, rest.price, left)
        del self.book[rest.order]
        return ("C", rest.order, rest.side, rest.price, size)

    def rest(self, side: str, price: float, size: int, *, hidden: int = 0, flags: int = 0) -> None:
        """Put an order into the book."""
        ours = not flags & SNAPSHOT
        order = self.new_order(ours=ours)
        self.book[order] = Rest(order, side, price, size, ours, hidden)
        self.emit([("A", order, side, price, size)], flags)

    def new_order(self, *, ours: bool = True) -> int:
        """The next order's id."""
        self.next_order += 1
        self.orders += ours
        return self.next_order

    def touch(self, side: str) -> float:
        """The best price of a side."""
        prices = [rest.price for rest in self.book.values() if rest.side == side]
        return max(prices) if side == "B" else min(prices)

    def best(self, side: str, wanted: Callable[[float], bool]) -> list[Rest]:
        """Orders of a side at the wanted prices, best price and oldest first."""
        rests = [rest for rest in self.book.values() if rest.side == side and wanted(rest.price)]
        return sorted(rests, key=lambda rest: (-rest.price if side == "B" else rest.price, rest.order))

    def any(self) -> Rest:
        """Some order of ours; a new one if none is left."""
        ours = [rest for rest in self.book.values() if rest.ours]
        while not ours:
            self.add()
            ours = [rest for rest in self.book.values() if rest.ours]
        return self.random.choice(ours)

    def emit(self, event: list[tuple[str, int, str, float, int]], flags: int = 0) -> None:
        """Record one event; its last record says that it is the last, those of the opening book say nothing."""
        for place, (action, order, side, price, size) in enumerate(event, 1):
            last = LAST if place == len(event) and not flags & SNAPSHOT else 0
            self.records.append(record(action, order, side, price, size, at=self.now, flags=flags | last))


def session_file(directory: Path, messages: int = 6_000) -> tuple[Path, Session]:
    """A recorded session, and what is known of it."""
    session = Session()
    return write(directory / "session.mbo.dbn.zst", session.run(messages)), session


def csv_file(directory: Path, *lines: str, header: str = CSV_HEADER) -> Path:
    """A CSV recording."""
    path = directory / "flow.csv"
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def csv_flow(directory: Path, *rows: str, header: str = CSV_HEADER) -> Flow:
    """A CSV recording whose times are given in ms after the open."""
    lines = []
    for row in rows:
        ms, _, rest = row.partition(",")
        lines.append(f"{OPEN + int(ms) * 1_000_000},{rest}")
    return open_flow(csv_file(directory, *lines, header=header), PARTY)
