"""``riskgate explain``: what every check says of an order, with its inputs, limits and headroom. Changes nothing."""

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
from gateway.cli.output import amount, in_unit, print_json, print_table
from gateway.problems import closest
from gateway.units import PRICE_MAX, format_decimal, parse_decimal
from gateway.wire import scope_text
from riskgate.v1 import explain_pb2 as pb
from riskgate.v1 import types_pb2

app = typer.Typer()

_SIDES = {
    "buy": types_pb2.SIDE_BUY,
    "sell": types_pb2.SIDE_SELL,
    "short": types_pb2.SIDE_SELL_SHORT,
    "short_exempt": types_pb2.SIDE_SELL_SHORT_EXEMPT,
}


@app.command()
def explain(  # noqa: PLR0913, PLR0917 - the options of a command
    router: Annotated[str, typer.Argument(help="The router that sent the order, or would.")],
    order: Annotated[str, typer.Option(help="The ClOrdID of an order of today that was accepted.")] = "",
    account: Annotated[str, typer.Option(help="Account of an order not sent.")] = "",
    side: Annotated[str, typer.Option(help="buy, sell, short or short_exempt.")] = "buy",
    qty: Annotated[int, typer.Option(min=-(2**63), max=2**63 - 1, help="Quantity.")] = 0,
    symbol: Annotated[str, typer.Option(help="Symbol.")] = "",
    price: Annotated[str, typer.Option(help="Limit price, such as 100.02; without it a market order.")] = "",
    parent: Annotated[str, typer.Option(help="Parent order.")] = "",
    strategy: Annotated[str, typer.Option(help="Strategy.")] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Explain an order: `--order ID` for one that was accepted, or `--account --side --qty --symbol --price`."""
    request = pb.ExplainOrderRequest(router=router, cl_ord_id=order)
    if not order:
        _describe(request, account, side, qty, symbol, price)
        request.parent_cl_ord_id, request.strategy = parent, strategy
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ExplainOrder(request, timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    typer.echo(_verdict(answer))
    if answer.worth.currency:
        typer.echo(_worth(answer.worth))
    print_table(
        f"Checks, limits version {answer.limit_version}",
        ("check", "verdict", "scope", "limit", "bound>", "value>", "left>", "unit", "at the bound"),
        (row for check in answer.checks for row in _rows(check)),
    )


def _describe(request: pb.ExplainOrderRequest, account: str, side: str, qty: int, symbol: str, price: str) -> None:
    for option, given in (("--account", account), ("--symbol", symbol), ("--qty", qty)):
        if not given:
            raise CliError(
                f"{option} is missing; describe the order with --account --side --qty --symbol [--price], "
                "or name one that was accepted with --order",
                ExitCode.BAD_INPUT,
            )
    if side not in _SIDES:
        raise CliError(f'--side: "{side}" is no side; {closest(side, list(_SIDES), noun="side")}', ExitCode.BAD_INPUT)
    request.account, request.symbol, request.order_qty, request.side = account, symbol, qty, _SIDES[side]
    request.ord_type = types_pb2.ORD_TYPE_LIMIT if price else types_pb2.ORD_TYPE_MARKET
    if price:
        try:
            request.price = parse_decimal(price, maximum=PRICE_MAX)
        except ValueError as error:
            raise CliError(f"--price: {error}", ExitCode.BAD_INPUT) from error


def _verdict(answer: pb.ExplainOrderResponse) -> str:
    if answer.accepted:
        return "every check passes it"
    reject = answer.reject
    where = f" by {scope_text(reject.scope)}" if reject.HasField("scope") else ""
    if not reject.unit:
        return f"refused{where}: {reject.name}"
    value, limit = in_unit(reject.value, reject.unit), in_unit(reject.limit, reject.unit)
    return f"refused{where}: {reject.name}, {value} of {limit} {reject.unit}"


def _worth(worth: pb.OrderWorth) -> str:
    price = format_decimal(worth.risk_price) if worth.HasField("risk_price") else "no price"
    rate, notional = format_decimal(worth.rate), amount(worth.notional)
    return f"valued at {price} {worth.currency}, at a rate of {rate}: {notional} in base currency"


def _rows(check: pb.ExplainedCheck) -> list[tuple[str, ...]]:
    verdict = check.reject.name if check.HasField("reject") else "passes"
    if check.overridden:
        verdict += " (overridden)"
    if not check.bounds:
        return [(check.check, verdict, "", "", "", "", "", "", "")]
    return [
        (
            check.check,
            verdict,
            scope_text(bound.scope),
            bound.limit,
            in_unit(bound.bound, bound.unit),
            in_unit(bound.value, bound.unit),
            in_unit(bound.headroom, bound.unit),
            bound.unit,
            bound.action,
        )
        for bound in check.bounds
    ]
