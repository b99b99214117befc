"""A fleet of routers: one process each, started with the code its server has, fed with parents by the OMS.

Commands arrive as lines: `roll-back` (every server gets its previous code and its router is restarted), `deploy`,
`kill smars-3` (SIGKILL, as a server that dies), `stop`. What happens is told as JSON objects with an `event`:
`deployed`, `started`, `ended`, `connected`, `disconnected`, `halted`, `open`, `stats`, `closing`, `summary`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.client import ClientError, ParentOrdersClient
from router_sim.behaviour import Build
from router_sim.deployment import Deployment
from router_sim.oms import Oms
from router_sim.plan import Parent
from router_sim.scenario import Scenario
from router_sim.worker import Fault

TOKEN_VARIABLE = "RISKGATE_ROUTER_TOKEN"  # noqa: S105 - the name of a variable, not a token
"""Environment variable that carries a router's credential to its process, out of sight of the process list."""

STATS_S = 0.25
"""Seconds between two lines of counters."""

STOP_S = 5.0
"""Seconds a router gets to take back its orders and end."""

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """Where the fleet connects and who it is."""

    gateway: str
    """`host:port` of the gateway's order entry."""
    oms: str
    oms_token: str = field(repr=False)
    router_tokens: Mapping[str, str] = field(repr=False)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    """Routers that play another incident than Knight's."""
    timed: Sequence[tuple[int, str]] = ()
    """Commands and when to carry them out, ns after the open."""
    parent_ids: bool = True
    """Children name their parent; without, the gateway cannot tell them apart."""
    documents: Path | None = None
    """Attestation documents by router; the release brings each to its server, and a copy that fails does not."""


@dataclass(slots=True)
class Member:
    """One router of the fleet: its process and its newest counters."""

    name: str
    build: Build
    process: asyncio.subprocess.Process
    reader: asyncio.Task[None]
    counters: dict[str, Any] = field(default_factory=dict)
    connected: bool = False

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.returncode is None

    def tell(self, line: str) -> None:
        """Write a line to the router; a dead one does not hear it."""
        if self.process.stdin is not None and self.alive:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.process.stdin.write(line.encode() + b"\n")


