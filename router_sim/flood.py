"""`python -m router_sim flood`: the native open-loop order generator, told and reported from here.

The generator runs on native threads (`riskcore.Flood`); this module turns options into its configuration and its
counts into a report. Its schedule never waits for an answer, so that a receiver that falls behind shows up as latency.
"""

from __future__ import annotations

import dataclasses
import decimal
import json
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

import riskcore
from router_sim.units import MILLISECOND, MINUTE, SECOND

if TYPE_CHECKING:
    from riskcore import FloodReport, LatencyReport, TallyReport

EXIT_USAGE: Final = 64
EXIT_UNREACHABLE: Final = 69
"""As in `riskgate` (BSD sysexits.h)."""

_UNITS: Final = {"us": 1_000, "ms": MILLISECOND, "s": SECOND, "m": MINUTE}
_DURATION: Final = re.compile(r"(\d{1,9})(us|ms|s|m)", re.ASCII)
_WAIT_MS: Final = 200
"""How long an interrupt may go unnoticed."""


class UsageError(ValueError):
    """An option that cannot be understood; the message says how to mend it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Orders:
    """What the orders of every session look like."""

    account: str
    symbols: Sequence[str]
    """`SYMBOL@PRICE`, or `SYMBOL` alone for market orders."""
    sides: Sequence[str]
    order_qty: int
    time_in_force: str
    parent: str
    """`{symbol}` and `{side}` are filled in."""
    strategy: str
    order_flags: int

    def lines(self) -> list[riskcore.FloodLine]:
        """Every symbol on every side, symbols changing fastest.

        Raises:
            UsageError: a price is not a decimal number.
        """
        return [self._line(*symbol_price(text), side) for side in self.sides for text in self.symbols]

    def _line(self, symbol: str, price: int | None, side: str) -> riskcore.FloodLine:
        return riskcore.FloodLine(
            account=self.account,
            symbol=symbol,
            side=side,
            order_qty=self.order_qty,
            price=price,
            time_in_force=self.time_in_force,
            parent_cl_ord_id=self.parent.replace("{symbol}", symbol).replace("{side}", side),
            strategy=self.strategy,
            order_flags=self.order_flags,
        )


def duration_ns(text: str) -> int:
    """Nanoseconds of `10s`, `250ms`, `50us` or `2m`.

    Raises:
        UsageError: anything else.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f'"{text}" is not a duration: write it like 10s, 250ms, 50us or 2m')
    return int(match.group(1)) * _UNITS[match.group(2)]


def symbol_price(text: str) -> tuple[str, int | None]:
    """The symbol and its limit price in 1e-9, from `AAPL@100.00`; without a price, market orders.

    Raises:
        UsageError: the price is not a decimal number of at most nine decimals that fits 64 bits.
    """
    symbol, at, price = text.partition("@")
    if not at:
        return symbol, None
    try:
        units = decimal.Decimal(price).scaleb(9)
    except decimal.InvalidOperation:
        units = decimal.Decimal("NaN")
    if not units.is_finite() or units != units.to_integral_value() or abs(units) >= 2**63:
        raise UsageError(f'"{text}": the price is not a decimal number: write it like AAPL@100.25')
    return symbol, int(units)


def deal_tokens(routers: Sequence[str], tokens: Sequence[str]) -> list[str]:
    """One token for each router: as many as routers, or one for all.

    Raises:
        UsageError: any other number of tokens.
    """
    if len(tokens) == 1:
        return [tokens[0]] * len(routers)
    if len(tokens) == len(routers):
        return list(tokens)
    raise UsageError(f"{len(routers)} routers and {len(tokens)} tokens: give --token once, or once for each --router")


