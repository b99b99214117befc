"""A router's work without its I/O: what healthy code, Power Peg and the other incidents send."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_sim.behaviour import NEVER, Build
from router_sim.link import Accepted, Child, Closed, LinkEvent, Refused, Traded
from router_sim.plan import Parent, PlanError, parse_parent
from router_sim.worker import DOLLAR, PRE_OPEN_TEXT, THROTTLE, THROTTLE_WINDOW, Fault, Worker

SECOND = 1_000_000_000
MS = 1_000_000
PLAIN = Parent("P1", "ACC1", "AAPL", buy=True, qty=250, at=0, first_at=0)
FLAGGED = replace(PLAIN, retail=True, delay=10 * MS)
PASSIVE = replace(PLAIN, price=99 * SECOND, resting=50 * MS)


def worker(build: Build = Build.RLP, fault: Fault = Fault.NONE) -> Worker:
    """A router with nothing to do."""
    return Worker(build, lambda number: f"C{number}", lambda: 1, fault)


def next_children(router: Worker, now: int) -> list[Child]:
    """What it sends at a time."""
    return router.due(now, 1_000)[0]


def fill(router: Worker, child: Child, now: int) -> None:
    """The venue accepts and fills a child whole."""
    router.hear(Accepted(child.cl_ord_id), now)
    router.hear(Traded(child.cl_ord_id, child.qty, 100 * SECOND, 0), now)


def test_healthy_code_works_a_parent_in_children_and_stops() -> None:
    """100, 100, 50, then nothing, and never two at once."""
    router = worker()
    router.add(PLAIN, 0)
    sent = []
    for turn in range(10):
        children = next_children(router, turn * SECOND)
        assert len(children) <= 1
        assert next_children(router, turn * SECOND) == []
        sent += [child.qty for child in children]
        for child in children:
            fill(router, child, turn * SECOND)

    assert sent == [100, 100, 50]
    assert router.next_at() == NEVER
    assert router.ledger.excess == {}
    assert router.ledger.first_excess_sent == 0


def test_the_same_flag_means_retail_to_new_code_and_power_peg_to_old() -> None:
    """New code asks the venue for the program and stops; old code does not ask and does not stop."""
    sent: dict[Build, list[Child]] = {}
    for build in Build:
        router = worker(build)
        router.add(FLAGGED, 0)
        sent[build] = []
        for turn in range(20):
            for child in next_children(router, turn * SECOND):
                sent[build].append(child)
                fill(router, child, turn * SECOND)

        assert all(child.retail == (build is Build.RLP) for child in sent[build])

    assert sum(child.qty for child in sent[Build.RLP]) == FLAGGED.qty
    assert len(sent[Build.POWER_PEG]) == 20


def test_power_peg_counts_as_excess_from_the_share_on_that_exceeds_the_parent() -> None:
    """250 shares asked for, 100 at a time: the third child is half excess."""
    router = worker(Build.POWER_PEG)
    router.add(FLAGGED, 0)
    for turn in range(4):
        (child,) = next_children(router, turn * SECOND)
        fill(router, child, turn * SECOND)

    assert router.ledger.excess["AAPL"].as_list() == [2, 150, 150, 150 * 100 * SECOND]
    assert router.ledger.flagged["AAPL"].shares == 400
    assert router.ledger.first_excess_sent == 1


def test_power_peg_follows_a_refusal_by_the_next_try_and_healthy_code_does_not() -> None:
    """A person has to look at a refused order."""
    for build, tries in ((Build.RLP, 1), (Build.POWER_PEG, 5)):
        router = worker(build)
        router.add(FLAGGED, 0)
        count = 0
        for turn in range(5):
            for child in next_children(router, turn * SECOND):
                count += 1
                router.hear(Refused(child.cl_ord_id, "HALTED"), turn * SECOND)

        assert count == tries
        assert router.ledger.rejected["HALTED"] == tries


def test_before_the_open_old_code_answers_flagged_orders_with_a_message_nobody_reads() -> None:
    """The 97 of them: no order is sent."""
    router = worker(Build.POWER_PEG)
    router.add(replace(FLAGGED, at=-SECOND, first_at=-1), -SECOND)

    assert router.ledger.novel_rejects == {PRE_OPEN_TEXT: 1}
    assert next_children(router, 10 * SECOND) == []


def test_a_passive_child_rests_is_taken_back_and_crosses() -> None:
    """Half of it filled while resting; the rest goes to the market after the pace."""
    router = worker()
    router.add(PASSIVE, 0)
    (resting,) = next_children(router, 0)
    assert (resting.price, resting.qty) == (99 * SECOND, 100)

    router.hear(Accepted(resting.cl_ord_id), MS)
    router.hear(Traded(resting.cl_ord_id, 40, 99 * SECOND, 60), MS)
    assert router.due(49 * MS, 10) == ([], [])
    assert router.due(50 * MS, 10) == ([], [resting.cl_ord_id])
    assert router.due(60 * MS, 10) == ([], [])
    router.hear(Closed(resting.cl_ord_id), 60 * MS)
    (crossing,) = next_children(router, SECOND)

    assert (crossing.price, crossing.qty) == (None, 100)
    fill(router, crossing, SECOND)
    (last,) = next_children(router, 2 * SECOND)
    assert (last.price, last.qty) == (99 * SECOND, 100)


def test_a_child_is_not_taken_back_before_the_venue_has_it() -> None:
    """The cancel has a lane of its own and could arrive first."""
    router = worker()
    router.add(PASSIVE, 0)
    (resting,) = next_children(router, 0)

    assert router.due(50 * MS, 10) == ([], [])
    router.hear(Accepted(resting.cl_ord_id), 51 * MS)
    assert router.due(60 * MS, 10) == ([], [resting.cl_ord_id])


def test_a_passive_child_that_fills_before_its_time_is_not_taken_back() -> None:
    """Its alarm belongs to a child that is no more."""
    router = worker()
    router.add(PASSIVE, 0)
    (resting,) = next_children(router, 0)
    fill(router, resting, MS)

    assert router.due(51 * MS, 10) == ([], [])
    assert len(next_children(router, 600 * MS)) == 1


def test_a_standing_order_is_one_child_for_all_of_it() -> None:
    """It rests until somebody cancels it."""
    router = worker()
    router.add(replace(PASSIVE, resting=NEVER), 0)
    (child,) = next_children(router, 0)

    assert child.qty == PASSIVE.qty
    assert router.next_at() == NEVER
    assert router.open_children() == [child.cl_ord_id]


def test_healthy_code_keeps_to_its_throttle_and_loses_nothing_by_it() -> None:
    """A hundred parents at once leave in ten windows."""
    router = worker()
    for number in range(100):
        router.add(replace(PLAIN, parent_cl_ord_id=f"P{number}", qty=100), 0)
    now, windows = 0, []
    while router.next_at() != NEVER:
        now = max(now, router.next_at())
        windows.append((now, len(next_children(router, now))))

    assert windows == [(turn * THROTTLE_WINDOW, THROTTLE) for turn in range(10)]


def test_goldman_sends_every_child_at_a_dollar() -> None:
    """A constant price across symbols."""
    router = worker(fault=Fault.DOLLAR_ORDERS)
    for symbol in ("AAPL", "MSFT"):
        router.add(replace(PLAIN, parent_cl_ord_id=symbol, symbol=symbol), 0)

    assert {child.price for child in next_children(router, 0)} == {DOLLAR}


def test_everbright_sends_again_without_waiting_for_an_answer() -> None:
    """26,082 orders in two seconds; answers change nothing."""
    router = worker(fault=Fault.RESEND)
    router.add(PLAIN, 0)
    sent = 0
    for turn in range(2_000):
        children, _ = router.due(turn * MS, 1_000)
        sent += len(children)
        for child in children[:1]:
            router.hear(Refused(child.cl_ord_id, "PARENT_OVERFILL"), turn * MS)

    assert sent > 1_900


outcomes = st.lists(st.tuples(st.integers(0, 100), st.sampled_from(["fill", "close", "refuse"])), max_size=40)


@given(outcomes, st.integers(1, 900), st.sampled_from([PLAIN, PASSIVE, replace(FLAGGED, delay=NEVER)]))
def test_healthy_code_never_exceeds_its_parent(answers: list[tuple[int, str]], qty: int, parent: Parent) -> None:
    """Whatever the venue answers: filled and open together stay within the parent."""
    router = worker()
    router.add(replace(parent, qty=qty), 0)
    now, filled = 0, 0
    for part, last in answers:
        now += SECOND
        for child in next_children(router, now):
            assert filled + child.qty <= qty
            traded = min(part, child.qty)
            events: list[LinkEvent] = []
            if last == "refuse":
                events = [Refused(child.cl_ord_id, "X")]
            elif traded:
                events = [Traded(child.cl_ord_id, traded, SECOND, child.qty - traded)]
                filled += traded
            if last != "refuse" and traded < child.qty:
                events.append(Closed(child.cl_ord_id))
            for event in events:
                router.hear(event, now)

    assert router.ledger.shares == filled
    assert router.ledger.excess == {}


def test_a_parent_survives_the_line_between_processes() -> None:
    """What the fleet writes the router reads."""
    for parent in (PLAIN, FLAGGED, PASSIVE):
        assert parse_parent(parent.line()) == parent


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"qty": 1}', PLAIN.line().replace("250", '"250"')])
def test_what_is_no_parent_is_refused(text: str) -> None:
    """A half line or a wrong type never becomes an order."""
    with pytest.raises(PlanError):
        parse_parent(text)
