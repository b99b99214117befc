"""The order book against the plainest possible model of one: a list, sorted before every match."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_sim.book import Book, BookError, Fill


@dataclass
class Model:
    """Resting orders as (id, buy, price, qty) in order of arrival."""

    orders: list[tuple[int, bool, int, int]] = field(default_factory=list)

    def take(self, *, buy: bool, limit: int | None, qty: int) -> list[Fill]:
        fills = []
        while qty:
            matching = [
                o for o in self.orders if o[1] != buy and (limit is None or (o[2] <= limit) == buy or o[2] == limit)
            ]
            if not matching:
                break
            best = min(matching, key=lambda o: o[2] if buy else -o[2])
            place = self.orders.index(best)
            traded = min(qty, best[3])
            if traded == best[3]:
                del self.orders[place]
            else:
                self.orders[place] = (best[0], best[1], best[2], best[3] - traded)
            fills.append(Fill(best[0], best[2], traded))
            qty -= traded
        return fills


Step = tuple[str, bool, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["limit", "market", "cancel", "reduce"]),
        st.booleans(),
        st.integers(1, 8),
        st.integers(1, 50),
    ),
    max_size=60,
)


@given(steps)
def test_the_book_does_what_a_sorted_list_does(script: list[Step]) -> None:
    """Any sequence of orders, cancels and reductions gives the model's fills and leaves the model's orders."""
    book, model = Book(), Model()
    for number, (what, buy, price, qty) in enumerate(script, start=1):
        if what in ("limit", "market"):
            limit = price if what == "limit" else None

            expected = model.take(buy=buy, limit=limit, qty=qty)
            assert book.take(buy=buy, limit=limit, qty=qty) == expected

            left = qty - sum(fill.qty for fill in expected)
            if limit is not None and left:
                book.rest(number, buy=buy, price=limit, qty=left)
                model.orders.append((number, buy, limit, left))
        elif model.orders:
            place = qty % len(model.orders)
            order_id, side, at, open_qty = model.orders[place]
            if what == "cancel":
                assert book.cancel(order_id) == open_qty
                del model.orders[place]
            else:
                book.reduce(order_id, min(qty, open_qty))
                model.orders[place] = (order_id, side, at, min(qty, open_qty))

        assert len(book) == len(model.orders)
        assert all(book.resting(o[0]) == (o[2], o[3]) for o in model.orders)
        bids = [o[2] for o in model.orders if o[1]]
        offers = [o[2] for o in model.orders if not o[1]]
        assert (book.best_bid(), book.best_offer()) == (max(bids, default=None), min(offers, default=None))
        assert not bids or not offers or max(bids) < min(offers)


@given(steps, st.integers(1, 8), st.integers(1, 200), st.sampled_from(["buy", "sell"]))
def test_available_is_what_take_then_takes(script: list[Step], limit: int, qty: int, side: str) -> None:
    """A fill-or-kill order may rely on it."""
    book, buy = Book(), side == "buy"
    for number, (_, buys, price, size) in enumerate(script, start=1):
        left = size - sum(fill.qty for fill in book.take(buy=buys, limit=price, qty=size))
        if left:
            book.rest(number, buy=buys, price=price, qty=left)

    available = book.available(buy=buy, limit=limit, enough=qty)

    assert available == sum(fill.qty for fill in book.take(buy=buy, limit=limit, qty=qty))


def test_time_decides_at_the_same_price_and_a_reduction_keeps_the_place() -> None:
    """First in, first out; less of the same does not go to the back."""
    book = Book()
    for number in (1, 2):
        book.rest(number, buy=False, price=100, qty=50)
    book.reduce(1, 20)

    assert book.take(buy=True, limit=100, qty=30) == [Fill(1, 100, 20), Fill(2, 100, 10)]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda book: book.rest(1, buy=True, price=10, qty=5), "rests already"),
        (lambda book: book.rest(2, buy=True, price=10, qty=0), "only a positive one"),
        (lambda book: book.rest(2, buy=False, price=10, qty=5), "crosses"),
        (lambda book: book.reduce(1, 6), "1..5"),
        (lambda book: book.reduce(9, 1), "does not rest"),
    ],
)
def test_calls_that_would_break_the_book_are_refused(wrong: object, says: str) -> None:
    """The message says what is wrong; the book stays as it was."""
    book = Book()
    book.rest(1, buy=True, price=10, qty=5)

    assert callable(wrong)
    with pytest.raises(BookError, match=says):
        wrong(book)
    assert book.resting(1) == (10, 5)
