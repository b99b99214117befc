"""What the control plane does beside the orders: scrapes, consoles, Python's garbage collection. None may be felt."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import grpc

from benches.bars import Bar, Document
from benches.gateway.rounds import Rounds
from benches.gateway.sending import ROUTERS, Load, measure
from benches.gateway.settings import Settings
from benches.stage import OPERATOR, Target, gateway, venue_stub
from riskgate.v1 import admin_pb2, admin_pb2_grpc

RATE: Final = 20_000
SCRAPE_S: Final = 0.5
CONSOLES: Final = 4
LOOK_S: Final = 1.0
QUIET: Final = "nothing beside it"
METHOD: Final = (
    (
        f"{RATE:,} orders/s in eight sessions, evenly spaced, through one gateway; a measurement without and one with the noise, "
        "in turn."
    ),
    (
        f"Scrapes: `/metrics` every {SCRAPE_S:g} s, thirty times as often as Prometheus does by default. Consoles: {CONSOLES} "
        f"subscribers of the event stream that also ask for status and scopes every {LOOK_S:g} s. Collection: a full one of the "
        "gateway's interpreter every 0.25 s."
    ),
    "Each noise takes processor time of two cores that generator, gateway and stub share: part of what is seen is that.",
)

Noise = Callable[[], AbstractContextManager[None]]


@contextmanager
def every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Acts at once and every so many seconds, on a thread, until left."""
    left = threading.Event()

    def work() -> None:
        act()
        while not left.wait(seconds):
            act()

    with ThreadPoolExecutor(1) as executor:
        working = executor.submit(work)
        try:
            yield
        finally:
            left.set()
        # A noise that failed was none, and nothing was measured.
        working.result()


def scrapes(target: Target) -> AbstractContextManager[None]:
    """Prometheus, impatient."""
    return every(SCRAPE_S, lambda: urllib.request.urlopen(f"http://{target.metrics}/metrics", timeout=5).read())


@contextmanager
def consoles(target: Target) -> Iterator[None]:
    """People who watch."""
    with grpc.insecure_channel(target.admin) as channel:
        admin = admin_pb2_grpc.AdminStub(channel)
        streams = [admin.StreamEvents(admin_pb2.StreamEventsRequest(), metadata=OPERATOR) for _ in range(CONSOLES)]
        readers = [threading.Thread(target=_read, args=(stream,)) for stream in streams]
        for reader in readers:
            reader.start()

        def look() -> None:
            for _ in range(CONSOLES):
                admin.GetStatus(admin_pb2.GetStatusRequest(), metadata=OPERATOR)
                admin.ListScopes(admin_pb2.ListScopesRequest(), metadata=OPERATOR)

        with every(LOOK_S, look):
            yield
        for stream in streams:
            stream.cancel()
        for reader in readers:
            reader.join()


def _read(stream: Iterator[admin_pb2.StreamEventsResponse]) -> None:
    try:
        for _ in stream:
            pass
    except grpc.RpcError:
        # The end that `consoles` gives it.
        return


@contextmanager
def existing(file: Path) -> Iterator[None]:
    """A file that is there meanwhile."""
    file.touch()
    yield
    file.unlink()


def run(settings: Settings) -> Document:
    """Measure; the bars and the table."""
    signal = settings.directory / "collect"
    rounds = Rounds()
    room = int((settings.seconds + 1) * RATE * settings.rounds * 8)
    with (
        venue_stub() as venue,
        gateway(
            settings.directory / "noise",
            venue,
            ROUTERS,
            max_orders=room,
            journal=settings.journal,
            program=("-m", "benches.gateway.collecting", str(signal)),
        ) as target,
    ):
        noises: dict[str, Noise] = {
            "scrapes": lambda: scrapes(target),
            "consoles": lambda: consoles(target),
            "garbage collection": lambda: existing(signal),
        }
        load = Load("paced", RATE)
        for _ in range(settings.rounds):
            for name, noise in noises.items():
                rounds.add(name, QUIET, measure(target, load, 8, settings.seconds))
                with noise():
                    rounds.add(name, name, measure(target, load, 8, settings.seconds))
    return Document(
        method={"gateway, noise": [*METHOD, settings.journal_mode]},
        bars=[_bar(rounds, name) for name in noises],
        tables=[rounds.table("Beside the orders", f"{settings.rounds} rounds of {settings.seconds:g} s", queues=())],
    )


def _bar(rounds: Rounds, name: str) -> Bar:
    return rounds.bar(
        f"p99 of orders beside {name}",
        lambda f: f.p99_us,
        load=name,
        ours=(name, f"the gateway beside {name}"),
        theirs=(QUIET, "the gateway alone"),
        bound=1.05,
    )
