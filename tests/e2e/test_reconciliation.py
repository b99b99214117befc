"""The gateway checks what it knows: against the exchange's drop copy, and against its own clock."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from exchange_sim.control import ask
from gateway.client import NewOrder, RouterClient, Side, TimeInForce
from gateway.wire import scope_text, state_text
from riskgate.v1 import admin_pb2, types_pb2
from router_sim.demo.admin import Watcher
from router_sim.demo.setting import protected
from tests.e2e.floor import ACCOUNT, STOCK, UNEVEN, Floor, floor, until_status
from tests.support.waiting import RPC_SECONDS, eventually_async

LAG_S = 3.0
"""How long drop copy and order session may differ; a stall of a busy machine is shorter."""


def with_limits(firm: str, account: str = "", venue: str = "") -> dict[str, str]:
    """Lines to add to tables of the configuration."""
    return {"[limits.firm]": firm, '[limits.account."*"]': account, "[venue]": venue}


def start(hall: Floor, lines: dict[str, str]) -> None:
    """Exchange and gateway, with these lines in the tables of the configuration."""

    def edit(text: str) -> str:
        for table, added in lines.items():
            assert table in text
            text = text.replace(table, f"{table}\n{added}", 1)
        return text

    hall.start_exchange()
    hall.start_gateway(protected(UNEVEN), edit=edit)


async def take(router: RouterClient, qty: int = 100) -> str:
    """Buy at the market; the verdict, or the reason of a refusal."""
    tif = TimeInForce.IMMEDIATE_OR_CANCEL
    order = NewOrder(ACCOUNT, STOCK.name, Side.BUY, qty, time_in_force=tif, parent="P1")
    outcome = await router.new_order(order).done(timeout=RPC_SECONDS)
    return outcome.reject.name if outcome.reject is not None else outcome.verdict.value


def halted(status: admin_pb2.GetStatusResponse, scope: str, cause: str) -> bool:
    """Whether a scope is suspended for this reason."""
    return any(
        scope_text(trip.scope) == scope and trip.cause.name == cause and state_text(trip.state) == "CANCEL_ONLY"
        for trip in status.trips
    )


async def alarms(watcher: Watcher, about: str) -> list[str]:
    """The alarms so far that speak of something."""
    found: list[str] = []
    async for event in watcher.events():
        if event.kind == "alarm" and about in event.text:
            found.append(event.text)
        if event.kind == "halt":
            break
    return found


@pytest.mark.timeout(300)
async def test_an_execution_that_the_drop_copy_lacks_suspends_its_account(tmp_path: Path) -> None:
    """Fills, a bust and a doubled report agree; one execution left out does not, and the alarm says which."""
    lines = with_limits('drop_copy_max_lag = "60s"', f'drop_copy_max_lag = "{LAG_S:.0f}s"', "drop_copy = true")
    with floor(tmp_path) as hall:
        start(hall, lines)
        async with hall.watcher() as watcher, hall.oms() as oms, hall.router("smars-1") as router:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            assert await oms.open("P1", account=ACCOUNT, symbol=STOCK.name, side=Side.BUY, qty=10_000)

            async def trades() -> bool:
                return await take(router) == "accepted"

            await eventually_async(trades, "it trades")
            ask(hall.control, "set duplicate_reports 3")
            for _ in range(5):
                assert await take(router) == "accepted"
            await asyncio.sleep(1.5 * LAG_S)
            assert not (await watcher.status()).trips, "what agrees halts nobody"

            ask(hall.control, "set lose_drop_copies 1")
            assert await take(router) == "accepted"
            await until_status(
                watcher,
                lambda status: halted(status, f"account:{ACCOUNT}", "DROP_COPY_MISMATCH"),
                "the account is suspended",
            )
            assert await take(router) == "HALTED"
            assert (await watcher.status()).firm_state == types_pb2.HALT_STATE_ACTIVE
            [alarm] = await alarms(watcher, "drop copy")
            assert f"in {STOCK.name}: 100 booked, 0 in the venue's drop copy" in alarm


@pytest.mark.timeout(300)
async def test_a_drop_copy_that_is_away_suspends_the_firm(tmp_path: Path) -> None:
    """The exchange is gone: besides its link, the independent account of executions is."""
    with floor(tmp_path) as hall:
        start(hall, with_limits(f'drop_copy_max_lag = "{LAG_S:.0f}s"', "", "drop_copy = true"))
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            await asyncio.sleep(1.5 * LAG_S)
            assert not (await watcher.status()).trips, "an idle drop copy is there"
            assert hall.exchange is not None
            hall.exchange.signal(signal.SIGKILL)
            await until_status(
                watcher, lambda status: halted(status, "firm", "DROP_COPY_LOST"), "the firm is suspended"
            )


@pytest.mark.timeout(300)
async def test_a_gateway_that_was_held_up_takes_no_new_risk(tmp_path: Path) -> None:
    """Its machine stops it for longer than events may wait: what it would decide now is late."""
    with floor(tmp_path) as hall:
        start(hall, with_limits('max_event_lag = "1s"'))
        async with hall.watcher() as watcher:
            await until_status(watcher, lambda status: status.venue_reconciled, "the venue link is up")
            assert hall.gateway is not None
            hall.gateway.signal(signal.SIGSTOP)
            await asyncio.sleep(2.0)
            hall.gateway.signal(signal.SIGCONT)
            await until_status(watcher, lambda status: halted(status, "firm", "EVENT_LAG"), "the firm is suspended")
