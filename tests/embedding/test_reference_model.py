"""The core agrees with a model in plain Python, over random histories: verdicts, halts, books and what is used of limits.

The histories have orders and their resends, acknowledgements, partial fills, fills of cancelled orders, more filled than
ordered, busts, cancels, replaces and their answers, reports said twice, quotes, silence, phases, limits that come, tighten
and loosen, halts and reinstatements.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings

from tests.embedding.histories import LIMITS, QUOTED, histories
from tests.embedding.history import History

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "150"))
"""How many histories. More by hand: ``MODEL_EXAMPLES=20000 pytest tests/embedding/test_reference_model.py``."""


@settings(
    max_examples=EXAMPLES,
    derandomize="MODEL_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(limits=LIMITS, quoted=QUOTED, steps=histories(60))
def test_the_core_decides_as_the_model_does(
    limits: list[tuple[str, str, int, str | None]], quoted: tuple[str, ...], steps: list[tuple[str, dict[str, object]]]
) -> None:
    history = History(limits, quoted)

    for name, arguments in steps:
        history.step(name, arguments)
