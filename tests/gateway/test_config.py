"""`riskgate.toml`: what is refused, on which line, with which mend."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.config import Config, json_schema, load_config
from gateway.limits_file import load_limits
from gateway.problems import ConfigError, Problem
from tests.support import ROOT

EXAMPLE = (ROOT / "examples/riskgate.toml").read_text()


def load(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "riskgate.toml"
    file.write_text(text)
    return load_config(file)


def problems_of(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    return refused.value.problems


def at(port: int) -> str:
    """An address of the example; nothing is bound to it here."""
    return f"127.0.0.1:{port}"


class Bad(NamedTuple):
    """The example with one change: ``old`` becomes ``new``; the problem's line holds ``at``."""

    name: str
    old: str
    new: str
    at: str
    where: str
    what: str
    mend: str


TABLE = [
    Bad(
        "unknown key",
        "heartbeat =",
        "hearbeat =",
        "hearbeat",
        "order_entry.hearbeat",
        "unknown key",
        'did you mean "heartbeat"?',
    ),
    Bad("unknown table", "[journal]", "[jornal]", "[jornal]", "jornal", "unknown key", 'did you mean "journal"?'),
    Bad("missing key", 'name = "gw1"', "", "[gateway]", "gateway.name", "is missing", 'add `name = "gw1"`'),
    Bad(
        "not a boolean",
        "cancel_on_disconnect = true",
        'cancel_on_disconnect = "yes"',
        '"yes"',
        "order_entry.cancel_on_disconnect",
        'is "yes", but should be a valid boolean',
        "example: `cancel_on_disconnect = true`",
    ),
    Bad(
        "a boolean is not a number",
        "max_sessions = 64",
        "max_sessions = true",
        "max_sessions",
        "order_entry.max_sessions",
        "should be a valid integer",
        "example: `max_sessions = 64`",
    ),
    Bad(
        "range",
        "max_sessions = 64",
        "max_sessions = 0",
        "max_sessions",
        "order_entry.max_sessions",
        "should be greater than or equal to 1",
        "example: `max_sessions = 64`",
    ),
    Bad(
        "date in quotes",
        "# trading_day = 2012-08-01",
        'trading_day = "2012-08-01" #',
        "trading_day",
        "gateway.trading_day",
        'is "2012-08-01", but should be a valid date',
        "example: `trading_day = 2012-08-01`",
    ),
    Bad(
        "listener in the open",
        at(7001),
        f"0.0.0.0:{7001}",
        "0.0.0",
        "order_entry.listen",
        "is not loopback, and tokens would travel in clear",
        f'write "{at(7001)}"',
    ),
    Bad(
        "host name",
        at(7003),
        f"localhost:{7003}",
        "localhost",
        "admin.listen",
        '"localhost" is not an IP address',
        f'write "{at(7003)}"',
    ),
    Bad(
        "no port",
        at(7003),
        "127.0.0.1",
        'listen = "127.0.0.1"',
        "admin.listen",
        "is not host:port",
        f'write it like "{at(7001)}"',
    ),
    Bad(
        "port range",
        at(7003),
        at(70030),
        "70030",
        "admin.listen",
        "has port 70030",
        "ports are 1 to 65535",
    ),
    Bad(
        "port twice",
        f'listen = "{at(7004)}"',
        f'listen = "{at(7003)}"',
        f'listen = "{at(7003)}"\n\n[venue]',
        "metrics.listen",
        "port 7003 is already [admin]'s",
        "give each listener its own port",
    ),
    Bad(
        "venue is ourselves",
        at(7100),
        at(7001),
        "address",
        "venue.address",
        "is this gateway's own [order_entry]",
        "name the exchange's address",
    ),
    Bad(
        "venue port 0",
        at(7100),
        at(0),
        "address",
        "venue.address",
        "has port 0",
        "name the port the other side listens on",
    ),
    Bad(
        "heartbeat without unit",
        'heartbeat = "1s"',
        "heartbeat = 1",
        "heartbeat",
        "order_entry.heartbeat",
        "1 has no unit of time",
        'write it like "1ms" or "1s"',
    ),
    Bad(
        "heartbeat range",
        'heartbeat = "1s"',
        'heartbeat = "2m"',
        "heartbeat",
        "order_entry.heartbeat",
        "is out of range",
        'from "10ms" to "60s"',
    ),
    Bad(
        "role",
        'role = "halt"',
        'role = "boss"',
        "boss",
        "operators[2].role",
        "is \"boss\", but should be 'view', 'halt' or 'risk'",
        'example: `role = "risk"`',
    ),
    Bad(
        "short token",
        '"example-token-of-bob"',
        '"bob"',
        'token = "bob"',
        "operators[1].token",
        "is no usable token",
        "secrets.token_urlsafe",
    ),
    Bad(
        "token twice",
        "example-token-of-oms1",
        "example-token-of-bob",
        "[[accounts]]",
        "oms[0].token",
        "is the token of line",
        "give everyone their own token",
    ),
    Bad(
        "name twice",
        'name = "smars-2"',
        'name = "smars-1"',
        "smars",
        "routers[1].name",
        '"smars-1" is already on line',
        "give each its own name",
    ),
    Bad(
        "bad name",
        'name = "RLP"',
        'name = "R/LP"',
        "R/LP",
        "strategies[0].name",
        '"R/LP" is not a name',
        "use 1 to 36 letters",
    ),
    Bad(
        "unknown account",
        '["ACC1", "ACC2"]',
        '["ACC1", "ACC3"]',
        "ACC3",
        "routers[0].accounts[1]",
        'no account named "ACC3"',
        'did you mean "ACC',
    ),
    Bad(
        "unknown symbol in a list",
        'name = "RLP"',
        'name = "RLP"\nsymbols = ["AAPL", "MSTF"]',
        "MSTF",
        "strategies[0].symbols[1]",
        'no symbol "MSTF"',
        'did you mean "MSFT"?',
    ),
    Bad(
        "symbol listed twice",
        'name = "RLP"',
        'name = "RLP"\nsymbols = ["AAPL", "AAPL"]',
        '"AAPL", "AAPL"',
        "strategies[0].symbols[1]",
        '"AAPL" is listed twice',
        "list it once",
    ),
    Bad(
        "unknown restricted symbol",
        'name = "RLP"',
        'name = "RLP"\n[[restricted]]\nsymbol = "APPL"\nreason = "x"',
        "APPL",
        "restricted[0].symbol",
        'no symbol "APPL"',
        'did you mean "AAPL"?',
    ),
    Bad(
        "symbol restricted twice",
        'name = "RLP"',
        'name = "RLP"\n[[restricted]]\nsymbol = "AAPL"\nreason = "x"\n[[restricted]]\nreason = "y"\nsymbol  = "AAPL"',
        'symbol  = "AAPL"',
        "restricted[1].symbol",
        '"AAPL" is already restricted on line',
        "keep the entry that stops more",
    ),
    Bad(
        "restriction without a reason",
        'name = "RLP"',
        'name = "RLP"\n[[restricted]]\nsymbol = "AAPL"',
        "[[restricted]]",
        "restricted[0].reason",
        "is missing",
        'add `reason = "research report due"`',
    ),
    Bad(
        "what is stopped",
        'name = "RLP"',
        'name = "RLP"\n[[restricted]]\nsymbol = "AAPL"\nreason = "x"\nstops = "closing"',
        "closing",
        "restricted[0].stops",
        'is "closing"',
        'example: `stops = "opening"`',
    ),
    Bad(
        "no volume",
        "adv = 50_000_000",
        "adv = 0",
        "adv = 0",
        "symbols[0].adv",
        "should be greater than or equal to 1",
        "example: `adv = 50000000`",
    ),
    Bad("float tick", 'tick = "0.01"', "tick = 0.01", "tick", "symbols[0].tick", "the float 0.01", 'text: "0.01"'),
    Bad(
        "zero tick",
        'tick = "0.01"',
        'tick = "0"',
        "tick",
        "symbols[0].tick",
        "is not a price step",
        "must be more than 0",
    ),
    Bad("lot", "lot = 1", "lot = 0", "lot", "symbols[0].lot", "is 0, but", "example: `lot = 1`"),
    Bad(
        "unknown limit",
        "message_rate = 250",
        "mesage_rate = 250",
        "mesage_rate",
        'limits.router."*".mesage_rate',
        "unknown limit",
        'did you mean "message_rate"?',
    ),
    Bad(
        "wrong scope",
        "message_rate = 250",
        "message_rate = 250\nmarket_data_max_age = '1s'",
        "'1s'",
        'limits.router."*".market_data_max_age',
        "cannot be set at a router",
        "set it at: symbol",
    ),
    Bad(
        "unknown kind",
        '[limits.router."*"]',
        '[limits.rooter."*"]',
        "rooter",
        "limits.rooter",
        "is no kind of scope",
        'did you mean "router"?',
    ),
    Bad(
        "unknown name",
        '[limits.router."*"]',
        '[limits.router."smars-9"]',
        "smars-9",
        "limits.router.smars-9",
        'no router named "smars-9" is configured',
        'did you mean "smars-',
    ),
    Bad(
        "unknown symbol of a pair",
        'account_symbol."ACC1/AAPL"',
        'account_symbol."ACC1/APPL"',
        "APPL",
        'limits.account_symbol."ACC1/APPL"',
        'no symbol named "APPL" is configured',
        'did you mean "AAPL"?',
    ),
    Bad(
        "not a pair",
        'account_symbol."ACC1/AAPL"',
        'account_symbol."ACC1"',
        'account_symbol."ACC1"]',
        "limits.account_symbol.ACC1",
        "is not a pair",
        'write "account_symbol:ACC1/SYMBOL"',
    ),
    Bad(
        "limit outside a scope",
        '[limits.account_symbol."*"]',
        '[limits.router]\nmessage_rate = 3\n[limits.account_symbol."*"]',
        "message_rate = 3",
        "limits.router.message_rate",
        "stands directly under router",
        'put it under [limits.router."*"]',
    ),
    Bad(
        "negative limit",
        "max_order_qty = 10_000",
        "max_order_qty = -1",
        "max_order_qty",
        'limits.symbol."*".max_order_qty',
        "-1 is negative",
        "limits are 0 or more",
    ),
    Bad(
        "NaN limit",
        "max_order_qty = 10_000",
        "max_order_qty = nan",
        "max_order_qty",
        'limits.symbol."*".max_order_qty',
        "the float nan is not a whole number",
        "write it like 25_000",
    ),
    Bad(
        "zero window",
        'message_rate_window = "1s"',
        'message_rate_window = "0s"',
        "message_rate_window",
        'limits.router."*".message_rate_window',
        "is zero",
        'like "100ms"',
    ),
    Bad(
        "zero count that the core refuses",
        "parent_overfill_halt_after = 3",
        "parent_overfill_halt_after = 0",
        "parent_overfill_halt_after",
        'limits.router."*".parent_overfill_halt_after',
        "0 is out of range",
        "",
    ),
    Bad(
        "money beyond 128 bits",
        'max_day_loss = "1_000_000"',
        f'max_day_loss = "{10**40}"',
        "max_day_loss",
        "limits.firm.max_day_loss",
        "is too large",
        "the largest is",
    ),
    Bad(
        "missing required limit",
        "market_data_max_age =",
        "# market_data_max_age =",
        "limits",
        "limits",
        "market_data_max_age is not set for symbol:AAPL and 1 more, which would reject every order",
        'add `market_data_max_age = "1s"` under [limits.symbol."*"]',
    ),
    Bad(
        "currency without a base",
        'name = "AAPL"',
        'name = "AAPL"\ncurrency = "EUR"',
        "currency",
        "symbols[0].currency",
        "there is no base currency to convert it to",
        "add [firm] with base_currency",
    ),
    Bad(
        "no bound on the age of a rate",
        "[[operators]]",
        '[firm]\nbase_currency = "USD"\n[[symbols]]\nname = "SAP"\ntick = "0.01"\ncurrency = "EUR"\n[[operators]]',
        "currency",
        "symbols[0].currency",
        "fx_rate_max_age is not set for symbol:SAP",
        'add `fx_rate_max_age = "1m"`',
    ),
    Bad(
        "no code of a currency",
        "[[operators]]",
        '[firm]\nbase_currency = "dollar"\n[[operators]]',
        "base_currency",
        "firm.base_currency",
        "is no currency code",
        "use ISO 4217",
    ),
    Bad("not TOML", "[venue]", "[venue", "[venue", "", "is not TOML", "toml.io"),
]


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
def test_bad_configuration_names_line_and_mend(tmp_path: Path, bad: Bad) -> None:
    text = EXAMPLE.replace(bad.old, bad.new, 1)
    assert text != EXAMPLE, "the row changes nothing"

    problems = problems_of(tmp_path, text)

    hits = [problem for problem in problems if problem.where == bad.where and bad.what in problem.what]
    assert hits, "\n".join(map(str, problems))
    assert bad.mend in hits[0].mend
    shown = "\n".join(text.splitlines()[max(hits[0].line - 1, 0) : hits[0].line + 2])
    assert bad.at in shown
    assert str(hits[0]).startswith(f"{tmp_path / 'riskgate.toml'}:{hits[0].line}: ")


