"""The gateway beside one hop, a bare tonic proxy and a bare Python proxy: latency by load, and capacity."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from benches.bars import Bar, Cell, Document, Table
from benches.gateway import capacity
from benches.gateway.rounds import Figure, Rounds
from benches.gateway.sending import ROUTERS, Load, measure
from benches.gateway.settings import Settings
from benches.gateway.targets import GATEWAY, GRPCIO, PROXY, STUB, grpcio_proxy, tcp_ping, tcp_relay, tonic_proxy
from benches.stage import Target, Venue, gateway, venue_stub

PING: Final = "one in flight"
HALF: Final = "50 % of capacity"
MOST: Final = "90 % of capacity"
FULL: Final = "more than capacity, bursts of 8"
ONES: Final = "more than capacity, frames of one"
PYTHON_RATE: Final = 10_000
"""Above what a Python proxy passes, and little enough that what has queued up is worked off in seconds."""
ORDERS_A_SECOND: Final = 1_500_000
"""Of all loads of a round, each for a second: the room in a gateway's tables."""
OURS: Final = ("gateway", GATEWAY)
METHOD: Final = (
    (
        "Open loop: every order has a time at which it is due, fixed before the first leaves; latency counts from that time "
        "(no coordinated omission), in an HDR histogram of three digits. `one in flight` counts from the encoding."
    ),
    (
        "Generator, gateway or proxy, and venue stub are three processes on the same processors, so a second of one is taken "
        "from the others; `lag` is the generator's own lateness, `cpu` the processor time of the target alone."
    ),
    (
        "Burst shape: evenly spaced in each session at 50 % and 90 %, the sessions in step (each order is due together with one "
        "of each other session); 8 orders of a session due together above capacity."
    ),
    (
        "Capacity, of which 50 % and 90 % are shares, is the smaller of the most that gateway and tonic proxy take in eight "
        "sessions in frames of one, as evenly spaced orders come, so that neither side of a latency is beyond its own."
    ),
    (
        "`inside` is the gateway's own clock, from the frame that brought an order to the one that took it to the venue, as "
        "the upper edge of its histogram's bucket (two for each doubling): generators share the processors, the client's "
        "figures have them in."
    ),
    *capacity.METHOD,
    "Rounds: a fresh gateway each; each load to all targets in turn. Bars are medians of the rounds' ratios.",
    "Not in it: a network, TLS, durable records, more than one symbol, resting orders.",
)


