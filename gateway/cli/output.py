"""Tables for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

from gateway.units import format_decimal, format_duration

_NEVER_FOLDED: Final = 2
"""Leading columns hold names that people copy."""

_WIDTH_ELSEWHERE: Final = 240
"""In a pipe or a file nothing needs to fold."""

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
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_ELSEWHERE
    if count:
        console.print(table)
    else:
        console.print(f"{title}: none")


def styled(text: str) -> str:
    """A state in its colour."""
    style = _STYLES.get(text)
    plain = text.replace("[", "\\[")
    return f"[{style}]{plain}[/]" if style else plain


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
