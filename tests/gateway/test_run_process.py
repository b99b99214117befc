"""`riskgate run` and `riskgate config` as processes: exit codes, nothing half started."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.support import ROOT
from tests.support.cli import cli_process
from tests.support.gateway import Setup, gateway_process, write_config
from tests.support.venue import ScriptedVenue


def test_config_check_of_the_example_is_good() -> None:
    done = cli_process("config", "check", "--config", "examples/riskgate.toml")

    assert done.returncode == 0, done.stderr
    assert "examples/riskgate.toml: good: 2 routers, 2 accounts, 2 symbols" in done.stdout


def test_config_check_prints_every_problem_and_exits_64(tmp_path: Path) -> None:
    file = tmp_path / "riskgate.toml"
    file.write_text((ROOT / "examples/riskgate.toml").read_text().replace("heartbeat", "hearbeat").replace("lot", "lt"))
    done = cli_process("config", "check", "--config", str(file))

    assert done.returncode == 64
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    assert 'order_entry.hearbeat: unknown key; did you mean "heartbeat"?' in lines[0]
    assert lines[-1] == f"riskgate: {file}: 3 problems"


def test_config_schema_is_json() -> None:
    schema = json.loads(cli_process("config", "schema").stdout)

    assert schema["properties"]["limits"]["properties"]["firm"]


def test_bad_configuration_starts_nothing(tmp_path: Path, venue: ScriptedVenue) -> None:
    file = tmp_path / "riskgate.toml"
    write_config(file, venue.address, Setup(extra="[surprise]\n"))
    done = cli_process("run", "--config", str(file), "--ready-file", str(tmp_path / "run.json"))

    assert done.returncode == 64
    assert "surprise: unknown key" in done.stderr
    assert "nothing was started" in done.stderr
    assert not (tmp_path / "run.json").exists()
    assert not (tmp_path / "halt.sock").exists()
    assert not venue.logons


def test_taken_port_is_named_and_nothing_stays_bound(tmp_path: Path, venue: ScriptedVenue) -> None:
    file = tmp_path / "riskgate.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        write_config(file, venue.address, Setup())
        text = file.read_text().replace('[admin]\nlisten = "127.0.0.1:0"', f'[admin]\nlisten = "{address}"')
        file.write_text(text)
        done = cli_process("run", "--config", str(file))

    assert done.returncode == 71, done.stderr
    assert f"[admin] listen = {address}" in done.stderr
    assert "free the address" in done.stderr


def test_each_start_writes_records_of_its_own(tmp_path: Path, venue: ScriptedVenue) -> None:
    setup = Setup(extra='[journal]\nfile = "records.log"\n')
    epochs = []
    for _ in range(2):
        with gateway_process(tmp_path, venue.address, setup) as gateway:
            epochs.append(gateway.status().epoch)

    assert sorted(file.name for file in tmp_path.glob("records*")) == sorted(f"records-{n}.log" for n in set(epochs))
    assert len(set(epochs)) == 2


def test_missing_verb_module_breaks_no_other_verb() -> None:
    done = cli_process("status", "--admin", "127.0.0.1:1", token="token-of-nobody-at-all")

    assert done.returncode == 69
    assert done.stderr.startswith("riskgate: no gateway answers at 127.0.0.1:1")
    assert done.stderr.count("\n") == 1


def test_no_token_is_said_so() -> None:
    done = cli_process("status")

    assert done.returncode == 77
    assert "RISKGATE_TOKEN" in done.stderr


def test_version_is_printed() -> None:
    done = cli_process("--version")

    assert (done.returncode, done.stdout.split()[0]) == (0, "riskgate")


def test_unknown_verb_suggests_the_closest() -> None:
    done = cli_process("statsu")

    assert done.returncode == 2
    assert "status" in done.stderr
