"""An incident's replay as JSON; the keys are documented in docs/reference/replay.md and do not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from router_sim.defence import Profile
from router_sim.incidents.compare import Compared, Step, missed
from router_sim.incidents.result import Lifting, Run, caught_by, time_to_culprit
from router_sim.replay.parts import halt_json, ms, refusal_json


def as_json(compared: Compared) -> dict[str, Any]:
    """The whole replay, ready for `json.dumps`. Times are milliseconds after the fault began."""
    scene = compared.scene
    return {
        "incident": scene.story.name,
        "seed": scene.seed,
        "duration_s": compared.uncontrolled.duration / 1e9,
        "without": list(compared.without),
        "currency": scene.story.currency.strip(),
        "uncontrolled": _uncontrolled(compared.uncontrolled),
        "controlled": _controlled(compared.controlled),
        "details": _details(compared),
    }


def _uncontrolled(run: Run) -> dict[str, Any]:
    totals = run.totals
    return {
        "orders": totals.orders,
        "notional_sent": round(totals.notional_sent),
        "executed_orders": totals.executed_orders,
        "executed_qty": totals.executed_qty,
        "executed_notional": round(totals.executed_notional),
        "symbols": totals.symbols,
        "loss": _whole(totals.loss),
    }


def _controlled(run: Run) -> dict[str, Any]:
    door = run.door
    if door is None:
        raise ValueError("a controlled run has a door")
    halt = door.halts[0] if door.halts else None
    return {
        "check": caught_by(run),
        "halted_scope": halt.scope if halt else None,
        "culprit": door.culprit,
        "named_by": door.named_by or None,
        "first_excess_ms": ms(run.first_excess_at),
        "first_reject_ms": ms(door.first_refusal.first_at if door.first_refusal else None),
        "halt_ms": ms(halt.at if halt else None),
        "excess_to_culprit_ms": ms(time_to_culprit(run)),
        "orders_until_halt": door.orders_until_halt,
        "sent_orders": run.totals.orders,
        "leaked_orders": run.totals.leaked_orders,
        "leaked_qty": run.totals.leaked_qty,
        "leaked_notional": round(run.totals.leaked_notional),
        "loss": _whole(run.totals.loss),
        "healthy_orders": run.healthy_orders,
        "healthy_rejected": run.healthy_rejected,
        "cancels_outstanding": door.cancels_outstanding,
    }


def _details(compared: Compared) -> dict[str, Any]:
    run = compared.controlled
    door = run.door
    profile = compared.scene.profile
    return {
        "controlled_attempts": run.attempts,
        "controlled_executed_notional": round(run.totals.executed_notional),
        "all_cancelled_ms": ms(door.all_cancelled_at if door else None),
        "cancels": door.cancels if door else 0,
        "refusals": [refusal_json(refusal, profile) for refusal in (door.refusals if door else ())],
        "halts": [halt_json(halt) for halt in (door.halts if door else ())],
        "liftings": [_lifting(lifting) for lifting in (door.liftings if door else ())],
        "facts": [asdict(fact) for fact in compared.scene.story.facts],
        "facts_missed": missed(compared.uncontrolled, compared.scene.story.facts) if compared.is_whole else [],
        "uncontrolled_wall_s": round(compared.uncontrolled.wall_seconds, 3),
        "controlled_wall_s": round(run.wall_seconds, 3),
    }


def ladder_json(steps: Sequence[Step], profile: Profile) -> list[dict[str, Any]]:
    """The steps of the ladder, each with the controlled run's keys."""
    says = {line.name: line.says for line in profile.lines}
    return [
        {
            "removed": list(step.removed),
            "caught_by": step.caught,
            "says": says.get(step.caught or ""),
            "controlled": _controlled(step.run),
        }
        for step in steps
    ]


def _lifting(lifting: Lifting) -> dict[str, Any]:
    return {"at_ms": ms(lifting.at), "scope": lifting.scope, "alone": lifting.alone, "lifted": lifting.lifted}


def _whole(amount: float | None) -> int | None:
    return None if amount is None else round(amount)
