"""What an order is answered with: its OrderID, or a reason with its bound; and every reason can be reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import riskcore
from tests.embedding.desk import ASK, BID, CENT, LIMITS, NAMES, SECOND, USD, Desk


def test_accepted_order_gets_a_positive_id_that_counts_up() -> None:
    desk = Desk()

    first, second = desk.order(), desk.order()

    assert first > 0
    assert second == first + 1
    assert desk.engine.position("account_symbol:ACC1/AAPL") == (0, 200, 0)


def test_epoch_is_the_upper_part_of_an_order_id() -> None:
    low, high = riskcore.Engine(epoch=1), riskcore.Engine(epoch=8_388_607)
    for engine in (low, high):
        engine.define_account("A", parent_required=False)
        engine.define_router("r")
        engine.define_symbol("S", tick=1)
        for (scope, limit), value in LIMITS.items():
            engine.set_limit(scope, limit, value)
        engine.venue_up(1)
        engine.tick(1, 0, BID, ASK)

    orders = [engine.new_order(2, 0, 0, 0, riskcore.BUY, 1, ASK, -1, 1) for engine in (low, high)]

    assert orders == [(1 << 40) | 1, (8_388_607 << 40) | 1]
    high.trade(3, orders[1], 1, ASK)
    assert high.position("symbol:S") == (1, 0, 0)


def test_resend_answers_with_the_same_order_and_counts_once() -> None:
    desk = Desk()

    first = desk.order(cl_ord_id=7)
    again = desk.order(cl_ord_id=7)

    assert again == first
    assert desk.engine.open_orders() == 1


def test_same_id_of_two_routers_is_two_orders() -> None:
    desk = Desk()

    assert desk.order(cl_ord_id=7) != desk.order(cl_ord_id=7, router=desk.routers[1])


def test_market_order_needs_no_price() -> None:
    desk = Desk()

    order = desk.order(ord_type=riskcore.MARKET, tif=riskcore.IOC, price=-1)

    assert order > 0
    # Valued at the offer moved by the collar: 100.02 * 1.05.
    assert desk.engine.turnover("firm") == 100 * 105_021 * USD // 1_000


def test_last_reject_tells_scope_bound_and_value() -> None:
    desk = Desk()

    assert desk.engine.last_reject() is None
    verdict = desk.order(qty=50_010)

    assert desk.engine.last_reject() == riskcore.Reject(
        code=-verdict, name="MAX_ORDER_QTY", scope="symbol:AAPL", limit=50_000, value=50_010, unit="quantity"
    )


def test_missing_limit_is_named_by_its_code() -> None:
    codes = {info.code: info.name for info in riskcore.limits()}
    engine = riskcore.Engine()
    engine.define_account("A", parent_required=False)
    engine.define_router("r")
    engine.define_symbol("S", tick=1)
    engine.venue_up(1)

    verdict = engine.new_order(2, 0, 0, 0, riskcore.BUY, 1, 1, -1, 1)
    reject = engine.last_reject()

    assert NAMES[-verdict] == "NO_LIMIT_CONFIGURED"
    assert reject is not None
    assert reject.scope == "firm"
    assert codes[reject.value] == "max_gross_notional"


def test_money_beyond_64_bits_is_exact() -> None:
    desk = Desk(
        limits={
            ("symbol:*", "max_order_qty"): 10**15,
            ("account:*", "max_order_notional"): 10**30,
            ("account:*", "max_gross_notional"): 10**30,
            ("firm", "max_gross_notional"): 10**30,
            ("firm", "max_turnover_day"): 10**30,
            ("firm", "max_day_loss"): 10**30,
            ("account:*", "max_day_loss"): 10**30,
            ("account_symbol:*", "max_long_position"): 10**15,
        }
    )

    order = desk.order(qty=10**12, price=ASK)
    desk.engine.trade(desk.t, order, 10**12, ASK)

    assert desk.engine.turnover("firm") == 10**12 * ASK > 2**63
    assert desk.engine.pnl("account:ACC1") == 10**12 * (BID - ASK)
    assert desk.engine.utilization("firm")["max_turnover_day"] == (10**12 * ASK, 10**30)


# ---- Every reason ----


def overfill(desk: Desk) -> int:
    return desk.order(account=desk.client, parent=desk.parent, qty=1_010)


def canceled_before_arrival(desk: Desk) -> int:
    desk.engine.cancel(desk.t, desk.routers[0], 77, lane=True)
    return desk.order(cl_ord_id=77)


def other_content(desk: Desk) -> int:
    desk.order(cl_ord_id=7)
    return desk.order(cl_ord_id=7, qty=200)


def halted(desk: Desk) -> int:
    desk.engine.halt(desk.t, "router:r1", "HALTED", "alice", "drill")
    return desk.order()


def reduce_only(desk: Desk) -> int:
    desk.engine.halt(desk.t, "account:ACC1", "REDUCE_ONLY", "alice", "drill")
    return desk.order()


def no_venue(desk: Desk) -> int:
    desk.engine.venue_down(desk.t)
    return desk.order()


def required_limit_removed(desk: Desk) -> int:
    desk.engine.set_limit("symbol:*", "max_order_qty", None)
    return desk.order()


def closed_parent(desk: Desk) -> int:
    desk.engine.close_parent(desk.t, desk.parent)
    return desk.order(account=desk.client, parent=desk.parent)


def frozen_parent(desk: Desk) -> int:
    assert desk.order(account=desk.client, parent=desk.parent, qty=500) > 0
    desk.engine.amend_parent(desk.t, desk.parent, 400)
    return desk.order(account=desk.client, parent=desk.parent, qty=10)


def too_fast(desk: Desk) -> int:
    desk.engine.set_limit("router:r1", "message_rate", 2)
    return [desk.order() for _ in range(3)][-1]


def the_same_again(desk: Desk) -> int:
    desk.engine.set_limit("router:r1", "duplicate_orders", 2)
    return [desk.order() for _ in range(3)][-1]


def abroad(desk: Desk, *, rate_is_known: bool, age: int = 0) -> int:
    """An order in another currency than the firm's."""
    desk.engine.define_currency("EUR")
    sap = desk.engine.define_symbol("SAP", tick=CENT, currency="EUR")
    if rate_is_known:
        desk.engine.fx_rate(desk.t, "EUR", 1_085_000_000)
    desk.later(age)
    desk.engine.tick(desk.t, sap, BID, ASK)
    return desk.order(symbol=sap)


