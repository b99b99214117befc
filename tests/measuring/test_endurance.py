"""A long flood that ends early keeps what it has measured, and says why it ended."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from benches.gateway import endurance
from benches.gateway.runaway import LIMITS, ROUTERS
from benches.stage import Target, gateway, venue_stub

SAMPLES = 2


@dataclass(frozen=True)
class Dying(Target):
    """A gateway that is killed when it is asked for its memory once more than it may be."""

    asked: list[None] = field(default_factory=list)

    def resident_kib(self) -> int:
        self.asked.append(None)
        if len(self.asked) > SAMPLES:
            os.kill(self.pid, signal.SIGKILL)
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return super().resident_kib()


@pytest.mark.timeout(120)
def test_a_gateway_that_dies_leaves_its_samples_and_a_bar_that_fails_with_the_reason(tmp_path: Path) -> None:
    with (
        venue_stub() as venue,
        gateway(tmp_path / "g", venue, ROUTERS, max_orders=1 << 18, journal=False, limits=LIMITS) as target,
    ):
        dying = Dying(**{one.name: getattr(target, one.name) for one in fields(target)})
        flooded = endurance.flood(dying, 60)
    missing = endurance.bars(flooded)[-1]

    assert len(flooded.seconds) == SAMPLES
    assert not missing.ratio.holds
    assert 50 < missing.ours.median < 60
    assert "the gateway has ended" in missing.ours.ran
    assert "runaway" in missing.ours.ran, "what the gateway said last is shown"
