"""Native floods through a running gateway to the native venue stub: the whole order path, without a simulator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import riskcore
from tests.support.gateway import LIMITS, Gateway, Setup, gateway_process, router_token
from tests.support.waiting import eventually

PRICE = 100_000_000_000
TICK = 10_000_000
ORDERS = 2_000


@pytest.fixture
def stub() -> Iterator[riskcore.VenueStub]:
    venue = riskcore.VenueStub(quotes=[("AAPL", PRICE - TICK, PRICE + TICK), ("MSFT", PRICE - TICK, PRICE + TICK)])
    venue.start()
    yield venue
    venue.stop()


@pytest.fixture
def gateway(tmp_path: Path, stub: riskcore.VenueStub) -> Iterator[Gateway]:
    with gateway_process(tmp_path, stub.address, Setup()) as running:
        yield running


def line(side: str, price: int = PRICE) -> riskcore.FloodLine:
    return riskcore.FloodLine(account="ACC2", symbol="AAPL", side=side, order_qty=1, price=price)


def session(
    router: str, rate: int, lines: Sequence[riskcore.FloodLine] = (), resume_after: int | None = None
) -> riskcore.FloodSession:
    return riskcore.FloodSession(
        router=router,
        token=router_token(router),
        lines=list(lines) or [line("buy"), line("sell")],
        rate=rate,
        duration_ns=60_000_000_000,
        orders=ORDERS,
        resume_after=resume_after,
    )


def run(gateway: Gateway, *sessions: riskcore.FloodSession) -> riskcore.FloodReport:
    flood = riskcore.Flood(target=gateway.order_entry, sessions=list(sessions), drain_timeout_ms=30_000)
    flood.start()
    eventually(lambda: flood.wait(100), "the flood ended")
    report = flood.report()

    assert [one["error"] for one in report["sessions"]] == [None] * len(sessions)
    assert [report[name] for name in ("unsent", "unanswered", "duplicates", "unsolicited", "sequence_gaps")] == [0] * 5
    assert report["latency_ns"]["count"] == report["sent"] == ORDERS * len(sessions)
    return report


def test_every_order_is_answered_once_and_reaches_the_venue_once(gateway: Gateway, stub: riskcore.VenueStub) -> None:
    report = run(gateway, session("r1", 4_000), session("r2", 4_000))

    assert (report["accepted"], report["filled"], report["reject_reasons"]) == (2 * ORDERS, 2 * ORDERS, {})
    seen = stub.report()
    assert (seen["orders"], seen["trades"], seen["duplicates"], seen["open_orders"]) == (2 * ORDERS, 2 * ORDERS, 0, 0)


def test_a_router_above_its_rate_is_refused_by_name_and_its_peer_is_not(
    tmp_path: Path, stub: riskcore.VenueStub
) -> None:
    limits = LIMITS + '[limits.router."r1"]\nmessage_rate = 100\n'
    with gateway_process(tmp_path, stub.address, Setup(limits=limits)) as gateway:
        flooding, paced = run(gateway, session("r1", 1_000_000), session("r2", 2_000))["sessions"]

    assert set(flooding["reject_reasons"]) == {"RATE_LIMIT"}
    assert flooding["accepted"] >= 100
    assert (paced["rejected"], paced["filled"]) == (0, ORDERS)


def test_a_second_flood_of_a_router_continues_its_sequence(gateway: Gateway, stub: riskcore.VenueStub) -> None:
    first = run(gateway, session("r1", 4_000))
    report = run(gateway, session("r1", 4_000))

    assert (first["earlier"], report["earlier"]) == (0, 2 * ORDERS)
    assert report["accepted"] == ORDERS
    assert stub.report()["orders"] == 2 * ORDERS


def test_a_flood_that_names_the_last_report_gets_only_later_ones(gateway: Gateway) -> None:
    last = run(gateway, session("r1", 4_000))["sessions"][0]["last_report_seq"]
    report = run(gateway, session("r1", 4_000, resume_after=last - 1))

    assert last == 2 * ORDERS
    assert (report["earlier"], report["accepted"]) == (1, ORDERS)
    assert report["sessions"][0]["last_report_seq"] == 2 * last


def test_a_flood_that_names_a_report_of_nobody_is_not_logged_on(gateway: Gateway) -> None:
    flood = riskcore.Flood(target=gateway.order_entry, sessions=[session("r1", 4_000, resume_after=7)])
    flood.start()
    eventually(lambda: flood.wait(100), "the flood ended")

    error = flood.report()["sessions"][0]["error"]
    assert error is not None
    assert "logon: resume_after is 7, but the last report of the day is 0" in error


def test_a_venue_is_asked_for_no_earlier_reports(stub: riskcore.VenueStub) -> None:
    with pytest.raises(riskcore.InvalidArgument, match="session r1 resumes: a venue is asked for no earlier reports"):
        riskcore.Flood(target=stub.address, sessions=[session("r1", 1, resume_after=1)], venue_epoch=1)


def test_refusals_come_with_the_name_of_the_check(gateway: Gateway, stub: riskcore.VenueStub) -> None:
    too_dear = line("buy", price=2 * PRICE)
    report = run(gateway, session("r1", 4_000, [too_dear]))

    assert report["reject_reasons"] == {"PRICE_COLLAR": ORDERS}
    assert stub.report()["orders"] == 0


def test_a_flood_of_cancels_empties_the_book_and_answers_those_of_no_order(
    tmp_path: Path, stub: riskcore.VenueStub
) -> None:
    resting = riskcore.FloodLine(
        account="ACC2", symbol="AAPL", side="buy", order_qty=1, price=PRICE, time_in_force="day"
    )
    cancelling = riskcore.FloodSession(
        router="r1", token=router_token("r1"), lines=[], cancels_from=2, rate=4_000, duration_ns=10**11, orders=ORDERS
    )
    with gateway_process(tmp_path, stub.address, Setup(cancel_on_disconnect=False)) as gateway:
        run(gateway, session("r1", 4_000, [resting]))
        report = run(gateway, cancelling)

    assert (report["canceled"], report["accepted"], report["rejected"]) == (ORDERS - 1, ORDERS - 1, 1)
    assert report["accepted_latency_ns"]["count"] == ORDERS - 1
    assert stub.report()["open_orders"] == 1


def test_what_is_recent_is_told_once(gateway: Gateway) -> None:
    flood = riskcore.Flood(target=gateway.order_entry, sessions=[session("r1", 4_000)], drain_timeout_ms=30_000)
    flood.start()
    seen = [flood.recent() for _ in iter(lambda: flood.wait(50), True)]
    seen.append(flood.recent())

    assert sum(one["answered"] for one in seen) == ORDERS == sum(one["latency_ns"]["count"] for one in seen)
    assert flood.recent()["answered"] == 0
