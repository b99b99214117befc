"""A replay as JSON; the keys are documented in docs/reference/replay.md and do not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from router_sim.knight.calibration import assertions
from router_sim.knight.firm import Rollback
from router_sim.knight.limits import PROFILE
from router_sim.knight.result import RunResult, caught_by, culprit, excess_to_culprit, first_excess_at
from router_sim.replay.parts import finding_json, halt_json, ms, refusal_json
from router_sim.replay.side_by_side import Comparison, Step


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The whole replay, ready for `json.dumps`. Times are milliseconds after the open, money is dollars."""
    return {
        "variant": comparison.variant,
        "seed": comparison.seed,
        "duration_s": comparison.uncontrolled.duration / 1e9,
        "without": list(comparison.without),
        "quarantine": comparison.firm.quarantine,
        "readiness_gate": comparison.firm.readiness_gate,
        "uncontrolled": _uncontrolled(comparison.uncontrolled),
        "controlled": _controlled(comparison.controlled),
        "details": _details(comparison),
    }


def _uncontrolled(run: RunResult) -> dict[str, Any]:
    totals = run.totals
    return {
        "executions": totals.executions,
        "shares": totals.shares,
        "symbols": totals.symbols,
        "long_symbols": totals.long_symbols,
        "short_symbols": totals.short_symbols,
        "net_long_usd": round(totals.net_long_usd),
        "net_short_usd": round(totals.net_short_usd),
        "loss_usd": round(totals.loss_usd),
    }


def _controlled(run: RunResult) -> dict[str, Any]:
    gate = run.gate
    if gate is None:
        raise ValueError("a controlled run has a gate")
    halt = gate.halts[0] if gate.halts else None
    naming = culprit(run)
    warning = gate.warning
    return {
        "variant": run.variant,
        "check": caught_by(run),
        "halted_scope": halt.scope if halt else None,
        "culprit": naming.router if naming else None,
        "named_by": naming.by if naming else None,
        "warning_ms": ms(warning.at if warning else None),
        "red_at_open": list(gate.opening.red),
        "gate": gate.opening.gate,
        "first_excess_ms": ms(first_excess_at(run)),
        "first_reject_ms": ms(gate.first_refusal.first_at if gate.first_refusal else None),
        "halt_ms": ms(halt.at if halt else None),
        "excess_to_culprit_ms": ms(excess_to_culprit(run)),
        "executions_until_halt": gate.executions_until_halt,
        "leaked_executions": run.totals.leaked_executions,
        "leaked_shares": run.totals.leaked_shares,
        "loss_usd": round(run.totals.loss_usd),
        "healthy_orders": run.healthy_orders,
        "healthy_rejected": run.healthy_rejected,
        "cancels_outstanding": gate.cancels_outstanding,
        "rollback_refused": list(run.rollback.refused) if run.rollback else None,
    }


def _details(comparison: Comparison) -> dict[str, Any]:
    controlled = comparison.controlled
    gate = controlled.gate
    uncontrolled = comparison.uncontrolled
    full = uncontrolled.duration >= _full_duration(comparison.variant)
    return {
        "uncontrolled_touch_pnl_usd": round(uncontrolled.totals.touch_pnl_usd),
        "uncontrolled_attempts": uncontrolled.attempts,
        "uncontrolled_wall_s": round(uncontrolled.wall_seconds, 3),
        "controlled_wall_s": round(controlled.wall_seconds, 3),
        "controlled_attempts": controlled.attempts,
        "controlled_executions": controlled.totals.executions,
        "controlled_leaked_usd": round(controlled.totals.leaked_notional_usd),
        "loss_at_halt_usd": round(gate.loss_at_halt_usd) if gate else None,
        "all_cancelled_ms": ms(gate.all_cancelled_at if gate else None),
        "cancels": gate.cancels if gate else 0,
        "refusals": [refusal_json(refusal, PROFILE) for refusal in (gate.refusals if gate else ())],
        "findings": [finding_json(found) for found in (gate.findings if gate else ())],
        "overridden_ms": ms(gate.opening.overridden_at if gate else None),
        "rollback": _rollback(controlled.rollback),
        "halts": [halt_json(halt) for halt in (gate.halts if gate else ())],
        "calibration": [
            {**asdict(assertion), "holds": assertion.holds} for assertion in assertions(uncontrolled.totals)
        ]
        if full and comparison.variant not in {"S4", "S6"}
        else [],
    }


def _rollback(rollback: Rollback | None) -> dict[str, Any] | None:
    if rollback is None:
        return None
    return {
        "at_ms": ms(rollback.at),
        "refused": list(rollback.refused),
        "spread": list(rollback.spread),
        "sentence": rollback.sentence,
    }


def ladder_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The steps of the ladder, each with the controlled run's keys."""
    return [
        {"removed": list(step.removed), "caught_by": step.caught, "controlled": _controlled(step.run)} for step in steps
    ]


def _full_duration(variant: str) -> int:
    from router_sim.knight.universe import EARLY_END, MORNING

    return EARLY_END if variant == "S3" else MORNING
