"""Python holds its lock for good; orders go on, and the native door halts them."""

from __future__ import annotations

import queue
import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import riskcore
from riskgate.v1 import admin_pb2, admin_pb2_grpc, types_pb2
from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import order_entry_pb2_grpc as rpc
from tests.support.gateway import TOKENS, Setup, bearer, router_token, write_config
from tests.support.processes import process
from tests.support.waiting import RPC_SECONDS, eventually

PRICE = 100_000_000_000
TICK = 10_000_000


class Session:
    """A router's session, order by order; a heartbeat goes with each wait."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._out: queue.SimpleQueue[pb.SessionRequest] = queue.SimpleQueue()
        logon = pb.Logon(router="r1", token=router_token("r1"))
        self._send(pb.RouterMessage(logon=logon))
        self._in = rpc.OrderEntryStub(channel).Session(iter(self._out.get, None), timeout=300)
        self._seq = 0

    def _send(self, message: pb.RouterMessage) -> None:
        self._out.put(pb.SessionRequest(messages=[message]))

    def order(self) -> pb.ExecutionReport:
        """Sends an order; its first report."""
        self._seq += 1
        order = pb.NewOrderSingle(
            cl_ord_id=f"A{self._seq}",
            account="ACC2",
            symbol="AAPL",
            side=types_pb2.SIDE_BUY,
            ord_type=types_pb2.ORD_TYPE_LIMIT,
            time_in_force=types_pb2.TIME_IN_FORCE_DAY,
            order_qty=1,
            price=PRICE,
        )
        self._send(pb.RouterMessage(client_seq=self._seq, new_order_single=order))
        for message in self._messages():
            # A halt also cancels what rests: those reports may come before this order's.
            if (
                message.WhichOneof("body") == "execution_report"
                and message.execution_report.cl_ord_id == order.cl_ord_id
            ):
                return message.execution_report
        raise AssertionError("the session ended")

    def _messages(self) -> Iterator[pb.GatewayMessage]:
        for frame in self._in:
            self._send(pb.RouterMessage(heartbeat=pb.Heartbeat()))
            yield from frame.messages


@pytest.fixture
def stub() -> Iterator[riskcore.VenueStub]:
    venue = riskcore.VenueStub(quotes=[("AAPL", PRICE - TICK, PRICE + TICK)])
    venue.start()
    yield venue
    venue.stop()


def answers(admin: admin_pb2_grpc.AdminStub) -> bool:
    try:
        return bool(admin.GetStatus(admin_pb2.GetStatusRequest(), metadata=bearer("wall"), timeout=2).venue_reconciled)
    except grpc.RpcError:
        return False


def test_orders_and_the_halt_door_work_while_python_hangs(tmp_path: Path, stub: riskcore.VenueStub) -> None:
    config, ready, hang = tmp_path / "riskgate.toml", tmp_path / "run.json", tmp_path / "HANG"
    write_config(config, stub.address, Setup(symbols=("AAPL",), heartbeat="60s"))
    arguments: list[str | Path] = ["tests.e2e.hanging_gateway", hang, "run", "--config", config, "--ready-file", ready]
    with process(arguments, tmp_path / "gateway.log") as child:
        bound = child.ready(ready)
        with (
            grpc.insecure_channel(bound["admin"]) as to_admin,
            grpc.insecure_channel(bound["order_entry"]) as to_orders,
            grpc.insecure_channel(bound["halt"]) as to_door,
        ):
            admin = admin_pb2_grpc.AdminStub(to_admin)
            eventually(lambda: answers(admin), "the gateway is up")
            session = Session(to_orders)
            before = session.order()
            hang.touch()
            eventually(lambda: not answers(admin), "Python hangs")
            during = session.order()
            request = pb.HaltRequest(
                scope=types_pb2.Scope(kind=types_pb2.SCOPE_KIND_ROUTER, name="r1"),
                operator="desk",
                token=TOKENS["desk"],
                reason="python hangs",
            )
            halted = rpc.EmergencyHaltStub(to_door).Halt(request, timeout=RPC_SECONDS)
            after = session.order()
        child.signal(signal.SIGKILL)
        child.wait()

    assert [before.exec_type, during.exec_type] == [types_pb2.EXEC_TYPE_NEW] * 2
    assert halted.trip_id == 1
    assert halted.open_orders == 2
    assert after.reject.name == "HALTED"
