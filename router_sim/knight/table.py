"""Arithmetic of the fixed table: even marks, golden-ratio order, largest remainder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

GOLDEN: Final = 0.618034
"""Multiples of the golden ratio, modulo 1, spread evenly without a pattern."""


def marks(n: int, k: int, offset: int) -> list[bool]:
    """Mark exactly ``k`` of ``n`` places, evenly spread; ``offset`` shifts the pattern."""
    return [((i + 1) * k + offset) // n != (i * k + offset) // n for i in range(n)]


def golden_ranks(n: int) -> list[int]:
    """The numbers 0..n-1 in golden-ratio order: element i is the rank of ``frac(0.618034 (i + 1))``."""
    fractions = [math.fmod(GOLDEN * (i + 1), 1.0) for i in range(n)]
    ranks = [0] * n
    for rank, place in enumerate(sorted(range(n), key=fractions.__getitem__)):
        ranks[place] = rank
    return ranks


def even_steps(n: int, high: float, low: float) -> list[float]:
    """``n`` values from ``high`` down to ``low`` in even steps, shuffled by golden-ratio order."""
    step = (high - low) / (n - 1)
    return [high - step * rank for rank in golden_ranks(n)]


def largest_remainder(total: int, weights: Sequence[float]) -> list[int]:
    """Split ``total`` in proportion to ``weights``, whole numbers that add up exactly."""
    whole = sum(weights)
    shares = [total * weight / whole for weight in weights]
    counts = [int(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: (counts[i] - shares[i], i))
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return counts
