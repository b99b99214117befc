"""A running gateway between a scripted venue and the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.gateway import Gateway, GatewayProcess, gateway_process, running_gateway
from tests.support.venue import ScriptedVenue, scripted_venue

CENT = 10_000_000


@contextmanager
def quoting_venue() -> Iterator[ScriptedVenue]:
    """A venue that acknowledges orders and quotes AAPL and MSFT around 100.00."""
    with scripted_venue() as served:
        served.acknowledge = True
        for symbol in ("AAPL", "MSFT"):
            served.quote(symbol, 9_999 * CENT, 10_001 * CENT)
        yield served


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    """See :func:`quoting_venue`."""
    with quoting_venue() as served:
        yield served


@pytest.fixture(scope="module")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests of a module that leave it as they found it."""
    with (
        quoting_venue() as served,
        running_gateway(tmp_path_factory.mktemp("gateway"), served.address) as running,
    ):
        yield running


@pytest.fixture
def gateway(tmp_path: Path, venue: ScriptedVenue) -> Iterator[Gateway]:
    """A gateway of the test's own, linked to the venue."""
    with running_gateway(tmp_path, venue.address) as running:
        yield running


@pytest.fixture
def child(tmp_path: Path, venue: ScriptedVenue) -> Iterator[GatewayProcess]:
    """The same as a process, to be stopped and killed."""
    with gateway_process(tmp_path, venue.address) as running:
        yield running
