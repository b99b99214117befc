"""A running gateway for tests, in a process of its own or in this one, and a configuration for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from gateway.app import Application
from gateway.config import load_config
from riskgate.v1 import admin_pb2 as pb
from riskgate.v1 import admin_pb2_grpc
from tests.support.cli import Ended, run_cli
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
market_data_max_age = "30s"
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
    heartbeat: str = "20s"
    """Three of them without a word end a session: so long that no stall of a busy machine does."""
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
max_orders = 16_384
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

    directory: Path
    addresses: dict[str, str]
    _channel: grpc.Channel = field(repr=False)

    @property
    def order_entry(self) -> str:
        """Where routers and OMS connect."""
        return self.addresses["order_entry"]

    @property
    def halt(self) -> str:
        """The native door."""
        return self.addresses["halt"]

    @property
    def admin(self) -> str:
        """The Admin service."""
        return self.addresses["admin"]

    @property
    def metrics(self) -> str:
        """What Prometheus reads."""
        return self.addresses["metrics"]

    def stub(self) -> admin_pb2_grpc.AdminStub:
        """A stub of the Admin service."""
        return admin_pb2_grpc.AdminStub(self._channel)

    def status(self) -> pb.GetStatusResponse:
        """The gateway's status."""
        return self.stub().GetStatus(pb.GetStatusRequest(), metadata=bearer("wall"), timeout=RPC_SECONDS)

    def wait_for_venue(self) -> None:
        """Until the venue link is up and reconciled: before that orders are refused."""

        def linked() -> bool:
            status = self.status()
            return status.venue_connected and status.venue_reconciled

        eventually(linked, "the venue link is up and reconciled")

    def run(self, *arguments: str, who: str = "alice") -> Ended:
        """Run a verb of the command line against this gateway."""
        return run_cli(*arguments, "--admin", self.admin, token=TOKENS.get(who, who))


@dataclass
class GatewayProcess(Gateway):
    """A running `riskgate run`."""

    process: Process


def bearer(who: str) -> tuple[tuple[str, str], ...]:
    """The metadata of an operator's call."""
    return (("authorization", f"Bearer {TOKENS[who]}"),)


@contextmanager
def running_gateway(directory: Path, venue_address: str, setup: Setup | None = None) -> Iterator[Gateway]:
    """A gateway on free ports, linked to the venue: all of it, native threads and listeners, in this process.

    It is there in a few milliseconds, where a process first imports for a second: use :func:`gateway_process` where
    signals, exit codes, memory or delays are what the test is about.
    """
    config = directory / "riskgate.toml"
    write_config(config, venue_address, setup or Setup())
    application = Application(load_config(config))
    application.start()
    try:
        with grpc.insecure_channel(application.addresses["admin"]) as channel:
            gateway = Gateway(directory, application.addresses, channel)
            gateway.wait_for_venue()
            yield gateway
    finally:
        application.stop()


@contextmanager
def gateway_process(directory: Path, venue_address: str, setup: Setup | None = None) -> Iterator[GatewayProcess]:
    """`riskgate run` on free ports, ready, linked to the venue."""
    config, ready = directory / "riskgate.toml", directory / "run.json"
    write_config(config, venue_address, setup or Setup())
    arguments: list[str | Path] = ["gateway", "run", "--config", config, "--ready-file", ready, "--log-format", "json"]
    with process(arguments, directory / "gateway.log") as child:
        bound = child.ready(ready)
        with grpc.insecure_channel(bound["admin"]) as channel:
            gateway = GatewayProcess(directory, bound, channel, child)
            gateway.wait_for_venue()
            yield gateway


def parse(output: str) -> dict[str, object]:
    """The JSON a verb printed."""
    value: dict[str, object] = json.loads(output)
    return value
