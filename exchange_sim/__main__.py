"""`python -m exchange_sim`: run the simulated exchange until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from exchange_sim.control import ControlError, serve_control
from exchange_sim.exchange import Exchange
from exchange_sim.impact import fills
from exchange_sim.instruments import Instrument, UniverseError, load_universe, parse_price, parse_universe
from exchange_sim.server import ListenError, serve

EXIT_USAGE = 64
"""Nothing was started: the command line or the universe is wrong (sysexits.h EX_USAGE)."""

GRACE_S = 0.5
"""Seconds the open streams get to end when the exchange is told to stop."""


async def run(exchange: Exchange, listen: str, control: Path | None, ready_file: Path | None) -> None:
    """Serve until a signal says stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server, address = await serve(exchange, listen)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, GRACE_S)
        if control is not None:
            await stack.enter_async_context(await serve_control(exchange, control))
            stack.callback(control.unlink, missing_ok=True)
        print(f"exchange: listening on {address}, {len(exchange.venue.markets)} symbols", file=sys.stderr, flush=True)
        if ready_file is not None:
            announce(ready_file, address)
        await stop.wait()


def announce(path: Path, address: str) -> None:
    """Write the ready file in one step, so that a reader sees all of it or nothing."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps({"address": address, "pid": os.getpid()}), encoding="utf-8")
    draft.replace(path)


def instruments(universe: Path | None, symbols: list[str]) -> list[Instrument]:
    """The instruments of a universe file and of `SYMBOL=PRICE` options together. Raises `UniverseError`."""
    found = load_universe(universe) if universe is not None else []
    for text in symbols:
        symbol, _, price = text.partition("=")
        entry = json.dumps({"instruments": [{"symbol": symbol, "mid": price}]})
        found += parse_universe(entry, where=f"--symbol {text}")
    if len({instrument.symbol for instrument in found}) != len(found):
        raise UniverseError("--symbol names a symbol that the universe has already; leave it out")
    if not found:
        raise UniverseError("nothing to trade: give --universe FILE or --symbol AAPL=100.00")
    return found


def rates(written: list[str]) -> dict[str, int]:
    """What `CURRENCY=RATE` options say, 1e-9. Raises `UniverseError`."""
    found = {}
    for text in written:
        currency, _, rate = text.partition("=")
        if not currency:
            raise UniverseError(f"--rate {text}: write CURRENCY=RATE, like EUR=1.0850")
        found[currency] = parse_price(rate, f"--rate {text}")
    return found


def main(  # noqa: PLR0913, PLR0917 - the options of a command
    listen: Annotated[str, typer.Option(help="host:port; port 0 lets the system choose.")] = "127.0.0.1:7100",
    universe: Annotated[Path | None, typer.Option(help="Universe file (exchange_sim/instruments.py).")] = None,
    symbol: Annotated[list[str] | None, typer.Option(help="SYMBOL=PRICE; may be repeated.")] = None,
    control: Annotated[Path | None, typer.Option(help="UNIX socket for control commands.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Written when it serves: address and pid as JSON.")] = None,
    heartbeat_ms: Annotated[int, typer.Option(min=10, max=60_000, help="Heartbeats of the order stream.")] = 1_000,
    quote_ms: Annotated[int, typer.Option(min=10, max=60_000, help="Each quote is repeated this often.")] = 250,
    rate: Annotated[list[str] | None, typer.Option(help="CURRENCY=RATE, in base currency; may be repeated.")] = None,
    fill_seed: Annotated[int | None, typer.Option(help="IOC orders meet a counterparty by this seed's coins.")] = None,
) -> None:
    """Run the simulated exchange."""
    try:
        traded = instruments(universe, symbol or [])
        coins = fills(fill_seed, stream=0) if fill_seed is not None else None
        said = rates(rate or [])
        exchange = Exchange(traded, coins=coins, heartbeat_ms=heartbeat_ms, quote_ms=quote_ms, rates=said)
        asyncio.run(run(exchange, listen, control, ready_file))
    except (UniverseError, ListenError, ControlError) as error:
        print(f"exchange: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from error


if __name__ == "__main__":
    typer.run(main)
