"""One side of a comparison, in an interpreter of its own: does so many orders when it is told to, and says how long it took.

It prints what its sides are, as a line of JSON; then it reads lines of a side's name and a number of orders, and answers
each with nanoseconds per order. Nothing but the standard library is needed: each side runs in an environment of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Side(NamedTuple):
    """What can be asked for."""

    ran: str
    """What it checks, and what is timed."""
    work: Callable[[int], int]
    """Decides so many orders; nanoseconds for all of them."""


def serve(sides: Mapping[str, Side]) -> None:
    """Takes turns until standard input ends."""
    print(json.dumps({name: side.ran for name, side in sides.items()}), flush=True)
    for line in sys.stdin:
        name, orders = line.rsplit(maxsplit=1)
        print(sides[name].work(int(orders)) / int(orders), flush=True)
