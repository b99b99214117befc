"""Recordings that cannot be used: which file, which place, what, and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from databento_dbn import Action, Schema, Side, SType, TradeMsg

from gateway.backtest import Flow, FlowError, backtest, default_limits, open_flow, prepare
from tests.backtest.recording import (
    CSV_HEADER,
    INSTRUMENT,
    OPEN,
    PARTY,
    csv_file,
    header,
    record,
    session_file,
    write,
)

RECORDS = [record("A", 5, at=OPEN), record("A", 6, at=OPEN + 1), record("A", 7, at=OPEN + 2)]


def read(flow: Flow) -> None:
    """Everything the backtest reads."""
    flow.summary()
    for _ in flow.steps():
        pass


def refusal(path: Path) -> str:
    """The message, without the file's name, which comes first."""
    with pytest.raises(FlowError) as caught:
        read(open_flow(path, PARTY))
    message = str(caught.value)

    assert message.startswith(f"{path}: ")
    assert "; " in message, "no mend"
    return message.removeprefix(f"{path}: ")


def trade() -> bytes:
    return bytes(
        TradeMsg(
            publisher_id=1,
            instrument_id=INSTRUMENT,
            ts_event=OPEN,
            price=4_800_000_000_000,
            size=1,
            action=Action.from_str("T"),
            side=Side.from_str("B"),
            depth=0,
            ts_recv=OPEN,
            flags=128,
        )
    )


@pytest.mark.parametrize("percent", [1, 50, 99])
def test_truncated_compressed_file(tmp_path: Path, percent: int) -> None:
    path, _ = session_file(tmp_path, messages=500)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * percent // 100])

    assert "is truncated" in refusal(path)


def test_truncated_plain_file_names_the_record(tmp_path: Path) -> None:
    path = write(tmp_path / "flow.dbn", RECORDS, compress=False)
    path.write_bytes(path.read_bytes()[:-20])

    assert refusal(path) == "is truncated: it ends within record 3; fetch the file again"


def test_corrupt_compressed_data(tmp_path: Path) -> None:
    path, _ = session_file(tmp_path, messages=500)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)

    assert "is corrupt" in refusal(path) or "is truncated" in refusal(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty; name a DBN or CSV file"),
        (
            b"DBN\x09" + bytes(50),
            "is corrupt: can't decode newer version of DBN. Decoder version is 3, input version is 9",
        ),
        (header()[:40], "is truncated: it ends within its header"),
        (header() + bytes(60), "is corrupt: invalid record with impossible length 0"),
        (
            header(Schema.TRADES) + trade(),
            'has the schema "trades", which does not show single orders; fetch the schema "mbo"',
        ),
        (header() + RECORDS[0] + trade(), "record 1: a TradeMsg follows it, which is not market by order"),
        (header(symbols={}) + RECORDS[0], "its header names no symbols"),
        (header(symbols={"ESH4": 1}) + RECORDS[0], "instrument 17077 has no symbol in the file's header"),
        (header(symbols={"ESH4": 1, "ESM4": 1}) + RECORDS[0], "instrument 1 is first ESH4, then ESM4; split"),
        (header(stype_out=SType.RAW_SYMBOL) + RECORDS[0], 'its records are numbered by "raw_symbol"'),
        (
            header() + RECORDS[1] + RECORDS[0],
            "record 2: its time 2023-12-25T23:00:00.000000000Z is before 2023-12-25T23:00:00.000000001Z of record 1; sort",
        ),
        (header() + record("A", 5, at=2**63), "record 1: has no usable time"),
        (header() + record("A", 5, price=None), "record 1: has no price"),
        (b"\xff\xfe1,2\n", "is not UTF-8 text; name a DBN file, or a CSV file in UTF-8"),
    ],
)
def test_bad_file(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "flow"
    path.write_bytes(data)

    assert message in refusal(path)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.dbn") == "cannot be read (No such file or directory); check the path"
    assert refusal(tmp_path) == "cannot be read (Is a directory); check the path"


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("", "line 1: is no header; begin the file with `time,action,order_id,symbol,side,qty,price`"),
        ("hello world", "line 1: is no header"),
        (f"{CSV_HEADER},colour", 'line 1: unknown column "colour"; known: time, action'),
        (f"{CSV_HEADER},acount", 'line 1: unknown column "acount"; did you mean "account"?'),
        (f"{CSV_HEADER},bid", 'line 1: column "bid" comes twice; keep one of them'),
        ("time,action,order_id,symbol,side,qty", 'line 1: column "price" is missing'),
    ],
)
def test_bad_csv_header(tmp_path: Path, first: str, message: str) -> None:
    assert message in refusal(csv_file(tmp_path, header=first))


