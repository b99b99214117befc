"""``riskgate limits``: show them, set them, list the catalogue."""

import json
import time
from typing import Annotated, Final

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
from gateway.cli.output import clock, in_unit, print_json, print_table
from gateway.limits_file import TRIAL, catalogue, parse_limit
from gateway.problems import closest
from gateway.scopes import KINDS, ScopeText, parse_scope
from gateway.units import parse_duration
from gateway.wire import scope_message, scope_text
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()

_DAY_END: Final = 1
"""``until`` of a limit that ends when the day rolls."""


@app.command()
def show(
    scope: Annotated[str, typer.Argument(help="Only this scope, or a kind such as `router`.")] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show the limits in force; `router:*` is the default of every router."""
    if scope and scope not in KINDS:
        _scope(scope)
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListLimits(pb.ListLimitsRequest(), timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    rows = [(scope_text(limit.scope), limit) for limit in answer.limits]
    print_table(
        f"Limits, version {answer.version}",
        ("scope", "limit", "value>", "unit", "at the bound", "until"),
        (
            (text, limit.limit, in_unit(limit.value, limit.unit), limit.unit, _at_the_bound(limit), _until(limit.until))
            for text, limit in rows
            if not scope or text == scope or text.partition(":")[0] == scope
        ),
    )


@app.command("set")
def set_limit(  # noqa: PLR0913, PLR0917 - the options of a command
    scope: Annotated[str, typer.Argument(help="Where: `router:smars-8`, or `router:*` for the default.")],
    limit: Annotated[str, typer.Argument(help="Which, by its name in the configuration.")],
    value: Annotated[str, typer.Argument(help="As in the configuration: 250, 1_000_000.50, 100ms; `none` removes it.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    action: Annotated[
        str, typer.Option(help="What a breach does: shadow, notify, reject, reduce_only, cancel_only, halt.")
    ] = "",
    span: Annotated[
        str, typer.Option("--for", help="How long a loosening holds, such as 30m; otherwise until the day rolls.")
    ] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
    *,
    soft: Annotated[bool, typer.Option("--soft", help="Two people may let an order pass it.")] = False,
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Change nothing; say which scopes would be in breach.")
    ] = False,
) -> None:
    """Set a limit. Tightening is in force at once; loosening waits for a second person and ends by itself."""
    request = _request(scope, limit, value, reason)
    request.action, request.soft, request.validate_only = action, soft, validate_only
    request.until = _from_now(span) if span else 0
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.SetLimit(request, timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
    elif validate_only:
        _print_validation(limit, scope, value, answer)
    elif answer.applied:
        typer.echo(f"{limit} at {scope} is {value} (limits version {answer.version})")
    else:
        typer.echo(
            f"this loosens {limit}: proposal {answer.proposal_id} waits for a second person: "
            f"riskgate reinstate approve {answer.proposal_id}"
        )


@app.command()
def override(  # noqa: PLR0913, PLR0917 - the options of a command
    scope: Annotated[str, typer.Argument(help="Where the soft limit is set: `router:smars-8`.")],
    limit: Annotated[str, typer.Argument(help="Which, by its name in the configuration.")],
    up_to: Annotated[str, typer.Argument(help="The largest value that passes, as in the configuration.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    span: Annotated[str, typer.Option("--for", help="How long, such as 10m.")],
    router: Annotated[str, typer.Option(help="With --order: whose order.")] = "",
    order: Annotated[str, typer.Option(help="Only the order of this ClOrdID; otherwise every order.")] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Propose to let orders pass a soft limit; another person approves. A hard limit has no override."""
    if bool(router) != bool(order):
        raise CliError(
            "--router and --order name one order together; give both, or neither for all", ExitCode.BAD_INPUT
        )
    setting = _request(scope, limit, up_to, reason)
    request = pb.ProposeLimitOverrideRequest(
        scope=setting.scope,
        limit=limit,
        up_to=setting.value,
        router=router,
        cl_ord_id=order,
        until=_from_now(span),
        reason=reason,
    )
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ProposeLimitOverride(request, timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    typer.echo(
        f"proposal {answer.proposal_id} waits for a second person: riskgate reinstate approve {answer.proposal_id}"
    )


@app.command()
def overrides(
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show what two people have let pass soft limits, while it is in force."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListLimitOverrides(
            pb.ListLimitOverridesRequest(), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
        return
    print_table(
        "Overrides",
        ("scope", "limit", "up to>", "unit", "order", "until", "by", "passed>"),
        (
            (
                scope_text(one.scope),
                one.limit,
                in_unit(one.up_to, one.unit),
                one.unit,
                f"{one.router} {one.cl_ord_id}" if one.cl_ord_id else "every",
                clock(one.until),
                f"{one.proposed_by}, {one.approved_by}",
                one.used,
            )
            for one in answer.overrides
        ),
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


def _at_the_bound(limit: pb.LimitStatus) -> str:
    words = [limit.action, *(["soft"] if limit.soft else [])]
    if limit.action in TRIAL:
        words.append(f"{limit.breaches} breaches")
    return ", ".join(words)


def _until(until: int) -> str:
    """``until`` of a limit: it stays, ends with the day, or at a time."""
    return "" if not until else "end of day" if until == _DAY_END else clock(until)


def _from_now(span: str) -> int:
    try:
        return time.time_ns() + parse_duration(span)
    except ValueError as error:
        raise CliError(f"--for: {error}", ExitCode.BAD_INPUT) from error


def _scope(text: str) -> ScopeText:
    try:
        return parse_scope(text)
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error


def _print_validation(limit: str, scope: str, value: str, answer: pb.SetLimitResponse) -> None:
    people = "takes two people" if answer.loosens else "takes one person"
    typer.echo(
        f"{limit} at {scope} = {value}: {people}; {len(answer.breaches)} scopes would be in breach. Nothing was changed."
    )
    if answer.breaches:
        print_table(
            "In breach",
            ("scope", "limit", "value>", "used>", "unit"),
            (
                (scope_text(one.scope), limit, in_unit(one.value, one.unit), in_unit(one.used, one.unit), one.unit)
                for one in answer.breaches
            ),
        )


def _request(scope: str, limit: str, value: str, reason: str) -> pb.SetLimitRequest:
    limits = catalogue()
    info = limits.get(limit)
    if info is None:
        raise CliError(f'no limit is named "{limit}"; {closest(limit, list(limits), noun="limit")}', ExitCode.BAD_INPUT)
    where = _scope(scope)
    try:
        number = "" if value == "none" else str(parse_limit(info, value))
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    return pb.SetLimitRequest(
        scope=scope_message(where), is_default=where.is_default, limit=limit, value=number, reason=reason
    )
