"""Runs the steps of a scenario against a running gateway, between raw router sessions and a scripted venue.

The verdicts must be those of the engine. What a gateway does not show to anybody - the core's answer to a report, how
many orders a lost session leaves - is not compared here; the looks that follow show what came of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc

from gateway.app import Application
from gateway.config import load_config
from gateway.limits_file import catalogue, parse_limit
from gateway.scopes import parse_scope
from gateway.wire import scope_message, scope_of, state_of, stops_of
from riskgate.v1 import admin_pb2 as admin
from riskgate.v1 import admin_pb2_grpc, explain_pb2, parent_orders_pb2, parent_orders_pb2_grpc, types_pb2
from riskgate.v1 import order_entry_pb2 as pb
from tests.support.scenario.fleet import logon, refusal
from tests.support.scenario.language import NANO, Line, fixed, read, span
from tests.support.scenario.looks import Looks
from tests.support.scenario.session import LogonRefusedError, RouterSession
from tests.support.scenario.setup import configuration, split, token
from tests.support.venue import ScriptedVenue, scripted_venue
from tests.support.waiting import RPC_SECONDS, eventually

_SIDES = {
    "buy": types_pb2.SIDE_BUY,
    "sell": types_pb2.SIDE_SELL,
    "short": types_pb2.SIDE_SELL_SHORT,
    "exempt": types_pb2.SIDE_SELL_SHORT_EXEMPT,
}
_LIFETIMES = {
    "ioc": types_pb2.TIME_IN_FORCE_IMMEDIATE_OR_CANCEL,
    "gtc": types_pb2.TIME_IN_FORCE_GOOD_TILL_CANCEL,
    "opg": types_pb2.TIME_IN_FORCE_AT_THE_OPENING,
    "fok": types_pb2.TIME_IN_FORCE_FILL_OR_KILL,
}
_REPORTS = {
    "ack": types_pb2.EXEC_TYPE_NEW,
    "fill": types_pb2.EXEC_TYPE_TRADE,
    "canceled": types_pb2.EXEC_TYPE_CANCELED,
    "rejected": types_pb2.EXEC_TYPE_REJECTED,
    "expired": types_pb2.EXEC_TYPE_EXPIRED,
    "replaced": types_pb2.EXEC_TYPE_REPLACED,
    "bust": types_pb2.EXEC_TYPE_TRADE_CANCEL,
}
_CANCEL_REASONS = {1: "too_late", 2: "unknown_order", 4: "already_pending", 7: "duplicate_cl_ord_id", 100: "other"}
_LONGEST_WAIT = 5 * NANO
_QUOTE_TURN = 0.003
"""Seconds: the feed gives the core at most one quote per symbol and millisecond."""

_UNSHOWN = frozenset({"duplicate_report", "unknown_order", "report_gap"})


def only_engine(lines: Sequence[Line]) -> str:
    """Why a scenario is left out here, or nothing."""
    return next((" ".join(line.words[2:]) for line in lines if line.words[0] == "only"), "")


def run(file: Path, directory: Path) -> None:
    """Run one file; fails with file, line, expected and actual at the first difference."""
    configured, steps = split(list(read(file)))
    positions = [line for line in steps if line.words[0] == "position"]
    with scripted_venue() as venue:
        path = directory / "riskgate.toml"
        path.write_text(configuration(configured, positions, venue.address, directory))
        application = Application(load_config(path))
        application.start()
        try:
            with grpc.insecure_channel(application.addresses["admin"]) as channel:
                runner = Runner(application, venue, channel, directory)
                for line in steps:
                    runner.step(line)
        finally:
            application.stop()


class Runner:
    """The state of one run."""

    def __init__(self, application: Application, venue: ScriptedVenue, channel: grpc.Channel, directory: Path) -> None:
        self._directory = directory
        self._addresses = application.addresses
        self._venue = venue
        self._admin = admin_pb2_grpc.AdminStub(channel)
        self._sessions: dict[str, RouterSession] = {}
        self._orders: dict[str, int] = {}
        self._routers: dict[str, str] = {}
        self._executions: dict[tuple[str, int, int], int] = {}
        self._proposal = 0
        self._looks = Looks(self._admin, application, venue, self._orders, self._routers)
        self._steps: dict[str, Callable[[Line], str | None]] = {
            "mark": self._mark,
            "rate": self._rate,
            **dict.fromkeys(("phase", "bands", "prior_close", "short_sale"), self._status),
            "clock": self._clock,
            "position": lambda _: None,
            "parent": self._parent,
            "order": self._order,
            "check": self._check,
            "explain": self._explain,
            "flood": self._flood,
            "replace": self._replace,
            "cancel": self._cancel,
            "mass_cancel": self._mass_cancel,
            **dict.fromkeys(("session_down", "session_lost"), self._session_down),
            "session_up": lambda line: self._session(line.words[1]).settle(),
            "log_out": self._log_out,
            **dict.fromkeys(("copy", "copy_bust"), self._copy),
            "drop_copy": self._drop_copy,
            "attest": self._attest,
            "replace_rejected": self._replace_rejected,
            "cancel_rejected": self._cancel_rejected,
            "duplicate_fill": self._duplicate_fill,
            "unknown_fill": self._unknown_fill,
            "venue": self._venue_link,
            "mass_status": self._mass_status,
            "limit": self._limit,
            "restrict": self._restrict,
            "halt": self._halt,
            "propose": self._propose,
            "approve": self._approve,
            "ack_finding": self._acknowledge,
            **dict.fromkeys(_REPORTS, self._report),
        }

    def step(self, line: Line) -> None:
        """Do one step and compare its verdict."""
        if line.words[0] == "expect":
            self._looks.look(line)
            return
        actual = self._steps[line.words[0]](line)
        if line.expect is not None and actual is not None and line.expect not in _UNSHOWN:
            assert actual == line.expect, f"{line}: expected `{line.expect}`, got `{actual}`"

    # ---- Market and time -------------------------------------------------------------------------------------

    def _mark(self, line: Line) -> None:
        sent = self._venue.quote(line.words[1], fixed(line.get("bid")), fixed(line.get("ask")))
        eventually(lambda: self._looks.metric("quotes_total") >= sent(), f"{line}: the quote reaches the gateway")
        threading.Event().wait(_QUOTE_TURN)

    def _rate(self, line: Line) -> None:
        currency, rate = line.words[1], fixed(line.words[2])
        self._venue.rate(currency, rate)

        def said() -> bool:
            answer = self._admin.ListFxRates(admin.ListFxRatesRequest(), **self._as("alice"))
            return any(known.currency == currency and known.rate == rate for known in answer.rates)

        eventually(said, f"{line}: the rate reaches the gateway")

    def _status(self, line: Line) -> None:
        """What the venue says of an instrument (``*``: of the market) beside its quote."""
        words = line.words
        symbol = "" if words[1] == "*" else words[1]
        match words[0]:
            case "phase":
                phase = types_pb2.TradingPhase.Value(f"TRADING_PHASE_{words[2].upper()}")
                sent = self._venue.status(symbol, phase=phase)
            case "bands":
                low, high = (None, None) if words[2] == "none" else (fixed(words[2]), fixed(words[3]))
                sent = self._venue.status(symbol, low_limit_px=low, high_limit_px=high)
            case "prior_close":
                sent = self._venue.status(symbol, prev_close_px=fixed(words[2]))
            case _:
                name = {"free": "NONE"}.get(words[2], words[2].upper())
                restriction = types_pb2.ShortSaleRestriction.Value(f"SHORT_SALE_RESTRICTION_{name}")
                sent = self._venue.status(symbol, short_sale_restriction=restriction)
        eventually(lambda: self._looks.metric("statuses_total") >= sent(), f"{line}: the status reaches the gateway")

    def _clock(self, line: Line) -> None:
        wait = span(line.words[1].removeprefix("+"))
        assert wait <= _LONGEST_WAIT, f"{line}: too long for a real clock; say `only engine: ...` in the file"
        threading.Event().wait(wait / NANO)

    # ---- Routers ---------------------------------------------------------------------------------------------

    def _session(self, router: str) -> RouterSession:
        if router not in self._sessions:
            self._sessions[router] = RouterSession(self._addresses["order_entry"], router, token(router))
        return self._sessions[router]

    def _attest(self, line: Line) -> str:
        """A logon that says what runs there; an earlier session of the router ends."""
        router = line.words[1]
        if router in self._sessions:
            self._session_down(line)
            eventually(lambda: not self._looks.is_connected(router), f"{line}: the earlier session has ended")
        message = logon(line, router, token(router), self._directory)
        try:
            self._sessions[router] = RouterSession(self._addresses["order_entry"], router, "", logon=message)
        except LogonRefusedError as error:
            return refusal(str(error))
        return "accept"

    def _order(self, line: Line) -> str:
        return self._send_order(line, line.words[1])

    def _send_order(self, line: Line, name: str) -> str:
        router = line.get("router") or "r1"
        session, before = self._session(router), len(self._venue.orders)
        seq = session.send(pb.RouterMessage(new_order_single=_new_order(line, name)))
        session.settle()
        answer = session.answer(seq)
        if answer is not None:
            report = answer.execution_report
            if report.exec_type == types_pb2.EXEC_TYPE_ORDER_STATUS:
                return "duplicate"
            return f"reject {report.reject.name.lower()}"
        order = self._venue.new_orders(before + 1)[-1]
        self._orders[name], self._routers[name] = order.cl_ord_id, router
        return "accept"

    def _check(self, line: Line) -> str:
        router = line.get("router") or "r1"
        request = pb.CheckOrderRequest(router=router, token=token(router), order=_new_order(line, line.words[1]))
        answer = self._session(router).check(request)
        return "accept" if answer.accepted else f"reject {answer.reject.name.lower()}"

    def _explain(self, line: Line) -> str:
        order = _new_order(line, "")
        request = explain_pb2.ExplainOrderRequest(
            router=line.get("router") or "r1",
            account=order.account,
            symbol=order.symbol,
            side=order.side,
            ord_type=order.ord_type,
            time_in_force=order.time_in_force,
            order_qty=order.order_qty,
            price=line.price,
            parent_cl_ord_id=order.parent_cl_ord_id,
            strategy=order.strategy,
            order_flags=order.order_flags,
        )
        checks = self._admin.ExplainOrder(request, **self._as("alice")).checks
        names = [check.reject.name.lower() for check in checks if check.HasField("reject")]
        return " ".join(names) or "nothing"

    def _flood(self, line: Line) -> str:
        """``flood N every 1ms order ID ...``: as fast as it goes; only the count is compared."""
        order = Line(line.file, line.number, line.words[4:], None)
        verdicts = [self._send_order(order, f"{order.words[1]}-{n}") for n in range(int(line.words[1]))]
        return f"{verdicts.count('accept')} accepted {len(verdicts) - verdicts.count('accept')} rejected"

    def _replace(self, line: Line) -> str:
        name, new = line.words[1], line.words[3]
        body = pb.OrderCancelReplaceRequest(
            cl_ord_id=new, orig_cl_ord_id=name, order_qty=int(line.words[4].replace("_", "")), price=line.price
        )
        session = self._session(self._routers[name])
        seq = session.send(pb.RouterMessage(order_cancel_replace_request=body))
        session.settle()
        self._orders[new], self._routers[new] = self._orders[name], self._routers[name]
        return _refusal(session.answer(seq)) or "accept"

    def _cancel(self, line: Line) -> str:
        name = line.words[1]
        session = self._session(line.get("router") or self._routers.get(name, "r1"))
        if "lane" in line.words:
            taken = session.cancel_on_lane(name)
            session.settle()
            rejects = [m for m in session.messages if m.order_cancel_reject.orig_cl_ord_id == name]
            return "accept" if taken.forwarded else _refusal(rejects[-1])
        seq = session.send(pb.RouterMessage(order_cancel_request=pb.OrderCancelRequest(orig_cl_ord_id=name)))
        session.settle()
        return _refusal(session.answer(seq)) or "accept"

    def _mass_cancel(self, line: Line) -> str:
        symbol = line.words[2] if len(line.words) > 2 else ""
        kind = types_pb2.MASS_CANCEL_REQUEST_TYPE_SECURITY if symbol else types_pb2.MASS_CANCEL_REQUEST_TYPE_ALL_ORDERS
        session = self._session(line.words[1])
        body = pb.OrderMassCancelRequest(cl_ord_id="mass", mass_cancel_request_type=kind, symbol=symbol)
        seq = session.send(pb.RouterMessage(order_mass_cancel_request=body))
        session.settle()
        answer = session.answer(seq)
        assert answer is not None, line
        return f"accept {answer.order_mass_cancel_report.total_affected_orders}"

    def _session_down(self, line: Line) -> None:
        self._session(line.words[1]).close()
        del self._sessions[line.words[1]]

    def _log_out(self, line: Line) -> None:
        self._session(line.words[1]).send(pb.RouterMessage(logout=pb.Logout()))
        self._session_down(line)

    # ---- The OMS ---------------------------------------------------------------------------------------------

    def _parent(self, line: Line) -> str:
        name, plain = line.words[1], line.plain()
        match line.words[2]:
            case "amend":
                body = parent_orders_pb2.ParentAmend(parent_cl_ord_id=name, order_qty=int(plain[3]))
                instruction = parent_orders_pb2.ParentInstruction(request_id=1, amend=body)
            case "close":
                instruction = parent_orders_pb2.ParentInstruction(
                    request_id=1, close=parent_orders_pb2.ParentClose(parent_cl_ord_id=name)
                )
            case _:
                order = parent_orders_pb2.ParentOrder(
                    parent_cl_ord_id=name,
                    account=line.get("account"),
                    symbol=plain[3],
                    side=_SIDES[plain[2]],
                    order_qty=int(plain[4]),
                )
                instruction = parent_orders_pb2.ParentInstruction(request_id=1, open=order)
        request = parent_orders_pb2.RegisterRequest(oms="oms", token=token("oms"), instructions=[instruction])
        with grpc.insecure_channel(self._addresses["order_entry"]) as channel:
            answers = parent_orders_pb2_grpc.ParentOrdersStub(channel).Register(iter([request]), timeout=RPC_SECONDS)
            result = next(result for response in answers for result in response.results)
        return "accept" if result.accepted else f"reject {result.reject.name.lower()}"

    # ---- The venue -------------------------------------------------------------------------------------------

    def _report(self, line: Line) -> None:
        name, kind = line.words[1], _REPORTS[line.words[0]]
        qty = int(line.words[2].replace("_", "")) if line.price is not None else 0
        price = line.price or 0
        ref = self._executions.get((name, qty, price), 0) if line.words[0] == "bust" else 0
        text = line.get("text").replace("_", " ")
        number = self._venue.report(self._orders[name], kind, qty=qty, price=price, exec_ref_id=ref, text=text)
        self._executions[name, qty, price] = number
        self._venue.settle()

    def _duplicate_fill(self, _line: Line) -> None:
        self._venue.repeat_report()
        self._venue.settle()

    def _copy(self, line: Line) -> None:
        """An execution of the drop copy; which order session report it belongs to is the gateway's affair."""
        kind = types_pb2.EXEC_TYPE_TRADE_CANCEL if line.words[0] == "copy_bust" else types_pb2.EXEC_TYPE_TRADE
        qty, price = int(line.words[2].replace("_", "")), line.price or 0
        sent = self._venue.copy(self._orders[line.words[1]], kind, qty=qty, price=price)
        eventually(lambda: self._looks.metric("drop_copies_total") >= sent, f"{line}: the copy reaches the gateway")

    def _drop_copy(self, line: Line) -> None:
        assert line.words[1] == "up", f"{line}: the gateway runner's drop copy is always up"
        eventually(lambda: self._looks.metric("drop_copy_up") == 1, f"{line}: the gateway follows the drop copy")

    def _unknown_fill(self, line: Line) -> None:
        self._venue.report_unknown(
            line.words[2], _SIDES[line.words[1]], qty=int(line.words[3]), price=fixed(line.words[5])
        )
        self._venue.settle()

    def _replace_rejected(self, line: Line) -> None:
        self._venue.refuse_cancel(self._orders[line.words[1]], of_replace=True)
        self._venue.settle()

    def _cancel_rejected(self, line: Line) -> None:
        self._venue.refuse_cancel(self._orders[line.words[1]])
        self._venue.settle()

    def _venue_link(self, line: Line) -> None:
        """``venue up`` at the start waits for the link; after a ``down`` it stops before the reconciliation."""
        if line.words[1] == "down":
            self._venue.refuse_sessions()
            eventually(lambda: not self._looks.status().venue_connected, f"{line}: the gateway notices")
            return
        again = self._venue.admit_sessions()
        if again:
            self._venue.wait_for_mass_status_request()
        else:
            eventually(lambda: self._looks.status().venue_reconciled, f"{line}: the link is up")

    def _mass_status(self, line: Line) -> None:
        self._venue.wait_for_mass_status_request()
        counts = {self._orders[name]: int(value) for name, value in line.pairs() if name != "processed"}
        self._venue.answer_mass_status(counts, int(line.get("processed") or 0), fenced="fenced" in line.words)
        self._venue.settle()

    # ---- People ----------------------------------------------------------------------------------------------

    def _as(self, who: str) -> dict[str, Any]:
        return {"metadata": (("authorization", f"Bearer {token(who)}"),), "timeout": 5}

    def _limit(self, line: Line) -> str:
        """Without ``by=`` the line stands for the configuration, which a running gateway changes by two people."""
        who, verdict = line.get("by"), "accept"
        for name, value in line.pairs():
            if name == "by":
                continue
            try:
                answer = self._admin.SetLimit(_limit_request(line.words[1], name, value), **self._as(who or "alice"))
            except (grpc.RpcError, ValueError) as error:
                return _refused(error)
            if not answer.applied and not who and line.expect is None:
                self._admin.ApproveProposal(
                    admin.ApproveProposalRequest(proposal_id=answer.proposal_id), **self._as("bob")
                )
            elif not answer.applied:
                verdict = "reject needs_approval"
        return verdict

    def _restrict(self, line: Line) -> str:
        try:
            answer = self._admin.SetRestriction(
                _restriction(line.words[1], line.words[2]), **self._as(line.get("by") or "alice")
            )
        except (grpc.RpcError, ValueError) as error:
            return _refused(error)
        return "accept" if answer.applied else "reject needs_approval"

    def _halt(self, line: Line) -> str:
        request = admin.HaltScopeRequest(
            scope=scope_of(line.words[1]), state=state_of(line.words[2]), reason="scenario"
        )
        return self._ask(self._admin.HaltScope, request, line.get("by") or "alice")

    def _propose(self, line: Line) -> str:
        who = line.get("by") or "alice"
        try:
            if line.words[1] == "restrict":
                restriction = _restriction(line.words[2], line.words[3])
                self._proposal = self._admin.SetRestriction(restriction, **self._as(who)).proposal_id
            elif line.words[1] == "rate":
                rate = admin.ProposeFxRateRequest(currency=line.words[2], rate=fixed(line.words[3]), reason="scenario")
                self._proposal = self._admin.ProposeFxRate(rate, **self._as(who)).proposal_id
            elif line.words[1] == "limit":
                name, _, value = line.words[3].partition("=")
                request = _limit_request(line.words[2], name, value)
                request.until = _until(line)
                self._proposal = self._admin.SetLimit(request, **self._as(who)).proposal_id
            elif line.words[1] == "limit_override":
                self._proposal = self._admin.ProposeLimitOverride(_override_request(line), **self._as(who)).proposal_id
            elif line.words[1] == "promote":
                promotion = admin.ProposePromotionRequest(router=line.words[2], reason="scenario")
                self._proposal = self._admin.ProposePromotion(promotion, **self._as(who)).proposal_id
            elif line.words[1] == "close_incident":
                trip = self._looks.incident(line.words[2]).trip_id
                closing = admin.ProposeCloseIncidentRequest(trip_id=trip, reason="scenario")
                self._proposal = self._admin.ProposeCloseIncident(closing, **self._as(who)).proposal_id
            else:
                scope = scope_of(line.words[2])
                trip = int(line.get("trip") or self._looks.newest_trip(line.words[2]))
                proposal = admin.ProposeReinstateRequest(scope=scope, trip_id=trip, reason="scenario")
                self._proposal = self._admin.ProposeReinstate(proposal, **self._as(who)).proposal_id
        except grpc.RpcError as error:
            return _refused(error)
        return "accept"

    def _approve(self, line: Line) -> str:
        request = admin.ApproveProposalRequest(proposal_id=self._proposal)
        return self._ask(self._admin.ApproveProposal, request, line.get("by") or "bob")

    def _acknowledge(self, line: Line) -> str:
        request = admin.AcknowledgeFindingRequest(finding_id=int(line.words[1]), reason="scenario")
        return self._ask(self._admin.AcknowledgeFinding, request, line.get("by") or "alice")

    def _ask(self, call: Any, request: Any, who: str) -> str:
        try:
            call(request, **self._as(who))
        except grpc.RpcError as error:
            return _refused(error)
        return "accept"


