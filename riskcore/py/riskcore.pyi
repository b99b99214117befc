"""The risk core and the data plane of riskgate, as a native module.

Units, everywhere: prices and money are integers in 1e-9 of a currency, quantities are whole units, times are UTC
nanoseconds. Ids of accounts, routers, strategies, symbols and parents are the small integers that the ``define_*``
and ``open_parent`` calls return; -1 means "absent" where a parameter says so.
"""

from typing import Final, NamedTuple, Self, TypedDict, final, type_check_only

__version__: Final[str]

# FIX 54, 40 and 59, each the ASCII code of its character, as in the contracts.
BUY: Final[int]
SELL: Final[int]
SELL_SHORT: Final[int]
SELL_SHORT_EXEMPT: Final[int]
MARKET: Final[int]
LIMIT: Final[int]
DAY: Final[int]
GTC: Final[int]
OPG: Final[int]
IOC: Final[int]
FOK: Final[int]

# What ``cancel`` and ``replace`` answer (negated) when no check refused: 1000 + FIX 102.
CXL_REJ_TOO_LATE: Final[int]
CXL_REJ_UNKNOWN_ORDER: Final[int]
CXL_REJ_ALREADY_PENDING: Final[int]
CXL_REJ_DUPLICATE_CL_ORD_ID: Final[int]

NEW_ORDER_FORMAT: Final[str]
"""One record of ``Engine.new_orders``, for :mod:`struct`: 64 bytes (layout: docs/reference/embedding.md)."""

class RiskcoreError(Exception):
    """Base of every error this module raises."""

class InvalidArgument(RiskcoreError, ValueError):
    """A name, scope or value that cannot be understood; the message says which and how to mend it."""

class Refused(RiskcoreError):
    """The core refused a request of a person; ``str()`` is the sentence for them."""

class Reject(NamedTuple):
    """Why an order was refused: the reason, whose bound, the bound, and the value the order would have reached.

    ``scope`` and ``unit`` are empty where no bound was involved. Units: ``quantity``, ``price`` and ``money`` (1e-9),
    ``bps``, ``messages``, ``ns``, ``count``.
    """

    code: int
    name: str
    scope: str
    limit: int
    value: int
    unit: str

class Trip(NamedTuple):
    """One latched halt.

    ``check`` is the name of the reason that tripped it, empty for a person's halt; ``router`` and ``order_cl_ord_id``
    are the offender's, empty where no order tripped it. ``open_orders`` rested when it tripped,
    ``cancels_outstanding`` of the scope's orders are not confirmed gone yet.
    """

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

class Finding(NamedTuple):
    """What a person should look at: ``kind`` is ``refusal``, ``venue_reject``, ``ord_type``, ``time_in_force``, ``flag``
    or ``strategy`` (one router shows ``what`` and its peers do not), or ``divergence`` (it differs in the signal ``what``).

    ``router`` shows it most: ``occurrences`` of ``total``. ``loud``: it should be looked at now. ``acknowledged_by`` is empty
    while nobody has.
    """

    finding: int
    kind: str
    what: str
    router: str
    occurrences: int
    total: int
    first: int
    last: int
    loud: bool
    acknowledged_by: str

class LimitInfo(NamedTuple):
    """One limit of the catalogue.

    ``unit`` is one of ``Reject``'s; ``action`` is what a breach does unless a setting says otherwise, ``actions`` what it
    can be set to, by severity: ``shadow``, ``notify``, ``reject``, ``reduce_only``, ``cancel_only``, ``halt``. A value
    that tunes another limit is a ``parameter`` and has none. ``code`` is stable; a ``NO_LIMIT_CONFIGURED`` reject has it as its value.
    """

    name: str
    check: str
    unit: str
    settable_at: tuple[str, ...]
    required_at: tuple[str, ...]
    action: str
    actions: tuple[str, ...]
    doc: str
    code: int

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

def finding_kinds() -> list[str]:
    """The kinds of what can be seen first of a router."""

