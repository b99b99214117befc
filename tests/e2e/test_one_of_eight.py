"""Knight's morning with real processes: one router is halted, seven go on, nothing leaks, every cancel is confirmed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from router_sim.knight.universe import ROUTERS
from router_sim.scenario import STANDING
from tests.e2e.floor import floor, until, until_status

CULPRIT = "smars-8"


@pytest.mark.timeout(180)
async def test_one_router_is_halted_while_seven_go_on(tmp_path: Path) -> None:
    """The halt names the culprit alone; its orders are gone from the venue's own book; no healthy order is refused."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        hall.start_gateway()
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            fleet = hall.start_fleet("--lead", "3", "--seconds", "120")
            status = await until_status(
                watcher,
                lambda status: bool(status.trips) and status.trips[0].cancels_outstanding == 0,
                "the culprit is halted and its orders are cancelled",
                seconds=90,
            )
            at_halt = fleet.total("sent", but=CULPRIT)
            await until(lambda: fleet.total("sent", but=CULPRIT) > at_halt + 300, "the seven went on", seconds=60)
            status = await watcher.status()

            assert [(trip.scope.name, trip.router) for trip in status.trips] == [(CULPRIT, CULPRIT)]
            assert status.trips[0].cause.name == "PARENT_OVERFILL"
            assert status.trips[0].open_orders_at_halt >= STANDING
            assert status.trips[0].cancels_refused == 0
            assert hall.venue_router(CULPRIT)["open_orders"] == 0
            for router in ROUTERS[:7]:
                assert hall.venue_router(router)["open_orders"] >= STANDING, router

        fleet.process.signal(signal.SIGTERM)
        assert fleet.process.wait() == 0
        assert fleet.rejected(but=CULPRIT) == {}
        assert fleet.routers()[CULPRIT]["excess"] == {}
        refused = fleet.routers()[CULPRIT]["rejected"]
        assert refused["PARENT_OVERFILL"] >= 3
        assert refused["HALTED"] > 0
        assert hall.venue_router(CULPRIT)["open_orders"] == 0
