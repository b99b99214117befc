"""What a live fleet is given to do: which parent reaches which router when.

`knight` is the morning of 1 August 2012 as the replay has it (`router_sim.knight.universe`), cut to the seconds that
are shown and with a quiet stretch before the open. Times are ns after the open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from router_sim.behaviour import NEVER
from router_sim.knight.background import HealthyParent, healthy_flow
from router_sim.knight.stocks import TICK, Stock
from router_sim.knight.universe import ROUTERS, Universe, universe
from router_sim.plan import Parent
from router_sim.units import SECOND, USD

LiveVariant = Literal["S1", "S4", "S5", "S6"]
"""Variants whose story begins at the open; S2 and S3 are told by the minute, in the replay."""

STANDING = 5
"""Orders per router that rest away from the market all the while, so that a halt has something to cancel."""

STANDING_BPS = 100
"""How far away from the mid they rest."""

RETAIL_EVERY = 4
"""Every so many healthy parents is a retail order, on routers 1 to 7."""

ROLLED_BACK_DELAY = 20_000_000
"""Time between two children of Power Peg on a router that was rolled back, in ns."""

BASKET_USD = 444_000_000_000
"""What Citi's basket of 58 million dollars was entered as."""

BASKET_CHILD_USD = 400_000
BASKET_CHILD_QTY = 10_000
"""Each child of the basket stays below what one order may be worth, and how large it may be."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A parent and the router it goes to."""

    router: str
    parent: Parent


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything a fleet is given, in order of time."""

    stocks: tuple[Stock, ...]
    routers: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    parent_ids: bool
    """Whether children name their parent."""

    def with_more(self, assignments: Iterable[Assignment]) -> Scenario:
        """The same with further parents."""
        merged = sorted([*self.assignments, *assignments], key=lambda assignment: assignment.parent.at)
        return replace(self, assignments=tuple(merged))


def knight(
    account: str,
    variant: LiveVariant = "S1",
    *,
    seed: int = 1,
    lead_s: int = 5,
    run_s: int = 50,
    spread: bool = False,
) -> Scenario:
    """The morning, live.

    Args:
        account: whom all orders are for.
        variant: which of the replay's variants.
        seed: moves phases and sizes, never the stocks.
        lead_s: seconds before the open in which healthy flow runs and standing orders are placed.
        run_s: seconds after the open.
        spread: give every router its share of the flagged parents, instead of all to smars-8.
    """
    morning = universe(variant, seed, until=run_s * SECOND)
    make = _Maker(account, morning, spread)
    found = [*make.pre_open(lead_s), *make.standing(lead_s), *make.quiet(seed, lead_s), *make.flagged(lead_s)]
    found += [make.healthy("H", number, parent) for number, parent in enumerate(morning.healthy, start=1)]
    found.sort(key=lambda assignment: assignment.parent.at)
    return Scenario(morning.stocks, ROUTERS, tuple(found), morning.parent_ids)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Turns the replay's parents into live ones."""

    account: str
    morning: Universe
    spread: bool

    def flagged(self, lead_s: int) -> list[Assignment]:
        """The 212 retail orders for the auction, entered before the open."""
        return [
            Assignment(
                ROUTERS[plan.number % len(ROUTERS) if self.spread else plan.router],
                Parent(
                    parent_cl_ord_id=plan.name,
                    account=self.account,
                    symbol=self.morning.stocks[plan.stock].name,
                    buy=plan.sign > 0,
                    qty=plan.qty,
                    at=-lead_s * SECOND,
                    first_at=plan.first_at,
                    retail=True,
                    delay=plan.delay,
                ),
            )
            for plan in self.morning.parents
        ]

    def healthy(self, prefix: str, number: int, plan: HealthyParent, shift: int = 0) -> Assignment:
        """A parent for correct code: every other one rests first, some are retail orders."""
        stock, buy = self.morning.stocks[plan.stock], plan.sign > 0
        passive = number % 2 == 0
        market = stock.market()
        parent = Parent(
            parent_cl_ord_id=f"{prefix}-{number}",
            account=self.account,
            symbol=stock.name,
            buy=buy,
            qty=plan.qty,
            at=plan.at + shift,
            first_at=plan.at + shift,
            retail=number % RETAIL_EVERY == 1 and plan.router != len(ROUTERS) - 1,
            delay=ROLLED_BACK_DELAY,
            pace=plan.pace,
            price=(market.bid if buy else market.ask) if passive else None,
            resting=plan.resting if passive else NEVER,
        )
        return Assignment(ROUTERS[plan.router], parent)

    def quiet(self, seed: int, lead_s: int) -> list[Assignment]:
        """Healthy flow before the open: that of another morning, ended in time."""
        lead = lead_s * SECOND
        flows = [healthy_flow(seed + 1_000, r, len(self.morning.stocks), lead) for r in range(len(ROUTERS))]
        plans = [plan for flow in flows for plan in flow]
        return [self.healthy("Q", number, plan, -lead) for number, plan in enumerate(plans, start=1)]

    def standing(self, lead_s: int) -> list[Assignment]:
        """Orders that rest away from the market from before the open on."""
        found = []
        for place, router in enumerate(ROUTERS):
            for number in range(STANDING):
                stock = self.morning.stocks[(place * STANDING + number) * 3 % len(self.morning.stocks)]
                away = stock.mid0 * STANDING_BPS // 10_000 + TICK
                price = (stock.mid0 - away) // TICK * TICK
                parent = Parent(
                    parent_cl_ord_id=f"R-{place + 1}-{number + 1}",
                    account=self.account,
                    symbol=stock.name,
                    buy=True,
                    qty=100,
                    at=-lead_s * SECOND,
                    first_at=-lead_s * SECOND,
                    price=price,
                )
                found.append(Assignment(router, parent))
        return found

    def pre_open(self, lead_s: int) -> list[Assignment]:
        """The 97 flagged orders of the pre-market: old code answers each with a message nobody reads."""
        count = len(self.morning.pre_open)
        return [
            Assignment(
                ROUTERS[reject.router],
                Parent(
                    parent_cl_ord_id=f"PRE-{number + 1}",
                    account=self.account,
                    symbol=self.morning.stocks[number].name,
                    buy=True,
                    qty=100,
                    at=-lead_s * SECOND * (count - number) // count,
                    first_at=-1,
                    retail=True,
                ),
            )
            for number, reject in enumerate(self.morning.pre_open)
        ]


def basket(account: str, router: str, stocks: Sequence[Stock]) -> list[Assignment]:
    """A basket to sell that was entered seven thousand times too large: every parent is registered, every child small.

    Args:
        account: whom it is for.
        router: the router that works it.
        stocks: what it is made of, equal money in each.
    """
    share = BASKET_USD // len(stocks)
    return [
        Assignment(
            router,
            Parent(
                parent_cl_ord_id=f"BASKET-{router}-{stock.rank}",
                account=account,
                symbol=stock.name,
                buy=False,
                qty=share * USD // stock.mid0,
                at=0,
                first_at=0,
                slice_qty=min(BASKET_CHILD_QTY, BASKET_CHILD_USD * USD // stock.mid0),
            ),
        )
        for stock in stocks
    ]
