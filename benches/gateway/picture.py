"""The long flood as pictures: latency and memory, second by second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from benches.gateway.endurance import Second

PLAIN: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))
"""A picture says nothing of when and by what it was drawn: the same seconds are the same file."""

LINES: Final = (
    ("max_us", "slowest order", "#c1272d"),
    ("cancel_p99_us", "cancels, p99", "#8a8a8a"),
    ("p99_us", "orders, p99", "#1f5fa8"),
    ("p50_us", "orders, p50", "#0b7a3b"),
)


def latency(seconds: Sequence[Second], path: Path) -> None:
    """Latency of the healthy routers' orders and of cancels, on a logarithmic scale."""
    figure, axes = _panel("Seven routers beside a runaway at twenty times its limit: latency of each second", "ms")
    minutes = [one.at_s / 60 for one in seconds]
    for name, label, color in LINES:
        axes.plot(minutes, [getattr(one, name) / 1_000 for one in seconds], color=color, linewidth=1.1, label=label)
    axes.set_yscale("log")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(LINES), frameon=False)
    figure.savefig(path, metadata=PLAIN)


def memory(seconds: Sequence[Second], path: Path) -> None:
    """The gateway's resident set."""
    figure, axes = _panel("Memory of the gateway during the same flood", "MiB, resident")
    axes.plot([one.at_s / 60 for one in seconds], [one.resident_mib for one in seconds], color="#1f5fa8")
    axes.set_ylim(bottom=0)
    figure.savefig(path, metadata=PLAIN)


def _panel(title: str, unit: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(10, 4.5), facecolor="white", layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=12)
    axes.set_ylabel(unit)
    axes.set_xlabel("minutes")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes
