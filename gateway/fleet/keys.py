"""The keys that sign manifests: ed25519, as PEM files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class KeyFileError(Exception):
    """A key that cannot be used; the message names the file and how to mend it."""


def generate(private: Path, public: Path) -> str:
    """Write a new pair of keys, the private one readable by its owner alone; the name of the key.

    Raises:
        KeyFileError: a file of that name exists already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_new(private, pem, 0o600)
    _write_new(public, _public_pem(key.public_key()), 0o644)
    return key_name(key.public_key())


def read_private(file: Path) -> Ed25519PrivateKey:
    """A private key.

    Raises:
        KeyFileError: the file cannot be read, or holds no unencrypted ed25519 private key.
    """
    try:
        key = serialization.load_pem_private_key(_read(file), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{file} holds no ed25519 private key; make one with `riskgate manifest keygen`")
    return key


def read_public(file: Path) -> Ed25519PublicKey:
    """A public key.

    Raises:
        KeyFileError: the file cannot be read, or holds no ed25519 public key.
    """
    try:
        key = serialization.load_pem_public_key(_read(file))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{file} holds no ed25519 public key; give the .pub file of `riskgate manifest keygen`")
    return key


def key_name(key: Ed25519PublicKey) -> str:
    """What names a key in a manifest: the first half of the SHA-256 of its bytes, in hex."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:32]


def is_good(key: Ed25519PublicKey, signature: str, signed: bytes) -> bool:
    """Whether a signature, in hex, was made by the owner of the key over these bytes."""
    try:
        key.verify(bytes.fromhex(signature), signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{file} cannot be read ({error.strerror}); check the path") from error


def _write_new(file: Path, content: bytes, mode: int) -> None:
    """Never over another file: a lost private key cannot be made again."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise KeyFileError(f"{file} exists; name another file, or move it away") from error
    except OSError as error:
        raise KeyFileError(f"{file} cannot be written ({error.strerror}); check the directory") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