def stale(desk: Desk) -> int:
    desk.later(11 * SECOND)
    return desk.order()


def never_quoted(desk: Desk) -> int:
    return desk.order(symbol=desk.engine.define_symbol("NEW", tick=CENT))


def full(_: Desk) -> int:
    small = Desk(max_orders=2)
    return [small.order() for _ in range(3)][-1]


def overflow(desk: Desk) -> int:
    return desk.order(
        qty=2**62, price=2**62 - 2**62 % CENT, symbol=desk.engine.define_symbol("BIG", tick=1, multiplier=2**62)
    )


def same_parent_other_quantity(desk: Desk) -> int:
    return desk.engine.open_parent(desk.t, "P1", desk.client, desk.aapl, riskcore.BUY, 2_000)


def parent_of_nobody(desk: Desk) -> int:
    return desk.engine.open_parent(desk.t, "P2", 99, desk.aapl, riskcore.BUY, 2_000)


def empty_parent(desk: Desk) -> int:
    return desk.engine.open_parent(desk.t, "P2", desk.client, desk.aapl, riskcore.BUY, 0)


def in_phase(phase: str | None) -> Callable[[Desk], int]:
    """An order of a market in this phase, of a venue that publishes phases."""

    def order(desk: Desk) -> int:
        desk.engine.phases_published()
        desk.engine.phase(desk.t, -1, phase)
        return desk.order()

    return order


