"""Two runs of the same morning at once, each in a process of its own: without the gateway and with it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Final, Literal

from router_sim.knight.firm import Firm
from router_sim.knight.limits import PROFILE, defence
from router_sim.knight.result import RunResult
from router_sim.knight.universe import Variant, universe
from router_sim.replay import parts
from router_sim.replay.morning import Morning
from router_sim.units import SECOND

Side = Literal["uncontrolled", "controlled"]
Progress = Callable[[Side, float], None]


class ReplayError(Exception):
    """A run ended without a result; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both runs of one variant."""

    variant: Variant
    seed: int
    without: tuple[str, ...]
    firm: Firm
    uncontrolled: RunResult
    controlled: RunResult


def uncontrolled_run(
    variant: Variant, seed: int, *, until: int | None = None, progress: Callable[[float], None] | None = None
) -> RunResult:
    """The morning as it was: nobody between the routers and the venue."""
    return Morning(universe(variant, seed, until=until), until=until).run(progress)


def controlled_run(
    variant: Variant,
    seed: int,
    *,
    until: int | None = None,
    without: Iterable[str] = (),
    firm: Firm | None = None,
    progress: Callable[[float], None] | None = None,
) -> RunResult:
    """The same morning with the risk core at the door, less the lines of defence in ``without``."""
    from router_sim.knight.gate import Gate  # the native module is needed for this side only

    scene = universe(variant, seed, until=until)
    return Morning(scene, until=until, gate=Gate(defence(without), scene, firm)).run(progress)


LADDER_UNTIL: Final = 3 * 60 * SECOND
"""How long each step of the ladder may take; a loss limit alone needs a minute."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder: what was removed before, and which line spoke first."""

    removed: tuple[str, ...]
    caught: str | None
    run: RunResult


def ladder(
    variant: Variant,
    seed: int,
    *,
    without: Iterable[str] = (),
    until: int = LADDER_UNTIL,
    progress: Callable[[Step], None] | None = None,
) -> list[Step]:
    """Remove the line that speaks first, run again, until nothing is left that speaks."""
    from router_sim.knight.gate import Gate  # see controlled_run

    removed = tuple(without)
    scene = universe(variant, seed, until=until)
    steps: list[Step] = []
    while True:
        gate = Gate(defence(removed), scene)
        run = Morning(scene, until=until, gate=gate, stop_at_halt=True).run()
        caught = first_line(run)
        steps.append(Step(removed, caught, run))
        if progress is not None:
            progress(steps[-1])
        if caught is None or caught in removed:
            return steps
        removed = (*removed, caught)


def first_line(run: RunResult) -> str | None:
    """The line of defence that spoke first to a faulty router, by a refusal or by a halt."""
    if run.gate is None:
        return None
    line = parts.first_line(PROFILE, run.gate.halts, run.gate.first_refusal)
    return line.name if line else None


def side_by_side(
    variant: Variant,
    seed: int,
    *,
    until: int | None = None,
    without: Iterable[str] = (),
    firm: Firm | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Run both sides at once.

    Raises:
        ReplayError: one of the processes failed.
        ValueError: ``without`` names something that is not a line of defence.
    """
    removed, decided = tuple(without), firm or Firm()
    defence(removed)  # a wrong name is said before two processes are started
    context = multiprocessing.get_context("spawn")
    processes = []
    sides: dict[Connection, Side] = {}
    for side in ("uncontrolled", "controlled"):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_play, args=(theirs, side, variant, seed, until, removed, decided), daemon=True
        )
        process.start()
        theirs.close()
        processes.append(process)
        sides[ours] = side
    try:
        results = _collect(sides, progress)
    finally:
        for process in processes:
            process.terminate()
            process.join()
    return Comparison(variant, seed, removed, decided, results["uncontrolled"], results["controlled"])


def _collect(sides: dict[Connection, Side], progress: Progress | None) -> dict[Side, RunResult]:
    results: dict[Side, RunResult] = {}
    pending = set(sides)
    while pending:
        for ready in wait(list(pending)):
            if not isinstance(ready, Connection):
                continue
            side = sides[ready]
            try:
                message = ready.recv()
            except EOFError as error:
                raise ReplayError(f"the {side} run ended without a result") from error
            if isinstance(message, RunResult):
                results[side] = message
                pending.discard(ready)
            elif isinstance(message, str):
                raise ReplayError(f"the {side} run failed: {message}")
            elif progress is not None:
                progress(side, message)
    return results


def _play(
    pipe: Connection,
    side: Side,
    variant: Variant,
    seed: int,
    until: int | None,
    without: tuple[str, ...],
    firm: Firm,
) -> None:
    """One process: sends fractions done, then the result, or the text of what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the one that started us ends us
    try:
        if side == "uncontrolled":
            result = uncontrolled_run(variant, seed, until=until, progress=pipe.send)
        else:
            result = controlled_run(variant, seed, until=until, without=without, firm=firm, progress=pipe.send)
        pipe.send(result)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side must be told, not left waiting
        pipe.send(f"{type(error).__name__}: {error}")
    finally:
        pipe.close()
