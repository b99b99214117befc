"""`python -m benches.gateway.collecting SIGNAL run ...`: a gateway that collects garbage while the file SIGNAL exists.

The interpreter lock is held for a whole full collection: a gateway that needed it for an order would show that.
"""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path
from typing import Final

from gateway.cli import main

EVERY_S: Final = 0.25


def collect(signal: Path) -> None:
    """Collect everything four times a second, while wanted."""
    pause = threading.Event()
    while not pause.wait(EVERY_S):
        if signal.exists():
            gc.collect()


if __name__ == "__main__":
    threading.Thread(target=collect, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    main()