def _new_order(line: Line, name: str) -> pb.NewOrderSingle:
    plain = line.plain()
    lifetime = next((_LIFETIMES[word] for word in plain if word in _LIFETIMES), types_pb2.TIME_IN_FORCE_DAY)
    return pb.NewOrderSingle(
        cl_ord_id=name,
        account=line.get("account") or "ACC1",
        symbol=plain[3],
        side=_SIDES[plain[2]],
        ord_type=types_pb2.ORD_TYPE_MARKET if "market" in plain else types_pb2.ORD_TYPE_LIMIT,
        time_in_force=lifetime,
        order_qty=int(plain[4].replace("_", "")),
        price=line.price,
        parent_cl_ord_id=line.get("parent"),
        strategy=line.get("strategy"),
        order_flags=sum(1 << int(bit) for bit in line.get("flags").split(",") if bit),
    )


def _until(line: Line) -> int:
    """``until=+60s``: UTC ns; 0 = until the day rolls."""
    written = line.get("until").removeprefix("+")
    return time.time_ns() + span(written) if written else 0


def _override_request(line: Line) -> admin.ProposeLimitOverrideRequest:
    """``propose limit_override SCOPE name=up_to until=+60s [order=ID [router=r1]]``."""
    setting = _limit_request(line.words[2], *line.words[3].split("=", 1))
    order = line.get("order")
    return admin.ProposeLimitOverrideRequest(
        scope=setting.scope,
        limit=setting.limit,
        up_to=setting.value,
        router=(line.get("router") or "r1") if order else "",
        cl_ord_id=order or "",
        until=_until(line),
        reason="scenario",
    )


