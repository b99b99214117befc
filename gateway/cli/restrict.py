"""``riskgate restrict``: the firm's restricted list."""

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
from gateway.wire import stops_of, stops_text
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()

SymbolArgument = Annotated[str, typer.Argument(help="The symbol, as configured.")]


@app.command()
def add(
    symbol: SymbolArgument,
    reason: Annotated[str, typer.Option(help="Why; it is recorded and listed.")],
    stops: Annotated[
        str,
        typer.Option(help="opening (what only reduces a position passes), all, buy, sell, opening-buy, opening-sell."),
    ] = "opening",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Restrict a symbol. It is in force when this returns; to stop less than now waits for a second person."""
    try:
        request = pb.SetRestrictionRequest(symbol=symbol, stops=stops_of(stops), reason=reason)
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    _set(request, f"{symbol} is restricted: {stops_text(request.stops)}", admin, token, token_file, output)


@app.command()
def remove(
    symbol: SymbolArgument,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Take a symbol off the list; another person approves."""
    request = pb.SetRestrictionRequest(symbol=symbol, reason=reason)
    _set(request, f"{symbol} is not restricted", admin, token, token_file, output)


@app.command("list")
def list_restrictions(
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """List the restricted symbols."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListRestrictions(
            pb.ListRestrictionsRequest(), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
        return
    print_table(
        "Restricted list",
        ("symbol", "stops", "by", "reason", "since"),
        ((r.symbol, stops_text(r.stops), r.principal, r.reason, clock(r.since)) for r in answer.restrictions),
    )


def _set(
    request: pb.SetRestrictionRequest,
    done: str,
    admin: AdminOption,
    token: TokenOption,
    token_file: TokenFileOption,
    output: OutputOption,
) -> None:
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.SetRestriction(request, timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
    elif answer.applied:
        typer.echo(done)
    else:
        typer.echo(
            f"this lets orders of {request.symbol} pass that are stopped now: proposal {answer.proposal_id} waits for a "
            f"second person: riskgate reinstate approve {answer.proposal_id}"
        )
