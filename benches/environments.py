"""Peers that are embedded in Python: each in an environment of its own, with the packages of `peers/<name>.txt` and no others."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
PEERS: Final = HERE / "peers"
CACHE: Final = HERE.parent / ".cache" / "bench"
PYTHON: Final = (3, 11)
"""What the wheels are pinned for."""


class PeerError(Exception):
    """A peer cannot be run; the message says why and how to mend it."""


class Turn(NamedTuple):
    """One side of one peer."""

    ran: str
    command: tuple[str, str]
    """The interpreter and the script."""
    popen: subprocess.Popen[str]

    def ask(self, name: str, orders: int) -> float:
        """Lets the side decide so many orders; nanoseconds for each."""
        if self.popen.stdin is None or self.popen.stdout is None:
            raise PeerError(f"{name}: its process has no pipes")
        self.popen.stdin.write(f"{name} {orders}\n")
        self.popen.stdin.flush()
        answer = self.popen.stdout.readline()
        if not answer:
            raise PeerError(f"{name}: it ended in the middle of its turn; its error is above")
        return float(answer)


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return CACHE / peer / "bin" / "python"


def is_built(peer: str) -> bool:
    """Whether its environment has the packages of its file."""
    stamp = CACHE / peer / "installed.txt"
    return stamp.exists() and stamp.read_text() == (PEERS / f"{peer}.txt").read_text()


def build(peer: str) -> None:
    """Makes a peer's environment, or brings it up to its file.

    Raises:
        PeerError: This is not the Python that its wheels are pinned for, or pip cannot get them.
    """
    if is_built(peer):
        return
    if sys.version_info[:2] != PYTHON:
        raise PeerError(f"{peer} is pinned for Python {PYTHON[0]}.{PYTHON[1]}: run the bench with that")
    venv.create(CACHE / peer, with_pip=True, clear=True)
    wanted = PEERS / f"{peer}.txt"
    pip = [str(python_of(peer)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    try:
        subprocess.run([*pip, "--requirement", str(wanted)], check=True)
    except subprocess.CalledProcessError as error:
        raise PeerError(f"{peer} could not be installed from {wanted.name}: pip has said why") from error
    (CACHE / peer / "installed.txt").write_text(wanted.read_text())


@contextmanager
def turns(sides: Sequence[tuple[str, Path]]) -> Iterator[dict[str, Turn]]:
    """Starts the scripts, each with its interpreter, and says what can be asked of them."""
    with ExitStack() as stack:
        found: dict[str, Turn] = {}
        for script, python in sides:
            command = (str(python), str(PEERS / script))
            popen = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(popen.terminate)
            first = popen.stdout.readline() if popen.stdout is not None else ""
            if not first:
                raise PeerError(f"{script}: it did not start; its error is above")
            found |= {name: Turn(ran, command, popen) for name, ran in json.loads(first).items()}
        yield found
