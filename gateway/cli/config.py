"""``riskgate config``: check a configuration file, print its JSON Schema."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.errors import CliError, ExitCode
from gateway.config import json_schema, load_config
from gateway.problems import ConfigError

app = typer.Typer()


@app.command()
def check(config: Annotated[Path, typer.Option(help="The file to check.")] = Path("riskgate.toml")) -> None:
    """Check a configuration and print everything that is wrong with it; exit code 64 if anything is."""
    try:
        checked = load_config(config)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        count = len(error.problems)
        raise CliError(f"{config}: {count} problem{'s' * (count > 1)}", ExitCode.BAD_INPUT) from error
    settings = checked.settings
    typer.echo(
        f"{config}: good: {len(settings.routers)} routers, {len(settings.accounts)} accounts, "
        f"{len(settings.symbols)} symbols, {len(checked.limits)} limits"
    )
    for note in checked.notes():
        typer.echo(f"note: {note}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of riskgate.toml."""
    typer.echo(json.dumps(json_schema(), indent=2))
