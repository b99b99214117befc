"""``riskgate.toml``: what the gateway is told before it starts.

Everything is checked before anything is bound. Unknown keys are refused, nothing is coerced or guessed, a required
limit that is missing is an error, and all errors are reported at once, each with its file, line and mend.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema

import riskcore
from gateway.addresses import check_listen, check_peer, split_address
from gateway.documents import Document, model_problems, read_document
from gateway.fleet.attributes import Text
from gateway.fleet.flags import Flag, contradictions
from gateway.fleet.keys import KeyFileError
from gateway.fleet.manifest import Manifest
from gateway.fleet.signing import verify
from gateway.instruments import Currency, Name, StrictModel, Symbol
from gateway.limits_file import LimitSetting, Names, catalogue, read_limits
from gateway.problems import ConfigError, Path, Problem, closest
from gateway.scopes import KINDS
from gateway.units import PRICE_MAX, parse_decimal, parse_duration
from riskcore import LimitInfo

_MILLISECOND: Final = 1_000_000
_CLOCK: Final = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
_DROP_COPY_LIMIT: Final = "drop_copy_max_lag"
_RATE_LIMIT: Final = "fx_rate_max_age"
_MAX_SOCKET_PATH: Final = 107
"""``sun_path`` of a UNIX socket address holds 108 bytes with its final zero."""


def _heartbeat(value: object) -> int:
    nanos = parse_duration(value)
    if nanos % _MILLISECOND or not 10 * _MILLISECOND <= nanos <= 60_000 * _MILLISECOND:
        raise ValueError(f'"{value}" is out of range; use whole milliseconds from "10ms" to "60s"')
    return nanos // _MILLISECOND


def _token(token: str) -> str:
    if not (16 <= len(token) <= 256 and token.isascii() and token.isprintable() and " " not in token):
        raise ValueError(
            "is no usable token; make one of 16 to 256 printable characters: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(24))"'
        )
    return token


def _mark(value: object) -> int:
    return parse_decimal(value, maximum=PRICE_MAX)


Listen = Annotated[str, AfterValidator(check_listen)]
Peer = Annotated[str, AfterValidator(check_peer)]
Token = Annotated[str, AfterValidator(_token)]
Heartbeat = Annotated[
    int, BeforeValidator(_heartbeat), WithJsonSchema({"type": "string", "description": 'Duration, "10ms" to "60s".'})
]
Mark = Annotated[int, BeforeValidator(_mark), WithJsonSchema({"type": ["string", "integer"]})]


class Gateway(StrictModel):
    """Who this gateway is. ``trading_day`` defaults to today in UTC."""

    name: Name = Field(examples=["gw1"])
    trading_day: dt.date | None = Field(default=None, examples=["2012-08-01"])


class Firm(StrictModel):
    """``base_currency`` is the currency of every limit on money."""

    base_currency: Currency = Field(examples=["USD"])


class OrderEntry(StrictModel):
    """The routers' door. ``heartbeat`` is in ms once read; three missed ones end a session."""

    listen: Listen = Field(examples=["127.0.0.1:7001"])
    heartbeat: Heartbeat = Field(default=1000, examples=["1s"])
    cancel_on_disconnect: bool = Field(default=True, examples=[True])
    max_sessions: int = Field(default=64, ge=1, le=4096, examples=[64])


class HaltDoor(StrictModel):
    """The native door that only halts: a listener, and optionally a UNIX socket and a file."""

    listen: Listen = Field(examples=["127.0.0.1:7002"])
    socket: str | None = Field(default=None, min_length=1, examples=["run/halt.sock"])
    file: str | None = Field(default=None, min_length=1, examples=["run/HALT"])


class Listener(StrictModel):
    """A listener."""

    listen: Listen = Field(examples=["127.0.0.1:7003"])


