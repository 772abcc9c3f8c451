"""Other tools' records, when they are damaged or hostile: bounded, noted, and never an error."""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.flows.runs.results.outputs import output_sizes
from freezer.flows.runs.results.training_files import (
    TrainingFiles,
    training_files,
    with_training_files,
)
from freezer.ledger.foreign import mlflow_sql, protobuf
from freezer.ledger.foreign.files import scan
from freezer.ledger.foreign.found import Budget
from freezer.ledger.foreign.mlflow_files import file_runs
from freezer.ledger.foreign.mlflow_sql import sql_runs
from freezer.ledger.foreign.tensorboard import event_run
from freezer.ledger.foreign.tfrecord import LARGEST, masked_crc, records
from freezer.ledger.series import Points
from freezer.model.record.run import Run, Time
from tests.support.examples import examples

RUN = "a" * 32
META = (
    f"run_id: {RUN}\nstatus: 3\nstart_time: 1793491200000\nend_time: 1793491201000\nrun_name: x\n"
)


def store(root: Path, **files: str | bytes) -> Path:
    base = root / "mlruns" / "1" / RUN
    for name, content in {"meta.yaml": META, **files}.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return base


def read(root: Path) -> TrainingFiles:
    return training_files(root, output_sizes(root))


def test_a_file_store(tmp_path: Path) -> None:
    store(
        tmp_path,
        **{
            "params/lr": "0.1",
            "params/password": "planted",
            "params/url": "https://me:planted@example.org/",
            "metrics/loss": "1 0.5 0\n2 0.25 1\n3 nan 2\nspoiled\n4 inf 1\n9 x 1\n",
            "tags/api_key": "planted",
            "tags/mlflow.user": "me",
        },
    )
    found = read(tmp_path)
    assert found.fields["params.lr"] == 0.1
    assert [*found.metrics["metrics.loss"].steps] == [0, 1, 2, 1]
    assert repr(found.fields["metrics.loss"]) == "nan", "of the highest step"
    assert "planted" not in str(found)
    assert found.tags == {"api_key": "***"}
    assert found.notes == ("2 values are left out: too many, or names that cannot be used",)


def test_what_is_recorded_already_stays(tmp_path: Path) -> None:
    store(tmp_path, **{"params/lr": "0.1", "metrics/loss": "1 0.5 0\n", "tags/a": "theirs"})
    fields = {"params.lr": 5, "metrics.loss": 7.0}
    run = Run("b" * 16, "demo", "finished", Time(1), fields=fields, tags={"a": "ours"})
    own = {"metrics.loss": Points.of([(0, 0, 7.0)])}
    changed, metrics = with_training_files(run, own, read(tmp_path))
    assert (changed.fields, changed.tags, metrics) == (fields, {"a": "ours"}, own)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)
MERGE = "a0: &a0 {k: v}\n" + "".join(
    f"a{n + 1}: &a{n + 1} {{<<: [{','.join([f'*a{n}'] * 9)}]}}\n" for n in range(12)
)


@pytest.mark.parametrize(
    "meta",
    ["", "- a", "{" * 40_000, "a: !!python/object/apply:os.system [true]", "\xff\x00", BOMB, MERGE,
     "x" * 100_000, "status: [1]\nstart_time: {}\nend_time: -5\nrun_name: [a, b]"],
)  # fmt: skip
def test_a_hostile_meta_is_harmless(tmp_path: Path, meta: str) -> None:
    base = store(tmp_path, **{"params/lr": "1"})
    (base / "meta.yaml").write_text(meta)
    read(tmp_path)


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("planted")
    root = tmp_path / "output"
    base = store(root, **{"params/lr": "1"})
    (base / "params" / "link").symlink_to(secret)
    os.mkfifo(base / "metrics")
    (root / "mlflow.db").symlink_to(secret)
    assert read(root).fields == {"params.lr": 1}
    found = scan(root)
    assert not any("link" in path for path in found.sizes)
    with pytest.raises(OSError, match="symbolic links"):
        found.open(f"mlruns/1/{RUN}/params/link")


