"""``riskgate replay goldman``, ``everbright`` and ``citi``: the incidents of others, with and without the controls."""

import json
from typing import Annotated, Final, Literal

import typer

from gateway.cli.errors import CliError, ExitCode
from gateway.cli.output import progress_bars, report_console
from gateway.cli.without import WithoutOption, removed
from gateway.units import parse_duration
from router_sim.incidents.compare import SCENES, Compared, Incident, Side, Step, compare, ladder
from router_sim.incidents.scene import Scene
from router_sim.replay.incident_card import render, render_ladder
from router_sim.replay.incident_json import as_json, ladder_json

WIDTH_ELSEWHERE: Final = 150
"""Columns of the card in a pipe or a file: all of them, without wide gaps."""

UntilOption = Annotated[str, typer.Option(help="Stop this long after the fault began, like `5m`.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Moves phases and coin flips; the tables stay.")]
OutputOption = Annotated[Literal["card", "json"], typer.Option("--output", "-o", help="For people, or for programs.")]
LadderOption = Annotated[
    bool, typer.Option("--ladder", help="Also remove what caught it, line by line, to see what catches next.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(goldman)
    app.command()(everbright)
    app.command()(citi)


def goldman(
    without: WithoutOption = None,
    until: UntilOption = "",
    seed: SeedOption = 1,
    output: OutputOption = "card",
    steps: LadderOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Replay Goldman Sachs' options of 20 August 2013: 16,000 sells at $1 before the open, blocks lifted by hand."""
    _replay("goldman", without, until, seed, output, steps=steps)


def everbright(
    without: WithoutOption = None,
    until: UntilOption = "",
    seed: SeedOption = 1,
    output: OutputOption = "card",
    steps: LadderOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Replay Everbright's baskets of 16 August 2013: acknowledgements lost, 26,082 orders in two seconds."""
    _replay("everbright", without, until, seed, output, steps=steps)


def citi(
    without: WithoutOption = None,
    until: UntilOption = "",
    seed: SeedOption = 1,
    output: OutputOption = "card",
    steps: LadderOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Replay Citigroup's basket of 2 May 2022: $58M meant, $444bn entered, every item within its own limits."""
    _replay("citi", without, until, seed, output, steps=steps)


def _replay(incident: Incident, without: list[str] | None, until: str, seed: int, output: str, *, steps: bool) -> None:
    scene = SCENES[incident](seed)
    lines = removed(without, scene.profile)
    compared = _run(scene, duration(until), lines)
    ladder_steps = _ladder(scene, lines) if steps else []
    if output == "json":
        further = {"ladder": ladder_json(ladder_steps, scene.profile)} if steps else {}
        typer.echo(json.dumps(as_json(compared) | further, indent=2))
        return
    console = report_console(width_elsewhere=WIDTH_ELSEWHERE)
    console.print(render(compared, width=console.width))
    if ladder_steps:
        console.print(render_ladder(ladder_steps, scene))


def duration(until: str, *, option: str = "--until") -> int | None:
    """The option's value in ns; `None` if it was not given.

    Raises:
        CliError: it is not a duration.
    """
    if not until:
        return None
    try:
        return parse_duration(until)
    except ValueError as error:
        raise CliError(f"{option}: {error}", ExitCode.BAD_INPUT) from error


def _run(scene: Scene, until: int | None, without: tuple[str, ...]) -> Compared:
    with progress_bars() as bars:
        tasks = {
            "uncontrolled": bars.add_task("without riskgate", total=1.0),
            "controlled": bars.add_task("with riskgate", total=1.0),
        }

        def progress(side: Side, done: float) -> None:
            bars.update(tasks[side], completed=done)

        return compare(scene, until=until, without=without, progress=progress)


def _ladder(scene: Scene, without: tuple[str, ...]) -> list[Step]:
    with progress_bars() as bars:
        task = bars.add_task("line by line", total=len(scene.profile.lines))
        return ladder(scene, without=without, progress=lambda _: bars.advance(task))
