"""``riskgate findings``: what a person should look at, and who has."""

from typing import Annotated

import typer

from gateway.cli.connection import (
    ADMIN_DEFAULT,
    DEADLINE,
    LARGEST_NUMBER,
    AdminOption,
    OutputOption,
    TokenFileOption,
    TokenOption,
    connect,
)
from gateway.cli.output import clock, print_json, print_table
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer(invoke_without_command=True)


@app.callback()
def show(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Acknowledged ones too.")] = False,
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show what one router does and its peers do not; `ack` says that you have looked."""
    if context.invoked_subcommand is not None:
        return
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListFindings(
            pb.ListFindingsRequest(open_only=not everything), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
        return
    print_table(
        "Findings",
        ("finding>", "router", "level", "what", "first", "last", "looked at by"),
        (_finding(finding) for finding in answer.findings),
    )


@app.command()
def ack(
    finding: Annotated[int, typer.Argument(min=1, max=LARGEST_NUMBER, help="The finding's number.")],
    reason: Annotated[str, typer.Option(help="What it was; it is recorded.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Say that you have looked at a finding, and what it was."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.AcknowledgeFinding(
            pb.AcknowledgeFindingRequest(finding_id=finding, reason=reason), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
    else:
        typer.echo(f"finding {finding} is acknowledged (record {answer.seq})")


def _finding(finding: pb.Finding) -> tuple[object, ...]:
    looked = f"{finding.acknowledged_by}: {finding.acknowledged_reason}" if finding.acknowledged_by else ""
    return (
        finding.finding_id,
        finding.router,
        "LOUD" if finding.loud else "quiet",
        finding.text,
        clock(finding.first)[11:],
        clock(finding.last)[11:],
        looked,
    )
