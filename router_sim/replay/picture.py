"""The replay as a picture: loss, shares and position over time, with and without the gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from router_sim.knight.result import RunResult, Sample, caught_by
from router_sim.replay.report_card import who
from router_sim.replay.side_by_side import Comparison
from router_sim.units import span, usd

FORMATS: Final = (".png", ".svg")

_WITHOUT: Final = "#c1272d"
_WITH: Final = "#0b7a3b"
_MUTED: Final = "#8a8a8a"
_INK: Final = "#222222"
_OPEN_MINUTE: Final = 9 * 60 + 30


def save(comparison: Comparison, path: Path) -> None:
    """Draw both runs into a PNG or SVG file.

    Raises:
        ValueError: the name ends in neither.
    """
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: a picture is written as {' or '.join(FORMATS)}; give the file such a name")
    figure = Figure(figsize=(11, 10.5), dpi=130, facecolor="white")
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0, 0.985), h_pad=0.12))
    axes = figure.subplots(3, 1, sharex=True)
    _loss(axes[0], comparison)
    _shares(axes[1], comparison)
    _position(axes[2], comparison)
    _time_axis(axes, comparison)
    figure.suptitle(_title(comparison), x=0.012, ha="left", fontsize=15, fontweight="bold", color=_INK)
    figure.savefig(path)


def _title(comparison: Comparison) -> str:
    run = comparison.controlled
    gate = run.gate
    story = f"Knight Capital, 1 August 2012, replayed ({comparison.variant})"
    if gate and gate.halts:
        return f"{story}: {who(run)} is halted after {span(gate.halts[0].at)}"
    return f"{story}: nothing halts it"


def _loss(axes: Axes, comparison: Comparison) -> None:
    _panel(axes, "Loss, unwinding included (million dollars)")
    bare, run = comparison.uncontrolled, comparison.controlled
    _line(axes, bare.samples, lambda s: -s.loss_usd / 1e6, _WITHOUT, fill=True)
    _line(axes, bare.samples, lambda s: s.touch_pnl_usd / 1e6, _MUTED, dashed=True)
    _line(axes, run.samples, lambda s: -s.loss_usd / 1e6, _WITH)
    _label(axes, bare, -bare.totals.loss_usd / 1e6, f"without riskgate\n{usd(-bare.totals.loss_usd)}", _WITHOUT)
    shown = f"marked at the touch,\nas a screen shows it\n{usd(bare.totals.touch_pnl_usd)}"
    _label(axes, bare, bare.totals.touch_pnl_usd / 1e6, shown, _MUTED)
    _label(axes, run, -run.totals.loss_usd / 1e6, f"with riskgate\n{usd(-run.totals.loss_usd)}", _WITH)
    _mark_halt(axes, run)


def _shares(axes: Axes, comparison: Comparison) -> None:
    _panel(axes, "Shares executed beyond the clients' orders (million)")
    bare, run = comparison.uncontrolled, comparison.controlled
    _line(axes, bare.samples, lambda s: s.leaked_shares / 1e6, _WITHOUT, fill=True)
    _line(axes, run.samples, lambda s: s.leaked_shares / 1e6, _WITH)
    leaked = bare.totals.leaked_shares
    _label(axes, bare, leaked / 1e6, f"{leaked / 1e6:,.1f} million\nwithout riskgate", _WITHOUT)
    _label(axes, run, run.totals.leaked_shares / 1e6, f"{run.totals.leaked_shares:,}\nwith riskgate", _WITH)


def _position(axes: Axes, comparison: Comparison) -> None:
    _panel(axes, "Position (billion dollars, long above, short below)")
    bare, run = comparison.uncontrolled, comparison.controlled
    _line(axes, bare.samples, lambda s: s.long_usd / 1e9, _WITHOUT, fill=True)
    _line(axes, bare.samples, lambda s: -s.short_usd / 1e9, _WITHOUT, fill=True)
    _line(axes, run.samples, lambda s: s.long_usd / 1e9, _WITH)
    _line(axes, run.samples, lambda s: -s.short_usd / 1e9, _WITH)
    totals = bare.totals
    long = f"{usd(totals.net_long_usd)} long\nin {totals.long_symbols} stocks"
    short = f"{usd(totals.net_short_usd)} short\nin {totals.short_symbols} stocks"
    _label(axes, bare, totals.net_long_usd / 1e9, long, _WITHOUT)
    _label(axes, bare, -totals.net_short_usd / 1e9, short, _WITHOUT)
    kept = f"{usd(run.totals.net_long_usd)} long,\n{usd(run.totals.net_short_usd)} short"
    _label(axes, run, run.totals.net_long_usd / 1e9, kept, _WITH)


def _panel(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=_INK, pad=8)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color("#cccccc")
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=1)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors="#555555", length=0, labelsize=9)
    axes.margins(y=0.08)
    axes.yaxis.set_major_locator(MaxNLocator(6))


def _line(
    axes: Axes,
    samples: Sequence[Sample],
    value: Callable[[Sample], float],
    color: str,
    *,
    dashed: bool = False,
    fill: bool = False,
) -> None:
    minutes = [sample.at / 60e9 for sample in samples]
    values = [value(sample) for sample in samples]
    axes.plot(
        minutes, values, color=color, linewidth=1.4 if dashed else 2.2, linestyle="--" if dashed else "-", zorder=3
    )
    if fill:
        axes.fill_between(minutes, values, color=color, alpha=0.08, linewidth=0)


def _label(axes: Axes, run: RunResult, value: float, text: str, color: str) -> None:
    """A line says itself what it is, at its end; no legend to look up."""
    axes.annotate(
        text,
        xy=(run.duration / 60e9, value),
        xytext=(8, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        color=color,
        fontsize=10,
        fontweight="bold",
        parse_math=False,
        annotation_clip=False,
    )


def _mark_halt(axes: Axes, run: RunResult) -> None:
    gate = run.gate
    if gate is None or not gate.halts:
        return
    halt = gate.halts[0]
    axes.plot([halt.at / 60e9], [-gate.loss_at_halt_usd / 1e6], "o", color=_WITH, markersize=7, zorder=6)
    axes.annotate(
        f"halted after {span(halt.at)} by {caught_by(run)}",
        xy=(halt.at / 60e9, -gate.loss_at_halt_usd / 1e6),
        xytext=(18, -34),
        textcoords="offset points",
        color=_WITH,
        parse_math=False,
        fontsize=10,
        arrowprops={"arrowstyle": "-", "color": _WITH, "linewidth": 0.8},
        zorder=6,
    )


def _time_axis(axes: Sequence[Axes], comparison: Comparison) -> None:
    """Minutes after the open, written as the time in New York."""
    minutes = comparison.uncontrolled.duration / 60e9
    last = axes[-1]
    last.set_xlim(0, minutes)
    last.xaxis.set_major_locator(MultipleLocator(5 if minutes > 15 else 1 if minutes > 2 else 0.25))
    last.xaxis.set_major_formatter(FuncFormatter(_time_of_day))
    last.set_xlabel("New York time", color="#555555", fontsize=9)


def _time_of_day(minutes: float, _: int | None) -> str:
    whole = _OPEN_MINUTE + int(minutes)
    seconds = round((minutes - int(minutes)) * 60)
    return f"{whole // 60:02d}:{whole % 60:02d}" + (f":{seconds:02d}" if seconds else "")
