"""The lever behind the exchange: a UNIX socket that takes one command a line and answers each with one line of JSON.

    set reject_next 3        a fault switch (`faults` lists them)
    faults                   every switch
    stats                    what the venue saw of each router, and of each gateway
    quotes                   bid and offer of each symbol
    pin AAPL 10.00 10.02     make the maker show these prices;  unpin AAPL
    phase AAPL halted        a trading phase;  phase * pre_open  for the whole venue
    bands AAPL 9.50 10.50    price bands;  unband AAPL
    rate EUR 1.0850          what a currency is worth in the reader's base currency
    prior_close AAPL 10.00   the close of the day before
    short_sale AAPL not_at_bid   what binds short sales
    bust 17                  take back execution 17;  correct 17 10.05
    disconnect gw1           cut a gateway's session

From a shell: `python -m exchange_sim.control SOCKET stats`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from exchange_sim.exchange import Exchange
from exchange_sim.faults import FaultError
from exchange_sim.instruments import NANO, price_text
from exchange_sim.trading import Phase, Security, ShortSale

MAX_LINE = 4_096
"""Bytes of one command."""

Answer = dict[str, Any]

_Named = TypeVar("_Named", Phase, ShortSale)


class ControlError(Exception):
    """A command that cannot be carried out; `str()` says why."""


class Control:
    """Carries out commands on a running exchange."""

    def __init__(self, exchange: Exchange) -> None:
        """Control this exchange."""
        self._exchange = exchange
        self._commands: dict[str, tuple[int, Callable[..., Answer]]] = {
            "set": (2, self._set),
            "faults": (0, exchange.faults.as_dict),
            "stats": (0, self._stats),
            "quotes": (0, self._quotes),
            "pin": (3, self._pin),
            "unpin": (1, self._unpin),
            "phase": (2, self._phase),
            "bands": (3, self._bands),
            "unband": (1, self._unband),
            "prior_close": (2, self._prior_close),
            "rate": (2, self._rate),
            "short_sale": (2, self._short_sale),
            "bust": (1, self._bust),
            "correct": (2, self._correct),
            "disconnect": (1, self._disconnect),
        }

    def run(self, line: str) -> Answer:
        """Carry out one command line; `{"ok": false, "error": ...}` when it cannot be done."""
        name, *arguments = line.split() or [""]
        wanted, command = self._commands.get(name, (0, None))
        if command is None:
            return {"ok": False, "error": f"no command {name!r}; there are {', '.join(self._commands)}"}
        if len(arguments) != wanted:
            return {"ok": False, "error": f"{name} takes {wanted} arguments, not {len(arguments)}"}
        try:
            return {"ok": True, **command(*arguments)}
        except (ControlError, FaultError) as error:
            return {"ok": False, "error": str(error)}

    def _set(self, name: str, value: str) -> Answer:
        self._exchange.faults.set(name, value)
        return {}

    def _stats(self) -> Answer:
        return {
            "routers": {router: asdict(tally) for router, tally in self._exchange.venue.tallies.items()},
            "gateways": {
                name: {
                    "connected": record.session is not None,
                    "epoch": record.epoch,
                    "last_client_seq": record.last_client_seq,
                    "last_venue_seq": record.last_venue_seq,
                    "open_orders": len(self._exchange.venue.open_orders(name)),
                }
                for name, record in self._exchange.gateways.items()
            },
        }

    def _quotes(self) -> Answer:
        touches = {symbol: market.touch() for symbol, market in self._exchange.venue.markets.items()}
        return {"quotes": {symbol: [touch.bid, touch.offer] for symbol, touch in touches.items()}}

    def _pin(self, symbol: str, bid: str, offer: str) -> Answer:
        prices = _price(bid), _price(offer)
        if prices[0] >= prices[1]:
            raise ControlError(f"bid {bid} must be below offer {offer}")
        self._exchange.publish(self._exchange.venue.pin(time.time_ns(), self._symbol(symbol), prices))
        self._exchange.touched(symbol)
        return {}

    def _unpin(self, symbol: str) -> Answer:
        self._exchange.publish(self._exchange.venue.pin(time.time_ns(), self._symbol(symbol), None))
        self._exchange.touched(symbol)
        return {}

    def _phase(self, symbol: str, name: str) -> Answer:
        self._exchange.set_phase(None if symbol == "*" else self._symbol(symbol), _named(Phase, name))
        return {}

    def _bands(self, symbol: str, low: str, high: str) -> Answer:
        bands = _price(low), _price(high)
        if bands[0] >= bands[1]:
            raise ControlError(f"lower band {low} must be below upper band {high}")
        self._security(symbol).bands = bands
        self._exchange.status_changed(symbol)
        return {}

    def _unband(self, symbol: str) -> Answer:
        self._security(symbol).bands = None
        self._exchange.status_changed(symbol)
        return {}

    def _prior_close(self, symbol: str, price: str) -> Answer:
        self._security(symbol).prior_close = _price(price)
        self._exchange.status_changed(symbol)
        return {}

    def _rate(self, currency: str, rate: str) -> Answer:
        self._exchange.set_rate(currency, _price(rate))
        return {}

    def _short_sale(self, symbol: str, name: str) -> Answer:
        self._security(symbol).short_sale = _named(ShortSale, name)
        self._exchange.status_changed(symbol)
        return {}

    def _security(self, symbol: str) -> Security:
        return self._exchange.venue.trading.securities[self._symbol(symbol)]

    def _bust(self, exec_id: str) -> Answer:
        report = self._exchange.venue.bust(time.time_ns(), _number(exec_id))
        if report is None:
            raise ControlError(f"execution {exec_id} is not known any more")
        self._exchange.publish([report])
        return {}

    def _correct(self, exec_id: str, price: str) -> Answer:
        report = self._exchange.venue.correct(time.time_ns(), _number(exec_id), _price(price))
        if report is None:
            raise ControlError(f"execution {exec_id} is not known any more")
        self._exchange.publish([report])
        return {"venue_exec_id": report.exec_id, "price": price_text(report.last_px)}

    def _disconnect(self, gateway: str) -> Answer:
        if not self._exchange.disconnect(gateway, "cut by a fault drill"):
            raise ControlError(f"gateway {gateway!r} has no session")
        return {}

    def _symbol(self, symbol: str) -> str:
        if symbol not in self._exchange.venue.markets:
            raise ControlError(f"symbol {symbol!r} is not traded here")
        return symbol


async def serve_control(exchange: Exchange, path: Path) -> asyncio.Server:
    """Listen for commands on a UNIX socket at `path`; an abandoned socket file there is replaced.

    Raises:
        ControlError: no socket can be made there: no such directory, or a path beyond the system's 107 bytes.
    """
    control = Control(exchange)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(control.run(line.decode(errors="replace"))).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            pass  # an over-long line or a lost peer ends this conversation only
        finally:
            writer.close()

    try:
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - once, at start
        return await asyncio.start_unix_server(talk, path, limit=MAX_LINE)
    except OSError as error:
        raise ControlError(f"{path}: cannot make a control socket there ({error}); choose a shorter path") from error


def ask(path: Path, line: str, *, timeout_s: float = 10.0) -> Answer:
    """Send one command to a running exchange and wait for its answer (blocking).

    Args:
        path: its control socket.
        line: the command.
        timeout_s: seconds to wait at most.

    Raises:
        ControlError: the exchange refused the command, or nothing listens at `path`.
    """
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(timeout_s)
            link.connect(str(path))
            link.sendall(line.encode() + b"\n")
            with link.makefile("rb") as stream:
                text = stream.readline()
    except OSError as error:
        raise ControlError(f"{path}: no exchange answers there ({error})") from error
    if not text.endswith(b"\n"):
        raise ControlError(f"{path}: the exchange closed the connection without an answer")
    answer: Answer = json.loads(text)
    if not answer.pop("ok"):
        raise ControlError(str(answer["error"]))
    return answer


def _named(kind: type[_Named], name: str) -> _Named:
    try:
        return kind(name)
    except ValueError as error:
        raise ControlError(f"{name!r} is none of {', '.join(value.value for value in kind)}") from error


def _price(text: str) -> int:
    try:
        price = int(Decimal(text) * NANO)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ControlError(f"{text!r} is not a price") from error
    if price <= 0:
        raise ControlError(f"price {text} must be above zero")
    return price


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ControlError(f"{text!r} is not an execution number")
    return int(text)


def main(arguments: list[str]) -> int:
    """Send the command in `arguments` (socket path first) and print the answer; the exit code."""
    if len(arguments) < 2:
        print("usage: python -m exchange_sim.control SOCKET COMMAND...", file=sys.stderr)
        return 2
    try:
        print(json.dumps(ask(Path(arguments[0]), " ".join(arguments[1:])), indent=1))
    except ControlError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
