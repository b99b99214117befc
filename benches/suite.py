"""All benches, one after the other, into one document; and that document as files that people read.

`make bench` runs everything and writes `results/latest.json`, the report `results/latest.html` and the page
`docs/reference/benchmarks.md`. `riskgate bench TARGET` runs one target and writes nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benches import page, picture
from benches.bars import Document, merge, report

HERE: Final = Path(__file__).resolve().parent
RESULT: Final = HERE / "results" / "latest.json"
TARGETS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "core": (("bench_decisions.py",), ("bench_embedding.py", "--download")),
    "gateway": (("bench_gateway.py",),),
    "journal": (("bench_journal.py",),),
    "recovery": (("bench_recovery.py",),),
}
"""What is run for a target: scripts, and the options that only a full run has."""


class SuiteError(Exception):
    """A bench did not do what it should; the message names it, its own is above."""


def run(targets: Sequence[str], *, quick: bool) -> Document:
    """Runs the benches of some targets, each in a process of its own; says on standard error what is under way.

    Raises:
        SuiteError: One of them failed.
    """
    documents = []
    for name, *full in (script for target in targets for script in TARGETS[target]):
        begin = time.monotonic()
        print(f"bench: {name} ...", file=sys.stderr, end=" ", flush=True)
        command = [sys.executable, str(HERE / name), *(["--quick"] if quick else full), "--output", "json"]
        done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SuiteError(f"{name} ended with exit code {done.returncode}; what it said is above")
        documents.append(Document.from_json(done.stdout))
        print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
    return merge(documents)


def write(document: Document) -> None:
    """The document as JSON, as a report and as a page of the documentation."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(document.to_json() + "\n")
    RESULT.with_suffix(".html").write_text(picture.html(document))
    page.PAGE.write_text(page.markdown(document))
    for written in (RESULT, RESULT.with_suffix(".html"), page.PAGE):
        print(f"bench: wrote {written.relative_to(HERE.parent)}", file=sys.stderr)


def main() -> int:
    """Run, show and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)}; all if none is given")
    parser.add_argument("--quick", action="store_true", help="small: shows that it runs, its figures say nothing")
    parser.add_argument("--write", action="store_true", help="write the result, the report and the page")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    if unknown := set(given.targets) - TARGETS.keys():
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    try:
        document = run(given.targets or tuple(TARGETS), quick=given.quick)
    except SuiteError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if given.write:
        write(document)
    return report(document, given.output)


if __name__ == "__main__":
    sys.exit(main())