class Venue(StrictModel):
    """The exchange. With ``replace_in_flight_mitigation`` it honours replaces net of what was filled meanwhile.

    With ``publishes_phases`` an instrument takes no order until the venue has said its trading phase; without, it counts
    as open until the venue says otherwise. With ``drop_copy`` every execution is compared with the venue's drop copy
    (``drop_copy_max_lag``).
    """

    address: Peer = Field(examples=["127.0.0.1:7100"])
    replace_in_flight_mitigation: bool = Field(default=False, examples=[False])
    publishes_phases: bool = Field(default=False, examples=[False])
    drop_copy: bool = Field(default=False, examples=[True])


class MarketData(StrictModel):
    """The market-data feed; without it the venue's."""

    address: Peer = Field(examples=["127.0.0.1:7100"])


class Journal(StrictModel):
    """Where records go; without a file they stay in a bounded ring in memory.

    Each start of the gateway writes a file of its own: ``run/records.log`` becomes ``run/records-<epoch>.log``.
    """

    file: str | None = Field(default=None, min_length=1, examples=["run/records.log"])


class Capacity(StrictModel):
    """Sizes of the core's tables, reserved at the start; a full table rejects with CAPACITY."""

    max_orders: int = Field(default=1_048_576, ge=1, le=64_000_000, examples=[1_048_576])
    max_parents: int = Field(default=65_536, ge=1, le=16_000_000, examples=[65_536])


def _known(text: str) -> str:
    kind, colon, value = text.partition(":")
    kinds = riskcore.finding_kinds()
    if not colon or not value or kind not in kinds:
        raise ValueError(f'"{text}" names nothing; write kind:value, with a kind of {", ".join(kinds)}')
    return text


class Findings(StrictModel):
    """What one router may show alone without a finding: ``kind:value`` each.

    ``venue_reject:Not shortable``, ``refusal:PRICE_COLLAR``, ``ord_type:MARKET``, ``time_in_force:IOC``, ``flag:3``,
    ``strategy:S1``.
    """

    known: tuple[Annotated[str, AfterValidator(_known)], ...] = Field(
        default=(), strict=False, max_length=256, examples=[["venue_reject:Not shortable"]]
    )


def _time_of_day(value: object) -> int:
    if not isinstance(value, str) or (match := _CLOCK.fullmatch(value)) is None:
        raise ValueError(f'{value!r} is not a time of day; write UTC as "13:30" or "13:30:00"')
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(f'"{value}" is no time of day; write UTC from "00:00" to "23:59:59"')
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000 * _MILLISECOND


TimeOfDay = Annotated[
    int, BeforeValidator(_time_of_day), WithJsonSchema({"type": "string", "description": 'UTC, "13:30".'})
]
Span = Annotated[
    int, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "description": 'Duration, "60s".'})
]


class Readiness(StrictModel):
    """The gate at the open; without the table there is none. ``open`` and ``grace`` are in ns once read."""

    open: TimeOfDay = Field(examples=["13:30"])
    grace: Span = Field(default=60_000 * _MILLISECOND, examples=["60s"])
    all_routers: bool = Field(default=True, examples=[True])
    symbols: tuple[str, ...] = Field(default=(), strict=False, examples=[["AAPL"]])


class Operator(StrictModel):
    """A person. ``view`` sees, ``halt`` also halts, ``risk`` also sets limits, proposes and approves."""

    name: Name = Field(examples=["alice"])
    role: Literal["view", "halt", "risk"] = Field(examples=["risk"])
    token: Token = Field(repr=False)


class Oms(StrictModel):
    """An order management system: the quantity authority."""

    name: Name = Field(examples=["oms1"])
    token: Token = Field(repr=False)


Symbols = Annotated[tuple[str, ...], Field(default=(), strict=False, examples=[["AAPL", "MSFT"]])]
"""The symbols that may be traded; empty for all that are configured."""


class Account(StrictModel):
    """An account; unless told otherwise its orders must name a registered parent and may be of every symbol.

    Orders of accounts that name the same ``smp_group`` must not trade with each other; without one they may.
    """

    name: Name = Field(examples=["ACC1"])
    parent_required: bool = Field(default=True, examples=[True])
    smp_group: Name | None = Field(default=None, examples=["house"])
    symbols: Symbols


