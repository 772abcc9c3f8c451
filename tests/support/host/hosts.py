"""Machines for tests of pushing, pulling and checking: a project, a store, an engine of no engine."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from freezer.errors import FreezerError
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.check.check_image import ImageCheck, check_image
from freezer.flows.project.project import Project
from freezer.flows.registry.pull import Pulled, pull
from freezer.flows.registry.push import Pushed, push
from freezer.model.events import SilentReporter
from freezer.model.lock import ImageRuntime
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from freezer.model.record.record import Record
from tests.support.host.fake_engine import FakeEngine
from tests.support.project import small_lock
from tests.support.project.insides import PART
from tests.support.project.locks import make_lock
from tests.support.project.records import record
from tests.support.registry.registries import make_config

BASE, SYSTEM, LIGHT = b"base " * 9000, b"system " * 9000, b"light " * 9000
LOCK = lock_bytes(make_lock(inside=ImageRuntime(version="1", sha256="3" * 64)))
ID = lock_id(LOCK)
CONFIG = make_config([BASE, SYSTEM, LIGHT], Labels={"org.freezer.lock-id": ID})
CLASS = "x86-64-v4-skylakex"


class Ear(SilentReporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Host:
    """A machine: its project, its store, its engine."""

    opened: Project
    held: FakeEngine
    ear: Ear
    address: str

    @property
    def references(self) -> Path:
        return self.opened.root / "lockfiles" / "demo"

    def push(self, name: str = "team/demo:v1") -> Pushed:
        return push(self.opened, None, f"{self.address}/{name}")

    def pull(self, name: str) -> Pulled:
        return pull(self.opened, name)

    def check(self, name: str, file: Path | None = None) -> ImageCheck:
        return check_image(self.opened, name, file)


def make_host(folder: Path, address: str) -> Host:
    held, ear, project = FakeEngine(), Ear(), folder / "project"
    project.mkdir(parents=True)
    store = Store.open(folder / "store")
    return Host(Project(project, Config(), store, lambda: held, ear), held, ear, address)


def make_small_host(folder: Path) -> Host:
    """Return a machine with one small environment, whose every file is in its store."""
    host = make_host(folder, "nowhere")
    host.references.mkdir(parents=True)
    (host.references / LOCK_FILE).write_bytes(lock_bytes(small_lock.made_lock()))
    store = host.opened.store
    files = (small_lock.DEB, small_lock.WHEEL, small_lock.TRAINING, small_lock.WORDS, PART)
    for data in files:
        store.put_bytes(data)
    for data in (small_lock.DEB, small_lock.WHEEL):  # which are no packages
        known = {"expression": "MIT", "unmapped": [], "source": "", "same_as": None}
        store.put_memo("licenses", f"1 {sha256(data).hexdigest()}", known)
    return host


def reference(told: list[bytes] | None = None, **host: str) -> Record:
    return record(told, **host).model_copy(update={"lock_id": ID})


def refused(work: object, kind: type[FreezerError], *said: str) -> FreezerError:
    with pytest.raises(kind) as caught:
        work()  # type: ignore[operator]
    for words in said:
        assert words in str(caught.value)
    return caught.value
