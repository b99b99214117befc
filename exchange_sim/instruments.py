"""What the exchange trades, and how its market gives way: the universe file.

A JSON object `{"instruments": [...]}`; each instrument has `symbol`, `mid` (decimal text), and optionally `tick`
(decimal text), `spread_ticks`, `depth` (units at each level), `move_ppm` and `move_qty` (the price has moved by
`move_ppm` millionths when the net quantity taken reaches `move_qty`) and `retail_size` (hidden retail interest per
side).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

NANO = 1_000_000_000
"""Prices are integers in 1e-9 of the currency."""


class UniverseError(ValueError):
    """A universe that cannot be used; the message says where and how to mend it."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol and the character of its market. Prices in 1e-9 of the currency."""

    symbol: str
    mid: int
    tick: int = NANO // 100
    spread_ticks: int = 1
    depth: int = 1_000
    move_ppm: int = 0
    move_qty: int = 1_000_000
    retail_size: int = 0


def parse_universe(text: str, *, where: str = "universe") -> list[Instrument]:
    """Read a universe from JSON text.

    Args:
        text: the JSON.
        where: how to call the text in errors, a file name for instance.

    Raises:
        UniverseError: not JSON, an unknown or missing key, a value out of range, or a symbol twice.
    """
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise UniverseError(f"{where}: not JSON ({error})") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("instruments"), list):
        raise UniverseError(f'{where}: expected {{"instruments": [...]}}')
    found: dict[str, Instrument] = {}
    for index, entry in enumerate(raw["instruments"]):
        instrument = _instrument(entry, f"{where}: instruments[{index}]")
        if instrument.symbol in found:
            raise UniverseError(f"{where}: symbol {instrument.symbol} appears twice; remove one")
        found[instrument.symbol] = instrument
    if not found:
        raise UniverseError(f"{where}: no instruments; an exchange without symbols trades nothing")
    return list(found.values())


def load_universe(path: Path) -> list[Instrument]:
    """Read a universe file; see the module for the format. Raises `UniverseError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UniverseError(f"{path}: cannot read ({error.strerror})") from error
    return parse_universe(text, where=str(path))


def dump_universe(instruments: Iterable[Instrument]) -> str:
    """The universe file for these instruments; `parse_universe` reads it back unchanged."""
    return json.dumps({"instruments": [_entry(instrument) for instrument in instruments]}, indent=1)


def price_text(price: int) -> str:
    """A price in 1e-9 units as decimal text, for people and files."""
    return format((Decimal(price) / NANO).normalize(), "f")


_COUNTS: Mapping[str, int] = {"spread_ticks": 1, "depth": 1, "move_ppm": 0, "move_qty": 1, "retail_size": 0}
"""Integer keys and the least value each may have."""


def _instrument(entry: object, where: str) -> Instrument:
    if not isinstance(entry, dict):
        raise UniverseError(f"{where}: expected an object")
    unknown = set(entry) - {"symbol", "mid", "tick", *_COUNTS}
    if unknown:
        raise UniverseError(f"{where}: unknown key {min(unknown)!r}; remove it")
    symbol = entry.get("symbol")
    if not isinstance(symbol, str) or not symbol or not symbol.isascii() or not symbol.isprintable():
        raise UniverseError(f"{where}: symbol must be printable ASCII, not {symbol!r}")
    counts = {key: _count(entry[key], least, f"{where}.{key}") for key, least in _COUNTS.items() if key in entry}
    tick = parse_price(entry.get("tick", "0.01"), f"{where}.tick")
    return Instrument(symbol=symbol, mid=parse_price(entry.get("mid"), f"{where}.mid"), tick=tick, **counts)


def parse_price(value: object, where: str) -> int:
    """A price, or a rate, in 1e-9 from decimal text. Raises `UniverseError`."""
    try:
        scaled = Decimal(str(value)) * NANO
        price = int(scaled)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise UniverseError(f"{where}: expected a decimal price as text, not {value!r}") from error
    if price != scaled or price <= 0:
        raise UniverseError(f"{where}: {value!r} must be above zero with at most nine decimals")
    return price


def _count(value: object, least: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UniverseError(f"{where}: expected an integer of at least {least}, not {value!r}")
    return value


def _entry(instrument: Instrument) -> dict[str, object]:
    entry: dict[str, object] = {key: getattr(instrument, key) for key in _COUNTS}
    return {
        "symbol": instrument.symbol,
        "mid": price_text(instrument.mid),
        "tick": price_text(instrument.tick),
        **entry,
    }
