"""``riskgate replay``: an incident in virtual time, with and without the controls."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.cli.errors import CliError, ExitCode
from gateway.cli.output import progress_bars, report_console
from gateway.cli.replay_incidents import WIDTH_ELSEWHERE, add_to, duration
from gateway.cli.without import WithoutOption, removed
from router_sim.knight.firm import Firm
from router_sim.knight.limits import LINES
from router_sim.knight.universe import Variant
from router_sim.replay.report_card import render, render_ladder
from router_sim.replay.report_json import as_json, ladder_json
from router_sim.replay.side_by_side import Comparison, ReplayError, Side, Step, ladder, side_by_side

app = typer.Typer()


@app.callback()
def replay() -> None:
    """Replay an incident in virtual time, with and without the controls."""


@app.command()
def knight(  # noqa: PLR0913, PLR0917 - one parameter per option
    variant: Annotated[
        Variant, typer.Option(help="S1 as it was; S2 rollback, S3 28 min, S4 stealth, S5 no ids, S6 churn.")
    ] = "S1",
    without: WithoutOption = None,
    quarantine: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option("--quarantine/--no-quarantine", help="Whether the culprit's build may log on elsewhere (S2)."),
    ] = True,
    readiness_gate: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option("--readiness-gate/--no-readiness-gate", help="Whether what is red at the open holds the firm."),
    ] = False,
    override_after: Annotated[
        str, typer.Option(help="Two people override the gate this long after the open, like `90s`.")
    ] = "",
    until: Annotated[str, typer.Option(help="Stop this long after the open, like `5m`.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Moves phases, fills and parent sizes; the stocks stay.")] = 1,
    output: Annotated[
        Literal["card", "json"], typer.Option("--output", "-o", help="For people, or for programs.")
    ] = "card",
    picture: Annotated[Path | None, typer.Option(help="Draw loss, shares and position into this .png or .svg.")] = None,
    steps: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--ladder", help="Also remove what caught it, line by line, to see what catches next.")
    ] = False,
) -> None:
    """Replay Knight Capital's morning of 1 August 2012: 212 orders, one server with the old code, 45 minutes."""
    lines = removed(without)
    _picture_name(picture)
    length = duration(until)
    override_at = duration(override_after, option="--override-after")
    if override_at is not None and not readiness_gate:
        raise CliError("--override-after: there is no gate to override; add --readiness-gate", ExitCode.BAD_INPUT)
    if override_at is not None and length is not None and override_at >= length:
        raise CliError(
            f"--override-after {override_after}: the replay ends before; give an --until after it", ExitCode.BAD_INPUT
        )
    firm = Firm(quarantine=quarantine, readiness_gate=readiness_gate, override_at=override_at)
    try:
        comparison = _run(variant, seed, length, lines, firm)
    except ReplayError as error:
        raise CliError(str(error), ExitCode.INTERNAL) from error
    ladder_steps = _ladder(variant, seed, lines) if steps else []
    if picture is not None:
        from router_sim.replay.picture import save

        save(comparison, picture)
    if output == "json":
        document = as_json(comparison) | ({"ladder": ladder_json(ladder_steps)} if steps else {})
        typer.echo(json.dumps(document, indent=2))
        return
    console = report_console(width_elsewhere=WIDTH_ELSEWHERE)
    console.print(render(comparison, width=console.width))
    if ladder_steps:
        console.print(render_ladder(ladder_steps))
    if picture is not None:
        console.print(f"Picture: {picture}")


def _picture_name(picture: Path | None) -> None:
    """A wrong name is said before the run, not after it."""
    if picture is None:
        return
    from router_sim.replay.picture import FORMATS  # loads the drawing library, which takes a second

    if picture.suffix.lower() not in FORMATS:
        raise CliError(f"--picture {picture}: the name must end in {' or '.join(FORMATS)}", ExitCode.BAD_INPUT)
    if not picture.absolute().parent.is_dir():
        raise CliError(f"--picture {picture}: there is no such directory; create it first", ExitCode.BAD_INPUT)


def _run(variant: Variant, seed: int, until: int | None, without: tuple[str, ...], firm: Firm) -> Comparison:
    """Both runs, with a bar each on standard error."""
    with progress_bars() as bars:
        tasks = {
            "uncontrolled": bars.add_task("without riskgate", total=1.0),
            "controlled": bars.add_task("with riskgate", total=1.0),
        }

        def progress(side: Side, done: float) -> None:
            bars.update(tasks[side], completed=done)

        return side_by_side(variant, seed, until=until, without=without, firm=firm, progress=progress)


def _ladder(variant: Variant, seed: int, without: tuple[str, ...]) -> list[Step]:
    with progress_bars() as bars:
        task = bars.add_task("line by line", total=len(LINES))
        return ladder(variant, seed, without=without, progress=lambda _: bars.advance(task))


add_to(app)
