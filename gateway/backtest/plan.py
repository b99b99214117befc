"""What a flow is measured with: its instruments and every limit, from a limits file."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from gateway.backtest.flow import Flow, FlowError
from gateway.instruments import Symbol
from gateway.limits_file import LimitSetting, catalogue, load_limits
from gateway.scopes import DEFAULT, PAIRS, parse_scope

Instrument = Symbol

_CONTRACT: Final = re.compile(r"([A-Z0-9]{1,4}?)[FGHJKMNQUVXZ]\d{1,2}", re.ASCII)
"""A futures contract: product, month letter, year (ESH4, ESH24)."""

_ROW: Final = '[[symbols]] name = "{}", with its tick, lot and multiplier'


@dataclass(frozen=True, slots=True)
class Plan:
    """Instruments in the order of the flow's symbols, and the limits over the flow's own names."""

    file: str
    tighten: Fraction
    instruments: tuple[Instrument, ...]
    settings: tuple[LimitSetting, ...]

    def bounds(self, scopes: Iterable[str]) -> Iterator[LimitSetting]:
        """What is in force at each scope: its own values, and its kind's defaults for the rest."""
        given: dict[str, dict[str, int]] = {}
        for setting in self.settings:
            given.setdefault(setting.scope, {})[setting.limit] = setting.value
        for scope in scopes:
            kind = scope.partition(":")[0]
            values = given.get(f"{kind}:{DEFAULT}", {}) | given.get(scope, {})
            yield from (LimitSetting(scope, limit, value) for limit, value in values.items())

    def wide(self) -> "Plan":
        """The same, with every bound so wide that it stops nothing: shows what the flow needs."""
        infos = catalogue()

        def widened(setting: LimitSetting) -> LimitSetting:
            info = infos[setting.limit]
            return setting if info.action == "parameter" else replace(setting, value=_WIDE[info.unit])

        return replace(self, settings=tuple(widened(setting) for setting in self.settings))


# As wide as the core measures: it counts at most 2^20 messages in a window, quantities and times are 64 bits.
_WIDE: Final = {
    "messages": 2**20,
    "quantity": 2**62,
    "count": 2**30,
    "ns": 2**62,
    "bps": 2**40,
    "price": 2**62,
    "money": 2**100,
}


def prepare(flow: Flow, limits: Path, tighten: Fraction = Fraction(1)) -> Plan:
    """Read a limits file for a flow; every bound is divided by ``tighten``, windows are not.

    Raises:
        ConfigError: everything that is wrong with the limits file.
        FlowError: a symbol of the flow has no row in it, or one in another currency.
    """
    accounts = tuple(dict.fromkeys(party.account for party in flow.parties))
    routers = tuple(dict.fromkeys(party.router for party in flow.parties))
    loaded = load_limits(limits, accounts=accounts, routers=routers)
    rows = {symbol.name: symbol for symbol in loaded.symbols}
    instruments = tuple(_instrument(name, rows, flow, limits) for name in flow.symbols)
    row_of = {name: _row_name(name, rows) for name in flow.symbols}
    foreign = next((row for row in instruments if row.currency), None)
    if foreign is not None:
        what = f"{foreign.name} is quoted in {foreign.currency}, and a recording holds no rates to convert it with"
        raise FlowError(
            str(limits), "", what, "leave out currency, and write the limits in the currency of the recording"
        )
    settings = [renamed for setting in loaded.limits for renamed in _for_contracts(setting, row_of)]
    return Plan(str(limits), tighten, instruments, tuple(_tightened(setting, tighten) for setting in settings))


def default_limits(symbols: Sequence[str]) -> Path | None:
    """The limits file that is shipped for these symbols; ``None`` if there is none for all of them."""
    products = {_product(symbol) or symbol for symbol in symbols}
    if len(products) != 1:
        return None
    shipped = files("gateway.backtest").joinpath("defaults", f"{products.pop()}.toml")
    if not shipped.is_file():
        return None
    with as_file(shipped) as path:
        return path


def _product(symbol: str) -> str | None:
    match = _CONTRACT.fullmatch(symbol)
    return match.group(1) if match else None


def _row_name(symbol: str, rows: dict[str, Symbol]) -> str:
    """The row that describes a symbol: its own, or that of its product."""
    product = _product(symbol)
    return symbol if symbol in rows or product is None or product not in rows else product


def _instrument(symbol: str, rows: dict[str, Symbol], flow: Flow, limits: Path) -> Instrument:
    row = rows.get(_row_name(symbol, rows))
    if row is None:
        product = _product(symbol)
        either = f', or one for every contract: name = "{product}"' if product else ""
        raise FlowError(flow.file, "", f"its symbol {symbol} is not in {limits}", f"add {_ROW.format(symbol)}{either}")
    return row.model_copy(update={"name": symbol})


def _for_contracts(setting: LimitSetting, row_of: dict[str, str]) -> Iterator[LimitSetting]:
    """A setting of a product's row, for each contract that the row describes."""
    scope = parse_scope(setting.scope)
    row = scope.name if scope.kind == "symbol" else scope.symbol
    if scope.is_default or not row:
        yield setting
        return
    for symbol, described_by in row_of.items():
        if described_by == row:
            named = scope._replace(symbol=symbol) if scope.kind in PAIRS else scope._replace(name=symbol)
            yield replace(setting, scope=str(named))


def _tightened(setting: LimitSetting, factor: Fraction) -> LimitSetting:
    if catalogue_action(setting.limit) == "parameter" or not setting.value:
        return setting
    # A bound stays at least 1: a limit of zero forbids, which no factor means.
    return replace(setting, value=max(1, int(setting.value / factor)))


def catalogue_action(limit: str) -> str:
    """What a breach of a limit does: ``reject``, ``halt``, or ``parameter`` for what is no bound."""
    return catalogue()[limit].action
