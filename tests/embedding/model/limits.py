"""Limits in force: a scope's own setting, or the default of its kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.embedding.model.scopes import kind

HALTING = {
    "parent_overfill_halt_after", "max_excess_leaving_bps", "duplicate_orders_halt", "max_repeated_executions",
    "max_unacknowledged_age", "max_rejects", "max_notional_velocity", "max_turnover_day", "max_day_loss", "max_drawdown",
    "max_execution_loss", "max_unmatched_notional",
}  # fmt: skip
"""What halts unless a setting says otherwise; the others reject."""

REQUIRED = {
    "firm": ("max_gross_notional", "max_turnover_day", "max_day_loss"),
    "account": ("max_order_notional", "max_gross_notional", "max_day_loss"),
    "router": ("message_rate",),
    "symbol": ("max_order_qty", "market_data_max_age", "price_collar_bps"),
    "account_symbol": ("max_long_position", "max_short_position"),
}
"""Without these, and with a breach that stops something, no order passes; in the order in which they are missed."""

STATES = {"reduce_only": "REDUCE_ONLY", "cancel_only": "CANCEL_ONLY", "halt": "HALTED"}
SEVERITY = ["ACTIVE", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED"]


@dataclass(frozen=True)
class Setting:
    """A value, what a breach does, and the event since which it counts."""

    value: int
    action: str
    since: int

    @property
    def blocks(self) -> bool:
        """Whether a breach stops anything."""
        return self.action not in {"shadow", "notify"}

    @property
    def halts(self) -> str | None:
        """The state that a breach puts the scope in."""
        return STATES.get(self.action)


@dataclass
class Limits:
    """Every setting, by scope or ``kind:*`` and name."""

    settings: dict[tuple[str, str], Setting] = field(default_factory=dict)

    def put(self, n: int, target: str, name: str, value: int | None, action: str | None = None) -> None:
        """Set or remove one. What is changed goes on counting."""
        if value is None:
            self.settings.pop((target, name), None)
            return
        before = self.settings.get((target, name))
        if before is None and not target.endswith("*"):
            before = self.settings.get((f"{kind(target)}:*", name))
        action = action or ("halt" if name in HALTING else "reject")
        self.settings[target, name] = Setting(value, action, before.since if before else n)

    def get(self, scope: str, name: str) -> Setting | None:
        """The setting in force."""
        return self.settings.get((scope, name)) or self.settings.get((f"{kind(scope)}:*", name))

    def blocking(self, scope: str, name: str) -> Setting | None:
        """The setting in force, if a breach of it stops anything."""
        setting = self.get(scope, name)
        return setting if setting and setting.blocks else None

    def value(self, scope: str, name: str, otherwise: int) -> int:
        """The value in force, or what holds without one."""
        setting = self.get(scope, name)
        return setting.value if setting else otherwise

    def missing(self, scope: str) -> str | None:
        """The first limit that is required at a scope and not set so that it stops anything."""
        return next((name for name in REQUIRED.get(kind(scope), ()) if not self.blocking(scope, name)), None)
