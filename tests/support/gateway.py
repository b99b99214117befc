"""A real `riskgate run` process for tests, and a configuration for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import admin_pb2_grpc
from tests.support import ROOT
from tests.support.processes import Process, process
from tests.support.waiting import RPC_SECONDS, eventually

TOKENS = {name: f"token-of-{name}-for-tests" for name in ("alice", "bob", "desk", "wall", "oms1")}


def router_token(name: str) -> str:
    """The token of a router in :func:`write_config`."""
    return f"token-of-{name}-for-tests"


LIMITS = """
[limits.firm]
max_gross_notional = "1_000_000_000"
max_turnover_day = "1_000_000_000"
max_day_loss = "10_000_000"
[limits.account."*"]
max_order_notional = "1_000_000"
max_gross_notional = "1_000_000_000"
max_day_loss = "10_000_000"
[limits.router."*"]
message_rate = 10_000
parent_overfill_halt_after = 3
[limits.symbol."*"]
max_order_qty = 10_000
price_collar_bps = 300
market_data_max_age = "5s"
[limits.account_symbol."*"]
max_long_position = 100_000
max_short_position = 100_000
"""


@dataclass
class Setup:
    """What a test's gateway is configured with."""

    routers: Sequence[str] = ("r1", "r2")
    symbols: Sequence[str] = ("AAPL", "MSFT")
    limits: str = LIMITS
    heartbeat: str = "500ms"
    cancel_on_disconnect: bool = True
    venue: str = ""
    """More keys of the venue."""
    extra: str = ""
    """More tables, before the limits."""


def write_config(file: Path, venue_address: str, setup: Setup) -> None:
    """A configuration on free ports. Account ACC1 needs parents, ACC2 does not."""
    people = [("alice", "risk"), ("bob", "risk"), ("desk", "halt"), ("wall", "view")]
    text = f"""
[gateway]
name = "gw1"
[order_entry]
listen = "127.0.0.1:0"
heartbeat = "{setup.heartbeat}"
cancel_on_disconnect = {str(setup.cancel_on_disconnect).lower()}
[halt]
listen = "127.0.0.1:0"
socket = "halt.sock"
file = "HALT"
[admin]
listen = "127.0.0.1:0"
[metrics]
listen = "127.0.0.1:0"
[capacity]
max_orders = 262_144
[venue]
address = "{venue_address}"
{setup.venue}
[[oms]]
name = "oms1"
token = "{TOKENS["oms1"]}"
[[accounts]]
name = "ACC1"
[[accounts]]
name = "ACC2"
parent_required = false
"""
    text += "".join(f'[[operators]]\nname = "{n}"\nrole = "{r}"\ntoken = "{TOKENS[n]}"\n' for n, r in people)
    text += "".join(
        f'[[routers]]\nname = "{name}"\ntoken = "{router_token(name)}"\naccounts = ["ACC1", "ACC2"]\n'
        for name in setup.routers
    )
    text += "".join(f'[[symbols]]\nname = "{name}"\ntick = "0.01"\n' for name in setup.symbols)
    file.write_text(text + setup.extra + setup.limits)


@dataclass
class Gateway:
    """A running gateway."""

    process: Process
    directory: Path
    order_entry: str
    halt: str
    admin: str
    metrics: str
    _channel: grpc.Channel = field(repr=False)

    def stub(self) -> admin_pb2_grpc.AdminStub:
        """A stub of the Admin service."""
        return admin_pb2_grpc.AdminStub(self._channel)

    def status(self) -> pb.GetStatusResponse:
        """The gateway's status."""
        return self.stub().GetStatus(pb.GetStatusRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS)

    def wait_for_venue(self) -> None:
        """Until the venue link is up and reconciled: before that orders are refused."""

        def linked() -> bool:
            assert self.process.alive(), self.process.output()
            status = self.status()
            return status.venue_connected and status.venue_reconciled

        eventually(linked, "the venue link is up and reconciled")

    def run(self, *arguments: str, who: str = "alice") -> subprocess.CompletedProcess[str]:
        """Run a verb of the command line against this gateway."""
        return run_cli(*arguments, "--admin", self.admin, token=TOKENS.get(who, who))


def bearer(who: str) -> tuple[tuple[str, str], ...]:
    """The metadata of an operator's call."""
    return (("authorization", f"Bearer {TOKENS[who]}"),)


def run_cli(*arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """Run `riskgate`."""
    environment = {**os.environ, "RISKGATE_TOKEN": token}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running_gateway(directory: Path, venue_address: str, setup: Setup | None = None) -> Iterator[Gateway]:
    """A gateway on free ports, ready, linked to the venue."""
    config, ready = directory / "riskgate.toml", directory / "run.json"
    write_config(config, venue_address, setup or Setup())
    arguments: list[str | Path] = ["gateway", "run", "--config", config, "--ready-file", ready, "--log-format", "json"]
    with process(arguments, directory / "gateway.log") as child:
        bound = child.ready(ready)
        with grpc.insecure_channel(bound["admin"]) as channel:
            gateway = Gateway(
                child,
                directory,
                order_entry=bound["order_entry"],
                halt=bound["halt"],
                admin=bound["admin"],
                metrics=bound["metrics"],
                _channel=channel,
            )
            gateway.wait_for_venue()
            yield gateway


def parse(output: str) -> dict[str, object]:
    """The JSON a verb printed."""
    value: dict[str, object] = json.loads(output)
    return value
