"""The registry of order flags: which bit means what, in which version, from when to when, and who answers for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from pydantic import Field

from gateway.fleet.attributes import Text
from gateway.instruments import Name, StrictModel


class Flag(StrictModel):
    """One meaning of one bit of ``NewOrderSingle.order_flags``. A bit's earlier meanings stay listed as retired."""

    bit: int = Field(ge=0, le=63, examples=[0])
    name: Name = Field(examples=["RLP"])
    version: Text = Field(examples=["2"])
    owner: Text = Field(examples=["equities"])
    introduced: dt.date | None = Field(default=None, examples=["2012-07-27"])
    retired: dt.date | None = Field(default=None, examples=["2003-03-01"])
    readers: tuple[Text, ...] = Field(default=(), strict=False, examples=[["smars"]])

    def is_retired(self, day: dt.date) -> bool:
        """Whether it has no meaning any more on a day."""
        return self.retired is not None and self.retired <= day

    def is_planned(self, day: dt.date) -> bool:
        """Whether it has no meaning yet on a day."""
        return self.introduced is not None and self.introduced > day


def contradictions(flags: Sequence[Flag]) -> Iterator[tuple[int, str, str]]:
    """What cannot be, as place, complaint and mend: two meanings of a bit, or two of a name, at the same time."""
    for place, flag in enumerate(flags):
        if flag.introduced is not None and flag.retired is not None and flag.retired < flag.introduced:
            yield place, f"{flag.name} is retired before it is introduced", "give the dates the other way round"
        for other in flags[:place]:
            if other == flag:
                yield place, f"{flag.name} {flag.version} is listed twice", "take one of them out"
            elif flag.bit == other.bit and _overlap(flag, other):
                what = f"bit {flag.bit} means {other.name} {other.version} and {flag.name} {flag.version} at once"
                yield place, what, "give the new flag a bit of its own, or the old one the date it was `retired`"
            elif flag.name == other.name and _overlap(flag, other):
                what = f"{flag.name} is bit {other.bit} and bit {flag.bit} at once"
                yield place, what, "give each flag its own name, or the old one the date it was `retired`"


def _overlap(one: Flag, other: Flag) -> bool:
    """Whether there is a day on which both have a meaning; on the day it is retired a flag has none."""
    starts = max(one.introduced or dt.date.min, other.introduced or dt.date.min)
    ends = min(one.retired or dt.date.max, other.retired or dt.date.max)
    return starts < ends
