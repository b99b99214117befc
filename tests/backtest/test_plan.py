"""Which instruments and bounds a flow is measured with."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from gateway.backtest import Flow, Party, Plan, default_limits, open_flow, prepare
from gateway.limits_file import LimitSetting
from gateway.problems import ConfigError
from tests.backtest.recording import OPEN, PARTY, csv_file

LIMITS = """
[[symbols]]
name = "ES"
tick = "0.25"
multiplier = 50
[[symbols]]
name = "ESM4"
tick = "0.5"
multiplier = 5
[limits.firm]
max_gross_notional = "1"
max_turnover_day = "1"
max_day_loss = "1"
[limits.account."*"]
max_order_notional = "1_000_000"
max_gross_notional = "1"
max_day_loss = "1"
[limits.account."FLOW"]
max_order_notional = "2_000_000"
[limits.router."*"]
message_rate = 25
message_rate_window = "1s"
message_rate_sustained = "2s"
[limits.symbol."*"]
max_order_qty = 500
price_collar_bps = 5
market_data_max_age = "5s"
[limits.symbol.ES]
max_order_qty = 100
[limits.account_symbol."*"]
max_long_position = 10_000
max_short_position = 0
[limits.account_symbol."FLOW/ES"]
max_long_position = 70
"""


def flow(directory: Path, *symbols: str) -> Flow:
    lines = [f"{OPEN},new,{number},{name},buy,1,4800,," for number, name in enumerate(symbols)]
    return open_flow(csv_file(directory, *lines), PARTY)


def plan(directory: Path, *symbols: str, tighten: str = "1", text: str = LIMITS) -> Plan:
    limits = directory / "limits.toml"
    limits.write_text(text)
    return prepare(flow(directory, *symbols), limits, Fraction(tighten))


def bounds(plan: Plan, *scopes: str) -> dict[str, int]:
    return {f"{setting.scope} {setting.limit}": setting.value for setting in plan.bounds(scopes)}


def test_row_of_a_product_serves_every_contract_without_a_row_of_its_own(tmp_path: Path) -> None:
    made = plan(tmp_path, "ESH4", "ESM4", "ESZ24")

    assert [(row.name, row.multiplier) for row in made.instruments] == [("ESH4", 50), ("ESM4", 5), ("ESZ24", 50)]
    assert bounds(made, "symbol:ESH4")["symbol:ESH4 max_order_qty"] == 100
    assert bounds(made, "symbol:ESZ24")["symbol:ESZ24 max_order_qty"] == 100
    assert bounds(made, "symbol:ESM4")["symbol:ESM4 max_order_qty"] == 500
    assert bounds(made, "account_symbol:FLOW/ESH4")["account_symbol:FLOW/ESH4 max_long_position"] == 70
    assert bounds(made, "account_symbol:FLOW/ESM4")["account_symbol:FLOW/ESM4 max_long_position"] == 10_000


def test_own_value_wins_over_the_default_of_its_kind(tmp_path: Path) -> None:
    made = plan(tmp_path, "ESH4")

    assert bounds(made, "account:FLOW")["account:FLOW max_order_notional"] == 2_000_000 * 10**9
    assert bounds(made, "account:OTHER")["account:OTHER max_order_notional"] == 1_000_000 * 10**9
    assert bounds(made, "account:FLOW")["account:FLOW max_day_loss"] == 10**9


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        # Bounds are rounded down and never to zero; zero stays zero; a window is no bound.
        ("10", {"message_rate": 2, "message_rate_window": 10**9, "message_rate_sustained": 2 * 10**8}),
        ("2.5", {"message_rate": 10, "message_rate_window": 10**9, "message_rate_sustained": 8 * 10**8}),
        ("1000", {"message_rate": 1, "message_rate_window": 10**9, "message_rate_sustained": 2 * 10**6}),
    ],
)
def test_tighten_divides_every_bound(tmp_path: Path, factor: str, expected: dict[str, int]) -> None:
    made = plan(tmp_path, "ESH4", tighten=factor)

    assert bounds(made, "router:flow") == {f"router:flow {name}": value for name, value in expected.items()}
    assert bounds(made, "account_symbol:FLOW/ESH4")["account_symbol:FLOW/ESH4 max_short_position"] == 0


def test_wide_moves_every_bound_out_of_the_way_and_no_window(tmp_path: Path) -> None:
    made = plan(tmp_path, "ESH4")
    wide = bounds(made.wide(), "router:flow", "symbol:ESH4")

    assert wide.pop("router:flow message_rate_window") == 10**9
    assert all(value >= 2**20 for value in wide.values())


def test_accounts_and_routers_of_the_flow_are_the_names_the_limits_may_use(tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text(LIMITS)
    named = open_flow(csv_file(tmp_path, f"{OPEN},new,1,ESH4,buy,1,4800,,"), Party("ACC1", "smars-1"))

    with pytest.raises(
        ConfigError, match=r'limits.toml:18: limits.account.FLOW: no account named "FLOW" is configured'
    ):
        prepare(named, limits)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_order_qty = 500", "max_order_qty = -1", "negative"),
        ("max_order_qty = 500", "max_ordr_qty = 500", 'did you mean "max_order_qty"?'),
        ('market_data_max_age = "5s"', "", "market_data_max_age is not set for symbol:ES"),
        ('tick = "0.25"', "", "tick"),
    ],
)
def test_bad_limits_file_names_file_line_and_mend(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(tmp_path, "ESH4", text=LIMITS.replace(old, new))

    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "limits.toml"))


def test_shipped_limits_are_found_by_product() -> None:
    shipped = default_limits(["ESH4", "ESM4"])

    assert shipped is not None
    assert shipped.name == "ES.toml"
    assert default_limits(["ESH4", "NQH4"]) is None
    assert default_limits(["AAPL"]) is None
    assert default_limits([]) is None


def test_every_limit_that_is_no_window_has_a_wide_value(tmp_path: Path) -> None:
    """A new unit in the catalogue needs its line in plan.py."""
    made = plan(tmp_path, "ESH4")

    assert len(made.wide().settings) == len(made.settings)
    assert all(isinstance(setting, LimitSetting) for setting in made.wide().settings)
