"""Manifests: written by people, signed by the pipeline, verified by the gateway, compared by anybody."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.client import Attestation, read_attestation
from gateway.fleet.keys import KeyFileError, generate, read_private, read_public
from gateway.fleet.manifest import Entry, Manifest, read_unsigned
from gateway.fleet.signing import sign, verify
from gateway.problems import ConfigError
from tests.support.cli import run_cli

NEW, OLD = "ab" * 32, "cd" * 32
FLEET = f"""
environment = "prod"
deploy_id = "2012-07-27.1"
[[entries]]
routers = ["smars-1", "smars-2"]
binary_sha256 = "{NEW}"
feature_flags = {{ RLP = "2", DARK = "1" }}
[[entries]]
routers = ["smars-8"]
binary_sha256 = "{NEW}"
environment = "test"
[[flags]]
bit = 0
name = "RLP"
version = "2"
owner = "equities"
"""
TWO_FLAGS = "".join(f'[[flags]]\nbit = 0\nname = "{name}"\nversion = "1"\nowner = "x"\n' for name in ("A", "B"))


def pipeline(directory: Path, text: str = FLEET) -> Path:
    """Keys and a signed manifest, by the command line; the manifest."""
    (directory / "fleet.toml").write_text(text)
    for arguments in (
        ["keygen", "--out", str(directory / "deploy")],
        [
            *("sign", str(directory / "fleet.toml"), "--key", str(directory / "deploy.key")),
            *("--out", str(directory / "fleet.json"), "--documents", str(directory / "documents")),
        ],
    ):
        done = run_cli("manifest", *arguments)
        assert done.returncode == 0, done.stderr
    return directory / "fleet.json"


def test_pipeline_signs_and_gateway_verifies(tmp_path: Path) -> None:
    manifest = pipeline(tmp_path)

    done = run_cli("manifest", "verify", str(manifest), "--key", str(tmp_path / "deploy.pub"))

    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("for smars-1, smars-2, smars-8")
    assert stat.S_IMODE((tmp_path / "deploy.key").stat().st_mode) == 0o600
    entry = verify(manifest, [tmp_path / "deploy.pub"]).manifest.by_router()["smars-1"]
    assert entry.expected() == {
        "binary_sha256": NEW,
        "feature_flags": "DARK=1 RLP=2",
        "environment": "prod",
        "deploy_id": "2012-07-27.1",
        "signature": entry.signature,
    }


def test_what_is_said_at_the_top_holds_where_an_entry_says_nothing(tmp_path: Path) -> None:
    entries = verify(pipeline(tmp_path), [tmp_path / "deploy.pub"]).manifest.by_router()

    assert {name: entry.environment for name, entry in entries.items()} == {
        "smars-1": "prod",
        "smars-2": "prod",
        "smars-8": "test",
    }


def test_document_is_what_a_router_presents_beside_what_it_measures(tmp_path: Path) -> None:
    manifest = pipeline(tmp_path)
    entry = verify(manifest, [tmp_path / "deploy.pub"]).manifest.by_router()["smars-2"]

    said = read_attestation(tmp_path / "documents/smars-2.json", Attestation(host="h2", binary_sha256=OLD))

    assert said.signature.hex() == entry.signature
    assert (said.host, said.binary_sha256, said.deploy_id) == ("h2", OLD, "2012-07-27.1")
    assert said.feature_flags == {"RLP": "2", "DARK": "1"}
    (tmp_path / "half.json").write_text('{"attributes": {"colour": "red"}, "signature": ""}')
    with pytest.raises(ValueError, match="no attestation document"):
        read_attestation(tmp_path / "half.json")


CHANGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "another hash": (lambda m: m["manifest"]["entries"][0].update(binary_sha256=OLD), "changed after it was signed"),
    "an entry less": (lambda m: m["manifest"]["entries"].pop(), "changed after it was signed"),
    "no flags": (lambda m: m["manifest"]["flags"].clear(), "changed after it was signed"),
    "a made-up signature": (lambda m: m["signatures"][0].update(signature="00" * 64), "changed after it was signed"),
    "another signer": (lambda m: m["signatures"][0].update(key="00" * 16), "none of the given public keys"),
    "nobody": (lambda m: m["signatures"].clear(), "signatures"),
    "a later format": (lambda m: m.update(format="riskgate-manifest-9"), "format"),
    "an unknown key": (lambda m: m["manifest"].update(colour="red"), "unknown key"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_manifest_is_refused(change: str, tmp_path: Path) -> None:
    manifest = pipeline(tmp_path)
    data = json.loads(manifest.read_text())
    alter, says = CHANGES[change]
    alter(data)
    manifest.write_text(json.dumps(data))

    done = run_cli("manifest", "verify", str(manifest), "--key", str(tmp_path / "deploy.pub"))

    assert done.returncode == 64
    assert says in done.stderr


def test_document_signatures_are_verified_too(tmp_path: Path) -> None:
    """A manifest that is signed as a whole cannot vouch for a document that was not."""
    generate(tmp_path / "k.key", tmp_path / "k.pub")
    key = read_private(tmp_path / "k.key")
    signed = sign(Manifest(entries=(Entry(routers=("r1",), build="1"), Entry(routers=("r2",), build="2"))), key)
    one, two = signed.manifest.entries
    swapped = Manifest(entries=(one, two.model_copy(update={"signature": one.signature})))
    signature = signed.signatures[0].model_copy(update={"signature": key.sign(swapped.signed_bytes()).hex()})
    file = tmp_path / "fleet.json"
    file.write_text(signed.model_copy(update={"manifest": swapped, "signatures": (signature,)}).text())

    with pytest.raises(ConfigError, match="no good document signature for r2"):
        verify(file, [tmp_path / "k.pub"])


def test_another_key_is_refused_and_one_of_several_is_enough(tmp_path: Path) -> None:
    manifest = pipeline(tmp_path)
    generate(tmp_path / "other.key", tmp_path / "other.pub")

    with pytest.raises(ConfigError, match="none of the given public keys"):
        verify(manifest, [tmp_path / "other.pub"])
    assert verify(manifest, [tmp_path / "other.pub", tmp_path / "deploy.pub"]).manifest.entries


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("entries = []", "entries"),
        ('[[entries]]\nrouters = ["r1"]', "says nothing of what runs there"),
        ('[[entries]]\nrouters = ["r1"]\nbinary_sha256 = "abc"', "is no SHA-256"),
        ('[[entries]]\nrouters = ["r1"]\nbuilt = "1"', 'did you mean "build"?'),
        ('[[entries]]\nrouters = ["r1", "r1"]\nbuild = "1"', "r1 is in two entries"),
        ('[[entries]]\nrouters = ["r1"]\nbuild = ""', "no usable text"),
        (
            '[[entries]]\nrouters = ["r1"]\nbuild = "1"\n' + TWO_FLAGS,
            "bit 0 means A 1 and B 1 at once",
        ),
    ],
)
def test_bad_manifest_is_told_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(text)

    with pytest.raises(ConfigError) as refused:
        read_unsigned(file)

    assert says in str(refused.value)
    assert str(refused.value).startswith(f"{file}:")


def test_diff_tells_what_a_deployment_changes(tmp_path: Path) -> None:
    signed = pipeline(tmp_path)
    changed = FLEET.replace(f'binary_sha256 = "{NEW}"\nfeature', f'binary_sha256 = "{OLD}"\nfeature')
    changed = changed.replace('"smars-8"', '"smars-9"').replace('version = "2"\nowner', 'version = "3"\nowner')
    (tmp_path / "next.toml").write_text(changed)

    same = run_cli("manifest", "diff", str(tmp_path / "fleet.toml"), str(signed))
    other = run_cli("manifest", "diff", str(signed), str(tmp_path / "next.toml"))

    assert (same.returncode, same.stdout) == (0, "no difference\n")
    assert other.returncode == 1
    assert other.stdout.splitlines() == [
        f"smars-1: binary_sha256: {NEW} -> {OLD}",
        f"smars-2: binary_sha256: {NEW} -> {OLD}",
        "smars-8: is not in the new manifest",
        "smars-9: is new",
        "flag RLP 2 (bit 0): is not in the new manifest",
        "flag RLP 3 (bit 0): is new",
    ]


def test_keys_are_never_written_over_and_never_confused(tmp_path: Path) -> None:
    generate(tmp_path / "a.key", tmp_path / "a.pub")

    with pytest.raises(KeyFileError, match="exists"):
        generate(tmp_path / "a.key", tmp_path / "b.pub")
    with pytest.raises(KeyFileError, match="holds no ed25519 private key"):
        read_private(tmp_path / "a.pub")
    with pytest.raises(KeyFileError, match="holds no ed25519 public key"):
        read_public(tmp_path / "a.key")
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_public(tmp_path / "none.pub")
    again = run_cli("manifest", "keygen", "--out", str(tmp_path / "a"))
    assert again.returncode == 64
    assert "exists" in again.stderr


def test_same_manifest_has_the_same_bytes_whatever_its_order(tmp_path: Path) -> None:
    one = Entry(routers=("r1",), build="1", feature_flags={"B": "2", "A": "1"})
    two = Entry(feature_flags={"A": "1", "B": "2"}, build="1", routers=("r1",))
    generate(tmp_path / "k.key", tmp_path / "k.pub")
    key = read_private(tmp_path / "k.key")

    assert sign(Manifest(entries=(one,)), key) == sign(Manifest(entries=(two,)), key)
    assert one.document() != one.model_copy(update={"build": "2"}).document()
