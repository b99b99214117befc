"""What a router, an OMS or an operator can send that is wrong: a precise answer, and everybody else goes on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import order_entry_pb2_grpc, parent_orders_pb2, parent_orders_pb2_grpc, types_pb2
from tests.support.gateway import TOKENS, Gateway, GatewayProcess, Setup, gateway_process, router_token
from tests.support.scenario.session import RouterSession
from tests.support.venue import ScriptedVenue, scripted_venue
from tests.support.waiting import RPC_SECONDS

CENT = 10_000_000
PRICE = 10_000 * CENT
I64_MAX = 2**63 - 1
SESSION = "/riskgate.v1.OrderEntry/Session"
ROUTERS = [f"r{number}" for number in range(80)]
FRESH = iter(ROUTERS[1:])


@pytest.fixture(scope="module")
def served() -> Iterator[ScriptedVenue]:
    with scripted_venue() as venue:
        venue.acknowledge = True
        venue.quote("AAPL", PRICE - CENT, PRICE + CENT)
        yield venue


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, served: ScriptedVenue) -> Iterator[GatewayProcess]:
    """One gateway for the whole module: nothing that is sent here may harm it. Each test takes a fresh router."""
    directory: Path = tmp_path_factory.mktemp("gateway")
    with gateway_process(directory, served.address, Setup(routers=ROUTERS, heartbeat="30s")) as running:
        yield running


@pytest.fixture(scope="module")
def bystander(gateway: Gateway) -> Iterator[RouterSession]:
    """Another router's session, which must not notice anything."""
    session = RouterSession(gateway.order_entry, "r0", router_token("r0"))
    yield session
    session.close()


@pytest.fixture(autouse=True)
def nobody_else_notices(bystander: RouterSession, served: ScriptedVenue) -> Iterator[None]:
    yield
    before = len(served.orders)
    seq = bystander.send(order())
    bystander.settle()

    assert len(served.new_orders(before + 1)) == before + 1
    answer = bystander.answer(seq)
    assert answer is None or answer.execution_report.exec_type == types_pb2.EXEC_TYPE_NEW


NUMBERS = itertools.count(1)


