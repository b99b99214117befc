"""How long and how often everything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one run of the bench."""

    directory: Path
    """For the gateways' files."""
    rounds: int = 5
    seconds: float = 1.0
    """Length of one measurement."""
    journal: bool = False
    """Whether the gateways write their records to a file."""
    build: bool = True
    """Whether baselines that cargo has to build are run."""

    @property
    def journal_mode(self) -> str:
        """The journal mode, as a sentence of the method."""
        return (
            "Journal mode `process`: the gateway copies every record to a file."
            if self.journal
            else "Journal off: records stay in the gateway's ring in memory."
        )
