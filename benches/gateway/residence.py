"""How long orders stayed inside the gateway, by its own clock: the difference of two looks at its metric."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping
from typing import Final

from benches.stage import Target

BUCKET: Final = re.compile(r'^risk_order_residence_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)

Counts = Mapping[float, float]
"""Upper edge in seconds -> how many orders stayed at most so long, since the gateway started."""


def counts(target: Target) -> Counts:
    """What a gateway has counted so far."""
    with urllib.request.urlopen(f"http://{target.metrics}/metrics", timeout=10) as response:
        text: str = response.read().decode()
    return {float(edge): float(count) for edge, count in BUCKET.findall(text)}


def percentile_us(before: Counts, after: Counts, share: float) -> float | None:
    """The upper edge of the bucket that a share of the stays in between lies in; None if there were none."""
    all_of = max(after.values()) - max(before.values())
    if not all_of:
        return None
    return next(edge for edge in sorted(after) if after[edge] - before[edge] >= share * all_of) * 1e6
