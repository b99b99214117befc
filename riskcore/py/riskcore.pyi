"""The risk core and the data plane of riskgate, as a native module.

Units, everywhere: prices and money are integers in 1e-9 of a currency, quantities are whole units, times are UTC
nanoseconds. Ids of accounts, routers, strategies, symbols and parents are the small integers that the ``define_*``
and ``open_parent`` calls return; -1 means "absent" where a parameter says so.
"""

from typing import Final, NamedTuple, Self, TypedDict, final, type_check_only

__version__: Final[str]

BUY: Final[int]
SELL: Final[int]
SELL_SHORT: Final[int]
SELL_SHORT_EXEMPT: Final[int]
MARKET: Final[int]
LIMIT: Final[int]
DAY: Final[int]
IOC: Final[int]

class RiskcoreError(Exception):
    """Base of every error this module raises."""

class InvalidArgument(RiskcoreError, ValueError):
    """A name, scope or value that cannot be understood; the message says which and how to mend it."""

class Refused(RiskcoreError):
    """The core refused a request of a person; ``str()`` is the sentence for them."""

class Reject(NamedTuple):
    """Why an order was refused."""

    code: int
    name: str
    scope: str
    limit: int
    value: int
    unit: str

class Trip(NamedTuple):
    """One latched halt."""

    trip: int
    scope: str
    state: str
    check: str
    time: int
    principal: str
    text: str
    limit: int
    value: int
    router: str
    order_cl_ord_id: str
    open_orders: int
    cancels_outstanding: int

class LimitInfo(NamedTuple):
    """One limit of the catalogue."""

    name: str
    check: str
    unit: str
    settable_at: tuple[str, ...]
    required_at: tuple[str, ...]
    action: str
    doc: str

class ReasonInfo(NamedTuple):
    """One reject reason of the catalogue."""

    code: int
    name: str
    ord_rej_reason: int
    doc: str

def limits() -> list[LimitInfo]:
    """Every limit there is, in registry order."""

def reasons() -> list[ReasonInfo]:
    """Every reject reason there is, by code."""

@final
class Engine:
    """The risk core, embedded: flat calls, one thread. The caller supplies the time of every event, non-decreasing."""

    def __init__(
        self, *, epoch: int = 1, trading_day: int = 19700101, max_orders: int = 1_048_576, max_parents: int = 65_536
    ) -> None: ...
    def define_account(self, name: str, *, parent_required: bool = True) -> int: ...
    def define_router(self, name: str) -> int: ...
    def define_strategy(self, name: str) -> int: ...
    def define_symbol(self, name: str, *, tick: int, lot: int = 1, multiplier: int = 1) -> int: ...
    def set_limit(self, scope: str, limit: str, value: int | None, *, principal: str = "config") -> None:
        """Set a limit at a scope: ``firm``, ``router:smars-1``, ``account_symbol:ACC1/AAPL``; ``router:*`` sets the
        default of every router. Values are in the limit's unit (money and prices in 1e-9, windows in ns)."""
    def venue_up(self, t: int) -> None: ...
    def opening_position(self, t: int, account: int, symbol: int, qty: int, mark: int) -> None: ...
    def tick(self, t: int, symbol: int, bid: int, ask: int) -> None: ...
    def open_parent(self, t: int, name: str, account: int, symbol: int, side: int, qty: int) -> int:
        """Register a parent order; its id, or minus the reason code."""
    def new_order(
        self,
        t: int,
        router: int,
        account: int,
        symbol: int,
        side: int,
        qty: int,
        price: int,
        parent: int,
        cl_ord_id: int,
        ord_type: int = ...,
        tif: int = ...,
        strategy: int = -1,
        flags: int = 0,
    ) -> int:
        """Decide one order: its OrderID (> 0), or minus the reason code. ``price`` is ignored for ``MARKET``;
        ``parent`` and ``strategy`` may be -1 (absent); ``cl_ord_id`` is used as decimal text. A resend of an accepted
        order answers with the same OrderID."""
    def new_orders(self, packed: bytes) -> bytes:
        """Decide a packed batch (layout: docs/reference/embedding.md); one little-endian i64 verdict per order."""
    def accepted(self, t: int, order: int) -> None:
        """The venue acknowledged the order."""
    def trade(self, t: int, order: int, qty: int, price: int) -> None: ...
    def canceled(self, t: int, order: int) -> None:
        """The venue confirmed that nothing of the order is open any more."""
    def rejected(self, t: int, order: int) -> None: ...
    def cancel(self, t: int, router: int, cl_ord_id: int) -> int:
        """Ask to cancel: the OrderID to cancel at the venue, or minus the reason code."""
    def replace(self, t: int, router: int, orig_cl_ord_id: int, cl_ord_id: int, qty: int, price: int) -> int: ...
    def replaced(self, t: int, order: int) -> None: ...
    def replace_rejected(self, t: int, order: int) -> None: ...
    def timer(self, t: int) -> None: ...
    def halt(self, t: int, scope: str, state: str, principal: str, text: str) -> int:
        """Halt a scope (``REDUCE_ONLY``, ``CANCEL_ONLY``, ``HALTED``); the trip id."""
    def propose_reinstate(self, t: int, scope: str, trip: int, principal: str, text: str) -> int: ...
    def approve(self, t: int, proposal: int, principal: str) -> None: ...
    def last_reject(self) -> Reject | None:
        """Details of the last order this engine refused."""
    def cancels(self) -> list[int]:
        """OrderIDs the core wants cancelled at the venue since the last call (halt sweeps and cancel requests)."""
    def trips(self) -> list[Trip]:
        """Every halt that is latched, oldest first."""
    def state(self, scope: str) -> str:
        """The scope's own state: ``ACTIVE``, ``REDUCE_ONLY``, ``CANCEL_ONLY`` or ``HALTED``."""
    def position(self, scope: str) -> tuple[int, int, int]:
        """Position, open buy and open sell quantity of a symbol, ``account_symbol`` or ``router_symbol`` scope."""
    def pnl(self, scope: str) -> int: ...
    def gross_notional(self, scope: str) -> int: ...
    def turnover(self, scope: str) -> int: ...
    def utilization(self, scope: str) -> dict[str, tuple[int, int]]:
        """Per limit set at the scope: (used, bound)."""
    def open_orders(self) -> int: ...
    def state_hash(self) -> int: ...

