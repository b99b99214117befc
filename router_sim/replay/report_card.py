"""The report card of a replay, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from router_sim.knight.calibration import assertions
from router_sim.knight.limits import PROFILE, line_of
from router_sim.knight.result import Gatekeeping, RunResult, caught_by, first_excess_at
from router_sim.knight.universe import (
    EARLY_END,
    MORNING,
    OLD_SERVER,
    PRE_OPEN_REJECTS,
    PRE_OPEN_TEXT,
    ROUTERS,
)
from router_sim.replay.parts import NOTHING, WIDE, Rung, ladder_table, lines_table
from router_sim.replay.side_by_side import Comparison, Step
from router_sim.units import span, usd

_STORIES = {
    "S1": "all 212 parents on smars-8",
    "S2": "27 parents on smars-8, the other servers rolled back to the old code at 09:54",
    "S3": "shut down after 28 minutes",
    "S4": "one stealthy parent, seven executions a second",
    "S5": "children carry no parent id",
    "S6": "both sides of 106 stocks, no position builds up",
}


def render(comparison: Comparison, *, width: int = 120) -> RenderableType:
    """Everything about both runs on one screen; a narrow one does without the bounds of the lines."""
    parts: list[RenderableType] = [
        _title(comparison),
        _warnings(),
        _figures(comparison),
        _lines(comparison, bounds=width >= WIDE),
    ]
    if calibration := _calibration(comparison):
        parts.append(calibration)
    parts.append(_verdict(comparison))
    return Group(*parts)


def _title(comparison: Comparison) -> RenderableType:
    seconds = comparison.uncontrolled.duration / 1e9
    shown = f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"
    story = f"{comparison.variant}: {_STORIES[comparison.variant]} ({shown}, seed {comparison.seed})"
    return Text(f"Knight Capital, 1 August 2012 - {story}", style="bold")


def _warnings() -> RenderableType:
    return Text(
        f"Before the open, 08:01-09:30: {PRE_OPEN_REJECTS} rejects “{PRE_OPEN_TEXT}” from {ROUTERS[OLD_SERVER]}, "
        "none from the others. Nobody read them as a warning.",
        style="dim",
    )


def _figures(comparison: Comparison) -> Table:
    bare, run = comparison.uncontrolled, comparison.controlled
    table = Table()
    table.add_column("")
    table.add_column("without riskgate", justify="right", style="red")
    table.add_column("with riskgate", justify="right", style="green")
    gate = run.gate
    halt = gate.halts[0] if gate and gate.halts else None
    rows: list[tuple[str, str, str]] = [
        ("first excess child", span(first_excess_at(bare)), span(first_excess_at(run))),
        ("first refusal", NOTHING, span(gate.first_refusal.first_at if gate and gate.first_refusal else None)),
        ("halt", "never", span(halt.at) if halt else "none"),
        ("caught by", NOTHING, caught_by(run) or "nothing"),
        ("halted scope", NOTHING, _scopes(gate)),
        ("culprit named", "20 min later, wrongly", _culprit(gate)),
        ("resting orders cancelled", NOTHING, _cancels(gate)),
        (
            "executions until halt",
            f"{bare.totals.executions:,}",
            f"{gate.executions_until_halt:,}" if gate else NOTHING,
        ),
        ("leaked executions", f"{bare.totals.leaked_executions:,}", f"{run.totals.leaked_executions:,}"),
        ("leaked shares", f"{bare.totals.leaked_shares:,}", f"{run.totals.leaked_shares:,}"),
        ("leaked notional", usd(bare.totals.leaked_notional_usd), usd(run.totals.leaked_notional_usd)),
        ("long / short at the end", _position(bare), _position(run)),
        ("shown at the live touch", usd(bare.totals.touch_pnl_usd), usd(run.totals.touch_pnl_usd)),
        ("loss at the halt", NOTHING, usd(-gate.loss_at_halt_usd) if halt and gate else NOTHING),
        ("loss after unwinding", usd(-bare.totals.loss_usd), usd(-run.totals.loss_usd)),
        ("healthy routers' orders", f"{bare.healthy_orders:,}", f"{run.healthy_orders:,}"),
        ("... of them refused", NOTHING, f"{run.healthy_rejected:,}"),
        ("alerts", "0", f"{_alerts(gate)}"),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _lines(comparison: Comparison, *, bounds: bool) -> Table:
    """Which line of defence spoke, and when."""
    gate = comparison.controlled.gate
    return lines_table(
        PROFILE, comparison.without, gate.refusals if gate else (), gate.halts if gate else (), bounds=bounds
    )


def _calibration(comparison: Comparison) -> RenderableType | None:
    """Whether the uncontrolled run is the one the SEC describes."""
    full = EARLY_END if comparison.variant == "S3" else MORNING
    if comparison.variant in {"S4", "S6"} or comparison.uncontrolled.duration < full:
        return None
    checked = assertions(comparison.uncontrolled.totals)
    wrong = [assertion for assertion in checked if not assertion.holds]
    if wrong:
        return Text("Calibration FAILED: " + "; ".join(map(str, wrong)), style="bold red")
    return Text(f"Calibration: all {len(checked)} figures of SEC Release 34-70694 are met.", style="dim")


def _verdict(comparison: Comparison) -> RenderableType:
    run = comparison.controlled
    gate = run.gate
    saved = comparison.uncontrolled.totals.loss_usd - run.totals.loss_usd
    stopped = gate is not None and bool(gate.halts)
    text = Text()
    if gate is not None and gate.halts:
        halt = gate.halts[0]
        text.append(f"{gate.culprit} halted {span(halt.at)} after the open by {line_of(halt.check)}. ", style="bold")
    elif gate is not None and gate.first_refusal:
        text.append(f"No halt; {line_of(gate.first_refusal.reason)} refused what it could. ", style="bold")
    else:
        text.append("Nothing stopped it. ", style="bold")
    text.append(f"{run.totals.leaked_shares:,} shares leaked, {usd(saved)} of loss avoided, ")
    text.append(f"{run.healthy_rejected:,} of {run.healthy_orders:,} healthy orders refused.")
    return Panel(text, border_style="green" if stopped and run.healthy_rejected == 0 else "red")


def _scopes(gate: Gatekeeping | None) -> str:
    scopes = [halt.scope for halt in gate.halts] if gate else []
    return ", ".join(scopes[:2]) + (f" and {len(scopes) - 2} more" if len(scopes) > 2 else "") or NOTHING


def _culprit(gate: Gatekeeping | None) -> str:
    if gate is None or gate.culprit is None:
        return NOTHING
    return f"{gate.culprit}, {span(gate.halts[0].at)}"


def _cancels(gate: Gatekeeping | None) -> str:
    if gate is None or not gate.halts:
        return NOTHING
    swept = sum(halt.swept for halt in gate.halts)
    if gate.cancels_outstanding:
        return f"{swept} swept, {gate.cancels_outstanding} NOT confirmed"
    return f"{swept}, all confirmed {span(gate.all_cancelled_at)}"


def _alerts(gate: Gatekeeping | None) -> int:
    """One per halt and one per reason given for the first time."""
    return len(gate.halts) + len(gate.refusals) if gate else 0


def _position(run: RunResult) -> str:
    return f"{usd(run.totals.net_long_usd)} / {usd(-run.totals.net_short_usd)}"


def render_ladder(steps: Sequence[Step]) -> RenderableType:
    """Who catches the morning when the lines before are removed, one after the other."""
    table = ladder_table([_rung(step) for step in steps], unit="executions", loss="loss")
    seconds = max(step.run.duration for step in steps) / 1e9
    return Group(table, Text(f"Each step runs until its halt, at most {seconds:.0f} s of the morning.", style="dim"))


def _rung(step: Step) -> Rung:
    gate = step.run.gate
    return Rung(
        removed=step.removed,
        caught=step.caught,
        first_refusal=gate.first_refusal if gate else None,
        halt=gate.halts[0] if gate and gate.halts else None,
        until_halt=gate.executions_until_halt if gate else 0,
        excess=step.run.totals.leaked_executions,
        loss=usd(-step.run.totals.loss_usd),
        healthy_refused=step.run.healthy_rejected,
    )