def within_bands(low: int | None, high: int | None) -> Callable[[Desk], int]:
    """A buy at the offer under these bands, where bands must be known."""

    def order(desk: Desk) -> int:
        gme = desk.engine.define_symbol("GME", tick=CENT, luld=True)
        desk.engine.tick(desk.t, gme, BID, ASK)
        desk.engine.bands(desk.t, gme, low, high)
        return desk.order(symbol=gme)

    return order


def sold(side: int, restriction: str) -> Callable[[Desk], int]:
    """A sell at the bid, of nothing that is held, under Regulation SHO."""

    def order(desk: Desk) -> int:
        gme = desk.engine.define_symbol("GME", tick=CENT, reg_sho=True, easy_to_borrow=True)
        desk.engine.tick(desk.t, gme, BID, ASK)
        desk.engine.prior_close(desk.t, gme, BID)
        desk.engine.short_sale(desk.t, gme, restriction)
        return desk.order(symbol=gme, side=side, price=BID)

    return order


def after_own_fills(desk: Desk) -> int:
    desk.engine.set_limit("symbol:AAPL", "own_drift_bps", 0)
    desk.engine.trade(desk.t, desk.order(), 100, ASK)
    return desk.order()


def without_locate(desk: Desk) -> int:
    gme = desk.engine.define_symbol("GME", tick=CENT, reg_sho=True)
    desk.engine.tick(desk.t, gme, BID, ASK)
    desk.engine.prior_close(desk.t, gme, BID)
    return desk.order(symbol=gme, side=riskcore.SELL_SHORT)


def own_order(desk: Desk) -> int:
    house = desk.engine.define_account("HOUSE", parent_required=False, smp_group=0)
    assert desk.order(account=house, side=riskcore.SELL, price=ASK) > 0
    return desk.order(account=house, price=ASK)


def unknown_flag(desk: Desk) -> int:
    desk.engine.set_flags(0b01)
    return desk.order(flags=0b10)


def retired_flag(desk: Desk) -> int:
    desk.engine.set_flags(0b01, retired=0b10)
    return desk.order(flags=0b10)


def flag_of_another_build(desk: Desk) -> int:
    desk.engine.set_flags(0b01)
    desk.engine.attest(desk.t, desk.routers[0], "2005.03")
    return desk.order(flags=0b01)


def on_canary(limit: str | None, value: int) -> Callable[[Desk], int]:
    """The second order of a router on canary, under one limit of canaries or none."""

    def second_order(desk: Desk) -> int:
        if limit is not None:
            desk.engine.set_limit("router:r1", limit, value)
        desk.engine.attest(desk.t, desk.routers[0], "2012.08", quarantined=True)
        desk.order()
        return desk.order()

    return second_order


def not_permitted(desk: Desk) -> int:
    desk.engine.permit("account:ACC1", ["MSFT"])
    return desk.order()


def restricted(desk: Desk) -> int:
    desk.engine.restrict("AAPL", "opening")
    return desk.order()


def too_many_children(desk: Desk) -> int:
    desk.engine.set_limit("account:CLIENT", "max_children_factor", 1)  # the parent needs 100 orders of one lot
    verdict = 1
    while verdict > 0:
        verdict = desk.order(account=desk.client, parent=desk.parent, qty=10)
        if verdict > 0:
            desk.engine.canceled(desk.t, verdict)
    return verdict


