"""Which parent orders reach which router when, in each variant of the morning.

Times are nanoseconds after the open (09:30:00 in New York); the auction's orders have negative ones. Routers are
indices, 0 for smars-1 and 7 for smars-8, the server that was left with the old code.

===  =================================================================================================================
S1   All 212 parents on smars-8 from the open on, 1,481 executions a second for 45 minutes. The default.
S2   Rollback: 27 parents on smars-8; at minute 24 the new code is removed from the seven good servers, and 185
     further parents enter there (SEC paragraph 27). Quiet at first, then eight times worse; the same totals.
S3   Everything is shut down after 28 minutes, the earliest account of the end: the same quantities, faster.
S4   Stealth: a single parent, seven executions a second; no message rate gives it away.
S5   Children carry no parent id, and the account does not ask for one.
S6   Churn: 106 stocks bought and sold at once; no position builds up.
===  =================================================================================================================
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from router_sim.behaviour import CHILD_QTY
from router_sim.knight.background import HealthyParent, healthy_flow, standing_orders
from router_sim.knight.stocks import (
    ATTEMPTS_PER_EXECUTION,
    EXECUTIONS,
    Stock,
    minor_executions,
    stocks,
    weights,
)
from router_sim.knight.table import largest_remainder, marks
from router_sim.units import MINUTE

Variant = Literal["S1", "S2", "S3", "S4", "S5", "S6"]
VARIANTS: Final[tuple[Variant, ...]] = get_args(Variant)

MORNING: Final = 45 * MINUTE
"""From the open until the last child: "approximately 45 minutes" (SEC)."""

EARLY_END: Final = 28 * MINUTE
ROLLBACK_AT: Final = 24 * MINUTE
ROUTERS: Final = tuple(f"smars-{n}" for n in range(1, 9))
OLD_SERVER: Final = 7
"""Index of smars-8."""

PARENTS: Final = 212
SECOND_PARENTS: Final = 31
ROLLBACK_PARENTS: Final = 27
ROLLBACK_SHARE: Final = 0.238
"""Share of the executions that smars-8 alone makes in S2."""

STEALTH_RANK: Final = 55
STEALTH_MAX_MID: Final = 40_000_000_000
"""$40: above it the stealth parent's notional alone would be loud."""

CHURN_SYMBOLS: Final = 106
PRE_OPEN_REJECTS: Final = 97
PRE_OPEN_FROM: Final = -89 * MINUTE
"""08:01, when the first of them came."""

PRE_OPEN_TEXT: Final = "Power Peg disabled"


@dataclass(frozen=True, slots=True)
class KnightParent:
    """One of the parents that Power Peg worked. Quantities in shares, times in ns after the open."""

    number: int
    """1 to 212; also the stream of its fill coins."""
    name: str
    stock: int
    """Index into the stocks, rank - 1."""
    sign: int
    qty: int
    executions: int
    """Expected executions in the whole run."""
    router: int
    entered_at: int
    """When the OMS entered it."""
    first_at: int
    """When its first child leaves."""
    delay: int
    """Time from child to child."""


@dataclass(frozen=True, slots=True)
class PreOpenReject:
    """One of the 97 messages of the morning that nobody read as a warning."""

    at: int
    router: int
    stock: int
    text: str


@dataclass(frozen=True, slots=True)
class Universe:
    """Everything that happens in one run, before anybody stops it."""

    variant: Variant
    seed: int
    duration: int
    stocks: tuple[Stock, ...]
    parents: tuple[KnightParent, ...]
    healthy: tuple[HealthyParent, ...]
    standing: tuple[HealthyParent, ...]
    pre_open: tuple[PreOpenReject, ...]

    @property
    def parent_ids(self) -> bool:
        """Whether children name their parent."""
        return self.variant != "S5"

    @property
    def calibrated(self) -> bool:
        """Whether the run must meet the SEC's figures; S4 and S6 are other stories."""
        return self.variant in {"S1", "S2", "S3", "S5"}

    @property
    def rolled_back(self) -> frozenset[int]:
        """Routers that are given the old code in the course of the morning."""
        return frozenset(parent.router for parent in self.parents if parent.entered_at >= 0)


@dataclass(frozen=True, slots=True)
class _Share:
    """A parent before the seed has moved it: a stock's side and its executions."""

    stock: int
    sign: int
    executions: int
    router: int = OLD_SERVER
    enters: int | None = None
    """Time of entry; `None` is before the open."""


