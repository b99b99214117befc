"""One router's raw session: every message the contract allows, the wrong ones too."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import grpc

from riskgate.v1 import order_entry_pb2 as pb
from riskgate.v1 import order_entry_pb2_grpc
from tests.support.waiting import RPC_SECONDS, eventually


class LogonRefusedError(Exception):
    """The gateway refused the logon; its words."""


class RouterSession:
    """A live session; messages are collected as they come."""

    def __init__(self, address: str, router: str, token: str, *, logon: pb.Logon | None = None) -> None:
        self.messages: list[pb.GatewayMessage] = []
        self._address = address
        self._channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self._outgoing: queue.SimpleQueue[pb.SessionRequest | None] = queue.SimpleQueue()
        self._stub = order_entry_pb2_grpc.OrderEntryStub(self._channel)
        self._call: Any = self._stub.Session(iter(self._outgoing.get, None))
        self._echoes = 0
        self._reader = threading.Thread(target=self._read, name=f"session of {router}", daemon=True)
        self._reader.start()
        self._put(pb.RouterMessage(logon=logon or pb.Logon(router=router, token=token)))
        self.ack = self._wait_for("logon_ack").logon_ack
        self._seq = self.ack.last_client_seq

    def send(self, message: pb.RouterMessage) -> int:
        """Send the next message of the sequence; its number."""
        self._seq += 1
        message.client_seq = self._seq
        self._put(message)
        return self._seq

    def send_all(self, messages: Iterable[pb.RouterMessage]) -> None:
        """Send messages of the sequence in one frame."""
        batch = []
        for message in messages:
            self._seq += 1
            message.client_seq = self._seq
            batch.append(message)
        self._outgoing.put(pb.SessionRequest(messages=batch))

    def repeat(self, message: pb.RouterMessage) -> None:
        """Send a message once more, under the number it had."""
        self._put(message)

    def settle(self) -> None:
        """Until the gateway has worked through everything sent so far, and its answers are here."""
        self._echoes += 1
        number = self._echoes
        self._put(pb.RouterMessage(heartbeat=pb.Heartbeat(test_req_id=number)))
        eventually(lambda: any(m.heartbeat.test_req_id == number for m in self.messages), "the echo of a heartbeat")

    def answer(self, client_seq: int) -> pb.GatewayMessage | None:
        """The newest message that answers a request."""
        for message in reversed(self.messages):
            for body in (
                message.execution_report,
                message.order_cancel_reject,
                message.order_mass_cancel_report,
            ):
                if body.client_seq == client_seq:
                    return message
        return None

    def cancel_on_lane(self, orig_cl_ord_id: str) -> pb.CancelTaken:
        """Send one cancel on a lane of its own."""
        with grpc.insecure_channel(self._address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            lane = order_entry_pb2_grpc.OrderEntryStub(channel)
            requests: queue.SimpleQueue[pb.CancelsRequest | None] = queue.SimpleQueue()
            requests.put(pb.CancelsRequest(session_token=self.ack.session_token))
            requests.put(pb.CancelsRequest(cancels=[pb.OrderCancelRequest(orig_cl_ord_id=orig_cl_ord_id)]))
            answers: Iterator[pb.CancelsResponse] = lane.Cancels(iter(requests.get, None))
            taken = next(taken for response in answers for taken in response.taken)
            requests.put(None)
            return taken

    def check(self, request: pb.CheckOrderRequest) -> pb.CheckOrderResponse:
        """A dry run."""
        return self._stub.CheckOrder(request, timeout=RPC_SECONDS)

    def close(self) -> None:
        """Cut the session without a logout."""
        self._call.cancel()
        self._outgoing.put(None)
        self._channel.close()
        self._reader.join(5)

    def _put(self, message: pb.RouterMessage) -> None:
        self._outgoing.put(pb.SessionRequest(messages=[message]))

    def _read(self) -> None:
        try:
            for response in self._call:
                self.messages.extend(response.messages)
        except grpc.RpcError:
            return

    def _wait_for(self, body: str) -> pb.GatewayMessage:
        def found() -> pb.GatewayMessage | None:
            over = not self._reader.is_alive()
            message = next((m for m in self.messages if m.WhichOneof("body") == body), None)
            if over and message is None:
                raise LogonRefusedError(self._call.details())
            return message

        message = eventually(found, body)
        assert message is not None
        return message
