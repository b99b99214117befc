"""``riskgate.v1.Admin``: who is asking, may they, and then the core decides.

Nothing is decided here beyond identity and role. Calls run on a pool of threads and share no lock: a subscriber that
does not read, or a hundred that do, leave a halt alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, NoReturn

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

import riskcore
from gateway.events import EventHub
from gateway.identity import Operators, Principal
from gateway.log import logger
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import explain_pb2

MAX_SUBSCRIBERS: Final = 32
_UNARY_THREADS: Final = 16
_MAX_REASON: Final = 500
_FAILURES_SHOWN: Final = 1000
"""Refused logins are counted; one line is written for the first and for each thousand."""

SERVER_OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    ("grpc.so_reuseport", 0),  # with the default of 1 two gateways bind one port and share its calls, silently
    ("grpc.max_concurrent_streams", 100),
    ("grpc.max_receive_message_length", 64 * 1024),
    ("grpc.max_metadata_size", 4 * 1024),
    ("grpc.absolute_max_metadata_size", 8 * 1024),
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.keepalive_time_ms", 1_000),
    ("grpc.keepalive_timeout_ms", 1_000),
    ("grpc.http2.ping_timeout_ms", 1_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.max_connection_idle_ms", 600_000),
    ("grpc.max_connection_age_ms", 12 * 3_600_000),
    ("grpc.max_connection_age_grace_ms", 10_000),
    ("grpc.enable_channelz", 0),
)

_SERVICE: Final = "riskgate.v1.Admin"


class Method(NamedTuple):
    """A unary method: the role it needs and its request. What it does is the core's affair."""

    role: str
    request: type[Message]


METHODS: Final = {
    "GetStatus": Method("view", pb.GetStatusRequest),
    "ListScopes": Method("view", pb.ListScopesRequest),
    "ListPositions": Method("view", pb.ListPositionsRequest),
    "ListOrders": Method("view", pb.ListOrdersRequest),
    "ListParents": Method("view", pb.ListParentsRequest),
    "ListUnmatched": Method("view", pb.ListUnmatchedRequest),
    "ListLimits": Method("view", pb.ListLimitsRequest),
    "ListProposals": Method("view", pb.ListProposalsRequest),
    "GetFleet": Method("view", pb.GetFleetRequest),
    "GetReadiness": Method("view", pb.GetReadinessRequest),
    "OverrideReadiness": Method("risk", pb.OverrideReadinessRequest),
    "ListFindings": Method("view", pb.ListFindingsRequest),
    "GetEvidence": Method("view", pb.GetEvidenceRequest),
    "AcknowledgeFinding": Method("risk", pb.AcknowledgeFindingRequest),
    "ListRestrictions": Method("view", pb.ListRestrictionsRequest),
    "ListFxRates": Method("view", pb.ListFxRatesRequest),
    "ProposeFxRate": Method("risk", pb.ProposeFxRateRequest),
    "ExplainOrder": Method("view", explain_pb2.ExplainOrderRequest),
    "ListLimitOverrides": Method("view", pb.ListLimitOverridesRequest),
    "ProposeLimitOverride": Method("risk", pb.ProposeLimitOverrideRequest),
    "HaltScope": Method("halt", pb.HaltScopeRequest),
    "SetLimit": Method("risk", pb.SetLimitRequest),
    "SetRestriction": Method("risk", pb.SetRestrictionRequest),
    "ProposeReinstate": Method("risk", pb.ProposeReinstateRequest),
    "ProposePromotion": Method("risk", pb.ProposePromotionRequest),
    "ProposeCloseIncident": Method("risk", pb.ProposeCloseIncidentRequest),
    "ApproveProposal": Method("risk", pb.ApproveProposalRequest),
}


