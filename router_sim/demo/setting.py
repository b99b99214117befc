"""The files of a demonstration: the exchange's universe and the gateway's configuration."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from exchange_sim.instruments import Instrument, dump_universe
from router_sim.defence import Defence, Setting
from router_sim.knight.limits import LINES, defence
from router_sim.knight.stocks import TICK, Stock
from router_sim.knight.universe import ROUTERS
from router_sim.units import USD

ACCOUNT = "KNIGHT"
OMS = "oms1"
VIEWER = "demo"

RETAIL_SIZE = 300
"""Hidden retail interest per side and second in each stock."""

DROP_COPY_LAG = "10s"
"""How long drop copy and order session may differ; the simulators share a busy machine."""

_MONEY = {
    "max_order_notional",
    "max_gross_notional",
    "max_turnover_day",
    "max_turnover_window",
    "max_day_loss",
    "max_notional_velocity",
    "max_unmatched_notional",
}
_DURATIONS = {
    "message_rate_window",
    "message_burst_window",
    "message_rate_sustained",
    "market_data_max_age",
    "turnover_window",
    "duplicate_orders_window",
    "notional_velocity_window",
    "repeated_executions_window",
    "max_rejects_window",
    "max_unacknowledged_age",
}
_MOVE_SCALE = 1_000_000

FLAGS = """[[flags]]
bit = 0
name = "POWER_PEG"
version = "1"
owner = "equities"
retired = 2003-03-01

[[flags]]
bit = 0
name = "RLP"
version = "2"
owner = "equities"
introduced = 2012-07-27
readers = ["smars"]"""
"""What bit 0 of an order's flags meant, and means: the retail liquidity program was given the bit of Power Peg."""


@dataclass(frozen=True, slots=True)
class Protection:
    """What the gateway is configured to stop."""

    defence: Defence
    parents: bool
    """Whether orders must name a registered parent, and routers do so."""
    words: str
    """A sentence for the card."""


def protected(without: Iterable[str] = (), *, parent_ids: bool = True) -> Protection:
    """Every line of defence but those named. Raises `ValueError` for a name that is none."""
    chosen = defence(without)
    removed = ", ".join(sorted(chosen.removed))
    words = f"all lines of defence but {removed}" if removed else "all lines of defence"
    return Protection(chosen, chosen.parents and parent_ids, words)


def unprotected() -> Protection:
    """The same gateway, every limit opened wide and orders without a parent: it forwards whatever comes."""
    words = "the same gateway with every limit opened wide and orders that name no parent"
    return Protection(defence(line.name for line in LINES), parents=False, words=words)


def exchange_universe(stocks: Sequence[Stock]) -> str:
    """The universe file for the exchange: the stocks of the morning with their impact."""
    return dump_universe(
        Instrument(
            symbol=stock.name,
            mid=stock.mid0,
            tick=TICK,
            spread_ticks=stock.spread_ticks,
            depth=stock.depth,
            move_ppm=round(stock.move * _MOVE_SCALE),
            move_qty=round(stock.full_qty),
            retail_size=RETAIL_SIZE,
        )
        for stock in stocks
    )


def _token() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class GatewayFile:
    """`riskgate.toml` of the demonstration, with fresh tokens."""

    venue: str
    stocks: Sequence[Stock]
    protection: Protection
    fleet: str = ""
    """The table `[fleet]`, if routers are held to something."""
    drop_copy: bool = False
    """Whether every execution is compared with the exchange's drop copy."""
    viewer_token: str = field(default_factory=_token, repr=False)

    def text(self) -> str:
        """The configuration."""
        parts = (self._head(), self.fleet, FLAGS, self._people(), self._routers(), self._symbols(), self._limits())
        return "\n\n".join(parts) + "\n"

    def _head(self) -> str:
        doors = "\n".join(f'[{door}]\nlisten = "127.0.0.1:0"' for door in ("halt", "admin", "metrics"))
        return (
            '[gateway]\nname = "gw1"\ntrading_day = 2012-08-01\n'
            '[order_entry]\nlisten = "127.0.0.1:0"\nheartbeat = "1s"\ncancel_on_disconnect = true\n'
            f'{doors}\n[venue]\naddress = "{self.venue}"' + ("\ndrop_copy = true" if self.drop_copy else "")
        )

    def _people(self) -> str:
        people = [("operators", name, f'role = "{role}"\n') for name, role in (("alice", "risk"), ("bob", "risk"))]
        people.append(("oms", OMS, ""))
        rows = [_row(table, name, f'{extra}token = "{_token()}"') for table, name, extra in people]
        rows.append(_row("operators", VIEWER, f'role = "view"\ntoken = "{self.viewer_token}"'))
        rows.append(_row("accounts", ACCOUNT, f"parent_required = {str(self.protection.parents).lower()}"))
        return "\n".join(sorted(rows))

    def _routers(self) -> str:
        return "\n".join(_row("routers", name, f'token = "{_token()}"\naccounts = ["{ACCOUNT}"]') for name in ROUTERS)

    def _symbols(self) -> str:
        return "\n".join(_row("symbols", stock.name, 'tick = "0.01"\nlot = 1') for stock in self.stocks)

    def _limits(self) -> str:
        tables: dict[str, list[str]] = defaultdict(list)
        for setting in self.protection.defence.settings:
            kind, _, name = setting.scope.partition(":")
            tables[f'[limits.{kind}."{name}"]' if name else f"[limits.{kind}]"].append(_limit(setting))
        if self.drop_copy:
            tables["[limits.firm]"].append(f'drop_copy_max_lag = "{DROP_COPY_LAG}"')
        return "\n".join("\n".join([table, *limits]) for table, limits in tables.items())


def _row(table: str, name: str, rest: str) -> str:
    return f'[[{table}]]\nname = "{name}"\n{rest}'


def _limit(setting: Setting) -> str:
    if setting.limit in _MONEY:
        return f'{setting.limit} = "{setting.value // USD}"'
    if setting.limit in _DURATIONS:
        return f'{setting.limit} = "{setting.value}ns"'
    return f"{setting.limit} = {setting.value}"
