"""What the demo makes of what it is told: state, screen, lines and card, without a process."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from riskgate.v1 import admin_pb2, types_pb2
from router_sim.behaviour import Build
from router_sim.demo.card import Card, as_json, make_card, render
from router_sim.demo.state import DemoState
from router_sim.demo.view import PlainView, screen
from router_sim.knight.stocks import stocks
from router_sim.ledger import Ledger

OPEN = 1_000_000_000_000_000_000
MS = 1_000_000
STOCKS = stocks()


def counters(build: Build, *, excess: bool = False, **values: Any) -> dict[str, Any]:
    """One router in a line of the fleet."""
    ledger = Ledger().snapshot() | {"build": build.value, "alive": True, "connected": True, **values}
    if excess:
        flow = [2, 150, 150, 150 * (STOCKS[0].mid0 + 10 * MS)]
        ledger |= {"excess": {STOCKS[0].name: flow}, "flagged": {STOCKS[0].name: [3, 250, 250, 0]}}
    return ledger


SENTENCE = "parent overfill at router:smars-8: 200 where 100 is allowed; order C9 of smars-8, parent RLP-1"


def told(*, trip: bool, excess: bool = False, healthy_rejects: int = 0) -> DemoState:
    """A state three seconds after the open."""
    state = DemoState(STOCKS)
    state.fleet({"event": "open", "at": OPEN})
    routers = {
        "smars-1": counters(
            Build.RLP, sent=500, accepted=500, rejected={"X": healthy_rejects} if healthy_rejects else {}
        ),
        "smars-8": counters(
            Build.POWER_PEG,
            excess=excess,
            sent=90,
            rejected={"PARENT_OVERFILL": 3, "HALTED": 50} if trip else {},
            first_excess_sent=OPEN + 11 * MS,
            first_reject=OPEN + 12 * MS if trip else 0,
        ),
    }
    state.fleet({"event": "stats", "at": OPEN + 3_000 * MS, "routers": routers, "registered": 9})
    status = admin_pb2.GetStatusResponse(venue_connected=True, venue_reconciled=True)
    status.routers.add(router="smars-1", state=types_pb2.HALT_STATE_ACTIVE, pnl="-5000000000")
    status.routers.add(router="smars-8", state=types_pb2.HALT_STATE_HALTED if trip else types_pb2.HALT_STATE_ACTIVE)
    if trip:
        scope = types_pb2.Scope(kind=types_pb2.SCOPE_KIND_ROUTER, name="smars-8")
        cause = types_pb2.RejectDetail(name="PARENT_OVERFILL", limit="100", value="200", unit="quantity")
        status.trips.add(
            trip_id=1,
            scope=scope,
            cause=cause,
            text=SENTENCE,
            router="smars-8",
            time=OPEN + 24 * MS,
            open_orders_at_halt=5,
            cl_ord_id="C9",
            parent_cl_ord_id="RLP-1",
        )
        state.gateway_event(
            admin_pb2.StreamEventsResponse(time=OPEN + 30 * MS, kind="halt_clean", scope=scope, text="all gone")
        )
    state.gateway(status)
    state.parity(parity("missing"))
    assert state.odd == {}
    state.parity(parity("connected"))
    state.parity(parity("connected"))
    return state


def parity(presence: str) -> admin_pb2.GetFleetResponse:
    """What the gateway says of the fleet: the last router is odd; the first may not be there yet."""
    fleet = admin_pb2.GetFleetResponse(findings=["smars-8: build differs from 7 of 8"])
    fleet.rows.add(router="smars-1", presence=presence)
    fleet.rows.add(router="smars-8", presence="connected").differences.add(attribute="build")
    return fleet


def card_of(state: DemoState, *, protected: bool = True) -> Card:
    """The card of a run."""
    return make_card(state, variant="S1", seed=1, protection="words", protected=protected, interrupted=False)


def drawn(thing: Any) -> str:
    """A renderable as text."""
    console = Console(file=io.StringIO(), width=140)
    console.print(thing)
    text = console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def test_a_halted_culprit_makes_a_card_that_holds() -> None:
    """Times count from the open; the sentence is the gateway's."""
    card = card_of(told(trip=True))

    assert card.stopped
    assert (card.culprit, card.halted_scope, card.check) == ("smars-8", "router:smars-8", "parent_overfill")
    assert (card.first_excess_ms, card.first_reject_ms, card.halt_ms, card.cancels_confirmed_ms) == (11, 12, 24, 30)
    assert card.excess_to_culprit_ms == 13
    assert (card.leaked_shares, card.loss_usd, card.healthy_orders, card.cancels) == (0, 0, 500, 5)
    assert card.reason == SENTENCE
    assert card.odd_ones == ("smars-8",)
    assert "smars-8 halted 24 ms after the open" in drawn(render(card))
    assert as_json(card)["controlled"]["halt_ms"] == 24


def test_any_leak_any_healthy_reject_and_any_order_left_breaks_the_claim() -> None:
    """Exit code 1 follows from it."""
    assert not card_of(told(trip=True, excess=True)).stopped
    assert not card_of(told(trip=True, healthy_rejects=1)).stopped
    assert not card_of(told(trip=False)).stopped
    left = told(trip=True)
    left.venue_stats = {"routers": {"smars-8": {"open_orders": 1}}}

    card = card_of(left)

    assert not card.stopped
    assert "1 NOT confirmed" in drawn(render(card))
    assert "1 X" in drawn(render(card_of(told(trip=True, healthy_rejects=1))))


def test_the_excess_costs_what_was_paid_over_the_opening_mid_and_the_discount_of_its_sale() -> None:
    """150 shares a cent above the mid: $1.50, and a little for the block."""
    state = told(trip=False, excess=True)
    card = card_of(state, protected=False)

    assert 1.5 < card.loss_usd < 10
    assert (card.leaked_executions, card.leaked_shares) == (2, 150)
    document = as_json(card)
    assert document["uncontrolled"]["executions"] == 3
    assert document["uncontrolled"]["long_symbols"] == 1
    assert "Nothing stopped it" in drawn(render(card))


def test_the_screen_shows_the_halted_router_with_its_reason() -> None:
    """State, totals and the sentence; money of the gateway's books."""
    text = drawn(screen(told(trip=True), "title"))

    assert "smars-8 HALTED: parent overfill" in text
    assert "-$5" in text
    assert "halted smars-8" in text
    assert "09:30:03.000" in text


def test_without_a_terminal_every_event_is_one_line_once() -> None:
    """And the totals now and then."""
    state, file = told(trip=True), io.StringIO()
    view = PlainView(Console(file=file, width=60))
    for _ in range(3):
        view.show(state)

    lines = file.getvalue().splitlines()
    assert sum("all gone" in line for line in lines) == 1
    assert sum("orders/s" in line for line in lines) == 1
