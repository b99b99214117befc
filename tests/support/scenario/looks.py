"""The looks of a scenario, through the Admin service and the counters of a running gateway."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gateway.app import Application
from gateway.wire import scope_text, state_text
from riskgate.v1 import admin_pb2 as admin
from riskgate.v1 import admin_pb2_grpc, types_pb2
from tests.support.scenario.language import Line, money
from tests.support.scenario.setup import token
from tests.support.venue import ScriptedVenue
from tests.support.waiting import RPC_SECONDS, eventually

_COUNTERS = {
    "late_fills": "late_fills_total",
    "duplicate_reports": "duplicate_reports_total",
    "unknown_orders": "unknown_order_reports_total",
    "bad_reports": "bad_reports_total",
    "bad_ticks": "bad_ticks_total",
}
_MISMATCH = re.compile(r"order (\d+)[^:]* in (\S+): (\d+) booked, (\d+) in the venue's drop copy")
_PATIENCE = 3.0
"""Seconds until a look must show what is expected: reports travel through two sockets and a queue."""

METADATA = (("authorization", f"Bearer {token('alice')}"),)


class Looks:
    """What a person could see."""

    def __init__(
        self,
        stub: admin_pb2_grpc.AdminStub,
        application: Application,
        venue: ScriptedVenue,
        orders: Mapping[str, int],
        routers: Mapping[str, str],
    ) -> None:
        self._admin = stub
        self._plane = application.plane
        self._venue = venue
        self._orders = orders
        self._routers = routers
        self._looks: dict[str, Callable[[str], str]] = {
            "state": lambda scope: state_text(self._scope(scope).state) or "ACTIVE",
            "pnl": lambda scope: money(int(self._scope(scope).pnl or 0)),
            "turnover": lambda scope: money(int(self._scope(scope).turnover or 0)),
            "gross": lambda scope: money(int(self._scope(scope).gross_notional or 0)),
            "open": lambda scope: str(self._scope(scope).open_orders),
            "cause": lambda scope: self._scope(scope).trip.cause.name.lower() or "none",
            "culprit": lambda scope: self._scope(scope).trip.router or "none",
            "clean": lambda scope: str(self._scope(scope).trip.cancels_outstanding == 0).lower(),
            "canary": lambda router: str(self._fleet_row(router).canary).lower(),
            "suspects": lambda scope: " ".join(self.incident(scope).suspects) or "none",
            "position": self._position,
            "status": self._status_of,
            "parent": self._parent,
            "finding": self._finding,
            "counter": lambda name: str(self.metric(_COUNTERS[name])),
        }

    def look(self, line: Line) -> None:
        """Compare one look; what takes a moment to arrive is waited for."""
        if line.words[1] == "warned":
            return  # the event stream tells it; the engine's runner compares the steps
        if line.words[1] == "breaches":
            eventually(lambda: self._breaches(line.words[2], line.words[3]) == line.expect, f"{line}")
            return
        if line.words[1] == "cancels":
            self._cancels(line)
            return
        if line.words[1] == "position" and not line.words[2].startswith("account_symbol:"):
            return  # positions are shown by account; what is booked to suspense shows in its counter
        seen = ""

        def as_expected() -> bool:
            nonlocal seen
            seen = self._look(line)
            return seen == line.expect

        try:
            eventually(as_expected, str(line), seconds=_PATIENCE)
        except AssertionError:
            raise AssertionError(f"{line}: expected `{line.expect}`, got `{seen}`") from None

    def _look(self, line: Line) -> str:
        match line.words[1]:
            case "findings":
                return self._findings()
            case "evidence":
                return self._evidence(line.words[2], line.words[3])
            case "used":
                return self._used(line.words[2], line.words[3])
            case "suspense":
                return self._suspense(line.words[2], line.words[3])
            case "mismatch":
                return self._mismatch()
        return self._looks[line.words[1]](line.words[2])

    def status(self) -> admin.GetStatusResponse:
        """The gateway's status."""
        return self._admin.GetStatus(admin.GetStatusRequest(), metadata=METADATA, timeout=RPC_SECONDS)

    def metric(self, name: str) -> int:
        """A counter of the data plane."""
        return self._plane.metrics()[name]

    def newest_trip(self, scope: str) -> int:
        """The newest trip of a scope, or 1."""
        trips = [trip.newest_trip_id for trip in self.status().trips if scope_text(trip.scope) == scope]
        return max(trips, default=1)

    def incident(self, scope: str) -> admin.Incident:
        """The open incident of a router's scope, or an empty one."""
        router = scope.partition(":")[2]
        return next((incident for incident in self._fleet().incidents if incident.router == router), admin.Incident())

    def is_connected(self, router: str) -> bool:
        """Whether a router has a session."""
        return self._fleet_row(router).presence == "connected"

    def _fleet(self) -> admin.GetFleetResponse:
        return self._admin.GetFleet(admin.GetFleetRequest(), metadata=METADATA, timeout=RPC_SECONDS)

    def _fleet_row(self, router: str) -> admin.FleetRow:
        return next(row for row in self._fleet().rows if row.router == router)

    def _scope(self, text: str) -> admin.ScopeStatus:
        scopes = self._admin.ListScopes(admin.ListScopesRequest(), metadata=METADATA, timeout=RPC_SECONDS).scopes
        return next((scope for scope in scopes if scope_text(scope.scope) == text), admin.ScopeStatus())

    def _position(self, scope: str) -> str:
        account, symbol = scope.partition(":")[2].split("/")
        request = admin.ListPositionsRequest(account=account)
        for p in self._admin.ListPositions(request, metadata=METADATA, timeout=RPC_SECONDS).positions:
            if p.symbol == symbol:
                return f"{p.position} open {p.open_buy_qty}/{p.open_sell_qty}"
        return "0 open 0/0"

    def _used(self, scope: str, limit: str) -> str:
        """What of a limit is used; nothing where it is not set."""
        for row in self._scope(scope).limits:
            if row.limit == limit:
                return money(int(row.used)) if row.unit == "money" else row.used
        return "none"

    def _suspense(self, router: str, symbol: str) -> str:
        request = admin.ListUnmatchedRequest(router=router.removeprefix("-"))
        for row in self._admin.ListUnmatched(request, metadata=METADATA, timeout=RPC_SECONDS).unmatched:
            if (row.router or "-", row.symbol) == (router, symbol):
                parent = f" parent {row.parent_cl_ord_id}" if row.parent_cl_ord_id else ""
                return f"bought {row.bought_qty} sold {row.sold_qty} notional {money(int(row.notional))}{parent}"
        return "none"

    def _mismatch(self) -> str:
        """The newest difference between drop copy and order session that was told."""
        names = {order: name for name, order in self._orders.items()}
        told = _MISMATCH.findall("\n".join(event.text for event in self._events()))
        if not told:
            return "none"
        order, symbol, booked, copied = told[-1]
        return f"{names.get(int(order), 'unknown')} {symbol} booked {booked} copied {copied}"

    def _events(self) -> list[admin.StreamEventsResponse]:
        """Every event so far."""
        return [admin.StreamEventsResponse.FromString(raw) for raw in self._plane.next_events(0, timeout_ms=0)]

    def _status_of(self, name: str) -> str:
        request = admin.ListOrdersRequest(router=self._routers[name])
        for order in self._admin.ListOrders(request, metadata=METADATA, timeout=RPC_SECONDS).orders:
            if order.order_id == self._orders[name]:
                status = types_pb2.OrdStatus.Name(order.ord_status).removeprefix("ORD_STATUS_")
                words = status.replace("_", " ").title().replace(" ", "")
                unknown = " unknown" if order.unknown else ""
                return f"{words} cum {order.cum_qty} leaves {order.leaves_qty}{unknown}"
        return "not listed"

    def _parent(self, name: str) -> str:
        for parent in self._admin.ListParents(
            admin.ListParentsRequest(), metadata=METADATA, timeout=RPC_SECONDS
        ).parents:
            if parent.parent_cl_ord_id == name:
                frozen = " frozen" if parent.frozen else ""
                return f"cum {parent.cum_qty} leaves {parent.child_leaves_qty}{frozen}"
        return "not listed"

    def _all_findings(self, *, open_only: bool) -> list[admin.Finding]:
        request = admin.ListFindingsRequest(open_only=open_only)
        return list(self._admin.ListFindings(request, metadata=METADATA, timeout=RPC_SECONDS).findings)

    def _findings(self) -> str:
        loud = [finding.loud for finding in self._all_findings(open_only=True)]
        return f"{loud.count(True)} loud {loud.count(False)} quiet"

    def _finding(self, number: str) -> str:
        for finding in self._all_findings(open_only=False):
            if finding.finding_id == int(number):
                level = "loud" if finding.loud else "quiet"
                common = " common" if finding.common else ""
                by = f" acknowledged by {finding.acknowledged_by}" if finding.acknowledged_by else ""
                share = f"{finding.count}/{finding.total}"
                return f"{level} {finding.kind}:{finding.what} {finding.router} {share}{common}{by}"
        return "none"

    def _evidence(self, scope: str, field: str) -> str:
        trips = [trip.newest_trip_id for trip in self.status().trips if scope_text(trip.scope) == scope]
        if not trips:
            return "none"
        request = admin.GetEvidenceRequest(trip_id=max(trips))
        card = self._admin.GetEvidence(request, metadata=METADATA, timeout=RPC_SECONDS).evidence
        return _CARD[field](card) or "none"

    def _breaches(self, scope: str, limit: str) -> str:
        """What a limit on trial would have stopped."""
        answer = self._admin.ListLimits(admin.ListLimitsRequest(), metadata=METADATA, timeout=RPC_SECONDS)
        found = (one for one in answer.limits if one.limit == limit and scope_text(one.scope) == scope)
        return str(sum(one.breaches for one in found))

    def _cancels(self, line: Line) -> None:
        """The cancels that reached the venue since the last look."""
        wanted = [] if line.expect == "none" else (line.expect or "").split()
        if not wanted:
            self._venue.settle()
        names = {order: name for name, order in self._orders.items()}

        def seen() -> list[str]:
            return sorted(names.get(order, str(order)) for order in self._venue.cancels)

        try:
            eventually(lambda: seen() == wanted, str(line), seconds=_PATIENCE)
        except AssertionError:
            raise AssertionError(f"{line}: expected `{line.expect}`, got `{' '.join(seen()) or 'none'}`") from None
        self._venue.cancels.clear()


