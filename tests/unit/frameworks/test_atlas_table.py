"""The measured facts: read strictly, sealed against edits, and quick."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from freezer.errors import HostError
from freezer.frameworks.atlas import table
from freezer.frameworks.atlas.table import (
    DATA,
    Release,
    Stream,
    changed_streams,
    covers,
    packages,
    parse_sheet,
    seal_of,
    sheet,
)

EVERY = pytest.mark.parametrize("name", packages())


def stream(*releases: tuple[str, str | None]) -> Stream:
    found = [Release(version=version, bits=bits and bits * 16) for version, bits in releases]
    return Stream(operation="draw", how="x", date="2026-11-30", releases=tuple(found))


@EVERY
def test_every_sheet_is_whole(name: str) -> None:
    found = sheet(name)
    assert found is not None
    assert found.package == name == canonicalize_name(name)
    assert found.rows or found.streams
    for row in found.rows:
        assert list(map(Version, row.versions)) == sorted(map(Version, row.versions))
        assert set(row.digests) == set(row.versions) <= set(found.environments)
        assert row.effect != "same" or row.setting is None
        assert (row.by is not None) == (row.factor == "threads")
    for day in (*(row.date for row in found.rows), *(one.date for one in found.streams)):
        assert date(2026, 1, 1) <= date.fromisoformat(day) <= datetime.now(UTC).date()
    for item in found.streams:
        versions = [Version(one.version) for one in item.releases]
        assert versions == sorted(set(versions))


def test_other_names_of_a_library_lead_to_its_sheet() -> None:
    names = json.loads((DATA / "aliases.json").read_bytes())
    assert names == {other: name for name in packages() for other in sheet(name).also}  # type: ignore[union-attr]
    for other, name in names.items():
        assert sheet(other) is sheet(name)


@pytest.mark.parametrize("name", ["", "../numpy", "no-such-package", "numpy/../numpy", "NUMPY"])
def test_other_names_have_no_sheet(name: str) -> None:
    assert sheet(name) is None


def leaves(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each text and number of a document."""
    if isinstance(value, dict):
        return [one for key, item in value.items() for one in leaves(item, (*way, key))]
    if isinstance(value, list):
        return [one for key, item in enumerate(value) for one in leaves(item, (*way, key))]
    return [way]


@given(st.data())
def test_an_edit_by_hand_is_found(data: st.DataObject) -> None:
    document = json.loads((DATA / "numpy.json").read_bytes())
    way = data.draw(st.sampled_from(leaves(document)))
    place = document
    for key in way[:-1]:
        place = place[key]
    edited = data.draw(st.sampled_from(["same", "differs", "2026-01-01", "0" * 16, "x", "1.0"]))
    if place[way[-1]] == edited:
        return
    place[way[-1]] = edited
    with pytest.raises(HostError, match="damaged"):
        parse_sheet(json.dumps(document).encode(), "numpy.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["rows"][0].update(effect="perhaps"),
        lambda found: found["rows"][0].update(extra=1),
        lambda found: found["rows"][0].update(versions=[]),
        lambda found: found["rows"][0].pop("operation"),
        lambda found: found.update(schema=2),
        lambda found: found["streams"][0].update(releases=[]),
    ],
)
def test_another_form_is_refused_even_under_a_seal(change: Any) -> None:
    document = json.loads((DATA / "numpy.json").read_bytes())
    change(document)
    document["seal"] = seal_of(document)
    with pytest.raises(HostError, match="damaged"):
        parse_sheet(json.dumps(document).encode(), "numpy.json")


@given(st.binary(max_size=60))
def test_what_is_no_sheet_is_an_error_with_its_place(data: bytes) -> None:
    with pytest.raises(HostError):
        parse_sheet(data, "x.json")


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("0.9", None),
        ("1.0", "a"),
        ("1.1", "a"),
        ("1.2", "a"),
        ("1.2.5", None),
        ("1.3", "b"),
        ("1.9", "b"),
        ("2.0.0", "b"),
        ("2.0.7", "b"),
        ("2.0.1+cpu", "b"),
        ("2.1", None),
        ("nonsense", None),
    ],
)
def test_a_version_between_equal_neighbours_is_known(version: str, wanted: str | None) -> None:
    found = stream(("1.0", "a"), ("1.2", "a"), ("1.3", "b"), ("2.0.0", "b"))
    assert found.bits(version) == (wanted and wanted * 16)
    assert found.changes() == (("1.2", "1.3"),)


def test_a_release_that_does_not_repeat_is_no_change() -> None:
    found = stream(("1.0", "a"), ("1.1", None), ("1.2", "a"))
    assert found.changes() == ()
    assert found.bits("1.1") is None


def test_a_change_that_is_taken_back_is_none_between_its_ends() -> None:
    found = stream(("1.0", "a"), ("1.1", "a"), ("1.2", "b"), ("1.3", "a"))
    assert found.bits("1.0") == found.bits("1.3") != found.bits("1.2")


def test_streams_of_numpy_as_they_are_known_to_be() -> None:
    assert [item.operation for item in changed_streams("numpy", "2.2.6", "2.4.6")] == [
        "Generator.wald"
    ]
    assert changed_streams("numpy", "1.26.4", "2.2.6") == ()
    assert changed_streams("numpy", "2.4.6", "2.4.6") == ()
    assert changed_streams("no-such-package", "1", "2") == ()


def test_only_measured_versions_are_covered() -> None:
    assert covers(("1.2.0", "1.4.0"), "1.3.1")
    assert covers(("1.2.0",), "1.2.9")
    assert not covers(("1.2.0",), "1.3.0")
    assert not covers(("1.2.0",), "not a version")


def test_reading_takes_less_than_20_ms() -> None:
    table._read.cache_clear()
    started = process_time()
    for name in ("numpy", "scipy", "scikit-learn", "pandas", "pyarrow"):
        sheet(name)
    took = process_time() - started
    assert took < 0.1, took  # CPU time, five times what is promised: caches are shared


@pytest.mark.process
@pytest.mark.parametrize("command", ["['--help']", "['diff', '--help']"])
def test_other_commands_do_not_load_it(command: str) -> None:
    program = (
        "import sys\nfrom freezer.cli.main import run\n"
        f"try: run({command})\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('freezer.frameworks.atlas')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_missing_file_is_no_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "DATA", tmp_path)
    table._read.cache_clear()
    table._aliases.cache_clear()
    try:
        assert sheet("numpy") is None
    finally:
        table._read.cache_clear()
        table._aliases.cache_clear()
