"""The Python API: what it returns, raises and reports; and that importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import freezer
from freezer.errors import HostError, SpecError, StaleLockError
from tests.support.project.documented import Documented, documented
from tests.support.project.records import lines


def python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.process
def test_import_loads_nothing_else() -> None:
    loaded = python(
        "import sys; before = set(sys.modules); import freezer; print(*set(sys.modules) - before)"
    )
    more = {name for name in loaded.split() if name.partition(".")[0] == "freezer"}
    assert more == {"freezer", "freezer.check"}
    assert not {"typing", "dataclasses", "pydantic", "rich", "docker"} & set(loaded.split())


@pytest.mark.process
def test_the_function_check_is_not_hidden_by_the_package_of_that_name() -> None:
    told = python(
        "import freezer, freezer.check.compare.compare, freezer.cli.main\n"
        "print(callable(freezer.check), freezer.errors.__name__, *sorted(dir(freezer)))"
    )
    assert told.split() == ["True", "freezer.errors", *sorted(freezer.__all__)]


def test_every_public_name_is_there() -> None:
    for name in freezer.__all__:
        assert getattr(freezer, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lokc'"):
        freezer.lokc  # type: ignore[attr-defined] # noqa: B018


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Documented]:
    with documented(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def project(made: Documented) -> Iterator[freezer.Project]:
    with freezer.open_project(made.folder) as opened:
        yield opened


@pytest.mark.process
def test_lock(made: Documented, project: freezer.Project) -> None:
    with pytest.raises(StaleLockError) as stale:
        freezer.lock(project, check=True)
    assert stale.value.exit_code == 1
    locked = freezer.lock(project)
    assert (locked.environment, locked.changed, locked.first) == ("sklearn-cpu", True, False)
    assert "Python package scipy: removed" in " ".join(locked.changes)
    assert locked.path == made.folder / "lockfiles" / "sklearn-cpu" / "freeze.lock.yaml"
    (numpy,) = (one for one in locked.packages if one.name == "numpy")
    assert (numpy.name, numpy.version, numpy.file) == (
        "numpy",
        "1.26.4",
        "numpy-1.26.4-py3-none-any.whl",
    )
    assert {one.ecosystem for one in locked.packages} == {"base", "debian", "pip"}
    assert locked.to_json()["lock-id"] == locked.lock_id
    again = freezer.lock(project, check=True)
    assert (again.lock_id, again.changed) == (locked.lock_id, False)


@pytest.mark.process
def test_moments(project: freezer.Project) -> None:
    east = timezone(timedelta(hours=2))
    moment = datetime(2026, 11, 23, 2, tzinfo=east)
    assert freezer.lock(project, as_of=moment).as_of == "2026-11-23T00:00:00Z"
    assert freezer.lock(project, as_of=datetime(2026, 11, 24, tzinfo=UTC)).changed
    with pytest.raises(ValueError, match="time zone"):
        freezer.lock(project, as_of=datetime(2026, 11, 23))  # noqa: DTZ001
    with pytest.raises(SpecError, match="as_of"):
        freezer.lock(project, as_of="yesterday")


def test_arguments_that_contradict_each_other(project: freezer.Project) -> None:
    with pytest.raises(ValueError, match="upgrade"):
        freezer.lock(project, check=True, upgrade=True)
    with pytest.raises(ValueError, match="records nothing"):
        freezer.check(project, record=True, against=1)
    with pytest.raises(TypeError, match=r"\['numpy'\]"):
        freezer.update(project, packages="numpy")
    with pytest.raises(ValueError, match="reason"):
        freezer.update(project, newer="numpy")


@pytest.mark.process
def test_from_the_lock_to_a_rollback(made: Documented, project: freezer.Project) -> None:
    made.past(project)
    first = freezer.lock(project, check=True).lock_id
    moved = freezer.update(project, packages=["numpy"], reason="newer")
    assert [(one.name, one.before, one.after) for one in moved.moves] == [
        ("numpy", "1.26.4", "2.1.0")
    ]
    assert (moved.previous_lock_id, moved.written) == (first, True)
    built = freezer.build(project)
    assert (built.lock_id, built.built) == (moved.lock_id, True)
    assert not freezer.build(project).built
    made.tell(*lines(loss=0.625))
    drifted = freezer.check(project, against=2)
    assert (drifted.verdict, drifted.good, drifted.recorded) == ("drifted", False, False)
    assert drifted.trainings[0].first_difference == "loss at step 2"
    made.tell(*lines())
    back = freezer.rollback(project, to=3)
    assert (back.done, back.target, back.before) == (True, 3, 4)
    assert (back.generation, back.lock_id, back.verdict) == (5, first, "identical")
    assert back.to_json()["done"]["number"] == 5


@pytest.mark.process
def test_a_rollback_that_is_refused_is_a_result(made: Documented, project: freezer.Project) -> None:
    made.past(project)
    freezer.update(project, packages=["numpy"])
    made.tell(*lines(loss=0.625))
    refused = freezer.rollback(project, to=2)
    assert (refused.done, refused.generation) == (False, None)
    assert "drifted" in (refused.reason_refused or "")


@pytest.mark.process
def test_events(made: Documented) -> None:
    heard: list[freezer.Event] = []
    with freezer.open_project(made.folder, report=heard.append) as project:
        freezer.lock(project)
    tasks = [one for one in heard if one.task is not None]
    assert {one.kind for one in tasks} >= {"start", "end"}
    for number in {one.task for one in tasks}:
        mine = [one.kind for one in tasks if one.task == number]
        assert (mine[0], mine[-1]) == ("start", "end")
        assert set(mine[1:-1]) <= {"progress"}


def test_a_project_is_found_from_below(made: Documented, monkeypatch: pytest.MonkeyPatch) -> None:
    below = made.folder / "src" / "package"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    with freezer.open_project() as project:
        assert project.folder == made.folder
        assert project.environments == ("sklearn-cpu",)
    with pytest.raises(SpecError, match="no spec"), freezer.open_project(below) as other:
        freezer.lock(other)
    with pytest.raises(HostError, match="no such folder"):
        freezer.open_project(below / "none")
