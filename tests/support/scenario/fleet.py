"""What a scenario says of the fleet: the registry of flags, the manifest, and what a router presents at logon."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.fleet.keys import generate, read_private
from gateway.fleet.manifest import Entry, Manifest, read_signed
from gateway.fleet.signing import sign
from riskgate.v1 import order_entry_pb2 as pb
from tests.support.scenario.language import Line

_EXPECTED = "sha256:expected"
"""The configuration that the manifest of a scenario expects everywhere; builds and flags it leaves alone."""


def fleet_tables(configured: Sequence[Line], directory: Path) -> str:
    """The tables `[fleet]` and `[[flags]]`; a policy needs a manifest, which is written beside the configuration."""
    text = "".join(_flag(line) for line in configured if line.words[0] == "flag")
    for line in configured:
        if line.words[0] == "fleet":
            text += "[fleet]\n"
            text += f"quarantine_culprit = {'false' if line.get('quarantine_culprit') == 'no' else 'true'}\n"
            if policy := line.get("policy"):
                routers = [name for other in configured if other.words[0] == "router" for name in other.plain()[1:]]
                _write_manifest(routers, directory)
                text += f'policy = "{policy}"\nmanifest = "fleet.json"\npublic_keys = ["deploy.pub"]\n'
    return text


def logon(line: Line, router: str, token: str, directory: Path) -> pb.Logon:
    """``attest r1 build=2012.08 [flags=RLP:2,X:1] [mismatch]`` as the message."""
    manifest = directory / "fleet.json"
    signature = read_signed(manifest).manifest.entries[0].signature if manifest.exists() else None
    flags = dict(pair.split(":") for pair in line.get("flags").split(",") if pair)
    return pb.Logon(
        router=router,
        token=token,
        build=line.get("build"),
        feature_flags=flags,
        config_hash="sha256:other" if "mismatch" in line.words else _EXPECTED,
        signature=bytes.fromhex(signature or ""),
    )


def refusal(details: str) -> str:
    """Why a logon was refused, in the words of the language."""
    return "reject culprit_build" if "this is the build of" in details else f"refused: {details}"


def _flag(line: Line) -> str:
    text = f'[[flags]]\nbit = {line.words[1]}\nname = "{line.words[2]}"\nversion = "{line.get("version")}"\n'
    life = "retired" if "retired" in line.words else "introduced"
    return f'{text}owner = "desk"\n{life} = 2012-01-01\n'


def _write_manifest(routers: Sequence[str], directory: Path) -> None:
    private, public = directory / "deploy.key", directory / "deploy.pub"
    generate(private, public)
    manifest = Manifest(entries=(Entry(routers=tuple(routers), config_hash=_EXPECTED),))
    (directory / "fleet.json").write_text(sign(manifest, read_private(private)).text())