def flood(  # noqa: PLR0913 - each is an option of the command line
    *,
    target: Annotated[str, typer.Option(help="Order entry of the gateway, or a venue: host:port.")] = "127.0.0.1:7001",
    router: Annotated[list[str], typer.Option(help="Router to log on as; repeat for more sessions.")],
    token: Annotated[
        list[str] | None,
        typer.Option(envvar="RISKGATE_ROUTER_TOKEN", help="Its token; once for all, or once for each router."),
    ] = None,
    rate: Annotated[int, typer.Option(min=1, help="Orders per second, all sessions together.")] = 200_000,
    duration: Annotated[str, typer.Option(help="How long orders fall due: 10s, 250ms, 2m.")] = "10s",
    orders: Annotated[int, typer.Option(min=0, help="At most this many orders per session; 0 = no bound.")] = 0,
    burst: Annotated[int, typer.Option(min=1, help="Orders of a session that fall due together.")] = 1,
    active: Annotated[str | None, typer.Option(help="Time between two pauses.")] = None,
    pause: Annotated[str | None, typer.Option(help="Length of a pause.")] = None,
    ping_pong: Annotated[bool, typer.Option("--ping-pong", help="One order in flight instead of a rate.")] = False,
    account: Annotated[str, typer.Option(help="Account of the orders.")] = "ACC1",
    symbol: Annotated[
        list[str] | None, typer.Option(help="SYMBOL@PRICE; repeat for more. Default AAPL@100.00.")
    ] = None,
    side: Annotated[list[str] | None, typer.Option(help="buy, sell, sell_short; repeat. Default buy, sell.")] = None,
    qty: Annotated[int, typer.Option(help="Quantity of each order.")] = 100,
    tif: Annotated[str, typer.Option(help="ioc, fok, day, gtc.")] = "ioc",
    parent: Annotated[str, typer.Option(help="Parent id; {symbol} and {side} are filled in.")] = "",
    strategy: Annotated[str, typer.Option(help="Strategy name.")] = "",
    flags: Annotated[int, typer.Option(min=0, help="Order flags.")] = 0,
    cl_ord_id_prefix: Annotated[str, typer.Option(help="ClOrdID = this and ten digits.")] = "F",
    threads: Annotated[int, typer.Option(min=1, max=64, help="Native threads.")] = 1,
    batch: Annotated[int, typer.Option(min=1, max=256, help="Messages a frame when several are due.")] = 256,
    venue_epoch: Annotated[
        int | None, typer.Option(min=1, help="Speak to a venue instead, under this gateway epoch.")
    ] = None,
    output: Annotated[Literal["table", "json"], typer.Option(help="Form of the report.")] = "table",
) -> None:
    """Send orders on a fixed schedule and report what came of them.

    The latency of an order counts from the moment it was due, whether or not it could leave then. Exit codes: 0 every
    session ran to its end; 64 an option cannot be used; 69 a session failed.
    """
    content = Orders(account, symbol or ["AAPL@100.00"], side or ["buy", "sell"], qty, tif, parent, strategy, flags)
    try:
        tokens = deal_tokens(router, token or [""])
        length, lines = duration_ns(duration), content.lines()
        sessions = [
            riskcore.FloodSession(
                router=name,
                token=secret,
                lines=lines,
                rate=max(rate // len(router), 1),
                duration_ns=length,
                orders=orders,
                burst=burst,
                active_ns=duration_ns(active) if active else 0,
                pause_ns=duration_ns(pause) if pause else 0,
                ping_pong=ping_pong,
                cl_ord_id_prefix=cl_ord_id_prefix,
            )
            for name, secret in zip(router, tokens, strict=True)
        ]
        running = riskcore.Flood(
            target=target, sessions=sessions, venue_epoch=venue_epoch, threads=threads, max_batch=batch
        )
    except ValueError as error:
        print(f"router_sim: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from error
    report = run(running)
    print(json.dumps(report, indent=2) if output == "json" else table(report, target))
    if any(session["error"] for session in report["sessions"]):
        raise typer.Exit(EXIT_UNREACHABLE)


def run(running: riskcore.Flood) -> FloodReport:
    """Start, wait for the end or an interrupt, and report; an interrupted flood still logs out."""
    running.start()
    try:
        while not running.wait(_WAIT_MS):
            pass
    except KeyboardInterrupt:
        running.stop()
    return running.report()


def table(report: FloodReport, target: str) -> str:
    """The report for people."""
    head = (
        f"flood of {target}: {len(report['sessions'])} session(s), {report['elapsed_ns'] / SECOND:.3f} s, "
        f"{report['throughput']:,} answered orders/s"
    )
    lines = [
        head,
        *outcomes(report),
        _times("latency from the intended time", report["latency_ns"]),
        _times("behind schedule when encoded", report["lag_ns"]),
    ]
    for session in report["sessions"]:
        error = f": {session['error']}" if session["error"] else ""
        lines.append(
            f"  {session['router']}: sent {session['sent']:,}, answered {session['answered']:,}, "
            f"rejected {session['rejected']:,}, p99 {_us(session['latency_ns']['p99'])}{error}"
        )
    return "\n".join(lines)


def outcomes(tally: TallyReport) -> list[str]:
    """What came of the orders, in a line or two; what should never be is named only when it is."""
    head = (
        f"sent {tally['sent']:,} in {tally['frames']:,} frames: accepted {tally['accepted']:,}, "
        f"rejected {tally['rejected']:,}, unanswered {tally['unanswered']:,}; "
        f"filled {tally['filled']:,}, canceled {tally['canceled']:,}"
    )
    lines = [head] + [f"  {name}: {count:,}" for name, count in tally["reject_reasons"].items()]
    odd = {
        "never sent": tally["unsent"],
        "answered twice": tally["duplicates"],
        "reports of no order": tally["unsolicited"],
        "gaps in the report sequence": tally["sequence_gaps"],
        "halt notices": tally["halts"],
    }
    return lines + [f"  {name}: {count:,}" for name, count in odd.items() if count]


def _times(name: str, times: LatencyReport) -> str:
    return (
        f"{name}: p50 {_us(times['p50'])}, p90 {_us(times['p90'])}, p99 {_us(times['p99'])}, "
        f"p99.9 {_us(times['p99_9'])}, max {_us(times['max'])}"
    )


def _us(nanos: int) -> str:
    return f"{nanos / 1_000:,.0f} us"
