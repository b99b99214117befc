"""The report card of a demonstration: what happened, who did it, what it cost. The keys are those of the replay's JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from riskgate.v1 import admin_pb2
from router_sim.demo.state import DemoState, RouterView
from router_sim.units import MILLISECOND, USD, span, usd


@dataclass(frozen=True, slots=True)
class Card:
    """Everything a run leaves behind. Times in ms after the open, money in dollars."""

    variant: str
    seed: int
    protection: str
    seconds: float
    """From the open to the end."""
    check: str | None
    halted_scope: str | None
    culprit: str | None
    reason: str
    first_excess_ms: float | None
    """When the first child beyond its parent's quantity left the router, whatever became of it."""
    first_reject_ms: float | None
    halt_ms: float | None
    excess_to_culprit_ms: float | None
    """From that child to the name of the router, which is that of the halt; 0 if it was halted before."""
    executions_until_halt: int
    """Executions of the culprit's flagged parents, in all: after the halt there is none."""
    leaked_executions: int
    leaked_shares: int
    loss_usd: float
    culprit_orders: int
    culprit_rejected: int
    healthy_orders: int
    healthy_rejected: int
    healthy_reasons: Mapping[str, int]
    """Why healthy orders were refused, if any were."""
    cancels: int
    """Resting orders at the moment of the halt."""
    cancels_outstanding: int
    cancels_confirmed_ms: float | None
    open_at_venue: int
    """Orders of the culprit that still rest at the exchange, by its own books."""
    odd_ones: tuple[str, ...] = ()
    """Servers whose code differs from the others': known before the open."""
    novel_rejects: Mapping[str, int] = field(default_factory=dict)
    """Messages of the culprit's own code before the open."""
    market: Mapping[str, Any] = field(default_factory=dict)
    """What the flagged parents did to the market, in all."""
    protected: bool = True
    interrupted: bool = False

    @property
    def stopped(self) -> bool:
        """Whether the claim holds: culprit halted and clean, nothing leaked, nobody else touched."""
        return (
            self.culprit is not None
            and self.leaked_shares == 0
            and self.healthy_rejected == 0
            and self.cancels_outstanding == 0
            and self.open_at_venue == 0
        )


def make_card(
    state: DemoState, *, variant: str, seed: int, protection: str, protected: bool, interrupted: bool
) -> Card:
    """Sum up a run."""
    trip = state.first_trip()
    culprits, healthy = state.culprits(), state.healthy()
    excess, flagged = state.flow("excess"), state.flow("flagged")
    name = culprit_of(trip)
    firsts = {
        key: min((view.counters.get(key, 0) for view in culprits if view.counters.get(key)), default=0)
        for key in ("first_excess_sent", "first_reject")
    }
    first_excess = state.since_open(firsts["first_excess_sent"])
    halted = state.since_open(trip.time) if trip else None
    end = state.since_open(state.now) or 0
    return Card(
        variant=variant,
        seed=seed,
        protection=protection,
        seconds=round(end / 1e9, 1),
        check=trip.cause.name.lower() if trip and trip.cause.name else None,
        halted_scope=_scope(trip) if trip else None,
        culprit=name,
        reason=state.sentence(trip) if trip else "",
        first_excess_ms=_ms(first_excess),
        first_reject_ms=_ms(state.since_open(firsts["first_reject"])),
        halt_ms=_ms(halted),
        excess_to_culprit_ms=_ms(max(halted - first_excess, 0)) if halted and first_excess else None,
        executions_until_halt=sum(values[0] for values in flagged.values()),
        leaked_executions=sum(values[0] for values in excess.values()),
        leaked_shares=sum(values[2] for values in excess.values()),
        loss_usd=round(state.loss_usd(), 2),
        culprit_orders=sum(view.sent for view in culprits),
        culprit_rejected=sum(sum(view.rejected.values()) for view in culprits),
        healthy_orders=sum(view.sent for view in healthy),
        healthy_rejected=sum(sum(view.rejected.values()) for view in healthy),
        healthy_reasons=_reasons(healthy),
        cancels=trip.open_orders_at_halt if trip else 0,
        cancels_outstanding=trip.cancels_outstanding if trip else 0,
        cancels_confirmed_ms=_ms(state.since_open(state.clean_at.get(name, 0))) if name else None,
        open_at_venue=_open_at_venue(state, name),
        odd_ones=tuple(state.odd),
        novel_rejects={text: n for view in culprits for text, n in view.counters.get("novel_rejects", {}).items()},
        market=_market(state, flagged),
        protected=protected,
        interrupted=interrupted,
    )


def as_json(card: Card) -> dict[str, Any]:
    """The card for a program; `controlled` and `uncontrolled` have those keys of `riskgate replay knight` that it knows."""
    values = asdict(card)
    market = values.pop("market")
    same = (
        "variant",
        "check",
        "halted_scope",
        "culprit",
        "first_reject_ms",
        "halt_ms",
        "excess_to_culprit_ms",
        "executions_until_halt",
        "leaked_executions",
        "leaked_shares",
        "loss_usd",
        "healthy_orders",
        "healthy_rejected",
        "cancels_outstanding",
    )
    return {
        "variant": card.variant,
        "seed": card.seed,
        "duration_s": card.seconds,
        "protected": card.protected,
        "protection": card.protection,
        "interrupted": card.interrupted,
        "stopped": card.stopped,
        "controlled" if card.protected else "uncontrolled": {key: values[key] for key in same}
        if card.protected
        else {**market, "loss_usd": card.loss_usd},
        "details": {key: value for key, value in values.items() if key not in same},
    }


