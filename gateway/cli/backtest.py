"""``riskgate backtest``: recorded order flow through the risk core under given limits."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

import riskcore
from gateway.backtest import Flow, FlowError, Party, Report, as_json, default_limits, open_flow, prepare, render
from gateway.backtest import backtest as run
from gateway.backtest.flow import Progress as Tell
from gateway.cli.errors import CliError, ExitCode
from gateway.cli.output import progress_bars, report_console
from gateway.instruments import check_name
from gateway.problems import ConfigError

app = typer.Typer()

STOPPED: Final = 2
"""Exit code when something would have been refused or halted."""

_MAX_FACTOR: Final = 10**9


@app.command()
def backtest(
    flow: Annotated[Path, typer.Argument(help="Databento DBN (market by order, plain or zstd), or CSV.")],
    limits: Annotated[
        Path | None,
        typer.Option(help="A TOML file of symbols and limits; without it the one shipped for the product."),
    ] = None,
    tighten: Annotated[str, typer.Option(help="Divide every bound (no window) by this factor, 1 or more.")] = "1",
    account: Annotated[str, typer.Option(help="The account of orders that the recording gives none for.")] = "FLOW",
    router: Annotated[str, typer.Option(help="The router of orders that the recording gives none for.")] = "flow",
    output: Annotated[
        Literal["report", "json"], typer.Option("--output", "-o", help="For people, or for programs.")
    ] = "report",
) -> None:
    """Send recorded order flow through the risk core; report what would be stopped and how close each limit came.

    Exit code 0: nothing would have been stopped; 2: something would; 64: bad input.
    """
    factor, party = _factor(tighten), Party(_name("--account", account), _name("--router", router))
    try:
        report = _backtest(flow, party, limits, factor)
    except (FlowError, ConfigError, riskcore.InvalidArgument) as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    _show(report, output)
    if report.stopped:
        raise typer.Exit(STOPPED)


def _backtest(path: Path, party: Party, limits: Path | None, factor: Fraction) -> Report:
    flow = open_flow(path, party)
    plan = prepare(flow, limits or _shipped(flow), factor)
    with _bar() as tell:
        return run(flow, plan, tell)


def _shipped(flow: Flow) -> Path:
    limits = default_limits(flow.symbols)
    if limits is None:
        what = f"no limits are shipped for {', '.join(flow.symbols) or 'a flow without symbols'}"
        raise FlowError(flow.file, "", what, "name a file with --limits")
    return limits


def _name(option: str, name: str) -> str:
    try:
        return check_name(name)
    except ValueError as error:
        raise CliError(f"{option}: {error}", ExitCode.BAD_INPUT) from error


def _factor(text: str) -> Fraction:
    try:
        factor = Fraction(text)
    except (ValueError, ZeroDivisionError):
        factor = Fraction(0)
    if not 1 <= factor <= _MAX_FACTOR:
        raise CliError(f"--tighten {text}: write a number of 1 or more, like 10 or 2.5", ExitCode.BAD_INPUT)
    return factor


def _show(report: Report, output: str) -> None:
    if output == "json":
        typer.echo(json.dumps(as_json(report), indent=2))
        return
    report_console().print(render(report))


@contextmanager
def _bar() -> Iterator[Tell]:
    """A bar while the flow runs."""
    with progress_bars() as bars:
        task = bars.add_task("backtest", total=1.0)
        yield lambda done: bars.update(task, completed=done)
