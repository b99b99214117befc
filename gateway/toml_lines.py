"""Which line of a TOML text each key stands on.

``tomllib`` gives values without positions. This walks text that ``tomllib`` has already accepted, so it need not
validate: it only has to know where tokens end.
"""

from typing import Final

from gateway.problems import Path

_BARE_END: Final = frozenset(" \t\n\r,]}#=.")


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every table header, array element and key of a valid TOML text, by path."""
    return _Walk(text).document()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._tables_in: dict[Path, int] = {}
        """How many ``[[tables]]`` there are at a path so far."""

    def document(self) -> dict[Path, int]:
        prefix: Path = ()
        while self._skip_blank():
            if self._text.startswith("[[", self._at):
                self._at += 2
                prefix = self._open_array_table(self._key())
                self._at = self._text.index("]]", self._at) + 2
            elif self._text[self._at] == "[":
                self._at += 1
                prefix = self._resolve(self._key())
                self._note_all(prefix)
                self._at = self._text.index("]", self._at) + 1
            else:
                self._pair(prefix)
        return self._lines

    def _pair(self, prefix: Path) -> None:
        """``key = value``."""
        path = prefix + self._key()
        self._note_all(path)
        self._at = self._text.index("=", self._at) + 1
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip_space()
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}\n#":
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip_blank() and self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._note((*path, index))
            self._value((*path, index))
            index += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip_blank() and self._text[self._at] != "}":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._pair(path)
        self._at += 1

    def _key(self) -> tuple[str, ...]:
        """A dotted key; stops before ``=`` or ``]``."""
        parts: list[str] = []
        while True:
            self._skip_space()
            if self._text[self._at] in "\"'":
                parts.append(self._string())
            else:
                start = self._at
                while self._text[self._at] not in _BARE_END:
                    self._at += 1
                parts.append(self._text[start : self._at])
            self._skip_space()
            if self._text[self._at] != ".":
                return tuple(parts)
            self._at += 1

    def _string(self) -> str:
        """Skips a string of any of the four kinds; its raw content (keys with escapes are compared raw)."""
        quote = self._text[self._at]
        fence = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        start = self._at + len(fence)
        end = start
        while not self._text.startswith(fence, end):
            end += 2 if quote == '"' and self._text[end] == "\\" else 1
        self._at = end + len(fence)
        while len(fence) == 3 and self._text.startswith(quote, self._at):
            self._at += 1
        return self._text[start:end]

    def _open_array_table(self, key: tuple[str, ...]) -> Path:
        array = (*self._resolve(key[:-1]), key[-1])
        index = self._tables_in.get(array, 0)
        self._tables_in[array] = index + 1
        self._note_all((*array, index))
        return (*array, index)

    def _resolve(self, key: tuple[str, ...]) -> Path:
        """A header's key as a path: a name that holds ``[[tables]]`` means the latest of them."""
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in self._tables_in:
                path = (*path, self._tables_in[path] - 1)
        return path

    def _note_all(self, path: Path) -> None:
        """Notes a path and the tables around it that have no line yet."""
        for end in range(1, len(path) + 1):
            self._note(path[:end])

    def _note(self, path: Path) -> None:
        self._lines.setdefault(path, self._text.count("\n", 0, self._at) + 1)

    def _skip_space(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in " \t":
            self._at += 1

    def _skip_blank(self) -> bool:
        """Skips white space, line ends and comments; whether anything is left."""
        while self._at < len(self._text):
            if self._text[self._at] in " \t\r\n":
                self._at += 1
            elif self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return True
        return False
