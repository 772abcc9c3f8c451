"""The ledger on a real PostgreSQL: the same answers as on SQLite, and nothing lost when it goes."""

from __future__ import annotations

import hashlib
import math
import secrets
import struct
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from freezer.errors import LedgerError, LedgerGoneError
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.project.project import Project
from freezer.flows.runs.folders import journals
from freezer.flows.runs.ledger import project_ledger
from freezer.ledger.connect import Ledger, open_ledger
from freezer.ledger.exchange.document import export_parts, read_export
from freezer.ledger.journal import Journal
from freezer.ledger.query import (
    all_points,
    content,
    count,
    each_series,
    find,
    get,
    series_lengths,
)
from freezer.ledger.record import append, change, record, record_many, record_new
from freezer.ledger.series import Points, packed
from freezer.model.events import SilentReporter
from freezer.model.record.run import Digest, Run, Time, Value, run_bytes
from tests.support.host.postgres import BINARIES, Postgres
from tests.support.project.runs import FILTERS, RUNS, run

pytestmark = pytest.mark.skipif(not BINARIES, reason="PostgreSQL's server is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        made = Postgres(Path(folder))
        made.start()
        yield made
        made.stop()


@pytest.fixture(scope="module")
def ledger(server: Postgres) -> Iterator[Ledger]:
    opened = open_ledger(server.url)
    record_many(opened, [(one, {}, ()) for one in RUNS])
    yield opened
    opened.close()


@pytest.mark.parametrize(("text", "expected"), FILTERS)
def test_filters_find_the_same_as_on_sqlite(ledger: Ledger, text: str, expected: list[int]) -> None:
    assert sorted(int(one.id, 16) for one in find(ledger, text)) == expected


def test_values_and_series_come_back_bit_for_bit(ledger: Ledger) -> None:
    odd = struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0]
    fields = {
        "metrics.odd": odd,
        "metrics.inf": -math.inf,
        "params.text": "a\0b\udcff",
        "params.n": 2**70,
    }
    made = Run("f" * 16, "demo", "finished", Time(1), fields=fields)
    points = Points.of([(step, step, odd if step % 2 else step / 3) for step in range(40_000)])
    record(ledger, made, {"metrics.odd": points}, [b"patch"])
    append(ledger, made.id, {"metrics.odd": points})
    back = get(ledger, "f" * 16)
    assert struct.pack("<d", back.fields["metrics.odd"]).hex() == "010000000000f87f"
    assert {k: v for k, v in back.fields.items() if k != "metrics.odd"} == {
        k: v for k, v in fields.items() if k != "metrics.odd"
    }
    found = all_points(ledger, made.id)["metrics.odd"]
    assert list(packed(found)) == [one * 2 for one in packed(points)]
    [(identifier, name, whole)] = each_series(ledger, [made.id])
    assert (identifier, name, packed(whole)) == (made.id, "metrics.odd", packed(found))
    assert [*series_lengths(ledger, [made.id])] == [80_000]
    assert content(ledger, hashlib.sha256(b"patch").hexdigest()) == b"patch"


def test_writers_at_once_lose_nothing(server: Postgres, ledger: Ledger) -> None:
    before = count(ledger)

    def write(writer: int) -> None:
        own = open_ledger(server.url)
        for number in range(20):
            made = Run(
                f"{writer:08x}{number:08x}",
                "w",
                "finished",
                Time(number),
                fields={f"params.p{writer}": number},
            )
            record(own, made)
            change(own, made.id, lambda one: one.with_fields({"params.seen": True}))
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(10, 14)))
    assert count(ledger) == before + 80
    assert len(find(ledger, "params.seen = true")) == 80


def test_a_restart_in_mid_run_loses_nothing(
    server: Postgres, ledger: Ledger, tmp_path: Path
) -> None:
    project = Project(
        tmp_path,
        Config(ledger=server.url),
        Store.open(tmp_path / "store"),
        lambda: None,
        SilentReporter(),  # type: ignore[arg-type, return-value]
    )
    made = run(900)
    journal = Journal(journals(project) / f"{made.id}.jsonl")
    journal.run(made)
    server.stop()
    with pytest.raises(LedgerGoneError), project_ledger(project):
        pass
    journal.metrics({"metrics.x": Points.of([(0, 0, 1.5)])})
    journal.run(made.with_fields({"metrics.x": 1.5}))
    journal.close()
    server.start()
    with project_ledger(project) as back:
        assert get(back, made.id).fields["metrics.x"] == 1.5
        assert len(all_points(back, made.id)["metrics.x"]) == 1
    assert not list(journals(project).glob("*.jsonl"))
    assert get(ledger, made.id).id == made.id, "a connection that was open before is renewed"


