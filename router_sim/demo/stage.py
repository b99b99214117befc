"""The processes of a demonstration: started one after the other, each when the one before is ready, and all stopped.

Every process runs in a session of its own, so that Ctrl-C reaches only the one that knows in which order to stop; and
on a leash, so that none outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from exchange_sim.control import ControlError, ask

READY_S = 30.0
"""Seconds a process gets to write its ready file."""

STOP_S = 8.0
"""Seconds a process gets to end after SIGTERM."""

POLL_S = 0.02


class StageError(Exception):
    """A process did not come up; `str()` says which and shows its last words."""


class Stage:
    """Exchange, gateway and fleet. Use as an async context manager; leaving it stops what was started."""

    def __init__(self, directory: Path) -> None:
        """Work in this directory: universe, configuration, logs, ready files."""
        self.directory = directory
        self.universe = directory / "universe.json"
        self.config = directory / "riskgate.toml"
        self.control = directory / "exchange.control"
        self._processes: list[tuple[str, asyncio.subprocess.Process]] = []
        self.fleet: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Nothing is started yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, the last started first."""
        while self._processes:
            _, process = self._processes.pop()
            await self._stop(process)

    async def start_exchange(self, *, fill_seed: int) -> str:
        """Start the exchange on `universe`; its address. Raises `StageError`."""
        ready = self.directory / "exchange.ready"
        await self._start(
            "exchange",
            [
                *("exchange_sim", "--listen", "127.0.0.1:0", "--universe", str(self.universe)),
                *("--control", str(self.control), "--ready-file", str(ready), "--fill-seed", str(fill_seed)),
            ],
        )
        return str((await self._ready("exchange", ready))["address"])

    async def start_gateway(self) -> dict[str, str]:
        """Start the gateway on `config`; its addresses by door. Raises `StageError`."""
        ready = self.directory / "gateway.ready"
        await self._start(
            "gateway",
            ["gateway", "run", "--config", str(self.config), "--ready-file", str(ready), "--log-format", "json"],
        )
        return await self._ready("gateway", ready)

    async def start_fleet(self, arguments: Sequence[str]) -> None:
        """Start the fleet; its lines come from `fleet_lines`."""
        self.fleet = await self._start(
            "fleet", ["router_sim", "fleet", "--config", str(self.config), *arguments], piped=True
        )

    async def fleet_lines(self) -> AsyncIterator[dict[str, Any]]:
        """What the fleet says, until it ends."""
        if self.fleet is None or self.fleet.stdout is None:
            return
        async for line in self.fleet.stdout:
            yield json.loads(line)

    async def ask_exchange(self, command: str) -> dict[str, Any]:
        """A control command to the exchange; empty when it does not answer."""
        with contextlib.suppress(ControlError):
            return await asyncio.to_thread(ask, self.control, command)
        return {}

    def dead(self) -> str | None:
        """The first process that ended though nobody stopped it (the fleet may end by itself)."""
        for name, process in self._processes:
            if process.returncode is not None and process is not self.fleet:
                return f"the {name} ended with code {process.returncode}:\n{self._last_words(name)}"
        return None

    async def _start(self, name: str, arguments: Sequence[str], *, piped: bool = False) -> asyncio.subprocess.Process:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        (self.directory / f"{name}.ready").unlink(missing_ok=True)  # of an earlier run in a kept directory
        with (self.directory / f"{name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "router_sim.demo.leash", str(os.getpid()), *arguments),
                stdin=pipe if piped else null,
                stdout=pipe if piped else log,
                stderr=log,
                start_new_session=True,
                limit=1 << 22,
            )
        self._processes.append((name, process))
        return process

    async def _ready(self, name: str, path: Path) -> dict[str, str]:
        process = self._processes[-1][1]
        try:
            async with asyncio.timeout(READY_S):
                while not path.exists():  # noqa: ASYNC240 - a local file, looked at for a second at the start
                    if process.returncode is not None:
                        raise StageError(f"the {name} ended with code {process.returncode}:\n{self._last_words(name)}")
                    await asyncio.sleep(POLL_S)
        except TimeoutError as error:
            text = f"the {name} was not ready in {READY_S:g} s:\n{self._last_words(name)}"
            raise StageError(text) from error
        return _read(path)

    def _last_words(self, name: str) -> str:
        lines = (self.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-12:])

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.communicate(), STOP_S)  # reads on: a full pipe would hold it up
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found
