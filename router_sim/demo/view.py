"""The live terminal: a table of routers, the totals, the last events. Plain lines where there is no terminal."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from router_sim.demo.state import DemoState, RouterView
from router_sim.units import USD, usd

SHOWN_EVENTS = 6
PLAIN_EVERY = 8
"""Of the state's updates, one in so many becomes a plain line."""

_OPEN = datetime(2012, 8, 1, 9, 30, tzinfo=UTC)
_BLOCKED = {"HALTED", "CANCEL_ONLY", "REDUCE_ONLY"}


class View(Protocol):
    """Shows the state; used as a context manager."""

    def show(self, state: DemoState) -> None:
        """Show what is known now."""

    def say(self, text: str) -> None:
        """Show a line that stays."""


def clock(state: DemoState, at: int) -> str:
    """A UTC time on the morning's clock, where the open is 09:30:00."""
    if not state.open_at or not at:
        return "--:--:--"
    moment = _OPEN + timedelta(microseconds=(at - state.open_at) // 1_000)
    return moment.strftime("%H:%M:%S.%f")[:-3]


class LiveView:
    """A screen that redraws itself."""

    def __init__(self, console: Console, title: str) -> None:
        """Draw on this console under a title."""
        self._console = console
        self._title = title
        self.live = Live(console=console, auto_refresh=False, transient=False)

    def show(self, state: DemoState) -> None:
        """Redraw."""
        self.live.update(screen(state, self._title), refresh=True)

    def say(self, text: str) -> None:
        """Print above the screen."""
        self._console.print(text, style="dim")


class PlainView:
    """One line now and then, and every event once."""

    def __init__(self, console: Console) -> None:
        """Print on this console."""
        self._console = console
        self._updates = 0
        self._told = 0

    def show(self, state: DemoState) -> None:
        """Print new events, and every so often the totals."""
        for event in list(state.events)[self._told :]:
            self._print(f"{clock(state, event.at)} {event.text}")
        self._told = len(state.events)
        if not state.open_at:
            return
        self._updates += 1
        if self._updates % PLAIN_EVERY == 1:
            self._print(f"{clock(state, state.now)} {totals(state)}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)


def open_view(title: str, *, quiet: bool) -> tuple[View, AbstractContextManager[object]]:
    """The view for where standard error goes: a screen on a terminal, lines elsewhere.

    Args:
        title: what is shown.
        quiet: a program reads standard output; show lines only.

    Returns:
        The view, and the context in which it may be used.
    """
    console = Console(file=sys.stderr if quiet else sys.stdout, highlight=False)
    if quiet or not console.is_terminal:
        return PlainView(console), nullcontext()
    view = LiveView(console, title)
    return view, view.live


def screen(state: DemoState, title: str) -> RenderableType:
    """The whole screen."""
    parts: list[RenderableType] = [Text.assemble((title, "bold"), f"   {clock(state, state.now)}"), routers(state)]
    blocked = [router for router in state.routers.values() if router.state in _BLOCKED]
    parts += [Text(f"{router.name} {router.state}: {reason(state, router)}", style="bold red") for router in blocked]
    parts.append(Text(totals(state)))
    events = list(state.events)[-SHOWN_EVENTS:]
    parts += [Text(f"{clock(state, event.at)}  {event.text}", style="red" if event.bad else "dim") for event in events]
    return Group(*parts)


def routers(state: DemoState) -> Table:
    """One row per router."""
    table = Table(expand=False)
    for column in ("router", "build", "state"):
        table.add_column(column)
    for column in ("orders/s", "accepted", "rejected", "executions", "open", "P&L"):
        table.add_column(column, justify="right")
    for router in sorted(state.routers.values(), key=lambda view: view.name):
        halted = router.state in _BLOCKED
        table.add_row(
            router.name,
            router.build,
            router.state if router.connected else f"{router.state} (no session)",
            f"{router.rate():,.0f}",
            f"{router.accepted:,}",
            f"{sum(router.rejected.values()):,}",
            f"{router.executions:,}",
            f"{router.open_orders:,}",
            usd(router.pnl / USD),
            style="bold red" if halted else "yellow" if router.old_code else "",
        )
    return table


def totals(state: DemoState) -> str:
    """The fleet in one line."""
    views = state.routers.values()
    excess = state.flow("excess").values()
    halted = [view.name for view in views if view.state in _BLOCKED]
    parts = [
        f"orders/s {sum(view.rate() for view in views):,.0f}",
        f"accepted {sum(view.accepted for view in views):,}",
        f"rejected {sum(sum(view.rejected.values()) for view in views):,}",
        f"executions {sum(view.executions for view in views):,}",
        f"open {sum(view.open_orders for view in views):,}",
        f"shares beyond the parents {sum(values[2] for values in excess):,}",
        f"their loss {usd(-state.loss_usd())}",
        f"exchange {state.venue}",
    ]
    if halted:
        parts.append(f"halted {', '.join(halted)}")
    return "  ".join(parts)


def reason(state: DemoState, router: RouterView) -> str:
    """Why a router is halted, in a sentence."""
    for trip in state.trips:
        if router.name in (trip.scope.name, trip.router):
            return state.sentence(trip)
    return str(router.counters.get("halt_text", ""))