@final
class Engine:
    """The risk core, embedded: flat calls, one thread. The caller supplies the time of every event.

    Times are UTC nanoseconds and do not decrease; an earlier one is taken as the latest. Every call raises
    ``InvalidArgument`` for a number or text that cannot be what it should (a negative id, an unknown side, an undefined
    name) and ``OverflowError`` for an integer that does not fit its 64 bits; neither changes anything. A number that
    an order can have, however absurd, is refused with a reason.
    """

    def __new__(
        cls,
        *,
        epoch: int = 1,
        trading_day: int = 19700101,
        max_orders: int = 1_048_576,
        max_parents: int = 65_536,
        touch_pages: bool = False,
    ) -> Self:
        """An engine without names, limits or orders: it refuses everything.

        ``epoch`` (1 to 8,388,607) is the upper part of its OrderIDs (``epoch << 40 | n``, n from 1), ``trading_day`` is
        YYYYMMDD. Memory for ``max_orders`` orders of a day is reserved at once and used as they come; further ones
        are refused (``CAPACITY``). ``touch_pages`` uses it now (some 400 MiB for the default) instead of under the
        first orders, which otherwise wait for the operating system to map it.
        """

    # ---- Reference data and limits ----

    def define_account(self, name: str, *, parent_required: bool = True, smp_group: int | None = None) -> int:
        """Define an account; its id. Its orders must name a parent unless ``parent_required`` is false; they never meet
        those of accounts of the same ``smp_group``.
        """
    def define_router(self, name: str) -> int:
        """Define a router (one server of the fleet); its id."""
    def define_strategy(self, name: str) -> int:
        """Define a strategy; its id."""
    def define_currency(self, name: str) -> int:
        """Define a currency other than the base currency, as yet without a rate; its id."""
    def define_symbol(
        self,
        name: str,
        *,
        tick: int,
        lot: int = 1,
        multiplier: int = 1,
        reg_sho: bool = False,
        luld: bool = False,
        easy_to_borrow: bool = False,
        adv: int | None = None,
        security_group: str | None = None,
        currency: str | None = None,
    ) -> int:
        """Define a symbol; its id. ``tick`` in 1e-9, ``lot`` in units, ``multiplier`` = money per price and unit, ``adv`` =
        units traded on an average day, ``currency`` = that of its prices, ``None`` for the base currency.

        ``reg_sho``: Regulation SHO binds its sells (marking, locates, Rule 201); ``luld``: without known price bands no
        order passes in continuous trading; ``easy_to_borrow``: short sales need no locate of their own. ``security_group``:
        the group it belongs to, at most 64 of them (``Seen``: what one router alone trades).
        """
    def permit(self, scope: str, symbols: list[str]) -> None:
        """The symbols that an account, a router or a strategy may trade; without a call every one. After the first
        ``venue_up`` a list can only be shortened.
        """
    def restrict(self, symbol: str, stops: str | None, *, principal: str = "config", text: str = "") -> None:
        """Enter a symbol in the restricted list: ``opening`` (what only reduces a position passes), ``all``, ``buy``,
        ``sell``, ``opening_buy`` or ``opening_sell``; ``None`` takes it off. After the first ``venue_up`` this only stops
        more and raises ``Refused`` for the rest: see ``propose_restriction``.
        """
    def set_limit(
        self,
        scope: str,
        limit: str,
        value: int | None,
        *,
        action: str | None = None,
        soft: bool = False,
        principal: str = "config",
    ) -> None:
        """Set a limit at a scope: ``firm``, ``router:smars-1``, ``account_symbol:ACC1/AAPL``; ``router:*`` sets the
        default of every router. Values are in the limit's unit (money and prices in 1e-9, windows in ns); ``None``
        removes it. ``action`` is what a breach does (``LimitInfo.actions``; its own if not given); two people may let
        orders pass a ``soft`` limit. After the first ``venue_up`` this only tightens and raises ``Refused`` for the rest: see
        ``propose_limit``.
        """
    def venue_up(self, t: int) -> None:
        """The link to the venue is up: orders may pass."""
    def venue_down(self, t: int) -> None:
        """The link is lost: no order passes. What is open stays counted in full, and while anything is, ``venue_up``
        alone does not let orders pass again; a reconciliation is the data plane's.
        """
    def opening_position(self, t: int, account: int, symbol: int, qty: int, mark: int) -> None:
        """A position brought into the day, signed; it earns or loses from ``mark`` (1e-9) on."""
    def day_roll(self, t: int, trading_day: int) -> None:
        """A new trading day, YYYYMMDD, later than the present one: turnover, profit and loss, parents and ClOrdIDs
        start anew; positions, open orders and halts stay.
        """
    def tick(self, t: int, symbol: int, bid: int, ask: int) -> None:
        """The touch of a symbol, 1e-9. One that is zero, negative, locked or crossed is no price: the old one ages."""
    def fx_rate(self, t: int, currency: str, rate: int) -> None:
        """What one unit of a currency is worth in the base currency, 1e-9; as a price from the market. Positions in the
        currency are valued anew; what is open or executed keeps the rate its order was accepted at.
        """
    def phases_published(self) -> None:
        """From now on a symbol whose trading phase is not known takes no order; before, it counts as continuous."""
    def phase(self, t: int, symbol: int, phase: str | None) -> None:
        """The trading phase of a symbol, or of the whole market (-1): ``closed``, ``pre_open``, ``auction``,
        ``continuous``, ``halted``, ``post_close``; ``None`` if it is not known any more. Only its own phase lifts a
        symbol's halt.
        """
    def bands(self, t: int, symbol: int, low: int | None, high: int | None) -> None:
        """The price bands (limit up-limit down) of a symbol, 1e-9; both ``None``: none are in force."""
    def prior_close(self, t: int, symbol: int, price: int) -> None:
        """The close of the trading day before, 1e-9: Rule 201 is told from it."""
    def short_sale(self, t: int, symbol: int, restriction: str) -> None:
        """What binds short sales: ``free``, ``not_shortable``, ``not_at_bid``, ``pre_borrow``."""

    # ---- Parents ----

    def open_parent(self, t: int, name: str, account: int, symbol: int, side: int, qty: int) -> int:
        """Register a parent order; its id, or minus the reason code. The same parent again answers the same id."""
    def amend_parent(self, t: int, parent: int, qty: int) -> None:
        """Give a parent another total quantity; below what is filled or resting it takes no further child."""
    def close_parent(self, t: int, parent: int) -> None:
        """Close a parent: it takes no further child."""

    # ---- Orders ----

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
        strategy: int = ...,
        flags: int = 0,
    ) -> int:
        """Decide one order: its OrderID (> 0), or minus the reason code. ``price`` is ignored for ``MARKET``;
        ``parent`` and ``strategy`` may be -1 (absent); ``cl_ord_id`` is used as decimal text. A resend of an accepted
        order answers with the same OrderID. Defaults: ``LIMIT``, ``DAY``, -1. ``flags`` are 64 bits. The call is
        fastest with positional arguments.
        """
    def new_orders(self, packed: bytes) -> bytes:
        """Decide a packed batch (layout: docs/reference/embedding.md); one little-endian i64 verdict per order. A
        record that cannot be an order raises ``InvalidArgument`` before any of the batch is decided.
        """
    def cancel(self, t: int, router: int, cl_ord_id: int, *, lane: bool = False) -> int:
        """Ask to cancel: the OrderID, which is then among ``cancels()``, or minus ``CXL_REJ_...``. Nothing but an
        unknown or finished order refuses a cancel. ``lane``: it came on the cancel lane, where it may be earlier than
        its order; the order is then refused when it comes (``CANCELED_BEFORE_ARRIVAL``).
        """
    def replace(self, t: int, router: int, orig_cl_ord_id: int, cl_ord_id: int, qty: int, price: int) -> int:
        """Ask for another total quantity (filled part included) and price: the OrderID, minus the reason code of a
        check, or minus ``CXL_REJ_...``.
        """

    # ---- Reports of the venue: each once; an unknown order raises InvalidArgument. One that cannot be true (a trade of
    # ---- 0 units, a replace nobody asked for) stops its account: CANCEL_ONLY, reason BAD_VENUE_REPORT. ----

    def accepted(self, t: int, order: int) -> None:
        """The venue acknowledged the order."""
    def trade(self, t: int, order: int, qty: int, price: int) -> None:
        """The venue executed ``qty`` at ``price``; counts whatever state the order is in."""
    def trade_cancel(self, t: int, order: int, qty: int, price: int) -> None:
        """The venue busted an execution."""
    def canceled(self, t: int, order: int) -> None:
        """The venue confirmed that nothing of the order is open any more."""
    def rejected(self, t: int, order: int, text: str = "") -> None:
        """The venue refused the order, in the words of ``text``: words that one router alone hears are a finding."""
    def cancel_rejected(self, t: int, order: int) -> None:
        """The venue refused a cancel. If a halt asked for it, it is asked for again after a second (``timer``)."""
    def replaced(self, t: int, order: int) -> None:
        """The venue carried out the replace."""
    def replace_rejected(self, t: int, order: int) -> None:
        """The venue refused the replace."""
    def timer(self, t: int) -> None:
        """Time passes: a sweep asks for its next 64 cancels, unanswered ones are asked for again after a second,
        proposals expire after ten minutes, positions are valued. Call it every few milliseconds of event time.
        """

    # ---- People ----

    def halt(self, t: int, scope: str, state: str, principal: str, text: str) -> int:
        """Halt a scope (``REDUCE_ONLY``, ``CANCEL_ONLY``, ``HALTED``); the trip id. The last two cancel what rests."""
    def propose_reinstate(self, t: int, scope: str, trip: int, principal: str, text: str) -> int:
        """Propose to reinstate a scope, naming its newest trip; the proposal's id. Raises ``Refused``."""
    def propose_limit(
        self,
        t: int,
        scope: str,
        limit: str,
        value: int | None,
        principal: str,
        text: str,
        *,
        action: str | None = None,
        soft: bool = False,
        until: int | None = None,
    ) -> int:
        """Propose a limit that one person may not set alone; the proposal's id. Raises ``Refused``. Approved, it holds
        ``until`` that time, or until the day rolls; then what was there before is back.
        """
    def propose_limit_override(
        self,
        t: int,
        scope: str,
        limit: str,
        up_to: int,
        until: int,
        principal: str,
        text: str,
        *,
        router: int | None = None,
        cl_ord_id: int | None = None,
    ) -> int:
        """Propose to let orders pass a soft limit up to a value, ``until`` that time or, with a router and its
        ``cl_ord_id``, that order alone; the proposal's id. Raises ``Refused`` for a hard limit.
        """
    def set_flags(self, registered: int, *, retired: int = 0) -> None:
        """The registry of order flags, as bits. From then on an order carries only flags its router attested."""
    def fleet_rules(self, *, quarantine_culprit: bool = True, halt_on_change: bool = False) -> None:
        """What follows from the builds of routers; see rules.md, "Builds"."""
    def attest(self, t: int, router: int, build: str, *, known_flags: int = 0, quarantined: bool = False) -> None:
        """A router logs on and says which build it runs. Raises ``Refused`` for the build of an open incident."""
    def propose_promotion(self, t: int, router: int, principal: str, text: str) -> int:
        """Propose to take a router off canary; the proposal's id. Raises ``Refused``."""
    def propose_close_incident(self, t: int, trip: int, principal: str, text: str) -> int:
        """Propose to let the build of a halted router log on again; the proposal's id. Raises ``Refused``."""
    def propose_restriction(self, t: int, symbol: str, stops: str | None, principal: str, text: str) -> int:
        """Propose to stop less of a symbol, or (``None``) to take it off the restricted list; the proposal's id. Raises
        ``Refused``.
        """
    def propose_fx_rate(self, t: int, currency: str, rate: int, principal: str, text: str) -> int:
        """Propose what a currency is worth, 1e-9: a person's rate takes two people. The proposal's id. Raises
        ``Refused``.
        """
    def approve(self, t: int, proposal: int, principal: str) -> None:
        """Carry out a proposal as a second person. Raises ``Refused``: the same person, or overtaken by a newer halt."""

    def known(self, text: str) -> None:
        """What is never a finding: ``kind:value``, as in ``venue_reject:Not shortable`` or ``ord_type:MARKET``."""
    def acknowledge_finding(self, t: int, finding: int, principal: str, text: str) -> None:
        """Say that a person has looked at a finding, and what it was. Raises ``Refused`` the second time."""

    def readiness_gate(self, open_at: int, grace: int, symbols: list[str] = ...) -> None:
        """A gate at a time of day (ns UTC): what is red then holds the firm (``NOT_READY``), and after ``grace`` (ns)
        halts it. ``symbols`` are those whose quotes must be fresh; none = all. The gate moves on the timer.
        """
    def readiness(self) -> tuple[str, list[str]]:
        """Where the gate stands (``waiting``, ``holding``, ``latched``, ``open``), and what is red now."""
    def propose_override(self, t: int, until: int, principal: str, text: str) -> int:
        """Propose to trade until then, whatever the gate says; the proposal's id. Raises ``Refused``."""

    # ---- Reading ----

    def findings(self) -> list[Finding]:
        """What a person should look at, oldest first: found on the timer, at most every 100 ms."""
    def last_reject(self) -> Reject | None:
        """Details of the last order, replace or parent this engine refused."""
    def cancels(self) -> list[int]:
        """OrderIDs the core wants cancelled at the venue since the last call (halt sweeps and cancel requests)."""
    def trips(self) -> list[Trip]:
        """Every halt that is latched, oldest first."""
    def state(self, scope: str) -> str:
        """The scope's own state: ``ACTIVE``, ``REDUCE_ONLY``, ``CANCEL_ONLY`` or ``HALTED``."""
    def position(self, scope: str) -> tuple[int, int, int]:
        """Position, open buy and open sell quantity of a symbol, ``account_symbol`` or ``router_symbol`` scope."""
    def pnl(self, scope: str) -> int:
        """Profit and loss of the day, 1e-9: cash + position at its mark, the worse of the touch and a slow mean.
        Raises ``RiskcoreError`` while a position of the scope has no price; likewise ``gross_notional``.
        """
    def gross_notional(self, scope: str) -> int:
        """Worst-case gross notional, 1e-9: the largest position each cell can reach, at its mark."""
    def turnover(self, scope: str) -> int:
        """Executed today plus open, buys plus sells, 1e-9; open orders at their risk price."""
    def utilization(self, scope: str) -> dict[str, tuple[int, int]]:
        """Per limit in force at the scope that is used up by degrees: (used, bound), in the limit's unit."""
    def open_orders(self) -> int:
        """How many orders can still fill."""
    def state_hash(self) -> int:
        """A digest of everything that can influence a decision: equal after the same calls, on any machine."""

