"""``riskgate orders``."""

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
from gateway.cli.output import clock, print_json, print_table
from gateway.units import format_decimal
from gateway.wire import enum_text
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import types_pb2

app = typer.Typer()


@app.command()
def main(
    router: Annotated[str, typer.Option(help="Only this router's.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also the orders that are done.")] = False,  # noqa: FBT002 - a flag
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most this many, newest first.")] = 100,
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """List orders, newest first."""
    request = pb.ListOrdersRequest(router=router, open_only=not everything, limit=limit)
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListOrders(request, timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    print_table(
        "Orders" if everything else "Open orders",
        (
            "time",
            "router",
            "order",
            "account",
            "side",
            "qty>",
            "symbol",
            "price>",
            "filled>",
            "open>",
            "status",
            "parent",
        ),
        map(_row, answer.orders),
    )


def _row(order: pb.OrderStatus) -> tuple[object, ...]:
    status = "UNKNOWN" if order.unknown else enum_text(types_pb2.OrdStatus.Name(order.ord_status))
    return (
        clock(order.time)[11:],
        order.router,
        order.cl_ord_id,
        order.account,
        enum_text(types_pb2.Side.Name(order.side)),
        f"{order.order_qty:,}",
        order.symbol,
        format_decimal(order.price) if order.HasField("price") else "market",
        f"{order.cum_qty:,}",
        f"{order.leaves_qty:,}",
        status,
        order.parent_cl_ord_id,
    )
