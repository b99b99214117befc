"""Signing manifests, and finding out whether one is signed by somebody who may.

Two things are signed by the same key: for each entry the document that the deployment leaves on the servers, and then
the manifest as a whole, with those signatures in it. A router presents its document's signature at logon, and the data
plane compares it with the manifest's: equal means that this deployment left that document there. Nothing is verified on
the data plane (docs/adr/0007).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.fleet.keys import is_good, key_name, read_public
from gateway.fleet.manifest import FORMAT, Entry, Manifest, Signature, SignedManifest, read_signed
from gateway.problems import ConfigError, Problem


def sign(manifest: Manifest, key: Ed25519PrivateKey) -> SignedManifest:
    """The manifest with the signature of each entry's document, and its own."""
    whole = manifest.whole()
    entries = tuple(entry.model_copy(update={"signature": key.sign(entry.document()).hex()}) for entry in whole.entries)
    complete = Manifest(entries=entries, flags=whole.flags)
    signature = Signature(key=key_name(key.public_key()), signature=key.sign(complete.signed_bytes()).hex())
    return SignedManifest(format=FORMAT, manifest=complete, signatures=(signature,))


def document_text(entry: Entry) -> str:
    """The document for a server: what it must say at logon, and the signature over it."""
    document = {"attributes": entry.said(), "signature": entry.signature or ""}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def write_documents(signed: SignedManifest, directory: Path) -> list[Path]:
    """Write ``<router>.json`` for every router of the manifest; the files."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for router, entry in sorted(signed.manifest.by_router().items()):
        file = directory / f"{router}.json"
        file.write_text(document_text(entry), encoding="utf-8")
        written.append(file)
    return written


def verify(file: Path, public_keys: Iterable[Path]) -> SignedManifest:
    """A manifest that one of these keys has signed, its documents included.

    Raises:
        ConfigError: it is no signed manifest, nobody with one of these keys signed it, or it was changed since.
        KeyFileError: a public key cannot be used.
    """
    keys = {key_name(key): key for key in map(read_public, public_keys)}
    signed = read_signed(file)
    named = [signature for signature in signed.signatures if signature.key in keys]
    if not named:
        signers = ", ".join(signature.key for signature in signed.signatures)
        what = f"is signed by {signers}, none of the given public keys ({', '.join(keys)})"
        raise _bad(file, what, "have it signed by who may, or give the signer's public key")
    content = signed.manifest.signed_bytes()
    good = [s.key for s in named if is_good(keys[s.key], s.signature, content)]
    if not good:
        raise _bad(file, "was changed after it was signed", "sign the manifest anew: `riskgate manifest sign`")
    for entry in signed.manifest.entries:
        if not _is_documented(entry, [keys[name] for name in good]):
            what = f"has no good document signature for {', '.join(entry.routers)}"
            raise _bad(file, what, "sign the manifest anew: `riskgate manifest sign`")
    return signed


def _is_documented(entry: Entry, keys: Iterable[Ed25519PublicKey]) -> bool:
    signature = entry.signature
    return signature is not None and any(is_good(key, signature, entry.document()) for key in keys)


def _bad(file: Path, what: str, mend: str) -> ConfigError:
    return ConfigError([Problem(str(file), 0, "", what, mend)])
