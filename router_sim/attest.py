"""What a simulated router says at logon that it runs: measured where there is something to measure."""

from __future__ import annotations

import hashlib
import inspect
import os
import socket
from pathlib import Path

from gateway.client import Attestation, read_attestation
from router_sim.behaviour import Build, HealthyRouter, PowerPeg
from router_sim.worker import Fault

SCHEMA = "riskgate.v1"
"""The contract this fleet was generated from."""

FLAGS = {Build.RLP: {"RLP": "2"}, Build.POWER_PEG: {"POWER_PEG": "1"}}
"""What each build takes order flag bit 0 for: name and version."""

_FLAGGED = {Build.RLP: HealthyRouter, Build.POWER_PEG: PowerPeg}
"""The code that works an order with the flag: what differs between the builds."""

_CONFIGURED = frozenset({Fault.DOLLAR_ORDERS})
"""Faults that are one of the configuration, as Goldman's was."""


def binary_sha256(build: Build) -> str:
    """The hash of what would be the binary: the source of the code that a flagged order meets in this build."""
    code = build.value + inspect.getsource(HealthyRouter) + inspect.getsource(_FLAGGED[build])
    return hashlib.sha256(code.encode()).hexdigest()


def config_hash(fault: Fault) -> str:
    """The hash of a router's configuration; a fault of the configuration changes it."""
    configured = fault.value if fault in _CONFIGURED else Fault.NONE.value
    return hashlib.sha256(f"fault = {configured}\n".encode()).hexdigest()


def attestation(name: str, build: Build, fault: Fault, document: Path | None = None) -> Attestation:
    """What the router says.

    Args:
        name: the router.
        build: the code on its server.
        fault: the incident that it plays.
        document: what the deployment left on its server, if it left anything.

    Raises:
        ValueError: the document is none.
        OSError: it cannot be read.
    """
    measured = Attestation(
        instance_id=f"{name}:{os.getpid()}",
        host=socket.gethostname(),
        build=build.value,
        config_hash=config_hash(fault),
        feature_flags=FLAGS[build],
        binary_sha256=binary_sha256(build),
        schema_revision=SCHEMA,
        environment="sim",
    )
    return measured if document is None else read_attestation(document, measured)