def universe(
    variant: Variant = "S1", seed: int = 1, *, until: int | None = None, rollback_at: int = ROLLBACK_AT
) -> Universe:
    """Build a variant. The seed moves phases, fills and parent sizes; ``until`` (ns) limits the background flow.

    Only the rollback of S2 at `ROLLBACK_AT` is the one of that morning.
    """
    table = stocks()
    if variant == "S4":
        table = tuple(replace(s, mid0=min(s.mid0, STEALTH_MAX_MID)) if s.rank == STEALTH_RANK else s for s in table)
    duration = EARLY_END if variant == "S3" else MORNING
    shown = min(duration, until) if until is not None else duration
    flows = [healthy_flow(seed, router, len(table), shown) for router in range(len(ROUTERS))]
    return Universe(
        variant=variant,
        seed=seed,
        duration=duration,
        stocks=table,
        parents=_parents(_shares(variant, table, rollback_at), seed, duration),
        healthy=tuple(sorted((p for flow in flows for p in flow), key=lambda p: p.at)),
        standing=tuple(p for router in range(len(ROUTERS)) for p in standing_orders(seed, router, len(table))),
        pre_open=_pre_open(seed, len(table)),
    )


def _shares(variant: Variant, table: tuple[Stock, ...], rollback_at: int) -> list[_Share]:
    if variant == "S4":
        stock = table[STEALTH_RANK - 1]
        return [_Share(stock.rank - 1, stock.sign, stock.executions)]
    if variant == "S6":
        return _churn()
    shares = _one_sided(table)
    return _rolled_back(shares, rollback_at) if variant == "S2" else shares


def _one_sided(table: tuple[Stock, ...]) -> list[_Share]:
    """154 parents, 27 minor sides and 31 second parents of the same side: 212."""
    second_parents = [s for s in table if not s.two_sided and s.rank >= 6][:SECOND_PARENTS]
    halves = {s.rank for s in second_parents}
    major = []
    minor = []
    second = []
    for i, s in enumerate(table):
        executions = s.executions
        if s.two_sided:
            against = minor_executions(executions)
            minor.append(_Share(i, -s.sign, against))
            executions -= against
        elif s.rank in halves:
            second.append(_Share(i, s.sign, executions // 2))
            executions -= executions // 2
        major.append(_Share(i, s.sign, executions))
    return major + minor + second


def _rolled_back(shares: list[_Share], rollback_at: int) -> list[_Share]:
    """Leave 27 parents on smars-8, rank 1 among them; the others enter the other servers at the rollback."""
    kept = {0} | {i + 1 for i, mark in enumerate(marks(len(shares) - 1, ROLLBACK_PARENTS - 1, 0)) if mark}
    target = round(ROLLBACK_SHARE * sum(s.executions for s in shares))
    # An even spread falls short of the share: swap pairs of parents until that closes the gap no further.
    missing = target - sum(shares[i].executions for i in kept)
    while True:
        gap, out, into = min(
            (abs(missing - shares[j].executions + shares[i].executions), i, j)
            for i in kept - {0}
            for j in range(len(shares))
            if j not in kept
        )
        if gap >= abs(missing):
            break
        missing -= shares[into].executions - shares[out].executions
        kept = (kept - {out}) | {into}
    others = iter(range(len(shares)))
    return [
        s if i in kept else replace(s, router=next(others) % OLD_SERVER, enters=rollback_at)
        for i, s in enumerate(shares)
    ]


def _churn() -> list[_Share]:
    """Both sides of 106 stocks, with as many executions in all as the morning had."""
    executions = largest_remainder(EXECUTIONS, weights(CHURN_SYMBOLS))
    return [_Share(i, sign, n // 2 if sign > 0 else n - n // 2) for i, n in enumerate(executions) for sign in (1, -1)]


def _parents(shares: list[_Share], seed: int, duration: int) -> tuple[KnightParent, ...]:
    """Give every parent its size and its phase."""
    source = random.Random(f"parents/{seed}")
    parents = []
    for number, share in enumerate(shares, start=1):
        starts = 0 if share.enters is None else share.enters
        attempts = round(ATTEMPTS_PER_EXECUTION * share.executions)
        delay = (duration - starts) // attempts
        lots = source.randint(1, 20)
        waited = source.randrange(1, 30 * MINUTE)
        parents.append(
            KnightParent(
                number=number,
                name=f"RLP-{number}",
                stock=share.stock,
                sign=share.sign,
                qty=CHILD_QTY * (1 if number == 1 and share.stock == 0 else lots),
                executions=share.executions,
                router=share.router,
                entered_at=-waited if share.enters is None else starts,
                first_at=starts + source.randrange(delay),
                delay=delay,
            )
        )
    return tuple(parents)


def _pre_open(seed: int, symbols: int) -> tuple[PreOpenReject, ...]:
    """97 rejects on smars-8 from 08:01 until 09:30. That all came from smars-8 is an assumption."""
    source = random.Random(f"pre-open/{seed}")
    further = sorted(source.randrange(PRE_OPEN_FROM + 1, 0) for _ in range(PRE_OPEN_REJECTS - 1))
    return tuple(
        PreOpenReject(at, OLD_SERVER, source.randrange(symbols), PRE_OPEN_TEXT) for at in (PRE_OPEN_FROM, *further)
    )
