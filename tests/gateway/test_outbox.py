"""The client's outbox: nothing applied is ever sent again, nothing is ever sent under two numbers at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.client.outbox import Outbox
from riskgate.v1 import order_entry_pb2 as pb


def order(name: str) -> pb.RouterMessage:
    return pb.RouterMessage(new_order_single=pb.NewOrderSingle(cl_ord_id=name))


async def queued(outbox: Outbox) -> list[tuple[int, str]]:
    """Everything waiting to be written, as (client_seq, ClOrdID)."""
    found: list[tuple[int, str]] = []
    outbox.queue(pb.RouterMessage(logout=pb.Logout()))
    while True:
        for message in (await outbox.frame()).messages:
            if message.HasField("logout"):
                return found
            found.append((message.client_seq, message.new_order_single.cl_ord_id))


async def test_numbers_are_dense_from_one() -> None:
    outbox = Outbox()
    for name in "abc":
        outbox.send(order(name), None)

    assert await queued(outbox) == [(1, "a"), (2, "b"), (3, "c")]


async def test_what_never_arrived_is_sent_again_under_the_same_numbers() -> None:
    outbox = Outbox()
    for name in "abcd":
        outbox.send(order(name), None)
    await queued(outbox)

    assert outbox.rewind(2, resend_within=60) == []
    assert await queued(outbox) == [(3, "c"), (4, "d")]
    assert outbox.send(order("e"), None) == 5


async def test_stale_orders_are_left_out_and_cancels_are_not() -> None:
    outbox = Outbox()
    outbox.send(order("a"), None)
    outbox.send(order("b"), None, is_cancel=True)
    outbox.send(order("c"), None)
    stale = outbox.rewind(0, resend_within=-1)

    assert [sent.message.new_order_single.cl_ord_id for sent in stale] == ["a", "c"]
    assert await queued(outbox) == [(1, "b")]


async def test_forgotten_messages_are_handed_back_and_numbers_follow_the_gateway() -> None:
    outbox = Outbox()
    for name in "ab":
        outbox.send(order(name), None)

    assert [sent.message.new_order_single.cl_ord_id for sent in outbox.forget(7)] == ["a", "b"]
    assert await queued(outbox) == []
    assert outbox.send(order("c"), None) == 8


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=8))
async def test_gateway_sees_each_order_once_whatever_is_cut(rounds: list[tuple[int, int]]) -> None:
    """The gateway applies messages in sequence and refuses a gap; any part of what was written may arrive."""
    outbox, applied, made = Outbox(), list[str](), 0
    for sends, arrives in rounds:
        for _ in range(sends):
            made += 1
            outbox.send(order(str(made)), None)
        for seq, name in (await queued(outbox))[:arrives]:
            assert seq == len(applied) + 1
            applied.append(name)
        outbox.rewind(len(applied), resend_within=60)

    assert applied == [str(number) for number in range(1, len(applied) + 1)]
