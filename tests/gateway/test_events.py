"""Subscriptions: bounded, honest about what was lost, never in anybody's way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.events import EventHub, Subscription
from riskgate.v1.admin_pb2 import StreamEventsResponse
from tests.support.waiting import eventually


def event(seq: int, missed: int = 0) -> StreamEventsResponse:
    return StreamEventsResponse(seq=seq, missed=missed)


def taken(subscription: Subscription) -> list[tuple[int, int]]:
    """What is queued, as (seq, missed)."""
    found = []
    while (got := subscription.get(timeout=0)) is not None:
        found.append((got.seq, got.missed))
    return found


@pytest.mark.parametrize(
    ("put", "seen"),
    [
        ([event(1), event(2)], [(1, 0), (2, 0)]),
        ([event(1), event(2), event(3), event(4)], [(3, 2), (4, 0)]),
        ([event(5, missed=4), event(6)], [(5, 4), (6, 0)]),
        ([event(5, missed=4), event(6), event(7)], [(6, 5), (7, 0)]),
        ([], []),
    ],
    ids=["fits", "two lost", "lost before", "lost before and here", "nothing"],
)
def test_subscriber_is_told_what_it_lost(put: Sequence[StreamEventsResponse], seen: list[tuple[int, int]]) -> None:
    subscription = Subscription(size=2)
    for one in put:
        subscription.put(one)

    assert taken(subscription) == seen


def test_event_shared_by_subscribers_is_not_changed_for_the_others() -> None:
    slow, quick, shared = Subscription(size=1), Subscription(size=9), event(2)
    for one in (event(1), shared):
        slow.put(one)
        quick.put(one)

    assert taken(slow) == [(2, 1)]
    assert taken(quick) == [(1, 0), (2, 0)]
    assert shared.missed == 0


def test_closed_subscription_gives_what_it_holds_and_then_nothing() -> None:
    subscription = Subscription()
    subscription.put(event(1))
    subscription.close()

    assert taken(subscription) == [(1, 0)]
    assert subscription.closed


class Source:
    """Stands for the data plane's event log: gives what it has, then nothing."""

    def __init__(self, events: Sequence[StreamEventsResponse]) -> None:
        self._events = events

    def next_events(self, after_seq: int, timeout_ms: int) -> list[bytes]:
        return [one.SerializeToString() for one in self._events if one.seq > after_seq]


def test_hub_hands_history_and_what_follows_to_each_subscriber() -> None:
    seen: list[int] = []
    hub = EventHub(Source([event(1), event(2), event(3)]), lambda one: seen.append(one.seq))
    early = hub.subscribe(0)
    hub.start()
    eventually(lambda: len(seen) == 3, "the hub has taken every event")
    late = hub.subscribe(2)
    hub.stop()

    assert taken(early) == [(1, 0), (2, 0), (3, 0)]
    assert taken(late) == [(3, 0)]
    assert early.closed
    assert seen == [1, 2, 3]
