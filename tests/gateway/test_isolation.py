"""What one party does is no affair of the others: scrapers do not delay orders, no answer tells of another account."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import types_pb2
from tests.support.gateway import Gateway, Setup, gateway_process, router_token
from tests.support.scenario.session import RouterSession
from tests.support.venue import ScriptedVenue
from tests.support.waiting import RPC_SECONDS

PRICE = 101_370_000_000
QTY = 7_331
PARENT_QTY = 73_310
SECRETS = (str(PRICE), "101.37", str(QTY), str(PARENT_QTY), str(PARENT_QTY + 1), "INSIDE", "confidential")
"""What the other account's orders and halts are made of."""

TWO_DESKS = Setup(
    heartbeat="60s",
    extra="".join(
        f'[[accounts]]\nname = "{account}"\nparent_required = false\nsmp_group = "house"\n'
        f'[[routers]]\nname = "{router}"\ntoken = "{router_token(router)}"\naccounts = ["{account}"]\n'
        for account, router in (("INSIDE", "insider"), ("OUTSIDE", "outsider"))
    ),
)
STALLED = 30
ROUNDS = 100


def order(name: str, account: str, side: types_pb2.Side.ValueType, qty: int, price: int) -> pb.NewOrderSingle:
    return pb.NewOrderSingle(
        cl_ord_id=name,
        account=account,
        symbol="AAPL",
        side=side,
        ord_type=types_pb2.ORD_TYPE_LIMIT,
        time_in_force=types_pb2.TIME_IN_FORCE_DAY,
        order_qty=qty,
        price=price,
    )


def told(session: RouterSession, message: pb.RouterMessage) -> pb.GatewayMessage:
    """The answer to a message."""
    seq = session.send(message)
    session.settle()
    answer = session.answer(seq)
    assert answer is not None, message
    return answer


@contextmanager
def stalled_scrapers(address: str) -> Iterator[None]:
    """Scrapers that stop in the middle of their request, or never read what they asked for."""
    host, _, port = address.rpartition(":")
    with ExitStack() as stack:
        for n in range(STALLED):
            scraper = stack.enter_context(socket.socket())
            scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            scraper.connect((host, int(port)))
            scraper.sendall(b"GET /metrics HTTP/1.1\r\n" if n % 2 else b"GET /metrics HTTP/1.1\r\nHost: gw\r\n\r\n")
        yield


def round_trips(session: RouterSession, name: str) -> float:
    """Median seconds from sending an order to its answer; every one of them is accepted."""
    taken = []
    for n in range(ROUNDS):
        began = time.monotonic()
        session.send(pb.RouterMessage(new_order_single=order(f"{name}-{n}", "ACC2", types_pb2.SIDE_BUY, 1, PRICE)))
        session.settle()
        taken.append(time.monotonic() - began)
    accepted = [m for m in session.messages if m.execution_report.cl_ord_id.startswith(f"{name}-")]
    assert {m.execution_report.exec_type for m in accepted} == {types_pb2.EXEC_TYPE_NEW}
    return statistics.median(taken)


@pytest.fixture
def desks(tmp_path: Path, venue: ScriptedVenue) -> Iterator[tuple[Gateway, RouterSession, RouterSession]]:
    """A gateway of two desks: the one has a resting order, and the other must not learn of it."""
    with gateway_process(tmp_path, venue.address, TWO_DESKS) as gateway:
        insider, outsider = (
            RouterSession(gateway.order_entry, name, router_token(name)) for name in ("insider", "outsider")
        )
        resting = order("A-1", "INSIDE", types_pb2.SIDE_SELL, QTY, PRICE)
        insider.send(pb.RouterMessage(new_order_single=resting))
        insider.settle()
        venue.new_orders(1)
        yield gateway, insider, outsider


@pytest.fixture
def gateway(tmp_path: Path, venue: ScriptedVenue) -> Iterator[Gateway]:
    """One that does not take the silence of a test for a lost session."""
    with gateway_process(tmp_path, venue.address, Setup(heartbeat="60s")) as running:
        yield running


def test_scrapers_that_stop_delay_neither_orders_nor_other_scrapers(gateway: Gateway) -> None:
    session = RouterSession(gateway.order_entry, "r1", router_token("r1"))
    alone = round_trips(session, "alone")

    with stalled_scrapers(gateway.metrics):
        among = round_trips(session, "among")
        with urlopen(f"http://{gateway.metrics}/metrics", timeout=RPC_SECONDS) as answer:
            assert b"risk_build_info" in answer.read()
        assert gateway.run("halt", "router:r1", "--reason", "drill").returncode == 0

    # A busy machine is no bug; a data plane that waits for a scraper is.
    assert among < 10 * alone + 0.1


def test_no_answer_tells_of_another_account(desks: tuple[Gateway, RouterSession, RouterSession]) -> None:
    gateway, insider, outsider = desks
    # It would trade with the other desk's order, whose price it does not learn.
    crossing = order("B-1", "OUTSIDE", types_pb2.SIDE_BUY, 1, PRICE + 10_000_000)
    report = told(outsider, pb.RouterMessage(new_order_single=crossing)).execution_report
    assert report.reject.name == "SELF_MATCH"
    assert report.reject.limit in {"", "0"}
    # It may not use the account, and learns nothing of what is in it.
    foreign = order("B-2", "INSIDE", types_pb2.SIDE_BUY, 1, 100_000_000_000)
    report = told(outsider, pb.RouterMessage(new_order_single=foreign)).execution_report
    assert report.reject.name == "ACCOUNT_NOT_PERMITTED"
    # A person halts the other desk's account: that concerns its own router alone.
    assert gateway.run("halt", "account:INSIDE", "--reason", "confidential").returncode == 0
    insider.settle()
    outsider.settle()

    assert [m.halt_notice.text for m in insider.messages if m.HasField("halt_notice")] == ["confidential"]
    heard = [str(message) for message in outsider.messages if message.execution_report.cl_ord_id != "B-2"]
    assert len(heard) > 2
    assert [(secret, text) for secret in SECRETS for text in heard if secret in text] == []
    after = told(
        outsider,
        pb.RouterMessage(new_order_single=order("B-3", "OUTSIDE", types_pb2.SIDE_BUY, 1, PRICE - 1_000_000_000)),
    )
    assert after.execution_report.exec_type == types_pb2.EXEC_TYPE_NEW


def test_another_routers_order_is_answered_like_one_that_does_not_exist(
    desks: tuple[Gateway, RouterSession, RouterSession],
) -> None:
    _, _, outsider = desks

    def answers(name: str) -> list[str]:
        cancel = pb.OrderCancelRequest(orig_cl_ord_id=name)
        replace = pb.OrderCancelReplaceRequest(cl_ord_id="NEW", orig_cl_ord_id=name, order_qty=1, price=100_000_000_000)
        found = []
        for message in (
            pb.RouterMessage(order_cancel_request=cancel),
            pb.RouterMessage(order_cancel_replace_request=replace),
        ):
            reject = told(outsider, message).order_cancel_reject
            reject.ClearField("client_seq")
            reject.orig_cl_ord_id = reject.orig_cl_ord_id.replace(name, "X")
            found.append(str(reject))
        return found

    assert answers("A-1") == answers("Z-9")
