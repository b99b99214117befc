"""The report for people."""

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.backtest.report import Closeness, Report, Seen
from gateway.backtest.report_json import by_closeness
from gateway.backtest.times import iso
from gateway.backtest.values import percent, shown

_CLOSE: Final = 80
"""Percent from which a limit is shown as close."""


def render(report: Report) -> RenderableType:
    """Verdict first, then what was stopped, then how close each limit came."""
    parts: list[RenderableType] = [_flow(report), Text(), _verdict(report)]
    if report.stops:
        parts += [Text(), _stops(report)]
    if report.halts:
        parts += [Text(), _halts(report)]
    parts += [Text(), _closeness(report)]
    parts += [Text(f"Note: {note}.", style="yellow") for note in report.summary.notes]
    return Group(*parts)


def _flow(report: Report) -> Text:
    summary, sent = report.summary, report.sent
    parties = ", ".join(f"{party.account} through {party.router}" for party in report.parties)
    tightened = f", tightened {report.tighten} times" if report.tighten != 1 else ""
    rate = summary.messages / report.seconds if report.seconds else 0
    times = f"{iso(summary.first_time)[:19]}Z to {iso(summary.last_time)[:19]}Z"
    counts = ", ".join(f"{sent[name]:,} {name}" for name in ("orders", "replaces", "cancels", "fills"))
    lines = [
        f"Flow    {report.file}: {', '.join(report.symbols)}, {times}",
        f"Sent    {counts}; {parties}",
        f"Limits  {report.limits_file}{tightened}",
        f"Speed   {summary.messages:,} {report.unit}s in {report.seconds:.1f} s ({rate:,.0f}/s)",
    ]
    return Text("\n".join(lines))


def _verdict(report: Report) -> Text:
    if not report.stopped:
        return Text("Nothing would have been stopped.", style="bold green")
    refused = sum(stop.count for stop in report.stops)
    total = report.sent["orders"] + report.sent["replaces"]
    halts = len(report.halts)
    text = f"{refused:,} of {total:,} orders and replaces would have been refused, {halts} scope{'' if halts == 1 else 's'} halted"
    if report.canceled_by_halts:
        text += f", {report.canceled_by_halts:,} resting orders cancelled"
    return Text(f"{text}.", style="bold red")


def _stops(report: Report) -> Table:
    table = _table("Refused, by check")
    for column in (
        "Check",
        "Orders>",
        "Replaces>",
        "First at",
        f"{report.unit.title()}>",
        "Order",
        "Scope",
        "Limit>",
        "Value>",
    ):
        _column(table, column)
    for stop in report.stops:
        table.add_row(
            stop.check,
            f"{stop.orders:,}",
            f"{stop.replaces:,}",
            *_where(stop.first),
            stop.scope,
            shown(stop.limit, stop.unit),
            shown(stop.value, stop.unit),
        )
    return table


def _halts(report: Report) -> Table:
    table = _table("Halted")
    for column in (
        "Scope",
        "State",
        "Check",
        "At",
        f"{report.unit.title()}>",
        "Order",
        "Limit>",
        "Value>",
        "Open orders>",
    ):
        _column(table, column)
    for halt in report.halts:
        table.add_row(
            halt.scope,
            halt.state,
            halt.check,
            *_where(halt.at),
            shown(halt.limit, halt.unit),
            shown(halt.value, halt.unit),
            f"{halt.open_orders:,}",
        )
    return table


def _closeness(report: Report) -> Table:
    title = "How close each limit came"
    if report.stopped:
        title += " (peaks of the flow as recorded, with nothing stopped)"
    table = _table(title)
    for column in (
        "Scope",
        "Limit",
        "Bound>",
        "Peak>",
        "Used>",
        "Headroom>",
        "Peak at",
        f"{report.unit.title()}>",
        "Order",
    ):
        _column(table, column)
    for one in by_closeness(report.closeness):
        table.add_row(
            one.scope,
            one.limit,
            shown(one.bound, one.unit),
            shown(one.peak, one.unit),
            _percent(one),
            shown(one.headroom, one.unit),
            *(_where(one.seen) if one.seen else ("", "", "")),
        )
    return table


def _percent(one: Closeness) -> Text:
    used = percent(one)
    if used is None:
        return Text("over", style="bold red")
    style = "bold red" if used > 100 else "yellow" if used >= _CLOSE else "green"
    return Text(f"{used:,.1f} %", style=style)


def _where(seen: Seen) -> tuple[str, str, str]:
    return iso(seen.time)[:-4].replace("T", " "), f"{seen.number:,}", seen.order


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)


def _column(table: Table, name: str) -> None:
    table.add_column(name.rstrip(">"), justify="right" if name.endswith(">") else "left", overflow="fold")
