"""The gate at the open: a gateway that starts after it holds until all is green, or two people say otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.config import load_config
from gateway.problems import ConfigError
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import order_entry_pb2, types_pb2
from tests.support.cli import run_cli
from tests.support.gateway import TOKENS, Gateway, Setup, bearer, router_token, running_gateway, write_config
from tests.support.scenario.session import RouterSession
from tests.support.venue import ScriptedVenue, scripted_venue
from tests.support.waiting import RPC_SECONDS, eventually

PRICE = 100_000_000_000
DRILL = '[[strategies]]\nname = "drill"\n'


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    with scripted_venue() as venue:
        yield venue


@contextmanager
def gated(directory: Path, venue: ScriptedVenue, *, grace: str = "60s", routers: str = "true") -> Iterator[Gateway]:
    """A gateway whose open is past, so that its gate holds from the start."""
    readiness = f'[readiness]\nopen = "00:00"\ngrace = "{grace}"\nall_routers = {routers}\nsymbols = ["AAPL"]\n'
    with running_gateway(directory, venue.address, Setup(extra=readiness + DRILL, heartbeat="60s")) as gateway:
        yield gateway


def state(gateway: Gateway) -> tuple[str, set[str]]:
    """Where the gate stands, and what is red."""
    answer = gateway.stub().GetReadiness(pb.GetReadinessRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS)
    return answer.gate, {item.name for item in answer.items if not item.ready}


def drill(gateway: Gateway) -> None:
    done = run_cli(
        *("drill", "strategy:drill", "--door", gateway.halt, "--operator", "alice", "--admin", gateway.admin),
        token=TOKENS["alice"],
    )
    assert done.returncode == 0, done.stderr
    assert "clean after" in done.stdout
    proposal = done.stdout.split("approve ")[1].strip()
    assert gateway.run("reinstate", "approve", proposal, who="bob").returncode == 0


def verdict(router: RouterSession, cl_ord_id: str) -> str:
    body = order_entry_pb2.NewOrderSingle(
        cl_ord_id=cl_ord_id,
        account="ACC2",
        symbol="AAPL",
        side=types_pb2.SIDE_BUY,
        ord_type=types_pb2.ORD_TYPE_LIMIT,
        time_in_force=types_pb2.TIME_IN_FORCE_DAY,
        order_qty=100,
        price=PRICE,
    )
    check = order_entry_pb2.CheckOrderRequest(router="r1", token=router_token("r1"), order=body)
    answer = router.check(check)
    return "accept" if answer.accepted else answer.reject.name


def test_gate_holds_names_what_is_red_and_opens_by_itself_when_it_is_mended(
    tmp_path: Path, venue: ScriptedVenue
) -> None:
    with gated(tmp_path, venue) as gateway:
        eventually(lambda: state(gateway)[0] == "holding", "the gate holds")
        assert state(gateway)[1] == {"parity", "kill_path", "market_data"}
        r1 = RouterSession(gateway.order_entry, "r1", router_token("r1"))
        venue.quote("AAPL", PRICE, PRICE + 10_000_000)
        eventually(lambda: "market_data" not in state(gateway)[1], "the quote is there")
        assert verdict(r1, "A1") == "NOT_READY"

        shown = gateway.run("readiness", who="wall").stdout
        assert "r2 is not there" in shown
        assert "nobody has tried the kill path today: riskgate drill" in shown
        assert "the gate is holding; the open is at 00:00 UTC" in shown
        drill(gateway)
        assert verdict(r1, "A2") == "NOT_READY"
        RouterSession(gateway.order_entry, "r2", router_token("r2"))
        eventually(lambda: state(gateway) == ("open", set()), "the gate opens")
        assert verdict(r1, "A3") == "accept"

        events = gateway.stub().StreamEvents(pb.StreamEventsRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS)
        told = [next(event.text for event in events if event.kind == "readiness") for _ in range(2)]
        assert told[0].startswith("the readiness gate is holding, red: parity, ")
        assert told[1] == "the readiness gate is open, all is green"


def test_two_people_override_for_a_time(tmp_path: Path, venue: ScriptedVenue) -> None:
    with gated(tmp_path, venue, grace="100ms", routers="false") as gateway:
        eventually(lambda: state(gateway)[0] == "latched", "the gate latches")
        (trip,) = gateway.status().trips
        assert (trip.cause.name, trip.state) == ("NOT_READY", types_pb2.HALT_STATE_CANCEL_ONLY)
        assert "kill_path" in trip.text
        card = json.loads(gateway.run("evidence", str(trip.trip_id), "-o", "json").stdout)["evidence"]
        assert "Find out why before two people reinstate firm" in card["recommended_action"]

        too_long = gateway.run("readiness", "override", "--for", "25h", "--reason", "x")
        assert too_long.returncode == 1
        assert gateway.run("readiness", "override", "--for", "1m", "--reason", "x", who="desk").returncode == 77
        asked = gateway.run("readiness", "override", "--for", "1m", "--reason", "venue test", "-o", "json")
        proposal = json.loads(asked.stdout)["proposal_id"]
        listed = gateway.run("reinstate", "list").stdout
        assert re.search(r"trade for \d+ s, whatever the readiness gate says", listed)
        assert gateway.run("reinstate", "approve", proposal).returncode == 1
        assert gateway.run("reinstate", "approve", proposal, who="bob").returncode == 0
        assert state(gateway)[0] == "open"
        assert not gateway.status().trips


def test_gateway_without_a_gate_answers_all_the_same(gateway: Gateway) -> None:
    shown = gateway.run("readiness", who="wall").stdout
    assert "no gate: nothing is held" in shown
    refused = gateway.run("readiness", "override", "--for", "1m", "--reason", "x")
    assert refused.returncode == 1
    assert "NO_READINESS_GATE" in refused.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('open = "25:00"', "is no time of day"),
        ("open = 13", "is not a time of day"),
        ('open = "13:30"\ngrace = "x"', "is not a duration"),
        ('open = "13:30"\nsymbols = ["APPL"]', 'did you mean "AAPL"?'),
        ('grace = "1s"', "open"),
    ],
)
def test_bad_gate_is_refused_at_load(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "riskgate.toml"
    write_config(file, "127.0.0.1:1", Setup(extra=f"[readiness]\n{line}\n"))
    with pytest.raises(ConfigError) as refused:
        load_config(file)

    assert says in str(refused.value)


@pytest.mark.parametrize(("known", "says"), [("nothing", "names nothing"), ("flags:1", "names nothing")])
def test_bad_known_is_refused_at_load(tmp_path: Path, known: str, says: str) -> None:
    file = tmp_path / "riskgate.toml"
    write_config(file, "127.0.0.1:1", Setup(extra=f'[findings]\nknown = ["{known}"]\n'))
    with pytest.raises(ConfigError) as refused:
        load_config(file)

    assert says in str(refused.value)
