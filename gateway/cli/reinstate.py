"""``riskgate reinstate``: two people lift a halt, promote a router off canary, or let a build in again."""

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
from gateway.cli.errors import CliError, ExitCode
from gateway.cli.output import clock, print_json, print_table
from gateway.wire import scope_of
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()


@app.command()
def propose(
    scope: Annotated[str, typer.Argument(help="The halted scope.")],
    trip: Annotated[
        int, typer.Option(min=1, max=LARGEST_NUMBER, help="Its newest trip, as `riskgate status` shows it.")
    ],
    reason: Annotated[str, typer.Option(help="Why it is safe to trade again.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Propose to lift a halt; another person approves."""
    try:
        request = pb.ProposeReinstateRequest(scope=scope_of(scope), trip_id=trip, reason=reason)
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ProposeReinstate(request, timeout=DEADLINE, metadata=gateway.metadata)
    _tell(answer, output)


@app.command()
def promote(
    router: Annotated[str, typer.Argument(help="The router that is on canary.")],
    reason: Annotated[str, typer.Option(help="Why it is trusted with all of its flow.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Propose to take a router off the limits of canaries; another person approves."""
    with connect(admin, token, token_file) as gateway:
        request = pb.ProposePromotionRequest(router=router, reason=reason)
        answer = gateway.stub.ProposePromotion(request, timeout=DEADLINE, metadata=gateway.metadata)
    _tell(answer, output)


@app.command("close-incident")
def close_incident(
    trip: Annotated[
        int, typer.Argument(min=1, max=LARGEST_NUMBER, help="The trip that opened it, as `riskgate fleet` shows it.")
    ],
    reason: Annotated[str, typer.Option(help="Why the fault is not in the build.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Propose to let the build of a halted router log on elsewhere again; the router itself stays halted."""
    with connect(admin, token, token_file) as gateway:
        request = pb.ProposeCloseIncidentRequest(trip_id=trip, reason=reason)
        answer = gateway.stub.ProposeCloseIncident(request, timeout=DEADLINE, metadata=gateway.metadata)
    _tell(answer, output)


@app.command()
def approve(
    proposal: Annotated[int, typer.Argument(min=1, max=LARGEST_NUMBER, help="The proposal's number.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Approve somebody else's proposal: a reinstatement, a promotion, a closed incident, or a loosened limit."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ApproveProposal(
            pb.ApproveProposalRequest(proposal_id=proposal), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
    else:
        typer.echo(f"proposal {proposal} is in force (record {answer.seq})")


@app.command("list")
def list_proposals(
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """List what waits for a second person."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListProposals(pb.ListProposalsRequest(), timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    print_table(
        "Proposals",
        ("proposal>", "by", "what approving does", "reason", "expires"),
        ((p.proposal_id, p.principal, p.text, p.reason, clock(p.expires)) for p in answer.proposals),
    )


def _tell(
    answer: pb.ProposeReinstateResponse | pb.ProposePromotionResponse | pb.ProposeCloseIncidentResponse, output: str
) -> None:
    """What the second person has to do."""
    if output == "json":
        print_json(answer)
    else:
        typer.echo(
            f"proposal {answer.proposal_id} waits for a second person until {clock(answer.expires)} UTC: "
            f"riskgate reinstate approve {answer.proposal_id}"
        )
