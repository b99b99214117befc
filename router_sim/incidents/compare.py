"""An incident without the gateway and with it, and with line after line of defence removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from router_sim.incidents import citi, everbright, goldman
from router_sim.incidents.play import Play
from router_sim.incidents.result import Run
from router_sim.incidents.scene import Fact, Scene

Incident = Literal["goldman", "everbright", "citi"]
SCENES: Final[dict[Incident, Callable[[int], Scene]]] = {
    "goldman": goldman.scene,
    "everbright": everbright.scene,
    "citi": citi.scene,
}

Side = Literal["uncontrolled", "controlled"]
Progress = Callable[[Side, float], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """Both runs of one incident."""

    scene: Scene
    without: tuple[str, ...]
    uncontrolled: Run
    controlled: Run

    @property
    def is_whole(self) -> bool:
        """Whether nothing was cut off: only then must the known figures come out."""
        return self.uncontrolled.duration == self.scene.end


def uncontrolled_run(scene: Scene, *, until: int | None = None, progress: Callable[[float], None] | None = None) -> Run:
    """As it was: nobody between the routers and the venue."""
    return Play(scene, until=until).run(progress)


def controlled_run(
    scene: Scene,
    *,
    until: int | None = None,
    without: Iterable[str] = (),
    stop_at_halt: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """The same with the risk core at the door, less the lines of defence in ``without``.

    Raises:
        ValueError: ``without`` names something that is not a line of defence.
    """
    from router_sim.incidents.door import Door  # the native module is needed for this side only

    door = Door(scene.profile.defence(without), scene)
    return Play(scene, door, until=until, stop_at_halt=stop_at_halt).run(progress)


def compare(
    scene: Scene,
    *,
    until: int | None = None,
    without: Iterable[str] = (),
    progress: Progress = lambda _side, _done: None,
) -> Compared:
    """Run both, one after the other: each takes a second or less."""
    removed = tuple(without)
    bare = uncontrolled_run(scene, until=until, progress=lambda done: progress("uncontrolled", done))
    held = controlled_run(scene, until=until, without=removed, progress=lambda done: progress("controlled", done))
    return Compared(scene, removed, bare, held)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder: what was removed before, and which line spoke first."""

    removed: tuple[str, ...]
    caught: str | None
    run: Run


def ladder(scene: Scene, *, without: Iterable[str] = (), progress: Callable[[Step], None] | None = None) -> list[Step]:
    """Remove the line that speaks first, run again, until nothing is left that speaks."""
    removed = tuple(without)
    steps: list[Step] = []
    while True:
        run = controlled_run(scene, without=removed, stop_at_halt=True)
        caught = first_line(scene, run)
        steps.append(Step(removed, caught, run))
        if progress is not None:
            progress(steps[-1])
        if caught is None or caught in removed:
            return steps
        removed = (*removed, caught)


def first_line(scene: Scene, run: Run) -> str | None:
    """The removable line of defence that spoke first to the faulty router, by a refusal or by a halt."""
    if run.door is None:
        return None
    spoken = [(halt.at, halt.check) for halt in run.door.halts]
    if (refusal := run.door.first_refusal) is not None and refusal.reason not in scene.profile.standing:
        spoken.append((refusal.first_at, refusal.reason))
    return scene.profile.line_of(min(spoken)[1]) if spoken else None


def missed(run: Run, facts: Iterable[Fact]) -> list[str]:
    """Which known figures a whole uncontrolled run does not meet."""
    wrong = []
    for fact in facts:
        value = getattr(run.totals, fact.figure)
        if abs(value - fact.known) > fact.tolerance * fact.known:
            wrong.append(f"{fact.figure} is {value:,.0f} and not {fact.known:,.0f}")
    return wrong
