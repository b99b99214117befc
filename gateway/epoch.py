"""The epoch of a start of the gateway: it tells this process's order ids and venue session from earlier ones."""

from typing import Final

_BITS: Final = 23
"""An OrderID is ``epoch << 40 | n`` in a signed 64-bit number."""


def epoch_at(unix_seconds: int) -> int:
    """An epoch that rises from start to start without any state: the second of the start, modulo 97 days.

    Ids and the venue's fencing matter within a trading day, so that it begins again after 97 days does no harm as long
    as the venue forgets a gateway's epoch with the day. Two starts need to be a second apart.
    """
    return max(unix_seconds % (1 << _BITS), 1)
