"""The report card of a replay, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from router_sim.knight.calibration import assertions
from router_sim.knight.firm import Opening, Rollback
from router_sim.knight.limits import PROFILE, line_of
from router_sim.knight.result import Gatekeeping, RunResult, caught_by, culprit, excess_to_culprit, first_excess_at
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
    "S2": "27 parents on smars-8, the old code put on the other servers at 09:54",
    "S3": "shut down after 28 minutes",
    "S4": "one stealthy parent, seven executions a second",
    "S5": "children carry no parent id",
    "S6": "both sides of 106 stocks, no position builds up",
}


def render(comparison: Comparison, *, width: int = 120) -> RenderableType:
    """Everything about both runs on one screen; a narrow one does without the bounds of the lines."""
    parts: list[RenderableType] = [
        _title(comparison),
        _before(comparison),
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


def _before(comparison: Comparison) -> RenderableType:
    """What could be known before the open, and what was made of it."""
    text = Text(
        f"Before the open, 08:01-09:30: {PRE_OPEN_REJECTS} rejects “{PRE_OPEN_TEXT}” from {ROUTERS[OLD_SERVER]}, "
        "none from the others. Nobody read them as a warning.\n",
        style="dim",
    )
    gate = comparison.controlled.gate
    if gate is None:
        return text
    if (warning := gate.warning) is not None:
        text.append(f"With riskgate one loud finding, {clock(warning.at)}: ", style="bold not dim")
        text.append(f"{warning.router} alone, {warning.occurrences} of {warning.total} by the open.\n")
    text.append(f"{opening_words(gate.opening)}.")
    return text


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
        ("culprit named", "20 min later, wrongly", _culprit(run)),
        ("first excess to culprit", NOTHING, span(excess_to_culprit(run))),
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
    if run.rollback is not None:
        rows.append(("rollback at " + clock(run.rollback.at), "the fault on 8 of 8", _rolled_back(run.rollback)))
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
    if held(run):
        text.append("The gate at the open held the firm: ", style="bold")
    elif gate is not None and gate.halts:
        halt = gate.halts[0]
        text.append(f"{who(run)} halted {span(halt.at)} after the open by {line_of(halt.check)}. ", style="bold")
    elif gate is not None and gate.first_refusal:
        text.append(f"No halt; {line_of(gate.first_refusal.reason)} refused what it could. ", style="bold")
    else:
        text.append("Nothing stopped it. ", style="bold")
    text.append(f"{run.totals.leaked_shares:,} shares leaked, {usd(saved)} of loss avoided, ")
    text.append(f"{run.healthy_rejected:,} of {run.healthy_orders:,} healthy orders refused.")
    if held(run):
        text.append(" Two people may override it; mending what is red opens it within a minute.")
    if run.rollback is not None and run.rollback.sentence:
        text.append(f"\n{clock(run.rollback.at)}, the rollback on {len(run.rollback.refused)} servers: ", style="bold")
        text.append(f"{run.rollback.sentence} They go on with the new code.")
    good = stopped and run.healthy_rejected == 0
    return Panel(text, border_style="green" if good else "yellow" if held(run) else "red")


def held(run: RunResult) -> bool:
    """Whether the gate at the open is what stopped the run first."""
    gate = run.gate
    return gate is not None and gate.opening.gate in {"holding", "latched"}


def who(run: RunResult) -> str:
    """The router named, else the scope halted."""
    name = culprit(run)
    return name.router if name else run.gate.halts[0].scope if run.gate and run.gate.halts else NOTHING


def opening_words(opening: Opening) -> str:
    """How the firm stood at the open, for people."""
    if not opening.red:
        return "Nothing was red at the open"
    red = f"Red at the open: {', '.join(opening.red)}"
    if opening.gate is None:
        return f"{red}; no gate, so trade went on"
    if opening.overridden_at is not None:
        return f"{red}; the gate held until two people overrode it, {clock(opening.overridden_at)}"
    return f"{red}; the gate is {opening.gate}"


def clock(at: int) -> str:
    """The time in New York at ``at`` ns after the open."""
    seconds = 9 * 3600 + 30 * 60 + at // 10**9
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _scopes(gate: Gatekeeping | None) -> str:
    scopes = [halt.scope for halt in gate.halts] if gate else []
    return ", ".join(scopes[:2]) + (f" and {len(scopes) - 2} more" if len(scopes) > 2 else "") or NOTHING


def _culprit(run: RunResult) -> str:
    naming = culprit(run)
    if naming is None:
        return NOTHING
    return f"{naming.router}, {clock(naming.at) if naming.at < 0 else span(naming.at)} ({naming.by})"


def _rolled_back(rollback: Rollback) -> str:
    refused, spread = len(rollback.refused), len(rollback.spread)
    if not spread:
        return f"refused on all {refused}"
    return f"let in on {spread}" + (f", refused on {refused}" if refused else "")


def _cancels(gate: Gatekeeping | None) -> str:
    if gate is None or not gate.halts:
        return NOTHING
    swept = sum(halt.swept for halt in gate.halts)
    if gate.cancels_outstanding:
        return f"{swept} swept, {gate.cancels_outstanding} NOT confirmed"
    return f"{swept}, all confirmed {span(gate.all_cancelled_at)}"


def _alerts(gate: Gatekeeping | None) -> int:
    """One per halt, one per reason given for the first time, one per loud finding."""
    return len(gate.halts) + len(gate.refusals) + sum(found.loud for found in gate.findings) if gate else 0


def _position(run: RunResult) -> str:
    return f"{usd(run.totals.net_long_usd)} / {usd(-run.totals.net_short_usd)}"


def render_ladder(steps: Sequence[Step]) -> RenderableType:
    """Who catches the morning when the lines before are removed, one after the other."""
    table = ladder_table([_rung(step) for step in steps], unit="executions", loss="loss")
    seconds = max(step.run.duration for step in steps) / 1e9
    return Group(table, Text(f"Each step runs until its halt, at most {seconds:.0f} s of the morning.", style="dim"))


def _rung(step: Step) -> Rung:
    gate = step.run.gate
    halt = gate.halts[0] if gate and gate.halts else None
    return Rung(
        removed=step.removed,
        caught=step.caught,
        first_refusal=gate.first_refusal if gate else None,
        halt=halt,
        halt_line=line_of(halt.check) if halt else None,
        until_halt=gate.executions_until_halt if gate else 0,
        excess=step.run.totals.leaked_executions,
        loss=usd(-step.run.totals.loss_usd),
        healthy_refused=step.run.healthy_rejected,
    )
