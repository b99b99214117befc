"""SIGKILL in mid-flight: the exchange, a router, a router in a burst. What is documented happens, nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from gateway.client import NewOrder, RouterClient, Side, TimeInForce, Verdict
from router_sim.demo.setting import GatewayFile, protected
from router_sim.knight.stocks import stocks
from router_sim.plan import Parent
from router_sim.scenario import STANDING
from tests.e2e.floor import ACCOUNT, STOCK, UNEVEN, Floor, floor, until, until_status
from tests.support.processes import process
from tests.support.waiting import RPC_SECONDS

AWAY = STOCK.mid0 // 100 * 99 // 10_000_000 * 10_000_000
"""A price one percent below the market: it rests."""


async def buy(router: RouterClient, parent: str, qty: int = 100, price: int | None = AWAY) -> Verdict:
    """Send an order and wait for the venue's or the gateway's word."""
    tif = TimeInForce.DAY if price is not None else TimeInForce.IMMEDIATE_OR_CANCEL
    order = NewOrder(ACCOUNT, STOCK.name, Side.BUY, qty, price=price, time_in_force=tif, parent=parent)
    return (await router.new_order(order).outcome(timeout=RPC_SECONDS)).verdict


async def open_parent(hall: Floor, parent: str, qty: int = 10_000) -> None:
    """Register a parent."""
    async with hall.oms() as oms:
        result = await oms.open(parent, account=ACCOUNT, symbol=STOCK.name, side=Side.BUY, qty=qty)
        assert result.verdict is Verdict.ACCEPTED, result


@pytest.mark.timeout(300)
async def test_without_the_exchange_orders_are_refused_nothing_is_queued_and_the_return_reconciles(
    tmp_path: Path,
) -> None:
    """VENUE_NOT_CONNECTED while it is away; afterwards only what is sent afterwards reaches it."""
    with floor(tmp_path) as hall:
        exchange = hall.start_exchange()
        hall.start_gateway(protected(UNEVEN))
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            await open_parent(hall, "P1")
            async with hall.router("smars-1") as router:
                assert await buy(router, "P1") is Verdict.ACCEPTED
                resting = router.open_orders[0]

                exchange.signal(signal.SIGKILL)
                await until_status(watcher, lambda status: not status.venue_connected, "the gateway noticed")
                refused = router.new_order(NewOrder(ACCOUNT, STOCK.name, Side.BUY, 100, price=AWAY, parent="P1"))
                outcome = await refused.outcome(timeout=RPC_SECONDS)
                assert outcome.verdict is Verdict.REJECTED
                assert outcome.reject is not None
                assert outcome.reject.name == "VENUE_NOT_CONNECTED"
                assert resting.is_open
                assert (await watcher.status()).open_orders == 1

                exchange.wait()
                hall.start_exchange(hall.venue)
                await until_status(watcher, lambda status: status.venue_reconciled, "the return was reconciled")
                ended = await resting.done(timeout=RPC_SECONDS)
                assert ended.verdict is not Verdict.UNKNOWN
                assert (await watcher.status()).open_orders == 0
                assert hall.venue_router("smars-1") == {}

                assert await buy(router, "P1", price=None) is Verdict.ACCEPTED
                await until(lambda: hall.venue_router("smars-1").get("orders") == 1, "only the new order arrived")


@pytest.mark.timeout(300)
async def test_a_killed_router_loses_its_orders_and_nobody_else_does(tmp_path: Path) -> None:
    """Cancel on disconnect: the venue's own book says so."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        hall.start_gateway(protected(UNEVEN))
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            fleet = hall.start_fleet("--lead", "3", "--seconds", "400", "--failed-deploy", "")
            await until(
                lambda: (
                    fleet.total("sent") > 200
                    and all(
                        hall.venue_router(name).get("open_orders", 0) >= STANDING for name in ("smars-3", "smars-4")
                    )
                ),
                "everybody trades",
                seconds=60,
            )
            pid = fleet.routers()["smars-3"]["pid"]
            assert hall.venue_router("smars-3")["open_orders"] >= STANDING

            kill(pid)
            await until(lambda: hall.venue_router("smars-3")["open_orders"] == 0, "its orders are cancelled")
            before = fleet.total("sent", but="smars-3")
            await until(lambda: fleet.total("sent", but="smars-3") > before + 100, "the others went on")
            status = await watcher.status()

            assert {router.router for router in status.routers if not router.connected} == {"smars-3"}
            assert list(status.trips) == []
            assert hall.venue_router("smars-4")["open_orders"] >= STANDING
        fleet.process.signal(signal.SIGTERM)
        fleet.process.wait()
        assert fleet.rejected() == {}


def kill(pid: int) -> None:
    """SIGKILL a process of the fleet."""
    os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(300)
async def test_a_router_killed_in_a_burst_leaves_books_that_agree(tmp_path: Path) -> None:
    """The gateway's position is the venue's, nothing is open, and the router can come back."""
    with floor(tmp_path) as hall:
        hall.start_exchange()
        # The same order again and again is what this test sends.
        hall.start_gateway(protected([*UNEVEN, "duplicates", "repeated_execution"]))
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            await open_parent(hall, "P1", 100_000)
            pid = await burst(hall, "P1")
            kill(pid)
            await until_status(watcher, lambda status: status.open_orders == 0, "nothing is open")
            assert hall.venue_router("smars-2")["open_orders"] == 0

            async with hall.router("smars-2") as router:
                assert await buy(router, "P1", price=None) is Verdict.ACCEPTED
            venue = hall.venue_router("smars-2")["net"][STOCK.name]
            (position,) = [p for p in await watcher.positions() if p.symbol == STOCK.name]
            assert position.position == venue
            assert (position.open_buy_qty, position.open_sell_qty) == (0, 0)


async def burst(hall: Floor, parent: str) -> int:
    """Start a router process that sends 100 orders a second, to be filled or not; its pid once orders flow."""
    line = Parent(
        parent, ACCOUNT, STOCK.name, buy=True, qty=100_000, at=0, first_at=0, retail=True, delay=10_000_000
    ).line()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "router_sim", "router", "--gateway", hall.doors["order_entry"]),
        *("--name", "smars-2", "--build", "smars-2005.03"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, "RISKGATE_ROUTER_TOKEN": hall.tokens["smars-2"]},
    )
    if process.stdin is not None:
        process.stdin.write(f"open {time.time_ns()}\nparent {line}\n".encode())
    await until(lambda: hall.venue_router("smars-2").get("orders", 0) > 50, "orders flow")
    return process.pid


async def test_a_fleet_that_waits_for_a_hanging_gateway_can_be_stopped(tmp_path: Path) -> None:
    """No router gets a session, none loses one: only the signal itself can end the waiting."""
    config = tmp_path / "riskgate.toml"
    config.write_text(GatewayFile("127.0.0.1:1", stocks(), protected()).text())
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        gateway = f"127.0.0.1:{hanging.getsockname()[1]}"
        arguments: list[str | Path] = ["router_sim", "fleet", "--config", config, "--gateway", gateway]
        with process(arguments, tmp_path / "fleet.log") as fleet:
            await until(lambda: fleet.output().count('"started"') == 8, "every router is started")
            fleet.signal(signal.SIGTERM)

            fleet.wait()
            assert "not every router got a session" in fleet.output()
