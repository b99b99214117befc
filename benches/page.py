"""The page of the documentation with the latest result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benches.bars import Bar, Document, Table, cell

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "reference" / "benchmarks.md"
LONG: Final = 24
"""Rows of a table above which only the report has all of it."""

HEAD: Final = """<!-- Written by `make bench` from benches/results/latest.json; change the text in benches/page.py. -->

# Benchmarks

What must hold of speed and memory, and the latest committed result. [The report](../../benches/results/latest.html) has the
histograms and every row; [the result](../../benches/results/latest.json) is for programs; what is measured how is in
[benches/README.md](../../benches/README.md).

## How to repeat it

```console
$ make bench                                # everything: some twelve minutes; writes the result, the report and this page
$ riskgate bench core --output json         # one of core, gateway, journal, recovery; writes nothing
$ riskgate bench core --quick               # shows that it runs; its figures say nothing
```

It needs cargo and, the first time, a registry for the libraries that are compared with, each pinned: Rust's in
`benches/Cargo.lock`, Python's in environments of their own (`.cache/bench/`, from `benches/peers/*.txt`). Nothing of them reaches
the product. Run it on a machine that does nothing else.

A bar is measured in rounds in which both sides take turns; each round has its ratio, and the median of the ratios is held
against the bound. `from` and `to` are the least and the greatest round. Why some fail, what was tried, and what the machine itself
takes: [core](../adr/0009-headroom-instead-of-asking.md), [order path](../adr/0010-what-the-order-path-costs.md),
[embedding](../adr/0012-what-a-call-from-python-costs.md).

A flood of ten minutes (`bench_gateway.py --minutes 10`) is a run of its own: its latest
[latencies](../../benches/results/flood-latency.svg) and its [memory](../../benches/results/flood-memory.svg), second by second.
"""


def markdown(document: Document) -> str:
    """The page."""
    parts = [HEAD, *_facts(document), "## What must hold\n", _bars(document.bars), *_ran(document.bars)]
    parts += [f"Not measured: {what}\n" for what in document.skipped]
    for table in document.tables:
        parts += [f"## {table.title}\n", _table(table), *([f"{table.note}\n"] if table.note else [])]
    parts.append("## Method\n")
    for name, lines in document.method.items():
        parts += [f"**{name}**\n", "\n".join(f"- {line}" for line in lines) + "\n"]
    return "\n".join(parts)


def _facts(document: Document) -> list[str]:
    machine, commit = document.machine, document.commit
    changed = ", with files changed since" if commit["changed_files"] else ""
    virtual = ", a virtual machine" if machine["virtual"] else ""
    guided = (
        "native module and bare proxy guided by profiles of themselves" if commit.get("guided") else "no profile used"
    )
    return [
        "## The latest result\n",
        (
            f"Commit `{str(commit['hash'])[:12]}`{changed}, measured {commit['measured_at']} on {machine['cpu']}, "
            f"{machine['cpus']} processors{virtual}, {machine['memory_mib']} MiB, {machine['kernel']}, Python "
            f"{machine['python']}, {machine['rustc']}, {guided}, load average {machine['load_average']}.\n"
        ),
    ]


def _bars(bars: Sequence[Bar]) -> str:
    rows = [
        [
            bar.name,
            f"**{bar.ratio.median:.3g}**",
            f"{bar.ratio.min:.3g}",
            f"{bar.ratio.max:.3g}",
            f"{bar.ratio.relation} {bar.ratio.bound:g}",
            "holds" if bar.ratio.holds else "**fails**",
            f"{cell(bar.ours.median)} against {cell(bar.theirs.median)} {bar.unit}",
        ]
        for bar in bars
    ]
    return _lines(["bar", "ratio", "from", "to", "bound", "", "medians"], rows)


def _ran(bars: Sequence[Bar]) -> list[str]:
    return [f"- **{bar.name}**: {bar.ours.ran}, against {bar.theirs.ran}." for bar in bars] + [""]


def _table(table: Table) -> str:
    shown = _lines(table.columns, [[cell(value) for value in row] for row in table.rows[:LONG]])
    left = len(table.rows) - LONG
    return shown + (f"\n{left} more rows are in the report.\n" if left > 0 else "")


def _lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([value.replace("|", "\\|") for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
