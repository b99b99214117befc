"""``riskgate run``: run the gateway in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.app import StartError, run
from gateway.cli.errors import CliError, ExitCode
from gateway.config import load_config
from gateway.log import Format, configure_logs
from gateway.problems import ConfigError

app = typer.Typer()


@app.command()
def main(
    config: Annotated[Path, typer.Option(help="The configuration.")] = Path("riskgate.toml"),
    ready_file: Annotated[
        Path | None, typer.Option(help="Written when every listener accepts: the bound addresses, as JSON.")
    ] = None,
    log_format: Annotated[Format, typer.Option(help="auto is text on a terminal and JSON elsewhere.")] = "auto",
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. Nothing is bound if the configuration is bad (exit code 64)."""
    configure_logs(log_format)
    try:
        checked = load_config(config)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        raise CliError(f"{config} is not usable; nothing was started", ExitCode.BAD_INPUT) from error
    try:
        run(checked, ready_file)
    except StartError as error:
        raise CliError(str(error), ExitCode.CANNOT_START) from error
