"""``riskgate readiness``: is the firm ready to trade, and to trade even so."""

from typing import Annotated

import typer

from gateway.cli.connection import (
    ADMIN_DEFAULT,
    DEADLINE,
    AdminOption,
    OutputOption,
    TokenFileOption,
    TokenOption,
    connect,
)
from gateway.cli.errors import CliError, ExitCode
from gateway.cli.output import clock, print_json, print_table
from gateway.units import NANO, parse_duration
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer(invoke_without_command=True)


@app.callback()
def show(
    context: typer.Context,
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show what must be as it should before the open, what is red and why, and where the gate stands."""
    if context.invoked_subcommand is not None:
        return
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.GetReadiness(pb.GetReadinessRequest(), timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    print_table("Readiness", ("item", "state", "why"), (_item(item) for item in answer.items))
    typer.echo(f"\n{_gate(answer)}")


@app.command("override")
def override(
    span: Annotated[str, typer.Option("--for", help="How long, from now: 30m, 2h; a day at most.")],
    reason: Annotated[str, typer.Option(help="Why the firm may trade even so.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Propose to trade for a time whatever the gate says; another person approves."""
    try:
        duration_ms = parse_duration(span) // (NANO // 1_000)
    except ValueError as error:
        raise CliError(f"--for {error}", ExitCode.BAD_INPUT) from error
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.OverrideReadiness(
            pb.OverrideReadinessRequest(duration_ms=duration_ms, reason=reason),
            timeout=DEADLINE,
            metadata=gateway.metadata,
        )
    if output == "json":
        print_json(answer)
    else:
        typer.echo(
            f"proposal {answer.proposal_id}, until {clock(answer.overridden_until)} UTC, waits for a second person: "
            f"riskgate reinstate approve {answer.proposal_id}"
        )


def _item(item: pb.ReadinessItem) -> tuple[object, ...]:
    return item.name, "green" if item.ready else "RED", item.text


def _gate(answer: pb.GetReadinessResponse) -> str:
    if not answer.configured:
        return "no gate: nothing is held, because [readiness] is not configured"
    minutes = answer.open // (60 * NANO)
    overridden = f", overridden until {clock(answer.overridden_until)} UTC" if answer.overridden_until else ""
    return f"the gate is {answer.gate}{overridden}; the open is at {minutes // 60:02d}:{minutes % 60:02d} UTC"
