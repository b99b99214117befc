"""Habits of this repository, checked: each ban says what to do instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import ROOT
from tests.support.files import project_files, text_files

THIS = Path(__file__)


class Ban(NamedTuple):
    """A pattern that may not occur in the files of some suffixes below some directory."""

    name: str
    pattern: str
    instead: str
    suffixes: tuple[str, ...] = ()
    under: str = ""
    except_under: tuple[str, ...] = ()


CODE = (".py", ".pyi", ".rs", ".proto")

BANS = [
    Ban(
        "unfinished",
        r"\b(TODO|FIXME|XXX|HACK)\b",
        "do it now, or describe the limit in the docs and open an issue; a mark in the code is read by nobody",
    ),
    Ban(
        "placeholder",
        r"\b(todo|unimplemented)!\(|^\s*raise NotImplementedError",
        "build the real part, or leave it out; a Protocol or an abstract method has `...` as its body",
        CODE,
    ),
    Ban(
        "machine path",
        r"(?<![\w./~-])/(home|root|Users|work|opt|mnt|srv)/\w",
        "a path relative to the project, a temporary directory, or one from the configuration",
    ),
    Ban(
        "package index",
        r"--(extra-)?index-url|--find-links|^\s*\[\[tool\.uv\.index\]\]|replace-with\s*=",
        "nothing: which index to use is the configuration of each machine, requirements/lock.txt has the hashes",
        (".toml", ".txt", ".cfg", ".sh", ""),
    ),
    Ban(
        "float",
        r"\bf(32|64)\b",
        "the exact types of units.rs; cross-multiply ratios",
        (".rs",),
        "riskcore/core/src",
    ),
    Ban(
        "protobuf in the core",
        r"\b(prost|tonic|protobuf)\b::",
        "the plain types of events.rs and outcome.rs; protobuf is converted in riskcore/server",
        (".rs",),
        "riskcore/core/src",
    ),
    Ban(
        "PyO3",
        r"\bpyo3::",
        "plain Rust types; riskcore/py converts them",
        (".rs",),
        "riskcore",
        ("riskcore/py",),
    ),
    Ban(
        "unsafe",
        r"^\s*(pub )?unsafe |\bunsafe \{|allow\(unsafe_code",
        "safe code, or the binding in riskcore/py with a SAFETY comment",
        (".rs",),
        "riskcore",
        ("riskcore/py", "riskcore/core/tests/allocations.rs"),  # an allocator that counts cannot be written without
    ),
    Ban(
        "unexplained exception (Rust)",
        r"#\s*!?\[(allow|expect)\((?![^\]]*reason\s*=)[^\]]*\]",
        'add reason = "...": #[expect(lint, reason = "why here")]',
        (".rs",),
    ),
    Ban(
        "unexplained exception (Python)",
        r"#\s*(noqa(?!:)|type:\s*ignore(?!\[))",
        "name the rule: `# noqa: S101`, `# type: ignore[arg-type]`, and say why on the line above",
        (".py", ".pyi"),
    ),
    Ban(
        "test that is skipped for no reason",
        r"#\[ignore\]|mark\.(skip|xfail)(\(\))?\s*$|pytest\.skip\(\)",
        'a reason: #[ignore = "..."], mark.skip(reason="...")',
        (".py", ".rs"),
    ),
    Ban(
        "sleeping test",
        r"\btime\.sleep\(",
        "tests.support.waiting.eventually; clippy.toml has the same ban for Rust",
        (".py",),
    ),
    Ban(
        "fixed port",
        r"(localhost|127\.0\.0\.1|\[::1?\]|0\.0\.0\.0):[1-9]\d{2,}",
        "port 0, and ask the server for its address: tests run beside each other and beside a live gateway",
        (".py",),
        "tests",
    ),
    Ban("tab or trailing blank", r"[ \t]+$|^ *\t", "`make fmt`", (*CODE, ".toml", ".md", ".txt", ".yaml")),
]

# Hosts that text may point to: everybody can open them.
PUBLIC_HOSTS = {
    "127.0.0.1",
    "apache.org",
    "buf.build",
    "cargo.io",
    "databento.com",
    "docs.rs",
    "example.com",
    "fixtrading.org",
    "github.com",
    "grpc.io",
    "keepachangelog.com",
    "localhost",
    "peps.python.org",
    "prometheus.io",
    "protobuf.dev",
    "sec.gov",
    "semver.org",
    "sh.rustup.rs",
    "toml.io",
    "w3.org",
}
# A gateway's source is read by auditors: what is longer than this has more than one idea in it.
MAX_LINES = 800
MAX_BYTES = 600_000


def where(path: Path, text: str, position: int) -> str:
    return f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, position) + 1}"


@pytest.mark.parametrize("ban", BANS, ids=lambda ban: ban.name)
def test_source_has_no(ban: Ban) -> None:
    pattern = re.compile(ban.pattern, re.MULTILINE)
    found = []
    for path in text_files(*ban.suffixes, under=ban.under):
        if path == THIS or any(path.is_relative_to(ROOT / top) for top in ban.except_under):
            continue
        text = path.read_text()
        found += [f"{where(path, text, match.start())} {match.group().strip()}" for match in pattern.finditer(text)]

    assert not found, "\n".join([f"{ban.name}: instead, {ban.instead}", *found])


def test_urls_point_where_everybody_can_go() -> None:
    found = []
    for path in text_files():
        text = path.read_text()
        for match in re.finditer(r"https?://([\w.-]+)", text):
            host = match.group(1).rstrip(".").removeprefix("www.")
            if not any(host == known or host.endswith(f".{known}") for known in PUBLIC_HOSTS):
                found.append(f"{where(path, text, match.start())} {match.group()}")

    assert not found, "\n".join(["a public page instead (and its host in PUBLIC_HOSTS of this test):", *found])


def test_files_are_small() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in text_files(*CODE)
        if (lines := path.read_bytes().count(b"\n")) > MAX_LINES
    ]
    found += [
        f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes"
        for path in project_files()
        if path.stat().st_size > MAX_BYTES
    ]

    assert not found, "\n".join(["one idea per file: split by concern; build or download large data:", *found])


def test_text_ends_with_one_newline() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in text_files()
        if (data := path.read_bytes()) and (not data.endswith(b"\n") or data.endswith(b"\n\n") or b"\r" in data)
    ]

    assert not found, f"end each file with exactly one newline, and lines with \\n alone: {found}"
