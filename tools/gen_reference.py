"""Write docs/reference/limits.md and reasons.md from the catalogues of the native module.

Run it through ``make reference``. With ``--check`` nothing is written: the command fails when a page is not what the
catalogue says now.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import riskcore

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs/reference"
NOTE = "<!-- Written by `make reference` from the catalogue of the core; change the text there. -->\n"


def row(*cells: str) -> str:
    """One line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def table(*heads: str) -> str:
    """The head of a table."""
    return row(*heads) + row(*("---" for _ in heads))


def names(scopes: tuple[str, ...]) -> str:
    """Scopes as code, or nothing."""
    return ", ".join(f"`{scope}`" for scope in scopes)


def limits_page() -> str:
    """Every limit, in the order in which its checks are asked."""
    text = (
        f"{NOTE}\n# Limits\n\n"
        "In the order in which the checks are asked. A bound is inclusive. Where a limit is required and not set, orders\n"
        "are refused (`NO_LIMIT_CONFIGURED`). The scopes are those of `[limits.<scope>]` in `riskgate.toml`; the rules\n"
        "behind the checks are in [rules.md](rules.md).\n\n"
    ) + table("Limit", "Check", "Unit", "Settable at", "Required at", "On breach", "What it bounds")
    for limit in riskcore.limits():
        text += row(
            f"`{limit.name}`",
            f"`{limit.check}`",
            limit.unit,
            names(limit.settable_at),
            names(limit.required_at),
            limit.action,
            limit.doc,
        )
    return text


def reasons_page() -> str:
    """Every reason, by code."""
    text = (
        f"{NOTE}\n# Reasons\n\n"
        "Why an order, a cancel or a request was refused: `RejectDetail.code` and `name` on the wire, the `check` label\n"
        "of the metrics, the word after `reject` in a scenario (in lower case). Codes and names are stable.\n\n"
    ) + table("Code", "Name", "FIX 103", "What it means and what to do")
    for reason in riskcore.reasons():
        text += row(str(reason.code), f"`{reason.name}`", str(reason.ord_rej_reason), reason.doc)
    return text


def main() -> int:
    """Write the pages, or with ``--check`` compare them; 1 when one is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a page is stale")
    check = parser.parse_args().check

    stale = 0
    for name, text in {"limits.md": limits_page(), "reasons.md": reasons_page()}.items():
        page = PAGES / name
        if page.exists() and page.read_text() == text:
            continue
        if check:
            print(f"docs/reference/{name} is not what the core says; run `make reference` and commit the result")
            stale = 1
        else:
            page.write_text(text)
            print(f"docs/reference/{name}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