class Fleet:
    """Starts the routers, runs the scenario, answers commands, stops everything."""

    def __init__(self, settings: FleetSettings, scenario: Scenario, deployment: Deployment, say: Say) -> None:
        """Prepare; `say` prints one object."""
        self._settings = settings
        self._scenario = scenario
        self._deployment = deployment
        self._say = say
        self._members: dict[str, Member] = {}
        self._past: dict[str, list[dict[str, Any]]] = {}
        self._open_at = 0
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self, lead_s: float, run_s: float, commands: AsyncIterator[str]) -> None:
        """Run the scenario.

        Args:
            lead_s: seconds from "every router has a session" to the open.
            run_s: seconds from the open to the end.
            commands: lines, see the module.
        """
        try:
            for router in self._scenario.routers:
                await self._start(router)
            await self._all_connected()
            self._open_at = time.time_ns() + int(lead_s * 1e9)
            self._say({"event": "open", "at": self._open_at})
            for member in self._members.values():
                member.tell(f"open {self._open_at}")
            await self._trade(lead_s + run_s, commands)
        finally:
            await self._end()

    def now(self) -> int:
        """Ns since the open."""
        return time.time_ns() - self._open_at

    async def command(self, line: str) -> None:
        """Carry out a command; an unknown one is reported and changes nothing."""
        match line.split():
            case ["stop"]:
                self._stop.set()
                self._changed.set()  # it may be waiting for sessions
            case ["kill", router] if router in self._members and self._members[router].alive:
                self._members[router].process.kill()
            case ["roll-back", *servers] if set(servers) <= set(self._members):
                changed = self._deployment.roll_back(servers or None)
                self._say({"event": "rolled-back", "servers": changed})
                await self._restart(changed)
            case ["deploy", *servers] if set(servers) <= set(self._members):
                failing = set(self._members) - set(servers) if servers else set()
                before = self._deployment.builds()
                self._deployment.roll_out(Build.RLP, silently_failing=failing)
                after = self._deployment.builds()
                await self._restart([name for name in after if after[name] is not before[name]])
            case _:
                self._say({"event": "error", "text": f"cannot {line!r}: stop, kill R, roll-back [R...], deploy [R...]"})

    async def _trade(self, seconds: float, commands: AsyncIterator[str]) -> None:
        settings = self._settings
        async with ParentOrdersClient(settings.gateway, settings.oms, settings.oms_token) as parents:
            oms = Oms(parents, self._route, self.now)
            tasks = [
                asyncio.create_task(step)
                for step in (self._route_all(oms), self._count(oms), self._obey(commands), self._timed())
            ]
            stop = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait({stop, tasks[1]}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*tasks, stop):
                    task.cancel()
                await asyncio.gather(*tasks, stop, return_exceptions=True)

    async def _route_all(self, oms: Oms) -> None:
        try:
            await oms.run(self._scenario.assignments)
        except ClientError as error:
            self._say({"event": "error", "text": f"the OMS cannot register parents: {error}"})
            self._stop.set()

    def _route(self, router: str, parent: Parent) -> None:
        self._members[router].tell(f"parent {parent.line()}")

    async def _obey(self, commands: AsyncIterator[str]) -> None:
        async for line in commands:
            if line.strip():
                await self.command(line.strip())

    async def _timed(self) -> None:
        """Carry out the commands that were given with a time."""
        for at, line in sorted(self._settings.timed):
            await asyncio.sleep(max(0, at - self.now()) / 1e9)
            await self.command(line)

    async def _count(self, oms: Oms) -> None:
        while True:
            await asyncio.sleep(STATS_S)
            self._say({"event": "stats", **self._state(), "registered": oms.registered, "refused": dict(oms.refused)})

    def _state(self) -> dict[str, Any]:
        routers = {
            name: {
                "build": member.build.value,
                "earlier": list(self._past.get(name, ())),
                "pid": member.process.pid,
                "alive": member.alive,
                "connected": member.connected,
                **member.counters,
            }
            for name, member in self._members.items()
        }
        return {"at": time.time_ns(), "open_at": self._open_at, "routers": routers}

    async def _start(self, name: str) -> None:
        build = self._deployment.installed(name)
        fault = self._settings.faults.get(name, Fault.NONE)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router_sim", "router"),
            *("--gateway", self._settings.gateway, "--name", name, "--build", build.value, "--fault", fault.value),
            *self._document(name, build),
            "--parent-ids" if self._scenario.parent_ids and self._settings.parent_ids else "--no-parent-ids",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, TOKEN_VARIABLE: self._settings.router_tokens[name]},
            limit=1 << 20,
        )
        reader = asyncio.create_task(self._listen(name, process))
        self._members[name] = Member(name, build, process, reader)
        self._say({"event": "started", "router": name, "pid": process.pid, "build": build.value})
        if self._open_at:
            self._members[name].tell(f"open {self._open_at}")

    def _document(self, name: str, build: Build) -> list[str]:
        """What the release left on the server; the code before it came without a document."""
        documents = self._settings.documents
        return [] if documents is None or build is not Build.RLP else ["--document", str(documents / f"{name}.json")]

    async def _restart(self, names: list[str]) -> None:
        for name in names:
            await self._stop_member(self._members[name])
            self._past.setdefault(name, []).append(self._members[name].counters)
            await self._start(name)

    async def _listen(self, name: str, process: asyncio.subprocess.Process) -> None:
        async for line in process.stdout or asyncio.StreamReader():
            said = json.loads(line)
            member = self._members[name]
            event = said.get("event")
            if event in ("stats", "bye"):
                member.counters = {key: said[key] for key in said if key not in ("router", "event")}
                continue
            if event in ("connected", "disconnected"):
                member.connected = event == "connected"
                self._changed.set()
            self._say(said)
        code = await process.wait()
        self._members[name].connected = False
        self._changed.set()
        self._say({"event": "ended", "router": name, "code": code})

    async def _all_connected(self) -> None:
        while not all(member.connected for member in self._members.values()):
            if self._stop.is_set() or not all(member.alive for member in self._members.values()):
                raise FleetError("not every router got a session; see the lines above")
            self._changed.clear()
            await self._changed.wait()

    async def _stop_member(self, member: Member) -> None:
        member.tell("stop")
        try:
            await asyncio.wait_for(asyncio.shield(member.reader), STOP_S)
        except TimeoutError:
            member.process.kill()
            await member.reader

    async def _end(self) -> None:
        self._say({"event": "closing"})
        await asyncio.gather(*(self._stop_member(member) for member in self._members.values()))
        if self._open_at:
            self._say({"event": "summary", **self._state()})


class FleetError(Exception):
    """The fleet cannot start; `str()` says why."""
