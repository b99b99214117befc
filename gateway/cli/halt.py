"""``riskgate halt``: block a scope and cancel what rests in it."""

from typing import Annotated

import grpc
import typer

from gateway.cli.connection import (
    ADMIN_DEFAULT,
    DEADLINE,
    AdminOption,
    OutputOption,
    TokenFileOption,
    TokenOption,
    connect,
    read_token,
    refused,
)
from gateway.cli.errors import CliError, ExitCode
from gateway.cli.output import print_json
from gateway.wire import scope_of, state_of
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import order_entry_pb2, order_entry_pb2_grpc

app = typer.Typer()


@app.command()
def main(  # noqa: PLR0913, PLR0917 - the options of a command
    scope: Annotated[str, typer.Argument(help="firm, router:NAME, account:NAME, symbol:NAME, strategy:NAME, ...")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded and shown to everyone.")],
    state: Annotated[str, typer.Option(help="reduce-only, cancel-only or halted.")] = "halted",
    door: Annotated[
        str, typer.Option(help="Use the native halt door at this address instead of Admin; needs --operator.")
    ] = "",
    operator: Annotated[str, typer.Option(help="Your name, for --door.")] = "",
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Halt a scope. It is in force when this returns; `riskgate status` shows the cancels being confirmed."""
    try:
        where, severity = scope_of(scope), state_of(state)
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    if door:
        request = order_entry_pb2.HaltRequest(
            scope=where, state=severity, operator=operator, token=read_token(token, token_file), reason=reason
        )
        _print(scope, state, through_door(door, request), output)
        return
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.HaltScope(
            pb.HaltScopeRequest(scope=where, state=severity, reason=reason), timeout=DEADLINE, metadata=gateway.metadata
        )
    _print(scope, state, answer, output)


def through_door(door: str, request: order_entry_pb2.HaltRequest) -> order_entry_pb2.HaltResponse:
    """The door that works while the control plane hangs."""
    if not request.operator:
        raise CliError("--door needs --operator NAME: the door asks who halts", ExitCode.USAGE)
    with grpc.insecure_channel(door) as channel:
        try:
            return order_entry_pb2_grpc.EmergencyHaltStub(channel).Halt(request, timeout=DEADLINE)
        except grpc.RpcError as error:
            raise refused(error, door, "--door") from error


def _print(scope: str, state: str, answer: pb.HaltScopeResponse | order_entry_pb2.HaltResponse, output: str) -> None:
    if output == "json":
        print_json(answer)
        return
    left = f"{answer.open_orders} resting orders are being cancelled" if answer.open_orders else "no order was resting"
    typer.echo(f"{scope} is {state.upper().replace('-', '_')} (trip {answer.trip_id}); {left}")
