"""What the risk core did in a run of Knight's morning."""

from __future__ import annotations

from router_sim.knight.result import Gatekeeping, RunResult


def gate_of(run: RunResult) -> Gatekeeping:
    """The core's part; fails for a run without one."""
    assert run.gate is not None
    return run.gate