class Router(StrictModel):
    """One router instance, the accounts it may use, and the symbols: without a list every one."""

    name: Name = Field(examples=["smars-1"])
    token: Token = Field(repr=False)
    accounts: tuple[str, ...] = Field(strict=False, min_length=1, examples=[["ACC1"]])
    symbols: Symbols


class Strategy(StrictModel):
    """A strategy that orders may name, and the symbols it may trade: without a list every one."""

    name: Name = Field(examples=["RLP"])
    symbols: Symbols


class Restricted(StrictModel):
    """An entry of the firm's restricted list: which orders of a symbol are stopped, and why.

    ``opening`` stops what could open or widen a position and lets through what only reduces one.
    """

    symbol: str = Field(examples=["AAPL"])
    stops: Literal["opening", "all", "buy", "sell", "opening_buy", "opening_sell"] = Field(
        default="opening", examples=["opening"]
    )
    reason: str = Field(min_length=1, max_length=500, examples=["research report due"])


class OpeningPosition(StrictModel):
    """A position brought into the day; ``mark`` in 1e-9 once read."""

    account: str = Field(examples=["ACC1"])
    symbol: str = Field(examples=["AAPL"])
    qty: int = Field(ge=-(2**62), le=2**62, examples=[1000])
    mark: Mark = Field(examples=["100.00"])


class Fleet(StrictModel):
    """What the routers must run, by a manifest that is signed with one of ``public_keys``.

    ``policy`` says what happens to a router that differs from it: its logon is refused, or it trades on the limits of
    canaries. Without a manifest what routers say is shown and compared among them, and nothing is enforced but
    ``environment`` and ``quarantine_culprit``: while a router is halted by a check, its build may not log on elsewhere.
    """

    policy: Literal["refuse", "quarantine"] = Field(default="refuse", examples=["refuse"])
    environment: Text | None = Field(default=None, examples=["prod"])
    manifest: str | None = Field(default=None, min_length=1, examples=["fleet.json"])
    public_keys: tuple[str, ...] = Field(default=(), strict=False, examples=[["deploy.pub"]])
    quarantine_culprit: bool = Field(default=True, examples=[True])


class Settings(StrictModel):
    """The tables of ``riskgate.toml``. ``limits`` is checked against the core's catalogue."""

    gateway: Gateway
    firm: Firm | None = None
    order_entry: OrderEntry
    halt: HaltDoor
    admin: Listener
    metrics: Listener
    venue: Venue
    market_data: MarketData | None = None
    journal: Journal = Journal()
    capacity: Capacity = Capacity()
    fleet: Fleet = Fleet()
    flags: tuple[Flag, ...] = Field(default=(), strict=False)
    findings: Findings = Findings()
    readiness: Readiness | None = None
    operators: tuple[Operator, ...] = Field(strict=False, min_length=1)
    oms: tuple[Oms, ...] = Field(default=(), strict=False)
    accounts: tuple[Account, ...] = Field(strict=False, min_length=1)
    routers: tuple[Router, ...] = Field(strict=False, min_length=1)
    strategies: tuple[Strategy, ...] = Field(default=(), strict=False)
    symbols: tuple[Symbol, ...] = Field(strict=False, min_length=1)
    restricted: tuple[Restricted, ...] = Field(default=(), strict=False)
    opening_positions: tuple[OpeningPosition, ...] = Field(default=(), strict=False)
    limits: dict[str, Any] = Field(default_factory=dict)

    def foreign(self, symbol: Symbol) -> str | None:
        """The currency of a symbol, if it is not the base currency."""
        base = self.firm.base_currency if self.firm else None
        return None if symbol.currency == base else symbol.currency


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that was found good: the file, its tables, and the limits in the core's units."""

    file: FilePath
    settings: Settings
    limits: tuple[LimitSetting, ...]
    manifest: Manifest | None = None

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The registry of order flags: those of the configuration, then those of the manifest."""
        of_manifest = () if self.manifest is None else self.manifest.flags
        return (*self.settings.flags, *(flag for flag in of_manifest if flag not in self.settings.flags))

    def path(self, written: str | None) -> str | None:
        """A file named in the configuration: relative ones are relative to the configuration's directory."""
        return None if written is None else str(self.file.parent / written)

    def notes(self) -> Iterator[str]:
        """What is allowed but worth knowing."""
        if sum(operator.role == "risk" for operator in self.settings.operators) < 2:
            yield 'fewer than two operators have the role "risk": nobody could approve a reinstatement'
        if self.manifest is not None:
            named = self.manifest.by_router()
            for router in self.settings.routers:
                if router.name not in named:
                    yield f"the manifest names no router {router.name}: its logon is not as expected"
        if self.settings.journal.file is None:
            yield "no [journal] file: records are kept in memory only"


