"""Documentation that can be wrong is tried: links, and the commands of the README."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.files import text_files

README = ROOT / "README.md"

# Run as they stand, in a directory with the example configuration. The others start something that stays, need a
# running gateway, or take minutes: those are asked for their help, so that a verb that is gone is noticed.
CHEAP = ("config check", "--help")

RUN_ELSEWHERE = ("examples/first_order.py",)  # tests/e2e/test_examples.py


def commands() -> list[str]:
    """Every command line of the README that calls what `make build` installs."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.partition("   #")[0].strip().removesuffix(" &") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(".venv/bin/") and not line.endswith(RUN_ELSEWHERE)]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("command", commands(), ids=lambda line: line.removeprefix(".venv/bin/"))
def test_readme_command_works(command: str) -> None:
    words = shlex.split(command)
    if not any(cheap in command for cheap in CHEAP):
        program = 3 if words[1] == "-m" else 1
        verbs = [word for word in words[program : program + 2] if re.fullmatch(r"[a-z]+", word)]
        words = [*words[:program], *verbs, "--help"]
        options = re.findall(r"(?<= )--[a-z-]+", command)
    else:
        options = []

    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"`{shlex.join(words)}` says:\n{done.stdout}{done.stderr}"
    missing = [option for option in options if option not in done.stdout]
    assert not missing, f"`{shlex.join(words)}` does not know {missing}:\n{done.stdout}"


@pytest.mark.parametrize("page", text_files(".md"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_make_targets_of_page_exist(page: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))

    assert not named - make_targets()


@pytest.mark.parametrize("page", text_files(".md"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_of_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]

    assert not dead, f"{page.relative_to(ROOT)} points to nothing: {dead}"


def test_documents_named_in_the_source_exist() -> None:
    """A comment that sends the reader to a page sends them to one that is here."""
    dead = []
    for path in text_files(".rs", ".py", ".pyi", ".proto", ".toml", ".sh", ".md", ".scn"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            dead += [
                f"{path.relative_to(ROOT)}:{number} {page}"
                for page in re.findall(r"(?<![\w/<*.])((?:[\w.-]+/)*[\w-]+\.md)\b", line)
                if not any((base / page).exists() for base in (ROOT, path.parent, ROOT / "docs/reference"))
            ]

    assert not dead, "\n".join(["name the rule and its public source instead of a page that is not here:", *dead])


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "docs/README.md").read_text()
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in text_files(".md", under="docs")]
    missing = [page for page in pages if page != "README.md" and f"({page})" not in contents]

    assert not missing, f"give each its line in docs/README.md: {missing}"
