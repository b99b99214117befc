"""The report card of an incident's replay, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from router_sim.incidents.compare import Compared, Step, missed
from router_sim.incidents.result import Doorkeeping, Run, caught_by, time_to_culprit
from router_sim.incidents.scene import Scene
from router_sim.replay.parts import NOTHING, WIDE, Rung, ladder_table, lines_table
from router_sim.units import money, span


def render(compared: Compared, *, width: int = 120) -> RenderableType:
    """Everything about both runs on one screen; a narrow one does without the bounds of the lines."""
    door = compared.controlled.door
    parts: list[RenderableType] = [
        _title(compared),
        _figures(compared),
        lines_table(
            compared.scene.profile,
            compared.without,
            door.refusals if door else (),
            door.halts if door else (),
            bounds=width >= WIDE,
        ),
    ]
    if compared.is_whole:
        parts.append(_calibration(compared))
    parts.append(_verdict(compared))
    return Group(*parts)


def _title(compared: Compared) -> RenderableType:
    story, seconds = compared.scene.story, compared.uncontrolled.duration / 1e9
    shown = f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"
    return Group(
        Text(f"{story.title} - {story.fault} ({shown}, seed {compared.scene.seed})", style="bold"),
        Text(f"Times count from {story.zero}. The faulty router takes refusals for nothing and goes on.", style="dim"),
    )


def _figures(compared: Compared) -> Table:
    bare, run, story = compared.uncontrolled, compared.controlled, compared.scene.story
    door = run.door
    table = Table()
    table.add_column("")
    table.add_column("without riskgate", justify="right", style="red")
    table.add_column("with riskgate", justify="right", style="green")
    halt = door.halts[0] if door and door.halts else None
    rows: list[tuple[str, str, str]] = [
        ("first excess order", span(bare.first_excess_at), span(run.first_excess_at)),
        ("first refusal", NOTHING, span(door.first_refusal.first_at if door and door.first_refusal else None)),
        ("halt", "never", span(halt.at) if halt else "none"),
        ("caught by", NOTHING, caught_by(run) or "nothing"),
        ("halted scope", NOTHING, halt.scope if halt else NOTHING),
        ("culprit named", NOTHING, _culprit(door)),
        ("first excess to culprit", NOTHING, _time_to_culprit(run)),
        ("resting orders cancelled", NOTHING, _cancels(door)),
        ("orders until halt", f"{bare.totals.orders:,}", f"{door.orders_until_halt:,}" if door else NOTHING),
        ("orders not meant that were sent", f"{bare.totals.orders:,}", f"{run.totals.orders:,}"),
        ("... sent", money(bare.totals.notional_sent, story.currency), money(run.totals.notional_sent, story.currency)),
        ("leaked orders", f"{bare.totals.leaked_orders:,}", f"{run.totals.leaked_orders:,}"),
        (f"leaked {story.unit}", f"{bare.totals.leaked_qty:,}", f"{run.totals.leaked_qty:,}"),
        (
            "leaked notional",
            money(bare.totals.leaked_notional, story.currency),
            money(run.totals.leaked_notional, story.currency),
        ),
        ("healthy routers' orders", f"{bare.healthy_orders:,}", f"{run.healthy_orders:,}"),
        ("... of them refused", NOTHING, f"{run.healthy_rejected:,}"),
    ]
    if bare.totals.loss is not None and run.totals.loss is not None:
        loss = ("loss", money(-bare.totals.loss, story.currency), money(-run.totals.loss, story.currency))
        rows.insert(-2, loss)
    if compared.scene.liftings:
        rows.append(("blocks lifted", "by hand, every time", _liftings(door)))
    for row in rows:
        table.add_row(*row)
    return table


def _culprit(door: Doorkeeping | None) -> str:
    if door is None or door.culprit is None:
        return NOTHING
    return f"{door.culprit}, {span(door.named_at)} ({door.named_by})"


def _time_to_culprit(run: Run) -> str:
    return "named before" if time_to_culprit(run) == 0 else span(time_to_culprit(run))


def _cancels(door: Doorkeeping | None) -> str:
    if door is None or not door.halts:
        return NOTHING
    swept = sum(halt.swept for halt in door.halts)
    if door.cancels_outstanding:
        return f"{swept} swept, {door.cancels_outstanding} NOT confirmed"
    if not swept:
        return "none rested"
    return f"{swept}, those of the first halt confirmed {span(door.all_cancelled_at)}"


def _liftings(door: Doorkeeping | None) -> str:
    liftings = door.liftings if door else ()
    alone = sum(not lifting.alone for lifting in liftings)
    return f"by one person {alone} of {len(liftings)}, by two {sum(lifting.lifted for lifting in liftings)}"


def _calibration(compared: Compared) -> RenderableType:
    facts = compared.scene.story.facts
    if wrong := missed(compared.uncontrolled, facts):
        return Text("Calibration FAILED: " + "; ".join(wrong), style="bold red")
    return Text(f"Calibration: all {len(facts)} known figures are met.", style="dim")


def _verdict(compared: Compared) -> RenderableType:
    run, story, profile = compared.controlled, compared.scene.story, compared.scene.profile
    door = run.door
    text = Text()
    if door is not None and door.halts:
        halt = door.halts[0]
        text.append(f"{halt.scope} halted after {span(halt.at)} by {profile.line_of(halt.check)}", style="bold")
        again = len(door.halts) - 1
        text.append(f", and {again} more halts followed. " if again else ". ", style="bold")
    elif door is not None and door.first_refusal:
        line = profile.line_of(door.first_refusal.reason)
        text.append(f"No halt; {line} refused what it could. ", style="bold")
    else:
        text.append("Nothing stopped it. ", style="bold")
    text.append(f"{_leak(run, compared.scene)} leaked instead of ")
    text.append(f"{money(compared.uncontrolled.totals.leaked_notional, story.currency)}, ")
    text.append(f"{run.healthy_rejected:,} of {run.healthy_orders:,} healthy orders refused.")
    caught = door is not None and bool(door.halts or door.first_refusal)
    return Panel(text, border_style="green" if caught and run.healthy_rejected == 0 else "red")


def _leak(run: Run, scene: Scene) -> str:
    return f"{run.totals.leaked_qty:,} {scene.story.unit}, {money(run.totals.leaked_notional, scene.story.currency)},"


def render_ladder(steps: Sequence[Step], scene: Scene) -> RenderableType:
    """Who catches the incident when the lines before are removed, one after the other."""
    table = ladder_table([_rung(step, scene) for step in steps], unit="orders", loss="leaked")
    return Group(table, Text("Each step runs until a second after its halt, or to the end.", style="dim"))


def _rung(step: Step, scene: Scene) -> Rung:
    door = step.run.door
    halt = door.halts[0] if door and door.halts else None
    return Rung(
        removed=step.removed,
        caught=step.caught,
        first_refusal=door.first_refusal if door else None,
        halt=halt,
        halt_line=scene.profile.line_of(halt.check) if halt else None,
        until_halt=door.orders_until_halt if door else 0,
        excess=step.run.totals.leaked_orders,
        loss=money(step.run.totals.leaked_notional, scene.story.currency),
        healthy_refused=step.run.healthy_rejected,
    )
