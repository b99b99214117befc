"""``riskgate events``: follow what happens."""

import json
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict

from gateway.cli.connection import (
    ADMIN_DEFAULT,
    LARGEST_NUMBER,
    AdminOption,
    OutputOption,
    TokenFileOption,
    TokenOption,
    connect,
)
from gateway.cli.output import clock
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()


@app.command()
def main(
    after: Annotated[int, typer.Option(min=0, max=LARGEST_NUMBER, help="Begin after this sequence number.")] = 0,
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Follow halts, limit changes, sessions, venue and alarms until Ctrl-C; with `--output json` one object a line."""
    with connect(admin, token, token_file) as gateway:
        for event in gateway.stub.StreamEvents(pb.StreamEventsRequest(after_seq=after), metadata=gateway.metadata):
            typer.echo(_line(event, output))


def _line(event: pb.StreamEventsResponse, output: str) -> str:
    if output == "json":
        return json.dumps(MessageToDict(event, preserving_proto_field_name=True))
    missed = f"({event.missed} events missed) " if event.missed else ""
    return f"{clock(event.time)} {event.seq:>8} {event.kind:<10} {missed}{event.text}"
