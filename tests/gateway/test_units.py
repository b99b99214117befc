"""Money, durations and counts: what people write, and what the core gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.units import (
    COUNT_MAX,
    MONEY_MAX,
    PRICE_MAX,
    TomlFloat,
    format_decimal,
    format_duration,
    parse_count,
    parse_decimal,
    parse_duration,
)

DECIMALS = [
    ("1", 1_000_000_000),
    ("0.01", 10_000_000),
    ("100_000_000", 10**17),
    ("1_000.5", 1_000_500_000_000),
    ("0.000000001", 1),
    ("-5", -5_000_000_000),
    ("+2.50", 2_500_000_000),
    (7, 7_000_000_000),
    ("9223372036.854775807", PRICE_MAX),
]

BAD_DECIMALS = [
    ("0.0000000001", "more than nine decimals"),
    ("1,000", "is not a decimal amount"),
    ("1e9", "is not a decimal amount"),
    ("NaN", "is not a decimal amount"),
    ("inf", "is not a decimal amount"),
    ("", "is not a decimal amount"),
    (".5", "is not a decimal amount"),
    ("5.", "is not a decimal amount"),
    ("1__0", "is not a decimal amount"),
    ("\u0661", "is not a decimal amount"),
    ("9" * 65, "is not a decimal amount"),
    ("9223372036.854775808", "too large"),
    (10**40, "too large"),
    (True, "the boolean true"),
    (TomlFloat("0.01"), 'write it as text: "0.01"'),
    (TomlFloat("nan"), "the float nan is not a decimal amount"),
    (None, "is not a decimal amount"),
    ([], "an array is not a decimal amount"),
]

DURATIONS = [
    ("100ms", 100_000_000),
    ("1s", 1_000_000_000),
    ("5m", 300_000_000_000),
    ("1h", 3_600_000_000_000),
    ("250us", 250_000),
    ("7ns", 7),
    ("1.5s", 1_500_000_000),
    ("1_000 ms", 1_000_000_000),
]

BAD_DURATIONS = [
    (5, 'write it like "5ms" or "5s"'),
    ("5", "is not a duration"),
    ("0s", "is zero"),
    ("-1s", "is not a duration"),
    ("1 day", "is not a duration"),
    ("0.5ns", "finer than a nanosecond"),
    ("9999999h", "too long"),
    ("NaNs", "is not a duration"),
    (TomlFloat("1.5"), "the float 1.5 is not a duration"),
    (False, "the boolean false"),
]

BAD_COUNTS = [
    ("1.5", "is not a whole number"),
    (TomlFloat("2.0"), "the float 2.0"),
    (COUNT_MAX + 1, "too large"),
    (True, "the boolean true"),
    ("", "is not a whole number"),
]


@pytest.mark.parametrize(("written", "units"), DECIMALS, ids=str)
def test_decimal_text_is_exact(written: object, units: int) -> None:
    assert parse_decimal(written, maximum=PRICE_MAX) == units


@pytest.mark.parametrize(("written", "complaint"), BAD_DECIMALS, ids=repr)
def test_bad_decimal_is_refused(written: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_decimal(written, maximum=PRICE_MAX)

    assert complaint in str(refused.value)


@pytest.mark.parametrize(("written", "nanos"), DURATIONS, ids=str)
def test_duration_is_nanoseconds(written: str, nanos: int) -> None:
    assert parse_duration(written) == nanos


@pytest.mark.parametrize(("written", "complaint"), BAD_DURATIONS, ids=repr)
def test_bad_duration_is_refused(written: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_duration(written)

    assert complaint in str(refused.value)


@pytest.mark.parametrize(("written", "complaint"), BAD_COUNTS, ids=repr)
def test_bad_count_is_refused(written: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_count(written)

    assert complaint in str(refused.value)


@given(st.integers(-MONEY_MAX, MONEY_MAX))
def test_amount_survives_a_round_trip(units: int) -> None:
    assert parse_decimal(format_decimal(units).replace(",", "_"), maximum=MONEY_MAX) == units


@given(st.integers(1, COUNT_MAX))
def test_duration_survives_a_round_trip(nanos: int) -> None:
    assert parse_duration(format_duration(nanos)) == nanos
