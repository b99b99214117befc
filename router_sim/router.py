"""One router as a process: a session to the gateway, parents from its standard input, counters on its standard output.

    open 1343827800000000000          UTC ns of the open; times of parents count from it
    parent {"parent_cl_ord_id": ...}  work this parent (router_sim/plan.py)
    stop                              cancel what is open, log out, end; so does the end of the input

Every line it prints is a JSON object with `router` and `event`: `connected`, `disconnected`, `halted`, `stats`, `bye`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from router_sim.behaviour import NEVER
from router_sim.link import Connected, Disconnected, Halted, Link, LinkEvent
from router_sim.plan import PlanError, parse_parent
from router_sim.worker import Worker

MAX_BATCH = 64
"""Orders and cancels of one turn."""

STATS_S = 0.2
"""Seconds between two lines of counters."""

FAREWELL_S = 2.0
"""Seconds until a stopped router leaves though cancels are unconfirmed."""

Say = Callable[[dict[str, Any]], None]


class RouterProcess:
    """Runs a worker on a link."""

    def __init__(self, name: str, worker: Worker, link: Link, say: Say) -> None:
        """Prepare; `say` prints one object."""
        self._name = name
        self._worker = worker
        self._link = link
        self._say = say
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._started = asyncio.Event()
        self._open_at = time.time_ns()
        self._origin = time.monotonic_ns()

    async def run(self, lines: AsyncIterator[str]) -> None:
        """Work until told to stop."""
        steps = (self._read(lines), self._hear(), self._work(), self._count())
        tasks = [asyncio.create_task(step) for step in steps]
        stop = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait({*tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
            await self._farewell(tasks)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, stop):
                task.cancel()
            await asyncio.gather(*tasks, stop, return_exceptions=True)
            await self._link.close()
            self._tell("bye", **self._worker.ledger.snapshot())

    def now(self) -> int:
        """Ns since the open, negative before it."""
        return time.monotonic_ns() - self._origin

    def stop(self) -> None:
        """Take back what is open and end."""
        self._stop.set()

    async def _read(self, lines: AsyncIterator[str]) -> None:
        async for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "stop":
                break
            if word == "open":
                self._origin = time.monotonic_ns() - (time.time_ns() - int(rest))
                self._started.set()
            elif word == "parent":
                try:
                    self._worker.add(parse_parent(rest), self.now())
                except PlanError as error:
                    self._tell("error", text=str(error))
                self._wake.set()
        self._stop.set()

    async def _hear(self) -> None:
        async for events in self._link.events():
            now = self.now()
            for event in events:
                self._worker.hear(event, now)
                self._notable(event)
            self._wake.set()

    async def _work(self) -> None:
        await self._started.wait()
        while True:
            self._wake.clear()
            children, cancels = self._worker.due(self.now(), MAX_BATCH)
            if cancels:
                await self._link.cancel(cancels)
            if children:
                for refusal in await self._link.submit(children):
                    self._worker.hear(refusal, self.now())
            if not children and not cancels:
                await self._rest(self._worker.next_at())

    async def _rest(self, until: int) -> None:
        """Wait for the next thing to do or to hear."""
        timer = None
        if until != NEVER:
            delay = max(0, until - self.now()) / 1e9
            timer = asyncio.get_running_loop().call_later(delay, self._wake.set)
        await self._wake.wait()
        if timer is not None:
            timer.cancel()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(STATS_S)
            self._tell("stats", open_children=len(self._worker.open_children()), **self._worker.ledger.snapshot())

    async def _farewell(self, tasks: list[asyncio.Task[None]]) -> None:
        """Send nothing more, take back what is open, and wait for the answers a moment."""
        tasks[2].cancel()
        asked: set[str] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                while self._worker.open_children():
                    self._wake.clear()
                    # One without its answer waits for it: a cancel on its own lane could overtake the order.
                    if new := [child for child in self._worker.acknowledged_children() if child not in asked]:
                        asked.update(new)
                        await self._link.cancel(new)
                    else:
                        await self._wake.wait()
                return
        await self._link.cancel([child for child in self._worker.open_children() if child not in asked])

    def _notable(self, event: LinkEvent) -> None:
        match event:
            case Halted():
                self._tell("halted", scope=event.scope, reason=event.reason, text=event.text, at=time.time_ns())
            case Connected():
                self._tell("connected", resumed=event.resumed)
            case Disconnected():
                self._tell("disconnected", text=event.why)
            case _:
                pass

    def _tell(self, event: str, **values: Any) -> None:
        self._say({"router": self._name, "event": event, **values})


def say_on_stdout(line: dict[str, Any]) -> None:
    """Print one object; whoever reads it may be gone."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(line, separators=(",", ":")), flush=True)
