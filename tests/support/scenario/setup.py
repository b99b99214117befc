"""The configuration of a gateway from the steps of a scenario that describe it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.support.scenario.fleet import fleet_tables
from tests.support.scenario.language import Line

PEOPLE = ("alice", "bob", "carol")

_DESCRIBING = {"account", "router", "strategy", "symbol", "currency", "phases", "fleet", "flag", "known", "permit"}
_BEFORE = _DESCRIBING | {
    "limit",
    "mark",
    "venue",
    "position",
    "only",
    "rate",
    "phase",
    "bands",
    "prior_close",
    "short_sale",
    "drop_copy",
}
"""Steps after which limits still belong to the configuration."""


def token(name: str) -> str:
    """The token of a router, an operator or the OMS in a scenario."""
    return f"token-of-{name}-in-scenarios"


def split(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The steps that describe the gateway before it starts, and those that happen while it runs.

    Names are configured wherever they stand; limits until the first step that does something.
    """
    configured: list[Line] = []
    steps: list[Line] = []
    for line in lines:
        quiet = all(step.words[0] in _BEFORE for step in steps)
        limit = line.words[0] == "limit" and quiet and line.expect is None and not line.get("by")
        (configured if line.words[0] in _DESCRIBING or limit else steps).append(line)
    return configured, [line for line in steps if line.words[0] != "only"]


def configuration(configured: Sequence[Line], positions: Sequence[Line], venue: str, directory: Path) -> str:
    """The text of `riskgate.toml`; what it names besides is written into its directory."""
    listeners = "".join(f'[{name}]\nlisten = "127.0.0.1:0"\n' for name in ("order_entry", "halt", "admin", "metrics"))
    listeners = listeners.replace("[order_entry]\n", '[order_entry]\nheartbeat = "60s"\n')
    capacity = "[capacity]\nmax_orders = 16_384\n"
    text = f'[gateway]\nname = "gw1"\n{listeners}{capacity}[venue]\naddress = "{venue}"\n'
    if any(line.words[0] == "phases" for line in configured):
        text += "publishes_phases = true\n"
    if any("drop_copy_max_lag" in word for line in configured for word in line.words):
        text += "drop_copy = true\n"
    text += f'[[oms]]\nname = "oms"\ntoken = "{token("oms")}"\n'
    text += "".join(f'[[operators]]\nname = "{n}"\nrole = "risk"\ntoken = "{token(n)}"\n' for n in PEOPLE)
    accounts = [name for line in configured if line.words[0] == "account" for name in line.plain()[1:]]
    if any(line.words[0] == "currency" for line in configured):
        text += '[firm]\nbase_currency = "USD"\n'
    known = [_known(line.words[1]) for line in configured if line.words[0] == "known"]
    if known:
        text += f"[findings]\nknown = {json.dumps(known)}\n"
    lists = {line.words[1]: line.words[2:] for line in configured if line.words[0] == "permit"}
    for line in configured:
        for name in line.plain()[1:] if line.words[0] != "permit" else ():
            text += _named(line, name, accounts) + _permitted(lists.get(f"{line.words[0]}:{name}", ()))
    for line in positions:
        account, symbol = line.words[1].partition(":")[2].split("/")
        text += f'[[opening_positions]]\naccount = "{account}"\nsymbol = "{symbol}"\n'
        text += f'qty = {line.words[2]}\nmark = "{line.words[4]}"\n'
    return text + fleet_tables(configured, directory) + _limits(configured)


def _known(text: str) -> str:
    """Words of the venue are one word in a scenario."""
    kind, _, value = text.partition(":")
    return f"{kind}:{value.replace('_', ' ')}" if kind == "venue_reject" else text


def _permitted(symbols: Sequence[str]) -> str:
    listed = ", ".join(f'"{symbol}"' for symbol in symbols)
    return f"symbols = [{listed}]\n" if symbols else ""


def _named(line: Line, name: str, accounts: Sequence[str]) -> str:
    match line.words[0]:
        case "account":
            required = "false" if line.get("parent_required") == "no" else "true"
            group = f'smp_group = "{line.get("smp_group")}"\n' if line.get("smp_group") else ""
            return f'[[accounts]]\nname = "{name}"\nparent_required = {required}\n{group}'
        case "router":
            granted = ", ".join(f'"{account}"' for account in accounts)
            return f'[[routers]]\nname = "{name}"\ntoken = "{token(name)}"\naccounts = [{granted}]\n'
        case "strategy":
            return f'[[strategies]]\nname = "{name}"\n'
        case "symbol":
            tick, lot, multiplier = (line.get(key) for key in ("tick", "lot", "multiplier"))
            return (
                (
                    f'[[symbols]]\nname = "{name}"\ntick = "{tick or "0.01"}"\n'
                    f"lot = {lot or 1}\nmultiplier = {multiplier or 1}\n"
                )
                + (f"adv = {line.get('adv')}\n" if line.get("adv") else "")
                + (f'security_group = "{line.get("group")}"\n' if line.get("group") else "")
                + (f'currency = "{line.get("currency")}"\n' if line.get("currency") else "")
                + "".join(
                    f"{rule} = true\n" for rule in ("reg_sho", "luld", "easy_to_borrow") if line.get(rule) == "yes"
                )
            )
    return ""


def _toml_limit(written: str) -> str:
    """``100,shadow,soft`` as the configuration writes it."""
    value, *words = written.split(",")
    if not words:
        return f'"{value}"'
    keys = ["soft = true" if word == "soft" else f'action = "{word}"' for word in words]
    return f'{{ value = "{value}", {", ".join(keys)} }}'


def _limits(configured: Sequence[Line]) -> str:
    """The limits; a later line about the same limit wins."""
    limits: dict[str, dict[str, str]] = {}
    for line in configured:
        if line.words[0] == "limit":
            limits.setdefault(line.words[1], {}).update(line.pairs())
    text = ""
    for scope, values in limits.items():
        kind, _, name = scope.partition(":")
        text += f'[limits.{kind}."{name}"]\n' if name else f"[limits.{kind}]\n"
        text += "".join(f"{limit} = {_toml_limit(value)}\n" for limit, value in values.items())
    return text
