"""Other incidents than Knight's, live: each is refused by the control that knows it, and only its router pays."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_sim.demo.setting import protected
from tests.e2e.floor import PACE, UNEVEN, floor, until, until_status

INCIDENTS = {"smars-2": "resend", "smars-3": "dollar-orders", "smars-4": "basket"}


@pytest.mark.timeout(300)
async def test_everbright_goldman_and_citi_at_once(tmp_path: Path) -> None:
    """Resends exceed their parents, one-dollar orders miss the collar, the basket the router's velocity or turnover."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        # Of the lines that count, those that the basket must meet stand; a resend is one of many.
        hall.start_gateway(protected([*UNEVEN, "duplicates", "repeated_execution"]))
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            faults = [option for name, kind in INCIDENTS.items() for option in ("--fault", f"{name}={kind}")]
            fleet = hall.start_fleet("--lead", "2", "--seconds", "400", "--failed-deploy", "", *faults)
            await until_status(
                watcher, lambda status: len(status.trips) >= 2, "the two that must be halted are", seconds=150
            )
            await until(
                lambda: "PRICE_COLLAR" in fleet.routers()["smars-3"]["rejected"], "the dollar orders were refused"
            )
            rest = [name for name in fleet.routers() if name not in INCIDENTS]
            before = sum(fleet.routers()[name]["sent"] for name in rest)
            await until(lambda: sum(fleet.routers()[name]["sent"] for name in rest) > before + 50, "the others went on")
            status = await watcher.status()

        causes = {trip.router: trip.cause.name for trip in status.trips}
        assert causes["smars-2"] == "PARENT_OVERFILL"
        assert causes["smars-4"] in {"NOTIONAL_VELOCITY", "TURNOVER_LIMIT"}
        assert set(fleet.routers()["smars-4"]["rejected"]) <= {"NOTIONAL_VELOCITY", "TURNOVER_LIMIT", "HALTED"}
        assert {name: fleet.routers()[name]["rejected"] for name in rest} == {name: {} for name in rest}


@pytest.mark.timeout(300)
async def test_rolling_back_the_good_servers_halts_them_one_by_one(tmp_path: Path) -> None:
    """What Knight did to mend it: each server that gets the old code is stopped by itself, and nothing leaks."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        hall.start_gateway(protected([*UNEVEN, *PACE]), fleet="[fleet]\nquarantine_culprit = false")
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            options = ("--lead", "2", "--seconds", "400", "--failed-deploy", "", "--at", "3 roll-back smars-1 smars-2")
            fleet = hall.start_fleet(*options)
            status = await until_status(
                watcher,
                lambda status: {trip.router for trip in status.trips} == {"smars-1", "smars-2"},
                "both are halted",
                seconds=120,
            )

        assert [line["servers"] for line in fleet.lines("rolled-back")] == [["smars-1", "smars-2"]]
        assert {trip.cause.name for trip in status.trips} == {"PARENT_OVERFILL"}
        for name, router in fleet.routers().items():
            assert router["excess"] == {}, name
            if name not in ("smars-1", "smars-2"):
                assert router["rejected"] == {}, name
