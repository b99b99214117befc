"""``/metrics``: the data plane's counters and the core's state, for Prometheus.

Values are read when Prometheus asks; nothing is counted in Python per order. Every label comes from a closed set: names
of the configuration, of the catalogue of checks, of states and of message kinds. Symbols show only while halted, and
only so many of them.
"""

import importlib.metadata
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

import riskcore
from gateway.log import logger
from gateway.units import NANO
from gateway.wire import scope_text
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import types_pb2

PREFIX: Final = "risk_"

MAX_HALTED_SYMBOLS: Final = 50
"""Halted symbol and pair scopes shown at once; a label set that grows with the market would be an attack on Prometheus."""

_PRINCIPAL: Final = "metrics"
_KEY: Final = re.compile(r"([a-z0-9_]+)(?:\{(.*)\})?")
HELP: Final = {
    "admin_login_failures_total": "Calls of the Admin service without a known token.",
    "admin_subscribers": "Subscribers of the event stream.",
    "alarms_total": "Things a person must look at; the event stream says which.",
    "attestation_mismatch": "1 where a router runs what the manifest, or most of the fleet, does not; `missing`: not seen.",
    "bad_reports_total": "Venue reports whose numbers contradict their order.",
    "bad_ticks_total": "Quotes that are zero, locked or crossed, and rates that are not positive.",
    "busy_turns_total": "Turns of 10 ms in which the order path had no rest: it is late after fifty in a row.",
    "drop_copies_total": "Executions taken from the venue's drop copy.",
    "drop_copy_differences": "Orders about which drop copy and order session differ at the moment.",
    "drop_copy_up": "1 while the venue's drop copy is followed; 0 also where none is configured.",
    "dropped_attempts_total": "Attempts of a flooding router that were refused without a decision each.",
    "duplicate_orders_total": "Orders sent again and answered with their status.",
    "duplicate_reports_total": "Venue reports that had been seen.",
    "finding_unacknowledged_seconds": "How long the oldest loud finding has waited for somebody to look; 0 for none.",
    "findings_open": "Findings nobody has acknowledged; the loud ones want a look now.",
    "first_seen_total": "Things a router showed for the first time in a day that were not normal, by kind.",
    "fx_rate_age_milliseconds": "Age of the newest rate of a currency; `fx_rate_max_age` of its symbols bounds it.",
    "fx_rate_known": "1 where a currency has had a rate; without one its orders are refused.",
    "fx_rates_total": "Rates of currencies taken from the feed.",
    "journal_poisoned": "1 after a record could not be written: no new order is taken.",
    "late_fills_total": "Executions of orders that were final.",
    "limit_warnings_total": "Limits used up to a step of the warning ladder (50, 75, 85, 90, 95, 100 %); the event stream says which.",
    "orders_total": "Orders decided, by decision, reason of the refusal and router.",
    "protocol_errors_total": "Streams ended because of what their peer sent.",
    "quotes_merged_total": "Quotes replaced by a newer one before the core saw them.",
    "quotes_total": "Quotes taken from the feed.",
    "statuses_total": "Statuses of instruments or of the market taken from the feed.",
    "ready": "1 for what is as it must be at the open, 0 for what is red.",
    "refused_logons_total": "Logons of routers that were refused.",
    "router_divergence_percent": "A router in a signal, as a percentage of its peers' median or of the floor if that is more.",
    "sessions": "Routers that are logged on.",
    "silent_sessions_total": "Sessions ended because nothing was heard for three heartbeats.",
    "slow_readers_total": "Sessions cut because they did not read their reports.",
    "unmatched_exec_notional": "Notional of executions that no order explains, in whole units; no router = not known.",
    "unknown_order_reports_total": "Venue reports about orders this gateway does not know.",
    "venue_busy_total": "Orders refused because the way to the venue was full.",
    "venue_losses_total": "Times the venue link was lost.",
    "venue_queue_bytes": "Bytes that wait for the venue.",
    "venue_queue_messages": "Messages that wait for the venue.",
    "venue_up": "1 while the venue link is up and reconciled.",
}
"""What the data plane's own numbers mean."""

_ROUTER_GAUGES: Final = (
    ("router_connected", "connected", "1 while the router's session is up."),
    ("router_queued_reports", "queued_reports", "Reports handed to the session and not yet written."),
)
_RESIDENCE_NS: Final = "order_residence_ns"
_WIDE: Final = frozenset({"symbol", "account_symbol", "router_symbol"})