def test_an_export_comes_back_bit_for_bit_from_the_other_database(
    server: Postgres, ledger: Ledger, tmp_path: Path
) -> None:
    odd = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]
    fields = {
        "metrics.x": odd,
        "params.zero": -0.0,
        "params.big": 2**70,
        "params.text": "a\0\udcff",
    }
    made = Run("e" * 16, "other", "finished", Time(5), fields=fields)
    series = {"metrics.x": Points.of([(step, step, odd) for step in range(20_000)])}
    local = open_ledger(tmp_path / "ledger.db")
    record(local, made, series, [b"a patch"])
    data = b"".join(export_parts([(made, all_points(local, made.id))], [b"a patch"]))
    found = read_export(data)
    assert record_new(ledger, found.runs, found.contents) == ([made.id], [])
    assert record_new(ledger, found.runs, found.contents) == ([], [made.id])
    back = get(ledger, made.id)
    parts = export_parts([(back, all_points(ledger, made.id))], [b"a patch"])
    assert b"".join(parts) == data
    with pytest.raises(LedgerError, match="with other content"):
        record_new(ledger, [(run(901), {}), (back.with_fields({"params.zero": 0.0}), {})])
    assert count(ledger, f"id = '{run(901).id}'") == 0, "nothing of a refused import is there"
    local.close()


def test_digests_are_found_by_their_first_digits(ledger: Ledger) -> None:
    digests = ["00" * 32, "0f" * 32, "0fa" + "0" * 61, "ff" * 32]
    for number, digits in enumerate(digests):
        fields = {"data.set": Digest(digits)}
        record(ledger, Run(f"{number:08x}abcdef00", "digits", "finished", Time(1), fields=fields))
    for first, expected in (
        ("0f0f", [1]),
        ("0fa0", [2]),
        ("ffff", [3]),
        ("0000", [0]),
        ("abcd", []),
    ):
        found = find(ledger, f"data.set = {first}")
        assert [one.id for one in found] == [f"{number:08x}abcdef00" for number in expected]
    assert len(find(ledger, "data.set != 0f0f and env = 'digits'")) == 3


def test_migrations_come_to_the_same_tables(server: Postgres, ledger: Ledger) -> None:
    from sqlalchemy import create_engine, text

    from freezer.ledger.migrate import upgrade

    admin = create_engine(
        server.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE migrated"))
    migrated = create_engine(admin.url.set(database="migrated"))
    upgrade(migrated)
    asked = text(
        "SELECT table_name, column_name, data_type, is_nullable, character_maximum_length "
        "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    keys = text(
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
    )
    indexes = text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
    with migrated.connect() as one, admin.connect() as other:
        assert one.execute(asked).all() == other.execute(asked).all()
        assert one.execute(indexes).all() == other.execute(indexes).all()
        assert one.execute(keys).all() == other.execute(keys).all()
    migrated.dispose()
    admin.dispose()


def test_a_run_is_recorded_and_a_batch_added_by_one_statement_each(ledger: Ledger) -> None:
    def made(number: int) -> Run:
        fields = {"params.one": number, "metrics.loss": 0.5}
        return Run(f"{number:016x}", "demo", "finished", Time(number), fields=fields)

    points = {"metrics.loss": Points.of([(0, 0, 1.0)]), "metrics.other": Points.of([(0, 0, 2.0)])}
    record(ledger, made(900), points)  # from now on the names are known
    sent: list[str] = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: sent.append(str(given[2])))
    event.listen(ledger.transactional, "begin", lambda _connection: sent.append("BEGIN"))
    record(ledger, made(901), points)
    append(ledger, made(901).id, points)
    assert [one.split(maxsplit=1)[0] for one in sent] == ["WITH", "INSERT"], "no BEGIN either"
    assert {name: len(one) for name, one in all_points(ledger, made(901).id).items()} == {
        "metrics.loss": 2,
        "metrics.other": 2,
    }
    with pytest.raises(LedgerError, match="no run"):
        append(ledger, made(999).id, points)


def test_a_known_run_is_replaced_and_new_names_are_added(ledger: Ledger) -> None:
    first = Run("a" * 16, "demo", "running", Time(1), fields={"params.one": 1})
    points = {"metrics.loss": Points.of([(0, 0, 1.0)])}
    for _ in range(2):  # the second time all names are known
        record(ledger, first, points)
    again = Run("a" * 16, "demo", "finished", Time(1), fields={"params.one": -0.0})
    record(ledger, again)
    assert struct.pack("<d", get(ledger, "a" * 16).fields["params.one"]) == struct.pack("<d", -0.0)
    assert count(ledger, f"id = '{'a' * 16}'") == 1
    assert len(all_points(ledger, "a" * 16)["metrics.loss"]) == 2
    named = {"params.never-before": "x", "params.one": True}
    record(ledger, Run("b" * 16, "demo", "finished", Time(1), fields=named))
    assert count(ledger, "params.\"never-before\" = 'x' and params.one = true") == 1


@given(
    values=st.lists(
        st.one_of(
            st.floats(),
            st.integers(),
            st.text(),
            st.booleans(),
            st.just(Time(5)),
            st.just(Digest("ab" * 32)),
        ),
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_values_come_back_from_the_one_statement(ledger: Ledger, values: list[Value]) -> None:
    fields = {f"params.v{place}": value for place, value in enumerate(values)}
    made = Run(secrets.token_hex(8), "demo", "finished", Time(1), fields=fields)
    record(ledger, made)
    assert run_bytes(get(ledger, made.id)) == run_bytes(made)


def test_a_connection_that_broke_while_idle_is_made_anew(
    ledger: Ledger, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freezer.ledger.tune.IDLE", 0.0)
    assert count(ledger) > 0
    server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    assert count(ledger) > 0
