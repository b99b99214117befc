"""The buffer between a router's session and its user."""

from __future__ import annotations

import asyncio

from gateway.client import Disconnected, Event
from gateway.client.mailbox import Mailbox


def happened(*names: str) -> list[Event]:
    return [Disconnected(name) for name in names]


async def test_without_a_reader_the_oldest_are_dropped() -> None:
    mailbox = Mailbox(2)
    await mailbox.put(happened("a", "b", "c"))
    mailbox.close()

    assert [list(batch) async for batch in mailbox.batches()] == [happened("b", "c")]


async def test_with_a_reader_the_writer_waits_and_nothing_is_lost() -> None:
    mailbox = Mailbox(2)
    batches = mailbox.batches()
    first = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)
    writer = asyncio.create_task(mailbox.put(happened("a", "b", "c", "d", "e")))
    got = list(await first)
    while not writer.done() or len(got) < 5:
        got += await anext(batches)

    assert got == happened("a", "b", "c", "d", "e")


async def test_a_reader_that_leaves_lets_the_writer_go_on() -> None:
    mailbox = Mailbox(1)
    batches = mailbox.batches()
    reader = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)
    writer = asyncio.create_task(mailbox.put(happened("a", "b", "c")))
    await reader
    await batches.aclose()  # type: ignore[attr-defined]  # an async generator
    await writer
    mailbox.close()

    assert [list(batch) async for batch in mailbox.batches()] == [happened("c")]
