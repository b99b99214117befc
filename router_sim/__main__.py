"""`python -m router_sim`: a fleet of simulated routers (`fleet`), one of them (`router`), or a flood (`flood`)."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.client import ClientError
from router_sim.attest import attestation
from router_sim.behaviour import Build
from router_sim.deployment import Deployment
from router_sim.fleet import TOKEN_VARIABLE, Fleet, FleetError, FleetSettings
from router_sim.gateway_link import GatewayLink
from router_sim.knight.universe import OLD_SERVER, ROUTERS
from router_sim.lines import stdin_lines
from router_sim.router import RouterProcess, say_on_stdout
from router_sim.scenario import LiveVariant, basket, knight
from router_sim.tokens import TokenError, read_tokens
from router_sim.units import SECOND
from router_sim.worker import Fault, Worker

EXIT_USAGE = 64
EXIT_UNREACHABLE = 69
"""As in `riskgate` (BSD sysexits.h)."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _main(step: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine; what cannot work is one line on standard error and an exit code."""
    try:
        asyncio.run(step())
    except (ClientError, FleetError) as error:
        print(f"router_sim: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_UNREACHABLE) from error


@app.command()
def fleet(  # noqa: PLR0913 - each is an option of the command line
    *,
    gateway: Annotated[str, typer.Option(help="The gateway's order entry, host:port.")] = "127.0.0.1:7001",
    config: Annotated[
        Path, typer.Option(help="The gateway's riskgate.toml: names and tokens of the OMS and the routers.")
    ] = Path("riskgate.toml"),
    oms: Annotated[str | None, typer.Option(help="Which [[oms]] to be; the first if not given.")] = None,
    oms_token: Annotated[str | None, typer.Option(help="Its token, if not the configuration's.")] = None,
    variant: Annotated[LiveVariant, typer.Option(help="Which morning.")] = "S1",
    seed: Annotated[int, typer.Option(help="Moves phases and sizes.")] = 1,
    lead: Annotated[int, typer.Option(min=1, max=600, help="Seconds before the open.")] = 5,
    seconds: Annotated[int, typer.Option(min=1, max=2_700, help="Seconds after the open.")] = 50,
    failed_deploy: Annotated[
        list[str] | None, typer.Option(help="Servers whose deployment fails silently; default smars-8.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="ROUTER=FAULT: dollar-orders, resend or basket; may be repeated.")
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(help='"SECONDS COMMAND", after the open: "8 roll-back", "3 kill smars-2".')
    ] = None,
    parent_ids: Annotated[bool, typer.Option(help="Whether children name their parent.")] = True,
    documents: Annotated[
        Path | None,
        typer.Option(help="Attestation documents of `riskgate manifest sign`; a server gets its own with the release."),
    ] = None,
) -> None:
    """Run eight routers on Knight's morning. Commands on standard input; JSON lines on standard output."""
    try:
        tokens = read_tokens(config, oms, oms_token, ROUTERS)
        failing = _servers(failed_deploy, ROUTERS)
        spread = ROUTERS[OLD_SERVER] not in failing
        scenario = knight(tokens.account, variant, seed=seed, lead_s=lead, run_s=seconds, spread=spread)
        faults = dict(_fault(text, scenario.routers) for text in fault or [])
        timed = [_timed(text) for text in at or []]
        for name in (name for name, kind in faults.items() if kind is Fault.BASKET):
            scenario = scenario.with_more(basket(tokens.account, name, scenario.stocks))
        deployment = Deployment(scenario.routers)
        steps = deployment.roll_out(Build.RLP, silently_failing=failing)
    except TokenError as error:
        print(f"router_sim: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from error
    settings = FleetSettings(
        gateway, tokens.oms, tokens.oms_token, tokens.routers, faults, timed, parent_ids, documents
    )
    running = Fleet(settings, scenario, deployment, say_on_stdout)
    said = [{"day": s.day, "server": s.server, "done": s.done, "installed": s.installed.value} for s in steps]
    say_on_stdout({"event": "deployed", "steps": said})

    async def run() -> None:
        _on_signals(lambda: asyncio.ensure_future(running.command("stop")))
        await running.run(lead, seconds, stdin_lines())

    _main(run)


@app.command(hidden=True)
def router(
    *,
    gateway: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option()],
    build: Annotated[Build, typer.Option()] = Build.RLP,
    fault: Annotated[Fault, typer.Option()] = Fault.NONE,
    parent_ids: Annotated[bool, typer.Option()] = True,
    document: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Run one router; its token comes in the environment variable RISKGATE_ROUTER_TOKEN."""
    prefix = f"{int(time.time()) % 86_400:05d}{secrets.token_hex(2)}"
    worker = Worker(build, lambda number: f"{prefix}-{number}", time.time_ns, fault)
    try:
        said = attestation(name, build, fault, document)
    except (OSError, ValueError) as error:
        print(f"router_sim: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from error
    token = os.environ.get(TOKEN_VARIABLE, "")

    async def run() -> None:
        link = GatewayLink(gateway, name, token, said, parent_ids=parent_ids)
        async with link:
            process = RouterProcess(name, worker, link, say_on_stdout)
            _on_signals(process.stop)
            await process.run(stdin_lines())

    _main(run)


def _on_signals(stop: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _servers(names: list[str] | None, fleet_: tuple[str, ...]) -> list[str]:
    chosen = ["smars-8"] if names is None else [name for name in names if name]
    for name in chosen:
        if name not in fleet_:
            raise TokenError(f"--failed-deploy {name}: no such router; there are {', '.join(fleet_)}")
    return chosen


def _fault(text: str, fleet_: tuple[str, ...]) -> tuple[str, Fault]:
    name, _, kind = text.partition("=")
    with contextlib.suppress(ValueError):
        if name in fleet_:
            return name, Fault(kind)
    kinds = ", ".join(fault.value for fault in Fault)
    raise TokenError(f"--fault {text}: write ROUTER=FAULT with a router of the fleet and one of {kinds}")


def _timed(text: str) -> tuple[int, str]:
    seconds, _, command = text.strip().partition(" ")
    if not (seconds.isascii() and seconds.isdigit()) or not command:
        raise TokenError(f"--at {text!r}: write SECONDS COMMAND, for instance '8 roll-back'")
    return int(seconds) * SECOND, command


def _flood_is_elsewhere() -> None:
    """Send orders on a fixed schedule and report what came of them (needs the native module)."""
    raise AssertionError("flood is loaded when it is asked for")


def _main_app() -> None:
    """Add the flood generator, which needs the native module, only where it is asked for."""
    asked = "flood" in sys.argv[1:2]
    app.command("flood")(importlib.import_module("router_sim.flood").flood if asked else _flood_is_elsewhere)
    app()


if __name__ == "__main__":
    _main_app()