def load_config(file: FilePath) -> Config:
    """Read and check a configuration.

    Raises:
        ConfigError: with everything that is wrong with it.
    """
    document = read_document(file)
    try:
        settings = Settings.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError([*model_problems(error, Settings, document), *_limit_problems_alone(document)]) from error
    problems = list(_cross_check(settings, document, file.parent))
    limits, limit_problems = read_limits(settings.limits, _names(settings), document)
    manifest, fleet_problems = _read_manifest(settings, document, file.parent)
    config = Config(file, settings, limits, manifest)
    problems += [*limit_problems, *fleet_problems, *_check_flags(config, document), *_check_canaries(config, document)]
    problems += [*_check_drop_copy(config, document), *_check_currencies(config, document)]
    if problems:
        raise ConfigError(problems)
    return config


def _check_drop_copy(config: Config, document: Document) -> Iterator[Problem]:
    """A drop copy that nothing depends on would only seem to be a control; so would a bound without one."""
    scopes = [limit.scope for limit in config.limits if limit.limit == _DROP_COPY_LIMIT]
    if config.settings.venue.drop_copy and "firm" not in scopes:
        what = f"executions are compared with the drop copy, but [limits.firm] has no {_DROP_COPY_LIMIT}"
        yield document.problem(("venue", "drop_copy"), what, f'set {_DROP_COPY_LIMIT}, for instance "5s"')
    if scopes and not config.settings.venue.drop_copy:
        what = f"{_DROP_COPY_LIMIT} is set, but there is no drop copy to compare with"
        yield document.problem(("limits",), what, "set drop_copy = true in [venue], or remove the limit")


def _check_currencies(config: Config, document: Document) -> Iterator[Problem]:
    """What is quoted in another currency needs one to convert it to, and a bound on the age of its rate."""
    settings = config.settings
    bounded = {limit.scope for limit in config.limits if limit.limit == _RATE_LIMIT}
    for index, symbol in enumerate(settings.symbols):
        path: Path = ("symbols", index, "currency")
        currency = settings.foreign(symbol)
        if currency is None:
            continue
        if settings.firm is None:
            what = f"{symbol.name} is quoted in {currency}, and there is no base currency to convert it to"
            yield document.problem(path, what, f'add [firm] with base_currency = "{currency}", or another one')
        elif not bounded & {"symbol:*", f"symbol:{symbol.name}"}:
            what = f"{_RATE_LIMIT} is not set for symbol:{symbol.name}, which would reject every order in {currency}"
            yield document.problem(path, what, f'add `{_RATE_LIMIT} = "1m"` under [limits.symbol."*"]')


def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``riskgate.toml``, limits of the core's catalogue included."""
    schema = Settings.model_json_schema()
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        limits = {info.name: _limit_schema(info) for info in catalogue().values() if kind in info.settable_at}
        table = {"type": "object", "properties": limits, "additionalProperties": False}
        kinds[kind] = table if kind == "firm" else {"type": "object", "additionalProperties": table}
    schema["properties"]["limits"] = {"type": "object", "properties": kinds, "additionalProperties": False}
    return schema


