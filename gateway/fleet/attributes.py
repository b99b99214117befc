"""The attributes of an attestation, as a manifest and a document name them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from gateway.instruments import StrictModel

MAX_VALUE: Final = 256
"""Bytes of a value; the gateway refuses longer ones at logon."""

_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def _text(value: str) -> str:
    if not value or len(value.encode()) > MAX_VALUE or not value.isprintable():
        raise ValueError(f"is no usable text; write 1 to {MAX_VALUE} printable characters, or leave it out")
    return value


def _hash(value: str) -> str:
    if _HASH.fullmatch(value) is None:
        raise ValueError(f'"{value[:40]}" is no SHA-256; write 64 digits 0-9 a-f, as `sha256sum` prints them')
    return value


Text = Annotated[str, AfterValidator(_text)]
Sha256 = Annotated[str, AfterValidator(_hash)]


class Attributes(StrictModel):
    """What runs on a server. What is left out is not compared."""

    instance_id: Text | None = Field(default=None, examples=["smars-1"])
    host: Text | None = Field(default=None, examples=["ny4-smars-1"])
    build: Text | None = Field(default=None, examples=["smars-2012.08"])
    binary_sha256: Sha256 | None = Field(default=None, examples=["9f86d081...0a08"])
    vcs_commit: Text | None = Field(default=None, examples=["3f2a91c"])
    build_time: Text | None = Field(default=None, examples=["2012-07-27T18:00:00Z"])
    config_hash: Text | None = Field(default=None, examples=["sha256:ab12"])
    feature_flags: dict[Text, Text] | None = Field(default=None, max_length=64, examples=[{"RLP": "2"}])
    schema_revision: Text | None = Field(default=None, examples=["riskgate.v1"])
    environment: Text | None = Field(default=None, examples=["prod"])
    deploy_id: Text | None = Field(default=None, examples=["2012-07-27.1"])

    def said(self) -> dict[str, Any]:
        """The attributes that are given, by name."""
        return self.model_dump(exclude_none=True, include=set(Attributes.model_fields))

    def flat(self) -> dict[str, str]:
        """The same, each as one value: flags as the data plane shows them, ``DARK=1 RLP=2``."""
        return {name: flat(value) for name, value in self.said().items()}


def flat(value: str | dict[str, str]) -> str:
    """An attribute as one value."""
    if isinstance(value, str):
        return value
    return " ".join(f"{name}={version}" for name, version in sorted(value.items()))
