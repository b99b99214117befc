"""The Admin service of a running gateway: who may do what, and what it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from gateway.admin import MAX_SUBSCRIBERS, METHODS
from gateway.wire import scope_of
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import admin_pb2_grpc, types_pb2
from tests.support.gateway import Gateway, GatewayProcess, bearer
from tests.support.waiting import RPC_SECONDS, eventually

HALTED = types_pb2.HALT_STATE_HALTED


def halt(gateway: Gateway, scope: str, who: str = "desk", reason: str = "test") -> pb.HaltScopeResponse:
    return gateway.stub().HaltScope(
        pb.HaltScopeRequest(scope=scope_of(scope), reason=reason), metadata=bearer(who), timeout=RPC_SECONDS
    )


def refusal(call: Any, *arguments: Any, **options: Any) -> tuple[grpc.StatusCode, str]:
    """Status and sentence of a call that must fail."""
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments, timeout=RPC_SECONDS, **options)
    error: Any = refused.value
    return error.code(), error.details()


def test_every_method_needs_a_token(shared_gateway: Gateway) -> None:
    stub = shared_gateway.stub()
    for metadata in (None, (("authorization", "Bearer wrong"),), (("authorization", "token"),), bearer("desk") * 2):
        for name, method in METHODS.items():
            code, details = refusal(getattr(stub, name), method.request(), metadata=metadata)

            assert code is grpc.StatusCode.UNAUTHENTICATED
            assert "authorization: Bearer" in details
    with pytest.raises(grpc.RpcError):
        next(stub.StreamEvents(pb.StreamEventsRequest()))


@pytest.mark.parametrize(
    ("who", "method", "needs"),
    [
        ("wall", "HaltScope", "halt"),
        ("wall", "SetLimit", "risk"),
        ("desk", "SetLimit", "risk"),
        ("desk", "ProposeReinstate", "risk"),
        ("desk", "ApproveProposal", "risk"),
    ],
)
def test_roles_are_enforced(shared_gateway: Gateway, who: str, method: str, needs: str) -> None:
    code, details = refusal(getattr(shared_gateway.stub(), method), METHODS[method].request(), metadata=bearer(who))

    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert f"{method} needs {needs}" in details


def test_viewer_sees_everything(shared_gateway: Gateway) -> None:
    for name, method in METHODS.items():
        # There is no evidence before a halt, and no order to explain in an empty request.
        if method.role == "view" and name not in {"GetEvidence", "ExplainOrder"}:
            getattr(shared_gateway.stub(), name)(method.request(), metadata=bearer("wall"), timeout=RPC_SECONDS)


def test_change_without_a_reason_is_refused(shared_gateway: Gateway) -> None:
    code, details = refusal(
        shared_gateway.stub().HaltScope,
        pb.HaltScopeRequest(scope=scope_of("firm"), reason=" "),
        metadata=bearer("desk"),
    )

    assert (code, details[:15]) == (grpc.StatusCode.INVALID_ARGUMENT, "reason: say why")


def test_unknown_scope_is_an_argument_error(shared_gateway: Gateway) -> None:
    code, details = refusal(
        shared_gateway.stub().HaltScope,
        pb.HaltScopeRequest(scope=scope_of("router:nobody"), reason="test"),
        metadata=bearer("desk"),
    )

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "nobody" in details


def test_halt_latches_and_two_people_reinstate(gateway: Gateway) -> None:
    stub = gateway.stub()
    trip = halt(gateway, "router:r1").trip_id
    state = {router.router: router.state for router in gateway.status().routers}
    assert state["r1"] == HALTED
    assert state["r2"] == types_pb2.HALT_STATE_ACTIVE

    proposal = stub.ProposeReinstate(
        pb.ProposeReinstateRequest(scope=scope_of("router:r1"), trip_id=trip, reason="fixed"),
        metadata=bearer("alice"),
        timeout=RPC_SECONDS,
    ).proposal_id
    code, details = refusal(
        stub.ApproveProposal, pb.ApproveProposalRequest(proposal_id=proposal), metadata=bearer("alice")
    )
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert details
    assert {router.state for router in gateway.status().routers if router.router == "r1"} == {HALTED}

    stub.ApproveProposal(pb.ApproveProposalRequest(proposal_id=proposal), metadata=bearer("bob"), timeout=RPC_SECONDS)
    assert {router.state for router in gateway.status().routers} == {types_pb2.HALT_STATE_ACTIVE}


def test_loosening_a_limit_waits_for_a_second_person(gateway: Gateway) -> None:
    stub = gateway.stub()

    def set_quantity(value: str) -> pb.SetLimitResponse:
        request = pb.SetLimitRequest(scope=scope_of("symbol:AAPL"), limit="max_order_qty", value=value, reason="test")
        return stub.SetLimit(request, metadata=bearer("alice"), timeout=RPC_SECONDS)

    def quantity() -> set[str]:
        limits = stub.ListLimits(pb.ListLimitsRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS).limits
        return {limit.value for limit in limits if limit.limit == "max_order_qty" and limit.scope.name == "AAPL"}

    assert set_quantity("100").applied
    assert quantity() == {"100"}
    loosened = set_quantity("20000")
    assert not loosened.applied
    assert quantity() == {"100"}

    proposals = stub.ListProposals(pb.ListProposalsRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS).proposals
    assert [(p.proposal_id, p.principal) for p in proposals] == [(loosened.proposal_id, "alice")]
    stub.ApproveProposal(
        pb.ApproveProposalRequest(proposal_id=loosened.proposal_id), metadata=bearer("bob"), timeout=RPC_SECONDS
    )
    assert quantity() == {"20000"}


def test_events_start_where_the_subscriber_left_off(gateway: Gateway) -> None:
    halt(gateway, "router:r1")
    halt(gateway, "router:r2")

    def halts(after: int) -> Iterator[pb.StreamEventsResponse]:
        stream = gateway.stub().StreamEvents(
            pb.StreamEventsRequest(after_seq=after), metadata=bearer("wall"), timeout=RPC_SECONDS
        )
        return (event for event in stream if event.kind == "halt")

    first = halts(0)
    one, two = next(first), next(first)
    again = next(halts(one.seq))

    assert [one.scope.name, two.scope.name, again.scope.name] == ["r1", "r2", "r2"]
    assert one.trip.principal == "desk"
    assert (two.missed, again.seq) == (0, two.seq)


def test_subscribers_beyond_the_bound_are_told_so(gateway: Gateway) -> None:
    streams = [
        gateway.stub().StreamEvents(pb.StreamEventsRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS)
        for _ in range(MAX_SUBSCRIBERS)
    ]
    halt(gateway, "router:r1")
    for stream in streams:
        assert next(stream).seq
    with pytest.raises(grpc.RpcError) as refused:
        next(gateway.stub().StreamEvents(pb.StreamEventsRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS))
    error: Any = refused.value

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "close one" in error.details()
    for stream in streams:
        stream.cancel()


def test_subscribers_that_do_not_read_delay_no_halt(gateway: Gateway) -> None:
    idle = [
        gateway.stub().StreamEvents(pb.StreamEventsRequest(), metadata=bearer("wall"), timeout=60) for _ in range(12)
    ]
    taken = []
    for turn in range(20):
        start = time.perf_counter()
        halt(gateway, "router:r1" if turn % 2 else "router:r2")
        taken.append(time.perf_counter() - start)
    for stream in idle:
        stream.cancel()

    # A wait for a subscriber would last until its stream ends, a minute. How long a halt takes is for the benches.
    assert max(taken) < RPC_SECONDS / 2, taken


def test_answers_do_not_wait_for_each_other(gateway: Gateway) -> None:
    done = []

    def ask() -> None:
        for _ in range(20):
            gateway.status()
        done.append(True)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    halt(gateway, "firm")
    for thread in threads:
        thread.join(2 * RPC_SECONDS)

    assert len(done) == 8


def test_health_and_reflection_answer(shared_gateway: Gateway) -> None:
    with grpc.insecure_channel(shared_gateway.admin) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(service="riskgate.v1.Admin"), timeout=RPC_SECONDS)
        names = set(ProtoReflectionDescriptorDatabase(channel).get_services())

    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert {"riskgate.v1.Admin", "grpc.health.v1.Health"} <= names


def test_oversized_request_is_refused(shared_gateway: Gateway) -> None:
    request = pb.HaltScopeRequest(scope=scope_of("firm"), reason="x" * 70_000)

    assert refusal(shared_gateway.stub().HaltScope, request, metadata=bearer("desk"))[0] is (
        grpc.StatusCode.RESOURCE_EXHAUSTED
    )


def test_unknown_enum_value_is_refused(shared_gateway: Gateway) -> None:
    request = pb.HaltScopeRequest(scope=types_pb2.Scope(kind=99), reason="test")  # type: ignore[arg-type]

    assert (
        refusal(shared_gateway.stub().HaltScope, request, metadata=bearer("desk"))[0]
        is grpc.StatusCode.INVALID_ARGUMENT
    )


def test_two_gateways_cannot_share_the_admin_port(shared_gateway: Gateway) -> None:
    server = grpc.server(None, options=[("grpc.so_reuseport", 0)])  # type: ignore[arg-type]

    with pytest.raises(RuntimeError, match="bind"):
        server.add_insecure_port(shared_gateway.admin)


def test_stop_logs_everything_out_and_removes_the_ready_file(child: GatewayProcess) -> None:
    child.process.popen.terminate()

    assert child.process.wait() == 0
    assert not (child.directory / "run.json").exists()
    with grpc.insecure_channel(child.admin) as channel:
        call = admin_pb2_grpc.AdminStub(channel).GetStatus
        assert refusal(call, pb.GetStatusRequest())[0] is grpc.StatusCode.UNAVAILABLE


def test_open_subscriptions_do_not_hold_up_the_stop(child: GatewayProcess) -> None:
    stream = child.stub().StreamEvents(pb.StreamEventsRequest(), metadata=bearer("wall"), timeout=60)
    halt(child, "firm")
    eventually(lambda: next(stream).kind == "halt", "the halt reaches the subscriber")
    child.process.popen.terminate()

    assert child.process.wait() == 0, "the stream would have lasted a minute"
