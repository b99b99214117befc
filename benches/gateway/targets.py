"""The ways from a router to the venue that are compared, each in processes of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benches import cargo, guided
from benches.stage import ROOT, Target, process

STUB: Final = "the same generator straight to the venue stub (one hop)"
PROXY: Final = "a bare tonic proxy: generated types, one thread, every message turned and passed on, no check"
GATEWAY: Final = "riskgate run: every check has a limit and none refuses, parents registered, one symbol, orders filled"
GRPCIO: Final = "a bare proxy on Python's grpcio (asyncio)"
PROXY_CRATE: Final = "proxy"


def build_proxy() -> Path:
    """The bare proxy on tonic, guided by its own profile if the gateway is by its."""
    return cargo.build(PROXY_CRATE, "riskgate-proxy", profile=guided.profile())


@contextmanager
def tonic_proxy(venue: Target) -> Iterator[Target]:
    """The bare proxy on tonic, connected to `venue`. See `benches/proxy`."""
    with process("proxy", [str(build_proxy()), venue.address]) as target:
        yield target


@contextmanager
def grpcio_proxy(venue: Target) -> Iterator[Target]:
    """The bare proxy on Python's grpcio, connected to `venue`."""
    with process("grpcio", [sys.executable, "-m", "benches.gateway.grpcio_proxy", venue.address]) as target:
        yield target


@contextmanager
def tcp_relay() -> Iterator[Target]:
    """A relay between a peer and an echo over TCP: two hops with nothing around the bytes."""
    program = str(cargo.build(PROXY_CRATE, "riskgate-tcp"))
    with ExitStack() as stack:
        echo = stack.enter_context(process("tcp echo", [program, "echo"]))
        yield stack.enter_context(process("tcp", [program, "relay", echo.address]))


def tcp_ping(relay: Target, seconds: float) -> tuple[float, float]:
    """One message in flight over the relay: p50 and p99 of the round trip in us."""
    command = [str(cargo.build(PROXY_CRATE, "riskgate-tcp")), "ping", relay.address, str(int(seconds * 1_000))]
    words = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return int(words[0]) / 1_000, int(words[1]) / 1_000
