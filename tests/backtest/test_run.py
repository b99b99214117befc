"""What the report says of flows small enough to check by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from gateway.backtest import Closeness, Report, backtest, prepare
from tests.backtest.recording import CSV_HEADER, NANO, OPEN, csv_flow

LIMITS: dict[str, dict[str, object]] = {
    "firm": {"max_gross_notional": '"1_000_000"', "max_turnover_day": '"1_000_000"', "max_day_loss": '"10_000"'},
    'account."*"': {"max_order_notional": '"10_000"', "max_gross_notional": '"1_000_000"', "max_day_loss": '"10_000"'},
    'router."*"': {"message_rate": 100, "message_rate_window": '"1s"'},
    'symbol."*"': {"max_order_qty": 50, "price_collar_bps": 100, "market_data_max_age": '"2s"'},
    'account_symbol."*"': {"max_long_position": 100, "max_short_position": 100},
}
QUOTE = "0,quote,,AAPL,,,,99.99,100.01"


def run(directory: Path, *rows: str, header: str = CSV_HEADER, **changed: object) -> Report:
    """A backtest of AAPL under LIMITS; ``changed`` is table_limit=value, the table named by its first word."""
    tables = {name: dict(limits) for name, limits in LIMITS.items()}
    for key, value in changed.items():
        table, _, limit = key.partition("__")
        found = next(name for name in tables if name.split(".")[0] == table)
        tables[found][limit] = value
    text = '[[symbols]]\nname = "AAPL"\ntick = "0.01"\n'
    for name, limits in tables.items():
        text += f"[limits.{name}]\n" + "".join(f"{limit} = {value}\n" for limit, value in limits.items())
    file = directory / "limits.toml"
    file.write_text(text)
    flow = csv_flow(directory, *rows, header=header)
    return backtest(flow, prepare(flow, file))


def peak(report: Report, limit: str, scope: str = "") -> Closeness:
    """The one gauge of a limit."""
    (found,) = (one for one in report.closeness if one.limit == limit and one.scope.startswith(scope))
    return found


def stops(report: Report) -> dict[str, tuple[int, int]]:
    return {stop.check: (stop.orders, stop.replaces) for stop in report.stops}


def test_peaks_of_a_flow_that_passes(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        QUOTE,
        "0,new,a,AAPL,buy,30,100.01,,",
        "1,fill,a,,,30,100.01,,",
        "2,new,b,AAPL,buy,40,100.50,,",
        "3,new,c,AAPL,sell,45,99.01,,",
        "1500,cancel,b,,,,,,",
        "1501,new,d,AAPL,buy,1,100.00,,",
    )

    assert not report.stopped
    assert report.passes == 1
    assert report.sent == {"orders": 4, "replaces": 0, "cancels": 1, "fills": 1, "quotes": 1}
    long = peak(report, "max_long_position")
    assert (long.peak, long.used, long.headroom) == (70, Fraction(7, 10), 30)
    assert long.seen is not None
    assert (long.seen.time, long.seen.number, long.seen.order) == (OPEN + 2_000_000, 5, "b")
    assert peak(report, "max_short_position").peak == 15
    assert peak(report, "max_order_qty").peak == 45
    # A sell below the bid is worth the bid; the largest is 45 at 99.99.
    assert peak(report, "max_order_notional").peak == 45 * 99_990_000_000
    # 1.00 below the best offer of 100.01 is 99.99 bps: a bound of 100 is needed, and is enough.
    assert (peak(report, "price_collar_bps").peak, peak(report, "price_collar_bps").headroom) == (100, 0)
    assert peak(report, "message_rate").peak == 3
    assert peak(report, "market_data_max_age").peak == 1_501_000_000


@pytest.mark.parametrize(
    ("row", "check", "limit", "value"),
    [
        ("1,new,a,AAPL,buy,51,100,,", "MAX_ORDER_QTY", 50, 51),
        ("1,new,a,AAPL,buy,0051,100.00,,", "MAX_ORDER_QTY", 50, 51),
        ("1,new,a,AAPL,buy,1,101.00,,", "PRICE_COLLAR", 100, 102),
        ("1,new,a,AAPL,buy,1,100.005,,", "INVALID_TICK", 10_000_000, 100_005_000_000),
        ("3000,new,a,AAPL,buy,1,100.00,,", "MARKET_DATA_STALE", 2 * NANO, 3 * NANO),
    ],
)
def test_first_refusal_has_limit_and_value(tmp_path: Path, row: str, check: str, limit: int, value: int) -> None:
    report = run(tmp_path, QUOTE, row)

    assert report.stopped
    (stop,) = report.stops
    assert (stop.check, stop.limit, stop.value) == (check, limit, value)
    assert (stop.first.number, stop.first.order, stop.count) == (3, "a", 1)


def test_closeness_tells_what_a_stopped_flow_needed(tmp_path: Path) -> None:
    """Refused orders count towards the peaks; those of a second pass in which nothing is in the way."""
    rows = [QUOTE, *(f"{ms},new,{ms},AAPL,buy,10,99.00,," for ms in range(1, 21))]
    report = run(tmp_path, *rows, account_symbol__max_long_position=45, router__message_rate=15)

    assert stops(report) == {"POSITION_LIMIT": (11, 0), "RATE_LIMIT": (5, 0)}
    assert report.passes == 2
    long, rate = peak(report, "max_long_position"), peak(report, "message_rate")
    assert (long.peak, long.bound, long.headroom) == (200, 45, -155)
    assert (rate.peak, rate.bound) == (20, 15)


def test_peak_of_the_passive_side_is_the_bound_that_is_needed(tmp_path: Path) -> None:
    """89.99 is 10.00 below the bid of 99.99: 1,000.1 bps, for which 1,001 are needed and enough."""
    rows = [QUOTE, "1,new,a,AAPL,buy,1,89.99,,", "2,new,b,AAPL,sell,1,100.02,,"]
    needed = peak(run(tmp_path, *rows, symbol__price_collar_passive_bps=5_000), "price_collar_passive_bps").peak

    assert needed == 1_001
    assert not run(tmp_path, *rows, symbol__price_collar_passive_bps=needed).stopped
    assert stops(run(tmp_path, *rows, symbol__price_collar_passive_bps=needed - 1)) == {"PRICE_FAR_PASSIVE": (1, 0)}


def test_halt_cancels_what_rests_and_refuses_the_rest(tmp_path: Path) -> None:
    """More resting orders than one turn of the sweep takes; each is cancelled, and its later cancel is not sent."""
    rows = [
        QUOTE,
        *(f"1,new,{n},AAPL,buy,1,99.00,," for n in range(90)),
        "2,new,big,AAPL,buy,50,100.00,,",
        "3,new,late,AAPL,buy,1,99.00,,",
        *(f"4,cancel,{n},,,,,," for n in range(90)),
    ]
    turnover = {"firm__max_turnover_window": '"10_000"', "firm__turnover_window": '"1m"'}
    report = run(tmp_path, *rows, account_symbol__max_long_position=1_000, **turnover)

    assert stops(report) == {"TURNOVER_LIMIT": (1, 0), "HALTED": (1, 0)}
    (halt,) = report.halts
    assert (halt.scope, halt.state, halt.check, halt.at.order, halt.open_orders) == (
        "firm",
        "HALTED",
        "TURNOVER_LIMIT",
        "big",
        90,
    )
    assert (halt.limit, halt.value, halt.unit) == (10_000 * NANO, (90 * 99 + 50 * 100) * NANO, "money")
    assert report.canceled_by_halts == 90
    assert report.not_followed == 90


def test_loss_halts_on_a_quote(tmp_path: Path) -> None:
    """No order is at fault: the mark falls."""
    report = run(
        tmp_path,
        QUOTE,
        "1,new,a,AAPL,buy,50,100.01,,",
        "1,fill,a,,,50,100.01,,",
        "2,new,b,AAPL,buy,5,95.00,,",
        "3,quote,,AAPL,,,,98.00,98.02",
        "4,new,c,AAPL,buy,1,98.00,,",
        firm__max_day_loss='"100"',
    )

    (halt,) = report.halts
    assert (halt.scope, halt.check, halt.at.time, halt.at.number, halt.at.order) == (
        "firm",
        "LOSS_LIMIT",
        OPEN + 3_000_000,
        6,
        "",
    )
    assert halt.value == 50 * 2_010_000_000
    assert report.canceled_by_halts == 1
    assert stops(report) == {"HALTED": (1, 0)}
    assert peak(report, "max_day_loss", "firm").peak == 50 * 2_010_000_000


def test_replace_is_a_total_quantity_and_is_refused_on_its_own(tmp_path: Path) -> None:
    """After a refused replace the order goes on as it was; what the recording says of it later counts up to that."""
    report = run(
        tmp_path,
        QUOTE,
        "1,new,a,AAPL,buy,10,99.00,,",
        "2,fill,a,,,4,99.00,,",
        "3,replace,a,,,20,99.50,,",
        "4,replace,a,,,60,,,",
        "5,fill,a,,,50,99.50,,",
        "6,cancel,a,,,,,,",
    )

    assert stops(report) == {"MAX_ORDER_QTY": (0, 1)}
    assert report.sent == {"orders": 1, "replaces": 2, "cancels": 0, "fills": 2, "quotes": 1}
    assert report.not_followed == 1
    assert peak(report, "max_order_qty").peak == 60


def test_market_order_is_measured_at_the_collar(tmp_path: Path) -> None:
    report = run(tmp_path, QUOTE, "1,new,a,AAPL,buy,50,,,", account__max_order_notional='"5_050"')

    assert stops(report) == {"MAX_ORDER_NOTIONAL": (1, 0)}
    assert report.stops[0].value == 50 * 101_010_100_000
    assert peak(report, "max_order_notional").peak == 50 * 101_010_100_000
    assert peak(report, "max_gross_notional", "firm").peak == 50 * 101_010_100_000


def test_without_a_quote_nothing_passes(tmp_path: Path) -> None:
    report = run(tmp_path, "1,new,a,AAPL,buy,1,99.00,,")

    assert stops(report) == {"REFERENCE_PRICE_NOT_AVAILABLE": (1, 0)}
    assert any("has no quotes" in note for note in report.summary.notes)


def test_crossed_and_empty_quotes_leave_the_touch_to_grow_old(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        QUOTE,
        "1000,quote,,AAPL,,,,100.01,99.99",
        "2000,quote,,AAPL,,,,0,99.99",
        "2500,new,a,AAPL,buy,1,99.00,,",
    )

    assert stops(report) == {"MARKET_DATA_STALE": (1, 0)}
    assert peak(report, "market_data_max_age").peak == 2_500_000_000


def test_accounts_and_routers_have_their_own_gauges_and_share_the_firms(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "0,quote,,AAPL,,,,99.99,100.01,,",
        "1,new,a,AAPL,buy,20,99.00,,,ACC1,r1",
        "2,new,b,AAPL,buy,30,99.00,,,ACC2,r2",
        "3,new,c,AAPL,buy,5,99.00,,,ACC1,r2",
        "4,new,d,AAPL,buy,50,99.00,,,,",
        header=f"{CSV_HEADER},account,router",
        firm__message_rate=10,
    )

    assert [party.account for party in report.parties] == ["ACC1", "ACC2", "ACC1", "FLOW"]
    assert peak(report, "max_long_position", "account_symbol:ACC1/AAPL").peak == 25
    assert peak(report, "max_long_position", "account_symbol:ACC2/AAPL").peak == 30
    assert peak(report, "max_long_position", "account_symbol:FLOW/AAPL").peak == 50
    assert peak(report, "message_rate", "router:r2").peak == 2
    assert peak(report, "message_rate", "firm").peak == 4
    assert peak(report, "max_order_qty", "symbol:AAPL").peak == 50
    assert len(report.closeness) == len({(one.scope, one.limit) for one in report.closeness})


def test_a_bound_of_zero_is_over_as_soon_as_it_is_used(tmp_path: Path) -> None:
    report = run(tmp_path, QUOTE, "1,new,a,AAPL,sell,1,100.00,,", account_symbol__max_short_position=0)

    assert stops(report) == {"POSITION_LIMIT": (1, 0)}
    assert peak(report, "max_short_position").used is None
    assert peak(report, "max_long_position").used == 0


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    told: list[float] = []
    file = tmp_path / "limits.toml"
    run(tmp_path, QUOTE, "1,new,a,AAPL,buy,1,99.00,,")
    flow = csv_flow(tmp_path, QUOTE, "1,new,a,AAPL,buy,1,99.00,,")
    backtest(flow, prepare(flow, file), told.append)

    assert told[-1] == 1.0
    assert told == sorted(told)
