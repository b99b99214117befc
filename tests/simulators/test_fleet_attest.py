"""What simulated routers say that they run."""

from __future__ import annotations

from gateway.client import Attestation
from router_sim.attest import FLAGS, attestation, binary_sha256, config_hash
from router_sim.behaviour import Build
from router_sim.worker import Fault


def test_each_build_has_a_hash_of_its_own_and_the_same_everywhere() -> None:
    """SHA-256 in hex, of what differs between the builds."""
    hashes = [binary_sha256(build) for build in Build]

    assert len(set(hashes)) == len(Build)
    assert all(len(value) == 64 for value in hashes)
    assert binary_sha256(Build.RLP) == binary_sha256(Build.RLP)


def test_two_servers_differ_only_in_where_they_are() -> None:
    """Comparing them finds nothing but a failed copy or a wrong configuration."""

    def compared(said: Attestation) -> tuple[str, ...]:
        return (said.build, said.binary_sha256, said.config_hash, said.schema_revision, said.environment)

    one = attestation("smars-1", Build.RLP, Fault.NONE)

    assert compared(one) == compared(attestation("smars-2", Build.RLP, Fault.NONE))
    assert one.feature_flags == FLAGS[Build.RLP]
    assert compared(one) == compared(attestation("smars-2", Build.RLP, Fault.RESEND))
    assert config_hash(Fault.DOLLAR_ORDERS) != one.config_hash
