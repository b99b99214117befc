"""Anonymous market-by-order records as the orders of one firm.

docs/reference/backtest.md ("How market by order becomes orders") has the rules and their reasons. In short: every order
of the session, resting or aggressive, is ours; the opening book is the others'. All records of one exchange event
belong together: an aggressor's trades come before what is left of it enters the book.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.backtest.book import Book, Resting
from gateway.backtest.flow import Cancel, Fill, New, Quote, Replace, Side, Step


class Record(NamedTuple):
    """What is needed of a market-by-order record. ``action`` and ``side`` are Databento's letters."""

    number: int
    time: int
    action: str
    side: str
    order: int
    price: int
    size: int
    snapshot: bool


@dataclass(slots=True)
class _Aggressor:
    """An order that trades as it arrives. ``price`` is the worst it traded at, ``rest`` what it leaves in the book."""

    number: int
    side: Side
    qty: int
    price: int
    rest: Record | None = None
    ours: bool = True


_SIDES = {"B": Side.BUY, "A": Side.SELL}


class Instrument:
    """One instrument: its book, its resting orders, and what its next event means.

    ``counts`` tells how often something had to be interpreted: see docs/reference/backtest.md, "Counts".
    """

    def __init__(self, symbol: int, counts: Counter[str]) -> None:
        self._symbol = symbol
        self._counts = counts
        self._book = Book()
        self._resting: dict[int, Resting] = {}
        self._last_quote: tuple[int, int, int] | None = None

    def event(self, records: Sequence[Record]) -> Iterator[Step]:
        """The steps of one exchange event."""
        first, last = records[0], records[-1]
        if not first.snapshot:
            # The recording is complete, so the touch is confirmed up to now; a touch that is gone grows old.
            yield from self._quote(first)
        yield from self._trades(records) if len(records) > 1 else self._record(first)
        yield from self._quote(last)

    def _quote(self, at: Record) -> Iterator[Step]:
        touch = self._book.touch()
        if touch is None or self._last_quote == (at.time, *touch):
            return
        self._last_quote = (at.time, *touch)
        yield Quote(at.number, at.time, self._symbol, *touch)

    # ---- Events with trades ------------------------------------------------------------------------------------

    def _trades(self, records: Sequence[Record]) -> Iterator[Step]:
        aggressors = self._aggressors(records)
        for order, aggressor in aggressors.items():
            yield from self._arrive(order, aggressor, records[0].time)
        yield from self._refills(records, aggressors)
        for record in records:
            if record.action == "T":
                if record.order in aggressors and aggressors[record.order].ours:
                    yield self._fill(record)
            elif record.action == "F":
                # Some aggressors are reported as filled themselves; their trade has said it.
                if record.order not in aggressors:
                    yield from self._filled(record)
            elif record.action == "A" and record.order in aggressors:
                self._enter(record, ours=aggressors[record.order].ours)
            else:
                yield from self._record(record)

    def _aggressors(self, records: Sequence[Record]) -> dict[int, _Aggressor]:
        found: dict[int, _Aggressor] = {}
        for record in records:
            if record.action == "T" and record.order and record.side in _SIDES:
                side = _SIDES[record.side]
                known = found.get(record.order)
                if known is None:
                    found[record.order] = _Aggressor(record.number, side, record.size, record.price)
                else:
                    known.qty += record.size
                    known.price = (max if side is Side.BUY else min)(known.price, record.price)
            elif record.action in {"A", "M"} and record.order in found:
                found[record.order].rest = record
        return found

    def _arrive(self, order: int, aggressor: _Aggressor, time: int) -> Iterator[Step]:
        """An aggressor's own message, before its trades: a new order, or a resting one changed to cross."""
        rest = aggressor.rest
        qty = aggressor.qty + (rest.size if rest else 0)
        price = rest.price if rest else aggressor.price
        resting = self._resting.get(order)
        if resting is None:
            self._counts["aggressors"] += 1
            yield New(aggressor.number, time, self._symbol, order, 0, aggressor.side, qty, price)
            return
        aggressor.ours = resting.ours
        resting.explained = True
        resting.filled += aggressor.qty
        if resting.ours:
            yield Replace(aggressor.number, time, self._symbol, order, qty, price)

    def _refills(self, records: Sequence[Record], aggressors: Mapping[int, _Aggressor]) -> Iterator[Step]:
        """Icebergs show their hidden quantity only as they fill: more is filled, or shown anew, than was displayed.

        The firm that sent one knew its whole quantity, so it grows before the fills and not after them.
        """
        fills: dict[int, list[Record]] = {}
        shown: dict[int, int] = {}
        for record in records:
            if record.action == "F" and record.order not in aggressors:
                fills.setdefault(record.order, []).append(record)
            elif record.action == "M" and record.order in fills:
                shown[record.order] = record.size
        for order, filled in fills.items():
            resting = self._resting.get(order)
            if resting is None or not resting.ours:
                continue
            leaves = sum(record.size for record in filled) + shown.get(order, 0)
            if leaves > resting.size - resting.filled:
                resting.explained = True
                self._counts["hidden_quantity"] += 1
                first = filled[0]
                yield Replace(first.number, first.time, self._symbol, order, leaves, resting.price)

    def _filled(self, record: Record) -> Iterator[Step]:
        resting = self._resting.get(record.order)
        if resting is None:
            self._counts["unknown_orders"] += 1
            return
        resting.filled += record.size
        if resting.ours:
            yield self._fill(record)

    def _fill(self, record: Record) -> Fill:
        return Fill(record.number, record.time, self._symbol, record.order, record.size, record.price)

    # ---- One record --------------------------------------------------------------------------------------------

    def _record(self, record: Record) -> Iterator[Step]:
        match record.action:
            case "A":
                yield from self._add(record)
            case "C":
                yield from self._cancel(record)
            case "M":
                yield from self._modify(record)
            case "R":
                yield from self._clear(record)
            case "F":
                yield from self._filled(record)

    def _add(self, record: Record) -> Iterator[Step]:
        if not self._enter(record, ours=not record.snapshot) or record.snapshot:
            return
        side = _SIDES[record.side]
        yield New(record.number, record.time, self._symbol, record.order, 0, side, record.size, record.price)

    def _enter(self, record: Record, *, ours: bool) -> bool:
        """Put an order into the book; whether it could be."""
        side = _SIDES.get(record.side)
        if side is None or record.order in self._resting:
            self._counts["unusable_adds"] += 1
            return False
        if record.snapshot:
            self._counts["opening_book_orders"] += 1
        self._resting[record.order] = Resting(record.order, side, record.price, record.size, ours)
        self._book.add(side, record.price, record.size)
        return True

    def _cancel(self, record: Record) -> Iterator[Step]:
        """Less of an order, or nothing more. What was filled is taken off by such a record too."""
        resting = self._resting.get(record.order)
        if resting is None:
            self._counts["unknown_orders"] += 1
            return
        size = min(record.size, resting.size)
        canceled = size > resting.filled
        resting.filled = max(resting.filled - size, 0)
        resting.size -= size
        self._book.add(resting.side, resting.price, -size)
        if resting.size == 0:
            del self._resting[record.order]
            if resting.ours and canceled:
                yield Cancel(record.number, record.time, self._symbol, record.order)
        elif resting.ours and canceled:
            yield Replace(record.number, record.time, self._symbol, record.order, resting.size, resting.price)

    def _modify(self, record: Record) -> Iterator[Step]:
        resting = self._resting.get(record.order)
        if resting is None:
            # Its add was before the recording: an order of the others.
            self._counts["unknown_orders"] += 1
            self._enter(record, ours=False)
            return
        bookkeeping = resting.explained or (
            resting.filled > 0 and (record.price, record.size) == (resting.price, resting.size - resting.filled)
        )
        self._book.add(resting.side, resting.price, -resting.size)
        self._book.add(resting.side, record.price, record.size)
        resting.price, resting.size, resting.filled, resting.explained = record.price, record.size, 0, False
        if resting.ours and not bookkeeping:
            yield Replace(record.number, record.time, self._symbol, record.order, record.size, record.price)

    def _clear(self, record: Record) -> Iterator[Step]:
        """The exchange starts its book anew; what was in it is gone."""
        gone = [resting.order for resting in self._resting.values() if resting.ours]
        self._resting.clear()
        self._book.clear()
        for order in gone:
            yield Cancel(record.number, record.time, self._symbol, order)
