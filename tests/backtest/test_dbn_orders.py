"""Market by order as orders: what each event of an exchange means."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.backtest import Cancel, Fill, Flow, New, Quote, Replace, open_flow
from gateway.backtest.book import Book
from gateway.backtest.flow import Side, Step
from tests.backtest.recording import LAST, NANO, OPEN, PARTY, dbn, header, record, write


def steps(flow: Flow) -> list[Step]:
    """What is sent, without quotes; every order's steps in short."""
    return [step for step in flow.steps() if not isinstance(step, Quote)]


def short(flow: Flow) -> list[tuple[object, ...]]:
    """The steps as rows: kind, order, quantity, price in ticks of the index."""
    rows: list[tuple[object, ...]] = []
    for step in steps(flow):
        match step:
            case New():
                rows.append(("new", step.order, step.side.name, step.qty, (step.price or 0) / NANO))
            case Replace():
                rows.append(("replace", step.order, step.leaves, (step.price or 0) / NANO))
            case Fill():
                rows.append(("fill", step.order, step.qty, step.price / NANO))
            case Cancel():
                rows.append(("cancel", step.order))
    return rows


def quotes(flow: Flow) -> list[tuple[float, float]]:
    """Each touch that differs from the one before it."""
    touches = [(step.bid / NANO, step.ask / NANO) for step in flow.steps() if isinstance(step, Quote)]
    return [touch for place, touch in enumerate(touches) if place == 0 or touches[place - 1] != touch]


def test_opening_book_is_the_others(tmp_path: Path) -> None:
    flow = dbn(tmp_path, [record("C", 1, "B", 4799, 10)], [record("M", 2, "A", 4802, 5)])

    assert short(flow) == []
    assert flow.interpreted()["opening_book_orders"] == 2


def test_add_modify_cancel(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("A", 7, "B", 4798, 3)],
        [record("M", 7, "B", 4798.25, 5)],
        [record("C", 7, "B", 4798.25, 2)],
        [record("C", 7, "B", 4798.25, 3)],
    )

    assert short(flow) == [
        ("new", 7, "BUY", 3, 4798),
        ("replace", 7, 5, 4798.25),
        ("replace", 7, 3, 4798.25),
        ("cancel", 7),
    ]


def test_fill_is_taken_off_the_book_once(tmp_path: Path) -> None:
    """An aggressor that leaves nothing never enters the book, but it is an order; the cancel after a fill is not one."""
    flow = dbn(
        tmp_path,
        [record("A", 7, "B", 4799.25, 3)],
        [
            record("T", 8, "A", 4799.25, 2, flags=0),
            record("F", 7, "B", 4799.25, 2, flags=0),
            record("C", 7, "B", 4799.25, 2),
        ],
        [
            record("T", 9, "A", 4799.25, 1, flags=0),
            record("F", 7, "B", 4799.25, 1, flags=0),
            record("C", 7, "B", 4799.25, 1),
        ],
    )

    assert short(flow) == [
        ("new", 7, "BUY", 3, 4799.25),
        ("new", 8, "SELL", 2, 4799.25),
        ("fill", 8, 2, 4799.25),
        ("fill", 7, 2, 4799.25),
        ("new", 9, "SELL", 1, 4799.25),
        ("fill", 9, 1, 4799.25),
        ("fill", 7, 1, 4799.25),
    ]


def test_modify_after_a_fill_says_what_is_left(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("A", 7, "B", 4799.25, 3)],
        [
            record("T", 8, "A", 4799.25, 1, flags=0),
            record("F", 7, "B", 4799.25, 1, flags=0),
            record("M", 7, "B", 4799.25, 2),
        ],
        [record("M", 7, "B", 4799.25, 2)],
    )

    # The last one changes nothing that can be seen, and yet somebody sent it.
    assert short(flow)[1:] == [
        ("new", 8, "SELL", 1, 4799.25),
        ("fill", 8, 1, 4799.25),
        ("fill", 7, 1, 4799.25),
        ("replace", 7, 2, 4799.25),
    ]


def test_aggressor_that_sweeps_and_rests_is_one_order(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("A", 7, "A", 4801.25, 4)],
        [
            record("T", 8, "B", 4801, 10, flags=0),
            record("F", 2, "A", 4801, 10, flags=0),
            record("T", 8, "B", 4801.25, 4, flags=0),
            record("F", 7, "A", 4801.25, 4, flags=0),
            record("A", 8, "B", 4801.5, 6, flags=0),
            record("C", 2, "A", 4801, 10, flags=0),
            record("C", 7, "A", 4801.25, 4),
        ],
    )

    assert short(flow)[1:] == [
        ("new", 8, "BUY", 20, 4801.5),
        ("fill", 8, 10, 4801),
        ("fill", 8, 4, 4801.25),
        ("fill", 7, 4, 4801.25),
    ]


def test_resting_order_that_is_changed_to_cross_is_replaced_then_filled(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("A", 7, "A", 4801.5, 4)],
        [
            record("T", 7, "A", 4799, 4, flags=0),
            record("F", 7, "A", 4799, 4, flags=0),
            record("F", 1, "B", 4799, 4, flags=0),
            record("M", 1, "B", 4799, 6, flags=0),
            record("C", 7, "A", 4801.5, 4),
        ],
    )

    assert short(flow)[1:] == [("replace", 7, 4, 4799), ("fill", 7, 4, 4799)]


