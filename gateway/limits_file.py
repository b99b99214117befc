"""The ``[limits]`` part of a configuration, usable alone: ``riskgate backtest`` reads it with ``[[symbols]]``.

The catalogue of limits - names, units, where they can be set and where they must be - is the core's
(``riskcore.limits()``); nothing about a single limit is known here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import Field, ValidationError

import riskcore
from gateway.documents import Document, model_problems, read_document
from gateway.instruments import StrictModel, Symbol
from gateway.problems import ConfigError, Path, Problem, closest
from gateway.scopes import DEFAULT, KINDS, PAIRS, ScopeText, parse_scope
from gateway.units import MONEY_MAX, parse_count, parse_decimal, parse_duration
from riskcore import LimitInfo

Catalogue = Mapping[str, LimitInfo]

TRIAL: Final = ("notify", "shadow")
"""Actions of a limit whose breach stops nothing."""

_TABLE_KEYS: Final = ("value", "action", "soft")


@dataclass(frozen=True, slots=True)
class LimitSetting:
    """One limit at one scope. ``value`` is in the core's unit: 1e-9 for money and prices, ns for time, else a count."""

    scope: str
    limit: str
    value: int
    action: str = ""
    """What a breach does; empty: the limit's own action."""
    soft: bool = False
    """Two people may let an order pass it."""

    @property
    def blocks(self) -> bool:
        """Whether a breach stops anything."""
        return self.action not in TRIAL


@dataclass(frozen=True, slots=True)
class Names:
    """The names a ``[limits]`` table may speak of."""

    accounts: Sequence[str] = ()
    routers: Sequence[str] = ()
    strategies: Sequence[str] = ()
    symbols: Sequence[str] = ()

    def of(self, kind: str) -> Sequence[str]:
        """The names of a kind of scope; for a pair, of its first half."""
        first = kind.removesuffix("_symbol")
        return {"account": self.accounts, "router": self.routers, "strategy": self.strategies}.get(first, self.symbols)

    def scopes(self, kind: str) -> Iterator[str]:
        """Every scope of a kind that these names make."""
        if kind == "firm":
            yield "firm"
        elif kind in PAIRS:
            yield from (f"{kind}:{name}/{symbol}" for name in self.of(kind) for symbol in self.symbols)
        else:
            yield from (f"{kind}:{name}" for name in self.of(kind))


@dataclass(frozen=True, slots=True)
class LimitsFile:
    """A limits file that was found good."""

    file: str
    symbols: tuple[Symbol, ...]
    limits: tuple[LimitSetting, ...] = field(default=())


class _Tables(StrictModel):
    symbols: tuple[Symbol, ...] = Field(strict=False, min_length=1)
    limits: dict[str, Any] = Field(default_factory=dict)


def catalogue() -> Catalogue:
    """Every limit of the core, by name."""
    return {info.name: info for info in riskcore.limits()}


def load_limits(
    file: FilePath,
    *,
    accounts: Sequence[str] = (),
    routers: Sequence[str] = (),
    strategies: Sequence[str] = (),
) -> LimitsFile:
    """Read a file of ``[[symbols]]`` and ``[limits]``; the other names are the caller's.

    Raises:
        ConfigError: with everything that is wrong with it, required limits that are missing included.
    """
    document = read_document(file)
    try:
        tables = _Tables.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(model_problems(error, _Tables, document)) from error
    names = Names(accounts, routers, strategies, [symbol.name for symbol in tables.symbols])
    settings, problems = read_limits(tables.limits, names, document)
    if problems:
        raise ConfigError(problems)
    return LimitsFile(str(file), tables.symbols, settings)


def read_limits(
    tables: Mapping[str, Any], names: Names, document: Document
) -> tuple[tuple[LimitSetting, ...], list[Problem]]:
    """The settings of a ``[limits]`` table, and everything that is wrong with it."""
    reader = _Reader(catalogue(), names, document)
    reader.read(tables)
    if not reader.problems:
        reader.require()
    return tuple(reader.settings), reader.problems