def _limit_schema(info: LimitInfo) -> dict[str, Any]:
    """A value, or a table of a value with what its breach does."""
    value = {"type": ["string", "integer"]}
    keys: dict[str, Any] = {"value": value, "soft": {"type": "boolean"}}
    if info.actions:
        keys["action"] = {"enum": list(info.actions)}
    table = {"type": "object", "properties": keys, "required": ["value"], "additionalProperties": False}
    return {"anyOf": [value, table], "description": f"{info.doc} Unit: {info.unit}."}


def _names(settings: Settings) -> Names:
    return Names(
        accounts=[account.name for account in settings.accounts],
        routers=[router.name for router in settings.routers],
        strategies=[strategy.name for strategy in settings.strategies],
        symbols=[symbol.name for symbol in settings.symbols],
    )


def _limit_problems_alone(document: Document) -> list[Problem]:
    """What can be said about the limits while other tables are bad: everything but what depends on their names."""
    tables = document.data.get("limits")
    if not isinstance(tables, dict):
        return []

    def written(table: str) -> list[str]:
        rows = document.data.get(table)
        rows = rows if isinstance(rows, list) else []
        return [row["name"] for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]

    names = Names(written("accounts"), written("routers"), written("strategies"), written("symbols"))
    return read_limits(tables, names, document)[1]


def _cross_check(settings: Settings, document: Document, directory: FilePath) -> Iterator[Problem]:
    yield from _duplicate_names(settings, document)
    yield from _duplicate_tokens(settings, document)
    yield from _shared_addresses(settings, document)
    yield from _references(settings, document)
    if settings.halt.socket is not None and len(str(directory / settings.halt.socket).encode()) > _MAX_SOCKET_PATH:
        yield document.problem(
            ("halt", "socket"), f"the path is longer than {_MAX_SOCKET_PATH} bytes", "use a shorter directory"
        )


def _duplicate_names(settings: Settings, document: Document) -> Iterator[Problem]:
    for table in ("operators", "oms", "accounts", "routers", "strategies", "symbols"):
        rows: Sequence[Account] = getattr(settings, table)
        seen: dict[str, Path] = {}
        for index, row in enumerate(rows):
            path: Path = (table, index, "name")
            if row.name in seen:
                first = document.line(seen[row.name])
                yield document.problem(path, f'"{row.name}" is already on line {first}', "give each its own name")
            seen.setdefault(row.name, path)


def _duplicate_tokens(settings: Settings, document: Document) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for table in ("operators", "oms", "routers"):
        rows: Sequence[Oms] = getattr(settings, table)
        for index, row in enumerate(rows):
            path: Path = (table, index, "token")
            if row.token in seen:
                first = document.line(seen[row.token])
                yield document.problem(path, f"is the token of line {first} again", "give everyone their own token")
            seen.setdefault(row.token, path)


def _shared_addresses(settings: Settings, document: Document) -> Iterator[Problem]:
    seen: dict[tuple[str, int], str] = {}
    for table in ("order_entry", "halt", "admin", "metrics"):
        host, port = split_address(getattr(settings, table).listen)
        if port and (host, port) in seen:
            what = f"port {port} is already [{seen[host, port]}]'s"
            yield document.problem((table, "listen"), what, "give each listener its own port")
        seen.setdefault((host, port), table)
    for table, peer in (("venue", settings.venue), ("market_data", settings.market_data)):
        if peer is not None and split_address(peer.address) in seen:
            what = f"{peer.address} is this gateway's own [{seen[split_address(peer.address)]}]"
            yield document.problem((table, "address"), what, "name the exchange's address")


