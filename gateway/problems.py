"""What is wrong with a file somebody wrote: where, what, and how to mend it."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""A place in a document: table names, keys and positions in arrays."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file.

    ``line`` counts from 1; 0 means the file as a whole. ``where`` is the dotted place in the document.
    """

    file: str
    line: int
    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.where}: " if self.where else ""
        return f"{place}: {subject}{self.what}; {self.mend}"


class ConfigError(Exception):
    """A file that cannot be used. ``problems`` holds everything that is wrong with it, in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(path: Path) -> str:
    """The path as people write it: ``accounts[0].name``, ``limits.router."*".message_rate``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.replace("_", "").replace("-", "").isalnum() and part.isascii()
            text += ("." if text else "") + (part if bare else f'"{part}"')
    return text


def closest(word: str, known: Sequence[str], *, noun: str) -> str:
    """How to mend an unknown word: the closest known one, or all of them."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    if not known:
        return f"there is no {noun} yet"
    shown = ", ".join(list(known)[:12])
    more = ", ..." if len(known) > 12 else ""
    return f"known: {shown}{more}"
