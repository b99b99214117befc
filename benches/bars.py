"""What every bench reports in: bars that must hold, tables, histograms, and the machine and commit they are true of.

A bar compares two sides measured in turn (ours, theirs, ours, theirs, ...): each round has a ratio of its own, and what is
judged is the median of the rounds' ratios. One slow round, on either side, then cannot decide it, and `min` and `max`
show how far apart the rounds were.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Literal, NamedTuple

from benches import facts

FORMAT: Final = 1

Cell = str | int | float | None
Cells = list[list[Cell]]
Relation = Literal["<=", ">="]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a bar."""

    ran: str
    """What it ran, in words that let a reader object: which checks were on, what was timed."""
    median: float
    """Of the rounds, in the bar's unit."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours over theirs, round by round."""

    median: float
    min: float
    max: float
    bound: float
    relation: Relation
    holds: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of what must hold."""

    name: str
    unit: str
    """Of the medians of both sides: `ns/order`, `orders/s`, `bytes`, ..."""
    ratio: Ratio
    ours: Side
    theirs: Side


class Measured(NamedTuple):
    """One side's figure of each round, and what it ran."""

    ran: str
    rounds: Sequence[float]


def bar(
    name: str, ours: Measured, theirs: Measured, *, bound: float, unit: str = "ns", relation: Relation = "<="
) -> Bar:
    """A bar from two sides that were measured in turn, one figure of each for every round.

    Raises:
        ValueError: The sides have not the same number of rounds, or none, or theirs has a figure that is not positive.
    """
    if len(ours.rounds) != len(theirs.rounds) or not ours.rounds:
        raise ValueError(f"{name}: {len(ours.rounds)} rounds of ours and {len(theirs.rounds)} of theirs are no pairs")
    if min(theirs.rounds) <= 0:
        raise ValueError(f"{name}: the other side took {min(theirs.rounds)}: nothing can be compared with that")
    ratios = [mine / other for mine, other in zip(ours.rounds, theirs.rounds, strict=True)]
    median = statistics.median(ratios)
    holds = median <= bound if relation == "<=" else median >= bound
    return Bar(
        name,
        unit,
        Ratio(median, min(ratios), max(ratios), bound, relation, holds),
        Side(ours.ran, statistics.median(ours.rounds)),
        Side(theirs.ran, statistics.median(theirs.rounds)),
    )


def absolute(name: str, ours: Measured, *, most: float, unit: str) -> Bar:
    """A bar against a figure instead of another side; its ratio is the share of it that is used.

    Of nothing there is no share: with `most` 0 the ratio is the figure itself.
    """
    bound = 1.0 if most else 0.0
    return bar(name, ours, Measured("the bound", [most or 1.0] * len(ours.rounds)), bound=bound, unit=unit)


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that nothing is demanded of."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often something took how long: a mean would hide what one order in a thousand waits."""

    title: str
    unit: str
    percentiles: Mapping[str, float]
    """`p50`, `p90`, `p99`, `p99.9`, `max`."""
    counts: Sequence[tuple[float, int]]
    """Upper edge of a bucket and how many fell into it, rising; empty buckets may be left out."""


def percentile(counts: Sequence[tuple[float, int]], share: float) -> float:
    """The value that so large a share of all is at or below; `counts` rise."""
    wanted = share * sum(count for _, count in counts)
    for value, count in counts:
        wanted -= count
        if wanted <= 0:
            return value
    raise ValueError("nothing was counted")


STEPS: Final = 1.15
"""From one edge of a histogram's buckets to the next: fine enough for a picture."""


def histogram(title: str, unit: str, counts: Sequence[tuple[float, int]]) -> Histogram:
    """A histogram from values and how often each was measured, rising."""
    buckets: list[tuple[float, int]] = []
    edge = 0.0
    for value, count in counts:
        if value > edge:
            edge = STEPS ** math.ceil(math.log(max(value, 1), STEPS))
            buckets.append((edge, 0))
        buckets[-1] = (edge, buckets[-1][1] + count)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return Histogram(title, unit, {name: percentile(counts, share) for name, share in shares.items()}, buckets)


@dataclass(frozen=True, slots=True)
class Document:
    """What one bench found, or all of them together."""

    method: Mapping[str, Sequence[str]]
    """Bench -> how it measured, one sentence each."""
    bars: Sequence[Bar] = ()
    tables: Sequence[Table] = ()
    histograms: Sequence[Histogram] = ()
    skipped: Sequence[str] = ()
    """What was not measured, and why."""
    machine: Mapping[str, object] = field(default_factory=facts.machine)
    commit: Mapping[str, object] = field(default_factory=facts.commit)

    def to_json(self) -> str:
        """The document as text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)

    @staticmethod
    def from_json(text: str) -> Document:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: It is not such a document, or of another format.
        """
        given = json.loads(text)
        if not isinstance(given, dict) or given.pop("format", None) != FORMAT:
            raise ValueError(f"not a bench document of format {FORMAT}")
        sides = (
            {**b, "ratio": Ratio(**b["ratio"]), **{s: Side(**b[s]) for s in ("ours", "theirs")}} for b in given["bars"]
        )
        return Document(
            **{
                **given,
                "bars": [Bar(**one) for one in sides],
                "tables": [Table(**one) for one in given["tables"]],
                "histograms": [Histogram(**one) for one in given["histograms"]],
            }
        )


def merge(documents: Iterable[Document]) -> Document:
    """One document of several that one run wrote, on one machine and of one commit."""
    all_of = list(documents)
    return Document(
        method={name: lines for one in all_of for name, lines in one.method.items()},
        bars=[b for one in all_of for b in one.bars],
        tables=[t for one in all_of for t in one.tables],
        histograms=[h for one in all_of for h in one.histograms],
        skipped=[s for one in all_of for s in one.skipped],
    )


def text(document: Document) -> str:
    """The document for a terminal."""
    lines = [one_line(bar) for bar in document.bars]
    for table in document.tables:
        cells = [[*table.columns], *([cell(value) for value in row] for row in table.rows)]
        widths = [max(len(row[n]) for row in cells) for n in range(len(table.columns))]
        lines += ["", table.title]
        lines += ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in cells]
        lines += [table.note] if table.note else []
    lines += [f"not measured: {what}" for what in document.skipped]
    return "\n".join(lines)


def report(document: Document, form: Literal["table", "json"]) -> int:
    """Prints the document. 0: whether bars hold is for the reader of a figure to act on, not for the run that found it."""
    print(document.to_json() if form == "json" else text(document))
    return 0


def one_line(bar: Bar) -> str:
    """A bar in a line: whether it holds, how far it is from its bound, and both sides."""
    ratio = bar.ratio
    verdict = "holds " if ratio.holds else "FAILS "
    return (
        f"{verdict} {bar.name}: {ratio.median:.3g} ({ratio.min:.3g} to {ratio.max:.3g}), must be {ratio.relation} {ratio.bound:g}"
        f"; {cell(bar.ours.median)} against {cell(bar.theirs.median)} {bar.unit}"
    )


def cell(value: Cell) -> str:
    """A figure for people: large ones without fraction, small ones with three digits."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value
