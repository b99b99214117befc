"""``riskgate unmatched``."""

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
from gateway.cli.output import amount, clock, print_json, print_table
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()

_NOT_KNOWN = "not known"
_EARLIER_RUN = "an earlier run"


@app.command()
def main(
    router: Annotated[str, typer.Option(help="Only this router's.")] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """List executions that no order explains: beyond an order's quantity, or of an order nobody here has sent."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.ListUnmatched(
            pb.ListUnmatchedRequest(router=router), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
        return
    print_table(
        "Unmatched executions",
        ("router", "parent", "symbol", "bought>", "sold>", "notional>", "executions>", "first seen", "last seen"),
        map(_row, answer.unmatched),
    )
    if answer.unmatched:
        typer.echo(f"{amount(answer.notional)} count against the firm's max_unmatched_notional")
    if answer.unlisted:
        typer.echo(f"{answer.unlisted:,} further executions are counted and not listed")


def _row(row: pb.UnmatchedExecutions) -> tuple[object, ...]:
    return (
        row.router or (_EARLIER_RUN if row.earlier_run else _NOT_KNOWN),
        row.parent_cl_ord_id,
        row.symbol,
        f"{row.bought_qty:,}",
        f"{row.sold_qty:,}",
        amount(row.notional),
        f"{row.executions:,}",
        clock(row.first_seen),
        clock(row.last_seen),
    )
