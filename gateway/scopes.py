"""Scopes as text: ``firm``, ``router:smars-8``, ``account_symbol:ACC1/AAPL``; ``router:*`` is the default of a kind."""

from typing import Final, NamedTuple

from gateway.problems import closest

KINDS: Final = ("firm", "account", "router", "strategy", "symbol", "account_symbol", "router_symbol")
PAIRS: Final = ("account_symbol", "router_symbol")
DEFAULT: Final = "*"


class ScopeText(NamedTuple):
    """A scope taken apart. ``name`` is ``*`` for the default of a kind; ``symbol`` is the second half of a pair."""

    kind: str
    name: str
    symbol: str

    def __str__(self) -> str:
        if self.kind == "firm":
            return "firm"
        return f"{self.kind}:{self.name}/{self.symbol}" if self.symbol else f"{self.kind}:{self.name}"

    @property
    def is_default(self) -> bool:
        """Whether it stands for every scope of its kind."""
        return self.name == DEFAULT


def parse_scope(text: str) -> ScopeText:
    """Take a scope's text apart.

    Raises:
        ValueError: unknown kind, or a name too many or too few; the message ends in the mend.
    """
    kind, colon, name = text.partition(":")
    if kind not in KINDS:
        raise ValueError(f'"{text}" is not a scope: "{kind}" is no kind of scope; {closest(kind, KINDS, noun="kind")}')
    if kind == "firm":
        if colon:
            raise ValueError(f'"{text}" is not a scope; the firm has no name: write "firm"')
        return ScopeText("firm", "", "")
    if not name:
        example = "ACC1/AAPL" if kind == "account_symbol" else "smars-8/AAPL" if kind == "router_symbol" else "NAME"
        raise ValueError(f'"{text}" names no {kind.replace("_", " and ")}; write "{kind}:{example}"')
    if kind not in PAIRS or name == DEFAULT:
        if "/" in name:
            raise ValueError(f'"{text}" names a pair, but {kind} is one name; write "{kind}:{name.split("/")[0]}"')
        return ScopeText(kind, name, "")
    first, slash, symbol = name.partition("/")
    if not (first and slash and symbol) or "/" in symbol:
        raise ValueError(f'"{text}" is not a pair; write "{kind}:{first or "NAME"}/SYMBOL"')
    return ScopeText(kind, first, symbol)
