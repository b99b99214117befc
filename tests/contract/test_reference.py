"""Reference pages that are derived from the code say what the code says."""

from __future__ import annotations

import subprocess
import sys

from tests.support import ROOT


def test_catalogue_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/gen_reference.py", "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
