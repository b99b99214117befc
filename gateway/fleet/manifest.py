"""The manifest: what each router of the fleet must run. Written as TOML, signed as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from gateway.documents import Document, model_problems, read_document
from gateway.fleet.attributes import Attributes, Text
from gateway.fleet.flags import Flag, contradictions
from gateway.instruments import Name, StrictModel
from gateway.problems import ConfigError, Problem

FORMAT: Final = "riskgate-manifest-1"
_MAX_BYTES: Final = 4 * 1024 * 1024
_ATTESTATION: Final = b"riskgate-attestation-1\n"
_MANIFEST: Final = b"riskgate-manifest-1\n"
_INHERITED: Final = ("environment", "schema_revision", "deploy_id")


class Entry(Attributes):
    """What some routers must run. ``signature`` is that of the document a deployment leaves on each of them."""

    routers: tuple[Name, ...] = Field(strict=False, min_length=1, examples=[["smars-1", "smars-2"]])
    signature: str | None = Field(default=None, pattern=r"^[0-9a-f]{128}$")

    def document(self) -> bytes:
        """What that signature is made of: the attributes in one canonical form."""
        return _ATTESTATION + canonical(self.said())

    def expected(self) -> dict[str, str]:
        """What a router of this entry must present at logon, by attribute."""
        return self.flat() | ({} if self.signature is None else {"signature": self.signature})


class Manifest(StrictModel):
    """The whole. What is said at the top holds for every entry that does not say it."""

    environment: Text | None = Field(default=None, examples=["prod"])
    schema_revision: Text | None = Field(default=None, examples=["riskgate.v1"])
    deploy_id: Text | None = Field(default=None, examples=["2012-07-27.1"])
    entries: tuple[Entry, ...] = Field(strict=False, min_length=1)
    flags: tuple[Flag, ...] = Field(default=(), strict=False)

    def whole(self) -> Manifest:
        """The same with everything said in the entries."""
        common = {name: value for name in _INHERITED if (value := getattr(self, name)) is not None}
        entries = tuple(
            entry.model_copy(update={name: value for name, value in common.items() if getattr(entry, name) is None})
            for entry in self.entries
        )
        return Manifest(entries=entries, flags=self.flags)

    def by_router(self) -> dict[str, Entry]:
        """The entry of each router."""
        return {router: entry for entry in self.whole().entries for router in entry.routers}

    def signed_bytes(self) -> bytes:
        """What the signature of the manifest is made of: all of it in one canonical form."""
        return _MANIFEST + canonical(self.plain())

    def plain(self) -> dict[str, Any]:
        """As JSON writes it."""
        plain: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return plain


class Signature(StrictModel):
    """A signature of the manifest; ``key`` names the public key by the first half of its SHA-256."""

    key: str = Field(pattern=r"^[0-9a-f]{32}$")
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")


class SignedManifest(StrictModel):
    """The file that the gateway reads."""

    format: str = Field(pattern=f"^{FORMAT}$", examples=[FORMAT])
    manifest: Manifest
    signatures: tuple[Signature, ...] = Field(strict=False, min_length=1)

    def text(self) -> str:
        """As it is written: readable, and the same bytes for the same manifest."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), indent=2, sort_keys=True) + "\n"


def canonical(value: object) -> bytes:
    """JSON with sorted keys, without spaces, in ASCII: one form for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def read_unsigned(file: Path) -> Manifest:
    """A manifest as people write it.

    Raises:
        ConfigError: with everything that is wrong with it.
    """
    document = read_document(file)
    try:
        manifest = Manifest.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(model_problems(error, Manifest, document)) from error
    problems = list(_cross_check(manifest, document))
    if problems:
        raise ConfigError(problems)
    return manifest.whole()


def read_signed(file: Path) -> SignedManifest:
    """A manifest as `riskgate manifest sign` wrote it. Whether the signature is good is another question.

    Raises:
        ConfigError: it cannot be read, or is no signed manifest.
    """

    def wrong(what: str) -> ConfigError:
        return ConfigError([Problem(str(file), 0, "", what, "sign it anew: `riskgate manifest sign`")])

    try:
        raw = file.read_bytes()[: _MAX_BYTES + 1]
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise ConfigError([Problem(str(file), 0, "", what, "check the path")]) from error
    if len(raw) > _MAX_BYTES:
        raise wrong("is larger than 4 MiB")
    try:
        data = json.loads(raw)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise wrong("is not JSON, so no signed manifest") from error
    document = Document(str(file), data if isinstance(data, dict) else {}, {})
    try:
        # JSON has no dates and no tuples: the model takes them from text and lists.
        signed = SignedManifest.model_validate_json(raw)
    except ValidationError as error:
        raise ConfigError(model_problems(error, SignedManifest, document)) from error
    problems = list(_cross_check(signed.manifest, document))
    if problems:
        raise ConfigError(problems)
    return signed


def _cross_check(manifest: Manifest, document: Document) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, entry in enumerate(manifest.whole().entries):
        for at, router in enumerate(entry.routers):
            if router in seen:
                path = ("entries", index, "routers", at)
                yield document.problem(path, f"{router} is in two entries", "name each router once")
            seen.add(router)
        if not entry.said():
            what = "says nothing of what runs there"
            yield document.problem(("entries", index), what, "give at least `binary_sha256`")
    for place, what, mend in contradictions(manifest.flags):
        yield document.problem(("flags", place), what, mend)
