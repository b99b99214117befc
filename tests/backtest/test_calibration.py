"""The shipped limits on whole sessions: they stop nothing, and a tenth of them stops something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import pytest

from gateway.backtest import Closeness, Flow, Plan, Report, as_json, backtest, default_limits, open_flow, prepare
from gateway.backtest.run import Run
from gateway.limits_file import LimitSetting
from tests.backtest.recording import PARTY, real_recordings, session_file

MADE_UP = "made up"


def plan(flow: Flow, factor: int) -> Plan:
    limits = default_limits(flow.symbols)
    assert limits is not None
    return prepare(flow, limits, Fraction(factor))


@dataclass
class Case:
    """A recording and its reports, each made once."""

    flow: Flow

    @cached_property
    def shipped(self) -> Report:
        return backtest(self.flow, plan(self.flow, 1))

    @cached_property
    def tenfold(self) -> Report:
        return backtest(self.flow, plan(self.flow, 10))

    def with_bounds(self, change: Callable[[Closeness], int]) -> Report:
        """One pass under the shipped limits, each bound that is gauged changed."""
        changed = [LimitSetting(one.scope, one.limit, change(one)) for one in self.shipped.closeness]
        given = plan(self.flow, 1)
        one = Run(self.flow, replace(given, settings=(*given.settings, *changed)), self.flow.summary())
        one.go(lambda _: None)
        return one.report()


def made_up_session(factory: pytest.TempPathFactory, messages: int) -> Case:
    return Case(open_flow(session_file(factory.mktemp("session"), messages)[0], PARTY))


@pytest.fixture(scope="module", params=[MADE_UP, *real_recordings()], ids=str)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A session made up here; and those of a real exchange that are on this machine."""
    if request.param == MADE_UP:
        return made_up_session(tmp_path_factory, 6_000)
    return Case(open_flow(request.param, PARTY))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A made-up session that is soon over."""
    return made_up_session(tmp_path_factory, 1_200)


def test_shipped_limits_stop_nothing(case: Case) -> None:
    report = case.shipped

    assert report.stops == []
    assert report.halts == []
    assert report.sent["orders"] > 1_000
    assert all(one.seen and one.used is not None and one.used <= 1 for one in report.closeness)


def test_limits_tightened_tenfold_stop_something(case: Case) -> None:
    report = case.tenfold

    assert report.stops
    assert report.halts
    over = [one.limit for one in report.closeness if one.used is None or one.used > 1]
    assert {"max_order_qty", "message_rate", "max_gross_notional"} <= set(over)


def test_peaks_do_not_depend_on_what_was_stopped(case: Case) -> None:
    """The same flow needs the same, whatever limits it is measured against."""

    def peaks(report: Report) -> dict[tuple[str, str], int]:
        return {(one.scope, one.limit): one.peak for one in report.closeness}

    assert peaks(case.tenfold) == peaks(case.shipped)


def test_peaks_as_bounds_stop_nothing(case: Case) -> None:
    """What is reported is what the checks measure. A loss alone halts when its bound is reached, not beyond it."""

    def peak(one: Closeness) -> int:
        return one.peak + (one.limit == "max_day_loss") if one.peak > 0 else one.bound

    report = case.with_bounds(peak)

    assert (report.stops, report.halts) == ([], [])


@pytest.mark.parametrize(
    "limit",
    [
        "max_order_qty",
        "max_order_notional",
        "price_collar_bps",
        "message_rate",
        "message_burst",
        "max_long_position",
        "max_short_position",
        "max_gross_notional",
        "max_turnover_day",
        "max_turnover_window",
        "max_day_loss",
    ],
)
def test_one_less_than_the_peak_stops(short: Case, limit: str) -> None:
    def one_less(one: Closeness) -> int:
        return one.peak - (limit != "max_day_loss") if one.limit == limit else one.bound

    assert short.with_bounds(one_less).stopped


def test_two_runs_are_the_same(short: Case) -> None:
    first, second = (as_json(backtest(short.flow, plan(short.flow, 10))) for _ in range(2))
    first.pop("speed")
    second.pop("speed")

    assert first == second


def test_made_up_session_becomes_the_orders_and_fills_it_was_made_of(tmp_path: Path) -> None:
    """The exchange of the test knows who sent and traded what; the records hide it and the mapping finds it again."""
    path, session = session_file(tmp_path, messages=3_000)
    flow = open_flow(path, PARTY)
    one = Run(flow, plan(flow, 1), flow.summary())
    one.go(lambda _: None)
    report = one.report()

    assert report.sent["orders"] == session.orders
    assert report.not_followed == 0
    position, open_buy, open_sell = one._engine.position("account_symbol:FLOW/ESH4")
    assert position == session.position
    ours = [rest for rest in session.book.values() if rest.ours]
    assert open_buy == sum(rest.size for rest in ours if rest.side == "B")
    assert open_sell == sum(rest.size for rest in ours if rest.side == "A")
