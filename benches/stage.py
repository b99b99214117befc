"""What a bench of the order path runs against: a venue stub and a gateway, each a process of its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc

from riskgate.v1 import admin_pb2, admin_pb2_grpc, parent_orders_pb2, parent_orders_pb2_grpc, types_pb2

if TYPE_CHECKING:
    from riskcore import VenueStubReport

ROOT: Final = Path(__file__).resolve().parent.parent
PRICE: Final = 100_000_000_000
TOKEN: Final = "token-of-a-bench"  # noqa: S105 - guards nothing but a bench
OPERATOR: Final = (("authorization", f"Bearer {TOKEN}-operator"),)
"""The metadata of an operator's call."""
READY_S: Final = 60.0
STOP_S: Final = 20.0
LAST_LINES: Final = 5
LINE: Final = 300
"""Of a log that an error shows: so many lines, and characters of each."""
EVERYTHING: Final = 10**15
"""A parent's quantity that no bench uses up."""

# Every check is on and none refuses: what is measured is the whole path, not a shortcut of it.
LIMITS: Final = """
[limits.firm]
max_gross_notional = "1_000_000_000_000"
max_turnover_day = "1_000_000_000_000_000"
max_turnover_window = "1_000_000_000_000_000"
turnover_window = "1m"
max_day_loss = "1_000_000_000"
[limits.account."*"]
max_order_notional = "1_000_000"
max_gross_notional = "1_000_000_000_000"
max_day_loss = "1_000_000_000"
[limits.router."*"]
message_rate = {message_rate}
parent_overfill_halt_after = 3
max_turnover_window = "1_000_000_000_000_000"
turnover_window = "1m"
max_day_loss = "1_000_000_000"
[limits.symbol."*"]
max_order_qty = 10_000
price_collar_bps = 300
market_data_max_age = "5s"
[limits.account_symbol."*"]
max_long_position = 1_000_000_000
max_short_position = 1_000_000_000
"""


class BenchError(Exception):
    """Something a bench needs did not come up; the message says what and shows its output."""


@dataclass(frozen=True)
class Target:
    """Where the generator sends to."""

    name: str
    address: str
    pid: int
    venue_epoch: int | None = None
    """Given when it is a venue."""
    admin: str = ""
    metrics: str = ""
    """Given when it is a gateway."""
    log: Path | None = None
    """What it says, if that is kept."""
    seen: dict[str, int] = field(default_factory=dict)
    """The last report that each router has had of a gateway."""

    def cpu_ns(self) -> int:
        """Processor time of the process so far, all threads, user and system."""
        clock = ctypes.c_int()
        if ctypes.CDLL(None).clock_getcpuclockid(self.pid, ctypes.byref(clock)) != 0:
            raise BenchError(f"the {self.name} has ended")
        return time.clock_gettime_ns(clock.value)

    def resident_kib(self) -> int:
        """What the process holds in memory now."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    return int(line.split()[1])
        raise BenchError(f"the {self.name} has ended")

    def last_words(self) -> str:
        """The end of what it has said."""
        said = self.log.read_text(errors="replace").splitlines() if self.log else []
        return " | ".join(line[:LINE] for line in said[-LAST_LINES:])


@dataclass(frozen=True)
class Venue(Target):
    """The venue stub, which also says what it has seen."""

    popen: subprocess.Popen[str] | None = None

    def report(self) -> VenueStubReport:
        """What it has done so far, over all that ever logged on to it."""
        assert self.popen is not None
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        print(file=self.popen.stdin, flush=True)
        report: VenueStubReport = json.loads(self.popen.stdout.readline())
        return report


@contextmanager
def process(name: str, command: Sequence[str]) -> Iterator[Target]:
    """A process that prints its address when it listens, and ends when its standard input does."""
    with _listening(name, command) as (popen, address):
        yield Target(name, address, popen.pid)


@contextmanager
def venue_stub() -> Iterator[Venue]:
    """The native venue stub: immediate orders are filled with one report each."""
    with _listening("stub", [sys.executable, "-m", "benches.venue_stub"]) as (popen, address):
        yield Venue("stub", address, popen.pid, venue_epoch=1, popen=popen)


@contextmanager
def _listening(name: str, command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as popen:
        try:
            readable = popen.stdout is not None and select.select([popen.stdout], [], [], READY_S)[0]
            address = popen.stdout.readline().strip() if popen.stdout is not None and readable else ""
            if not address:
                raise BenchError(f"the {name} did not start: its error is above")
            yield popen, address
            # An orderly end: what it has counted of itself is written then.
            with contextlib.suppress(subprocess.TimeoutExpired):
                popen.communicate(timeout=STOP_S)
        finally:
            popen.kill()


@contextmanager
def gateway(
    directory: Path,
    venue: Target,
    routers: Sequence[str],
    *,
    max_orders: int,
    journal: bool,
    limits: str = "",
    message_rate: int = 2_000_000,
    program: Sequence[str] = ("-m", "gateway"),
) -> Iterator[Target]:
    """`riskgate run` with every check configured, linked to `venue`, its parents registered.

    It is named after its directory: a name that the venue has seen reports of would have to be given them again.
    `limits` are added to those of all benches; each router may send `message_rate` messages/s, for
    which there is room; `program` is what Python runs.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config, ready, log = directory / "riskgate.toml", directory / "ready.json", directory / "gateway.log"
    text = _config(directory.name, venue.address, routers, max_orders=max_orders, journal=journal)
    config.write_text(text + LIMITS.format(message_rate=message_rate) + limits)
    ready.unlink(missing_ok=True)
    command = [sys.executable, *program, "run", "--config", str(config), "--ready-file", str(ready)]
    with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as popen:
        try:
            _until(ready.exists, popen, log)
            bound = json.loads(ready.read_text())
            with grpc.insecure_channel(bound["admin"]) as channel:
                _until(lambda: _linked(admin_pb2_grpc.AdminStub(channel)), popen, log)
            _register_parents(bound["order_entry"])
            yield Target(
                "gateway", bound["order_entry"], popen.pid, admin=bound["admin"], metrics=bound["metrics"], log=log
            )
        finally:
            popen.terminate()
            try:
                popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                popen.kill()


