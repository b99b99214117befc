"""Figures of paired rounds: each load goes to all targets in turn before the next round begins."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benches.bars import Bar, Cell, Measured, Relation, Table, bar
from benches.gateway.sending import Figures

Figure = Callable[[Figures], float]


@dataclass
class Rounds:
    """What was measured, by load and target."""

    _of: defaultdict[tuple[str, str], list[Figures]] = field(default_factory=lambda: defaultdict(list))

    def add(self, load: str, target: str, figures: Figures) -> None:
        """One measurement."""
        self._of[load, target].append(figures)

    def of(self, load: str, target: str, figure: Figure) -> list[float]:
        """A figure of each round."""
        return [figure(figures) for figures in self._of[load, target]]

    def median(self, load: str, target: str, figure: Figure) -> float:
        """The median of the rounds."""
        return statistics.median(self.of(load, target, figure))

    def has(self, load: str, target: str) -> bool:
        """Whether anything was measured."""
        return (load, target) in self._of

    def bar(
        self,
        name: str,
        figure: Figure,
        *,
        load: str,
        ours: tuple[str, str],
        theirs: tuple[str, str],
        bound: float,
        unit: str = "us",
        relation: Relation = "<=",
    ) -> Bar:
        """A bar between two targets under one load; a side is its target's name and what that ran."""
        return bar(
            name,
            Measured(ours[1], self.of(load, ours[0], figure)),
            Measured(theirs[1], self.of(load, theirs[0], figure)),
            bound=bound,
            unit=unit,
            relation=relation,
        )

    def table(self, title: str, note: str, queues: Sequence[str]) -> Table:
        """Every load and target; of the loads in `queues` latency is only the length of a queue, and left out."""
        rows: list[Sequence[Cell]] = []
        for load, target in self._of:
            latency = [
                None if load in queues else self.median(load, target, figure)
                for figure in (lambda f: f.p50_us, lambda f: f.p99_us, lambda f: f.p999_us)
            ]
            rows.append(
                [
                    load,
                    target,
                    self.median(load, target, lambda f: f.throughput),
                    self.median(load, target, lambda f: f.taken),
                    *latency,
                    *self._inside(load, target),
                    self.median(load, target, lambda f: f.lag_p99_us),
                    self.median(load, target, lambda f: f.cpu_us_per_order),
                    refusals(self._of[load, target]),
                ]
            )
        columns = ["load", "target", "answered/s", "taken/s", "p50 us", "p99 us", "p99.9 us"]
        columns += ["inside p50 us", "inside p99 us", "lag p99 us", "cpu us/order", "refused"]
        return Table(title, columns, rows, note)

    def _inside(self, load: str, target: str) -> tuple[Cell, Cell]:
        stays = [(f.inside_p50_us, f.inside_p99_us) for f in self._of[load, target]]
        known = [(p50, p99) for p50, p99 in stays if p50 is not None and p99 is not None]
        if not known:
            return None, None
        return statistics.median(p50 for p50, _ in known), statistics.median(p99 for _, p99 in known)


def refusals(all_of: Sequence[Figures]) -> str:
    """What was refused or not answered, over all rounds."""
    names: defaultdict[str, int] = defaultdict(int)
    for figures in all_of:
        for name, count in figures.rejected.items():
            names[name] += count
        names["unanswered"] += figures.unanswered
    return ", ".join(f"{name} {count:,}" for name, count in names.items() if count) or "-"
