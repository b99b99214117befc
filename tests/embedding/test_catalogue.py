"""The catalogue says what there is: for configuration, metrics and the reference pages."""

from __future__ import annotations

import riskcore

CHECKS = [
    "parent_child",
    "message_rate",
    "canary",
    "order_size",
    "market_data",
    "order_value",
    "price_collar",
    "price_passive",
    "net_position",
]
UNITS = {"quantity", "price", "money", "bps", "messages", "ns", "count"}
SCOPES = {"firm", "account", "router", "strategy", "symbol", "account_symbol", "router_symbol"}


def test_limits_come_in_the_order_of_their_checks() -> None:
    checks = list(dict.fromkeys(info.check for info in riskcore.limits()))

    assert [check for check in checks if check in CHECKS] == CHECKS


def test_limit_says_all_there_is_to_know() -> None:
    for info in riskcore.limits():
        assert info.unit in UNITS, info
        assert info.action == "parameter" or info.action in info.actions, info
        assert info.settable_at, info
        assert set(info.required_at) <= set(info.settable_at) <= SCOPES, info
        assert info.doc.endswith("."), info


def test_codes_and_names_are_unique() -> None:
    for catalogue in (riskcore.limits(), riskcore.reasons()):
        assert len({entry.code for entry in catalogue}) == len(catalogue)
        assert len({entry.name for entry in catalogue}) == len(catalogue)


def test_reasons_come_by_code_and_are_named_like_constants() -> None:
    reasons = riskcore.reasons()

    assert [reason.code for reason in reasons] == sorted(reason.code for reason in reasons)
    assert all(reason.name.isupper() and reason.doc.endswith(".") for reason in reasons)


def test_limit_can_be_set_where_the_catalogue_says_and_nowhere_else() -> None:
    engine = riskcore.Engine()
    for info in riskcore.limits():
        for scope in SCOPES:
            target = scope if scope == "firm" else f"{scope}:*"
            try:
                engine.set_limit(target, info.name, 1_000_000_000)
            except riskcore.InvalidArgument:
                assert scope not in info.settable_at, (info.name, scope)
            else:
                assert scope in info.settable_at, (info.name, scope)


def test_answers_are_named_tuples() -> None:
    reason = riskcore.reasons()[0]

    code, name, ord_rej_reason, doc = reason
    assert reason == riskcore.ReasonInfo(code, name, ord_rej_reason, doc)
    assert repr(reason).startswith("ReasonInfo(code=100, name='DUPLICATE_CL_ORD_ID'")
