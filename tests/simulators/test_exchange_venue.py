"""The matching engine: an order's life, seen in its reports."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from exchange_sim.instruments import Instrument
from exchange_sim.rlp import RETAIL_FLAG
from exchange_sim.trading import Phase
from exchange_sim.venue import Arrival, CancelRefusal, CancelReject, Kind, Outcome, RejectCode, Report, Tif, Venue

CENT = 10_000_000
MID = 10_000 * CENT
BID, OFFER = MID - CENT, MID + CENT
SECOND = 1_000_000_000


def venue(*, depth: int = 1_000, move_ppm: int = 0, retail_size: int = 0) -> Venue:
    """AAPL around 100.00, two ticks wide."""
    instrument = Instrument(
        "AAPL", MID, spread_ticks=2, depth=depth, move_ppm=move_ppm, move_qty=10_000, retail_size=retail_size
    )
    return Venue([instrument])


def arrival(
    cl_ord_id: int,
    *,
    buy: bool = True,
    qty: int = 100,
    price: int | None = None,
    tif: Tif = Tif.IOC,
    flags: int = 0,
    gateway: str = "gw1",
    symbol: str = "AAPL",
) -> Arrival:
    """An order as it arrives."""
    return Arrival(gateway, cl_ord_id, "ACC1", symbol, buy, qty, price, tif, flags, "r1")


def told(outcomes: Sequence[Outcome]) -> list[tuple[int, str, int, int]]:
    """Reports as (order, kind, last quantity, leaves)."""
    return [
        (outcome.order.arrival.cl_ord_id, outcome.kind.value, outcome.last_qty, outcome.leaves)
        for outcome in outcomes
        if isinstance(outcome, Report)
    ]


def test_a_market_order_takes_the_offer() -> None:
    """New, then the trade at the best price."""
    reports = venue().new_order(0, arrival(1))

    assert told(reports) == [(1, "NEW", 0, 100), (1, "TRADE", 100, 0)]
    assert isinstance(reports[1], Report)
    assert reports[1].last_px == OFFER


def test_a_large_order_walks_the_book() -> None:
    """Beyond the displayed depth each level costs a tick more; what is beyond the last level is canceled."""
    reports = venue(depth=100).new_order(0, arrival(1, qty=500))

    trades = [report for report in reports if isinstance(report, Report) and report.kind is Kind.TRADE]
    assert [trade.last_px for trade in trades] == [OFFER, OFFER + CENT, OFFER + 2 * CENT]
    assert told(reports)[-1] == (1, "CANCELED", 0, 0)


def test_buying_moves_the_price_with_the_square_root() -> None:
    """Four times the quantity, twice the move; selling it back brings the price home."""
    market = venue(depth=100_000, move_ppm=100_000)
    start = market.markets["AAPL"].impact.mid
    market.new_order(0, arrival(1, qty=2_500))
    once = market.markets["AAPL"].impact.mid - start
    market.new_order(0, arrival(2, qty=7_500))
    twice = market.markets["AAPL"].impact.mid - start
    market.new_order(0, arrival(3, buy=False, qty=10_000))

    assert round(twice / once, 6) == 2.0
    assert round(twice) == MID // 10
    assert market.markets["AAPL"].touch().bid == BID


def test_a_day_order_rests_and_another_customer_meets_it() -> None:
    """It improves the quote, keeps its price, and both sides get a report."""
    market = venue()
    assert told(market.new_order(0, arrival(1, price=MID, tif=Tif.DAY))) == [(1, "NEW", 0, 100)]
    assert market.markets["AAPL"].touch().bid == MID

    reports = market.new_order(1, arrival(2, buy=False, qty=30))

    assert told(reports) == [(2, "NEW", 0, 30), (2, "TRADE", 30, 0), (1, "TRADE", 30, 70)]


def test_the_market_moving_through_a_resting_order_fills_it() -> None:
    """The maker's new prices meet the customer's old one."""
    market = venue()
    market.new_order(0, arrival(1, price=BID, tif=Tif.DAY))

    reports = market.pin(1, "AAPL", (BID - 2 * CENT, BID - CENT))

    assert told(reports) == [(1, "TRADE", 100, 0)]


def test_fill_or_kill_is_all_or_nothing() -> None:
    """Not one share of an order that cannot be filled whole."""
    market = venue(depth=100)

    assert told(market.new_order(0, arrival(1, qty=301, tif=Tif.FOK))) == [(1, "NEW", 0, 301), (1, "CANCELED", 0, 0)]
    assert told(market.new_order(0, arrival(2, qty=150, tif=Tif.FOK)))[-1] == (2, "TRADE", 50, 0)


def test_retail_orders_meet_hidden_interest_inside_the_spread_first() -> None:
    """Flag bit 0 gets a better price than the quote, once per renewal; orders without it never see it."""
    market = venue(retail_size=60)
    retail = arrival(1, flags=RETAIL_FLAG)

    trades = [r for r in market.new_order(SECOND, retail) if isinstance(r, Report) and r.kind is Kind.TRADE]
    plain = [r for r in market.new_order(3 * SECOND, arrival(2)) if isinstance(r, Report) and r.kind is Kind.TRADE]

    assert [(trade.last_qty, trade.last_px) for trade in trades] == [(60, OFFER - CENT // 10), (40, OFFER)]
    assert [(trade.last_qty, trade.last_px) for trade in plain] == [(100, OFFER)]
    assert market.tallies["r1"].retail_shares == 60


def test_replace_keeps_the_place_only_when_it_just_lowers_the_quantity() -> None:
    """FIX: the quantity is the new total, filled part included."""
    market = venue()
    for number in (1, 2):
        market.new_order(0, arrival(number, price=MID, tif=Tif.DAY))
    assert told(market.replace(1, "gw1", 1, 80, MID)) == [(1, "REPLACED", 0, 80)]
    assert told(market.new_order(2, arrival(3, buy=False, qty=10)))[-1] == (1, "TRADE", 10, 70)
    assert told(market.replace(3, "gw1", 1, 100, MID)) == [(1, "REPLACED", 0, 90)]

    assert told(market.new_order(4, arrival(4, buy=False, qty=100)))[-1] == (2, "TRADE", 100, 0)
    assert told(market.replace(5, "gw1", 1, 10, MID)) == [(1, "REPLACED", 0, 0)]
    assert market.open_orders("gw1") == []


def test_a_replace_may_execute_at_its_new_price() -> None:
    """Raising a bid to the offer takes from it."""
    market = venue()
    market.new_order(0, arrival(1, price=BID, tif=Tif.DAY))

    assert told(market.replace(1, "gw1", 1, 100, OFFER)) == [(1, "REPLACED", 0, 100), (1, "TRADE", 100, 0)]


def test_cancels_tell_too_late_from_unknown() -> None:
    """The reason decides what the gateway may release."""
    market = venue()
    market.new_order(0, arrival(1, price=BID, tif=Tif.DAY))
    market.new_order(0, arrival(2))

    assert told(market.cancel(1, "gw1", 1)) == [(1, "CANCELED", 0, 0)]
    assert market.cancel(1, "gw1", 1) == [CancelReject("gw1", 1, CancelRefusal.TOO_LATE_TO_CANCEL, replace=False)]
    assert market.cancel(1, "gw1", 2) == [CancelReject("gw1", 2, CancelRefusal.TOO_LATE_TO_CANCEL, replace=False)]
    assert market.cancel(1, "gw1", 3) == [CancelReject("gw1", 3, CancelRefusal.UNKNOWN_ORDER, replace=False)]
    assert market.cancel(1, "gw2", 1) == [CancelReject("gw2", 1, CancelRefusal.UNKNOWN_ORDER, replace=False)]


def test_bad_orders_are_rejected_with_the_fix_reason() -> None:
    """Each leaves nothing behind."""
    market = venue()
    market.new_order(0, arrival(1, price=BID, tif=Tif.DAY))
    wrong = {
        RejectCode.UNKNOWN_SYMBOL: arrival(2, symbol="NOPE"),
        RejectCode.DUPLICATE_ORDER: arrival(1),
        RejectCode.INCORRECT_QUANTITY: arrival(3, qty=0),
        RejectCode.OTHER: arrival(4, price=BID + 1),
    }

    for code, order in wrong.items():
        (report,) = market.new_order(1, order)
        assert isinstance(report, Report)
        assert (report.kind, report.reject) == (Kind.REJECTED, code)
    assert [order.arrival.cl_ord_id for order in market.open_orders("gw1")] == [1]


def test_a_bust_takes_the_execution_back_once() -> None:
    """TradeCancel refers to the execution; a second one finds nothing."""
    market = venue()
    trade = market.new_order(0, arrival(1))[1]
    assert isinstance(trade, Report)

    bust = market.bust(1, trade.exec_id)

    assert bust is not None
    assert (bust.kind, bust.exec_ref_id, bust.last_qty, bust.cum) == (Kind.TRADE_CANCEL, trade.exec_id, 100, 0)
    assert market.bust(2, trade.exec_id) is None


orders = st.lists(
    st.tuples(
        st.sampled_from(["new", "cancel", "replace"]),
        st.integers(1, 30),
        st.booleans(),
        st.integers(1, 1_500),
        st.one_of(st.none(), st.integers(-5, 5)),
        st.sampled_from(Tif),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(orders)
def test_reports_always_add_up(script: list[tuple[str, int, bool, int, int | None, Tif, int]]) -> None:
    """Whatever is sent: cum is the sum of trades, nothing overfills, the tally and the open orders agree with them."""
    market = venue(depth=400, move_ppm=50_000, retail_size=100)
    cum: dict[int, int] = {}
    net = 0
    for now, (what, number, buy, qty, ticks, tif, flags) in enumerate(script):
        price = None if ticks is None else MID + ticks * CENT
        if what == "new":
            outcomes = market.new_order(now, arrival(number, buy=buy, qty=qty, price=price, tif=tif, flags=flags))
        elif what == "cancel":
            outcomes = market.cancel(now, "gw1", number)
        else:
            outcomes = market.replace(now, "gw1", number, qty, price)
        for outcome in outcomes:
            if isinstance(outcome, Report) and outcome.kind is Kind.TRADE:
                order = outcome.order
                cum[order.arrival.cl_ord_id] = cum.get(order.arrival.cl_ord_id, 0) + outcome.last_qty
                net += outcome.last_qty if order.arrival.buy else -outcome.last_qty
                assert outcome.cum == cum[order.arrival.cl_ord_id]
                assert outcome.leaves >= 0

    tally = market.tallies.get("r1")
    still_open = market.open_orders("gw1")
    assert (tally.shares if tally else 0) == sum(cum.values())
    assert (tally.net.get("AAPL", 0) if tally else 0) == net
    assert (tally.open_orders if tally else 0) == len(still_open)
    assert all(order.leaves > 0 and order.cum + order.leaves == order.qty for order in still_open)


def kinds(outcomes: Sequence[Outcome]) -> list[Kind]:
    """What the reports say."""
    return [outcome.kind for outcome in outcomes if isinstance(outcome, Report)]


def rejected(outcomes: Sequence[Outcome]) -> RejectCode | None:
    """Why the only report is a reject."""
    (outcome,) = outcomes
    assert isinstance(outcome, Report)
    return outcome.reject


def test_orders_before_the_open_wait_and_are_worked_oldest_first() -> None:
    exchange = venue()
    exchange.set_phase(0, None, Phase.PRE_OPEN)
    first = exchange.new_order(0, arrival(1, qty=800, price=OFFER, tif=Tif.DAY))
    second = exchange.new_order(0, arrival(2, qty=800, price=OFFER, tif=Tif.DAY))
    third = exchange.new_order(0, arrival(3, qty=800, price=OFFER, tif=Tif.DAY))
    immediate = exchange.new_order(0, arrival(4, price=OFFER))
    gone = exchange.cancel(0, "gw1", 2)
    opened = exchange.set_phase(0, None, Phase.CONTINUOUS)

    assert kinds(first) == kinds(second) == kinds(third) == [Kind.NEW]
    assert kinds(immediate) == [Kind.NEW, Kind.CANCELED]
    assert kinds(gone) == [Kind.CANCELED]
    trades = [(r.order.arrival.cl_ord_id, r.last_qty) for r in opened if isinstance(r, Report)]
    assert trades == [(1, 800), (3, 800)]


def test_halt_of_a_symbol_outlasts_the_phase_of_the_venue() -> None:
    exchange = venue()
    exchange.set_phase(0, "AAPL", Phase.HALTED)
    exchange.set_phase(0, None, Phase.CONTINUOUS)

    assert rejected(exchange.new_order(0, arrival(1, price=OFFER))) is RejectCode.EXCHANGE_CLOSED
    exchange.set_phase(0, "AAPL", Phase.CONTINUOUS)
    assert kinds(exchange.new_order(0, arrival(2, price=OFFER)))[0] is Kind.NEW
    exchange.set_phase(0, None, Phase.HALTED)
    assert rejected(exchange.new_order(0, arrival(3, price=OFFER))) is RejectCode.EXCHANGE_CLOSED


def test_resting_order_of_a_halted_symbol_is_not_executed_by_a_replace() -> None:
    exchange = venue()
    exchange.new_order(0, arrival(1, price=BID - CENT, tif=Tif.DAY))
    exchange.set_phase(0, "AAPL", Phase.HALTED)
    replaced = exchange.replace(0, "gw1", 1, 100, OFFER)
    resumed = exchange.set_phase(0, "AAPL", Phase.CONTINUOUS)

    assert kinds(replaced) == [Kind.REPLACED]
    assert Kind.TRADE in kinds(resumed)


def test_prices_beyond_the_bands_are_refused_in_continuous_trading() -> None:
    exchange = venue()
    exchange.trading.securities["AAPL"].bands = (BID, OFFER)

    assert rejected(exchange.new_order(0, arrival(1, price=OFFER + CENT))) is RejectCode.PRICE_EXCEEDS_BAND
    assert rejected(exchange.new_order(0, arrival(2, buy=False, price=BID - CENT))) is RejectCode.PRICE_EXCEEDS_BAND
    assert kinds(exchange.new_order(0, arrival(3, price=OFFER)))[0] is Kind.NEW
