"""Scopes as text and on the wire."""

from __future__ import annotations

import pytest

from gateway.scopes import parse_scope
from gateway.wire import scope_message, scope_of, scope_text, state_of

GOOD = [
    "firm",
    "account:ACC1",
    "router:smars-8",
    "strategy:RLP",
    "symbol:BRK.B",
    "account_symbol:ACC1/AAPL",
    "router_symbol:smars-8/AAPL",
    "router:*",
    "account_symbol:*",
]

BAD = [
    ("rooter:a", 'did you mean "router"?'),
    ("firm:x", 'write "firm"'),
    ("router", 'write "router:NAME"'),
    ("router:", 'write "router:NAME"'),
    ("router:a/b", 'write "router:a"'),
    ("account_symbol:ACC1", 'write "account_symbol:ACC1/SYMBOL"'),
    ("account_symbol:/AAPL", 'write "account_symbol:NAME/SYMBOL"'),
    ("account_symbol:A/B/C", "is not a pair"),
    ("", "is no kind of scope"),
]


@pytest.mark.parametrize("text", GOOD)
def test_scope_survives_a_round_trip(text: str) -> None:
    assert scope_text(scope_message(parse_scope(text))) == text


@pytest.mark.parametrize(("text", "mend"), BAD)
def test_bad_scope_is_refused_with_the_mend(text: str, mend: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_scope(text)

    assert mend in str(refused.value)


def test_default_of_a_kind_cannot_be_halted() -> None:
    with pytest.raises(ValueError, match=r"stands for every router; name one of them"):
        scope_of("router:*")


@pytest.mark.parametrize("text", ["active", "haltd", ""])
def test_only_halting_states_can_be_asked_for(text: str) -> None:
    with pytest.raises(ValueError, match="is not a state to halt in"):
        state_of(text)
