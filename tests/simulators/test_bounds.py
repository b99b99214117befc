"""What a line of defence says is what it is set to, in every story."""

from __future__ import annotations

import pytest

import riskcore
from router_sim import bounds
from router_sim.defence import Profile
from router_sim.incidents.compare import SCENES
from router_sim.knight.background import CHILDREN_PER_SECOND
from router_sim.knight.limits import PROFILE, ROUTER_DAY
from router_sim.units import MILLISECOND, MINUTE, SECOND, USD

PROFILES = [PROFILE, *(scene(1).profile for scene in SCENES.values())]


@pytest.mark.parametrize(
    ("whole", "said"), [(2_000_000, "$2M"), (3 * 10**9, "$3bn"), (250_000, "$250,000"), (1_500_000, "$1,500,000")]
)
def test_an_amount_is_said_exactly(whole: int, said: str) -> None:
    assert bounds.amount(whole) == said


@pytest.mark.parametrize(
    ("ns", "said"),
    [(100 * MILLISECOND, "100 ms"), (SECOND // 2, "0.5 s"), (SECOND, "1 s"), (MINUTE, "60 s"), (5 * MINUTE, "5 min")],
)
def test_a_time_is_said_exactly(ns: int, said: str) -> None:
    assert bounds.duration(ns) == said


def test_words_and_values_of_a_line_are_one() -> None:
    line = bounds.turnover(2_000_000, MINUTE, firm=100_000_000, day=10**9)

    assert line.says == "$2M in 60 s per router, $100M in 5 min and $1bn a day for the firm"
    assert {setting.limit: setting.value // USD for setting in line.settings if setting.scope == "firm"} == {
        "max_turnover_window": 100_000_000,
        "turnover_window": 300,
        "max_turnover_day": 10**9,
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_lines_have_names_of_their_own_and_limits_and_reasons_that_exist(profile: Profile) -> None:
    lines = [line.name for line in profile.lines]
    reasons = [reason for line in profile.lines for reason in line.reasons]

    assert len(set(lines)) == len(lines)
    assert len(set(reasons)) == len(reasons), "a reason belongs to one line"
    assert set(reasons) <= {reason.name.lower() for reason in riskcore.reasons()}
    limits = {setting.limit for line in profile.lines for setting in line.settings}
    assert limits <= {limit.name for limit in riskcore.limits()}


def test_a_router_may_send_all_day_without_parents() -> None:
    """K2 may not halt a healthy router before the close: six and a half hours at its highest rate."""
    assert CHILDREN_PER_SECOND[1] * 100 * 6.5 * 3_600 < ROUTER_DAY
