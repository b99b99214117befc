"""One measurement: orders on a fixed schedule to one target, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import riskcore
from benches.gateway import residence
from benches.stage import PRICE, BenchError, Target, parent, router_token

if TYPE_CHECKING:
    from riskcore import FloodReport, TallyReport

NANO: Final = 1_000_000_000
ROUTERS: Final = tuple(f"r{number}" for number in range(1, 9))
DRAIN_MS: Final = 10_000
BATCH: Final = 256
"""Orders a frame at most, when several are due: what the contract allows."""


@dataclass(frozen=True, slots=True)
class Load:
    """One way to send."""

    name: str
    rate: int
    """All sessions together; 0 = one order in flight per session."""
    burst: int = 1
    """Orders of a session that fall due together."""
    batch: int = BATCH
    cut: bool = False
    """More is due than can be taken: what is left when the time is up is not wanted any more, and latency is only the
    length of the queue."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one measurement."""

    throughput: int
    """Orders answered per second, first due time to last answer."""
    taken: float
    """The same, without those that were refused."""
    p50_us: float
    p99_us: float
    p999_us: float
    lag_p99_us: float
    """How far the generator itself was behind: a latency below this says nothing about the target."""
    sent: int
    unanswered: int
    rejected: dict[str, int]
    cpu_us_per_order: float
    """Processor time of the target's process for each answered order."""
    inside_p50_us: float | None = None
    inside_p99_us: float | None = None
    """How long orders stayed in a gateway, by its own clock."""


def orders(tif: str = "ioc") -> list[riskcore.FloodLine]:
    """A buy and a sell in turn, each the child of a registered parent."""
    return [
        riskcore.FloodLine(
            account="ACC1",
            symbol="AAPL",
            side=side,
            order_qty=1,
            price=PRICE,
            time_in_force=tif,
            parent_cl_ord_id=parent(side),
        )
        for side in ("buy", "sell")
    ]


def session(
    target: Target,
    router: str,
    rate: int,
    seconds: float,
    *,
    lines: Sequence[riskcore.FloodLine] | None = None,
    burst: int = 1,
    cancels_from: int | None = None,
    count: int = 0,
) -> riskcore.FloodSession:
    """A router's session, which resumes after the last report that :func:`finish` saw; `rate` 0 keeps one order in flight."""
    return riskcore.FloodSession(
        router=router,
        token=router_token(router),
        lines=list(orders() if lines is None else lines),
        rate=max(rate, 1),
        duration_ns=int(seconds * NANO),
        orders=count,
        burst=burst,
        ping_pong=rate == 0,
        cancels_from=cancels_from,
        resume_after=target.seen.get(router),
    )


def flood(target: Target, sessions: Sequence[riskcore.FloodSession], *, batch: int = BATCH) -> riskcore.Flood:
    """The generator of these sessions, not started."""
    return riskcore.Flood(
        target=target.address,
        venue_epoch=target.venue_epoch,
        sessions=list(sessions),
        max_batch=batch,
        drain_timeout_ms=DRAIN_MS,
    )


def finish(target: Target, running: riskcore.Flood, what: str) -> FloodReport:
    """Wait for the end of a flood to this target; what it counted.

    Raises:
        BenchError: A session ended early.
    """
    while not running.wait(200):
        pass
    check(running, what)
    report = running.report()
    if target.metrics:
        target.seen.update({one["router"]: one["last_report_seq"] for one in report["sessions"]})
    return report


def check(running: riskcore.Flood, what: str) -> None:
    """See that no session of a flood has ended early.

    Raises:
        BenchError: One has.
    """
    errors = [one["error"] for one in running.report()["sessions"] if one["error"]]
    if errors:
        raise BenchError(f"{what}: {errors[0]}")


def measure(target: Target, load: Load, sessions: int, seconds: float) -> Figures:
    """Send a load in so many sessions for so long."""
    rate = max(load.rate // sessions, 1) if load.rate else 0
    running = flood(
        target,
        [session(target, router, rate, seconds, burst=load.burst) for router in ROUTERS[:sessions]],
        batch=load.batch,
    )
    stays = residence.counts(target) if target.metrics else {}
    before = target.cpu_ns()
    running.start()
    if load.cut:
        running.wait(int(seconds * 1_000))
        running.stop()
    report = finish(target, running, f"{target.name}, {load.name}, {sessions} sessions")
    taken = figures(report, target.cpu_ns() - before)
    if not target.metrics:
        return taken
    after = residence.counts(target)
    return replace(
        taken,
        inside_p50_us=residence.percentile_us(stays, after, 0.5),
        inside_p99_us=residence.percentile_us(stays, after, 0.99),
    )


def figures(report: TallyReport, cpu_ns: int) -> Figures:
    """What a flood counted, in the units of the benches."""
    times = report["latency_ns"]
    return Figures(
        throughput=report["throughput"],
        taken=report["accepted"] * NANO / max(report["elapsed_ns"], 1),
        p50_us=times["p50"] / 1_000,
        p99_us=times["p99"] / 1_000,
        p999_us=times["p99_9"] / 1_000,
        lag_p99_us=report["lag_ns"]["p99"] / 1_000,
        sent=report["sent"],
        unanswered=report["unanswered"],
        rejected=report["reject_reasons"],
        cpu_us_per_order=cpu_ns / 1_000 / max(report["answered"], 1),
    )
