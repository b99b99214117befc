"""Names and instruments, as configuration files give them."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from gateway.units import PRICE_MAX, format_decimal, parse_decimal

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,35}", re.ASCII)


def check_name(name: str) -> str:
    """A name that is safe in scopes, metrics and records.

    Raises:
        ValueError: empty, longer than 36 characters, or with other characters than letters, digits and ``. _ + -``.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(
            f'"{name[:40]}" is not a name; use 1 to 36 letters, digits and . _ + -, beginning with a letter or digit'
        )
    return name


def _tick(value: object) -> int:
    tick = parse_decimal(value, maximum=PRICE_MAX)
    if tick <= 0:
        raise ValueError(f'{format_decimal(tick)} is not a price step; it must be more than 0, like "0.01"')
    return tick


Name = Annotated[str, AfterValidator(check_name), Field(pattern=None, json_schema_extra={"pattern": _NAME.pattern})]
"""A configured name."""

Tick = Annotated[
    int, BeforeValidator(_tick), WithJsonSchema({"type": ["string", "integer"], "description": "Decimal text, > 0."})
]
"""A price step in 1e-9, written as decimal text."""


def _close(value: object) -> int:
    price = parse_decimal(value, maximum=PRICE_MAX)
    if price <= 0:
        raise ValueError(f'{format_decimal(price)} is not a closing price; it must be more than 0, like "100.00"')
    return price


Close = Annotated[
    int, BeforeValidator(_close), WithJsonSchema({"type": ["string", "integer"], "description": "Decimal text, > 0."})
]
"""A closing price in 1e-9, written as decimal text."""


class StrictModel(BaseModel):
    """Base of every configuration table: unknown keys are refused, nothing is coerced, nothing changes later."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_CURRENCY: Final = re.compile(r"[A-Z][A-Z0-9]{2,11}", re.ASCII)


def _currency(code: str) -> str:
    if _CURRENCY.fullmatch(code) is None:
        raise ValueError(f'"{code[:40]}" is no currency code; use ISO 4217, like "USD"')
    return code


Currency = Annotated[
    str, AfterValidator(_currency), Field(pattern=None, json_schema_extra={"pattern": _CURRENCY.pattern})
]
"""A currency by its code (ISO 4217, FIX 15)."""


class Symbol(StrictModel):
    """An instrument.

    Prices are multiples of ``tick`` (1e-9), quantities of ``lot``; ``multiplier`` is the money per price unit and
    quantity unit; ``adv`` is the quantity traded on an average day, which ``max_order_adv_bps`` needs.

    With ``reg_sho`` Regulation SHO binds sells: marking, locates (unless ``easy_to_borrow``) and Rule 201, which is told
    from ``prior_close`` where the venue does not say one. With ``luld`` no order passes in continuous trading while the
    price bands are not known.

    ``security_group`` (FIX 1151) is a class of instruments by a name of your own, at most 64 of them: a router that trades
    one which its peers do not is a finding.

    ``currency`` is that of its prices, the firm's base currency unless told otherwise.
    """

    name: Name = Field(examples=["AAPL"])
    tick: Tick = Field(examples=["0.01"])
    lot: int = Field(default=1, ge=1, le=2**62, examples=[1])
    multiplier: int = Field(default=1, ge=1, le=2**62, examples=[1])
    reg_sho: bool = Field(default=False, examples=[False])
    luld: bool = Field(default=False, examples=[False])
    easy_to_borrow: bool = Field(default=False, examples=[False])
    prior_close: Close | None = Field(default=None, examples=["100.00"])
    adv: int | None = Field(default=None, ge=1, le=2**62, examples=[50_000_000])
    security_group: Name | None = Field(default=None, examples=["ETF"])
    currency: Currency | None = Field(default=None, examples=["EUR"])
