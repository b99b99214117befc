"""What a router says and hears, without protobuf. Prices are integers in 1e-9, quantities whole units."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass

PRICE_UNIT = 1_000_000_000
"""One unit of currency in the scale of prices."""

RETAIL_LIQUIDITY = 1
"""Order flag, bit 0: meet the venue's retail liquidity program."""


class Side(enum.IntEnum):
    """FIX 54."""

    BUY = 49
    SELL = 50
    SELL_SHORT = 53
    SELL_SHORT_EXEMPT = 54


class TimeInForce(enum.IntEnum):
    """FIX 59."""

    DAY = 48
    GOOD_TILL_CANCEL = 49
    AT_THE_OPENING = 50
    IMMEDIATE_OR_CANCEL = 51
    FILL_OR_KILL = 52


class ExecType(enum.IntEnum):
    """FIX 150."""

    NEW = 48
    DONE_FOR_DAY = 51
    CANCELED = 52
    REPLACED = 53
    REJECTED = 56
    EXPIRED = 67
    RESTATED = 68
    TRADE = 70
    TRADE_CORRECT = 71
    TRADE_CANCEL = 72
    ORDER_STATUS = 73


class OrdStatus(enum.IntEnum):
    """FIX 39."""

    UNSPECIFIED = 0
    NEW = 48
    PARTIALLY_FILLED = 49
    FILLED = 50
    DONE_FOR_DAY = 51
    CANCELED = 52
    PENDING_CANCEL = 54
    REJECTED = 56
    PENDING_NEW = 65
    EXPIRED = 67
    PENDING_REPLACE = 69


FINAL = frozenset({OrdStatus.FILLED, OrdStatus.DONE_FOR_DAY, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED})
"""States in which nothing of an order is open any more."""


class HaltState(enum.IntEnum):
    """How much a scope may still do."""

    UNSPECIFIED = 0
    ACTIVE = 1
    REDUCE_ONLY = 2
    CANCEL_ONLY = 3
    HALTED = 4


class Verdict(enum.Enum):
    """What became of a request."""

    ACCEPTED = "accepted"
    """Done: the order is or was at the venue, the replace or cancel took effect."""
    REJECTED = "rejected"
    """Refused, by the gateway or the venue; the reason says why."""
    NOT_SENT = "not sent"
    """Certain not to have had any effect: it never reached the gateway's sequence."""
    UNKNOWN = "unknown"
    """No answer in time, or the gateway lost its history. It may have had its effect; treat it as if it had."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a request was refused. ``limit`` and ``value`` count ``unit``; ``scope`` is text such as ``router:r1``.

    ``field`` says what is wrong with which field of the message, where the message itself was the reason.
    """

    code: int
    name: str
    scope: str = ""
    limit: int = 0
    value: int = 0
    unit: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """FIX ExecutionReport."""

    report_seq: int
    order_id: int
    cl_ord_id: str
    orig_cl_ord_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    symbol: str
    side: int
    order_qty: int
    cum_qty: int
    leaves_qty: int
    last_qty: int
    last_px: int
    price: int | None
    client_seq: int
    venue_exec_id: int
    ord_rej_reason: int
    reject: Reject | None
    transact_time: int
    text: str

    @property
    def is_final(self) -> bool:
        """Whether nothing of the order is open any more."""
        return self.ord_status in FINAL


@dataclass(frozen=True, slots=True)
class CancelReject:
    """FIX OrderCancelReject: a cancel or replace that came to nothing. ``reason`` is FIX 102 plus one."""

    report_seq: int
    order_id: int
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: OrdStatus
    to_replace: bool
    reason: int
    reject: Reject | None
    client_seq: int


@dataclass(frozen=True, slots=True)
class MassCancelReport:
    """FIX OrderMassCancelReport: so many orders are being cancelled."""

    report_seq: int
    cl_ord_id: str
    total_affected_orders: int
    client_seq: int


@dataclass(frozen=True, slots=True)
class HaltNotice:
    """A scope this router belongs to is halted: who or what did it, and why."""

    report_seq: int
    scope: str
    state: HaltState
    trip_id: int
    cause: Reject | None
    principal: str
    text: str
    open_orders: int


@dataclass(frozen=True, slots=True)
class Connected:
    """Logged on. ``resumed``: not for the first time, and missed reports follow. ``state``: the router's own."""

    resumed: bool
    state: HaltState
    trading_day: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The session is lost; the client tries again by itself unless ``final``."""

    why: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class HistoryLost:
    """The gateway no longer holds what this client missed: orders listed are of unknown fate. Ask your venue."""

    cl_ord_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resumed:
    """Every report missed while the session was lost has been delivered."""

    last_report_seq: int


Event = Report | CancelReject | MassCancelReport | HaltNotice | Connected | Disconnected | HistoryLost | Resumed


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to send. ``price`` in 1e-9, ``None`` for a market order; an empty ``cl_ord_id`` is given one."""

    account: str
    symbol: str
    side: Side
    qty: int
    price: int | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    parent: str = ""
    strategy: str = ""
    flags: int = 0
    cl_ord_id: str = ""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What runs here: told at logon, compared with the gateway's manifest, shown to operators.

    ``binary_sha256`` is lower-case hex, ``build_time`` RFC 3339, ``feature_flags`` maps the flags the code knows to the
    version it knows them in. ``signature`` is that of the document which the deployment left on this server
    (:func:`gateway.client.read_attestation`).
    """

    instance_id: str = ""
    host: str = ""
    build: str = ""
    config_hash: str = ""
    feature_flags: dict[str, str] = dataclasses.field(default_factory=dict)
    binary_sha256: str = ""
    vcs_commit: str = ""
    build_time: str = ""
    schema_revision: str = ""
    environment: str = ""
    deploy_id: str = ""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request, with the report that says so; no report with ``NOT_SENT`` and ``UNKNOWN``."""

    verdict: Verdict
    report: Report | CancelReject | MassCancelReport | None = None
    text: str = ""

    @property
    def reject(self) -> Reject | None:
        """Why it was refused, when the gateway did."""
        return None if self.report is None or isinstance(self.report, MassCancelReport) else self.report.reject

    def __bool__(self) -> bool:
        """Whether it was accepted."""
        return self.verdict is Verdict.ACCEPTED
