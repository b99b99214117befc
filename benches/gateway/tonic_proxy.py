"""The bare proxy on tonic: two hops, the same messages, no check. See `benches/proxy`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benches import cargo
from benches.stage import Target, process


@contextmanager
def running(venue: Target) -> Iterator[Target]:
    """The proxy in a process of its own, connected to `venue`."""
    with process("proxy", [str(cargo.build("proxy", "riskgate-proxy")), venue.address]) as target:
        yield target
