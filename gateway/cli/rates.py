"""``riskgate rates``: what currencies are worth in the firm's base currency."""

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
from gateway.cli.output import print_json, print_table
from gateway.units import PRICE_MAX, format_decimal, format_duration, parse_decimal
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()

_MILLISECOND = 1_000_000


@app.command("list")
def list_rates(
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """List the newest rate of each currency and how old it is."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListFxRates(pb.ListFxRatesRequest(), timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    rows = (
        (rate.currency, format_decimal(rate.rate), format_duration(rate.age // _MILLISECOND * _MILLISECOND))
        if rate.HasField("rate")
        else (rate.currency, "none yet", "")
        for rate in answer.rates
    )
    print_table("Rates", ("currency", f"{answer.base_currency or 'base'} for one>", "age>"), rows)


@app.command()
def propose(
    currency: Annotated[str, typer.Argument(help="The currency, as configured.")],
    rate: Annotated[str, typer.Argument(help="Units of the base currency for one unit of it, such as 1.0850.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Say what a currency is worth until the feed says another; another person approves."""
    try:
        request = pb.ProposeFxRateRequest(currency=currency, rate=parse_decimal(rate, maximum=PRICE_MAX), reason=reason)
    except ValueError as error:
        raise CliError(f"rate: {error}", ExitCode.BAD_INPUT) from error
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ProposeFxRate(request, timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
    else:
        typer.echo(
            f"proposal {answer.proposal_id} waits for a second person: riskgate reinstate approve {answer.proposal_id}"
        )