GOOD = f"{OPEN},new,1,ESH4,buy,5,4800,,"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([f"{OPEN},new,1,ESH4,buy,5"], "line 2: has 6 fields, the header 9; give each column its field"),
        (
            ["noon,new,1,ESH4,buy,5,4800,,"],
            'line 2: "noon" is not a time; write it like 2023-12-25T23:00:00.000000001Z',
        ),
        (["2023-02-30T00:00:00Z,new,1,ESH4,buy,5,4800,,"], "is no date or time that exists"),
        (["9999-01-01T00:00:00Z,new,1,ESH4,buy,5,4800,,"], "is out of range; times are from 1970 to 2262"),
        (
            [GOOD, f"{OPEN - 1},new,2,ESH4,buy,5,4800,,"],
            "line 3: its time 2023-12-25T22:59:59.999999999Z is before 2023-12-25T23:00:00.000000000Z of an earlier line;",
        ),
        ([f"{OPEN},gnu,1,ESH4,buy,5,4800,,"], 'line 2: unknown action "gnu"; known: new, replace, cancel, fill, quote'),
        ([f"{OPEN},cancle,1,ESH4,buy,5,4800,,"], 'did you mean "cancel"?'),
        ([f"{OPEN},new,,ESH4,buy,5,4800,,"], "line 2: order_id is empty; every order needs one"),
        ([GOOD, GOOD], 'line 3: order_id "1" was used before; give each order its own'),
        ([f"{OPEN},new,1,ESH4,by,5,4800,,"], 'line 2: side: "by" is no side; write buy or sell'),
        ([f"{OPEN},new,1,ESH4,buy,five,4800,,"], 'line 2: qty: "five" is not a whole number; write it like 25_000'),
        ([f"{OPEN},new,1,ESH4,buy,1.5,4800,,"], 'line 2: qty: "1.5" is not a whole number'),
        ([f"{OPEN},new,1,ESH4,buy,0,4800,,"], "line 2: qty: 0 is out of range; write 1 or more"),
        ([f"{OPEN},new,1,ESH4,buy,-5,4800,,"], "line 2: qty: -5 is out of range"),
        ([f"{OPEN},new,1,ESH4,buy,99999999999999999999,4800,,"], "is too large"),
        ([f"{OPEN},new,1,ESH4,buy,5,48oo,,"], 'line 2: price: "48oo" is not a decimal amount'),
        ([f"{OPEN},new,1,ESH4,buy,5,1e3,,"], 'line 2: price: "1e3" is not a decimal amount'),
        ([f"{OPEN},new,1,ESH4,buy,5,NaN,,"], 'line 2: price: "NaN" is not a decimal amount'),
        ([f"{OPEN},new,1,E mini,buy,5,4800,,"], 'line 2: "E mini" is not a name; use 1 to 36 letters'),
        ([f"{OPEN},cancel,1,,,,,,"], 'line 2: order_id "1" is of no order yet; put its line with action new first'),
        ([GOOD, f"{OPEN},cancel,1,,,,,,", f"{OPEN},fill,1,,,1,4800,,"], 'line 4: order_id "1" is of an order that is'),
        (
            [GOOD, f"{OPEN},fill,1,,,6,4800,,"],
            "line 3: qty: fills of 6 exceed the order's 5; add the replace before it",
        ),
        (
            [GOOD, f"{OPEN},fill,1,,,2,4800,,", f"{OPEN},replace,1,,,2,4800,,"],
            "line 4: qty: 2 is not more than the 2 filled",
        ),
        ([f"{OPEN},new,1,ESH4,buy,5,,,", f"{OPEN},replace,1,,,9,4800,,"], 'line 3: price: order "1" is a market order'),
        ([GOOD, f"{OPEN},fill,1,,,2,,,"], 'line 3: price: "" is not a decimal amount'),
        ([f"{OPEN},quote,,ESH4,,,,4799,"], "line 2: ask is empty; a quote has both sides"),
        ([f'{OPEN},new,"1,ESH4,buy,5,4800,,'], "is not CSV"),
    ],
)
def test_bad_csv_line(tmp_path: Path, lines: list[str], message: str) -> None:
    assert message in refusal(csv_file(tmp_path, *lines))


def test_flow_without_orders_passes_no_limits(tmp_path: Path) -> None:
    """Limits that nothing was measured against are not good."""
    flow = open_flow(csv_file(tmp_path, f"{OPEN},quote,,ESH4,,,,4799,4800"), PARTY)
    limits = default_limits(flow.symbols)
    assert limits is not None

    with pytest.raises(FlowError, match="holds no order, so it shows nothing about the limits"):
        backtest(flow, prepare(flow, limits))


def test_symbol_without_a_row_in_the_limits_file(tmp_path: Path) -> None:
    flow = open_flow(csv_file(tmp_path, f"{OPEN},new,1,NQH4,buy,5,4800,,"), PARTY)
    limits = default_limits(["ESH4"])
    assert limits is not None

    with pytest.raises(FlowError) as caught:
        prepare(flow, limits)
    assert str(caught.value) == (
        f'{flow.file}: its symbol NQH4 is not in {limits}; add [[symbols]] name = "NQH4", with its tick, lot and '
        'multiplier, or one for every contract: name = "NQ"'
    )
