"""The container: Databento's DBN, plain or zstd-compressed, as metadata and numbered market-by-order records."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import zstandard
from databento_dbn import (
    UNDEF_TIMESTAMP,
    DBNDecoder,
    DBNError,
    MBOMsg,
    Metadata,
    SymbolMappingMsg,
    SystemMsg,
)

from gateway.backtest.flow import FlowError
from gateway.backtest.times import iso

ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
DBN_MAGIC: Final = b"DBN"
MBO: Final = "mbo"

_CHUNK: Final = 64 * 1024
_LATEST: Final = 2**63 - 1
_AGAIN: Final = "fetch the file again"


class DbnFile:
    """One file. ``file`` is its name in messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = str(path)

    def metadata(self) -> Metadata:
        """What the file says about itself.

        Raises:
            FlowError: not DBN, or not of the schema market-by-order.
        """
        for decoded in self._decoded():
            for record in decoded:
                if isinstance(record, Metadata):
                    return self._checked(record)
        raise self._wrong("", "is truncated: it ends within its header", _AGAIN)

    def records(self) -> Iterator[tuple[int, int, MBOMsg]]:
        """Each market-by-order record with its number from 1 and its time.

        The time is ``ts_recv``, in whose order Databento writes its files; ``ts_event`` where that is not set.

        Raises:
            FlowError: the file is truncated or corrupt, holds records of another schema, or goes back in time.
        """
        number, last = 0, 0
        for decoded in self._decoded():
            for record in decoded:
                if not isinstance(record, MBOMsg):
                    self._skip(record, number)
                    continue
                number += 1
                time = record.ts_recv
                if time == UNDEF_TIMESTAMP:
                    time = record.ts_event
                if time > _LATEST:
                    raise self._wrong(f"record {number}", "has no usable time", _AGAIN)
                if time < last:
                    what = f"its time {iso(time)} is before {iso(last)} of record {number - 1}"
                    raise self._wrong(f"record {number}", what, "sort the recording by ts_recv")
                last = time
                yield number, time, record

    def _decoded(self) -> Iterator[list[object]]:
        decoder = DBNDecoder()
        records, begun = 0, False
        for chunk in self._chunks():
            try:
                decoded: list[object] = list(decoder.write_and_decode(chunk))
            except DBNError as error:
                raise self._wrong(f"record {records + 1}" if records else "", _reason(error), _AGAIN) from error
            records += sum(isinstance(record, MBOMsg) for record in decoded)
            begun = begun or bool(decoded)
            yield decoded
        if decoder.buffer():
            where = f"record {records + 1}" if begun else "its header"
            raise self._wrong("", f"is truncated: it ends within {where}", _AGAIN)

    def _chunks(self) -> Iterator[bytes]:
        """The file's content, decompressed."""
        try:
            with self.path.open("rb") as stream:
                compressed = stream.read(len(ZSTD_MAGIC)) == ZSTD_MAGIC
                stream.seek(0)
                raw = iter(lambda: stream.read(_CHUNK), b"")
                yield from self._decompressed(raw) if compressed else raw
        except OSError as error:
            raise self._wrong("", f"cannot be read ({error.strerror})", "check the path") from error

    def _decompressed(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Frame by frame: Databento writes the header and the records as two."""
        frame = None
        for chunk in raw:
            rest = chunk
            while rest:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                try:
                    yield frame.decompress(rest)
                except zstandard.ZstdError as error:
                    raise self._wrong("", f"is corrupt: {error}", _AGAIN) from error
                rest = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
        if frame is not None:
            raise self._wrong("", "is truncated: it ends within its compressed data", _AGAIN)

    def _checked(self, metadata: Metadata) -> Metadata:
        if metadata.schema not in {MBO, None}:
            what = f'has the schema "{metadata.schema}", which does not show single orders'
            raise self._wrong("", what, f'fetch the schema "{MBO}" (market by order)')
        return metadata

    def _skip(self, record: object, number: int) -> None:
        """Pass over what a live recording says about itself; refuse other market data."""
        if isinstance(record, Metadata | SymbolMappingMsg | SystemMsg):
            return
        what = f"a {type(record).__name__} follows it, which is not market by order"
        raise self._wrong(f"record {number}", what, f'fetch the schema "{MBO}" alone')

    def _wrong(self, place: str, what: str, mend: str) -> FlowError:
        return FlowError(self.file, place, what, mend)


def _reason(error: DBNError) -> str:
    return f"is corrupt: {str(error).removeprefix('decoding error: ')}"