@final
class DataPlane:
    """The order path: listeners, venue link, market data and the core, on native threads.

    Set up with the ``define_*`` and ``set_limit`` calls, then ``start``.
    """

    def __init__(self, config: DataPlaneConfig) -> None: ...
    def define_account(self, name: str, *, parent_required: bool = True) -> None: ...
    def define_router(self, name: str, *, token: str, accounts: list[str]) -> None: ...
    def define_oms(self, name: str, *, token: str) -> None: ...
    def define_operator(self, name: str, *, token: str, may_halt: bool) -> None: ...
    def define_strategy(self, name: str) -> None: ...
    def define_symbol(self, name: str, *, tick: int, lot: int = 1, multiplier: int = 1) -> None: ...
    def opening_position(self, account: str, symbol: str, qty: int, mark: int) -> None: ...
    def set_limit(self, scope: str, limit: str, value: int | None, *, principal: str = "config") -> None: ...
    def start(self) -> None:
        """Bind the listeners and start the threads; returns when the listeners accept connections."""
    def stop(self) -> None:
        """Log routers out, leave the venue, join the threads. Idempotent."""
    @property
    def order_entry_address(self) -> str: ...
    @property
    def halt_address(self) -> str: ...
    def admin(self, method: str, request: bytes, principal: str) -> bytes:
        """Run one unary method of ``riskgate.v1.Admin`` (``"HaltScope"``): serialized request in, response out. The
        caller has authenticated ``principal`` and checked their role. Raises ``Refused`` or ``InvalidArgument``."""
    def next_events(self, after_seq: int, timeout_ms: int) -> list[bytes]:
        """Serialized ``StreamEventsResponse`` messages after a sequence number; waits up to ``timeout_ms``."""
    def metrics(self) -> dict[str, int]:
        """Counters and gauges of the data plane, by name with labels: ``orders{decision=...,check=...,router=...}``."""

@final
class DataPlaneConfig:
    """Everything the data plane is told before it starts; immutable."""

    def __init__(
        self,
        *,
        gateway: str,
        epoch: int,
        trading_day: int,
        order_entry_listen: str,
        halt_listen: str,
        halt_socket: str | None,
        halt_file: str | None,
        venue_address: str,
        market_data_address: str,
        heartbeat_ms: int,
        cancel_on_disconnect: bool,
        replace_in_flight_mitigation: bool,
        journal_file: str | None,
        max_orders: int,
        max_parents: int,
        max_sessions: int,
    ) -> None: ...

@type_check_only
class LatencyReport(TypedDict):
    """One HDR histogram, three significant digits, nanoseconds."""

    count: int
    min: int
    p50: int
    p90: int
    p99: int
    p99_9: int
    max: int

@type_check_only
class TallyReport(TypedDict):
    """What came of the orders of a flood or of one session."""

    elapsed_ns: int
    """First due time to last answer."""
    throughput: int
    """Answered orders per second of ``elapsed_ns``."""
    sent: int
    unsent: int
    """Orders of the schedule that never left, because the session ended before."""
    answered: int
    unanswered: int
    accepted: int
    rejected: int
    trades: int
    filled: int
    filled_qty: int
    canceled: int
    duplicates: int
    unsolicited: int
    sequence_gaps: int
    halts: int
    frames: int
    reject_reasons: dict[str, int]
    latency_ns: LatencyReport
    """Intended send to first report, one entry for each answered order."""
    lag_ns: LatencyReport
    """Intended send to encoding: how far behind its schedule the generator itself was."""

