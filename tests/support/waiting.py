"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

RPC_SECONDS = 30.0
"""Deadline of a call that is answered at once, but for a busy machine: that is not a bug."""

_PAUSE_SECONDS = 0.01


def eventually(condition: Callable[[], T], what: str, *, seconds: float = RPC_SECONDS) -> T:
    """The first truthy value of ``condition``.

    Args:
        condition: Asked about a hundred times a second.
        what: Said in the failure: "router r1 is halted".
        seconds: The deadline; generous, since a busy machine is not a bug.

    Raises:
        AssertionError: The deadline passed.
    """
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain: {what}"
        pause.wait(_PAUSE_SECONDS)
    return value


async def eventually_async(condition: Callable[[], Awaitable[T]], what: str, *, seconds: float = RPC_SECONDS) -> T:
    """Like :func:`eventually`, for a condition that is awaited."""
    deadline = time.monotonic() + seconds
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain: {what}"
        await asyncio.sleep(_PAUSE_SECONDS)
    return value
