"""``riskgate evidence``: what a person needs to see of a halt."""

from collections.abc import Iterator
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
from gateway.cli.output import amount, clock, in_unit, print_json, print_table
from gateway.units import format_decimal
from gateway.wire import scope_text, state_text
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import types_pb2

app = typer.Typer()


@app.command()
def main(
    trip: Annotated[
        int, typer.Argument(min=1, max=LARGEST_NUMBER, help="The halt's trip, as `riskgate status` shows it.")
    ],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show the evidence of a halt: cause, culprit, its last steps, its peers, what is at stake, what to do."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.GetEvidence(
            pb.GetEvidenceRequest(trip_id=trip), timeout=DEADLINE, metadata=gateway.metadata
        )
    if output == "json":
        print_json(answer)
        return
    show(answer.evidence)


def show(evidence: pb.Evidence) -> None:
    """The whole card, for people."""
    typer.echo("\n".join(_head(evidence)) + "\n")
    print_table(
        f"{evidence.limit or 'Measure'} by router",
        ("router", "value>"),
        ((one.router, in_unit(one.value, evidence.unit)) for one in evidence.by_router),
    )
    stake = evidence.blast_radius
    print_table(
        f"Positions worth most, of {stake.position_count}",
        ("account", "symbol", "position>", "open buy>", "open sell>", "gross>"),
        (
            (
                p.account,
                p.symbol,
                f"{p.position:,}",
                f"{p.open_buy_qty:,}",
                f"{p.open_sell_qty:,}",
                amount(p.gross_notional),
            )
            for p in stake.positions
        ),
    )
    print_table(
        f"Last steps of {evidence.culprit or 'nobody'}",
        ("time", "what", "order", "seq>", "symbol", "side", "qty>", "price>", "reason"),
        (_step(step) for step in evidence.steps),
    )
    typer.echo(f"\nDo: {evidence.recommended_action}\n{evidence.does_not}")


def _head(evidence: pb.Evidence) -> Iterator[str]:
    trip, stake = evidence.trip, evidence.blast_radius
    yield f"Trip {trip.trip_id}: {scope_text(trip.scope)} {state_text(trip.state)} since {clock(trip.time)} UTC"
    yield f"by {trip.principal}: {trip.text}"
    yield f"culprit: {evidence.culprit or 'no router stands out'}"
    if evidence.HasField("first"):
        first = evidence.first
        parent = f", parent {first.parent_cl_ord_id}" if first.parent_cl_ord_id else ""
        yield f"first offence: order {first.cl_ord_id}{parent} at {clock(first.time)}, {first.count:,} in all"
    pace = f", losing {amount(stake.loss_per_second)} a second" if stake.loss_per_second else ""
    yield (
        f"at stake: {stake.open_orders:,} open orders, gross {amount(stake.gross_notional)}, "
        f"P&L {amount(stake.pnl)}{pace}"
    )


def _step(step: pb.RouterStep) -> tuple[object, ...]:
    side = types_pb2.Side.Name(step.side).removeprefix("SIDE_") if step.side else ""
    return (
        clock(step.time)[11:],
        step.what,
        step.cl_ord_id,
        step.client_seq or "",
        step.symbol,
        side,
        f"{step.qty:,}" if step.qty else "",
        format_decimal(step.price) if step.HasField("price") else "",
        step.reason,
    )
