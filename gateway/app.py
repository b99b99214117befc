"""Puts the gateway together: the data plane on native threads, and around it what talks to people.

Start: configuration first, complete and good, or nothing is bound. Then the data plane (order entry, halt door, venue
link), events, Admin, metrics. Stop: the reverse; the data plane logs routers out last, so that operators see it happen.
"""

import datetime as dt
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import riskcore
from gateway.admin import SERVER_OPTIONS, AdminServer, AdminService
from gateway.config import Config, Settings
from gateway.epoch import epoch_at
from gateway.events import EventHub
from gateway.identity import Operators
from gateway.log import logger
from gateway.metrics import GatewayCollector, MetricsServer
from riskgate.v1.admin_pb2 import StreamEventsResponse

_STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT})


class StartError(Exception):
    """The gateway could not start; the message says which part, where, and how to mend it."""


class Application:
    """One running gateway."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._plane = build_data_plane(config, epoch_at(int(time.time())))
        self._collector = GatewayCollector(self._plane, self._own_numbers)
        self._events = EventHub(self._plane, self._observe)
        self._service = AdminService(self._plane, Operators(config.settings.operators), self._events)
        self.addresses: dict[str, str] = {}

    def start(self) -> None:
        """Bind everything; what was bound is released again if a later part fails.

        Raises:
            StartError: an address is taken, or a file cannot be opened.
        """
        settings = self._config.settings
        with ExitStack() as stack:
            with _part("the data plane (order entry, halt, venue, journal)"):
                self._plane.start()
            stack.callback(self._plane.stop)
            self._events.start()
            stack.callback(self._events.stop)
            with _part(f"[admin] listen = {settings.admin.listen}"):
                admin = AdminServer(self._service, settings.admin.listen)
            stack.callback(admin.stop)
            with _part(f"[metrics] listen = {settings.metrics.listen}"):
                metrics = MetricsServer(self._collector, settings.metrics.listen)
            stack.callback(metrics.stop)
            admin.start()
            self._stack = stack.pop_all()
        self.addresses = {
            "order_entry": self._plane.order_entry_address,
            "halt": self._plane.halt_address,
            "admin": admin.address,
            "metrics": metrics.address,
        }
        logger().info("up", gateway=settings.gateway.name, **self.addresses, admin_options=dict(SERVER_OPTIONS))

    def stop(self) -> None:
        """Log everybody out and release everything. Idempotent."""
        self._stack.close()

    @property
    def plane(self) -> riskcore.DataPlane:
        """The data plane."""
        return self._plane

    def _own_numbers(self) -> dict[str, int]:
        return {
            "admin_login_failures_total": self._service.login_failures,
            "admin_subscribers": self._events.subscribers,
        }

    def _observe(self, event: StreamEventsResponse) -> None:
        self._collector.observe(event)
        logger().info("event", kind=event.kind, seq=event.seq, text=event.text)


@contextmanager
def _part(name: str) -> Iterator[None]:
    """Names the part whose start failed."""
    try:
        yield
    except (riskcore.RiskcoreError, OSError, RuntimeError) as error:
        raise StartError(
            f"cannot start {name}: {error}; free the address or file, or name another in the configuration"
        ) from error


def build_data_plane(config: Config, epoch: int) -> riskcore.DataPlane:
    """The data plane of a configuration, not yet started."""
    settings = config.settings
    day = settings.gateway.trading_day or dt.datetime.now(dt.UTC).date()
    plane = riskcore.DataPlane(
        riskcore.DataPlaneConfig(
            gateway=settings.gateway.name,
            epoch=epoch,
            trading_day=day.year * 10_000 + day.month * 100 + day.day,
            order_entry_listen=settings.order_entry.listen,
            halt_listen=settings.halt.listen,
            halt_socket=config.path(settings.halt.socket),
            halt_file=config.path(settings.halt.file),
            venue_address=settings.venue.address,
            market_data_address=(settings.market_data or settings.venue).address,
            heartbeat_ms=settings.order_entry.heartbeat,
            cancel_on_disconnect=settings.order_entry.cancel_on_disconnect,
            replace_in_flight_mitigation=settings.venue.replace_in_flight_mitigation,
            publishes_phases=settings.venue.publishes_phases,
            drop_copy=settings.venue.drop_copy,
            journal_file=_records_file(config.path(settings.journal.file), epoch),
            max_orders=settings.capacity.max_orders,
            max_parents=settings.capacity.max_parents,
            max_sessions=settings.order_entry.max_sessions,
        )
    )
    _define(plane, config)
    _expect(plane, config, day)
    return plane


def _records_file(file: str | None, epoch: int) -> str | None:
    """``run/records.log`` becomes ``run/records-<epoch>.log``: a start never writes into the records of another."""
    if file is None:
        return None
    path = Path(file)
    return str(path.with_stem(f"{path.stem}-{epoch}"))


def _define(plane: riskcore.DataPlane, config: Config) -> None:
    settings = config.settings
    if settings.firm is not None:
        plane.base_currency(settings.firm.base_currency)
    for account in settings.accounts:
        plane.define_account(account.name, parent_required=account.parent_required, smp_group=account.smp_group)
    for router in settings.routers:
        plane.define_router(router.name, token=router.token, accounts=list(router.accounts))
    for oms in settings.oms:
        plane.define_oms(oms.name, token=oms.token)
    for operator in settings.operators:
        plane.define_operator(operator.name, token=operator.token, may_halt=operator.role != "view")
    for strategy in settings.strategies:
        plane.define_strategy(strategy.name)
    for symbol in settings.symbols:
        plane.define_symbol(
            symbol.name,
            tick=symbol.tick,
            lot=symbol.lot,
            multiplier=symbol.multiplier,
            reg_sho=symbol.reg_sho,
            luld=symbol.luld,
            easy_to_borrow=symbol.easy_to_borrow,
            prior_close=symbol.prior_close,
            adv=symbol.adv,
            security_group=symbol.security_group,
            currency=settings.foreign(symbol),
        )
    _permit(plane, config)
    for position in settings.opening_positions:
        plane.opening_position(position.account, position.symbol, position.qty, position.mark)
    _define_detection(plane, settings)
    for limit in config.limits:
        plane.set_limit(limit.scope, limit.limit, limit.value, action=limit.action, soft=limit.soft)


def _expect(plane: riskcore.DataPlane, config: Config, day: dt.date) -> None:
    """What the routers must run, and what the flags of their orders mean on this day."""
    fleet = config.settings.fleet
    plane.fleet_rules(
        policy=fleet.policy,
        environment=fleet.environment,
        has_manifest=config.manifest is not None,
        quarantine_culprit=fleet.quarantine_culprit,
    )
    if config.manifest is not None:
        for router, entry in config.manifest.by_router().items():
            plane.expect_attestation(router, entry.expected())
    for flag in config.flags:
        if not flag.is_planned(day):
            plane.define_flag(
                flag.bit,
                name=flag.name,
                version=flag.version,
                owner=flag.owner,
                retired=flag.is_retired(day),
                readers=list(flag.readers),
            )


def _permit(plane: riskcore.DataPlane, config: Config) -> None:
    """Who may trade what: lists of symbols, and the restricted list."""
    settings = config.settings
    for kind, rows in (
        ("account", settings.accounts),
        ("router", settings.routers),
        ("strategy", settings.strategies),
    ):
        for row in rows:
            if row.symbols:
                plane.permit(f"{kind}:{row.name}", list(row.symbols))
    for entry in settings.restricted:
        plane.restrict(entry.symbol, entry.stops, text=entry.reason)


def _define_detection(plane: riskcore.DataPlane, settings: Settings) -> None:
    if (readiness := settings.readiness) is not None:
        plane.readiness(
            open_at=readiness.open,
            grace=readiness.grace,
            all_routers=readiness.all_routers,
            symbols=list(readiness.symbols),
        )
    for known in settings.findings.known:
        plane.known(known)


def run(config: Config, ready_file: Path | None = None) -> None:
    """Run a gateway until SIGTERM or SIGINT.

    ``ready_file`` is written once every listener accepts: JSON with the bound addresses and the process id. It is
    removed at the end.

    Raises:
        StartError: see :meth:`Application.start`.
    """
    # Blocked before the first thread starts, and so in every thread: the wait below alone takes them. A handler could
    # run just before its thread falls asleep on an event, and would wake it no more.
    for number in _STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    for note in config.notes():
        logger().warning("note", text=note)
    for file in (config.settings.halt.socket, config.settings.halt.file, config.settings.journal.file):
        if file is not None:
            (config.file.parent / file).parent.mkdir(parents=True, exist_ok=True)
    application = Application(config)
    application.start()
    try:
        if ready_file is not None:
            _write_ready(ready_file, application.addresses)
        signal.sigwait(_STOPS)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)  # whoever asks a second time does not want to wait
        logger().info("stopping")
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
        application.stop()
        logger().info("stopped")


def _write_ready(file: Path, addresses: dict[str, str]) -> None:
    """In one step, so that a reader sees all of it or nothing."""
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps({"pid": os.getpid(), **addresses}) + "\n")
    part.replace(file)
