"""``riskgate demo``: Knight's morning live against the gateway, all processes on loopback."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.cli.errors import CliError, ExitCode
from gateway.cli.without import WithoutOption, removed
from router_sim.demo.card import Card, as_json, render
from router_sim.demo.setting import protected, unprotected
from router_sim.demo.show import Settings, show
from router_sim.demo.stage import StageError
from router_sim.demo.view import open_view
from router_sim.scenario import LiveVariant

app = typer.Typer()

TITLE = "riskgate demo: Knight Capital, 1 August 2012, live"


@app.command()
def demo(
    *,
    seconds: Annotated[int, typer.Option(min=5, max=2_700, help="How long, of which up to 5 s before the open.")] = 60,
    bare: Annotated[
        bool, typer.Option("--unprotected", help="The same gateway, every limit wide open, no parent asked for.")
    ] = False,
    without: WithoutOption = None,
    variant: Annotated[LiveVariant, typer.Option(help="S1 as it was, S4 stealth, S5 no parent ids, S6 churn.")] = "S1",
    seed: Annotated[int, typer.Option(min=0, help="Moves phases, fills and parent sizes.")] = 1,
    output: Annotated[
        Literal["card", "json"], typer.Option("--output", "-o", help="For people, or programs.")
    ] = "card",
    keep: Annotated[Path | None, typer.Option(help="Keep configuration, universe and logs in this directory.")] = None,
) -> None:
    """Run exchange, gateway and eight routers, one with the old code, and watch the gateway stop it.

    Exit code 0: the culprit was halted, nothing leaked, no healthy order was refused, every cancel is confirmed (with
    --unprotected: it ran). 1: that was not so. 69: a process did not come up. 130: interrupted.
    """
    protection = unprotected() if bare else protected(removed(without), parent_ids=variant != "S5")
    settings = Settings(seconds, protection, not bare, variant, seed, keep)
    view, context = open_view(TITLE, quiet=output == "json")
    try:
        with context:
            card = asyncio.run(show(settings, view))
    except StageError as error:
        raise CliError(str(error), ExitCode.UNREACHABLE) from error
    _print(card, output)
    if card.interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if card.protected and not card.stopped:
        raise typer.Exit(ExitCode.REFUSED)


def _print(card: Card, output: str) -> None:
    if output == "json":
        typer.echo(json.dumps(as_json(card), indent=2))
    else:
        Console(highlight=False).print(render(card))
