"""The operators' verbs against a running gateway."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest

from gateway.units import NANO
from riskgate.v1 import types_pb2
from tests.support import ROOT
from tests.support.cli import run_cli
from tests.support.gateway import TOKENS, Gateway
from tests.support.venue import ScriptedVenue
from tests.support.waiting import RPC_SECONDS, eventually


def test_status_is_a_table_for_people_and_json_for_programs(shared_gateway: Gateway) -> None:
    table = shared_gateway.run("status", who="wall")
    assert table.returncode == 0, table.stderr
    assert "firm ACTIVE, venue connected" in table.stdout
    assert "Halts: none" in table.stdout

    status = json.loads(shared_gateway.run("status", "--output", "json", who="wall").stdout)
    assert [router["router"] for router in status["routers"]] == ["r1", "r2"]
    assert status["firm_state"] == "HALT_STATE_ACTIVE"


def test_halt_and_reinstate_from_the_shell(gateway: Gateway) -> None:
    done = gateway.run("halt", "router:r1", "--reason", "wild", who="desk")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("router:r1 is HALTED (trip ")
    assert "no order was resting" in done.stdout
    assert "wild" in gateway.run("status").stdout

    trip = done.stdout.split("trip ")[1].split(")")[0]
    proposed = gateway.run("reinstate", "propose", "router:r1", "--trip", trip, "--reason", "mended", "-o", "json")
    proposal = json.loads(proposed.stdout)["proposal_id"]
    assert "mended" in gateway.run("reinstate", "list").stdout
    alone = gateway.run("reinstate", "approve", proposal)
    assert alone.returncode == 1
    assert alone.stderr.count("\n") == 1
    assert gateway.run("reinstate", "approve", proposal, who="bob").returncode == 0
    assert "Halts: none" in gateway.run("status").stdout


def test_halt_state_can_be_milder(gateway: Gateway) -> None:
    done = gateway.run("halt", "account:ACC1", "--state", "reduce-only", "--reason", "careful")

    assert "account:ACC1 is REDUCE_ONLY" in done.stdout


def test_native_door_halts_from_the_shell(gateway: Gateway) -> None:
    done = run_cli(
        *("halt", "firm", "--reason", "control plane hangs", "--door", gateway.halt, "--operator", "desk"),
        token=TOKENS["desk"],
    )

    assert done.returncode == 0, done.stderr
    assert "firm is HALTED" in done.stdout
    assert gateway.status().trips[0].principal == "desk"


@pytest.mark.parametrize(
    ("arguments", "who", "code", "says"),
    [
        (("halt", "router:r9", "--reason", "x"), "desk", 64, "r9"),
        (("halt", "rooter:r1", "--reason", "x"), "desk", 64, 'did you mean "router"?'),
        (("halt", "router:*", "--reason", "x"), "desk", 64, "name one of them"),
        (("halt", "firm", "--state", "haltd", "--reason", "x"), "desk", 64, 'did you mean "HALTED"?'),
        (("halt", "firm", "--reason", "x"), "wall", 77, "HaltScope needs halt"),
        (("halt", "firm", "--reason", "x"), "nobody-we-know", 77, "give yours with --token-file"),
        (("limits", "set", "firm", "max_day_los", "5", "--reason", "x"), "alice", 64, 'did you mean "max_day_loss"?'),
        (("limits", "set", "firm", "max_day_loss", "many", "--reason", "x"), "alice", 64, "is not a decimal amount"),
        (("restrict", "add", "APPL", "--reason", "x"), "alice", 64, '"APPL" is not configured'),
        (("restrict", "add", "AAPL", "--stops", "bye", "--reason", "x"), "alice", 64, 'did you mean "buy"?'),
        (("restrict", "add", "AAPL", "--reason", "x"), "desk", 77, "SetRestriction needs risk"),
        (("reinstate", "approve", "77"), "alice", 1, "proposal"),
        (
            ("halt", "firm", "--reason", "x", "--door", "nowhere:1", "--operator", "desk"),
            "desk",
            69,
            "is --door right?",
        ),
        (("reinstate", "propose", "router:r1", "--trip", "1", "--reason", "x"), "alice", 1, "halted"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_refusal_is_one_line_with_the_mend(
    shared_gateway: Gateway, arguments: tuple[str, ...], who: str, code: int, says: str
) -> None:
    done = shared_gateway.run(*arguments, who=who)

    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("riskgate: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_limits_are_shown_and_tightened(gateway: Gateway) -> None:
    assert "10,000" in gateway.run("limits", "show", "router").stdout
    done = gateway.run("limits", "set", "router:r1", "message_rate", "100", "--reason", "calm")
    assert done.returncode == 0, done.stderr
    assert "message_rate at router:r1 is 100" in done.stdout
    assert "router:r1" in gateway.run("limits", "show", "router:r1").stdout

    loosened = gateway.run("limits", "set", "firm", "max_day_loss", "20_000_000", "--reason", "more")
    assert "waits for a second person" in loosened.stdout


def test_symbol_is_restricted_by_one_and_freed_by_two(gateway: Gateway) -> None:
    done = gateway.run("restrict", "add", "AAPL", "--reason", "research report due")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "AAPL is restricted: opening\n"
    assert "research report due" in gateway.run("restrict", "list", who="wall").stdout

    more = gateway.run("restrict", "add", "AAPL", "--stops", "all", "--reason", "it is out")
    assert more.stdout == "AAPL is restricted: all\n"
    less = gateway.run("restrict", "remove", "AAPL", "--reason", "it is digested", "-o", "json")
    proposal = json.loads(less.stdout)
    assert not proposal["applied"]
    assert "take AAPL off the restricted list" in gateway.run("reinstate", "list").stdout
    assert gateway.run("reinstate", "approve", proposal["proposal_id"]).returncode == 1
    assert gateway.run("reinstate", "approve", proposal["proposal_id"], who="bob").returncode == 0
    assert "Restricted list: none" in gateway.run("restrict", "list").stdout


def test_limits_catalogue_needs_no_gateway() -> None:
    done = run_cli("limits", "catalogue")

    assert done.returncode == 0, done.stderr
    assert "max_order_notional" in done.stdout


def test_unmatched_executions_are_listed_with_their_origin(gateway: Gateway, venue: ScriptedVenue) -> None:
    assert "Unmatched executions: none" in gateway.run("unmatched", who="wall").stdout
    venue.report_unknown("AAPL", types_pb2.SIDE_SELL, qty=30, price=100 * NANO)
    venue.settle()

    table = gateway.run("unmatched", who="wall").stdout
    assert re.search(r"not known +AAPL +0 +30 +3,?000(\.00)? +1 ", table), table
    [row] = json.loads(gateway.run("unmatched", "--output", "json").stdout)["unmatched"]
    assert (row["router"], row["sold_qty"], row["notional"]) == ("", "30", str(3_000 * NANO))
    assert row["first_seen"] == row["last_seen"] != "0"
    assert "Unmatched executions: none" in gateway.run("unmatched", "--router", "r1").stdout
    assert gateway.run("unmatched", "--router", "r9").returncode == 64


def test_orders_and_positions_are_listed(shared_gateway: Gateway) -> None:
    assert "Open orders: none" in shared_gateway.run("orders").stdout
    assert "Positions: none" in shared_gateway.run("positions").stdout


def test_metrics_show_state_and_halts_without_open_labels(gateway: Gateway) -> None:
    gateway.run("halt", "router:r1", "--reason", "wild", who="desk")

    def scrape() -> str:
        with urllib.request.urlopen(f"http://{gateway.metrics}/metrics", timeout=RPC_SECONDS) as answer:
            return str(answer.read().decode())

    text = eventually(
        lambda: page if 'risk_halts_total{check="person",scope="router:r1"} 1.0' in (page := scrape()) else "",
        "the halt is counted",
    )

    assert 'risk_scope_state{scope="router:r1"} 4.0' in text
    assert 'risk_scope_state{scope="router:r2"} 1.0' in text
    assert "risk_venue_connected 1.0" in text
    assert "risk_build_info{" in text
    assert "wild" not in text


def test_reference_page_lists_every_metric(shared_gateway: Gateway) -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text()
    with urllib.request.urlopen(f"http://{shared_gateway.metrics}/metrics", timeout=RPC_SECONDS) as answer:
        text = str(answer.read().decode())
    families = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    missing = [name for name, meaning in families.items() if f"| `{name}` |" not in page or meaning not in page]

    assert not missing, f"say in gateway/metrics.py and docs/reference/metrics.md what these mean: {missing}"
    assert "Not described yet." not in text