def order(**changes: Any) -> pb.RouterMessage:
    """A good order with some fields changed; ``None`` clears one."""
    fields: dict[str, Any] = {
        "cl_ord_id": f"o-{next(NUMBERS)}",
        "account": "ACC2",
        "symbol": "AAPL",
        "side": types_pb2.SIDE_BUY,
        "ord_type": types_pb2.ORD_TYPE_LIMIT,
        "time_in_force": types_pb2.TIME_IN_FORCE_DAY,
        "order_qty": 1,
        "price": PRICE,
        **changes,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return pb.RouterMessage(new_order_single=pb.NewOrderSingle(**given))


@pytest.fixture
def session(gateway: Gateway) -> Iterator[RouterSession]:
    name = next(FRESH)
    live = RouterSession(gateway.order_entry, name, router_token(name))
    yield live
    live.close()


def raw_session(gateway: Gateway, *frames: bytes) -> tuple[grpc.StatusCode, str]:
    """Send bytes as they are on a new session stream; how it ends."""
    with grpc.insecure_channel(gateway.order_entry) as channel:
        method: Any = channel.stream_stream(SESSION)
        call = method(iter(frames), timeout=RPC_SECONDS)
        with pytest.raises(grpc.RpcError):
            for _ in call:
                pass
        return call.code(), call.details()


def logon(name: str, **changes: Any) -> pb.RouterMessage:
    return pb.RouterMessage(logon=pb.Logon(**{"router": name, "token": router_token(name), **changes}))


def frame(*messages: pb.RouterMessage) -> bytes:
    return pb.SessionRequest(messages=messages).SerializeToString()


def numbered(seq: int, message: pb.RouterMessage) -> pb.RouterMessage:
    message.client_seq = seq
    return message


ENDS: list[tuple[str, Callable[[str], list[bytes]], grpc.StatusCode, str]] = [
    ("garbage", lambda _: [b"\xff\xff\xff\xff"], grpc.StatusCode.INVALID_ARGUMENT, "malformed frame"),
    ("cut short", lambda name: [frame(logon(name))[:-3]], grpc.StatusCode.INVALID_ARGUMENT, "malformed"),
    (
        "order before logon",
        lambda _: [frame(numbered(1, order()))],
        grpc.StatusCode.FAILED_PRECONDITION,
        "the first message must be a logon",
    ),
    (
        "unknown router",
        lambda _: [frame(logon("nobody"))],
        grpc.StatusCode.UNAUTHENTICATED,
        "no router has this name and token",
    ),
    (
        "wrong token",
        lambda name: [frame(logon(name, token="x"))],
        grpc.StatusCode.UNAUTHENTICATED,
        "no router has this name and token",
    ),
    (
        "second logon on a stream",
        lambda name: [frame(logon(name)), frame(logon(name))],
        grpc.StatusCode.FAILED_PRECONDITION,
        "logged on already",
    ),
    (
        "resume from the future",
        lambda name: [frame(logon(name, resume_after=5))],
        grpc.StatusCode.INVALID_ARGUMENT,
        "resume_after is 5, but the last report of the day is 0",
    ),
    (
        "gap in the sequence",
        lambda name: [frame(logon(name), numbered(3, order()))],
        grpc.StatusCode.OUT_OF_RANGE,
        "3 came where 1 was expected",
    ),
    (
        "no sequence number",
        lambda name: [frame(logon(name), order())],
        grpc.StatusCode.INVALID_ARGUMENT,
        "client_seq: missing; 1 was expected",
    ),
    (
        "too many messages",
        lambda name: [frame(logon(name), *(pb.RouterMessage(heartbeat=pb.Heartbeat()) for _ in range(256)))],
        grpc.StatusCode.INVALID_ARGUMENT,
        "at most 256 messages",
    ),
]


@pytest.mark.parametrize(("frames", "code", "says"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_misuse_ends_the_stream_and_says_why(
    gateway: Gateway, frames: Callable[[str], list[bytes]], code: grpc.StatusCode, says: str
) -> None:
    got, details = raw_session(gateway, *frames(next(FRESH)))

    assert got is code, details
    assert says in details


def test_oversized_frame_ends_the_stream(gateway: Gateway) -> None:
    name = next(FRESH)
    big = frame(logon(name), *(numbered(n, order(account="x" * 1000)) for n in range(1, 80)))
    code, _ = raw_session(gateway, big)

    assert len(big) > 65_536
    assert code in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.INVALID_ARGUMENT}


def test_second_session_of_a_live_router_is_refused(gateway: Gateway) -> None:
    assert raw_session(gateway, frame(logon("r0"))) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "logon: this router has a live session; log it out first",
    )


FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"cl_ord_id": None}, "MALFORMED", "cl_ord_id"),
    ({"cl_ord_id": "x" * 37}, "MALFORMED", "cl_ord_id"),
    ({"cl_ord_id": "new\nline"}, "MALFORMED", "cl_ord_id"),
    ({"side": None}, "MALFORMED", "side"),
    ({"side": 99}, "MALFORMED", "side"),
    ({"ord_type": None}, "MALFORMED", "ord_type"),
    ({"ord_type": 77}, "MALFORMED", "ord_type"),
    ({"time_in_force": None}, "MALFORMED", "time_in_force"),
    ({"time_in_force": -1}, "MALFORMED", "time_in_force"),
    ({"account": None}, "UNKNOWN_ACCOUNT", ""),
    ({"account": "NOPE"}, "UNKNOWN_ACCOUNT", ""),
    ({"symbol": None}, "UNKNOWN_SYMBOL", ""),
    ({"symbol": "\u20ac" * 50}, "UNKNOWN_SYMBOL", ""),
    ({"strategy": "NOPE"}, "UNKNOWN_STRATEGY", ""),
    ({"account": "ACC1"}, "PARENT_REQUIRED", ""),
    ({"account": "ACC1", "parent_cl_ord_id": "NOPE"}, "UNKNOWN_PARENT", ""),
    ({"order_qty": None}, "INVALID_QUANTITY", ""),
    ({"order_qty": -1}, "INVALID_QUANTITY", ""),
    ({"order_qty": -(2**63)}, "INVALID_QUANTITY", ""),
    ({"order_qty": I64_MAX}, "MAX_ORDER_QTY", ""),
    ({"price": None}, "INVALID_PRICE", ""),
    ({"price": 0}, "INVALID_PRICE", ""),
    ({"price": -CENT}, "INVALID_PRICE", ""),
    ({"price": -(2**63)}, "INVALID_PRICE", ""),
    ({"price": PRICE + 1}, "INVALID_TICK", ""),
    ({"price": I64_MAX}, "INVALID_TICK", ""),
    ({"ord_type": types_pb2.ORD_TYPE_MARKET}, "INVALID_PRICE", ""),
]


@pytest.mark.parametrize(("changes", "reason", "field"), FIELDS, ids=[str(row[0])[:60] for row in FIELDS])
def test_bad_field_is_a_precise_reject_and_the_session_goes_on(
    session: RouterSession, served: ScriptedVenue, changes: dict[str, Any], reason: str, field: str
) -> None:
    before = len(served.orders)
    seq = session.send(order(**changes))
    good = session.send(order())
    session.settle()
    answer = session.answer(seq)

    assert answer is not None
    report = answer.execution_report
    assert (report.exec_type, report.reject.name) == (types_pb2.EXEC_TYPE_REJECTED, reason), report
    assert field in f"{report.text} {report.reject.value}"
    assert len(served.new_orders(before + 1)) == before + 1
    assert session.answer(good) is None or session.answer(good) is not answer


def test_unknown_kind_of_message_is_refused(session: RouterSession) -> None:
    unknown = pb.RouterMessage()
    unknown.MergeFromString(b"\x7a\x00")  # a body under field number 15
    seq = session.send(unknown)
    session.settle()
    answer = session.answer(seq)

    assert answer is not None
    assert answer.execution_report.reject.name == "MALFORMED"


