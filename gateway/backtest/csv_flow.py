"""A flow in CSV: the documented columns, one step a line. docs/reference/backtest.md ("CSV") describes it."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.backtest.flow import Cancel, Fill, FlowError, New, Party, Quote, Replace, Side, Step, Summary
from gateway.backtest.times import iso, parse_time
from gateway.instruments import check_name
from gateway.problems import closest
from gateway.units import PRICE_MAX, parse_count, parse_decimal

REQUIRED: Final = ("time", "action", "order_id", "symbol", "side", "qty", "price")
OPTIONAL: Final = ("account", "router", "bid", "ask")
ACTIONS: Final = ("new", "replace", "cancel", "fill", "quote")
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_MAX_QTY: Final = 2**62

Row = Mapping[str, str]


class CsvFlow:
    """See the module; implements ``Flow``. The whole file is checked when it is opened.

    ``party`` sends the orders of lines that name no account or no router.

    Raises:
        FlowError: the first line that is wrong, with its number.
    """

    format = "csv"
    unit = "line"

    def __init__(self, path: Path, party: Party) -> None:
        self._path = path
        self._party = party
        self.file = str(path)
        reading = self._reading()
        counts: Counter[str] = Counter()
        summary = Summary()
        for step in reading.steps():
            if not summary.messages:
                summary.first_time = step.time
            summary.messages += 1
            summary.last_time = step.time
            counts[type(step).__name__.lower()] += 1
        summary.counts = {action: counts[action] for action in ACTIONS if counts[action]}
        summary.order_messages = counts["new"] + counts["replace"]
        if counts["new"] and not counts["quote"]:
            summary.notes.append(
                "the recording has no quotes: orders are measured against no market, and refused without one"
            )
        self._summary = summary
        self.symbols = tuple(reading.symbols)
        self.parties = tuple(reading.parties)

    def summary(self) -> Summary:
        """What opening the file has found; see ``Flow``."""
        return self._summary

    def steps(self) -> Iterator[Step]:
        """The steps; see ``Flow``."""
        return self._reading().steps()

    def interpreted(self) -> dict[str, int]:
        """Nothing: a line says what it means."""
        return {}

    def _reading(self) -> "_Reading":
        return _Reading(self._path, self._party)


@dataclass(slots=True)
class _Known:
    """An order seen earlier. ``cum`` is what was filled of it; ``price`` is ``None`` for a market order."""

    symbol: int
    qty: int
    price: int | None
    cum: int = 0
    gone: bool = False


class _Reading:
    """One pass through the file. Symbols and parties get their index as they come, the same in each pass."""

    def __init__(self, path: Path, party: Party) -> None:
        self._path = path
        self._party = party
        self._line = 0
        self._time = 0
        self._orders: dict[str, _Known] = {}
        self.symbols: dict[str, int] = {}
        self.parties: dict[Party, int] = {}
        self._read: Mapping[str, Callable[[Row], Step]] = {
            "new": self._new,
            "replace": self._replace,
            "cancel": self._cancel,
            "fill": self._fill,
            "quote": self._quote,
        }

    def steps(self) -> Iterator[Step]:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as stream:
                rows = csv.reader(stream, strict=True)
                columns = self._header(next(rows, []))
                for values in rows:
                    self._line = rows.line_num
                    if values:
                        yield self._step(columns, values)
        except OSError as error:
            raise FlowError(str(self._path), "", f"cannot be read ({error.strerror})", "check the path") from error
        except UnicodeDecodeError as error:
            # Text is decoded ahead of the line that is read, so the line is not known.
            mend = "name a DBN file, or a CSV file in UTF-8"
            raise FlowError(str(self._path), "", "is not UTF-8 text", mend) from error
        except csv.Error as error:
            self._line += 1
            raise self._wrong(f"is not CSV: {error}", "quote fields as in RFC 4180") from error

    def _header(self, columns: list[str]) -> list[str]:
        self._line = 1
        names = [column.strip() for column in columns]
        if not names or not set(names) & set(REQUIRED):
            raise self._wrong("is no header", f"begin the file with `{','.join(REQUIRED)}`")
        known = (*REQUIRED, *OPTIONAL)
        for name in names:
            if name not in known:
                raise self._wrong(f'unknown column "{name}"', closest(name, known, noun="column"))
            if names.count(name) > 1:
                raise self._wrong(f'column "{name}" comes twice', "keep one of them")
        for name in REQUIRED:
            if name not in names:
                raise self._wrong(f'column "{name}" is missing', "add it; docs/reference/backtest.md lists them all")
        return names

    def _step(self, columns: list[str], values: list[str]) -> Step:
        if len(values) != len(columns):
            raise self._wrong(f"has {len(values)} fields, the header {len(columns)}", "give each column its field")
        row = {column: value.strip() for column, value in zip(columns, values, strict=True)}
        try:
            return self._read_row(row)
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            raise self._wrong(what, mend) from error

    def _read_row(self, row: Row) -> Step:
        time = parse_time(row["time"])
        if time < self._time:
            raise ValueError(f"its time {iso(time)} is before {iso(self._time)} of an earlier line; sort by time")
        self._time = time
        read = self._read.get(row["action"])
        if read is None:
            raise ValueError(f'unknown action "{row["action"]}"; {closest(row["action"], ACTIONS, noun="action")}')
        return read(row)

    def _new(self, row: Row) -> New:
        order = self._order_id(row)
        if order in self._orders:
            raise ValueError(f'order_id "{order}" was used before; give each order its own')
        side = _SIDES.get(row["side"].lower())
        if side is None:
            raise ValueError(f'side: "{row["side"]}" is no side; write buy or sell')
        symbol, qty = self._symbol(row), self._qty(row)
        price = self._price(row, "price") if row["price"] else None
        self._orders[order] = _Known(symbol, qty, price)
        return New(self._line, self._time, symbol, order, self._party_of(row), side, qty, price)

    def _replace(self, row: Row) -> Replace:
        order, known = self._known(row)
        qty = self._qty(row)
        if qty <= known.cum:
            raise ValueError(
                f"qty: {qty} is not more than the {known.cum} filled already; write the new total quantity"
            )
        if row["price"] and known.price is None:
            raise ValueError(f'price: order "{order}" is a market order; leave the price empty')
        known.qty = qty
        known.price = self._price(row, "price") if row["price"] else known.price
        return Replace(self._line, self._time, known.symbol, order, qty - known.cum, known.price)

    def _cancel(self, row: Row) -> Cancel:
        order, known = self._known(row)
        known.gone = True
        return Cancel(self._line, self._time, known.symbol, order)

    def _fill(self, row: Row) -> Fill:
        order, known = self._known(row)
        qty = self._qty(row)
        if known.cum + qty > known.qty:
            raise ValueError(
                f"qty: fills of {known.cum + qty} exceed the order's {known.qty}; add the replace before it"
            )
        known.cum += qty
        known.gone = known.cum == known.qty
        return Fill(self._line, self._time, known.symbol, order, qty, self._price(row, "price"))

    def _quote(self, row: Row) -> Quote:
        for side in ("bid", "ask"):
            if not row.get(side):
                raise ValueError(f"{side} is empty; a quote has both sides, in columns bid and ask")
        symbol = self._symbol(row)
        return Quote(self._line, self._time, symbol, self._price(row, "bid"), self._price(row, "ask"))

    def _known(self, row: Row) -> tuple[str, _Known]:
        order = self._order_id(row)
        known = self._orders.get(order)
        if known is None:
            raise ValueError(f'order_id "{order}" is of no order yet; put its line with action new first')
        if known.gone:
            raise ValueError(f'order_id "{order}" is of an order that is filled or cancelled; remove the line')
        return order, known

    def _order_id(self, row: Row) -> str:
        order = row["order_id"]
        if not order:
            raise ValueError("order_id is empty; every order needs one")
        return order

    def _symbol(self, row: Row) -> int:
        name = row["symbol"]
        if name not in self.symbols:
            self.symbols[check_name(name)] = len(self.symbols)
        return self.symbols[name]

    def _party_of(self, row: Row) -> int:
        account, router = row.get("account") or self._party.account, row.get("router") or self._party.router
        party = Party(account, router)
        if party not in self.parties:
            self.parties[Party(check_name(account), check_name(router))] = len(self.parties)
        return self.parties[party]

    def _qty(self, row: Row) -> int:
        qty = self._number("qty", row["qty"], parse_count)
        if not 0 < qty <= _MAX_QTY:
            raise ValueError(f"qty: {qty} is out of range; write 1 or more")
        return qty

    def _price(self, row: Row, column: str) -> int:
        return self._number(column, row[column], lambda text: parse_decimal(text, maximum=PRICE_MAX))

    def _number(self, column: str, text: str, parse: Callable[[object], int]) -> int:
        try:
            return parse(text)
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from error

    def _wrong(self, what: str, mend: str) -> FlowError:
        return FlowError(str(self._path), f"line {self._line}", what, mend)
