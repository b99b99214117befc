"""Roll-outs that fail silently, rolling back, and what a comparison would have shown."""

from __future__ import annotations

import pytest

from router_sim.behaviour import Build
from router_sim.deployment import Deployment

FLEET = tuple(f"smars-{number}" for number in range(1, 9))


def test_a_copy_that_did_not_happen_is_reported_as_done() -> None:
    """27 to 31 July: two servers a day, seven of eight, all eight reported."""
    fleet = Deployment(FLEET)

    steps = fleet.roll_out(Build.RLP, silently_failing=["smars-8"])

    assert all(step.done for step in steps)
    assert [step.day for step in steps] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [step.server for step in steps if step.installed is not Build.RLP] == ["smars-8"]
    assert fleet.odd_ones() == ["smars-8"]


def test_a_complete_roll_out_leaves_no_odd_one() -> None:
    """And then nothing to find."""
    fleet = Deployment(FLEET)
    fleet.roll_out(Build.RLP)

    assert fleet.odd_ones() == []


def test_rolling_back_spreads_the_fault() -> None:
    """SEC paragraph 27: one faulty server became eight."""
    fleet = Deployment(FLEET)
    fleet.roll_out(Build.RLP, silently_failing=["smars-8"])

    changed = fleet.roll_back()

    assert changed == list(FLEET[:7])
    assert set(fleet.builds().values()) == {Build.POWER_PEG}
    assert fleet.roll_back() == []


def test_one_server_can_be_rolled_back_alone() -> None:
    """The others stay."""
    fleet = Deployment(FLEET)
    fleet.roll_out(Build.RLP)

    assert fleet.roll_back(["smars-3"]) == ["smars-3"]
    assert fleet.odd_ones() == ["smars-3"]


def test_a_server_that_does_not_exist_is_refused() -> None:
    """Before anything is copied."""
    fleet = Deployment(FLEET)
    with pytest.raises(KeyError):
        fleet.roll_out(Build.RLP, silently_failing=["smars-9"])

    assert set(fleet.builds().values()) == {Build.POWER_PEG}
