"""Generate the Python code of protos/riskgate/v1 beside the .proto files: messages, gRPC stubs and their types.

Run it through ``make protos``. With ``--check`` nothing is written: the command fails when the committed code is not
what the generator makes of the .proto files now. Rust generates its own code at build time.
"""

from __future__ import annotations

import argparse
import importlib.resources
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def generate(out: Path) -> None:
    """Generate into ``out``, which becomes a copy of the package tree under protos/."""
    sources = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
    scripts = Path(sysconfig.get_path("scripts"))
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={importlib.resources.files('grpc_tools') / '_proto'}",
            f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            f"--mypy_out=quiet:{out}",
            f"--mypy_grpc_out=quiet:{out}",
            *sources,
        ]
    )
    if status:
        raise SystemExit(f"protoc failed with status {status}; its message is above")


def generated_files(tree: Path) -> dict[str, bytes]:
    """The generated files under ``tree``, by their path relative to it."""
    return {
        path.relative_to(tree).as_posix(): path.read_bytes() for pattern in GENERATED for path in tree.rglob(pattern)
    }


def stale(committed: dict[str, bytes], fresh: dict[str, bytes]) -> list[str]:
    """Paths that are missing, left over or different in ``committed``."""
    return sorted(path for path in committed.keys() | fresh.keys() if committed.get(path) != fresh.get(path))


def main() -> int:
    """Write the generated code, or with ``--check`` compare it; 1 when it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the committed code is stale")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        generate(out)
        differing = stale(generated_files(PROTOS), generated_files(out))
        if arguments.check:
            for path in differing:
                print(f"protos/{path} is not what its .proto file generates; run `make protos` and commit the result")
            return 1 if differing else 0
        for path in differing:
            (PROTOS / path).unlink(missing_ok=True)
            if (out / path).exists():
                shutil.copy(out / path, PROTOS / path)
                print(f"protos/{path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
