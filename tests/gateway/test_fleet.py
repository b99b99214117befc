"""What routers run, through a real gateway: shown, compared with a signed manifest, enforced."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.client import Attestation, LogonRefusedError, NewOrder, RouterClient, Side, read_attestation
from gateway.config import load_config
from gateway.fleet.keys import generate, read_private
from gateway.fleet.manifest import Entry, Manifest
from gateway.fleet.signing import sign, write_documents
from gateway.problems import ConfigError
from tests.gateway.conftest import quoting_venue
from tests.support.gateway import LIMITS, Gateway, Setup, router_token, running_gateway, write_config
from tests.support.waiting import RPC_SECONDS

NEW = Attestation(host="h1", build="2012.08", binary_sha256="ab" * 32, environment="prod", feature_flags={"RLP": "2"})
OLD = Attestation(
    host="h8", build="2005.03", binary_sha256="cd" * 32, environment="prod", feature_flags={"POWER_PEG": "1"}
)
ROUTERS = ("r1", "r2", "r3")
FLAGS = """
[[flags]]
bit = 0
name = "POWER_PEG"
version = "1"
owner = "equities"
retired = 2003-03-01
[[flags]]
bit = 0
name = "RLP"
version = "2"
owner = "equities"
introduced = 2012-07-27
readers = ["smars"]
"""
CANARY = """
[limits.router."r1"]
canary_max_order_qty = 10
canary_max_order_notional = "10_000"
canary_message_rate = 100
canary_max_open_orders = 10
[limits.router."r2"]
canary_max_order_qty = 10
canary_max_order_notional = "10_000"
canary_message_rate = 100
canary_max_open_orders = 10
[limits.router."r3"]
canary_max_order_qty = 10
canary_max_order_notional = "10_000"
canary_message_rate = 100
canary_max_open_orders = 10
"""


def write_manifest(directory: Path) -> None:
    """A manifest for all routers, signed, with its documents."""
    generate(directory / "deploy.key", directory / "deploy.pub")
    entry = Entry(routers=ROUTERS, binary_sha256=NEW.binary_sha256, environment="prod", feature_flags=NEW.feature_flags)
    signed = sign(Manifest(entries=(entry,)), read_private(directory / "deploy.key"))
    (directory / "fleet.json").write_text(signed.text())
    write_documents(signed, directory / "documents")


def fleet_table(policy: str) -> str:
    return f'[fleet]\npolicy = "{policy}"\nmanifest = "fleet.json"\npublic_keys = ["deploy.pub"]\n'


@contextmanager
def running(directory: Path, extra: str, limits: str = LIMITS) -> Iterator[Gateway]:
    with (
        quoting_venue() as venue,
        running_gateway(directory, venue.address, Setup(routers=ROUTERS, extra=extra, limits=limits)) as gateway,
    ):
        yield gateway


def client(gateway: Gateway, name: str, attestation: Attestation) -> RouterClient:
    return RouterClient(gateway.order_entry, name, router_token(name), attestation=attestation)


async def send(router: RouterClient, qty: int = 100, flags: int = 0) -> str:
    """An order's verdict: accepted, or the reason's name."""
    order = router.new_order(NewOrder("ACC2", "AAPL", Side.BUY, qty, price=100_000_000_000, flags=flags))
    outcome = await order.outcome(timeout=RPC_SECONDS)
    return outcome.reject.name if outcome.reject is not None else outcome.verdict.value


async def test_odd_one_out_is_named_without_any_manifest(tmp_path: Path) -> None:
    with running(tmp_path, FLAGS) as gateway:
        async with client(gateway, "r1", NEW) as first, client(gateway, "r2", OLD) as odd:
            assert await send(first, flags=1) == "accepted"
            assert await send(odd, flags=1) == "FLAG_NOT_ATTESTED"
            table = (await asyncio.to_thread(gateway.run, "fleet", who="wall")).stdout
            assert "r3      missing" in table
            assert "r3: has not logged on" in table
            async with client(gateway, "r3", NEW):
                shown = await asyncio.to_thread(gateway.run, "fleet", "-o", "json", who="wall")
                table = (await asyncio.to_thread(gateway.run, "fleet", who="wall")).stdout
                metrics = await asyncio.to_thread(_metrics, gateway)

    fleet = json.loads(shown.stdout)
    odd_row = next(row for row in fleet["rows"] if row["router"] == "r2")
    assert {difference["attribute"] for difference in odd_row["differences"]} == {
        "binary_sha256",
        "build",
        "feature_flags",
    }
    assert any(
        text.startswith("r2: binary_sha256 differs from 2 of 3 (cdcdcdcdcdcd... instead of abababababab...)")
        for text in fleet["findings"]
    )
    assert any("still knows order flag POWER_PEG 1" in text for text in fleet["findings"])
    assert "cdcdcdcdcdcd *" in table
    assert "abababababab *" not in table
    assert 'risk_attestation_mismatch{attribute="binary_sha256",router="r2"} 1.0' in metrics
    assert 'risk_attestation_mismatch{attribute="binary_sha256",router="r1"} 0.0' in metrics


def _metrics(gateway: Gateway) -> str:
    with urllib.request.urlopen(f"http://{gateway.metrics}/metrics", timeout=RPC_SECONDS) as answer:
        text: str = answer.read().decode()
        return text


async def test_deployed_router_comes_in_and_the_others_are_told_why_not(tmp_path: Path) -> None:
    write_manifest(tmp_path)
    with running(tmp_path, fleet_table("refuse")) as gateway:
        document = read_attestation(tmp_path / "documents/r1.json", Attestation(host="h1", build="2012.08"))
        async with client(gateway, "r1", document) as router:
            assert await send(router) == "accepted"
        with pytest.raises(LogonRefusedError, match=r"binary_sha256 is cdcdcdcdcdcd\.\.\., expected abababababab"):
            await client(gateway, "r2", OLD).__aenter__()
        # The right code without the deployment's document.
        with pytest.raises(LogonRefusedError, match="signature is missing"):
            await client(gateway, "r2", NEW).__aenter__()
        # The document was copied, the code was not: what the router measures tells.
        stale = read_attestation(tmp_path / "documents/r3.json", Attestation(binary_sha256="cd" * 32))
        with pytest.raises(LogonRefusedError, match="binary_sha256 is cdcdcdcdcdcd"):
            await client(gateway, "r3", stale).__aenter__()
        test = read_attestation(tmp_path / "documents/r3.json", Attestation(environment="test"))
        with pytest.raises(LogonRefusedError, match="its environment is test, and this gateway's is prod"):
            await client(gateway, "r3", test).__aenter__()
        table = (await asyncio.to_thread(gateway.run, "fleet", who="wall")).stdout

    assert "Fleet, compared with the signed manifest" in table
    assert "r2: its last logon was refused" in table


async def test_quarantined_router_is_promoted_from_the_shell(tmp_path: Path) -> None:
    write_manifest(tmp_path)
    with running(tmp_path, fleet_table("quarantine"), LIMITS + CANARY) as gateway:
        async with client(gateway, "r1", OLD) as router:
            assert await send(router, 11) == "CANARY_ORDER_QTY"
            assert await send(router, 10) == "accepted"
            assert "connected, canary" in (await asyncio.to_thread(gateway.run, "fleet")).stdout
            proposed = await asyncio.to_thread(
                gateway.run, "reinstate", "promote", "r1", "--reason", "looked at", "-o", "json"
            )
            number = json.loads(proposed.stdout)["proposal_id"]
            waiting = (await asyncio.to_thread(gateway.run, "reinstate", "list")).stdout
            assert "take router r1 off canary" in waiting
            assert (await asyncio.to_thread(gateway.run, "reinstate", "approve", number)).returncode == 1
            approved = await asyncio.to_thread(gateway.run, "reinstate", "approve", number, who="bob")
            assert approved.returncode == 0, approved.stderr
            assert await send(router, 11) == "accepted"


async def test_rollback_to_the_culprits_build_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, "") as gateway:
        async with client(gateway, "r1", OLD) as culprit, client(gateway, "r2", NEW) as peer:
            tight = await asyncio.to_thread(
                gateway.run, "limits", "set", "router:r1", "max_turnover_day", "1", "--reason", "drill"
            )
            assert tight.returncode == 0, tight.stderr
            assert await send(culprit) == "TURNOVER_LIMIT"
            sentence = r"this is the build of r1, halted by trip 1 \(TURNOVER_LIMIT\); a rollback to it is refused"
            with pytest.raises(LogonRefusedError, match=sentence):
                await client(gateway, "r3", OLD).__aenter__()
            assert await send(peer) == "accepted"
            incidents = (await asyncio.to_thread(gateway.run, "fleet")).stdout
            assert "Open incidents: these builds may not log on" in incidents
            closing = await asyncio.to_thread(
                gateway.run, "reinstate", "close-incident", "1", "--reason", "it was the limit", "-o", "json"
            )
            number = json.loads(closing.stdout)["proposal_id"]
            await asyncio.to_thread(gateway.run, "reinstate", "approve", number, who="bob")
            async with client(gateway, "r3", OLD) as other:
                assert await send(other) == "accepted"
            assert await send(culprit) == "HALTED"


@pytest.mark.parametrize(
    ("extra", "limits", "says"),
    [
        (fleet_table("refuse").replace("fleet.json", "none.json"), LIMITS, "cannot be read"),
        (fleet_table("refuse").replace("deploy.pub", "none.pub"), LIMITS, "none.pub cannot be read"),
        (fleet_table("refuse").replace("deploy.pub", "deploy.key"), LIMITS, "holds no ed25519 public key"),
        ('[fleet]\nmanifest = "fleet.json"\n', LIMITS, "cannot be trusted without a public key"),
        ('[fleet]\npolicy = "quarantine"\n', LIMITS, "names none"),
        (fleet_table("quarantine"), LIMITS, "quarantines routers, but r1 has no canary_max_order_qty"),
        (FLAGS.replace("retired = 2003-03-01\n", ""), LIMITS, "bit 0 means POWER_PEG 1 and RLP 2 at once"),
        (FLAGS.replace("bit = 0", "bit = 64", 1), LIMITS, "flags[0].bit"),
    ],
)
def test_fleet_that_cannot_be_checked_is_no_configuration(extra: str, limits: str, says: str, tmp_path: Path) -> None:
    write_manifest(tmp_path)
    file = tmp_path / "riskgate.toml"
    write_config(file, "127.0.0.1:1", Setup(routers=ROUTERS, extra=extra, limits=limits))

    with pytest.raises(ConfigError) as refused:
        load_config(file)

    assert says in str(refused.value)


def test_flag_of_the_future_is_not_registered_yet(tmp_path: Path) -> None:
    file = tmp_path / "riskgate.toml"
    write_config(file, "127.0.0.1:1", Setup(extra=FLAGS))

    flags = load_config(file).flags

    days = [(flag.name, flag.introduced, flag.retired) for flag in flags]
    assert [name for name, _, _ in days] == ["POWER_PEG", "RLP"]
    rlp = flags[1]
    assert rlp.introduced is not None
    assert rlp.is_planned(rlp.introduced.replace(day=26))
    assert not rlp.is_planned(rlp.introduced)
    assert flags[0].retired is not None
    assert flags[0].is_retired(flags[0].retired)
    assert not flags[0].is_retired(flags[0].retired.replace(day=28, month=2))


def test_router_that_the_manifest_does_not_name_is_noted(tmp_path: Path) -> None:
    write_manifest(tmp_path)
    file = tmp_path / "riskgate.toml"
    write_config(file, "127.0.0.1:1", Setup(routers=(*ROUTERS, "r4"), extra=fleet_table("refuse")))

    assert "the manifest names no router r4: its logon is not as expected" in list(load_config(file).notes())
