"""The risk core and the data plane of riskgate, as a native module.

Units, everywhere: prices and money are integers in 1e-9 of a currency, quantities are whole units, times are UTC
nanoseconds. Ids of accounts, routers, strategies, symbols and parents are the small integers that the ``define_*``
and ``open_parent`` calls return; -1 means "absent" where a parameter says so.
"""

from typing import Final, NamedTuple, final

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
