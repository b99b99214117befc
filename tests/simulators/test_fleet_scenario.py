"""What a live fleet is given: the replay's morning, cut to a minute, and the credentials to play it."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_sim.behaviour import NEVER
from router_sim.knight.universe import ROUTERS, universe
from router_sim.scenario import STANDING, LiveVariant, knight
from router_sim.tokens import TokenError, read_tokens

SECOND = 1_000_000_000
CONFIG = """
[[accounts]]
name = "ACC1"
[[oms]]
name = "oms1"
token = "t1"
[[oms]]
name = "oms2"
token = "t2"
[[routers]]
name = "r1"
token = "t3"
"""


def test_the_live_morning_is_the_replays_morning() -> None:
    """The same 212 parents with the same quantities, phases and delays, all on the server with the old code."""
    live = {a.parent.parent_cl_ord_id: a for a in knight("ACC1", run_s=10).assignments}

    for plan in universe("S1", 1).parents:
        assignment = live[plan.name]
        assert assignment.router == "smars-8"
        assert assignment.parent.retail
        assert (assignment.parent.qty, assignment.parent.first_at, assignment.parent.delay) == (
            plan.qty,
            plan.first_at,
            plan.delay,
        )


@pytest.mark.parametrize("variant", ["S1", "S4", "S5", "S6"])
def test_every_variant_is_a_sound_plan(variant: LiveVariant) -> None:
    """Ids are unique, times are in order and within the run, prices are on the tick, everybody has standing orders."""
    scenario = knight("ACC1", variant, seed=3, lead_s=2, run_s=8)
    parents = [assignment.parent for assignment in scenario.assignments]

    assert len({parent.parent_cl_ord_id for parent in parents}) == len(parents)
    assert [parent.at for parent in parents] == sorted(parent.at for parent in parents)
    assert all(-2 * SECOND <= parent.at < 8 * SECOND for parent in parents)
    assert all(parent.price is None or (parent.price > 0 and parent.price % 10_000_000 == 0) for parent in parents)
    standing = [a.router for a in scenario.assignments if a.parent.price is not None and a.parent.resting == NEVER]
    assert {router: standing.count(router) for router in ROUTERS} == dict.fromkeys(ROUTERS, STANDING)
    assert scenario.parent_ids == (variant != "S5")


def test_names_and_tokens_come_from_the_gateways_configuration(tmp_path: Path) -> None:
    """The first OMS unless another is asked for; a token given wins."""
    config = tmp_path / "riskgate.toml"
    config.write_text(CONFIG)

    tokens = read_tokens(config, None, None, ["r1"])
    other = read_tokens(config, "oms2", "mine", ["r1"])

    assert (tokens.account, tokens.oms, tokens.oms_token, tokens.routers) == ("ACC1", "oms1", "t1", {"r1": "t3"})
    assert (other.oms, other.oms_token) == ("oms2", "mine")
    assert "t1" not in repr(tokens)


@pytest.mark.parametrize(
    ("text", "oms", "fleet", "says"),
    [
        (None, None, [], "cannot read"),
        ("[[", None, [], "riskgate.toml"),
        ("", None, [], r"no \[\[oms\]\]"),
        (CONFIG, "oms9", [], "no .*'oms9'"),
        (CONFIG, None, ["r1", "r2"], "no .*'r2'"),
        (CONFIG.replace('name = "r1"', ""), None, [], "needs a name"),
    ],
)
def test_what_is_missing_is_named(
    text: str | None, oms: str | None, fleet: list[str], says: str, tmp_path: Path
) -> None:
    """The file and what it lacks."""
    config = tmp_path / "riskgate.toml"
    if text is not None:
        config.write_text(text)

    with pytest.raises(TokenError, match=says):
        read_tokens(config, oms, None, fleet)
