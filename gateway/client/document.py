"""The attestation document that a deployment leaves on a server, as `riskgate manifest sign --documents` writes it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from gateway.client.types import Attestation


def read_attestation(file: Path, measured: Attestation | None = None) -> Attestation:
    """What the deployment says runs here, with its signature; what the router has measured itself goes before.

    A router should measure what it can, above all the hash of its own binary: a document that was copied without the
    code, or code without its document, then shows at logon.

    Raises:
        ValueError: the file is no attestation document.
        OSError: it cannot be read.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        attributes, signature = document["attributes"], bytes.fromhex(document["signature"])
        own = {} if measured is None else {name: value for name, value in _fields(measured).items() if value}
        return Attestation(**{**attributes, "signature": signature, **own})
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is no attestation document: deploy the one `riskgate manifest sign` wrote") from error


def _fields(attestation: Attestation) -> dict[str, object]:
    return {field.name: getattr(attestation, field.name) for field in dataclasses.fields(attestation)}
