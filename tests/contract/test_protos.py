"""The wire contracts: generated code is fresh, and what a stranger needs to know is written beside each thing."""

from __future__ import annotations

import importlib.resources
import subprocess
import sys
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

from tests.support import ROOT

PROTOS = ROOT / "protos"


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> list[FileDescriptorProto]:
    """The contracts with their comments."""
    out = tmp_path_factory.mktemp("protos") / "all.binpb"
    sources = [path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto")]
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    status = protoc.main(
        ["", f"-I{PROTOS}", f"-I{well_known}", "--include_source_info", f"--descriptor_set_out={out}", *sources]
    )

    assert status == 0
    return list(FileDescriptorSet.FromString(out.read_bytes()).file)


def test_generated_python_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/gen_protos.py", "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def undocumented(file: FileDescriptorProto) -> Iterator[str]:
    """Services, methods, messages and enums without a comment, and numbers whose name does not tell their unit."""
    comments = {
        tuple(location.path): (location.leading_comments + location.trailing_comments).strip()
        for location in file.source_code_info.location
    }
    for s, service in enumerate(file.service):
        if not comments.get((6, s)):
            yield service.name
        for m, method in enumerate(service.method):
            if not comments.get((6, s, 2, m)):
                yield f"{service.name}.{method.name}"
    requests = {
        name.rpartition(".")[2]
        for service in file.service
        for method in service.method
        for name in (method.input_type, method.output_type)
    }
    for e, enum in enumerate(file.enum_type):
        if not comments.get((5, e)):
            yield enum.name
    for n, message in enumerate(file.message_type):
        if not comments.get((4, n)) and message.name not in requests:
            yield message.name
        yield from _vague_fields(message, (4, n), comments)


_Field = FieldDescriptorProto
_INTEGERS = {
    _Field.TYPE_INT32,
    _Field.TYPE_INT64,
    _Field.TYPE_UINT32,
    _Field.TYPE_UINT64,
    _Field.TYPE_FIXED64,
    _Field.TYPE_SFIXED64,
}

# Words that say what a number counts; any other integer field needs a comment with its unit.
_TELLING = (
    "qty", "px", "price", "seq", "time", "_ms", "_ns", "_id", "_type", "reason", "version", "date", "day", "orders",
    "count", "code", "limit", "value", "used", "position", "pnl", "notional", "turnover", "cash", "epoch", "trip",
    "bid", "ask", "size", "messages", "cancels", "attempts",
)  # fmt: skip


def _vague_fields(
    message: DescriptorProto, path: tuple[int, ...], comments: dict[tuple[int, ...], str]
) -> Iterator[str]:
    for f, field in enumerate(message.field):
        if field.type in _INTEGERS and not comments.get((*path, 2, f)) and not any(w in field.name for w in _TELLING):
            yield f"{message.name}.{field.name}"


def test_what_is_not_plain_is_documented(contracts: list[FileDescriptorProto]) -> None:
    missing = [name for file in contracts if file.package.startswith("riskgate") for name in undocumented(file)]

    assert not missing, f"say in a comment above it what it is for, with units and bounds: {missing}"
