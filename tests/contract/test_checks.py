"""A check is one file, one line of the registry and one scenario file; the rest is derived. See CONTRIBUTING.md."""

from __future__ import annotations

import re

from tests.support import ROOT

CHECKS = ROOT / "riskcore/core/src/checks"
SCENARIOS = ROOT / "tests/scenarios"


def registered() -> list[str]:
    """The checks' modules in the registry's order, which is their precedence."""
    registry = re.search(r"^registry! \{\n(.*?)^\}", (CHECKS / "mod.rs").read_text(), re.MULTILINE | re.DOTALL)

    assert registry, "checks/mod.rs has no `registry! { ... }` any more; teach this test the new form"
    return re.findall(r"^\s*(\w+)::\w+ \{", registry[1], re.MULTILINE)


def reasons() -> dict[str, str]:
    """Every reject reason that a check gives, in the spelling of scenarios, and its check."""
    found = {}
    for check in registered():
        text = (CHECKS / f"{check}.rs").read_text()
        table = re.search(r"^reasons! \{ \w+:\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
        for name in re.findall(r"^    ([A-Z_]+) = \d+", table[1], re.MULTILINE) if table else []:
            found[name.lower()] = check
    return found


def test_every_check_file_is_registered() -> None:
    files = {path.stem for path in CHECKS.glob("*.rs")} - {"mod"}
    missing = files - set(registered())

    assert not missing, f"give it its line in `registry!` of checks/mod.rs, at the place of its precedence: {missing}"


def test_every_check_has_a_scenario_file() -> None:
    scenarios = {path.name.partition(".")[0] for path in SCENARIOS.rglob("*.scn")}
    missing = [check for check in registered() if check not in scenarios]

    assert not missing, f"write tests/scenarios/<check>.scn, with its bounds exact to the unit, for: {missing}"


def test_every_reason_of_a_check_is_reached_by_a_scenario() -> None:
    steps = "\n".join(path.read_text() for path in SCENARIOS.rglob("*.scn"))
    missing = {name: check for name, check in reasons().items() if not re.search(rf"-> (reject )?{name}\b", steps)}

    assert not missing, (
        f"no scenario expects `-> reject <reason>` (or it as the cause of a halt) for (reason: check): {missing}"
    )
