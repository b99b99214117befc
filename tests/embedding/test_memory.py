"""When an engine takes its memory, and that nothing else depends on it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import riskcore

ORDERS = 200_000
LEAST = 160 * ORDERS
"""Less than the table of so many orders takes, more than everything beside it, bytes."""

MAPPED = """
import pathlib, resource, riskcore

def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

before = resident()
engine = riskcore.Engine(max_orders={orders}, touch_pages={touch_pages})
print(resident() - before)
"""
"""Prints what an engine maps, in a process of its own: in this one it would get memory that earlier tests gave back."""


@pytest.mark.parametrize("touch_pages", [False, True])
def test_memory_of_a_day_is_mapped_at_once_if_asked_for(*, touch_pages: bool) -> None:
    script = MAPPED.format(orders=ORDERS, touch_pages=touch_pages)

    mapped = int(subprocess.check_output([sys.executable, "-c", script]))

    assert (mapped > LEAST) == touch_pages


def test_mapped_engine_is_as_another() -> None:
    mapped = riskcore.Engine(max_orders=100, touch_pages=True)

    assert mapped.state_hash() == riskcore.Engine(max_orders=100).state_hash()
