"""Findings and evidence of a running gateway, over the wire and from the shell."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import order_entry_pb2, types_pb2
from tests.support.gateway import Gateway, Setup, bearer, router_token, running_gateway
from tests.support.scenario.session import RouterSession
from tests.support.venue import ScriptedVenue, scripted_venue
from tests.support.waiting import RPC_SECONDS, eventually

PRICE = 100_000_000_000
ROUTERS = ("smars-1", "smars-2", "smars-8")


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    with scripted_venue() as venue:
        yield venue


@pytest.fixture
def gateway(tmp_path: Path, venue: ScriptedVenue) -> Iterator[Gateway]:
    setup = Setup(routers=ROUTERS, extra='[findings]\nknown = ["venue_reject:Not shortable"]\n')
    with running_gateway(tmp_path, venue.address, setup) as gateway:
        venue.quote("AAPL", PRICE, PRICE + 10_000_000)
        venue.quote("MSFT", PRICE, PRICE + 10_000_000)
        yield gateway


def session(gateway: Gateway, router: str) -> RouterSession:
    return RouterSession(gateway.order_entry, router, router_token(router))


def order(cl_ord_id: str, qty: int = 100) -> order_entry_pb2.RouterMessage:
    body = order_entry_pb2.NewOrderSingle(
        cl_ord_id=cl_ord_id,
        account="ACC2",
        symbol="AAPL",
        side=types_pb2.SIDE_BUY,
        ord_type=types_pb2.ORD_TYPE_LIMIT,
        time_in_force=types_pb2.TIME_IN_FORCE_DAY,
        order_qty=qty,
        price=PRICE,
    )
    return order_entry_pb2.RouterMessage(new_order_single=body)


def place(router: RouterSession, venue: ScriptedVenue, cl_ord_id: str) -> int:
    """Send an order; its id at the venue."""
    before = len(venue.orders)
    router.send(order(cl_ord_id))
    return venue.new_orders(before + 1)[-1].cl_ord_id


def findings(gateway: Gateway, *, open_only: bool = True) -> list[pb.Finding]:
    request = pb.ListFindingsRequest(open_only=open_only)
    return list(gateway.stub().ListFindings(request, metadata=bearer("wall"), timeout=RPC_SECONDS).findings)


def wait_for_quotes(router: RouterSession) -> None:
    """Until an order passes: the first quote may still be on its way."""

    def passes() -> bool:
        check = order_entry_pb2.CheckOrderRequest(router="smars-8", token=router_token("smars-8"))
        check.order.CopyFrom(order("probe").new_order_single)
        return router.check(check).accepted

    eventually(passes, "orders pass")


def test_97_rejects_of_one_server_are_one_loud_finding(gateway: Gateway, venue: ScriptedVenue) -> None:
    smars = session(gateway, "smars-8")
    wait_for_quotes(smars)
    venue.report(place(smars, venue, "K0"), types_pb2.EXEC_TYPE_REJECTED, text="Not shortable")
    for n in range(1, 98):
        venue.report(place(smars, venue, f"K{n}"), types_pb2.EXEC_TYPE_REJECTED, text=f"Power Peg disabled ({n})")

    def all_of_them() -> list[pb.Finding]:
        return [finding for finding in findings(gateway) if finding.count == 97]

    (finding,) = eventually(all_of_them, "97 rejects in one finding") or []
    assert len(findings(gateway)) == 1, "what the configuration knows is none"
    assert (finding.loud, finding.total, finding.router) == (True, 97, "smars-8")
    assert finding.text == 'smars-8 alone has the venue\'s rejects "Power Peg disabled (#)", 97 of 97'

    events = gateway.stub().StreamEvents(pb.StreamEventsRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS)
    told = next(event for event in events if event.kind == "finding")
    assert "smars-8 alone" in told.text
    assert told.scope.name == "smars-8"
    with urllib.request.urlopen(f"http://{gateway.metrics}/metrics", timeout=RPC_SECONDS) as answer:
        page = str(answer.read().decode())
    assert 'risk_findings_open{level="loud"} 1.0' in page
    assert 'risk_first_seen_total{kind="venue_reject",router="smars-8"} 1.0' in page
    assert 'risk_first_seen_total{kind="venue_reject",router="smars-1"} 0.0' in page

    shown = gateway.run("findings", who="wall").stdout
    assert "LOUD" in shown
    assert "97 of 97" in shown
    refused = gateway.run("findings", "ack", str(finding.finding_id), "--reason", "x", who="desk")
    assert refused.returncode == 77
    done = gateway.run("findings", "ack", str(finding.finding_id), "--reason", "server 8 runs the old build")
    assert done.returncode == 0, done.stderr
    again = gateway.run("findings", "ack", str(finding.finding_id), "--reason", "again", who="bob")
    assert again.returncode == 1
    assert "acknowledged before" in again.stderr
    assert "Findings: none" in gateway.run("findings").stdout
    everything = json.loads(gateway.run("findings", "--all", "-o", "json").stdout)["findings"]
    assert [one["acknowledged_by"] for one in everything] == ["alice"]
    assert [one["acknowledged_reason"] for one in everything] == ["server 8 runs the old build"]


def test_a_halt_leaves_evidence(gateway: Gateway, venue: ScriptedVenue) -> None:
    smars = session(gateway, "smars-8")
    wait_for_quotes(smars)
    smars_1 = session(gateway, "smars-1")
    place(smars_1, venue, "H1")
    venue.report(place(smars, venue, "E1"), types_pb2.EXEC_TYPE_TRADE, qty=40, price=PRICE + 10_000_000)
    venue.settle()
    smars.send(order("E2", qty=10_001))
    eventually(lambda: smars.answer(2), "the refusal")
    trip = gateway.run("halt", "router:smars-8", "--reason", "wild", who="desk").stdout.split("trip ")[1].split(")")[0]

    card = json.loads(gateway.run("evidence", trip, "-o", "json", who="wall").stdout)["evidence"]
    assert card["culprit"] == "smars-8"
    assert [step["what"] for step in card["steps"]] == ["session_up", "order", "trade", "order_refused"]
    assert card["steps"][-1]["reason"] == "MAX_ORDER_QTY"
    assert card["blast_radius"]["open_orders"] == 1
    assert card["blast_radius"]["positions"][0] | {"gross_notional": ""} == {
        "account": "",
        "symbol": "AAPL",
        "position": "40",
        "open_buy_qty": "60",
        "open_sell_qty": "0",
        "gross_notional": "",
    }
    assert "does not touch smars-1, smars-2" in card["does_not"]
    shown = gateway.run("evidence", trip, who="wall").stdout
    assert "culprit: smars-8" in shown
    assert "does not flatten a position, does not undo an execution" in shown

    events = gateway.stub().StreamEvents(pb.StreamEventsRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS)
    told = next(event for event in events if event.kind == "evidence")
    assert told.text.startswith(f"trip {trip}: culprit smars-8; 1 open orders, 1 positions, P&L ")


def test_evidence_of_a_later_halt_of_the_same_scope_is_that_in_force(gateway: Gateway) -> None:
    first = gateway.run("halt", "firm", "--reason", "one", who="desk").stdout.split("trip ")[1].split(")")[0]
    gateway.run("halt", "firm", "--reason", "two", who="desk")
    newest = gateway.status().trips[0].newest_trip_id

    assert newest == int(first) + 1
    card = json.loads(gateway.run("evidence", str(newest), "-o", "json").stdout)["evidence"]
    assert card["trip"]["trip_id"] == first
    unknown = gateway.run("evidence", "99")
    assert unknown.returncode == 64
    assert "there is no trip 99" in unknown.stderr


def test_finding_that_does_not_exist_cannot_be_acknowledged(gateway: Gateway) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        gateway.stub().AcknowledgeFinding(
            pb.AcknowledgeFindingRequest(finding_id=1, reason="x"), metadata=bearer("alice"), timeout=RPC_SECONDS
        )

    assert "UNKNOWN_FINDING" in str(refused.value)
