"""``riskgate bench``: the benchmarks of this checkout."""

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

import gateway
from gateway.cli.errors import CliError, ExitCode

app = typer.Typer()

CHECKOUT: Final = Path(gateway.__file__).resolve().parent.parent


class Target(StrEnum):
    """What is measured."""

    CORE = "core"
    GATEWAY = "gateway"
    JOURNAL = "journal"
    RECOVERY = "recovery"


@app.command()
def bench(
    target: Annotated[Target, typer.Argument(help="What is measured.")] = Target.CORE,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Show that it runs; the figures say nothing.")] = False,
    output: Annotated[
        Literal["table", "json"], typer.Option("--output", "-o", help="For people, or for programs.")
    ] = "table",
) -> None:
    """Run the benchmarks of a checkout: core, gateway, journal or recovery.

    Exit code 0: they ran, whether bars hold or not; 1: one of them failed; 71: this is not a checkout.
    """
    suite = CHECKOUT / "benches" / "suite.py"
    if not suite.exists():
        raise CliError(
            f"the benchmarks are not part of the installed package (no {suite}); run this in a checkout, after `make build`",
            ExitCode.CANNOT_START,
        )
    command = [sys.executable, str(suite), target.value, "--output", output, *(["--quick"] if quick else [])]
    raise typer.Exit(subprocess.run(command, cwd=CHECKOUT, check=False).returncode)
