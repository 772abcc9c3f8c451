"""Runs in files: what is exported comes back bit for bit, and a hostile file is refused whole."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.errors import LedgerError
from freezer.ledger.connect import Ledger, open_ledger
from freezer.ledger.exchange.document import digests, export_parts, read_export
from freezer.ledger.exchange.parquet import write_parquet
from freezer.ledger.exchange.table import table
from freezer.ledger.exchange.validate import FIRST, LAST
from freezer.ledger.query import all_points, content, count, get
from freezer.ledger.record import record, record_new
from freezer.ledger.series import Points, packed
from freezer.model.canonical import digest
from freezer.model.record.run import Digest, Output, Run, Time, Value, run_bytes
from tests.support.examples import examples

BITS = st.binary(min_size=8, max_size=8).map(lambda data: struct.unpack("<d", data)[0])
"""Every double: NaN with any payload too."""
NAMES = st.text(min_size=1, max_size=20).filter(str.isprintable)
TIMES = st.integers(FIRST, LAST).map(Time)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
VALUES: st.SearchStrategy[Value] = st.one_of(
    BITS,
    st.integers(),
    TEXTS,
    st.booleans(),
    TIMES,
    st.text("0123456789abcdef", min_size=4, max_size=64).map(Digest),
)
STEPS = st.integers(-(1 << 63), (1 << 63) - 1)
SERIES = st.dictionaries(
    NAMES, st.lists(st.tuples(STEPS, STEPS, BITS), max_size=4).map(Points.of), max_size=3
)
HEX = "0123456789abcdef"
RUNS = st.builds(
    Run,
    id=st.text(HEX, min_size=16, max_size=16),
    environment=NAMES,
    state=st.sampled_from(["finished", "failed", "interrupted"]),
    started=TIMES,
    command=st.lists(TEXTS, max_size=3).map(tuple),
    ended=st.none() | TIMES,
    exit_code=st.none() | st.integers(-9, 255),
    fields=st.dictionaries(NAMES, VALUES, max_size=6),
    tags=st.dictionaries(NAMES, TEXTS, max_size=3),
    notes=st.lists(TEXTS, max_size=2).map(tuple),
    outputs=st.lists(
        st.builds(
            Output,
            path=TEXTS,
            size=st.integers(0, 1 << 60),
            sha256=st.text(HEX, min_size=64, max_size=64),
            content=st.none() | st.text(HEX, min_size=64, max_size=64),
            format=st.none() | NAMES,
        ),
        max_size=2,
    ).map(tuple),
    tail=TEXTS,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def exported(*runs: tuple[Run, dict[str, Points]], contents: tuple[bytes, ...] = ()) -> bytes:
    return b"".join(export_parts(runs, contents))


@given(st.lists(st.tuples(RUNS, SERIES), max_size=3, unique_by=lambda one: one[0].id))
def test_an_export_comes_back_bit_for_bit(found: list[tuple[Run, dict[str, Points]]]) -> None:
    back = read_export(exported(*found, contents=(b"", b"\xff\x00")))
    assert back.contents == (b"", b"\xff\x00")
    assert len(back.runs) == len(found)
    for (run, series), (made, points) in zip(back.runs, found, strict=True):
        assert run_bytes(run) == run_bytes(made)
        assert {name: packed(one) for name, one in series.items()} == {
            name: packed(one) for name, one in points.items()
        }


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(RUNS, SERIES)
def test_it_comes_back_through_two_ledgers(
    tmp_path_factory: pytest.TempPathFactory, made: Run, points: dict[str, Points]
) -> None:
    folder = tmp_path_factory.mktemp("two")
    first, second = open_ledger(folder / "1.db"), open_ledger(folder / "2.db")
    record(first, made, points)
    data = exported((get(first, made.id), all_points(first, made.id)))
    record_new(second, read_export(data).runs)
    assert exported((get(second, made.id), all_points(second, made.id))) == data
    first.close()
    second.close()


def run(number: int = 1, **fields: Value) -> Run:
    return Run(f"{number:016x}", "demo", "finished", Time(number), fields=fields)


def test_contents_are_found_by_their_digests(ledger: Ledger) -> None:
    patch = b"a patch"
    made = run(1, **{"git.patch": Digest(f"sha256:{digest(patch)}"), "x": Digest("abcd")})
    assert digests(made) == [digest(patch)]
    record_new(ledger, read_export(exported((made, {}), contents=(patch,))).runs, [patch])
    assert content(ledger, digests(get(ledger, made.id))[0]) == patch


def test_a_run_that_is_there_is_skipped_and_one_that_differs_refused(ledger: Ledger) -> None:
    assert record_new(ledger, [(run(1, a=1), {})]) == ([run(1).id], [])
    assert record_new(ledger, [(run(1, a=1), {}), (run(2), {})]) == ([run(2).id], [run(1).id])
    with pytest.raises(LedgerError, match="is already in this ledger, with other content"):
        record_new(ledger, [(run(3), {}), (run(1, a=2), {})])
    assert count(ledger) == 2, "nothing of a refused import is recorded"
    assert get(ledger, run(1).id).fields["a"] == 1


GOOD: dict[str, Any] = json.loads(exported((run(1, a=1.5), {"m": Points.of([(0, 0, 1.0)])})))


def changed(path: str, value: Any) -> bytes:
    document = json.loads(json.dumps(GOOD))
    *folders, last = path.split("/")
    place = document
    for one in folders:
        place = place[int(one)] if isinstance(place, list) else place[one]
    place[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("runs", {}),
        ("runs", [1]),
        ("runs", [GOOD["runs"][0]] * 2),
        ("contents", ["*"]),
        ("contents", [1]),
        ("runs/0/run/id", "../../etc"),
        ("runs/0/run/id", 1),
        ("runs/0/run/state", "fine"),
        ("runs/0/run/environment", "a\nb"),
        ("runs/0/run/environment", "x" * 65),
        ("runs/0/run/started", 1 << 80),
        ("runs/0/run/started", "now"),
        ("runs/0/run/ended", True),
        ("runs/0/run/exit", "0"),
        ("runs/0/run/exit", 1 << 40),
        ("runs/0/run/command", [1]),
        ("runs/0/run/fields", {"a": None}),
        ("runs/0/run/fields", {"a": [1]}),
        ("runs/0/run/fields", {"a": {"double": "00"}}),
        ("runs/0/run/fields", {"a": {"digest": "no digest"}}),
        ("runs/0/run/fields", {"a": {"time": 1 << 70}}),
        ("runs/0/run/fields", {"a\x1b[31m": 1}),
        ("runs/0/run/fields", {"": 1}),
        ("runs/0/run/fields", {"a": "x" * ((1 << 20) + 1)}),
        ("runs/0/run/tags", {"a": 1}),
        ("runs/0/run/tags", []),
        ("runs/0/run/links", {"resumes": []}),
        ("runs/0/run/notes", [{}]),
        ("runs/0/run/tail", 5),
        ("runs/0/run/outputs", [["a", 1, "00", None, None]]),
        ("runs/0/run/outputs", [["a", -1, "0" * 64, None, None]]),
        ("runs/0/run/outputs", [["a"]]),
        ("runs/0/run/format", 2),
        ("runs/0/series", []),
        ("runs/0/series", {"m": {"steps": [0], "times": [0], "values": []}}),
        ("runs/0/series", {"m": {"steps": [1 << 70], "times": [0], "values": [0.5]}}),
        ("runs/0/series", {"m": {"steps": [0.5], "times": [0], "values": [0.5]}}),
        ("runs/0/series", {"m": {"steps": [0], "times": [0], "values": ["0.5"]}}),
        ("runs/0/series", {"m": {"steps": [0], "times": [0], "values": [True]}}),
        ("runs/0/series", {"m\n": {"steps": [], "times": [], "values": []}}),
        ("freezer-runs", 2),
    ],
)
def test_a_file_that_is_no_export_is_refused(path: str, value: Any) -> None:
    with pytest.raises(LedgerError):
        read_export(changed(path, value))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"runs": []}'])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(LedgerError, match="not an export of runs"):
        read_export(data)


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_a_damaged_export_is_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(exported((run(1, a=math.nan, b="x"), {"m": Points.of([(0, 0, 1.0)])})))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_export(bytes(whole))
    except LedgerError:
        return


def test_parquet_has_the_types_and_every_double(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    odd = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]
    doubles = [odd, math.inf, -math.inf, -0.0, 5e-324, 0.1]
    runs = [
        run(
            number,
            x=value,
            whole=number,
            mixed=[1, "a", True, 2.5, Time(0), Digest("abcd")][number],
            text="\ud800",
            big=1 << 70,
            **({"flag": True} if number else {}),
        )
        for number, value in enumerate(doubles)
    ]
    path = tmp_path / "runs.parquet"
    with path.open("wb") as stream:
        write_parquet(table(runs), stream)
    found = parquet.read_table(path)
    types = {field.name: str(field.type) for field in found.schema}
    assert types["x"] == "double"
    assert types["whole"] == "int64"
    assert types["flag"] == "bool"
    assert types["started"] == "timestamp[us, tz=UTC]"
    assert types["mixed"] == types["big"] == types["text"] == types["id"] == "string"
    assert [struct.pack("<d", one) for one in found["x"].to_pylist()] == [
        struct.pack("<d", one) for one in doubles
    ]
    assert found["mixed"].to_pylist() == [
        "1", "a", "true", "2.5", "1970-01-01T00:00:00Z", "abcd",
    ]  # fmt: skip
    assert found["flag"].to_pylist()[0] is None
    assert found.schema.field("x").metadata[b"freezer.kinds"] == b"a number"


def test_an_empty_table_is_parquet_too(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with (tmp_path / "empty").open("wb") as stream:
        write_parquet(table([], ["id", "seed"]), stream)
    assert parquet.read_table(tmp_path / "empty").column_names == ["id", "seed"]
