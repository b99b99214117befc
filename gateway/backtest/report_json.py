"""The report as JSON. The keys are documented in docs/reference/backtest.md and do not change."""

from typing import Any

from gateway.backtest.report import Closeness, Halted, Report, Seen, Stop
from gateway.backtest.times import iso
from gateway.backtest.values import exact, percent


def as_json(report: Report) -> dict[str, Any]:
    """Everything, ready for ``json.dumps``. Numbers of limits are text, exact, in the unit beside them."""
    return {
        "stopped": report.stopped,
        "flow": _flow(report),
        "limits": {"file": report.limits_file, "tighten": str(report.tighten)},
        "sent": report.sent,
        "refused": {
            "orders": sum(stop.orders for stop in report.stops),
            "replaces": sum(stop.replaces for stop in report.stops),
            "canceled_by_halts": report.canceled_by_halts,
            "not_followed": report.not_followed,
        },
        "checks": [_stop(stop) for stop in report.stops],
        "halts": [_halt(halt) for halt in report.halts],
        "utilization": [_closeness(one) for one in by_closeness(report.closeness)],
        "speed": {
            "seconds": round(report.seconds, 3),
            "messages_per_second": round(report.summary.messages / report.seconds) if report.seconds else 0,
        },
    }


def by_closeness(closeness: list[Closeness]) -> list[Closeness]:
    """The closest first; a bound of zero that something was used of before all."""
    return sorted(closeness, key=lambda one: (one.used is not None, -(one.used or 0), one.scope, one.limit))


def _flow(report: Report) -> dict[str, Any]:
    summary = report.summary
    return {
        "file": report.file,
        "format": report.format,
        "symbols": list(report.symbols),
        "accounts": list(dict.fromkeys(party.account for party in report.parties)),
        "routers": list(dict.fromkeys(party.router for party in report.parties)),
        "first_time": iso(summary.first_time),
        "last_time": iso(summary.last_time),
        "messages": summary.messages,
        "number_is": report.unit,
        "counts": summary.counts,
        "interpreted": report.interpreted,
        "notes": summary.notes,
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {"time": iso(seen.time), "number": seen.number, "order": seen.order}


def _stop(stop: Stop) -> dict[str, Any]:
    first = _seen(stop.first) | {
        "scope": stop.scope,
        "limit": exact(stop.limit, stop.unit),
        "value": exact(stop.value, stop.unit),
        "unit": stop.unit,
    }
    return {
        "check": stop.check,
        "count": stop.count,
        "orders": stop.orders,
        "replaces": stop.replaces,
        "first": first,
    }


def _halt(halt: Halted) -> dict[str, Any]:
    return {
        "scope": halt.scope,
        "state": halt.state,
        "check": halt.check,
        **_seen(halt.at),
        "limit": exact(halt.limit, halt.unit),
        "value": exact(halt.value, halt.unit),
        "unit": halt.unit,
        "open_orders": halt.open_orders,
    }


def _closeness(one: Closeness) -> dict[str, Any]:
    return {
        "scope": one.scope,
        "limit": one.limit,
        "unit": one.unit,
        "bound": exact(one.bound, one.unit),
        "peak": exact(one.peak, one.unit),
        "headroom": exact(one.headroom, one.unit),
        "percent": percent(one),
        "at": _seen(one.seen) if one.seen else None,
    }
