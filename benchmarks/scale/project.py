"""A project with many environments, one of them with many generations, written by Freezer."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.history.entries import now, summary_of
from freezer.flows.history.generations import record_generation
from freezer.flows.history.opened import open_history
from freezer.flows.project.environment import read_lock
from freezer.flows.project.project import Project
from freezer.history.changes import changes
from freezer.model.events import SilentReporter
from freezer.model.generation import Checked
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from freezer.model.record.word import Word

if TYPE_CHECKING:
    from freezer.flows.history.opened import OpenHistory
    from freezer.flows.project.environment import Locked
    from freezer.model.lock import Lock

ROOT: Final = Path(__file__).parents[2]
PATTERN: Final = "sklearn-cpu"
"""The shipped environment whose spec and lock all of them have."""
LONG: Final = "long"
"""The environment with many generations."""
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


def make_project(folder: Path, generations: int, environments: int) -> Project:
    """Return a project below git, with a store of its own.

    One environment has ``generations``, each of another lock and with a check; the others have one.
    """
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    store = Store.open(folder.parent / "store")
    project = Project(folder, Config(), store, _no_engine, SilentReporter())
    names = [LONG, *(f"env-{number:03}" for number in range(1, environments))]
    for name in names:
        _copy(folder, name)
        with open_history(project, name) as opened:
            _first(opened)
            for number in range(1, generations if name == LONG else 1):
                _next(opened, number)
    return project


def _no_engine() -> Any:
    message = "nothing here needs an engine"
    raise AssertionError(message)


def _copy(folder: Path, name: str) -> None:
    """Copy the pattern's spec and lock under another name."""
    for part in ("images", "lockfiles"):
        shutil.copytree(
            ROOT / part / PATTERN, folder / part / name, ignore=shutil.ignore_patterns("history")
        )
    spec = folder / "images" / name / "freeze.yaml"
    document = yaml.safe_load(spec.read_text())
    spec.write_text(yaml.safe_dump({**document, "name": name}, sort_keys=False))
    place = folder / "lockfiles" / name / LOCK_FILE
    pattern = read_lock(ROOT, PATTERN)
    assert pattern is not None
    place.write_bytes(lock_bytes(pattern.lock.model_copy(update={"name": name})))


def _first(opened: OpenHistory) -> None:
    locked = _locked(opened)
    _record(opened, locked, summary_of([], locked.lock))


def _next(opened: OpenHistory, number: int) -> None:
    """Record a generation in which one package has another version."""
    before = _locked(opened).lock
    made = _moved(before, number)
    (opened.folder / LOCK_FILE).write_bytes(lock_bytes(made))
    _record(opened, _locked(opened), summary_of(list(changes(before, made))))


def _moved(lock: Lock, number: int) -> Lock:
    place = number % len(lock.pip)
    package = lock.pip[place]
    version = f"{number}.0"
    file = package.file.replace(package.version, version)
    other = package.model_copy(update={"version": version, "file": file})
    moment = f"{_START + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}"
    pip = (*lock.pip[:place], other, *lock.pip[place + 1 :])
    return lock.model_copy(update={"pip": pip, "as_of": moment})


def _locked(opened: OpenHistory) -> Locked:
    found = read_lock(opened.project.root, opened.name)
    assert found is not None
    return found


def _record(opened: OpenHistory, locked: Locked, summary: str) -> None:
    one = record_generation(opened, locked, action="lock", summary=summary)
    opened.add(
        Checked(
            parents=opened.past.tips,
            date=now(),
            generation=one.number,
            lock_id=locked.id,
            class_="portable-x86-64-v3",
            word=Word.IDENTICAL,
            image=f"sha256:{locked.id}",
            cpu="a CPU",
        )
    )
