"""Connections to the gateway."""

from __future__ import annotations

import random
from typing import Final

import grpc
from grpc import aio

OPTIONS: Final = (
    ("grpc.use_local_subchannel_pool", 1),  # one connection per channel: the cancel lane must not share the orders' own
    ("grpc.max_receive_message_length", 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.enable_retries", 0),  # this client decides what is sent again, and under which number
)

FINAL_CODES: Final = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Answers to a logon that trying again would not change."""


def open_channel(address: str) -> aio.Channel:
    """A connection of its own."""
    return aio.insecure_channel(address, options=OPTIONS)


class Backoff:
    """How long to wait before the next attempt: doubling up to a bound, with a random part so that a fleet spreads out."""

    def __init__(self, first: float = 0.05, last: float = 2.0) -> None:
        self._first = first
        self._last = last
        self._next = first

    def reset(self) -> None:
        """A connection stood: begin with the shortest wait again."""
        self._next = self._first

    def next(self) -> float:
        """Seconds to wait now."""
        wait = self._next * (0.5 + random.random() / 2)  # noqa: S311 - spreads a fleet, hides nothing
        self._next = min(self._next * 2, self._last)
        return wait
