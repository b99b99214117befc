"""Sliding windows over lists of everything that happened: exact ones, and ones in 64 steps that never count too short."""

from __future__ import annotations

from collections.abc import Iterable

SECOND = 1_000_000_000
STEPS = 64


def count(times: Iterable[int], now: int, window: int) -> int:
    """Events in the window that ends now; one that is a whole window old has left it."""
    return sum(now - time < window for time in times)


def step_of(window: int) -> int:
    """The length of a step, rounded up."""
    return -(-window // STEPS)


def counts_still(time: int, now: int, step: int) -> bool:
    """Whether something that happened then is in the window of 64 steps: until its step has left it altogether."""
    return now // step - time // step <= STEPS


def shorter(window: int) -> int:
    """The longest window in steps that holds nothing older than ``window``."""
    return window // (STEPS + 1) * STEPS


def total(amounts: Iterable[tuple[int, int]], now: int, window: int) -> int:
    """The sum of what is in the window."""
    step = step_of(window)
    return sum(amount for time, amount in amounts if counts_still(time, now, step))


def peak(values: list[tuple[int, int]], now: int, window: int) -> int:
    """The largest of the values in force at any time in the window; each holds from its time to the next one's."""
    step = step_of(window)
    start = (now // step - STEPS) * step
    ends = [time for time, _ in values[1:]] + [now + 1]
    return max(value for (_, value), end in zip(values, ends, strict=True) if end >= start)
