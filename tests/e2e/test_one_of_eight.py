"""Knight's morning with real processes: one router is halted, seven go on, nothing leaks, every cancel is confirmed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from gateway.fleet.keys import generate, read_private
from gateway.fleet.manifest import Entry, Manifest
from gateway.fleet.signing import sign, write_documents
from router_sim.attest import FLAGS, binary_sha256
from router_sim.behaviour import Build
from router_sim.demo.admin import Watcher
from router_sim.demo.setting import protected
from router_sim.knight.universe import ROUTERS
from router_sim.scenario import STANDING
from tests.e2e.floor import PACE, UNEVEN, WAIT_S, floor, until, until_status
from tests.support.waiting import eventually_async

CULPRIT = "smars-8"

PARENTS_FIRST = protected([*UNEVEN, *PACE])
"""Whatever the machine does, the first line that Power Peg meets is that of its parents."""


@pytest.mark.timeout(300)
async def test_one_router_is_halted_while_seven_go_on(tmp_path: Path) -> None:
    """The halt names the culprit alone; its orders are gone from the venue's own book; no healthy order is refused."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        hall.start_gateway(PARENTS_FIRST)
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            fleet = hall.start_fleet("--lead", "3", "--seconds", "400")
            status = await until_status(
                watcher,
                lambda status: bool(status.trips) and status.trips[0].cancels_outstanding == 0,
                "the culprit is halted and its orders are cancelled",
                seconds=90,
            )
            await _odd_one_is_named(watcher)
            at_halt = fleet.total("sent", but=CULPRIT)
            await until(lambda: fleet.total("sent", but=CULPRIT) > at_halt + 300, "the seven went on")
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


async def _odd_one_is_named(watcher: Watcher) -> None:
    """The comparison nobody made: the gateway has it, without a manifest, and nobody else is concerned."""
    parity = await watcher.fleet()
    odd = {row.router: {difference.attribute for difference in row.differences} for row in parity.rows}
    expected = {"build", "binary_sha256", "feature_flags"}

    assert odd == {name: expected if name == CULPRIT else set() for name in ROUTERS}
    assert any(text.startswith(f"{CULPRIT}: binary_sha256 differs from 7 of 8") for text in parity.findings)
    assert any(text.startswith("order flag bit 0 means RLP 2 and meant POWER_PEG 1") for text in parity.findings)


@pytest.mark.timeout(300)
async def test_rolling_back_after_the_halt_is_refused(tmp_path: Path) -> None:
    """Minute 24 of Knight's morning: the seven good servers get the culprit's code. Their logon is refused, and says why."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        hall.start_gateway(protected(UNEVEN))
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            fleet = hall.start_fleet("--lead", "2", "--seconds", "400", "--at", "5 roll-back smars-1")
            await until_status(watcher, lambda status: bool(status.trips), "the culprit is halted")
            await until(
                lambda: any(line["router"] == "smars-1" for line in fleet.lines("ended")),
                "smars-1 is restarted",
                seconds=90,
            )

            async def refused() -> str:
                rows = (await watcher.fleet()).rows
                return next(row.refusal for row in rows if row.router == "smars-1")

            await eventually_async(refused, "the gateway refuses the old build", seconds=WAIT_S)
            why = await refused()
            status = await watcher.status()

    cause = next(trip.cause.name for trip in status.trips)
    assert why.startswith(f"this is the build of smars-8, halted by trip 1 ({cause}); a rollback to it is refused")
    assert {trip.router for trip in status.trips} == {CULPRIT}
    assert fleet.rejected(but=CULPRIT) == {}


@pytest.mark.timeout(300)
async def test_failed_copy_is_refused_before_the_open(tmp_path: Path) -> None:
    """With a signed manifest the server that was not deployed to does not get as far as an order."""
    keys, documents = tmp_path / "deploy", tmp_path / "documents"
    entry = Entry(routers=ROUTERS, binary_sha256=binary_sha256(Build.RLP), feature_flags=FLAGS[Build.RLP])
    generate(keys.with_suffix(".key"), keys.with_suffix(".pub"))
    signed = sign(Manifest(entries=(entry,)), read_private(keys.with_suffix(".key")))
    (tmp_path / "fleet.json").write_text(signed.text())
    write_documents(signed, documents)
    with floor(tmp_path) as hall:
        hall.start_exchange()
        hall.start_gateway(fleet='[fleet]\nmanifest = "fleet.json"\npublic_keys = ["deploy.pub"]')
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            fleet = hall.start_fleet("--documents", str(documents), "--seconds", "20")

            async def refused() -> list[str]:
                return [row.router for row in (await watcher.fleet()).rows if row.refusal]

            await eventually_async(refused, "the culprit is refused", seconds=WAIT_S)
            await until(lambda: not fleet.process.alive(), "the fleet does not open without its eighth server")
            assert fleet.lines("open") == []
            assert await refused() == [CULPRIT]
            row = next(row for row in (await watcher.fleet()).rows if row.router == CULPRIT)
            assert {d.attribute for d in row.differences} == {"binary_sha256", "feature_flags", "signature"}