def test_too_much_is_cut_off_with_a_note(tmp_path: Path) -> None:
    store(tmp_path, **{f"params/p{n}": "1" for n in range(20)}, **{"metrics/m": "1 1 1\n" * 50})
    budget = Budget(names=10, points=20)
    [run] = file_runs(scan(tmp_path), budget)
    assert len(run.params) + len(run.metrics) == 10
    assert budget.left_out == 11 + (30 if run.metrics else 0)
    budget = Budget(size=100)
    assert not list(file_runs(scan(tmp_path), budget))
    assert budget.notes


TABLES = """
CREATE TABLE experiments (experiment_id INTEGER, name TEXT);
CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
    experiment_id INTEGER, lifecycle_stage TEXT);
CREATE TABLE params (run_uuid TEXT, key TEXT, value TEXT);
CREATE TABLE tags (run_uuid TEXT, key TEXT, value TEXT);
CREATE TABLE metrics (run_uuid TEXT, key TEXT, value REAL, is_nan INT, step BIGINT, timestamp BIGINT);
INSERT INTO runs VALUES ('r', 'x', 'FINISHED', 5, 6, 0, 'active');
INSERT INTO params VALUES ('r', 'lr', '0.1'), ('other', 'lr', '1'), ('r', 'auth_token', 'planted');
INSERT INTO metrics VALUES ('r', 'loss', 0.5, 0, 1, 7), ('r', 'loss', 1.7976931348623157e308, 0, 2, 8),
    ('r', 'loss', 0, 1, 3, 9), ('r', 'loss', 'text', 0, 4, 10), ('r', 'loss', 1, 0, 5, 'late');
"""


def database(path: Path, more: str = "") -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES + more)
    connection.close()
    return path


def test_a_sqlite_store(tmp_path: Path) -> None:
    database(tmp_path / "mlflow.db")
    found = read(tmp_path)
    assert found.fields["params.lr"] == 0.1
    assert [repr(one) for one in found.metrics["metrics.loss"].values] == ["0.5", "inf", "nan"]
    assert "planted" not in str(found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db"]


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT"


@pytest.mark.parametrize(
    "more",
    [
        f"DROP TABLE params; CREATE VIEW params AS {ENDLESS} 'r' run_uuid, x key, x value FROM n;",
        "DROP TABLE tags; CREATE VIRTUAL TABLE tags USING fts5(run_uuid, key, value);",
        "ALTER TABLE runs RENAME COLUMN name TO other;",
        "INSERT INTO params VALUES ('r', 'big', zeroblob(9000000));",
        (
            "DROP TABLE params; CREATE TABLE params (run_uuid TEXT, key TEXT, "
            "value TEXT GENERATED ALWAYS AS (hex(zeroblob(9000000))) VIRTUAL);"
            "INSERT INTO params (run_uuid, key) VALUES ('r', 'x');"
        ),
    ],
)
def test_a_hostile_database_is_harmless(tmp_path: Path, more: str) -> None:
    database(tmp_path / "mlflow.db", more)
    read(tmp_path)


def test_a_query_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_sql, "_SECONDS", 0.2)
    monkeypatch.setattr(mlflow_sql, "_is_store", lambda _: True)
    more = (
        f"DROP TABLE params; CREATE VIEW params AS {ENDLESS} 'z' run_uuid, x key, x value FROM n;"
    )
    path, budget = database(tmp_path / "mlflow.db", more), Budget()
    assert list(sql_runs(path, budget)) == []
    assert budget.notes == ["mlflow.db: interrupted"]


