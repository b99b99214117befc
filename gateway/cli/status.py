"""``riskgate status``."""

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
from gateway.wire import scope_text, state_text
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()


@app.command()
def main(
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show the gateway's state, its routers and every halt."""
    with connect(admin, token, token_file) as gateway:
        status = gateway.stub.GetStatus(pb.GetStatusRequest(), timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(status)
        return
    _head(status)
    print_table(
        "Routers",
        ("router", "state", "session", "build", "accepted>", "rejected>", "open>", "P&L>", "gross>", "turnover>"),
        (_router(router) for router in status.routers),
    )
    print_table("Halts", ("trip>", "scope", "state", "since", "by", "why", "to cancel>"), map(_trip, status.trips))


def _head(status: pb.GetStatusResponse) -> None:
    venue = "connected" if status.venue_connected else "NOT CONNECTED"
    reconciled = "" if status.venue_reconciled else ", not reconciled"
    money = f", limits in {status.base_currency}" if status.base_currency else ""
    typer.echo(
        f"riskgate {status.version}, epoch {status.epoch}, trading day {status.trading_day}, {clock(status.time)} UTC{money}\n"
        f"firm {state_text(status.firm_state)}, venue {venue}{reconciled}; "
        f"{status.orders_accepted:,} orders accepted, {status.orders_rejected:,} rejected, "
        f"{status.open_orders:,} open, {status.unknown_orders:,} unknown\n"
        f"records to {status.journal}: {status.last_seq:,} appended, {status.durable_seq:,} durable\n"
    )


def _router(router: pb.RouterStatus) -> tuple[object, ...]:
    return (
        router.router,
        state_text(router.state),
        "up" if router.connected else "down",
        router.build,
        f"{router.orders_accepted:,}",
        f"{router.orders_rejected:,}",
        f"{router.open_orders:,}",
        amount(router.pnl),
        amount(router.gross_notional),
        amount(router.turnover),
    )


def _trip(trip: pb.Trip) -> tuple[object, ...]:
    since = clock(trip.time)[11:]
    return (
        trip.newest_trip_id or trip.trip_id,
        scope_text(trip.scope),
        state_text(trip.state),
        since,
        trip.principal,
        trip.text,
        trip.cancels_outstanding,
    )
