"""Contract values as people read and write them."""

from typing import Final

from gateway.problems import closest
from gateway.scopes import KINDS, ScopeText, parse_scope
from riskgate.v1 import admin_pb2, types_pb2

STATES: Final = {
    "ACTIVE": types_pb2.HALT_STATE_ACTIVE,
    "REDUCE_ONLY": types_pb2.HALT_STATE_REDUCE_ONLY,
    "CANCEL_ONLY": types_pb2.HALT_STATE_CANCEL_ONLY,
    "HALTED": types_pb2.HALT_STATE_HALTED,
}
_STATE_NAMES: Final = {number: name for name, number in STATES.items()}

_STOPS: Final = {
    "opening": admin_pb2.RESTRICTED_ORDERS_OPENING,
    "all": admin_pb2.RESTRICTED_ORDERS_ALL,
    "buy": admin_pb2.RESTRICTED_ORDERS_BUY,
    "sell": admin_pb2.RESTRICTED_ORDERS_SELL,
    "opening_buy": admin_pb2.RESTRICTED_ORDERS_OPENING_BUY,
    "opening_sell": admin_pb2.RESTRICTED_ORDERS_OPENING_SELL,
}
_STOPS_NAMES: Final = {number: name for name, number in _STOPS.items()}


def scope_text(scope: types_pb2.Scope) -> str:
    """``router:smars-8``; a kind without a name is the default of the kind; empty for no scope."""
    if scope.kind == types_pb2.SCOPE_KIND_UNSPECIFIED or scope.kind > len(KINDS):
        return ""
    return str(ScopeText(KINDS[scope.kind - 1], scope.name or "*", scope.symbol))


def scope_message(scope: ScopeText) -> types_pb2.Scope:
    """The wire form; a default carries no name."""
    kind = types_pb2.ScopeKind.ValueType(KINDS.index(scope.kind) + 1)
    return types_pb2.Scope(kind=kind, name="" if scope.is_default else scope.name, symbol=scope.symbol)


def scope_of(text: str) -> types_pb2.Scope:
    """The wire form of a scope's text; refuses the default of a kind.

    Raises:
        ValueError: not a scope; the message ends in the mend.
    """
    scope = parse_scope(text)
    if scope.is_default:
        raise ValueError(f'"{text}" stands for every {scope.kind}; name one of them')
    return scope_message(scope)


def state_text(state: types_pb2.HaltState.ValueType) -> str:
    """``HALTED``."""
    return _STATE_NAMES.get(state, "")


def state_of(text: str) -> types_pb2.HaltState.ValueType:
    """The wire form of a state that a halt may take.

    Raises:
        ValueError: unknown; the message ends in the mend.
    """
    name = text.upper().replace("-", "_")
    if name not in STATES or name == "ACTIVE":
        known = [state for state in STATES if state != "ACTIVE"]
        raise ValueError(f'"{text}" is not a state to halt in; {closest(name, known, noun="state")}')
    return STATES[name]


def stops_text(stops: admin_pb2.RestrictedOrders.ValueType) -> str:
    """Which orders a restriction stops: ``opening_buy``."""
    return _STOPS_NAMES.get(stops, "")


def stops_of(text: str) -> admin_pb2.RestrictedOrders.ValueType:
    """The wire form of what a restriction stops.

    Raises:
        ValueError: unknown; the message ends in the mend.
    """
    name = text.lower().replace("-", "_")
    if name not in _STOPS:
        raise ValueError(f'"{text}" does not say which orders to stop; {closest(name, list(_STOPS), noun="choice")}')
    return _STOPS[name]


def enum_text(name: str) -> str:
    """The value's own part of an enum name: ``ORD_STATUS_PARTIALLY_FILLED`` is ``partially filled``."""
    for prefix in ("ORD_STATUS_", "SIDE_", "EXEC_TYPE_"):
        name = name.removeprefix(prefix)
    return name.replace("_", " ").lower()
