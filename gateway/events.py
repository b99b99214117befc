"""The gateway's events, fanned out to any number of subscribers of any speed.

One thread takes events from the data plane and hands each to every subscriber's own bounded queue. A subscriber that
does not keep up loses its oldest events and is told how many; it holds up nobody.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from riskgate.v1.admin_pb2 import StreamEventsResponse

HISTORY: Final = 4096
"""Events kept for subscribers that come later or come back."""

QUEUE: Final = 1024
"""Events a subscriber may be behind before it loses the oldest."""

_POLL_MS: Final = 50
"""How long one call may wait in the data plane; bounds how long a stop takes."""


class EventSource(Protocol):
    """Where events come from: the data plane."""

    def next_events(self, after_seq: int, timeout_ms: int) -> list[bytes]:
        """Serialized events after a sequence number; waits up to ``timeout_ms`` for the first."""


class Subscription:
    """One subscriber's queue."""

    def __init__(self, size: int = QUEUE) -> None:
        self._ready = threading.Condition()
        self._queue: deque[StreamEventsResponse] = deque(maxlen=size)
        self._missed = 0
        self._closed = False

    def put(self, event: StreamEventsResponse) -> None:
        """Hand an event over; never waits. A full queue loses its oldest event."""
        with self._ready:
            if len(self._queue) == self._queue.maxlen:
                self._missed += 1 + self._queue.popleft().missed
            self._queue.append(event)
            self._ready.notify()

    def get(self, timeout: float) -> StreamEventsResponse | None:
        """The next event, with the number of events lost before it; ``None`` when none came in ``timeout`` seconds."""
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._closed, timeout)
            if not self._queue:
                return None
            event = self._queue.popleft()
            if not self._missed:
                return event
            marked = StreamEventsResponse()
            marked.CopyFrom(event)
            marked.missed += self._missed
            self._missed = 0
            return marked

    def close(self) -> None:
        """Wake whoever waits; what is queued can still be taken."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    @property
    def closed(self) -> bool:
        """Whether no further event will be put."""
        return self._closed


class EventHub:
    """Takes events from the data plane on a thread of its own."""

    def __init__(self, source: EventSource, observe: Callable[[StreamEventsResponse], None]) -> None:
        self._source = source
        self._observe = observe
        self._lock = threading.Lock()
        self._history: deque[StreamEventsResponse] = deque(maxlen=HISTORY)
        self._subscriptions: set[Subscription] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Start taking events."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and close every subscription."""
        self._stopping.set()
        self._thread.join()
        with self._lock:
            for subscription in self._subscriptions:
                subscription.close()

    def subscribe(self, after_seq: int) -> Subscription:
        """A queue that begins with what is still held after ``after_seq`` and goes on live."""
        subscription = Subscription()
        with self._lock:
            for event in self._history:
                if event.seq > after_seq:
                    subscription.put(event)
            self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscriber."""
        with self._lock:
            self._subscriptions.discard(subscription)

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._subscriptions)

    def _run(self) -> None:
        after = 0
        while not self._stopping.is_set():
            for raw in self._source.next_events(after, _POLL_MS):
                event = StreamEventsResponse.FromString(raw)
                after = max(after, event.seq)
                self._publish(event)

    def _publish(self, event: StreamEventsResponse) -> None:
        with self._lock:
            self._history.append(event)
            for subscription in self._subscriptions:
                subscription.put(event)
        self._observe(event)