class Comparison:
    """The rounds of this case."""

    def __init__(self, settings: Settings, venue: Venue, standing: dict[str, Target]) -> None:
        self._settings = settings
        self._venue = venue
        self._standing = standing
        self.rounds = Rounds()
        self.capacity = 0
        self._most: dict[str, Load] = {}
        """What a gateway is offered above its capacity, by the name of the load."""

    def run(self) -> None:
        """Find the capacity, then all rounds."""
        self._find_most(FULL)
        taken = [self._find_most(ONES)]
        if proxy := self._standing.get("proxy"):
            taken.append(measure(proxy, self._load(ONES, proxy), 8, self._seconds).taken)
        self.capacity = int(min(taken))
        for number in range(self._settings.rounds):
            with self._gateway(f"comparison-{number}") as ours:
                for name, sessions in ((PING, 1), (HALF, 8), (MOST, 8), (FULL, 8), (ONES, 8)):
                    self._round(name, sessions, ours)

    def _find_most(self, name: str) -> float:
        with self._gateway(f"capacity-{name.rsplit(maxsplit=1)[-1]}") as ours:
            self._most[name], taken = capacity.most(ours, self._load(name, ours), 8, self._seconds)
            return taken

    @property
    def _seconds(self) -> float:
        return self._settings.seconds

    @contextmanager
    def _gateway(self, name: str) -> Iterator[Target]:
        room = max(int(self._seconds * ORDERS_A_SECOND), 1 << 20)
        place = self._settings.directory / name
        with gateway(place, self._venue, ROUTERS, max_orders=room, journal=self._settings.journal) as target:
            capacity.settle(target, ROUTERS, self._seconds)
            yield target

    def _round(self, name: str, sessions: int, ours: Target) -> None:
        for target in (*self._standing.values(), ours):
            if target.name == "grpcio" and name not in {PING, ONES}:
                continue
            if target.name == "stub" and name == ONES:
                continue
            figures = measure(target, self._load(name, target), sessions, self._seconds)
            self.rounds.add(name, target.name, figures)

    def _load(self, name: str, target: Target) -> Load:
        if target.name == OURS[0] and name in self._most:
            return self._most[name]
        rate = PYTHON_RATE if target.name == "grpcio" else capacity.RATE
        return {
            PING: Load(PING, 0),
            HALF: Load(HALF, self.capacity // 2),
            MOST: Load(MOST, self.capacity * 9 // 10),
            FULL: Load(FULL, rate, burst=8, cut=True),
            ONES: Load(ONES, rate, batch=1, cut=True),
        }[name]


def run(settings: Settings) -> Document:
    """Measure; the bars and the table."""
    skipped = []
    with ExitStack() as stack:
        venue = stack.enter_context(venue_stub())
        standing: dict[str, Target] = {"stub": venue}
        if settings.build:
            standing["proxy"] = stack.enter_context(tonic_proxy(venue))
        else:
            skipped = ["the bare tonic proxy and the TCP relay: they have to be built"]
        standing["grpcio"] = stack.enter_context(grpcio_proxy(venue))
        compared = Comparison(settings, venue, standing)
        compared.run()
    tables = [
        compared.rounds.table(
            "The order path",
            f"medians of {settings.rounds} rounds of {settings.seconds:g} s; capacity {compared.capacity:,} orders/s",
            queues=(FULL, ONES),
        )
    ]
    if settings.build:
        tables.append(_tcp(settings))
    return Document(
        method={"gateway, comparison": [*METHOD, settings.journal_mode]},
        bars=_bars(compared.rounds, native=settings.build),
        tables=tables,
        skipped=skipped,
    )


def _bars(rounds: Rounds, *, native: bool) -> list[Bar]:
    one_hop, proxy, python = ("stub", STUB), ("proxy", PROXY), ("grpcio", GRPCIO)
    out: list[Bar] = []

    def latency(name: str, figure: Figure, load: str, theirs: tuple[str, str], bound: float) -> None:
        out.append(rounds.bar(f"{name}, {load}", figure, load=load, ours=OURS, theirs=theirs, bound=bound))

    for load in (PING, HALF, MOST):
        if native:
            latency("p50 against a bare tonic proxy", lambda f: f.p50_us, load, proxy, 1.10)
            latency("p99 against a bare tonic proxy", lambda f: f.p99_us, load, proxy, 1.15)
        latency("p50 against one hop", lambda f: f.p50_us, load, one_hop, 1.5)
    latency("p50 against a Python proxy", lambda f: f.p50_us, PING, python, 0.35)

    def taken(name: str, load: str, theirs: tuple[str, str], bound: float) -> None:
        bar = rounds.bar(
            f"{name}, {load}",
            lambda f: f.taken,
            load=load,
            ours=OURS,
            theirs=theirs,
            bound=bound,
            unit="orders/s",
            relation=">=",
        )
        out.append(bar)

    if native:
        taken("orders taken against a bare tonic proxy", FULL, proxy, 1.0)
        taken("orders taken against a bare tonic proxy", ONES, proxy, 1.0)
    taken("orders taken against a Python proxy", ONES, python, 60.0)
    return out


def _tcp(settings: Settings) -> Table:
    with tcp_relay() as relay:
        rounds = [tcp_ping(relay, settings.seconds) for _ in range(settings.rounds)]
    rows: list[list[Cell]] = [[number, p50, p99] for number, (p50, p99) in enumerate(rounds, 1)]
    return Table(
        "128 bytes there and back over two TCP hops, one in flight",
        ["round", "p50 us", "p99 us"],
        rows,
        "three processes with blocking sockets and nothing around the bytes: the floor of two hops",
    )
