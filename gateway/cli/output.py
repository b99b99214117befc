"""Tables for people, JSON for programs."""

import datetime as dt
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gateway.units import NANO, format_decimal, format_duration

_NEVER_FOLDED: Final = 2
"""Leading columns hold names that people copy."""

_STYLES: Final = {"HALTED": "bold red", "CANCEL_ONLY": "red", "REDUCE_ONLY": "yellow", "ACTIVE": "green"}


def print_json(message: Message) -> None:
    """A whole answer as JSON: names of the proto files, 64-bit numbers as text (protobuf's JSON rules)."""
    fields = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    typer.echo(json.dumps(fields, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; columns whose name ends in ``>`` are right-aligned."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        side: Literal["left", "right"] = "right" if column.endswith(">") else "left"
        table.add_column(column.rstrip(">"), justify=side, overflow="fold", no_wrap=place < _NEVER_FOLDED)
    count = 0
    for row in rows:
        table.add_row(*(styled(str(cell)) for cell in row))
        count += 1
    report_console().print(table if count else f"{title}: none")


def report_console(*, width_elsewhere: int = 240) -> Console:
    """Standard output: as wide as the terminal; in a pipe or a file so wide that nothing needs to fold."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = width_elsewhere
    return console


def progress_bars() -> Progress:
    """Bars on standard error while a long command runs; none where that is no terminal."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description:>16}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def styled(text: str) -> Text:
    """A state in its colour, everything else as it is."""
    return Text(text, style=_STYLES.get(text, ""))


def clock(nanos: int) -> str:
    """A time of the gateway, UTC, to the millisecond."""
    seconds, rest = divmod(nanos, NANO)
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03d}"


def amount(text: str) -> str:
    """1e-9 decimal text as money."""
    return format_decimal(int(text)) if text else ""


def in_unit(text: str, unit: str) -> str:
    """A limit's number as people write it."""
    if not text:
        return ""
    match unit:
        case "money" | "price":
            return format_decimal(int(text))
        case "ns":
            return format_duration(int(text))
    return f"{int(text):,}"