@final
class DataPlane:
    """The order path: listeners, venue link, market data and the core, on native threads.

    Set up with the ``define_*`` and ``set_limit`` calls, then ``start``.
    """

    def __new__(cls, config: DataPlaneConfig) -> Self: ...
    def define_account(self, name: str, *, parent_required: bool = True, smp_group: str | None = None) -> None: ...
    def define_router(self, name: str, *, token: str, accounts: list[str]) -> None: ...
    def define_oms(self, name: str, *, token: str) -> None: ...
    def define_operator(self, name: str, *, token: str, may_halt: bool) -> None: ...
    def define_strategy(self, name: str) -> None: ...
    def base_currency(self, name: str) -> None: ...
    def define_symbol(
        self,
        name: str,
        *,
        tick: int,
        lot: int = 1,
        multiplier: int = 1,
        reg_sho: bool = False,
        luld: bool = False,
        easy_to_borrow: bool = False,
        prior_close: int | None = None,
        adv: int | None = None,
        security_group: str | None = None,
        currency: str | None = None,
    ) -> None: ...
    def permit(self, scope: str, symbols: list[str]) -> None: ...
    def restrict(self, symbol: str, stops: str, *, text: str) -> None: ...
    def opening_position(self, account: str, symbol: str, qty: int, mark: int) -> None: ...
    def set_limit(
        self,
        scope: str,
        limit: str,
        value: int | None,
        *,
        action: str = "",
        soft: bool = False,
        principal: str = "config",
    ) -> None: ...
    def fleet_rules(
        self, *, policy: str, environment: str | None, has_manifest: bool, quarantine_culprit: bool
    ) -> None:
        """What happens to a router that is not as expected: ``policy`` is ``"refuse"`` or ``"quarantine"``."""
    def expect_attestation(self, router: str, attributes: dict[str, str]) -> None:
        """What the manifest, whose signature the caller has verified, says of a router."""
    def define_flag(
        self, bit: int, *, name: str, version: str, owner: str, retired: bool = False, readers: list[str] = ...
    ) -> None:
        """One line of the registry of order flags; with any, an order may carry only flags its router knows."""
    def known(self, text: str) -> None:
        """What is never a finding, as ``kind:value``."""
    def readiness(self, *, open_at: int, grace: int, all_routers: bool, symbols: list[str]) -> None:
        """The gate at the open: a time of day in ns UTC, and how long it holds, in ns, before it latches."""
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
        caller has authenticated ``principal`` and checked their role. Raises ``Refused`` or ``InvalidArgument``.
        """
    def next_events(self, after_seq: int, timeout_ms: int) -> list[bytes]:
        """Serialized ``StreamEventsResponse`` messages after a sequence number; waits up to ``timeout_ms``."""
    def metrics(self) -> dict[str, int]:
        """Counters and gauges of the data plane, by name with labels: ``orders{decision=...,check=...,router=...}``."""

@final
class DataPlaneConfig:
    """Everything the data plane is told before it starts; immutable."""

    def __new__(
        cls,
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
        publishes_phases: bool,
        drop_copy: bool,
        journal_file: str | None,
        max_orders: int,
        max_parents: int,
        max_sessions: int,
    ) -> Self: ...

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
    earlier: int
    """Reports of orders of earlier runs: a gateway sends them again after a logon."""
    unsolicited: int
    """Reports of no order at all."""
    sequence_gaps: int
    halts: int
    frames: int
    reject_reasons: dict[str, int]
    latency_ns: LatencyReport
    """Intended send to first report, one entry for each answered order."""
    accepted_latency_ns: LatencyReport
    """The same of the orders whose first report was not a reject."""
    lag_ns: LatencyReport
    """Intended send to encoding: how far behind its schedule the generator itself was."""

@type_check_only
class FloodSessionReport(TallyReport):
    """One session of a flood."""

    router: str
    phase: str
    """``LOGGING_ON``, ``READY``, ``RUNNING``, ``DRAINING`` or ``ENDED``."""
    error: str | None
    last_report_seq: int
    """The last report it has seen: ``resume_after`` of the router's next session. 0 = none."""

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
        ``ioc``, ``fok``. ``price`` in 1e-9, ``None`` = market order. Raises ``InvalidArgument`` for any other name.
        """

@final
class FloodSession:
    """One router's session, on a connection of its own.

    The schedule is fixed in advance and never waits for an answer: ``rate`` orders a second for ``duration_ns``, at
    most ``orders`` (0 = no bound), ``burst`` of them due together, a pause of ``pause_ns`` after each ``active_ns``
    (0 = none). ``ping_pong`` sends the next order on the answer to the last instead. The ClOrdID is
    ``cl_ord_id_prefix`` and ten digits of ``client_seq``. With ``cancels_from`` the session cancels instead, and needs no
    lines: the orders with this number and the following ones, which an earlier flood of the router left open.
    ``resume_after``: the last report that the router has seen today; the gateway sends those after it again, ``None`` = all
    that it holds.
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
        cancels_from: int | None = None,
        resume_after: int | None = None,
    ) -> Self: ...

@final
class Flood:
    """The native open-loop order generator, for one run.

    Speaks ``OrderEntry.Session`` to a gateway at ``target`` (``host:port``), or, with ``venue_epoch`` given,
    ``Exchange.Session`` to a venue. All sessions start together once each has logged on or failed. Raises
    ``InvalidArgument`` when the configuration cannot be run.
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
        ``error``, never an exception.
        """
    def recent(self) -> TallyReport:
        """What was counted since the last call of this, all sessions together; its times are those of the whole."""

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
        """``host:port`` it listens on; the real port when 0 was asked for. Raises ``RiskcoreError`` before ``start``."""
    def set_quote(self, symbol: str, bid: int, offer: int) -> None:
        """Replace one symbol's quote; subscribers get it with the next repetition."""
    def report(self) -> VenueStubReport: ...
