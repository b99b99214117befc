"""``riskgate limits``: show them, set them, list the catalogue."""

import json
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
from gateway.cli.output import in_unit, print_json, print_table
from gateway.limits_file import catalogue, parse_limit
from gateway.problems import closest
from gateway.scopes import parse_scope
from gateway.wire import scope_message, scope_text
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()


@app.command()
def show(
    scope: Annotated[str, typer.Argument(help="Only this scope, or a kind such as `router`.")] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show the limits in force; `router:*` is the default of every router."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListLimits(pb.ListLimitsRequest(), timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    rows = [(scope_text(limit.scope), limit) for limit in answer.limits]
    print_table(
        f"Limits, version {answer.version}",
        ("scope", "limit", "value>", "unit", "at the bound"),
        (
            (text, limit.limit, in_unit(limit.value, limit.unit), limit.unit, limit.action)
            for text, limit in rows
            if not scope or text == scope or text.partition(":")[0] == scope
        ),
    )


@app.command("set")
def set_limit(
    scope: Annotated[str, typer.Argument(help="Where: `router:smars-8`, or `router:*` for the default.")],
    limit: Annotated[str, typer.Argument(help="Which, by its name in the configuration.")],
    value: Annotated[str, typer.Argument(help="As in the configuration: 250, 1_000_000.50, 100ms; `none` removes it.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Set a limit. Tightening is in force at once; loosening waits for a second person."""
    request = _request(scope, limit, value, reason)
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.SetLimit(request, timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
    elif answer.applied:
        typer.echo(f"{limit} at {scope} is {value} (limits version {answer.version})")
    else:
        typer.echo(
            f"this loosens {limit}: proposal {answer.proposal_id} waits for a second person: "
            f"riskgate reinstate approve {answer.proposal_id}"
        )


@app.command("catalogue")
def show_catalogue(output: OutputOption = "table") -> None:
    """List every limit there is: unit, scopes, what a breach does."""
    if output == "json":
        typer.echo(json.dumps([info._asdict() for info in catalogue().values()], indent=2))
        return
    print_table(
        "Limits",
        ("limit", "unit", "at the bound", "can be set at", "must be set at", "meaning"),
        (
            (i.name, i.unit, i.action, " ".join(i.settable_at), " ".join(i.required_at), i.doc)
            for i in catalogue().values()
        ),
    )


def _request(scope: str, limit: str, value: str, reason: str) -> pb.SetLimitRequest:
    limits = catalogue()
    info = limits.get(limit)
    if info is None:
        raise CliError(f'no limit is named "{limit}"; {closest(limit, list(limits), noun="limit")}', ExitCode.BAD_INPUT)
    try:
        where = parse_scope(scope)
        number = "" if value == "none" else str(parse_limit(info, value))
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    return pb.SetLimitRequest(
        scope=scope_message(where), is_default=where.is_default, limit=limit, value=number, reason=reason
    )
