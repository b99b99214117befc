"""Arguments that cannot be right raise a clear error and change nothing; none of them is a panic."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import riskcore
from tests.embedding.desk import ASK, BID, CENT, Desk

HUGE = 2**64

Call = Callable[[Desk], object]

INVALID: dict[str, tuple[Call, str]] = {
    "negative router": (lambda d: d.order(router=-1), "router -1 is no id: pass what define_router returned"),
    "negative account": (lambda d: d.order(account=-1), "account -1 is no id"),
    "negative symbol": (lambda d: d.order(symbol=-7), "symbol -7 is no id"),
    "huge id": (lambda d: d.order(account=2**40), "account 1099511627776 is no id"),
    "negative parent": (lambda d: d.order(parent=-2), "parent -2 is no id: .*, or -1 for none"),
    "negative strategy": (lambda d: d.order(strategy=-2), "strategy -2 is no id: .*, or -1 for none"),
    "negative ClOrdID": (lambda d: d.order(cl_ord_id=-1), "cl_ord_id -1 is negative"),
    "side": (lambda d: d.order(side=1), "side 1 is none of riskcore.BUY, riskcore.SELL"),
    "type": (lambda d: d.order(ord_type=0), "ord_type 0 is none of riskcore.MARKET, riskcore.LIMIT"),
    "lifetime": (lambda d: d.order(tif=-1), "tif -1 is none of riskcore.DAY"),
    "verdict as an order": (lambda d: d.engine.trade(d.t, d.order(qty=0), 1, 1), "order -134 is no OrderID"),
    "unknown order": (lambda d: d.engine.accepted(d.t, 5), "order 5: this engine has accepted no such order"),
    "tick of an undefined symbol": (lambda d: d.engine.tick(d.t, 99, BID, ASK), "symbol 99 is not defined"),
    "kind of scope": (lambda d: d.engine.state("desk:1"), 'scope "desk:1": kind "desk" is none of firm, account'),
    "scope without a kind": (lambda d: d.engine.state("AAPL"), 'scope "AAPL": write firm, or kind:name'),
    "empty scope": (lambda d: d.engine.state(""), 'scope "": write firm'),
    "undefined name": (lambda d: d.engine.state("router:r9"), 'router "r9" is not configured'),
    "half a pair": (lambda d: d.engine.state("account_symbol:ACC1"), 'symbol "" is not configured'),
    "a pair where one is meant": (lambda d: d.engine.state("router:r1/AAPL"), "only a pair has a second name"),
    "a default where a scope is meant": (lambda d: d.engine.state("router:*"), r'router "\*" is not configured'),
    "firm with a name": (lambda d: d.engine.state("firm:1"), 'scope "firm:1": there is one firm; write firm'),
    "position of a total": (lambda d: d.engine.position("firm"), "has no position of its own"),
    "limit": (lambda d: d.engine.set_limit("firm", "max_risk", 1), r'limit "max_risk": there is no such limit'),
    "place of a limit": (
        lambda d: d.engine.set_limit("firm", "message_rate_sustained", 1),
        r"message_rate_sustained = 1 at firm: .*\(LIMIT_NOT_SETTABLE_HERE\)",
    ),
    "value of a limit": (lambda d: d.engine.set_limit("firm", "max_day_loss", -1), r"\(BAD_VALUE\)"),
    "state of a halt": (lambda d: d.engine.halt(d.t, "firm", "ACTIVE", "a", ""), 'state "ACTIVE" is none of REDUCE_'),
    "account twice": (lambda d: d.engine.define_account("ACC1"), 'account "ACC1": the name is empty or defined'),
    "name without letters": (lambda d: d.engine.define_router(""), 'router "": the name is empty'),
    "tick size": (lambda d: d.engine.define_symbol("X", tick=0), 'symbol "X": tick = 0: it must be 1 to'),
    "lot size": (lambda d: d.engine.define_symbol("X", tick=1, lot=-1), 'symbol "X": lot = -1'),
    "multiplier": (lambda d: d.engine.define_symbol("X", tick=1, multiplier=0), 'symbol "X": multiplier = 0'),
    "volume": (lambda d: d.engine.define_symbol("X", tick=1, adv=0), 'symbol "X": adv = 0'),
    "listed symbol": (lambda d: d.engine.permit("account:ACC1", ["X"]), 'symbol "X" is not defined'),
    "scope of a list": (lambda d: d.engine.permit("firm", ["AAPL"]), r"symbols of firm: .*\(UNKNOWN_SCOPE\)"),
    "restricted symbol": (lambda d: d.engine.restrict("X", "all"), 'symbol "X" is not defined'),
    "restriction": (lambda d: d.engine.restrict("AAPL", "some"), 'stops "some" is none of opening, all, buy'),
    "name of a parent": (lambda d: d.engine.open_parent(1, "a b", 0, 0, riskcore.BUY, 1), 'parent "a b": a parent'),
    "amended parent": (lambda d: d.engine.amend_parent(1, 99, 1), r"parent 99: .*\(UNKNOWN_PARENT\)"),
    "opening position": (
        lambda d: d.engine.opening_position(1, 0, 0, 1, 0),
        r"opening position 1 of symbol 0 in account 0 at 0: .*\(BAD_REFERENCE_DATA\)",
    ),
    "day": (lambda d: d.engine.day_roll(1, 19700101), "trading_day 19700101 is not after 19700101"),
    "epoch": (lambda _: riskcore.Engine(epoch=0), "epoch = 0: it must be 1 to 8388607"),
    "orders": (lambda _: riskcore.Engine(max_orders=2**60), "max_orders = 1152921504606846976: it must be 1 to"),
    "packed remainder": (lambda d: d.engine.new_orders(bytes(65)), "65 bytes are not a multiple of 64"),
    "packed nonsense": (lambda d: d.engine.new_orders(bytes(64)), "packed order 0: ord_type 0 is none of"),
    "trip": (lambda d: d.engine.propose_reinstate(1, "firm", -1, "a", ""), "trip -1 is no trip id"),
    "proposal": (lambda d: d.engine.approve(1, -1, "a"), "proposal -1 is no id"),
}

# The first sends an order to get its verdict; the core opens an empty book for the other's pair before it refuses.
TOUCH_THE_CORE = {"verdict as an order", "opening position"}


@pytest.mark.parametrize("what", INVALID)
def test_invalid_argument(what: str) -> None:
    call, says = INVALID[what]
    desk = Desk()
    before = desk.engine.state_hash()

    with pytest.raises(riskcore.InvalidArgument, match=says) as caught:
        call(desk)

    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, riskcore.RiskcoreError)
    if what not in TOUCH_THE_CORE:
        assert desk.engine.state_hash() == before


@pytest.mark.parametrize("name", ["t", "router", "qty", "price", "cl_ord_id", "flags"])
@pytest.mark.parametrize("value", [HUGE, -HUGE])
def test_integer_of_more_than_64_bits(name: str, value: int) -> None:
    desk = Desk()
    before = desk.engine.state_hash()

    with pytest.raises(OverflowError, match=f"int(.|\n)*while processing '{name}'"):
        desk.order(**{name: value})

    assert desk.engine.state_hash() == before


@pytest.mark.parametrize("value", [1.5, "1", None])
def test_not_an_integer_names_the_argument(value: object) -> None:
    desk = Desk()

    with pytest.raises(TypeError, match="cannot be interpreted as an integer\nwhile processing 'qty'"):
        desk.engine.new_order(**(desk.arguments() | {"qty": value}))  # type: ignore[arg-type]


def test_limit_beyond_128_bits() -> None:
    with pytest.raises(OverflowError):
        Desk().engine.set_limit("firm", "max_day_loss", 2**130)


def test_limit_may_be_beyond_64_bits() -> None:
    desk = Desk(limits={("firm", "max_day_loss"): 2**100})

    assert desk.engine.utilization("firm")["max_day_loss"] == (0, 2**100)


def test_value_without_a_price_is_not_invented() -> None:
    desk = Desk()
    new = desk.engine.define_symbol("NEW", tick=CENT)
    desk.engine.opening_position(desk.t, desk.account, desk.msft, 100, BID)
    assert desk.engine.pnl("symbol:MSFT") == 0

    desk.engine.tick(desk.t, new, 0, 0)

    assert desk.engine.position("symbol:NEW") == (0, 0, 0)
    assert desk.engine.pnl("symbol:NEW") == 0


def test_errors_have_one_base() -> None:
    assert issubclass(riskcore.InvalidArgument, riskcore.RiskcoreError)
    assert issubclass(riskcore.Refused, riskcore.RiskcoreError)
    assert not issubclass(riskcore.Refused, ValueError)
    assert riskcore.InvalidArgument.__module__ == "riskcore"
    assert re.match("riskcore", riskcore.Refused.__module__)
