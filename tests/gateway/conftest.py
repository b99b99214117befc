"""A running gateway between a scripted venue and the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway import Gateway, running_gateway
from tests.support.venue import ScriptedVenue, scripted_venue

CENT = 10_000_000


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    """A venue that acknowledges orders and quotes AAPL and MSFT around 100.00."""
    with scripted_venue() as served:
        served.acknowledge = True
        for symbol in ("AAPL", "MSFT"):
            served.quote(symbol, 9_999 * CENT, 10_001 * CENT)
        yield served


@pytest.fixture
def gateway(tmp_path: Path, venue: ScriptedVenue) -> Iterator[Gateway]:
    """A real gateway process, linked to the venue."""
    with running_gateway(tmp_path, venue.address) as running:
        yield running