def test_all_problems_are_reported_at_once_in_line_order(tmp_path: Path) -> None:
    text = EXAMPLE
    for old, new in [('name = "gw1"', 'nme = "gw1"'), ("lot = 1", "lot = 0"), ("max_order_qty = 10_000", "x = 1")]:
        text = text.replace(old, new, 1)

    problems = problems_of(tmp_path, text)

    assert [problem.where for problem in problems] == [
        "gateway.name",
        "gateway.nme",
        "symbols[0].lot",
        'limits.symbol."*".x',
    ]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_tokens_never_show_in_a_problem(tmp_path: Path) -> None:
    text = EXAMPLE.replace("example-token-of-bob", "hush hush").replace('role = "halt"', "role = 3")

    assert not any("hush" in str(problem) for problem in problems_of(tmp_path, text))


def test_unreadable_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"nowhere.toml: cannot be read \(No such file or directory\); check the path"
    ):
        load_config(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a = 1\na = 2\n", b"x = " + b"[" * 5000], ids=["utf-8", "twice", "deep"])
def test_garbage_is_refused_and_does_not_crash(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "riskgate.toml"
    file.write_bytes(raw)

    with pytest.raises(ConfigError):
        load_config(file)


def test_example_is_good_and_in_the_core_units(tmp_path: Path) -> None:
    config = load(tmp_path, EXAMPLE)

    limits = {(limit.scope, limit.limit): limit.value for limit in config.limits}
    assert limits["firm", "max_gross_notional"] == 100_000_000 * 10**9
    assert limits["router:*", "message_burst_window"] == 100_000_000
    assert limits["account_symbol:ACC1/AAPL", "max_long_position"] == 50_000
    assert config.settings.symbols[0].tick == 10_000_000
    assert config.settings.order_entry.heartbeat == 1000
    assert config.path("run/HALT") == str(tmp_path / "run/HALT")


def test_one_risk_officer_is_worth_a_note(tmp_path: Path) -> None:
    text = EXAMPLE.replace('name = "bob"\nrole = "risk"', 'name = "bob"\nrole = "view"')

    assert any("nobody could approve" in note for note in load(tmp_path, text).notes())


def test_trading_day_is_a_date(tmp_path: Path) -> None:
    text = EXAMPLE.replace("# trading_day", "trading_day")

    assert load(tmp_path, text).settings.gateway.trading_day == dt.date(2012, 8, 1)


def test_schema_knows_every_limit_where_it_can_be_set() -> None:
    limits = json_schema()["properties"]["limits"]["properties"]

    assert "message_rate" in limits["router"]["additionalProperties"]["properties"]
    assert "message_rate" not in limits["account_symbol"]["additionalProperties"]["properties"]
    assert json.dumps(json_schema())


LIMITS_ALONE = """
[[symbols]]
name = "ES"
tick = "0.25"
multiplier = 50
""" + EXAMPLE[EXAMPLE.index("[limits.firm]") : EXAMPLE.index('[limits.account_symbol."ACC1/AAPL"]')]


def test_limits_alone_need_only_symbols(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS_ALONE)

    limits = load_limits(file, accounts=["BACKTEST"], routers=["flow"])

    assert limits.symbols[0].multiplier == 50
    assert any(limit.limit == "max_day_loss" for limit in limits.limits)


def test_limits_alone_are_refused_like_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS_ALONE.replace('"1_000_000"', '"1e6"') + '\n[limits.router."x"]\nmessage_rate = 1\n')

    with pytest.raises(ConfigError) as refused:
        load_limits(file, accounts=["BACKTEST"], routers=["flow"])

    assert [problem.where for problem in refused.value.problems] == ["limits.firm.max_day_loss", "limits.router.x"]
