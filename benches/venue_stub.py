"""A venue stub in a process of its own: prints its address, then what it has seen for each line it reads.

It ends when its standard input does.
"""

from __future__ import annotations

import json
import sys

import riskcore

PRICE = 100_000_000_000
TICK = 10_000_000


def main() -> None:
    """Serve until standard input is closed."""
    stub = riskcore.VenueStub(
        behaviour="fill", separate_ack=False, quotes=[("AAPL", PRICE - TICK, PRICE + TICK)], heartbeat_ms=5_000
    )
    stub.start()
    print(stub.address, flush=True)
    for _ in sys.stdin:
        print(json.dumps(stub.report()), flush=True)
    stub.stop()


if __name__ == "__main__":
    main()
