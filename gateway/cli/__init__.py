"""The ``riskgate`` command.

Each verb lives in a module of its own and is imported only when it is asked for, so that ``riskgate status`` does not
depend on what ``riskgate demo`` needs. To add a verb: write ``gateway/cli/<verb>.py`` with an ``app = typer.Typer()``
that holds one command (or several, for sub-verbs), then add a line to :data:`VERBS`.

Exit codes: 0 done; 1 the gateway refused; 2 wrong usage, or a backtest that stopped something; 64 bad configuration or
value; 69 gateway not reachable; 70 internal error; 71 cannot start; 77 not permitted; 130 interrupted.
"""

import importlib
import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import typer

from gateway.cli.errors import CliError, ExitCode


class Verb(NamedTuple):
    """One verb of the command line."""

    name: str
    module: str
    help: str


VERBS: Final[tuple[Verb, ...]] = (
    Verb("run", "gateway.cli.run", "Run the gateway."),
    Verb("config", "gateway.cli.config", "Check a configuration file or print its schema."),
    Verb("status", "gateway.cli.status", "Show the gateway's state, its routers and every halt."),
    Verb("halt", "gateway.cli.halt", "Halt a scope: block new orders and cancel the resting ones."),
    Verb("reinstate", "gateway.cli.reinstate", "Lift a halt: one person proposes, another approves."),
    Verb("limits", "gateway.cli.limits", "Show and set limits."),
    Verb("explain", "gateway.cli.explain", "Say what every check thinks of an order, sent or not."),
    Verb("restrict", "gateway.cli.restrict", "Show and change the firm's restricted list."),
    Verb("rates", "gateway.cli.rates", "Show what currencies are worth, and say it where the feed does not."),
    Verb("orders", "gateway.cli.orders", "List orders."),
    Verb("positions", "gateway.cli.positions", "List positions."),
    Verb("unmatched", "gateway.cli.unmatched", "List executions that no order explains."),
    Verb("events", "gateway.cli.events", "Follow halts, limit changes, sessions and alarms."),
    Verb("fleet", "gateway.cli.fleet", "Show what every router runs, and the odd one out."),
    Verb("manifest", "gateway.cli.manifest", "Say what the fleet must run, and sign it."),
    Verb("findings", "gateway.cli.findings", "Show what one router does and its peers do not, and say who has looked."),
    Verb("evidence", "gateway.cli.evidence", "Show the evidence of a halt: cause, culprit, peers, what is at stake."),
    Verb("readiness", "gateway.cli.readiness", "Show whether the firm is ready to trade, and trade even so."),
    Verb("drill", "gateway.cli.drill", "Try the kill path on a scope that nobody trades."),
    Verb("demo", "gateway.cli.demo", "Run Knight's morning live against the gateway, in about a minute."),
    Verb("replay", "gateway.cli.replay", "Replay an incident in virtual time, with and without the controls."),
    Verb("backtest", "gateway.cli.backtest", "Send recorded order flow through the risk core under given limits."),
    Verb("bench", "gateway.cli.bench", "Run the benchmarks of a checkout."),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with one of the codes above."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _build(arguments)(arguments, prog_name="riskgate")
    except CliError as error:
        print(f"riskgate: {error}", file=sys.stderr)
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _build(arguments: Sequence[str]) -> typer.Typer:
    """The application, with only the asked verb really loaded."""
    asked = next((word for word in arguments if not word.startswith("-")), None)
    app = typer.Typer(
        help="Pre-trade risk-control gateway.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for verb in VERBS:
        if verb.name == asked:
            _load(app, verb)
        else:
            app.command(verb.name, help=verb.help)(_not_loaded)
    return app


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer's signature of an option's callback
    if asked:
        print(f"riskgate {importlib.metadata.version('riskgate')}")
        raise typer.Exit


def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Pre-trade risk-control gateway."""


def _not_loaded() -> None:
    raise AssertionError("a verb that was not asked for does not run")


def _load(app: typer.Typer, verb: Verb) -> None:
    try:
        sub = importlib.import_module(verb.module).app
    except ModuleNotFoundError as error:
        raise CliError(
            f"`riskgate {verb.name}` needs the Python module `{error.name}`, which is not installed; "
            "run `make build`, or install riskgate with all its packages",
            ExitCode.INTERNAL,
        ) from error
    single = len(sub.registered_commands) == 1 and not sub.registered_groups and sub.registered_callback is None
    if single:
        command = sub.registered_commands[0]
        command.name = verb.name
        app.registered_commands.append(command)
    else:
        app.add_typer(sub, name=verb.name, help=verb.help, no_args_is_help=not sub.info.invoke_without_command)
