"""`python -m exchange_sim` as a process: ready file, control socket, signals, usage errors."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from exchange_sim.control import ControlError, ask
from exchange_sim.instruments import Instrument, UniverseError, dump_universe, parse_universe
from tests.simulators.exchange_client import ExchangeClient, order
from tests.support.processes import process

UNIVERSE = [Instrument("AAPL", 100_000_000_000), Instrument("PENNY", 500_000, tick=100_000, move_ppm=105_000, depth=9)]


async def test_it_serves_answers_commands_and_stops_cleanly(tmp_path: Path) -> None:
    """Port 0, a ready file, a control socket; SIGTERM ends it with code 0 and removes the socket."""
    universe, ready, control = tmp_path / "universe.json", tmp_path / "ready", tmp_path / "control"
    universe.write_text(dump_universe(UNIVERSE))
    arguments: list[str | Path] = ["exchange_sim", "--listen", "127.0.0.1:0", "--symbol", "MSFT=30"]
    arguments += ["--universe", universe, "--ready-file", ready, "--control", control]
    with process(arguments, tmp_path / "log") as exchange:
        found = exchange.ready(ready)
        gateway = ExchangeClient(found["address"])
        await gateway.log_on()
        await gateway.send(order(1, symbol="PENNY", qty=5), order(2, symbol="MSFT"))
        await gateway.until_story(2, "NEW", "TRADE")

        stats = ask(control, "stats")

        assert stats["routers"]["r1"]["shares"] == 105
        assert stats["gateways"]["gw1"]["connected"]
        with pytest.raises(ControlError, match="no command"):
            ask(control, "dance")
        exchange.signal(signal.SIGTERM)
        assert exchange.wait() == 0
        assert not control.exists()
        assert found["pid"] == exchange.popen.pid
        await gateway.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--universe", "nowhere.json"], "nowhere.json: cannot read"),
        (["--symbol", "AAPL"], "--symbol AAPL: instruments[0].mid: expected a decimal price"),
        ([], "nothing to trade"),
        (["--symbol", "AAPL=1", "--listen", "here"], "write host:port"),
        (["--symbol", "AAPL=1", "--listen", "127.0.0.1:0", "--control", "x" * 120], "choose a shorter path"),
    ],
)
def test_what_cannot_be_served_ends_with_64(arguments: list[str], says: str, tmp_path: Path) -> None:
    """One line that says what to mend."""
    with process(["exchange_sim", *arguments], tmp_path / "log") as exchange:
        assert exchange.wait() == 64
        assert says in exchange.output()
        assert "Traceback" not in exchange.output()


def test_a_universe_survives_the_file() -> None:
    """What is written is read back unchanged."""
    assert parse_universe(dump_universe(UNIVERSE)) == UNIVERSE


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"symbol": "A", "mid": "1", "colour": 1}, r"instruments\[0\]: unknown key 'colour'"),
        ({"symbol": "", "mid": "1"}, "printable ASCII"),
        ({"symbol": "A", "mid": "NaN"}, "expected a decimal price"),
        ({"symbol": "A", "mid": "0"}, "above zero"),
        ({"symbol": "A", "mid": "1.0000000001"}, "nine decimals"),
        ({"symbol": "A", "mid": "1", "depth": 0}, "at least 1"),
        ({"symbol": "A", "mid": "1", "depth": True}, "expected an integer"),
        ("A", "expected an object"),
    ],
)
def test_a_bad_universe_says_where(entry: object, says: str) -> None:
    """Place, value, mend."""
    with pytest.raises(UniverseError, match=says):
        parse_universe(json.dumps({"instruments": [entry]}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"instruments": []}', '{"instruments": [{"symbol":"A","mid":"1"}]'])
def test_what_is_no_universe_is_refused(text: str) -> None:
    """Neither half a file nor an empty one."""
    with pytest.raises(UniverseError):
        parse_universe(text)


def test_a_symbol_twice_is_refused() -> None:
    """It could have two prices."""
    entry = {"symbol": "A", "mid": "1"}
    with pytest.raises(UniverseError, match="appears twice"):
        parse_universe(json.dumps({"instruments": [entry, entry]}))