@type_check_only
class FloodSessionReport(TallyReport):
    """One session of a flood."""

    router: str
    phase: str
    """``LOGGING_ON``, ``READY``, ``RUNNING``, ``DRAINING`` or ``ENDED``."""
    error: str | None

@type_check_only
class FloodReport(TallyReport):
    """A flood: the sums, and each session."""

    sessions: list[FloodSessionReport]

@type_check_only
class VenueStubReport(TypedDict):
    """What a venue stub has done, over all gateways."""

    gateways: int
    open_orders: int
    orders: int
    cancels: int
    replaces: int
    trades: int
    rejects: int
    reports: int
    duplicates: int

@final
class FloodLine:
    """One kind of order; a session sends its lines in turn, each order under a ClOrdID of its own."""

    def __new__(
        cls,
        *,
        account: str,
        symbol: str,
        side: str,
        order_qty: int,
        price: int | None,
        time_in_force: str = "ioc",
        parent_cl_ord_id: str = "",
        strategy: str = "",
        order_flags: int = 0,
    ) -> Self:
        """``side``: ``buy``, ``sell``, ``sell_short``, ``sell_short_exempt``; ``time_in_force``: ``day``, ``gtc``,
        ``ioc``, ``fok``. ``price`` in 1e-9, ``None`` = market order. Raises ``ValueError`` for any other name."""

@final
class FloodSession:
    """One router's session, on a connection of its own.

    The schedule is fixed in advance and never waits for an answer: ``rate`` orders a second for ``duration_ns``, at
    most ``orders`` (0 = no bound), ``burst`` of them due together, a pause of ``pause_ns`` after each ``active_ns``
    (0 = none). ``ping_pong`` sends the next order on the answer to the last instead. The ClOrdID is
    ``cl_ord_id_prefix`` and ten digits of ``client_seq``.
    """

    def __new__(
        cls,
        *,
        router: str,
        token: str,
        lines: list[FloodLine],
        rate: int,
        duration_ns: int,
        orders: int = 0,
        burst: int = 1,
        active_ns: int = 0,
        pause_ns: int = 0,
        ping_pong: bool = False,
        cl_ord_id_prefix: str = "F",
    ) -> Self: ...

@final
class Flood:
    """The native open-loop order generator, for one run.

    Speaks ``OrderEntry.Session`` to a gateway at ``target`` (``host:port``), or, with ``venue_epoch`` given,
    ``Exchange.Session`` to a venue. All sessions start together once each has logged on or failed. Raises
    ``ValueError`` when the configuration cannot be run.
    """

    def __new__(
        cls,
        *,
        target: str,
        sessions: list[FloodSession],
        venue_epoch: int | None = None,
        threads: int = 1,
        max_batch: int = 256,
        logon_timeout_ms: int = 5000,
        drain_timeout_ms: int = 2000,
    ) -> Self: ...
    def start(self) -> None:
        """Start the native threads; connections are made on them. Once per object."""
    def wait(self, timeout_ms: int) -> bool:
        """Wait for the end, at most ``timeout_ms``; whether it has come. Releases the GIL."""
    def stop(self) -> None:
        """No further orders; wait for the answers under way, log out, join the threads. Idempotent."""
    def report(self) -> FloodReport:
        """What has been counted so far; also while it runs and after it ended. What went wrong with a session is its
        ``error``, never an exception."""

@final
class VenueStub:
    """A native venue that answers at once and always the same way, for benches and tests.

    ``behaviour``: ``fill`` (immediate and market orders trade completely, day orders rest), ``ack`` (immediate orders
    are canceled), ``reject``. ``separate_ack``: a New before each Trade or Canceled. ``quotes``: (symbol, bid, offer),
    prices in 1e-9, sent again every ``quote_interval_ms``. Serves Session, Cancels and MarketData; DropCopy is
    UNIMPLEMENTED. Open orders and kept reports of a gateway are bounded.
    """

    def __new__(
        cls,
        *,
        listen: str = "127.0.0.1:0",
        behaviour: str = "fill",
        separate_ack: bool = True,
        quotes: list[tuple[str, int, int]] = ...,
        heartbeat_ms: int = 1000,
        quote_interval_ms: int = 100,
        max_open_orders: int = 1_048_576,
        max_reports: int = 65_536,
    ) -> Self: ...
    def start(self) -> None:
        """Listen; returns when connections are accepted. Raises ``OSError`` when the address is taken."""
    def stop(self) -> None:
        """Cut every connection and join the thread. Idempotent; ``start`` begins afresh."""
    @property
    def address(self) -> str:
        """``host:port`` it listens on; the real port when 0 was asked for. Raises ``RuntimeError`` before ``start``."""
    def set_quote(self, symbol: str, bid: int, offer: int) -> None:
        """Replace one symbol's quote; subscribers get it with the next repetition."""
    def report(self) -> VenueStubReport: ...
