"""A Databento recording of market-by-order data as a flow."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from databento_dbn import F_LAST, F_MAYBE_BAD_BOOK, F_SNAPSHOT, UNDEF_PRICE, MBOMsg, Metadata

from gateway.backtest.dbn_file import DbnFile
from gateway.backtest.dbn_orders import Instrument, Record
from gateway.backtest.flow import FlowError, Party, Step, Summary

_NUMBERED: Final = "instrument_id"

_PRICED: Final = "AMFT"
"""Actions whose record must have a price; a cancel's is only repeated."""

_KINDS: Final = {
    "A": "adds",
    "M": "modifies",
    "C": "cancels",
    "F": "fills",
    "T": "trades",
    "R": "clears",
    "N": "others",
}


class DbnFlow:
    """See the module; implements ``Flow``. All orders are of one account, through one router."""

    format = "dbn"
    unit = "record"

    def __init__(self, path: Path, party: Party) -> None:
        self._dbn = DbnFile(path)
        self.file = self._dbn.file
        self.parties: tuple[Party, ...] = (party,)
        self._instruments = self._instrument_ids(self._dbn.metadata())
        self.symbols = tuple(dict.fromkeys(self._instruments.values()))
        self._interpreted: Counter[str] = Counter()

    def summary(self) -> Summary:
        """Look through the whole file once; see ``Flow``."""
        summary = Summary()
        counts: Counter[str] = Counter()
        doubtful = opening = 0
        ids = set()
        for number, time, record in self._dbn.records():
            if not summary.messages:
                summary.first_time = time
            summary.messages, summary.last_time = number, time
            counts[str(record.action)] += 1
            ids.add(record.instrument_id)
            doubtful += bool(record.flags & F_MAYBE_BAD_BOOK)
            opening += bool(record.flags & F_SNAPSHOT)
        for unknown in ids - self._instruments.keys():
            raise FlowError(self.file, "", *_nameless(unknown))
        summary.counts = {name: counts[letter] for letter, name in _KINDS.items() if counts[letter]}
        # At most one of each: a cancel may be one of a part, a fill may show an iceberg's hidden quantity.
        summary.order_messages = sum(counts[letter] for letter in "AMCTF") - opening
        if summary.messages and not opening:
            summary.notes.append(
                "the recording has no opening book: until orders of both sides have come there is no touch, and "
                "what is sent by then is refused"
            )
        if doubtful:
            summary.notes.append(f"{doubtful:,} records are marked by Databento as after a gap: the book may be wrong")
        return summary

    def steps(self) -> Iterator[Step]:
        """The steps; see ``Flow``."""
        counts = self._interpreted = Counter()
        indexes = {name: index for index, name in enumerate(self.symbols)}
        markets = [Instrument(index, counts) for index in range(len(self.symbols))]
        by_id = {number: markets[indexes[name]] for number, name in self._instruments.items()}
        event: list[Record] = []
        market: Instrument | None = None
        at = (0, 0, False)
        for number, time, message in self._dbn.records():
            flags = message.flags
            snapshot = bool(flags & F_SNAPSHOT)
            now = (message.instrument_id, message.ts_event, snapshot)
            if event and now != at and market is not None:
                yield from market.event(event)
                event.clear()
            at = now
            market = by_id.get(message.instrument_id)
            if market is None:
                raise FlowError(self.file, f"record {number}", *_nameless(message.instrument_id))
            event.append(self._record(number, time, message, snapshot=snapshot))
            if flags & F_LAST:
                yield from market.event(event)
                event.clear()
        if event and market is not None:
            yield from market.event(event)

    def interpreted(self) -> dict[str, int]:
        """See ``Flow``; the counts are described in docs/reference/backtest.md."""
        return dict(self._interpreted)

    def _record(self, number: int, time: int, message: MBOMsg, *, snapshot: bool) -> Record:
        action, price = str(message.action), message.price
        if price == UNDEF_PRICE and action in _PRICED:
            raise FlowError(self.file, f"record {number}", "has no price", "fetch the file again")
        if action not in _KINDS:
            raise FlowError(self.file, f"record {number}", f'has the unknown action "{action}"', "fetch the file again")
        return Record(number, time, action, str(message.side), message.order_id, price, message.size, snapshot)

    def _instrument_ids(self, metadata: Metadata) -> dict[int, str]:
        """The symbol of each instrument id.

        Raises:
            FlowError: the header names none, or one id for two symbols.
        """
        if str(metadata.stype_out) != _NUMBERED:
            what = f'its records are numbered by "{metadata.stype_out}"'
            raise FlowError(self.file, "", what, 'fetch it with stype_out="instrument_id"')
        ids: dict[int, str] = {}
        for symbol, intervals in sorted(metadata.mappings.items()):
            for interval in intervals:
                number = int(interval["symbol"]) if interval["symbol"].isdecimal() else None
                if number is None:
                    continue
                if ids.setdefault(number, symbol) != symbol:
                    what = f"instrument {number} is first {ids[number]}, then {symbol}"
                    raise FlowError(self.file, "", what, "split the recording by day")
        if not ids:
            raise FlowError(self.file, "", "its header names no symbols", "fetch it with symbol mappings")
        return ids


def _nameless(instrument: int) -> tuple[str, str]:
    return f"instrument {instrument} has no symbol in the file's header", "fetch it with symbol mappings"