def test_a_store_whose_writer_was_killed(tmp_path: Path) -> None:
    path = database(tmp_path / "mlflow.db")
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("INSERT INTO params VALUES ('r', 'late', '2')")
    writer.commit()
    for name in ("mlflow.db", "mlflow.db-wal"):
        (tmp_path / "copy").mkdir(exist_ok=True)
        (tmp_path / "copy" / name).write_bytes((tmp_path / name).read_bytes())
    writer.close()
    before = {one.name: one.read_bytes() for one in (tmp_path / "copy").iterdir()}
    assert read(tmp_path / "copy").fields["params.late"] == 2
    assert {one.name: one.read_bytes() for one in (tmp_path / "copy").iterdir()} == before


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_damaged_database_is_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = database(folder / "mlflow.db")
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 30))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole[: data.draw(st.sampled_from([len(whole), 5000, 100]))]))
    read(folder)


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2, len(data)]) + data


def scalar(tag: str, step: int, value: float) -> bytes:
    summary = field(1, tag.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", value)
    head = bytes([1 << 3 | 1]) + struct.pack("<d", 1793491200.5) + bytes([2 << 3, step])
    return record(head + field(5, field(1, summary)))


def events(folder: Path, *parts: bytes, name: str = "events.out.tfevents.1.host") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join(parts))
    return folder


def test_the_checksum_is_the_published_one() -> None:
    unmasked = (masked_crc(b"123456789") - 0xA282EAD8) & 0xFFFFFFFF
    assert (unmasked >> 17 | unmasked << 15 & 0xFFFFFFFF) == 0xE3069283


def test_events_with_damage_are_read_up_to_it(tmp_path: Path) -> None:
    good = [scalar("loss", step, step / 4) for step in range(5)]
    spoiled = bytearray(good[3])
    spoiled[-5] ^= 1
    events(tmp_path, *good[:3], bytes(spoiled), good[4])
    found = read(tmp_path)
    assert [*found.metrics["metrics.loss"].values] == [0.0, 0.25, 0.5]
    assert found.metrics["metrics.loss"].times[0] == 1793491200_500_000
    [note] = found.notes
    assert "wrong checksum" in note
    assert "the rest is not read" in note
    events(tmp_path, *good[:2], good[2][:-1])
    assert "ends within a record" in read(tmp_path).notes[0]


def test_a_record_of_any_length_is_bounded(tmp_path: Path) -> None:
    head = struct.pack("<Q", 1 << 62)
    events(tmp_path, scalar("a", 1, 1.0), head + struct.pack("<I", masked_crc(head)) + b"x" * 50)
    assert "ends within a record" in read(tmp_path).notes[0]
    events(tmp_path, record(b"\xff" * (LARGEST + 1)), scalar("a", 1, 1.0))
    assert read(tmp_path).fields == {"metrics.a": 1.0}


def test_folders_name_the_runs_of_tensorboard(tmp_path: Path) -> None:
    events(tmp_path / "logs" / "train", scalar("loss", 1, 1.0))
    events(tmp_path / "logs" / "val", scalar("loss", 1, 2.0))
    events(tmp_path / "logs" / "1793491200.123", scalar("acc", 1, 3.0))
    assert read(tmp_path).fields == {
        "metrics.train/loss": 1.0,
        "metrics.val/loss": 2.0,
        "metrics.acc": 3.0,
    }


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        for number, value in protobuf.fields(data):
            assert number >= 0
            assert isinstance(value, int | bytes)
    except ValueError:
        return


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=80), st.booleans())
def test_any_event_is_read_or_noted(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, summary: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    inner = field(5, field(1, data)) if summary else data
    events(folder, record(inner), scalar("a", 1, 1.0))
    budget = Budget()
    run = event_run(scan(folder), budget)
    assert budget.notes or (run is not None and "a" in run.metrics)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=5))
def test_records_come_back(parts: list[bytes]) -> None:
    import io

    data = b"".join(record(one) for one in parts)
    assert list(records(io.BytesIO(data), len(data))) == parts