def router_token(name: str) -> str:
    """The token of a router of the bench."""
    return f"{TOKEN}-{name}"


def parent(side: str) -> str:
    """The parent of all orders of a side."""
    return f"bench-{side}"


def _config(name: str, venue: str, routers: Sequence[str], *, max_orders: int, journal: bool) -> str:
    text = f"""
[gateway]
name = "{name}"
[order_entry]
listen = "127.0.0.1:0"
heartbeat = "5s"
max_sessions = {max(len(routers), 64)}
cancel_on_disconnect = false # what one flood leaves resting, the next one cancels
[halt]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[metrics]
listen = "127.0.0.1:0"
[venue]
address = "{venue}"
[capacity]
max_orders = {max_orders}
[[operators]]
name = "bench"
role = "view"
token = "{TOKEN}-operator"
[[oms]]
name = "bench"
token = "{TOKEN}-oms"
[[accounts]]
name = "ACC1"
[[symbols]]
name = "AAPL"
tick = "0.01"
"""
    if journal:
        text += '[journal]\nfile = "records.log"\n'
    text += "".join(
        f'[[routers]]\nname = "{name}"\ntoken = "{router_token(name)}"\naccounts = ["ACC1"]\n' for name in routers
    )
    return text


def _linked(admin: admin_pb2_grpc.AdminStub) -> bool:
    status = admin.GetStatus(admin_pb2.GetStatusRequest(), metadata=OPERATOR, timeout=5)
    return status.venue_connected and status.venue_reconciled


def _register_parents(address: str) -> None:
    sides = {"buy": types_pb2.SIDE_BUY, "sell": types_pb2.SIDE_SELL}
    instructions = [
        parent_orders_pb2.ParentInstruction(
            request_id=number,
            open=parent_orders_pb2.ParentOrder(
                parent_cl_ord_id=parent(name), account="ACC1", symbol="AAPL", side=side, order_qty=EVERYTHING
            ),
        )
        for number, (name, side) in enumerate(sides.items(), 1)
    ]
    request = parent_orders_pb2.RegisterRequest(oms="bench", token=f"{TOKEN}-oms", instructions=instructions)
    answered = 0
    with grpc.insecure_channel(address) as channel:
        stub = parent_orders_pb2_grpc.ParentOrdersStub(channel)
        done = threading.Event()

        def requests() -> Iterator[parent_orders_pb2.RegisterRequest]:
            yield request
            done.wait(READY_S)

        for response in stub.Register(requests(), timeout=READY_S):
            for result in response.results:
                if not result.accepted:
                    raise BenchError(f"the gateway refused a parent of the bench: {result.reject.name}")
            answered += len(response.results)
            if answered == len(instructions):
                done.set()
                return
    raise BenchError("the gateway did not answer the registration of the bench's parents")


def _until(condition: Callable[[], bool], popen: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    pause = threading.Event()
    while not condition():
        if popen.poll() is not None or time.monotonic() > deadline:
            raise BenchError(
                f"the gateway did not become ready; its output:\n{log.read_text(errors='replace')[-2_000:]}"
            )
        pause.wait(0.02)