def _references(settings: Settings, document: Document) -> Iterator[Problem]:
    names = _names(settings)
    for index, router in enumerate(settings.routers):
        for at, account in enumerate(router.accounts):
            if account not in names.accounts:
                mend = closest(account, names.accounts, noun="account")
                yield document.problem(("routers", index, "accounts", at), f'no account named "{account}"', mend)
    yield from _listed_symbols(settings, document, names)
    for at, symbol in enumerate(settings.readiness.symbols if settings.readiness else ()):
        if symbol not in names.symbols:
            mend = closest(symbol, names.symbols, noun="symbol")
            yield document.problem(("readiness", "symbols", at), f'no symbol "{symbol}"', mend)
    for index, position in enumerate(settings.opening_positions):
        if position.account not in names.accounts:
            mend = closest(position.account, names.accounts, noun="account")
            yield document.problem(("opening_positions", index, "account"), f'no account "{position.account}"', mend)
        if position.symbol not in names.symbols:
            mend = closest(position.symbol, names.symbols, noun="symbol")
            yield document.problem(("opening_positions", index, "symbol"), f'no symbol "{position.symbol}"', mend)


def _read_manifest(
    settings: Settings, document: Document, directory: FilePath
) -> tuple[Manifest | None, Sequence[Problem]]:
    """The manifest, verified; without one, or with one that cannot be trusted, none."""
    fleet = settings.fleet
    if fleet.manifest is None:
        unused = bool(fleet.public_keys) or fleet.policy == "quarantine"
        mend = 'add `manifest = "fleet.json"`, or leave out `policy` and `public_keys`'
        problem = document.problem(("fleet",), "says how a manifest is enforced, but names none", mend)
        return None, [problem] if unused else []
    if not fleet.public_keys:
        mend = 'add `public_keys = ["deploy.pub"]`, of who may sign'
        return None, [document.problem(("fleet", "manifest"), "cannot be trusted without a public key", mend)]
    try:
        signed = verify(directory / fleet.manifest, [directory / key for key in fleet.public_keys])
    except KeyFileError as error:
        what, _, mend = str(error).partition("; ")
        return None, [document.problem(("fleet", "public_keys"), what, mend)]
    except ConfigError as error:
        return None, error.problems
    return signed.manifest, []


def _check_flags(config: Config, document: Document) -> Iterator[Problem]:
    for place, what, mend in contradictions(config.flags):
        yield document.problem(("flags", place), what, mend)


def _check_canaries(config: Config, document: Document) -> Iterator[Problem]:
    """Who is quarantined trades on the limits of canaries: all of them must be set."""
    if config.settings.fleet.policy != "quarantine" or config.manifest is None:
        return
    needed = [name for name in catalogue() if name.startswith("canary_")]
    given = {(limit.scope, limit.limit) for limit in config.limits}
    for router in config.settings.routers:
        scopes = ("router:*", f"router:{router.name}")
        missing = [name for name in needed if not any((scope, name) in given for scope in scopes)]
        if missing:
            what = f"quarantines routers, but {router.name} has no {', '.join(missing)}"
            mend = 'set them under `[limits.router."*"]`'
            yield document.problem(("fleet", "policy"), what, mend)
            return


def _listed_symbols(settings: Settings, document: Document, names: Names) -> Iterator[Problem]:
    """Lists name symbols that are configured, each once."""
    for table in ("accounts", "routers", "strategies"):
        rows: Sequence[Strategy] = getattr(settings, table)
        for index, row in enumerate(rows):
            for at, symbol in enumerate(row.symbols):
                path: Path = (table, index, "symbols", at)
                if symbol not in names.symbols:
                    yield document.problem(path, f'no symbol "{symbol}"', closest(symbol, names.symbols, noun="symbol"))
                elif symbol in row.symbols[:at]:
                    yield document.problem(path, f'"{symbol}" is listed twice', "list it once")
    seen: dict[str, Path] = {}
    for index, entry in enumerate(settings.restricted):
        path = ("restricted", index, "symbol")
        if entry.symbol not in names.symbols:
            mend = closest(entry.symbol, names.symbols, noun="symbol")
            yield document.problem(path, f'no symbol "{entry.symbol}"', mend)
        if entry.symbol in seen:
            first = document.line(seen[entry.symbol])
            what = f'"{entry.symbol}" is already restricted on line {first}'
            yield document.problem(path, what, "keep the entry that stops more")
        seen.setdefault(entry.symbol, path)