def _limit_request(scope: str, limit: str, written: str) -> admin.SetLimitRequest:
    """``value[,action][,soft]``; without an action the limit's own."""
    where, info = parse_scope(scope), catalogue()[limit]
    value, *words = written.split(",")
    number = value if value.startswith("-") else "" if value == "none" else str(parse_limit(info, value))
    action = next((word for word in words if word != "soft"), info.action if info.actions else "")
    return admin.SetLimitRequest(
        scope=scope_message(where),
        is_default=where.is_default,
        limit=limit,
        value=number,
        action=action,
        soft="soft" in words,
        reason="scenario",
    )


def _restriction(symbol: str, stops: str) -> admin.SetRestrictionRequest:
    number = admin.RESTRICTED_ORDERS_UNSPECIFIED if stops == "none" else stops_of(stops)
    return admin.SetRestrictionRequest(symbol=symbol, stops=number, reason="scenario")


def _refusal(message: pb.GatewayMessage | None) -> str:
    """A cancel reject in the words of the language, or nothing."""
    if message is None or not message.HasField("order_cancel_reject"):
        return ""
    body = message.order_cancel_reject
    name = body.reject.name.lower() if body.HasField("reject") else _CANCEL_REASONS[body.cxl_rej_reason]
    return f"reject {name}"


def _refused(error: Exception) -> str:
    """What a person is told, in the words of the language: sentences begin with the reason's name."""
    call: Any = error
    sentence: str = call.details() if isinstance(error, grpc.RpcError) else str(error)
    return f"reject {sentence.partition(':')[0].lower()}"