class AdminService:
    """The operators' calls."""

    def __init__(self, plane: riskcore.DataPlane, operators: Operators, events: EventHub) -> None:
        self._plane = plane
        self._operators = operators
        self._events = events
        self._slots = threading.BoundedSemaphore(MAX_SUBSCRIBERS)
        self._failures = 0

    @property
    def login_failures(self) -> int:
        """Calls without a known token since the start."""
        return self._failures

    def handler(self) -> grpc.GenericRpcHandler:
        """The service, for a server. Answers are passed on as the bytes the data plane gave."""
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            name: self._unary(name, method) for name, method in METHODS.items()
        }
        handlers["StreamEvents"] = grpc.unary_stream_rpc_method_handler(
            self.stream_events, pb.StreamEventsRequest.FromString, _encode
        )
        return grpc.method_handlers_generic_handler(_SERVICE, handlers)

    def _unary(self, name: str, method: Method) -> grpc.RpcMethodHandler[Message, bytes]:
        def call(request: Message, context: grpc.ServicerContext) -> bytes:
            principal = self._principal(name, method.role, context)
            _check_reason(request, context)
            return self._ask(name, request, principal, context)

        return grpc.unary_unary_rpc_method_handler(call, method.request.FromString, None)

    def stream_events(
        self, request: pb.StreamEventsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamEventsResponse]:
        """Events from ``after_seq`` on, then live."""
        self._principal("StreamEvents", "view", context)
        if not self._slots.acquire(blocking=False):
            _abort(
                context,
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{MAX_SUBSCRIBERS} subscribers are connected; close one of them first",
            )
        subscription = self._events.subscribe(request.after_seq)
        context.add_callback(subscription.close)
        try:
            while context.is_active():
                event = subscription.get(timeout=1.0)
                if event is not None:
                    yield event
                elif subscription.closed:
                    break
        finally:
            self._events.unsubscribe(subscription)
            self._slots.release()

    def _ask(self, name: str, request: Message, principal: Principal, context: grpc.ServicerContext) -> bytes:
        try:
            answer = self._plane.admin(name, request.SerializeToString(), principal.name)
        except riskcore.InvalidArgument as error:
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except riskcore.Refused as error:
            logger().info("refused", method=name, principal=principal.name, reason=str(error))
            _abort(context, grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except riskcore.RiskcoreError as error:
            logger().error("failed", method=name, principal=principal.name, error=str(error))
            _abort(context, grpc.StatusCode.UNAVAILABLE, str(error))
        if METHODS[name].role != "view":
            logger().info("done", method=name, principal=principal.name)
        return answer

    def _principal(self, method: str, role: str, context: grpc.ServicerContext) -> Principal:
        principal = self._operators.authenticate(context.invocation_metadata())
        if principal is None:
            self._failures += 1
            if self._failures % _FAILURES_SHOWN == 1:
                logger().warning("unknown token", method=method, peer=context.peer(), failures=self._failures)
            _abort(
                context,
                grpc.StatusCode.UNAUTHENTICATED,
                "no operator has this token; send the metadata `authorization: Bearer <token>`",
            )
        if not principal.may(role):
            _abort(
                context,
                grpc.StatusCode.PERMISSION_DENIED,
                f"{principal.name} has the role {principal.role}, and {method} needs {role}; "
                "ask an operator who has it",
            )
        return principal


def _encode(event: pb.StreamEventsResponse) -> bytes:
    return event.SerializeToString()


def _check_reason(request: Message, context: grpc.ServicerContext) -> None:
    """Whoever changes something says why."""
    reason = getattr(request, "reason", None)
    if reason is not None and not 0 < len(reason.strip()) <= _MAX_REASON:
        _abort(context, grpc.StatusCode.INVALID_ARGUMENT, f"reason: say why, in 1 to {_MAX_REASON} characters")


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, details: str) -> NoReturn:
    context.abort(code, details)
    raise AssertionError("abort raises")


class AdminServer:
    """The Admin service on its listener, with health and reflection."""

    def __init__(self, service: AdminService, listen: str) -> None:
        self._pool = ThreadPoolExecutor(MAX_SUBSCRIBERS + _UNARY_THREADS, thread_name_prefix="admin")
        self._server = grpc.server(self._pool, options=SERVER_OPTIONS)
        self._health = health.HealthServicer()
        self._server.add_generic_rpc_handlers((service.handler(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        port = self._server.add_insecure_port(listen)
        self.address = f"{listen.rpartition(':')[0]}:{port}"

    def start(self) -> None:
        """Accept calls."""
        self._server.start()
        for service in ("", _SERVICE):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self) -> None:
        """Refuse new calls, give running ones a second, end."""
        self._health.enter_graceful_shutdown()
        self._server.stop(grace=1.0).wait()
        self._pool.shutdown(wait=True)
