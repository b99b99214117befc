"""Switches that make the exchange misbehave, for drills and tests. All off by default; changed while it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields


class FaultError(ValueError):
    """An unknown switch or a value it cannot take."""


@dataclass(slots=True)
class Faults:
    """What goes wrong, and how often.

    Counting switches (`reject_next`, `lose_reports`, `lose_drop_copies`, `duplicate_reports`) count down to 0; the others stay as set.
    """

    reject_next: int = 0
    """Reject this many new orders."""
    reject_every: int = 0
    """Reject every n-th new order; 0 = none."""
    delay_reports_ms: int = 0
    """Send reports this much later."""
    lose_reports: int = 0
    """Do not send the next so many reports; they keep their venue_seq, so the receiver sees a gap."""
    lose_drop_copies: int = 0
    """Leave the next so many executions out of the drop copy, as if they had not happened."""
    duplicate_reports: int = 0
    """Send the next so many reports twice, with the same venue_seq."""
    ignore_cancels: int = 0
    """Do not answer the next so many cancels at all."""
    refuse_logon: bool = False
    """Refuse every logon."""
    stall_orders: bool = False
    """Stop reading the order streams; what arrives waits in the connection."""
    freeze_market_data: bool = False
    """Send no quotes, not even repetitions."""
    mute_heartbeats: bool = False
    """Send no heartbeats on the order stream."""

    def set(self, name: str, text: str) -> None:
        """Set one switch from text: `on`/`off` or a count.

        Raises:
            FaultError: no such switch, or not a value for it; the message names the switches.
        """
        kinds = {field.name: field.type for field in fields(self)}
        if name not in kinds:
            raise FaultError(f"no fault switch {name!r}; there are {', '.join(sorted(kinds))}")
        if kinds[name] == "bool":
            if text not in ("on", "off"):
                raise FaultError(f"{name} is a switch: use on or off, not {text!r}")
            setattr(self, name, text == "on")
            return
        if not text.isascii() or not text.isdigit() or int(text) > 1_000_000_000:
            raise FaultError(f"{name} takes a count from 0 to 1000000000, not {text!r}")
        setattr(self, name, int(text))

    def use(self, name: str) -> bool:
        """Take one from a counting switch; whether there was one to take."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def as_dict(self) -> dict[str, int | bool]:
        """Every switch with its value."""
        return asdict(self)
