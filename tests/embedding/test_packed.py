"""A packed batch decides exactly as flat calls in the same order do."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

import riskcore
from tests.embedding.desk import ASK, CENT, SECOND, USD, Desk

RECORD = struct.Struct(riskcore.NEW_ORDER_FORMAT)
FIELDS = (
    *("t", "qty", "price", "cl_ord_id", "flags"),
    *("router", "account", "symbol", "strategy", "parent"),
    *("side", "ord_type", "tif"),
)


def pack(order: dict[str, int]) -> bytes:
    """One record, as docs/reference/embedding.md lays it out."""
    return RECORD.pack(*(order[field] for field in FIELDS))


def verdicts(packed: bytes) -> list[int]:
    """The answers of a batch."""
    return [verdict for (verdict,) in struct.iter_unpack("<q", packed)]


def test_record_is_64_bytes() -> None:
    assert RECORD.size == 64


def test_empty_batch_has_no_verdicts() -> None:
    assert Desk().engine.new_orders(b"") == b""


ORDERS = st.lists(
    st.fixed_dictionaries(
        {
            "t": st.integers(0, 3 * SECOND),
            "router": st.integers(0, 2),
            "account": st.integers(0, 2),
            "symbol": st.integers(0, 2),
            "parent": st.integers(-1, 1),
            "strategy": st.integers(-1, 1),
            "side": st.sampled_from([riskcore.BUY, riskcore.SELL, riskcore.SELL_SHORT, riskcore.SELL_SHORT_EXEMPT]),
            "ord_type": st.sampled_from([riskcore.MARKET, riskcore.LIMIT]),
            "tif": st.sampled_from([riskcore.DAY, riskcore.GTC, riskcore.OPG, riskcore.IOC, riskcore.FOK]),
            "qty": st.one_of(st.integers(-1, 60).map(lambda n: 10 * n), st.integers(-(2**63), 2**63 - 1)),
            "price": st.one_of(st.integers(-3, 3).map(lambda n: ASK + n * CENT), st.just(300 * USD), st.just(1)),
            "cl_ord_id": st.integers(1, 20),
            "flags": st.sampled_from([0, 1, 2**64 - 1]),
        }
    ),
    max_size=40,
)


@given(ORDERS)
def test_packed_equals_flat(orders: list[dict[str, int]]) -> None:
    flat, packed = Desk(), Desk()
    for order in orders:
        order["t"] += flat.t

    one_by_one = [flat.engine.new_order(**order) for order in orders]
    at_once = verdicts(packed.engine.new_orders(b"".join(map(pack, orders))))

    assert at_once == one_by_one
    assert packed.engine.last_reject() == flat.engine.last_reject()
    assert packed.engine.state_hash() == flat.engine.state_hash()


def test_halt_in_the_middle_of_a_batch_holds_for_the_rest() -> None:
    desk = Desk()
    child = {"account": desk.client, "parent": desk.parent}
    orders = [desk.arguments(**child, qty=1_100) for _ in range(3)] + [desk.arguments() for _ in range(2)]

    names = [desk.name(verdict) for verdict in verdicts(desk.engine.new_orders(b"".join(map(pack, orders))))]

    assert names == ["PARENT_OVERFILL"] * 3 + ["HALTED"] * 2


@pytest.mark.parametrize(("field", "value"), [("side", 0), ("router", -1), ("parent", -2), ("cl_ord_id", -1)])
def test_record_that_is_no_order_stops_the_batch_before_it_begins(field: str, value: int) -> None:
    desk = Desk()
    good, bad = desk.arguments(), desk.arguments() | {field: value}
    before = desk.engine.state_hash()

    with pytest.raises(riskcore.InvalidArgument, match=f"packed order 1: {field} .*nothing of the batch was decided"):
        desk.engine.new_orders(pack(good) + pack(bad) + pack(good))

    assert desk.engine.state_hash() == before
    assert desk.engine.open_orders() == 0
