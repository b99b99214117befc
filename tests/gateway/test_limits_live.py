"""Limits while the gateway runs: actions from the file, overrides, loosenings that end, explanations; by the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.waiting import eventually


def _while_it_lasts(attempt: Callable[[str], bool]) -> None:
    """Until an attempt is done with what holds for so long, and no longer: a busy machine may need more."""
    assert any(attempt(seconds) for seconds in ("2s", "8s", "32s"))


def _limits(gateway: Gateway, name: str) -> list[dict[str, Any]]:
    shown = json.loads(gateway.run("limits", "show", "--output", "json").stdout)
    return [limit for limit in shown["limits"] if limit["limit"] == name]


def test_validation_says_what_would_follow_and_changes_nothing(gateway: Gateway) -> None:
    before = gateway.run("limits", "show", "--output", "json").stdout

    tighter = gateway.run("limits", "set", "router:r1", "message_rate", "100", "--reason", "what if", "--validate-only")
    looser = gateway.run(
        "limits", "set", "router:r1", "message_rate", "100_000", "--reason", "what if", "--validate-only"
    )

    assert "takes one person; 0 scopes would be in breach. Nothing was changed." in tighter.stdout, tighter.stderr
    assert "takes two people" in looser.stdout
    assert before == gateway.run("limits", "show", "--output", "json").stdout


def test_a_limit_can_be_tried_out_and_made_soft(gateway: Gateway) -> None:
    gateway.run("limits", "set", "router:r1", "max_order_qty", "5", "--action", "shadow", "--reason", "a trial")
    gateway.run("limits", "set", "router:r2", "max_order_qty", "5", "--soft", "--reason", "a soft one")

    by_router = {limit["scope"]["name"]: limit for limit in _limits(gateway, "max_order_qty")}

    assert by_router["r1"]["action"] == "shadow"
    assert by_router["r2"]["soft"] is True
    assert by_router["r2"]["action"] == "reject"


def test_an_override_of_a_soft_limit_takes_two_people_and_is_listed_until_it_lapses(gateway: Gateway) -> None:
    gateway.run("limits", "set", "router:r1", "max_order_qty", "5", "--soft", "--reason", "a soft one")
    words = ("limits", "override", "router:r1", "max_order_qty", "50", "--reason", "a block trade")

    def is_listed(seconds: str) -> bool:
        proposed = gateway.run(*words, "--for", seconds, "--router", "r1", "--order", "BLOCK-1", "--output", "json")
        number = json.loads(proposed.stdout)["proposal_id"]
        assert gateway.run("reinstate", "approve", number).returncode == 1, "the same person"
        assert "r1 BLOCK-1" not in gateway.run("limits", "overrides").stdout
        gateway.run("reinstate", "approve", number, who="bob")
        listed = gateway.run("limits", "overrides").stdout
        return "r1 BLOCK-1" in listed and "alice, bob" in listed

    _while_it_lasts(is_listed)
    eventually(lambda: "none" in gateway.run("limits", "overrides").stdout, "the override lapses", seconds=60)


def test_a_loosening_ends_by_itself(gateway: Gateway) -> None:
    def rate() -> str:
        return next(str(limit["value"]) for limit in _limits(gateway, "message_rate") if limit["scope"]["name"] == "r1")

    gateway.run("limits", "set", "router:r1", "message_rate", "10", "--reason", "calm")

    def is_loosened(seconds: str) -> bool:
        proposed = gateway.run(
            "limits", "set", "router:r1", "message_rate", "20", "--for", seconds, "--reason", "busy", "--output", "json"
        )
        gateway.run("reinstate", "approve", json.loads(proposed.stdout)["proposal_id"], who="bob")
        return rate() == "20"

    _while_it_lasts(is_loosened)
    eventually(lambda: rate() == "10", "the old limit is back", seconds=60)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("limits", "override", "router:r1", "message_rate", "9", "--reason", "x", "--for", "1m"), 1, "HARD_LIMIT"),
        (("limits", "override", "router:r1", "message_rate", "9", "--reason", "x", "--for", "soon"), 64, "--for"),
        (
            ("limits", "override", "router:r1", "message_rate", "9", "--reason", "x", "--for", "1m", "--order", "A"),
            64,
            "--router and --order name one order together",
        ),
        (("limits", "show", "rooter"), 64, 'did you mean "router"?'),
        (("explain", "r1", "--account", "ACC1", "--qty", str(2**63), "--symbol", "AAPL"), 2, "--qty"),
        (("limits", "set", "router:r1", "message_rate", "9", "--action", "rejct", "--reason", "x"), 64, "takes"),
        (("limits", "set", "firm", "max_day_loss", "9", "--action", "reject", "--reason", "x"), 64, "takes"),
        (("explain", "r9", "--account", "ACC1", "--qty", "1", "--symbol", "AAPL"), 64, '"r9" is not configured'),
        (("explain", "r1", "--qty", "1", "--symbol", "AAPL"), 64, "--account is missing"),
        (("explain", "r1", "--order", "NOPE"), 64, "no order"),
        (("explain", "r1", "--account", "A", "--qty", "1", "--symbol", "B", "--side", "by"), 64, "did you mean"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_mistakes_are_named(shared_gateway: Gateway, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = shared_gateway.run(*arguments)

    assert done.returncode == code, done.stderr
    assert says in done.stderr


def test_an_order_is_explained_check_by_check_and_nothing_changes(gateway: Gateway) -> None:
    order = ("explain", "r1", "--account", "ACC1", "--symbol", "AAPL", "--price", "100.00", "--output", "json")
    before = gateway.status()

    small, large = (json.loads(gateway.run(*order, "--qty", qty).stdout) for qty in ("1", "1000000"))

    def verdicts(answer: dict[str, Any]) -> dict[str, str]:
        return {check["check"]: check.get("reject", {}).get("name", "") for check in answer["checks"]}

    assert large["accepted"] is False
    assert verdicts(large)["order_size"] == "MAX_ORDER_QTY"
    assert verdicts(small)["order_size"] == ""
    size = next(check for check in large["checks"] if check["check"] == "order_size")
    bound = size["bounds"][0]
    assert int(bound["headroom"]) == int(bound["bound"]) - 1_000_000
    assert bound["over"] is True
    after = gateway.status()
    assert (before.orders_accepted, before.orders_rejected) == (after.orders_accepted, after.orders_rejected)