def test_iceberg_grows_before_it_fills(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("A", 7, "B", 4799.25, 2)],
        [
            record("T", 8, "A", 4799.25, 5, flags=0),
            record("F", 7, "B", 4799.25, 2, flags=0),
            record("F", 7, "B", 4799.25, 3, flags=0),
            record("M", 7, "B", 4799.25, 2),
        ],
    )

    assert short(flow)[1:] == [
        ("new", 8, "SELL", 5, 4799.25),
        ("replace", 7, 7, 4799.25),
        ("fill", 8, 5, 4799.25),
        ("fill", 7, 2, 4799.25),
        ("fill", 7, 3, 4799.25),
    ]


def test_auction_fills_both_sides_and_names_no_aggressor(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("A", 7, "B", 4801.5, 2)],
        [record("A", 8, "A", 4798, 2)],
        [
            record("T", 0, "N", 4800, 2, flags=0),
            record("F", 7, "N", 4800, 2, flags=0),
            record("F", 8, "N", 4800, 2, flags=0),
            record("C", 7, "B", 4801.5, 2, flags=0),
            record("C", 8, "A", 4798, 2),
        ],
    )

    assert short(flow)[2:] == [("fill", 7, 2, 4800), ("fill", 8, 2, 4800)]


def test_clearing_the_book_cancels_what_rests(tmp_path: Path) -> None:
    flow = dbn(tmp_path, [record("A", 7, "B", 4798, 3)], [record("R", 0, "N", None, 0)])

    assert short(flow)[-1] == ("cancel", 7)


def test_unknown_orders_move_the_book_and_are_counted(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("M", 99, "B", 4800, 1)],
        [record("C", 98, "B", 4800, 1)],
        [record("A", 99, "B", 4800, 1)],
        [record("A", 97, "N", 4800, 1)],
    )

    assert short(flow) == []
    assert quotes(flow)[-1] == (4800, 4801)
    assert flow.interpreted() == {"opening_book_orders": 2, "unknown_orders": 2, "unusable_adds": 2}


def test_touch_is_confirmed_by_every_event(tmp_path: Path) -> None:
    """The recording is complete: an hour of silence does not make the touch old."""
    flow = dbn(tmp_path, [record("A", 7, "B", 4798, 3, at=OPEN + 3600 * NANO)])
    before = [step for step in flow.steps() if not isinstance(step, New)][-1]

    assert isinstance(before, Quote)
    assert before.time == OPEN + 3600 * NANO


def test_touch_of_a_crossed_book_is_the_one_after_the_auction(tmp_path: Path) -> None:
    flow = dbn(
        tmp_path,
        [record("A", 7, "B", 4802, 4)],  # meets 4 of the 10 offered at 4801
        [record("A", 8, "B", 4803, 20)],  # takes all of them: nothing is offered, there is no touch
        [record("A", 9, "A", 4805, 1)],
    )

    assert quotes(flow) == [(4799, 4801), (4803, 4805)]


def test_event_ends_with_its_flag_its_time_or_its_instrument(tmp_path: Path) -> None:
    """A missing end-of-event flag does not glue two events together."""
    flow = dbn(
        tmp_path,
        [record("A", 7, "B", 4798, 1, flags=0, at=OPEN)],
        [record("A", 8, "B", 4798, 1, flags=0, at=OPEN + 1)],
        [record("A", 9, "B", 4798, 1, flags=LAST, at=OPEN + 1)],
    )

    assert [row[1] for row in short(flow)] == [7, 8, 9]


def test_instruments_have_books_of_their_own(tmp_path: Path) -> None:
    """The same order id in two instruments is two orders; quotes of one say nothing of the other."""
    head = header(symbols={"ESH4": 1, "ESM4": 2})
    records = [
        record("A", 1, "B", 4799, 1, instrument=1),
        record("A", 1, "B", 4849, 1, instrument=2),
        record("A", 2, "A", 4801, 1, instrument=1),
        record("A", 2, "A", 4851, 1, instrument=2),
        record("C", 1, "B", 4849, 1, instrument=2),
    ]
    flow = open_flow(write(tmp_path / "two.dbn.zst", records, head=head), PARTY)

    assert flow.symbols == ("ESH4", "ESM4")
    assert [(type(step).__name__, step.symbol) for step in steps(flow)] == [
        ("New", 0),
        ("New", 1),
        ("New", 0),
        ("New", 1),
        ("Cancel", 1),
    ]
    assert {(step.symbol, step.bid / NANO, step.ask / NANO) for step in flow.steps() if isinstance(step, Quote)} == {
        (0, 4799, 4801),
        (1, 4849, 4851),
    }


LEVELS = st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 12), st.integers(-3, 6)), max_size=40)


def naive_touch(bids: dict[int, int], asks: dict[int, int]) -> tuple[int, int] | None:
    """One contract at a time: the best bid meets the best offer while they cross."""
    while bids and asks and max(bids) >= min(asks):
        for levels, price in ((bids, max(bids)), (asks, min(asks))):
            levels[price] -= 1
            if not levels[price]:
                del levels[price]
    return (max(bids), min(asks)) if bids and asks else None


@given(LEVELS)
def test_touch_is_what_matching_one_by_one_leaves(changes: list[tuple[Side, int, int]]) -> None:
    book, sides = Book(), {Side.BUY: dict[int, int](), Side.SELL: dict[int, int]()}
    for side, price, size in changes:
        level = sides[side].get(price, 0)
        change = max(size, -level)
        book.add(side, price, change)
        if level + change:
            sides[side][price] = level + change
        else:
            sides[side].pop(price, None)

        assert book.touch() == naive_touch(dict(sides[Side.BUY]), dict(sides[Side.SELL]))