REJECTS: dict[str, Callable[[Desk], int]] = {
    "DUPLICATE_CL_ORD_ID": other_content,
    "CANCELED_BEFORE_ARRIVAL": canceled_before_arrival,
    "HALTED": halted,
    "REDUCE_ONLY": reduce_only,
    "VENUE_NOT_CONNECTED": no_venue,
    "UNKNOWN_ACCOUNT": lambda desk: desk.order(account=99),
    "UNKNOWN_SYMBOL": lambda desk: desk.order(symbol=99),
    "UNKNOWN_STRATEGY": lambda desk: desk.order(strategy=99),
    "INVALID_QUANTITY": lambda desk: desk.order(qty=0),
    "INVALID_LOT": lambda desk: desk.order(qty=15),
    "INVALID_PRICE": lambda desk: desk.order(price=0),
    "INVALID_TICK": lambda desk: desk.order(price=ASK + 1),
    "UNKNOWN_ROUTER": lambda desk: desk.order(router=99),
    "NO_LIMIT_CONFIGURED": required_limit_removed,
    "SYMBOL_NOT_PERMITTED": not_permitted,
    "RESTRICTED": restricted,
    "LEAVING_LIMIT": lambda _: Desk(limits={("router:*", "max_excess_leaving_bps"): 0}).order(),
    "TOO_MANY_CHILDREN": too_many_children,
    "UNKNOWN_PARENT": lambda desk: desk.order(parent=99),
    "PARENT_REQUIRED": lambda desk: desk.order(account=desk.client),
    "PARENT_MISMATCH": lambda desk: desk.order(account=desk.client, parent=desk.parent, side=riskcore.SELL),
    "PARENT_CLOSED": closed_parent,
    "PARENT_FROZEN": frozen_parent,
    "PARENT_OVERFILL": overfill,
    "RATE_LIMIT": too_fast,
    "TOO_MANY_UNACKNOWLEDGED": lambda _: Desk(limits={("firm", "max_unacknowledged"): 0}).order(),
    "DUPLICATE_ORDER": the_same_again,
    "NOTIONAL_VELOCITY": lambda _: Desk(limits={("firm", "max_notional_velocity"): 1}).order(),
    "MAX_ORDER_QTY": lambda desk: desk.order(qty=50_010),
    "ORDER_ABOVE_ADV": lambda _: Desk(limits={("firm", "max_order_adv_bps"): 0}, adv=1_000).order(),
    "ADV_UNKNOWN": lambda _: Desk(limits={("firm", "max_order_adv_bps"): 10_000}).order(),
    "MAX_ORDER_NOTIONAL": lambda _: Desk(limits={("account:ACC1", "max_order_notional"): 1}).order(),
    "MARKET_DATA_STALE": stale,
    "FX_RATE_STALE": lambda _: abroad(
        Desk(limits={("symbol:*", "fx_rate_max_age"): SECOND}), rate_is_known=True, age=SECOND + 1
    ),
    "FX_RATE_NOT_AVAILABLE": lambda desk: abroad(desk, rate_is_known=False),
    "REFERENCE_PRICE_NOT_AVAILABLE": never_quoted,
    "PRICE_COLLAR": lambda desk: desk.order(price=200 * USD),
    "POSITION_LIMIT": lambda _: Desk(limits={("account_symbol:*", "max_long_position"): 90}).order(),
    "MAX_OPEN_ORDERS": lambda _: Desk(limits={("firm", "max_open_orders"): 0}).order(),
    "MAX_OPEN_QTY": lambda _: Desk(limits={("symbol:*", "max_open_qty"): 99}).order(),
    "MAX_OPEN_NOTIONAL": lambda _: Desk(limits={("firm", "max_open_notional"): 1}).order(),
    "CONCENTRATION_LIMIT": lambda _: Desk(limits={("symbol:*", "max_concentration_bps"): 0}).order(),
    "GROSS_LIMIT": lambda _: Desk(limits={("firm", "max_gross_notional"): 1}).order(),
    "TURNOVER_LIMIT": lambda _: Desk(limits={("firm", "max_turnover_day"): 1}).order(),
    "CAPACITY": full,
    "ARITHMETIC_OVERFLOW": overflow,
    "PARENT_EXISTS": same_parent_other_quantity,
    "UNKNOWN_SCOPE": parent_of_nobody,
    "BAD_REFERENCE_DATA": empty_parent,
    "PRICE_FAR_PASSIVE": lambda _: Desk(limits={("firm", "price_collar_passive_bps"): 9_000}).order(price=9 * USD),
    "MARKET_PHASE_UNKNOWN": in_phase(None),
    "MARKET_CLOSED": in_phase("closed"),
    "INSTRUMENT_HALTED": in_phase("halted"),
    "LULD_BAND": within_bands(BID - CENT, ASK - CENT),
    "LULD_BAND_UNKNOWN": within_bands(None, None),
    "MISMARKED_SELL": sold(riskcore.SELL, "free"),
    "SHORT_SALE_RESTRICTED": sold(riskcore.SELL_SHORT, "not_at_bid"),
    "NOT_SHORTABLE": sold(riskcore.SELL_SHORT, "not_shortable"),
    "OWN_DRIFT": after_own_fills,
    "NO_LOCATE": without_locate,
    "SELF_MATCH": own_order,
    "FLAG_UNKNOWN": unknown_flag,
    "FLAG_RETIRED": retired_flag,
    "FLAG_NOT_ATTESTED": flag_of_another_build,
    "CANARY_ORDER_QTY": on_canary("canary_max_order_qty", 99),
    "CANARY_ORDER_NOTIONAL": on_canary("canary_max_order_notional", 1),
    "CANARY_RATE": on_canary("canary_message_rate", 1),
    "CANARY_OPEN_ORDERS": on_canary("canary_max_open_orders", 1),
    "CANARY_NOT_CONFIGURED": on_canary(None, 0),
}

