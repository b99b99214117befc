"""Lines of keys in TOML text."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.problems import Path
from gateway.toml_lines import key_lines
from tests.support import ROOT

TEXT = '''# a comment with [brackets] and = signs
top = "a # in a string"   # and one behind

[table]
"quoted key" = 'x]'
dotted.inner.key = 3
array = [
  1, # one
  [2, 3],
  "]",
]
inline = { a = 1, b.c = [{ d = "}" }] }
text = """
[not.a.table]
key = \\"""no
"""
literal = \'\'\'
it's [fine]\'\'\'\'

[[rows]]
name = "first"

[[rows]]
name = "second"
[rows.sub]
key = true
[[rows.deep]]
x = 1
[[rows.deep]]
x = 2

[limits.router."*"]
rate = 1
[ spaced . "out" ]
y=1979-05-27
'''

WANTED: dict[Path, int] = {
    ("top",): 2,
    ("table",): 4,
    ("table", "quoted key"): 5,
    ("table", "dotted"): 6,
    ("table", "dotted", "inner", "key"): 6,
    ("table", "array"): 7,
    ("table", "array", 0): 8,
    ("table", "array", 1): 9,
    ("table", "array", 1, 1): 9,
    ("table", "array", 2): 10,
    ("table", "inline"): 12,
    ("table", "inline", "b", "c", 0, "d"): 12,
    ("table", "text"): 13,
    ("table", "literal"): 17,
    ("rows", 0): 20,
    ("rows", 0, "name"): 21,
    ("rows", 1): 23,
    ("rows", 1, "sub", "key"): 26,
    ("rows", 1, "deep", 0, "x"): 28,
    ("rows", 1, "deep", 1, "x"): 30,
    ("limits", "router"): 32,
    ("limits", "router", "*", "rate"): 33,
    ("spaced", "out"): 34,
    ("spaced", "out", "y"): 35,
}


def paths(value: Any, path: Path = ()) -> set[Path]:
    """Every path in a parsed document."""
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, below in value.items():
            found |= paths(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            found |= paths(below, (*path, index))
    return found


@pytest.mark.parametrize(("path", "line"), WANTED.items(), ids=str)
def test_line_of(path: Path, line: int) -> None:
    assert key_lines(TEXT)[path] == line


def test_every_path_of_a_document_has_a_line() -> None:
    for text in (TEXT, *(file.read_text() for file in sorted(ROOT.glob("**/pyproject.toml"))[:3])):
        assert paths(tomllib.loads(text)) == set(key_lines(text))


KEYS = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
VALUES = st.recursive(
    st.sampled_from(["1", "true", '"x"', "'#'", '"""a\n]"""', "1979-05-27", "[]", "{}"]),
    lambda below: st.lists(below, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=5,
)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=4), st.booleans())
def test_any_document_is_walked_as_tomllib_reads_it(tables: dict[str, dict[str, str]], as_arrays: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    text = ""
    for name, table in tables.items():
        text += f"[[{name}]]\n" if as_arrays else f"[{name}]  # x\n"
        text += "".join(f"{key} = {value}\n" for key, value in table.items())

    lines = key_lines(text)

    assert set(lines) == paths(tomllib.loads(text))
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert path[-1] in text.splitlines()[line - 1]
