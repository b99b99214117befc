"""The scenario language: lines, words, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NANO = 1_000_000_000
_SPANS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NANO, "m": 60 * NANO}


@dataclass(frozen=True)
class Line:
    """One step."""

    file: Path
    number: int
    words: tuple[str, ...]
    expect: str | None

    def get(self, key: str) -> str:
        """The value of ``key=value``, or nothing."""
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{key}=")), "")

    def plain(self) -> tuple[str, ...]:
        """The words that are not ``key=value``."""
        return tuple(word for word in self.words if "=" not in word)

    def pairs(self) -> list[tuple[str, str]]:
        """The ``key=value`` words."""
        split = [word.partition("=") for word in self.words if "=" in word]
        return [(key, value) for key, _, value in split]

    @property
    def price(self) -> int | None:
        """What stands after ``@``, in 1e-9."""
        return fixed(self.words[self.words.index("@") + 1]) if "@" in self.words else None

    def __str__(self) -> str:
        return f"{self.file.name}:{self.number}: {' '.join(self.words)}"


def read(file: Path) -> Iterator[Line]:
    """The steps of a file, with those of the profiles it uses in their place."""
    for number, text in enumerate(file.read_text().splitlines(), 1):
        step, arrow, expect = text.partition("#")[0].partition("->")
        words = tuple(step.split())
        if words[:2] == ("use", "profile"):
            yield from read(file.parent / "profiles" / f"{words[2]}.scn")
        elif words:
            yield Line(file, number, words, expect.strip() if arrow else None)


def fixed(text: str) -> int:
    """An exact decimal in 1e-9."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, _, part = digits.replace("_", "").partition(".")
    return sign * (int(whole) * NANO + int(part.ljust(9, "0")))


def span(text: str) -> int:
    """A span of time in ns."""
    unit = text.lstrip("0123456789_")
    return int(text[: len(text) - len(unit)].replace("_", "")) * _SPANS[unit]


def money(units: int) -> str:
    """1e-9 as decimal text without trailing zeros."""
    whole, part = divmod(abs(units), NANO)
    return ("-" if units < 0 else "") + str(whole) + (f".{part:09d}".rstrip("0") if part else "")
