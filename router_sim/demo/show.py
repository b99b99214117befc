"""The minute itself: start the processes, watch them, sum up, stop everything."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc import aio

from router_sim.demo.admin import Watcher
from router_sim.demo.card import Card, make_card
from router_sim.demo.setting import GatewayFile, Protection, exchange_universe
from router_sim.demo.stage import Stage, StageError
from router_sim.demo.state import DemoState
from router_sim.demo.view import View
from router_sim.knight.universe import universe
from router_sim.scenario import LiveVariant

POLL_S = 0.25
"""Seconds between two looks at the gateway and the exchange."""

VENUE_S = 20.0
"""Seconds the gateway gets to find the exchange."""

MAX_LEAD_S = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be shown."""

    seconds: int
    """In all: a few before the open, the rest after it."""
    protection: Protection
    protected: bool
    variant: LiveVariant = "S1"
    seed: int = 1
    directory: Path | None = None
    """Where the files and logs are kept; None = a temporary directory that goes away."""

    @property
    def lead(self) -> int:
        """Seconds before the open."""
        return max(1, min(MAX_LEAD_S, self.seconds // 4))


async def show(settings: Settings, view: View) -> Card:
    """Run the demonstration.

    Raises:
        StageError: a process did not come up, or ended on its own.
    """
    with contextlib.ExitStack() as stack:
        directory = settings.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="riskgate-")))
        directory.mkdir(parents=True, exist_ok=True)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with Stage(directory) as stage:
            return await _Show(settings, stage, view, stop).run()


class _Show:
    def __init__(self, settings: Settings, stage: Stage, view: View, stop: asyncio.Event) -> None:
        self._settings = settings
        self._stage = stage
        self._view = view
        self._stop = stop
        self._stocks = universe(settings.variant, settings.seed, until=0).stocks
        self._state = DemoState(self._stocks)
        self._closing = asyncio.Event()

    async def run(self) -> Card:
        """From the first process to the card; what runs is stopped by the stage."""
        watch = asyncio.create_task(self._watch())
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({watch, stop}, return_when=asyncio.FIRST_COMPLETED)
            interrupted = not watch.done()
        finally:
            for task in (watch, stop):
                task.cancel()
            results = await asyncio.gather(watch, stop, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]
        return make_card(
            self._state,
            variant=self._settings.variant,
            seed=self._settings.seed,
            protection=self._settings.protection.words,
            protected=self._settings.protected,
            interrupted=interrupted,
        )

    async def _watch(self) -> None:
        settings, stage = self._settings, self._stage
        stage.universe.write_text(exchange_universe(self._stocks), encoding="utf-8")
        self._view.say("starting the exchange")
        venue = await stage.start_exchange(fill_seed=settings.seed)
        file = GatewayFile(venue, self._stocks, settings.protection, drop_copy=settings.protected)
        stage.config.touch(mode=0o600)
        stage.config.write_text(file.text(), encoding="utf-8")
        self._view.say("starting the gateway")
        doors = await stage.start_gateway()
        async with Watcher(doors["admin"], file.viewer_token) as admin:
            await self._venue_up(admin)
            self._view.say("starting eight routers; the deployment to smars-8 has failed, and nobody noticed")
            lead = settings.lead
            arguments = ["--gateway", doors["order_entry"], "--variant", settings.variant, "--seed", str(settings.seed)]
            arguments += ["--lead", str(lead), "--seconds", str(settings.seconds - lead)]
            if not settings.protection.parents:
                arguments.append("--no-parent-ids")
            await stage.start_fleet(arguments)
            await self._minute(admin)

    async def _venue_up(self, admin: Watcher) -> None:
        try:
            async with asyncio.timeout(VENUE_S):
                while True:
                    status = await admin.status()
                    if status.venue_connected and status.venue_reconciled:
                        return
                    self._check_alive()
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise StageError(f"the gateway has not found the exchange in {VENUE_S:g} s") from error

    async def _minute(self, admin: Watcher) -> None:
        """Follow fleet, gateway and exchange until the fleet ends."""
        steps: list[Coroutine[Any, Any, None]] = [self._fleet(), self._poll(admin), self._events(admin)]
        tasks = [asyncio.create_task(step) for step in steps]
        try:
            await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks[:2]:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not self._state.open_at:
            raise StageError("the fleet ended before the open")

    async def _fleet(self) -> None:
        async for line in self._stage.fleet_lines():
            if line["event"] == "closing":
                self._closing.set()  # from here on the routers take back their orders: no longer part of the story
            self._state.fleet(line)
        self._closing.set()

    async def _poll(self, admin: Watcher) -> None:
        while not self._closing.is_set():
            self._check_alive()
            try:
                self._state.gateway(await admin.status())
                self._state.parity(await admin.fleet())
            except aio.AioRpcError as error:
                raise StageError(f"the gateway does not answer: {error.details()}") from error
            self._state.venue_stats = await self._stage.ask_exchange("stats")
            self._state.quotes = (await self._stage.ask_exchange("quotes")).get("quotes", {})
            self._view.show(self._state)
            await asyncio.sleep(POLL_S)

    async def _events(self, admin: Watcher) -> None:
        async for event in admin.events():
            self._state.gateway_event(event)

    def _check_alive(self) -> None:
        dead = self._stage.dead()
        if dead is not None:
            raise StageError(dead)
