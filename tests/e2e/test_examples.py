"""The example of the guide, as a stranger would run it: gateway, exchange and router as real processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import ROOT
from tests.support.gateway import TOKENS, gateway_process, router_token
from tests.support.processes import process

GUIDE = ROOT / "docs/guides/connect-a-router.md"


def test_first_order_says_what_the_guide_shows(tmp_path: Path) -> None:
    ready = tmp_path / "exchange.json"
    exchange = ["exchange_sim", "--listen", "127.0.0.1:0", "--symbol", "AAPL=100.00", "--symbol", "MSFT=30.00"]

    with (
        process([*exchange, "--ready-file", ready], tmp_path / "exchange.log") as venue,
        gateway_process(tmp_path, venue.ready(ready)["address"]) as gateway,
    ):
        who = ["--router", "r1", "--router-token", router_token("r1"), "--oms-token", TOKENS["oms1"]]
        done = subprocess.run(
            [sys.executable, ROOT / "examples/first_order.py", "--address", gateway.order_entry, *who],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"```\n{done.stdout}```" in GUIDE.read_text(), f"the guide shows something else than:\n{done.stdout}"
