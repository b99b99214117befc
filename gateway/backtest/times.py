"""Times of recordings: UTC nanoseconds since 1970, and ISO 8601 for people."""

import datetime as dt
import re
from typing import Final

_SECOND: Final = 1_000_000_000
_ISO: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NANOS: Final = re.compile(r"\d{1,19}", re.ASCII)
_LATEST: Final = 2**63 - 1
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def iso(nanos: int) -> str:
    """``2023-12-25T23:00:00.000000001Z``: always nine digits, so that texts sort like times."""
    seconds, rest = divmod(nanos, _SECOND)
    at = _EPOCH + dt.timedelta(seconds=seconds)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def parse_time(text: str) -> int:
    """Nanoseconds from ISO 8601 with a zone, or from whole nanoseconds since 1970.

    Raises:
        ValueError: neither; the message ends in the mend.
    """
    if _NANOS.fullmatch(text) and int(text) <= _LATEST:
        return int(text)
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError(
            f'"{text[:40]}" is not a time; write it like 2023-12-25T23:00:00.000000001Z or in ns since 1970'
        )
    *whole, fraction, zone = match.groups()
    try:
        at = dt.datetime.fromisoformat("{}-{}-{}T{}:{}:{}".format(*whole) + zone.replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError(f'"{text[:40]}" is no date or time that exists; check the digits') from error
    nanos = round((at - _EPOCH).total_seconds()) * _SECOND + int((fraction or "0").ljust(9, "0"))
    if not 0 <= nanos <= _LATEST:
        raise ValueError(f'"{text[:40]}" is out of range; times are from 1970 to 2262')
    return nanos


def trading_day(nanos: int) -> int:
    """The UTC date as YYYYMMDD."""
    at = _EPOCH + dt.timedelta(seconds=nanos // _SECOND)
    return at.year * 10_000 + at.month * 100 + at.day