def split_key(key: str) -> tuple[str, dict[str, str]]:
    """Name and labels of a data-plane metric such as ``orders_total{decision=accept,router=smars-1}``.

    Raises:
        ValueError: not of that form.
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key!r} is not name{{label=value,...}}")
    labels = {}
    for pair in filter(None, (match.group(2) or "").split(",")):
        name, _, value = pair.partition("=")
        labels[name.strip()] = value.strip().strip('"')
    return match.group(1), labels


class GatewayCollector(Collector):
    """Asks the data plane at every scrape."""

    def __init__(self, plane: riskcore.DataPlane, own: Callable[[], dict[str, int]]) -> None:
        self._plane = plane
        self._own = own
        self._lock = threading.Lock()
        self._halts: Counter[tuple[str, str]] = Counter()

    def observe(self, event: pb.StreamEventsResponse) -> None:
        """Count a halt; events come from the hub's thread."""
        if event.kind == "halt":
            check = event.trip.cause.name or "person"
            with self._lock:
                self._halts[check.lower(), scope_text(event.trip.scope)] += 1

    def collect(self) -> Iterator[Metric]:
        """Everything there is now."""
        yield InfoMetricFamily(PREFIX + "build", "The gateway's version.", {"version": _version()})
        yield from families({**self._plane.metrics(), **self._own()})
        yield self._halt_counts()
        try:
            yield from self._status()
            yield from self._scopes()
        except riskcore.RiskcoreError as error:
            # Counters are worth more than nothing: the scrape goes on without the state.
            logger().error("metrics without state", error=str(error))

    def _halt_counts(self) -> Metric:
        family = CounterMetricFamily(PREFIX + "halts", "Halts by check and scope.", labels=("check", "scope"))
        with self._lock:
            for labels, count in self._halts.items():
                family.add_metric(labels, count)
        return family

    def _status(self) -> Iterator[Metric]:
        raw = self._plane.admin("GetStatus", pb.GetStatusRequest().SerializeToString(), _PRINCIPAL)
        status = pb.GetStatusResponse.FromString(raw)
        yield _gauge("venue_connected", "1 while the venue link is up.", status.venue_connected)
        yield _gauge("unknown_orders", "Orders whose fate at the venue is not known.", status.unknown_orders)
        yield _gauge("records_appended", "Sequence number of the newest record.", status.last_seq)
        yield _gauge("records_durable", "Sequence number of the newest durable record.", status.durable_seq)
        left = GaugeMetricFamily(
            PREFIX + "open_orders_after_halt", "Cancels of a halted scope not yet confirmed.", labels=("scope",)
        )
        for trip in status.trips:
            left.add_metric([scope_text(trip.scope)], trip.cancels_outstanding)
        yield left
        excess = CounterMetricFamily(
            PREFIX + "parent_excess_attempts", "Children refused because their parent was full.", labels=("router",)
        )
        for router in status.routers:
            excess.add_metric([router.router], router.parent_overfill_attempts)
        yield excess
        for name, field, text in _ROUTER_GAUGES:
            family = GaugeMetricFamily(PREFIX + name, text, labels=("router",))
            for router in status.routers:
                family.add_metric([router.router], getattr(router, field))
            yield family

    def _scopes(self) -> Iterator[Metric]:
        raw = self._plane.admin("ListScopes", pb.ListScopesRequest().SerializeToString(), _PRINCIPAL)
        scopes = list(_shown(pb.ListScopesResponse.FromString(raw).scopes))
        state = GaugeMetricFamily(
            PREFIX + "scope_state", "1 active, 2 reduce only, 3 cancel only, 4 halted.", labels=("scope",)
        )
        pnl = GaugeMetricFamily(PREFIX + "pnl", "Day P&L in base currency.", labels=("scope",))
        orders = GaugeMetricFamily(PREFIX + "open_orders", "Open orders.", labels=("scope",))
        used = GaugeMetricFamily(
            PREFIX + "limit_utilization_ratio", "Used part of a limit; 1 is the bound.", labels=("scope", "limit")
        )
        for text, scope in scopes:
            state.add_metric([text], scope.state)
            orders.add_metric([text], scope.open_orders)
            if scope.pnl:
                pnl.add_metric([text], int(scope.pnl) / NANO)
            for limit in scope.limits:
                if int(limit.value or 0):
                    used.add_metric([text, limit.limit], int(limit.used or 0) / int(limit.value))
        yield from (state, pnl, orders, used)


def families(values: dict[str, int]) -> Iterator[Metric]:
    """The data plane's flat numbers as families: a name that ends in ``_total`` is a counter, others are gauges."""
    found: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    yield _residence(values)
    for key, value in sorted(values.items()):
        name, labels = split_key(key)
        if name.startswith(_RESIDENCE_NS):
            continue
        if name not in found:
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            found[name] = kind(
                PREFIX + name.removesuffix("_total"), HELP.get(name, "Not described yet."), labels=tuple(labels)
            )
        found[name].add_metric(list(labels.values()), value)
    yield from found.values()


def _residence(values: dict[str, int]) -> Metric:
    """How long orders stayed, in seconds as Prometheus wants it."""
    text = "From the frame that brought an order to the one that takes it to the venue."
    edges = {
        int(labels["le"]): count
        for name, labels, count in ((*split_key(key), value) for key, value in values.items())
        if name == _RESIDENCE_NS + "_bucket"
    }
    buckets = [(str(edge / NANO), float(count)) for edge, count in sorted(edges.items())]
    # What stayed longer than the last edge is counted there: the plane's last bucket has no upper edge.
    buckets[-1:] = [("+Inf", count) for _, count in buckets[-1:]]
    total = values.get(_RESIDENCE_NS + "_sum", 0) / NANO
    return HistogramMetricFamily(PREFIX + "order_residence_seconds", text, buckets=buckets, sum_value=total)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _shown(scopes: Iterable[pb.ScopeStatus]) -> Iterator[tuple[str, pb.ScopeStatus]]:
    """All narrow scopes; of the wide kinds only halted ones, and only so many."""
    wide = 0
    for scope in scopes:
        text = scope_text(scope.scope)
        if text.partition(":")[0] in _WIDE:
            wide += 1
            if scope.state <= types_pb2.HALT_STATE_ACTIVE or wide > MAX_HALTED_SYMBOLS:
                continue
        yield text, scope


def _version() -> str:
    return importlib.metadata.version("riskgate")


class MetricsServer:
    """HTTP on a listener of its own."""

    def __init__(self, collector: Collector, listen: str) -> None:
        registry = CollectorRegistry()
        registry.register(collector)
        host, _, port = listen.rpartition(":")
        self._server: WSGIServer
        self._server, self._thread = start_http_server(int(port), host.strip("[]"), registry)
        self.address = f"{host}:{self._server.server_port}"

    def stop(self) -> None:
        """Close the listener."""
        # A listener that is shut down wakes the server's loop, which otherwise looks up twice a second.
        self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
