"""The gateway end to end, and what must hold of it: see benches/README.md, "What must hold of the gateway".

Question: what does the order path add to the hops it takes; does a runaway, or what people do beside the orders, reach
healthy routers; what happens above capacity. Every case says how it measured, with its bars and tables. `--minutes` is
the long flood alone, with its pictures.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from benches.bars import Document, merge, text
from benches.gateway import comparison, endurance, memory, noise, pressure, runaway
from benches.gateway.settings import Settings
from benches.stage import BenchError

CASES: Final[dict[str, Callable[[Settings], Document]]] = {
    "comparison": comparison.run,
    "runaway": runaway.run,
    "noise": noise.run,
    "pressure": pressure.run,
    "memory": memory.run,
}
RESULTS: Final = Path(__file__).resolve().parent / "results"


def main(
    *,
    case: Annotated[list[str] | None, typer.Option(help=f"Only these: {', '.join(CASES)}.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Repetitions of everything.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of one measurement.")] = 1.0,
    journal: Annotated[bool, typer.Option("--journal", help="Let the gateways write their records to a file.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="One short round of everything that needs no building: does it still run?")
    ] = False,
    minutes: Annotated[float, typer.Option(min=0, help="Instead: the long flood, for so long.")] = 0,
    results: Annotated[Path, typer.Option(help="Where the long flood leaves its pictures.")] = RESULTS,
    output: Annotated[Literal["text", "json"], typer.Option(help="Form of the result.")] = "text",
) -> None:
    """Measure the gateway end to end."""
    if unknown := set(case or ()) - set(CASES):
        raise typer.BadParameter(f"no such case: {', '.join(sorted(unknown))}")
    try:
        with tempfile.TemporaryDirectory() as directory:
            settings = Settings(Path(directory), rounds, seconds, journal=journal)
            if quick:
                settings = Settings(Path(directory), rounds=1, seconds=0.2, journal=journal, build=False)
            if minutes:
                document = endurance.run(settings, minutes, results)
            else:
                document = merge(run(settings) for name, run in CASES.items() if not case or name in case)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    print(document.to_json() if output == "json" else text(document))


if __name__ == "__main__":
    typer.run(main)