# Reached by what happens or by a request of a person, not by an order: test_halts.py, test_arguments.py,
# test_limit_settings.py, and the scenario files of the checks.
ELSEWHERE = {
    "LOSS_LIMIT",
    "REJECT_STORM",
    "ACKNOWLEDGEMENT_OVERDUE",
    "BAD_VENUE_REPORT",
    "NOT_HALTED",
    "TRIP_SUPERSEDED",
    "SAME_PERSON",
    "UNKNOWN_PROPOSAL",
    "NEEDS_APPROVAL",
    "LIMIT_NOT_SETTABLE_HERE",
    "BAD_VALUE",
    "BAD_FX_RATE",
    "UNKNOWN_CURRENCY",
    "ATTESTATION_CHANGED",
    "CULPRIT_BUILD",
    "NOT_ON_CANARY",
    "NO_INCIDENT",
    "UNKNOWN_FINDING",
    "FINDING_ACKNOWLEDGED",
    "NOT_READY",
    "NO_READINESS_GATE",
    "READINESS_CHANGED",
    "READINESS_OPEN",
    "BAD_ACTION",
    "HARD_LIMIT",
    "LAPSED",
    "DRAWDOWN_LIMIT",
    "DROP_COPY_LOST",
    "DROP_COPY_MISMATCH",
    "EVENT_LAG",
    "EXECUTION_LOSS",
    "JOURNAL_LAG",
    "QUEUE_DEPTH",
    "UNMATCHED_EXECUTIONS",
    "REPEATED_EXECUTION",
}

# Given by the order-entry server, before a message reaches the core.
SERVER = {"STALE_ID", "MALFORMED", "ACCOUNT_NOT_PERMITTED", "GATEWAY_BUSY"}


@pytest.mark.parametrize("name", REJECTS)
def test_reason_can_be_reached(name: str) -> None:
    desk = Desk()

    verdict = REJECTS[name](desk)

    assert NAMES.get(-verdict) == name


def test_every_reason_of_the_catalogue_is_tried() -> None:
    missing = set(NAMES.values()) - REJECTS.keys() - ELSEWHERE - SERVER

    assert not missing, f"add an order that is refused so to REJECTS in {__file__}: {sorted(missing)}"


def test_rejected_order_changes_no_exposure() -> None:
    desk = Desk()
    desk.order()
    before = [desk.engine.position("symbol:AAPL"), desk.engine.turnover("firm"), desk.engine.gross_notional("firm")]

    for change in ({"qty": 50_010}, {"price": 200 * USD}, {"account": 99}, {"parent": 99}):
        assert desk.order(**change) < 0

    after = [desk.engine.position("symbol:AAPL"), desk.engine.turnover("firm"), desk.engine.gross_notional("firm")]
    assert after == before