def render(card: Card) -> RenderableType:
    """The card for people."""
    table = Table(show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in _rows(card):
        table.add_row(name, value)
    parts: list[RenderableType] = [Text(_title(card), style="bold"), _before(card), table, _verdict(card)]
    if card.protected and card.stopped:
        parts.append(Text("The same minute without checks: riskgate demo --unprotected", style="dim"))
    return Group(*parts)


def culprit_of(trip: admin_pb2.Trip | None) -> str | None:
    """The router a halt is about."""
    if trip is None:
        return None
    return trip.router or trip.scope.name or None


def _rows(card: Card) -> list[tuple[str, str]]:
    rows = [
        ("first child beyond its parent", _span(card.first_excess_ms)),
        ("first refusal", _span(card.first_reject_ms)),
        ("halt", _span(card.halt_ms)),
        ("caught by", card.check or "nothing"),
        ("culprit", card.culprit or "nobody named"),
        ("first such child to culprit", _span(card.excess_to_culprit_ms)),
        ("executions of the flagged orders", f"{card.executions_until_halt:,}"),
        ("leaked executions / shares", f"{card.leaked_executions:,} / {card.leaked_shares:,}"),
        ("loss after unwinding", usd(-card.loss_usd)),
        ("culprit's orders, of them refused", f"{card.culprit_orders:,}, {card.culprit_rejected:,}"),
        ("healthy orders, of them refused", _healthy(card)),
    ]
    if card.culprit is not None:
        rows.append(("resting orders cancelled", _cancels(card)))
    if not card.protected:
        rows.append(("long / short", f"{usd(card.market['net_long_usd'])} / {usd(-card.market['net_short_usd'])}"))
    return rows


def _title(card: Card) -> str:
    state = "protected" if card.protected else "UNPROTECTED"
    return f"Knight Capital, 1 August 2012, live - {card.variant}, {card.seconds:g} s after the open, {state}"


def _before(card: Card) -> Text:
    text = Text(f"Gateway: {card.protection}.\n", style="dim")
    if card.odd_ones:
        text.append(
            f"Known before the open: {', '.join(card.odd_ones)} runs other code than the rest of the fleet, says the gateway. "
        )
    for message, count in card.novel_rejects.items():
        text.append(f"{count} messages “{message}” before the open, all from there.")
    return text


def _verdict(card: Card) -> Panel:
    if not card.protected:
        text = (
            f"Nothing stopped it: {card.leaked_shares:,} shares beyond what the clients asked for in "
            f"{card.seconds:g} s, {usd(-card.loss_usd)} of loss after unwinding, growing until somebody pulls a plug."
        )
        return Panel(Text(text), border_style="red")
    if card.culprit is None and card.interrupted:
        return Panel(Text("Interrupted before anything was halted."), border_style="yellow")
    if card.culprit is None:
        return Panel(Text("No halt: the controls that were left did not catch it."), border_style="red")
    text = (
        f"{card.culprit} halted {_span(card.halt_ms)} after the open by {card.check}. {card.leaked_shares:,} shares "
        f"leaked, {card.healthy_rejected} of {card.healthy_orders:,} healthy orders refused, "
        f"{card.cancels - card.cancels_outstanding} of {card.cancels} resting orders confirmed cancelled."
    )
    return Panel(
        Group(Text(text, style="bold"), Text(f"{card.culprit}: {card.reason}")),
        border_style="green" if card.stopped else "red",
    )


def _healthy(card: Card) -> str:
    reasons = ", ".join(f"{count} {name}" for name, count in card.healthy_reasons.items())
    return f"{card.healthy_orders:,}, {card.healthy_rejected:,}" + (f" ({reasons})" if reasons else "")


def _cancels(card: Card) -> str:
    if card.cancels_outstanding or card.open_at_venue:
        return f"{card.cancels} swept, {max(card.cancels_outstanding, card.open_at_venue)} NOT confirmed"
    return f"{card.cancels}, all confirmed {_span(card.cancels_confirmed_ms)}".rstrip(" -")


def _span(ms: float | None) -> str:
    return span(None if ms is None else round(ms * MILLISECOND))


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / MILLISECOND, 3)


def _scope(trip: admin_pb2.Trip) -> str:
    kinds = ("", "firm", "account", "router", "strategy", "symbol", "account_symbol", "router_symbol")
    name = f"{trip.scope.name}/{trip.scope.symbol}" if trip.scope.symbol else trip.scope.name
    return f"{kinds[trip.scope.kind]}:{name}" if name else kinds[trip.scope.kind]


def _reasons(views: Iterable[RouterView]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for view in views:
        sums.update(view.rejected)
    return dict(sums)


def _open_at_venue(state: DemoState, culprit: str | None) -> int:
    if culprit is None:
        return 0
    return int(state.venue_stats.get("routers", {}).get(culprit, {}).get("open_orders", 0))


def _market(state: DemoState, flagged: Mapping[str, list[int]]) -> dict[str, Any]:
    """Executions, shares and residual position of the flagged parents, at the final mid."""
    long_usd = short_usd = 0.0
    sides = {1: 0, -1: 0}
    for symbol, (_, net, _, _) in flagged.items():
        if not net:
            continue
        bid, offer = state.quotes.get(symbol) or (state.stocks[symbol].mid0,) * 2
        value = abs(net) * (bid + offer) / 2 / USD
        sides[1 if net > 0 else -1] += 1
        if net > 0:
            long_usd += value
        else:
            short_usd += value
    return {
        "executions": sum(values[0] for values in flagged.values()),
        "shares": sum(values[2] for values in flagged.values()),
        "symbols": len(flagged),
        "long_symbols": sides[1],
        "short_symbols": sides[-1],
        "net_long_usd": round(long_usd),
        "net_short_usd": round(short_usd),
    }
