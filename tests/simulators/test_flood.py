"""`router_sim flood` and the native generator and stub behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

import riskcore
from router_sim.flood import UsageError, deal_tokens, duration_ns, symbol_price
from tests.support import ROOT
from tests.support.waiting import eventually

PRICE = 100_000_000_000


@pytest.fixture
def stub() -> Iterator[riskcore.VenueStub]:
    venue = riskcore.VenueStub(quotes=[("AAPL", PRICE - 1, PRICE + 1)])
    venue.start()
    yield venue
    venue.stop()


def flood(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "router_sim", "flood", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def line(price: int | None = PRICE) -> riskcore.FloodLine:
    return riskcore.FloodLine(account="ACC1", symbol="AAPL", side="buy", order_qty=100, price=price)


def session(orders: int, *lines: riskcore.FloodLine) -> riskcore.FloodSession:
    return riskcore.FloodSession(
        router="gw1", token="", lines=list(lines), rate=10_000, duration_ns=60_000_000_000, orders=orders
    )


def test_every_order_of_the_schedule_is_sent_and_answered(stub: riskcore.VenueStub) -> None:
    options = ["--router", "a", "--router", "b", "--rate", "20000", "--duration", "100ms", "--venue-epoch", "1"]
    done = flood("--target", stub.address, *options, "--output", "json")
    report = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (report["sent"], report["answered"], report["unanswered"]) == (2_000, 2_000, 0)
    assert report["latency_ns"]["count"] == 2_000
    assert [one["router"] for one in report["sessions"]] == ["a", "b"]
    assert stub.report()["orders"] == 2_000


def test_the_table_names_what_was_rejected_and_why() -> None:
    venue = riskcore.VenueStub(behaviour="reject")
    venue.start()
    done = flood("--target", venue.address, "--router", "a", "--orders", "10", "--venue-epoch", "1")
    venue.stop()

    assert done.returncode == 0, done.stderr
    assert "accepted 0, rejected 10, unanswered 0" in done.stdout
    assert "ORD_REJ_REASON_99: 10" in done.stdout


def test_a_target_that_is_not_there_is_named_with_exit_code_69(stub: riskcore.VenueStub) -> None:
    address = stub.address
    stub.stop()
    done = flood("--target", address, "--router", "a", "--duration", "1ms", "--venue-epoch", "1")

    assert done.returncode == 69
    assert f"cannot connect to {address}" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--symbol", "AAPL@x"], '"AAPL@x": the price is not a decimal number'),
        (["--symbol", "AAPL@0.0000000001"], "the price is not a decimal number"),
        (["--side", "up"], 'side = "up" is not one of buy, sell'),
        (["--tif", "soon"], 'time_in_force = "soon" is not one of day, gtc'),
        (["--duration", "10"], '"10" is not a duration: write it like 10s'),
        (["--token", "a", "--token", "b"], "1 routers and 2 tokens"),
        (["--router", "r1"], "router r1 appears twice"),
        (["--cl-ord-id-prefix", "x" * 27], "cl_ord_id_prefix of session r1 is 27 bytes long; the most is 26"),
    ],
)
def test_options_that_cannot_be_used_are_refused_with_the_mend(options: list[str], said: str) -> None:
    done = flood("--router", "r1", *options)

    assert done.returncode == 64, done.stdout
    assert said in done.stderr


def test_values_are_read_exactly() -> None:
    assert duration_ns("250ms") == 250_000_000
    assert symbol_price("AAPL@100.25") == ("AAPL", 100_250_000_000)
    assert symbol_price("AAPL") == ("AAPL", None)
    assert deal_tokens(["a", "b"], ["t"]) == ["t", "t"]
    with pytest.raises(UsageError):
        symbol_price("AAPL@9223372036.854775808")


def test_a_market_order_trades_at_the_quote_that_was_set_last(stub: riskcore.VenueStub) -> None:
    stub.set_quote("AAPL", PRICE, PRICE + 5)
    running = riskcore.Flood(target=stub.address, sessions=[session(3, line(price=None))], venue_epoch=1)
    running.start()
    eventually(lambda: running.wait(100), "the flood ended")
    report = running.report()

    assert (report["filled"], report["filled_qty"]) == (3, 300)
    assert report["sessions"][0]["phase"] == "ENDED"


def test_a_flood_runs_once_and_can_be_stopped_twice(stub: riskcore.VenueStub) -> None:
    running = riskcore.Flood(target=stub.address, sessions=[session(0, line())], venue_epoch=1)
    running.start()
    with pytest.raises(riskcore.RiskcoreError, match="make another one"):
        running.start()
    eventually(lambda: running.report()["answered"] > 0, "the first answer")
    running.stop()
    running.stop()

    report = running.report()
    assert (report["unanswered"], report["sessions"][0]["error"]) == (0, None)
    assert report["unsent"] > 0


def test_a_stopped_stub_has_no_address_and_starts_afresh(stub: riskcore.VenueStub) -> None:
    stub.stop()
    stub.stop()
    with pytest.raises(riskcore.RiskcoreError, match="call start"):
        _ = stub.address
    stub.start()

    assert stub.report()["orders"] == 0


def test_a_taken_port_is_an_os_error(stub: riskcore.VenueStub) -> None:
    second = riskcore.VenueStub(listen=stub.address)

    with pytest.raises(OSError, match="cannot listen on"):
        second.start()
