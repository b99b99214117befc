"""The report: one HTML file with its pictures inside, which needs nothing else to be read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from benches.bars import Bar, Cells, Document, Histogram, Table, cell

WIDTH: Final = 720
ROW: Final = 46
LEAST, MOST = 0.01, 10.0
"""The ends of the scale of bars, in parts of the bound."""

STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #1b2330; }
table { border-collapse: collapse; font-size: 13px; margin: .5rem 0 2rem; }
th, td { padding: .15rem .6rem; border-bottom: 1px solid #e3e6ec; text-align: right; vertical-align: top; }
th:first-child, td:first-child, td.words { text-align: left; }
svg text { font: 12px system-ui, sans-serif; fill: #1b2330; }
.holds { fill: #2f8f5b; } .fails { fill: #c2423a; } .bound { stroke: #1b2330; stroke-width: 2; } .spread { stroke: #1b2330; }
.bucket { fill: #4470b8; } .quiet { fill: #6a7485 !important; } .pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
"""


def html(document: Document) -> str:
    """The report."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>riskgate: benchmarks</title>',
        f"<style>{STYLE}</style></head><body><h1>riskgate: benchmarks</h1>",
        _facts("Machine", document.machine),
        _facts("Commit", document.commit),
        (
            "<h2>What must hold</h2><p>Each bar is the median ratio in parts of its bound, on a logarithmic scale; the thin line goes "
            "from the least round to the greatest, the thick one is the bound. Left of it holds, or right of it where more is "
            "better.</p>"
        ),
        bars(document.bars),
        _table(_ran(document.bars)),
        *(f"<p>Not measured: {escape(what)}</p>" for what in document.skipped),
        '<h2>Histograms</h2><div class="pictures">',
        *map(histogram, document.histograms),
        "</div>",
        *(f"<h2>{escape(table.title)}</h2>{_table(table)}<p>{escape(table.note)}</p>" for table in document.tables),
        "<h2>Method</h2>",
        *(f"<h3>{escape(name)}</h3><ul>{_items(lines)}</ul>" for name, lines in document.method.items()),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def bars(all_of: Sequence[Bar]) -> str:
    """All bars, one below the other."""
    height = ROW * len(all_of) + 24
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">']
    for number, bar in enumerate(all_of):
        ratio, top = bar.ratio, ROW * number + 4
        what = f"{bar.name}: {ratio.median:.3g}, must be {ratio.relation} {ratio.bound:g}"
        parts += [
            f'<text x="0" y="{top + 12}">{escape(what)}</text>',
            (
                f'<rect x="0" y="{top + 18}" width="{_at(ratio.median, ratio.bound):.1f}" height="12" '
                f'class="{"holds" if ratio.holds else "fails"}"/>'
            ),
            (
                f'<line x1="{_at(ratio.min, ratio.bound):.1f}" x2="{_at(ratio.max, ratio.bound):.1f}" y1="{top + 24}" '
                f'y2="{top + 24}" class="spread"/>'
            ),
            (
                f'<line x1="{_at(ratio.bound, ratio.bound):.1f}" x2="{_at(ratio.bound, ratio.bound):.1f}" y1="{top + 15}" '
                f'y2="{top + 33}" class="bound"/>'
            ),
        ]
    return "".join([*parts, "</svg>"])


def _at(ratio: float, bound: float) -> float:
    """Where a ratio is drawn. Of a bound of nothing, nothing is at the left and anything at the right."""
    part = ratio / bound if bound else (MOST if ratio else LEAST)
    share = math.log(min(max(part, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return share * WIDTH


def histogram(of: Histogram) -> str:
    """One histogram, on a logarithmic scale of time; the slowest part in ten thousand is cut off and told in words."""
    total = sum(count for _, count in of.counts)
    shown, seen = [], 0
    for edge, count in of.counts:
        shown.append((edge, count))
        seen += count
        if seen >= total * 0.9999:
            break
    width, height = 350, 120
    highest = max(count for _, count in shown)
    low, high = math.log(shown[0][0] / 1.15), math.log(shown[-1][0] * 1.01)
    step = math.log(1.15) / (high - low) * width

    def x(value: float) -> float:
        return (math.log(max(value, 1e-9)) - low) / (high - low) * width

    parts = [f'<svg viewBox="0 0 {width} {height + 50}" width="{width}" height="{height + 50}" role="img">']
    parts.append(f'<text x="0" y="12">{escape(of.title)}</text>')
    for edge, count in shown:
        tall = count / highest * (height - 20)
        left = x(edge) - step
        parts.append(
            f'<rect x="{left:.1f}" y="{height - tall:.1f}" width="{step * 0.9:.1f}" height="{tall:.1f}" class="bucket"/>'
        )
    shares = ", ".join(f"{name} {cell(round(value))}" for name, value in of.percentiles.items())
    parts.append(f'<text x="0" y="{height + 16}" class="quiet">{cell(round(shown[0][0]))} {of.unit}</text>')
    parts.append(
        f'<text x="{width}" y="{height + 16}" text-anchor="end" class="quiet">{cell(round(shown[-1][0]))} {of.unit}</text>'
    )
    parts.append(f'<text x="0" y="{height + 36}" class="quiet">{escape(shares)}</text></svg>')
    return "".join(parts)


def _facts(title: str, facts: object) -> str:
    pairs = facts.items() if isinstance(facts, dict) else ()
    return f"<p><b>{title}</b>: {escape(', '.join(f'{name} {value}' for name, value in pairs))}</p>"


def _ran(all_of: Iterable[Bar]) -> Table:
    rows: Cells = [
        [
            bar.name,
            bar.ratio.median,
            bar.ratio.min,
            bar.ratio.max,
            bar.ratio.bound,
            bar.ours.ran,
            bar.ours.median,
            bar.theirs.ran,
            bar.theirs.median,
            bar.unit,
        ]
        for bar in all_of
    ]
    columns = ["bar", "ratio", "least", "greatest", "bound", "ours", "median", "theirs", "median", "unit"]
    return Table("", columns, rows)


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    return f"<table><tr>{head}</tr>{lines}</table>"


def _cell(value: str | float | None) -> str:
    kind = ' class="words"' if isinstance(value, str) else ""
    return f"<td{kind}>{escape(cell(value))}</td>"


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)