def test_message_sent_twice_is_one_order(session: RouterSession, served: ScriptedVenue) -> None:
    before = len(served.orders)
    message = order()
    seq = session.send(message)
    session.settle()
    session.repeat(message)
    session.settle()
    answer = session.answer(seq)

    assert len(served.orders) == before + 1
    assert answer is not None
    assert answer.execution_report.exec_type == types_pb2.EXEC_TYPE_ORDER_STATUS


def test_cancel_lane_needs_its_token(gateway: Gateway) -> None:
    with grpc.insecure_channel(gateway.order_entry) as channel:
        for first in (pb.CancelsRequest(), pb.CancelsRequest(session_token=b"x" * 16)):
            call: Any = order_entry_pb2_grpc.OrderEntryStub(channel).Cancels(
                iter([first, pb.CancelsRequest(cancels=[pb.OrderCancelRequest(orig_cl_ord_id="a")])]), timeout=10
            )
            with pytest.raises(grpc.RpcError):
                list(call)
            assert call.code() in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT}


def test_dry_run_needs_the_routers_token(gateway: Gateway) -> None:
    with grpc.insecure_channel(gateway.order_entry) as channel:
        request = pb.CheckOrderRequest(router="r0", token="wrong", order=order().new_order_single)
        with pytest.raises(grpc.RpcError) as refused:
            order_entry_pb2_grpc.OrderEntryStub(channel).CheckOrder(request, timeout=RPC_SECONDS)
    error: Any = refused.value

    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


PARENTS: list[tuple[parent_orders_pb2.ParentInstruction, str]] = [
    (parent_orders_pb2.ParentInstruction(request_id=1), "body"),
    (parent_orders_pb2.ParentInstruction(request_id=1, open=parent_orders_pb2.ParentOrder()), "parent_cl_ord_id"),
    (
        parent_orders_pb2.ParentInstruction(
            request_id=1,
            open=parent_orders_pb2.ParentOrder(parent_cl_ord_id="P", account="ACC1", symbol="AAPL", order_qty=5),
        ),
        "side",
    ),
    (
        parent_orders_pb2.ParentInstruction(
            request_id=1, amend=parent_orders_pb2.ParentAmend(parent_cl_ord_id="NOPE", order_qty=1)
        ),
        "parent_cl_ord_id",
    ),
]


@pytest.mark.parametrize(("instruction", "field"), PARENTS, ids=["nothing", "no id", "no side", "unknown parent"])
def test_bad_instruction_of_the_oms_names_its_field(
    gateway: Gateway, instruction: parent_orders_pb2.ParentInstruction, field: str
) -> None:
    request = parent_orders_pb2.RegisterRequest(oms="oms1", token=TOKENS["oms1"], instructions=[instruction])
    with grpc.insecure_channel(gateway.order_entry) as channel:
        call = parent_orders_pb2_grpc.ParentOrdersStub(channel).Register(iter([request]), timeout=RPC_SECONDS)
        (result,) = [result for response in call for result in response.results]

    assert not result.accepted
    assert (result.request_id, result.reject.name) == (1, "MALFORMED")
    assert field in result.reject.value


@pytest.mark.parametrize(
    ("who", "token", "state", "code"),
    [
        ("wall", TOKENS["wall"], types_pb2.HALT_STATE_HALTED, "PERMISSION_DENIED"),
        ("desk", "wrong", types_pb2.HALT_STATE_HALTED, "UNAUTHENTICATED"),
        ("desk", TOKENS["desk"], types_pb2.HALT_STATE_ACTIVE, "INVALID_ARGUMENT"),
        ("desk", TOKENS["desk"], types_pb2.HALT_STATE_REDUCE_ONLY, "INVALID_ARGUMENT"),
    ],
    ids=["may not halt", "wrong token", "would loosen", "not a door for that"],
)
def test_halt_door_only_halts_and_only_for_those_who_may(
    gateway: Gateway, who: str, token: str, state: types_pb2.HaltState.ValueType, code: str
) -> None:
    scope = types_pb2.Scope(kind=types_pb2.SCOPE_KIND_ROUTER, name="r79")
    request = pb.HaltRequest(scope=scope, state=state, operator=who, token=token, reason="test")
    with grpc.insecure_channel(gateway.halt) as channel, pytest.raises(grpc.RpcError) as refused:
        order_entry_pb2_grpc.EmergencyHaltStub(channel).Halt(request, timeout=RPC_SECONDS)
    error: Any = refused.value

    assert error.code().name == code, error.details()


def test_flood_of_unknown_names_costs_no_memory(gateway: GatewayProcess, session: RouterSession) -> None:
    def resident() -> int:
        status = Path(f"/proc/{gateway.process.popen.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found.group(1))

    def flood(turn: int) -> None:
        for number in range(20):
            session.send_all(order(symbol=f"S{turn}-{number}-{n}", account=f"A{turn}-{n}") for n in range(200))
        session.settle()

    flood(0)
    before = resident()
    for turn in range(1, 5):
        flood(turn)

    # 16,000 orders with names never seen: the report ring is bounded and full after the first turn.
    assert resident() - before < 8 * 1024
