"""What a router does with one parent: healthy code stops, Power Peg does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router_sim.behaviour import CHILD_QTY, HEALTHY_PACE, NEVER, Build, HealthyRouter, PowerPeg, behaviour

MS = 1_000_000


@given(qty=st.integers(1, 5_000), fills=st.lists(st.integers(0, CHILD_QTY), min_size=1, max_size=200))
def test_healthy_router_never_sends_more_than_is_left(qty: int, fills: list[int]) -> None:
    router = HealthyRouter(qty=qty, first_at=0)
    done = 0
    for filled in fills:
        if router.next_at == NEVER:
            break
        assert 0 < router.child_qty <= qty - done
        executed = min(filled, router.child_qty)
        done += executed

        router.on_done(router.next_at, executed)

    assert (router.next_at == NEVER) == (done == qty)


def test_healthy_router_keeps_its_pace() -> None:
    router = HealthyRouter(qty=300, first_at=0)

    assert router.on_done(1 * MS, 100) == HEALTHY_PACE
    assert router.on_done(HEALTHY_PACE + 700 * MS, 100) == HEALTHY_PACE + 700 * MS


def test_healthy_router_hands_a_refused_order_back() -> None:
    router = HealthyRouter(qty=300, first_at=0)

    assert router.on_reject(1 * MS) == NEVER
    assert router.child_qty == 0


@given(st.lists(st.integers(0, CHILD_QTY), max_size=50))
def test_power_peg_ignores_every_fill(fills: list[int]) -> None:
    peg = PowerPeg(first_at=3 * MS, delay=7 * MS)

    sent = [peg.next_at, *(peg.on_done(peg.next_at + MS, filled) for filled in fills)]

    assert sent == [(3 + 7 * n) * MS for n in range(len(fills) + 1)]
    assert peg.child_qty == CHILD_QTY


def test_power_peg_takes_a_refusal_like_a_fill() -> None:
    peg = PowerPeg(first_at=0, delay=7 * MS)

    assert peg.on_reject(0) == 7 * MS


def test_power_peg_waits_for_a_slow_answer() -> None:
    peg = PowerPeg(first_at=0, delay=7 * MS)

    assert peg.on_done(50 * MS, 100) == 50 * MS


def test_only_the_old_code_reads_the_flag_as_power_peg() -> None:
    def chosen(build: Build, *, rlp_flag: bool) -> type:
        return type(behaviour(build, rlp_flag=rlp_flag, qty=100, first_at=0, delay=MS))

    assert chosen(Build.POWER_PEG, rlp_flag=True) is PowerPeg
    assert chosen(Build.POWER_PEG, rlp_flag=False) is HealthyRouter
    assert chosen(Build.RLP, rlp_flag=True) is HealthyRouter
