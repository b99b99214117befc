"""``riskgate positions``."""

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
from gateway.cli.output import amount, print_json, print_table
from gateway.units import format_decimal
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()


@app.command()
def main(
    account: Annotated[str, typer.Option(help="Only this account's.")] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """List positions. P&L is what the loss limit sees; at the live touch it may look better."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListPositions(
            pb.ListPositionsRequest(account=account), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
        return
    print_table(
        "Positions",
        ("account", "symbol", "position>", "open buys>", "open sells>", "mark>", "in", "P&L>", "P&L at touch>"),
        (
            (
                p.account,
                p.symbol,
                f"{p.position:,}",
                f"{p.open_buy_qty:,}",
                f"{p.open_sell_qty:,}",
                format_decimal(p.mark),
                p.currency,
                amount(p.pnl),
                amount(p.pnl_at_touch),
            )
            for p in answer.positions
        ),
    )
