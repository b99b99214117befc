"""A trading floor for tests: exchange and gateway as processes, and everything needed to talk to them."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exchange_sim.control import ask
from gateway.client import Attestation, ParentOrdersClient, RouterClient
from riskgate.v1 import admin_pb2
from router_sim.demo.admin import Watcher
from router_sim.demo.setting import OMS, VIEWER, GatewayFile, Protection, exchange_universe, protected
from router_sim.knight.stocks import stocks
from tests.support.processes import Process, process
from tests.support.waiting import eventually_async

ACCOUNT = "KNIGHT"
STOCK = stocks()[0]
"""The stock that tests trade by hand."""

WAIT_S = 90.0
"""Deadline of what several processes do together on a busy machine."""

UNEVEN = ("message_rate", "market_data")
"""Lines by which a machine that stalls has healthy orders refused: what waited leaves at once, and quotes grow old."""

PACE = ("duplicates", "velocity", "repeated_execution", "turnover", "reject_storm")
"""Lines that may see what waited in a stall before any parent is exceeded."""


@dataclass
class Floor:
    """Running processes; everything is stopped when the test ends."""

    directory: Path
    stack: ExitStack
    venue: str = ""
    doors: dict[str, str] = field(default_factory=dict)
    exchange: Process | None = None
    gateway: Process | None = None
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def control(self) -> Path:
        """The exchange's control socket."""
        return self.directory / "exchange.control"

    @property
    def config(self) -> Path:
        """The gateway's configuration."""
        return self.directory / "riskgate.toml"

    def start_exchange(self, listen: str = "127.0.0.1:0") -> Process:
        """Start the exchange on the Knight universe."""
        universe, ready = self.directory / "universe.json", self.directory / "exchange.ready"
        universe.write_text(exchange_universe(stocks()))
        ready.unlink(missing_ok=True)
        arguments: list[str | Path] = ["exchange_sim", "--listen", listen, "--universe", universe]
        arguments += ["--control", self.control, "--ready-file", ready]
        self.exchange = self.run(arguments, "exchange")
        self.venue = self.exchange.ready(ready)["address"]
        return self.exchange

    def start_gateway(
        self, protection: Protection | None = None, *, fleet: str = "", edit: Callable[[str], str] = str
    ) -> Process:
        """Start the gateway with the demonstration's configuration, all lines of defence unless told otherwise.

        `fleet` is the table `[fleet]`, if routers are held to something; `edit` changes the configuration's text.
        """
        ready = self.directory / "gateway.ready"
        self.config.write_text(edit(GatewayFile(self.venue, stocks(), protection or protected(), fleet).text()))
        document = tomllib.loads(self.config.read_text())
        self.tokens = {
            row["name"]: row["token"] for table in ("routers", "oms", "operators") for row in document[table]
        }
        arguments: list[str | Path] = ["gateway", "run", "--config", self.config, "--ready-file", ready]
        self.gateway = self.run(arguments, "gateway")
        self.doors = self.gateway.ready(ready)
        return self.gateway

    def start_fleet(self, *options: str) -> Fleet:
        """Start eight routers on Knight's morning."""
        arguments: list[str | Path] = [
            "router_sim",
            "fleet",
            "--config",
            self.config,
            "--gateway",
            self.doors["order_entry"],
            *options,
        ]
        return Fleet(self.run(arguments, "fleet"))

    def run(self, arguments: Sequence[str | Path], name: str) -> Process:
        """Start a process whose output goes to a file of that name."""
        number = len(list(self.directory.glob(f"{name}*.log")))
        return self.stack.enter_context(process(arguments, self.directory / f"{name}{number}.log"))

    def router(self, name: str) -> RouterClient:
        """A router's session, to be entered."""
        attestation = Attestation(build="test")
        return RouterClient(self.doors["order_entry"], name, self.tokens[name], attestation=attestation)

    def oms(self) -> ParentOrdersClient:
        """The OMS's stream, to be entered."""
        return ParentOrdersClient(self.doors["order_entry"], OMS, self.tokens[OMS])

    def watcher(self) -> Watcher:
        """The Admin service, to be entered."""
        return Watcher(self.doors["admin"], self.tokens[VIEWER])

    def venue_router(self, router: str) -> dict[str, Any]:
        """What the exchange saw of a router; empty before its first order."""
        found: dict[str, Any] = ask(self.control, "stats")["routers"].get(router, {})
        return found


@dataclass
class Fleet:
    """A running fleet and what it has said."""

    process: Process

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Every whole line with this event so far."""
        whole = self.process.output().rpartition("\n")[0].splitlines()
        said = [json.loads(line) for line in whole if line.startswith("{")]
        return [line for line in said if line["event"] == event]

    def routers(self) -> dict[str, dict[str, Any]]:
        """The newest counters, by router."""
        stats = [*self.lines("stats"), *self.lines("summary")]
        found: dict[str, dict[str, Any]] = stats[-1]["routers"] if stats else {}
        return found

    def total(self, counter: str, *, but: str = "") -> int:
        """A counter summed over the fleet, one router left out."""
        return sum(router.get(counter, 0) for name, router in self.routers().items() if name != but)

    def rejected(self, *, but: str = "") -> dict[str, int]:
        """Rejects by reason over the fleet, one router left out."""
        sums: dict[str, int] = {}
        for name, router in self.routers().items():
            if name != but:
                for reason, count in router.get("rejected", {}).items():
                    sums[reason] = sums.get(reason, 0) + count
        return sums


@contextmanager
def floor(directory: Path) -> Iterator[Floor]:
    """An empty floor; start what the test needs."""
    with ExitStack() as stack:
        yield Floor(directory, stack)


async def until_status(
    watcher: Watcher,
    condition: Callable[[admin_pb2.GetStatusResponse], bool],
    what: str,
    *,
    seconds: float = WAIT_S,
) -> admin_pb2.GetStatusResponse:
    """Wait until the gateway's status is so."""
    last = await watcher.status()

    async def check() -> bool:
        nonlocal last
        last = await watcher.status()
        return condition(last)

    await eventually_async(check, what, seconds=seconds)
    return last


async def until(condition: Callable[[], bool], what: str, *, seconds: float = WAIT_S) -> None:
    """Wait until something is so."""

    async def check() -> bool:
        return condition()

    await eventually_async(check, what, seconds=seconds)


def processes_of(directory: Path) -> list[str]:
    """Command lines of living processes that name a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has just ended
        if str(directory) in command:
            found.append(command.strip())
    return found
