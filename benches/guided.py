"""Whether what is measured was built by a profile of itself (`tools/guided.sh`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

PROFILE: Final = Path(__file__).resolve().parent.parent / "target" / "guided" / "profile"
"""What native module and bare proxy did under the benches' load."""


def profile() -> Path | None:
    """The profile by which this environment's native module was built; None if it was built without one."""
    guided, native = (Path(sys.prefix) / f".{step}.stamp" for step in ("guided", "native"))
    try:
        return PROFILE if guided.stat().st_mtime_ns >= native.stat().st_mtime_ns and PROFILE.exists() else None
    except FileNotFoundError:
        return None
