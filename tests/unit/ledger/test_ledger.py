"""Recording and asking, on a real SQLite file: nothing lost, nothing changed on the way."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.errors import LedgerError, LedgerGoneError
from freezer.ledger.connect import Ledger, open_ledger
from freezer.ledger.journal import RESERVE, Journal, dead_journals
from freezer.ledger.query import all_points, content, count, field_names, find, get, points
from freezer.ledger.record import append, change, record, record_many
from freezer.ledger.series import CHUNK, Points, joined, packed, unpacked
from freezer.model.record.run import Digest, Run, Time


@pytest.fixture
def ledger(tmp_path: Path):
    opened = open_ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def run(number: int = 0, **more) -> Run:
    fields = {"params.lr": 0.1, "lock": Digest("ab" * 32), **more.pop("fields", {})}
    start = Time(1_793_000_000_000_000 + number)
    return Run(
        f"{number:016x}", "demo", "finished", start, ("python", "t.py"), fields=fields, **more
    )


def test_a_run_is_recorded_and_found(ledger: Ledger) -> None:
    made = run(1, exit_code=0, ended=Time(1_793_000_001_000_000))
    record(ledger, made)
    assert get(ledger, "0" * 15) == get(ledger, "latest") == made
    record(ledger, run(1, fields={"metrics.loss": 2.0}))
    assert count(ledger) == 1, "the same run again replaces it"
    assert get(ledger, "latest").fields["metrics.loss"] == 2.0
    assert "params.lr" in field_names(ledger)


@pytest.mark.parametrize("name", ["1", "latest", "zz", "0", "latest~9"])
def test_a_run_that_is_not_there_is_named(ledger: Ledger, name: str) -> None:
    if name == "0":
        record_many(ledger, [(run(1), {}, ()), (run(2), {}, ())])
    with pytest.raises(LedgerError, match=r"there is no run|several runs begin"):
        get(ledger, name)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(st.lists(st.floats(allow_nan=True), max_size=50), st.integers(1, 5))
def test_series_come_back_bit_for_bit(ledger: Ledger, values: list[float], parts: int) -> None:
    record(ledger, run(7))
    before = points(ledger, run(7).id, "metrics.x")
    made = Points.of([(step, step * 10, value) for step, value in enumerate(values)])
    for _ in range(parts):
        append(ledger, run(7).id, {"metrics.x": made})
    back = points(ledger, run(7).id, "metrics.x")
    assert packed(back) == packed(joined([before, *[made] * parts]))


def test_long_series_are_kept_in_chunks(ledger: Ledger) -> None:
    long = Points.of([(step, 0, step / 3) for step in range(2 * CHUNK + 1)])
    record(ledger, run(1), {"metrics.a": long, "metrics.b": Points.of([(0, 0, math.nan)])})
    found = all_points(ledger, run(1).id)
    assert packed(found["metrics.a"]) == packed(long)
    assert len(found["metrics.b"]) == 1
    with pytest.raises(ValueError, match="lengths"):
        unpacked(b"12345678", b"", b"")


def test_the_bits_of_a_number_stand_beside_it(ledger: Ledger, tmp_path: Path) -> None:
    odd = struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0]  # a NaN of other bits
    record(ledger, run(1, fields={"metrics.x": odd, "metrics.y": -0.0, "metrics.z": math.inf}))
    rows = sqlite3.connect(tmp_path / "ledger.db").execute(
        "SELECT names.name, number, bits FROM fields JOIN names ON names.id = fields.name"
        " WHERE names.name LIKE 'metrics.%' ORDER BY 1"
    )
    found = {name: (number, bits.hex()) for name, number, bits in rows}
    assert found["metrics.x"] == (None, "010000000000f87f")
    assert found["metrics.y"][1] == "0000000000000080"
    assert found["metrics.z"][0] == math.inf
    back = get(ledger, "latest").fields["metrics.x"]
    assert struct.pack("<d", back).hex() == "010000000000f87f"


def test_contents_are_kept_once_and_verified(ledger: Ledger, tmp_path: Path) -> None:
    import hashlib

    name = hashlib.sha256(b"patch").hexdigest()
    record(ledger, run(1), contents=[b"patch", b"patch"])
    record(ledger, run(2), contents=[b"patch"])
    assert content(ledger, name) == b"patch"
    with pytest.raises(LedgerError, match="no content with the digest"):
        content(ledger, "0" * 64)
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("UPDATE objects SET data = x'00'")
    with pytest.raises(LedgerError, match="has changed in the ledger"):
        content(ledger, name)


def test_a_change_loses_nothing_that_another_one_wrote(ledger: Ledger) -> None:
    from dataclasses import replace

    record(ledger, run(1))
    for word in ("a", "b"):
        change(ledger, run(1).id, lambda one, word=word: replace(one, tags={**one.tags, word: "1"}))
    assert get(ledger, "latest").tags == {"a": "1", "b": "1"}
    with pytest.raises(LedgerError, match="no run"):
        change(ledger, "f" * 16, lambda one: one)


WRITER = """
import sys
from pathlib import Path
from freezer.ledger.connect import open_ledger
from freezer.ledger.record import record
from freezer.model.record.run import Run, Time
ledger = open_ledger(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    fields = {f"params.p{name}": number / 7 for name in range(10)}
    record(ledger, Run(f"{int(sys.argv[2]):08x}{number:08x}", "demo", "finished", Time(number),
        fields=fields))
    print(number, flush=True)
"""


def start(path: Path, number: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(number), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.process
def test_four_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [start(tmp_path / "ledger.db", number, 25) for number in range(4)]
    for one in writers:
        one.communicate(timeout=120)
        assert one.returncode == 0
    with_all = open_ledger(tmp_path / "ledger.db")
    assert count(with_all) == 100
    assert len(find(with_all, "params.p9 >= 0")) == 100


@pytest.mark.process
def test_a_kill_loses_nothing_that_was_reported(tmp_path: Path) -> None:
    path, reported = tmp_path / "ledger.db", 0
    for number in range(4):
        one = start(path, number, 10_000)
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        time.sleep(0.05 * number)
        last = one.stdout.readline()
        os.kill(one.pid, signal.SIGKILL)
        rest, _ = one.communicate()
        reported += len([last, *rest.splitlines()])
    opened = open_ledger(path)
    recorded = find(opened, limit=None)
    assert reported <= len(recorded) <= reported + 4, "a kill between writing and reporting"
    assert all(len(one.fields) == 10 for one in recorded)
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_migrations_come_to_the_same_tables(tmp_path: Path) -> None:
    from sqlalchemy import create_engine

    from freezer.ledger.migrate import upgrade

    fresh = Ledger(create_engine(f"sqlite:///{tmp_path}/migrated.db"), "migrated")
    upgrade(fresh.engine)
    open_ledger(tmp_path / "made.db")

    def schema(name: str) -> dict[str, object]:
        with sqlite3.connect(tmp_path / name) as raw:
            tables = [
                row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            columns = {one: raw.execute(f"PRAGMA table_info('{one}')").fetchall() for one in tables}
            indexes = sorted(
                (row[2], raw.execute(f"PRAGMA index_info('{row[1]}')").fetchall())
                for one in tables
                for row in raw.execute(f"PRAGMA index_list('{one}')")
            )
            keys = {
                one: raw.execute(f"PRAGMA foreign_key_list('{one}')").fetchall() for one in tables
            }
        return {"columns": columns, "indexes": indexes, "keys": keys}

    assert schema("migrated.db") == schema("made.db")
    assert count(open_ledger(tmp_path / "migrated.db")) == 0


def test_the_ledger_of_a_newer_freezer_is_left_alone(ledger: Ledger, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="a newer Freezer wrote this ledger"):
        open_ledger(tmp_path / "ledger.db")


def test_another_database_is_no_ledger(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as raw:
        raw.execute("CREATE TABLE customers (name TEXT)")
    with pytest.raises(LedgerError, match="has other tables"):
        open_ledger(tmp_path / "other.db")
    (tmp_path / "text.db").write_text("no database, but a text of some length" * 100)
    with pytest.raises(LedgerError):
        open_ledger(tmp_path / "text.db")


@pytest.mark.parametrize("url", ["nonsense", "oracle://x/y", "mysql://x/y"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(LedgerError):
        open_ledger(url)


def test_a_server_that_is_gone_is_reported_without_its_password() -> None:
    with pytest.raises(LedgerGoneError) as caught:
        open_ledger("postgresql://me:s3cret@127.0.0.1:1/runs")
    assert "s3cret" not in str(caught.value)


def test_the_journal_of_a_killed_run_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal" / "a.jsonl")
    journal.run(run(1, fields={"metrics.x": math.nan}))
    journal.metrics({"metrics.x": Points.of([(0, 0, math.nan)])})
    journal.metrics({"metrics.x": Points.of([(1, 0, 2.0)])})
    journal.content(b"patch")
    assert not list(dead_journals(tmp_path / "journal")), "its process lives"
    journal.close()
    with journal.path.open("ab") as stream:
        stream.write(b'garbage\n{"run": 3}\n{"metrics": {"cut')  # as a kill leaves it
    [left] = dead_journals(tmp_path / "journal")
    assert left.run.id == run(1).id
    assert list(left.metrics["metrics.x"].steps) == [0, 1]
    assert left.contents == [b"patch"]
    empty = tmp_path / "journal" / "b.jsonl"
    empty.write_bytes(b"\n\n{}\n")
    assert len(list(dead_journals(tmp_path / "journal"))) == 1
    assert not empty.exists(), "its run never began"


def test_two_commands_never_have_the_same_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.run(run(1))
    journal.close()
    first = dead_journals(tmp_path)
    assert next(first).run.id == run(1).id
    assert not list(dead_journals(tmp_path)), "the first one still has it"
    first.close()
    assert len(list(dead_journals(tmp_path))) == 1


def test_a_journal_is_never_seen_unlocked(tmp_path: Path) -> None:
    """Between its creation and its lock nobody may take it for a dead one's."""
    over = threading.Event()
    seen: list[str] = []

    def look() -> None:
        while not over.is_set():
            seen.extend(left.run.id for left in dead_journals(tmp_path))

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(200):
        journal = Journal(tmp_path / f"{number}.jsonl")
        journal.run(run(number))
        journal.done()
    over.set()
    looking.join()
    assert not seen


def test_half_a_line_does_not_spoil_the_next_one(tmp_path: Path, monkeypatch) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.run(run(1))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    sync = os.fsync
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        journal.content(b"lost")
    monkeypatch.setattr("os.fsync", sync)
    journal.content(b"kept")
    journal.close()
    [left] = dead_journals(tmp_path)
    assert left.contents == [b"kept"]


def test_recording_the_same_journal_twice_changes_nothing(ledger: Ledger) -> None:
    series = {"metrics.x": Points.of([(0, 0, 1.0), (1, 1, 2.0)])}
    record(ledger, run(1), series, [b"patch"], whole=True)
    change(ledger, run(1).id, lambda one: replace(one, tags={"a": "b"}, notes=("n",)))
    record(ledger, run(1), series, [b"patch"], whole=True)
    assert list(points(ledger, run(1).id, "metrics.x").values) == [1.0, 2.0]
    found = get(ledger, run(1).id)
    assert (found.tags, found.notes) == ({"a": "b"}, ("n",))


def test_names_that_no_database_takes_are_stored_as_text(ledger: Ledger) -> None:
    record(
        ledger, run(1, fields={"params.\ud800\0": 1}), {"metrics.\udfff": Points.of([(0, 0, 1.0)])}
    )
    assert any("ud800" in name for name in field_names(ledger))
    assert get(ledger, run(1).id).fields["params.\ud800\0"] == 1


def test_a_full_disk_has_room_for_the_last_state(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    assert (tmp_path / "a.reserve").stat().st_blocks * 512 >= RESERVE
    journal.last(run(1))
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]
    journal.close()
    killed = Journal(tmp_path / "b.jsonl")
    killed.run(run(2))
    killed._stream.close()  # as a kill does
    assert len(list(dead_journals(tmp_path))) == 2
    assert not list(tmp_path.glob("*.reserve"))


def test_names_of_a_transaction_that_failed_are_added_again(ledger: Ledger) -> None:
    fields = {"params.new": 1}

    def found():
        yield run(1, fields=fields), {}, ()
        raise LedgerError("its source failed")

    with pytest.raises(LedgerError):
        record_many(ledger, found())
    assert ledger.names == {}
    record(ledger, run(2, fields=fields))
    assert [one.id for one in find(ledger, "params.new = 1")] == [run(2).id]
    assert count(ledger) == 1
