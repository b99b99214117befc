"""What a router's session takes of the gateway's memory: by itself, and with the reports it is held for a resume."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import riskcore
from benches.bars import Bar, Cell, Document, Measured, Table, absolute
from benches.gateway.sending import NANO, check, finish, flood
from benches.gateway.sending import orders as lines
from benches.gateway.settings import Settings
from benches.stage import READY_S, BenchError, Target, Venue, gateway, router_token, venue_stub

SESSIONS: Final = 200
ROUTERS: Final = tuple(f"r{number}" for number in range(1, SESSIONS + 1))
ORDERS: Final = 1_000
"""Of each session that is called active: so many reports are held for it."""
ALL_SECONDS: Final = 5
"""For the active sessions' orders."""
LOOK_MS: Final = 50
RATE: Final = 10_000
"""Messages/s that a router may send: the gateway has room for so many in each window."""
IDLE_KIB: Final = 128
ACTIVE_KIB: Final = 512
KIB: Final = 1_024
METHOD: Final = (
    (
        f"Resident memory of the gateway's process with 1 and with {SESSIONS} sessions, all of them connected at the same time: "
        "the difference for each of the others. An idle one has had one order answered and then only heartbeats."
    ),
    (
        f"An active one has had {ORDERS:,} orders filled, whose reports the gateway holds for a resume, up to 16 MiB of each "
        "router. Orders are in tables that are mapped at the start, and so are the windows of "
        f"each router's rate, here {RATE:,} messages/s: they are not in it."
    ),
    "Each round has a gateway of its own.",
)


@dataclass(frozen=True, slots=True)
class Round:
    """Resident memory of one gateway, KiB."""

    empty: int
    one: int
    idle: int
    active: int

    @property
    def of_idle(self) -> float:
        """KiB of each idle session."""
        return max(self.idle - self.one, 0) / (SESSIONS - 1)

    @property
    def of_active(self) -> float:
        """KiB of each active session."""
        return max(self.active - self.one, 0) / (SESSIONS - 1)


def run(settings: Settings) -> Document:
    """Measure; the bars and the table."""
    with venue_stub() as venue:
        rounds = [_one_round(settings, venue, number) for number in range(settings.rounds)]
    return Document(
        method={"gateway, memory": [*METHOD, settings.journal_mode]}, bars=_bars(rounds), tables=[_table(rounds)]
    )


def _one_round(settings: Settings, venue: Venue, number: int) -> Round:
    place = settings.directory / f"memory-{number}"
    room = SESSIONS * (ORDERS + 2)
    with gateway(
        place,
        venue,
        ROUTERS,
        max_orders=room,
        journal=settings.journal,
        message_rate=RATE,
    ) as target:
        empty = target.resident_kib()
        with _connected(target, 1, 1):
            one = target.resident_kib()
        with _connected(target, SESSIONS, 1):
            idle = target.resident_kib()
        with _connected(target, SESSIONS, ORDERS):
            active = target.resident_kib()
    return Round(empty, one, idle, active)


@contextmanager
def _connected(target: Target, sessions: int, orders: int) -> Iterator[None]:
    """So many sessions that have had so many orders answered each, and stay."""
    forever = int(READY_S * 10) * NANO
    rate = max(orders // ALL_SECONDS, 1)
    sending = [
        riskcore.FloodSession(
            router=name,
            token=router_token(name),
            lines=lines(),
            rate=rate,
            duration_ns=2 * forever,
            active_ns=orders * NANO // rate,
            pause_ns=forever,
        )
        for name in ROUTERS[:sessions]
    ]
    running = flood(target, sending)
    running.start()
    deadline = time.monotonic() + READY_S
    while running.report()["answered"] < sessions * orders:
        check(running, f"{sessions} sessions")
        if running.wait(LOOK_MS) or time.monotonic() > deadline:
            raise BenchError(f"{sessions} sessions did not get their answers")
    yield
    running.stop()
    finish(target, running, f"{sessions} sessions")


def _bars(rounds: list[Round]) -> list[Bar]:
    return [
        absolute(
            "memory of an idle session",
            Measured(f"the others of {SESSIONS} sessions", [one.of_idle for one in rounds]),
            most=IDLE_KIB,
            unit="KiB",
        ),
        absolute(
            f"memory of a session that holds {ORDERS:,} reports",
            Measured(f"the others of {SESSIONS} sessions", [one.of_active for one in rounds]),
            most=ACTIVE_KIB,
            unit="KiB",
        ),
    ]


def _table(rounds: list[Round]) -> Table:
    rows: list[list[Cell]] = [
        [
            number,
            one.empty / KIB,
            one.one / KIB,
            one.idle / KIB,
            one.active / KIB,
            round(one.of_idle * KIB),
            round(one.of_active * KIB),
        ]
        for number, one in enumerate(rounds, 1)
    ]
    return Table(
        f"Memory of {SESSIONS} sessions",
        ["round", "none MiB", "1 MiB", f"{SESSIONS} idle MiB", f"{SESSIONS} active MiB", "bytes idle", "bytes active"],
        rows,
        "resident memory of the gateway's process, and what each session adds to it",
    )
