"""Which code runs where: roll-outs of which one server can fail without anybody noticing, and rolling back.

As at Knight from 27 to 31 July 2012: the release was copied to the servers on successive days by one technician, one
of eight copies did not happen, nobody reviewed it, and the report said that all was well (SEC release 34-70694,
paragraph 15). Pure bookkeeping; who restarts the routers afterwards is the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from router_sim.behaviour import Build


@dataclass(frozen=True, slots=True)
class Step:
    """One server's copy on one day. `done` is what the technician reported, `installed` what is on the disk."""

    day: int
    server: str
    done: bool
    installed: Build


class Deployment:
    """The servers of a fleet and the code installed on each."""

    def __init__(self, servers: Iterable[str], build: Build = Build.POWER_PEG) -> None:
        """All servers start with the same build."""
        self._installed = dict.fromkeys(servers, build)
        self._previous = dict(self._installed)

    def installed(self, server: str) -> Build:
        """The code on a server's disk. Raises `KeyError` for a server that is not in the fleet."""
        return self._installed[server]

    def builds(self) -> dict[str, Build]:
        """The code on every server's disk."""
        return dict(self._installed)

    def roll_out(self, build: Build, *, per_day: int = 2, silently_failing: Iterable[str] = ()) -> list[Step]:
        """Copy a build to the servers, so many each day.

        Args:
            build: the release.
            per_day: servers a day.
            silently_failing: servers whose copy does not happen, though it is reported as done.

        Returns:
            One step per server in the order of the copies.

        Raises:
            KeyError: a failing server that is not in the fleet.
        """
        failing = set(silently_failing)
        for server in failing:
            self.installed(server)
        steps = []
        for index, server in enumerate(self._installed):
            if server not in failing:
                self._previous[server] = self._installed[server]
                self._installed[server] = build
            steps.append(Step(index // per_day, server, done=True, installed=self._installed[server]))
        return steps

    def roll_back(self, servers: Sequence[str] | None = None) -> list[str]:
        """Put the previous build back on servers (all when None); those whose code changed."""
        changed = []
        for server in self._installed if servers is None else servers:
            if self.installed(server) is not self._previous[server]:
                self._installed[server] = self._previous[server]
                changed.append(server)
        return changed

    def odd_ones(self) -> list[str]:
        """Servers that do not run what most of the fleet runs: the comparison nobody made."""
        builds = list(self._installed.values())
        usual = max(set(builds), key=builds.count)
        return [server for server, build in self._installed.items() if build is not usual]
