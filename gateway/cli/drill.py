"""``riskgate drill``: try the kill path, on a scope that nobody trades."""

import threading
import time
from typing import Annotated, Final

import typer

from gateway.cli.connection import (
    ADMIN_DEFAULT,
    DEADLINE,
    Admin,
    AdminOption,
    TokenFileOption,
    TokenOption,
    connect,
    read_token,
)
from gateway.cli.errors import CliError, ExitCode
from gateway.cli.halt import through_door
from gateway.wire import scope_of
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import order_entry_pb2, types_pb2

app = typer.Typer()

_REASON: Final = "drill of the kill path"
_CLEAN: Final = 5.0
"""Seconds until every order of the scope must be confirmed gone."""
_POLL: Final = 0.02


@app.command()
def main(
    scope: Annotated[str, typer.Argument(help="A scope that nobody trades, such as a strategy kept for drills.")],
    door: Annotated[str, typer.Option(help="Address of the native halt door.")],
    operator: Annotated[str, typer.Option(help="Your name, for the door.")],
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
) -> None:
    """Halt a test scope through the native door, see it come clean, and propose to reinstate it."""
    try:
        where = scope_of(scope)
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    request = order_entry_pb2.HaltRequest(
        scope=where,
        state=types_pb2.HALT_STATE_HALTED,
        operator=operator,
        token=read_token(token, token_file),
        reason=_REASON,
    )
    started = time.perf_counter()
    halted = through_door(door, request)
    latched = time.perf_counter() - started
    with connect(admin, token, token_file) as gateway:
        trip = _wait_until_clean(gateway, halted.trip_id)
        clean = time.perf_counter() - started
        proposal = gateway.stub.ProposeReinstate(
            pb.ProposeReinstateRequest(scope=where, trip_id=trip, reason=_REASON),
            timeout=DEADLINE,
            metadata=gateway.metadata,
        ).proposal_id
    typer.echo(
        f"{scope} was halted in {latched * 1_000:.1f} ms through the door at {door}, and clean after {clean * 1_000:.1f} ms "
        f"(trip {halted.trip_id}); a second person reinstates it: riskgate reinstate approve {proposal}"
    )


def _wait_until_clean(gateway: Admin, halted: int) -> int:
    """Until every order of the scope is confirmed gone; the trip to reinstate."""
    deadline = time.monotonic() + _CLEAN
    while True:
        status = gateway.stub.GetStatus(pb.GetStatusRequest(), timeout=DEADLINE, metadata=gateway.metadata)
        trip = next((t for t in status.trips if halted in {t.trip_id, t.newest_trip_id}), None)
        if trip is not None and trip.cancels_outstanding == 0:
            if trip.trip_id != halted:
                raise CliError(
                    f"the scope was halted before (trip {trip.trip_id}), so this was no drill; reinstate it first",
                    ExitCode.REFUSED,
                )
            return trip.newest_trip_id
        if time.monotonic() > deadline:
            raise CliError(
                f"trip {halted} is latched, but not clean after {_CLEAN:.0f} s: look at `riskgate status`",
                ExitCode.REFUSED,
            )
        threading.Event().wait(_POLL)
