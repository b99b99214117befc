"""How the command line reaches a gateway's Admin service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import grpc
import typer

from gateway.cli.errors import CliError, ExitCode
from riskgate.v1 import admin_pb2_grpc

TOKEN_VARIABLE: Final = "RISKGATE_TOKEN"  # noqa: S105 - the name of a variable, not a token

DEADLINE: Final = 5.0
"""Seconds a call may take; the gateway answers in milliseconds, so more means that it hangs."""

LARGEST_NUMBER: Final = 2**64 - 1
"""Of a trip, a proposal, a finding or an event."""

_MAX_ANSWER: Final = 64 * 1024 * 1024

_CODES: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: ExitCode.BAD_INPUT,
    grpc.StatusCode.FAILED_PRECONDITION: ExitCode.REFUSED,
    grpc.StatusCode.UNAUTHENTICATED: ExitCode.NOT_PERMITTED,
    grpc.StatusCode.PERMISSION_DENIED: ExitCode.NOT_PERMITTED,
    grpc.StatusCode.UNAVAILABLE: ExitCode.UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: ExitCode.UNREACHABLE,
}

AdminOption = Annotated[str, typer.Option("--admin", help="Address of the gateway's Admin service.")]
TokenOption = Annotated[
    str, typer.Option("--token", envvar=TOKEN_VARIABLE, show_envvar=True, help="Your operator token.")
]
TokenFileOption = Annotated[Path | None, typer.Option("--token-file", help="File that holds your operator token.")]
OutputOption = Annotated[Literal["table", "json"], typer.Option("--output", "-o", help="For people, or for programs.")]

ADMIN_DEFAULT: Final = "127.0.0.1:7003"


@dataclass(frozen=True, slots=True)
class Admin:
    """A connection with the operator's token."""

    stub: admin_pb2_grpc.AdminStub
    metadata: tuple[tuple[str, str], ...]


@contextmanager
def connect(address: str, token: str, token_file: Path | None) -> Iterator[Admin]:
    """A connection for one command; RPC errors become one line and an exit code.

    Raises:
        CliError: no token, the gateway is not reachable, or it refused.
    """
    metadata = (("authorization", f"Bearer {read_token(token, token_file)}"),)
    with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", _MAX_ANSWER)]) as channel:
        try:
            yield Admin(admin_pb2_grpc.AdminStub(channel), metadata)
        except grpc.RpcError as error:
            raise refused(error, address) from error


def read_token(token: str, token_file: Path | None) -> str:
    """The token given, or the one in the file.

    Raises:
        CliError: neither was given, or the file cannot be read.
    """
    if token_file is not None:
        try:
            token = token_file.read_text().strip()
        except OSError as error:
            raise CliError(f"{token_file} cannot be read ({error.strerror}); check the path", ExitCode.USAGE) from error
    if not token:
        raise CliError(
            f"no token; give your operator token with --token-file FILE or in {TOKEN_VARIABLE}", ExitCode.NOT_PERMITTED
        )
    if not token.isascii() or not token.isprintable():
        raise CliError("the token holds characters no token has; check what you passed", ExitCode.NOT_PERMITTED)
    return token


def refused(error: grpc.RpcError, address: str, option: str = "--admin") -> CliError:
    """An RPC error as a line for people; ``option`` named the address."""
    call: Any = error  # what grpcio raises is also a grpc.Call, which its types do not say
    code: grpc.StatusCode = call.code()
    details: str = call.details() or code.name
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            details = f"no gateway answers at {address} ({_short(details)}); is it running, and is {option} right?"
        case grpc.StatusCode.UNAUTHENTICATED if option == "--admin":
            details = f"no operator has this token; give yours with --token-file FILE or in {TOKEN_VARIABLE}"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            details = (
                f"the gateway at {address} did not answer within {DEADLINE:.0f} s; its control plane may hang: "
                "`riskgate halt --door ADDRESS` still works"
            )
    return CliError(details, _CODES.get(code, ExitCode.INTERNAL))


def _short(details: str) -> str:
    """Grpc's own words, without its list of every address tried."""
    return details.rsplit(": ", 1)[-1][:80].rstrip("]")