def _first(card: admin.Evidence) -> str:
    if not card.HasField("first"):
        return ""
    parent = f" of {card.first.parent_cl_ord_id}" if card.first.parent_cl_ord_id else ""
    return f"{card.first.cl_ord_id}{parent}, {card.first.count} in all"


def _by_router(card: admin.Evidence) -> str:
    value = (lambda text: money(int(text))) if card.unit == "money" else str
    return " ".join(f"{one.router}={value(one.value)}" for one in card.by_router)


def _positions(card: admin.Evidence) -> str:
    held = card.blast_radius.positions
    return " ".join(f"{p.symbol}={p.position} open {p.open_buy_qty}/{p.open_sell_qty}" for p in held)


_CARD: dict[str, Callable[[admin.Evidence], str]] = {
    "culprit": lambda card: card.culprit,
    "first": _first,
    "limit": lambda card: card.limit,
    "by_router": _by_router,
    "last": lambda card: " ".join(step.what for step in card.steps[-6:]),
    "open": lambda card: str(card.blast_radius.open_orders),
    "pnl": lambda card: money(int(card.blast_radius.pnl)),
    "gross": lambda card: money(int(card.blast_radius.gross_notional)),
    "positions": _positions,
}
"""What a scenario can look at of the evidence of a halt."""
