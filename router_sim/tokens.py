"""Who the fleet is, read from the gateway's own configuration: names, tokens, and the account its orders are for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class TokenError(ValueError):
    """The fleet cannot tell who it is; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Credentials of one OMS and of every router."""

    account: str
    oms: str
    oms_token: str = field(repr=False)
    routers: Mapping[str, str] = field(repr=False)


def read_tokens(config: Path, oms: str | None, oms_token: str | None, fleet: Sequence[str]) -> Tokens:
    """Read `riskgate.toml`.

    Args:
        config: the file.
        oms: which of its `[[oms]]` to be; None = the first.
        oms_token: that one's token, if it is not to be read from the file.
        fleet: routers that must be there.

    Raises:
        TokenError: the file cannot be read, or a table is missing in it.
    """
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise TokenError(f"{config}: cannot read ({error.strerror}); name it with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TokenError(f"{config}: {error}") from error
    names = _named(document, "oms", config)
    chosen = next(iter(names)) if oms is None else oms
    if chosen not in names:
        raise TokenError(f"{config}: no [[oms]] named {chosen!r}; there are {', '.join(names)}")
    account = next(iter(_named(document, "accounts", config)))
    routers = _named(document, "routers", config)
    for name in fleet:
        if name not in routers:
            raise TokenError(f"{config}: no [[routers]] named {name!r}; the fleet has {', '.join(fleet)}")
    return Tokens(account, chosen, oms_token or names[chosen], routers)


def _named(document: Mapping[str, Any], table: str, config: Path) -> dict[str, str]:
    """Name to token (empty where there is none) of an array of tables."""
    rows = document.get(table)
    if not isinstance(rows, list) or not rows:
        raise TokenError(f"{config}: no [[{table}]]")
    try:
        return {str(row["name"]): str(row.get("token", "")) for row in rows}
    except (KeyError, TypeError, AttributeError) as error:
        raise TokenError(f"{config}: each [[{table}]] needs a name") from error
