"""``riskgate fleet``: what every router runs, and the odd one out."""

from collections.abc import Iterable, Iterator
from typing import Final

import typer
from rich.table import Table
from rich.text import Text

from gateway.cli.connection import (
    ADMIN_DEFAULT,
    DEADLINE,
    AdminOption,
    OutputOption,
    TokenFileOption,
    TokenOption,
    connect,
)
from gateway.cli.output import print_json, print_table, report_console
from riskgate.v1 import admin_pb2 as pb

app = typer.Typer()

COLUMNS: Final = (
    "host",
    "build",
    "binary_sha256",
    "vcs_commit",
    "build_time",
    "config_hash",
    "feature_flags",
    "schema_revision",
    "environment",
    "deploy_id",
)
_SHOWN: Final = 12
"""Characters of a hash that people compare."""

_ODD: Final = "bold red"
_PRESENCE: Final = {"connected": "green", "missing": "bold red", "refused": "bold red"}


@app.command()
def main(
    admin: AdminOption = ADMIN_DEFAULT,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    output: OutputOption = "table",
) -> None:
    """Show what every router runs, compared with the manifest or, without one, with most of the others."""
    with connect(admin, token, token_file) as gateway:
        answer = gateway.stub.GetFleet(pb.GetFleetRequest(), timeout=DEADLINE, metadata=gateway.metadata)
    if output == "json":
        print_json(answer)
        return
    report_console().print(_matrix(answer))
    if answer.incidents:
        print_table(
            "Open incidents: these builds may not log on",
            ("trip>", "router", "build", "reason", "also run by"),
            ((i.trip_id, i.router, short(i.build), i.reason, ", ".join(i.suspects)) for i in answer.incidents),
        )
    for finding in answer.findings:
        typer.echo(finding)
    if not answer.findings:
        typer.echo("every router is there and runs the same" + (", as the manifest says" * answer.has_manifest))


def _matrix(answer: pb.GetFleetResponse) -> Table:
    against = "the signed manifest" if answer.has_manifest else "most of the others; no manifest"
    table = Table(
        title=f"Fleet, compared with {against}",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    columns = [name for name in COLUMNS if any(name in row.attributes or _is_odd(row, name) for row in answer.rows)]
    for name in ("router", "session", *columns):
        table.add_column(name, overflow="fold", no_wrap=name in ("router", "session"))
    for row in answer.rows:
        table.add_row(*_cells(row, columns))
    return table


def _cells(row: pb.FleetRow, columns: Iterable[str]) -> Iterator[Text]:
    odd = bool(row.differences) or row.presence == "missing"
    yield Text(row.router, style=_ODD if odd else "")
    yield Text(row.presence + (", canary" if row.canary else ""), style=_PRESENCE.get(row.presence, ""))
    for name in columns:
        value = short(row.attributes.get(name, ""))
        yield Text(f"{value or 'none'} *", style=_ODD) if _is_odd(row, name) else Text(value)


def _is_odd(row: pb.FleetRow, name: str) -> bool:
    return any(difference.attribute == name for difference in row.differences)


def short(value: str) -> str:
    """A hash cut to what people compare; anything else as it is."""
    is_hash = len(value) >= 32 and all(digit in "0123456789abcdef" for digit in value)
    return value[:_SHOWN] if is_hash else value