class _Reader:
    def __init__(self, limits: Catalogue, names: Names, document: Document) -> None:
        self._limits = limits
        self._names = names
        self._document = document
        self._probe = riskcore.Engine()
        self.settings: list[LimitSetting] = []
        self.problems: list[Problem] = []

    def read(self, tables: Mapping[str, Any]) -> None:
        for kind, table in tables.items():
            path: Path = ("limits", kind)
            if kind not in KINDS:
                self._refuse(path, "is no kind of scope", closest(kind, KINDS, noun="kind"))
            elif not isinstance(table, dict):
                self._refuse(path, "is not a table", f"write [{_header(kind, DEFAULT)}] and the limits below it")
            elif kind == "firm":
                self._scope(ScopeText("firm", "", ""), table, path)
            else:
                self._kind(kind, table, path)

    def _kind(self, kind: str, table: Mapping[str, Any], path: Path) -> None:
        for name, limits in table.items():
            at = (*path, name)
            if not isinstance(limits, dict):
                self._refuse(at, f"stands directly under {kind}", f"put it under [{_header(kind, DEFAULT)}]")
                continue
            try:
                scope = parse_scope(f"{kind}:{name}")
                self._known(scope)
            except ValueError as error:
                what, _, mend = str(error).partition("; ")
                self._refuse(at, what, mend)
                continue
            self._scope(scope, limits, at)

    def _known(self, scope: ScopeText) -> None:
        if scope.is_default:
            return
        known = self._names.of(scope.kind)
        if scope.name not in known:
            noun = scope.kind.removesuffix("_symbol")
            raise ValueError(f'no {noun} named "{scope.name}" is configured; {closest(scope.name, known, noun=noun)}')
        if scope.symbol and scope.symbol not in self._names.symbols:
            mend = closest(scope.symbol, self._names.symbols, noun="symbol")
            raise ValueError(f'no symbol named "{scope.symbol}" is configured; {mend}')

    def _scope(self, scope: ScopeText, limits: Mapping[str, Any], path: Path) -> None:
        for name, written in limits.items():
            at = (*path, name)
            info = self._limits.get(name)
            if info is None:
                self._refuse(at, "unknown limit", closest(name, list(self._limits), noun="limit"))
            elif scope.kind not in info.settable_at:
                self._refuse(at, f"cannot be set at a {scope.kind}", f"set it at: {', '.join(info.settable_at)}")
            else:
                self._limit(scope, info, written, at)

    def _limit(self, scope: ScopeText, info: LimitInfo, written: object, path: Path) -> None:
        try:
            setting = _read_setting(scope, info, written)
            self._ask_core(scope.kind, setting, written)
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            self._refuse(path, what, mend)
            return
        self.settings.append(setting)

    def _ask_core(self, kind: str, setting: LimitSetting, written: object) -> None:
        """The core knows the range of each limit: try the value as its kind's default."""
        scope = "firm" if kind == "firm" else f"{kind}:{DEFAULT}"
        try:
            self._probe.set_limit(scope, setting.limit, setting.value, action=setting.action or None, soft=setting.soft)
        except riskcore.RiskcoreError as error:
            raise ValueError(f"{written} is out of range; {error}") from error

    def require(self) -> None:
        """Every limit that is required at a kind of scope is set for each scope of the kind."""
        given = {(setting.scope, setting.limit) for setting in self.settings if setting.blocks}
        for info in self._limits.values():
            for kind in info.required_at:
                if (f"{kind}:{DEFAULT}", info.name) not in given:
                    self._require(info, kind, given)

    def _require(self, info: LimitInfo, kind: str, given: set[tuple[str, str]]) -> None:
        missing = [scope for scope in self._names.scopes(kind) if (scope, info.name) not in given]
        if not missing:
            return
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        what = f"{info.name} is not set for {missing[0]}{others}, which would reject every order (NO_LIMIT_CONFIGURED)"
        example = f"{info.name} = {example_of(info)}"
        self._refuse(("limits",), what, f"add `{example}` under [{_header(kind, DEFAULT)}]")

    def _refuse(self, path: Path, what: str, mend: str) -> None:
        self.problems.append(self._document.problem(path, what, mend))


def _read_setting(scope: ScopeText, info: LimitInfo, written: object) -> LimitSetting:
    """``250``, or ``{ value = 250, action = "shadow", soft = true }``."""
    if not isinstance(written, dict):
        return LimitSetting(str(scope), info.name, parse_limit(info, written))
    unknown = next((key for key in written if key not in _TABLE_KEYS), None)
    if unknown is not None:
        raise ValueError(f'"{unknown}" is no key of a limit; {closest(unknown, _TABLE_KEYS, noun="key")}')
    if "value" not in written:
        raise ValueError(f"has no value; write {{ value = {example_of(info)}, ... }}")
    action, soft = written.get("action", ""), written.get("soft", False)
    if action and (not isinstance(action, str) or action not in info.actions):
        allowed = (
            f"it takes {', '.join(info.actions)}" if info.actions else "it tunes another limit and takes no action"
        )
        raise ValueError(f'action "{action}" is none of {info.name}\'s; {allowed}')
    if not isinstance(soft, bool):
        raise ValueError(f'soft = "{soft}" is neither true nor false; write soft = true')
    return LimitSetting(str(scope), info.name, parse_limit(info, written["value"]), action, soft)


def parse_limit(info: LimitInfo, written: object) -> int:
    """A limit's value in the core's unit, from what a person wrote.

    Raises:
        ValueError: not of the limit's unit, or negative; the message ends in the mend.
    """
    value = _parser(info.unit)(written)
    if value < 0:
        raise ValueError(f"{written} is negative; limits are 0 or more, like {example_of(info)}")
    return value


def _amount(written: object) -> int:
    return parse_decimal(written, maximum=MONEY_MAX)


_PARSERS: Final[Mapping[str, Callable[[object], int]]] = {"money": _amount, "price": _amount, "ns": parse_duration}
_EXAMPLES: Final = {
    "money": '"1_000_000"',
    "price": '"0.01"',
    "ns": '"1s"',
    "bps": "300",
    "messages": "250",
    "count": "3",
}


def _parser(unit: str) -> Callable[[object], int]:
    return _PARSERS.get(unit, parse_count)


def example_of(info: LimitInfo) -> str:
    """A plausible value of a limit, as TOML."""
    return _EXAMPLES.get(info.unit, "10_000")


def _header(kind: str, name: str) -> str:
    return "limits.firm" if kind == "firm" else f'limits.{kind}."{name}"'
