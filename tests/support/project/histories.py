"""An environment with a past: locks that were written one over the other, and their checks."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from freezer.check.reference import write_reference
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.check.check import check
from freezer.flows.check.record import record_check
from freezer.flows.history.entries import summary_of
from freezer.flows.history.generations import adopt, record_generation
from freezer.flows.history.opened import open_history
from freezer.flows.image.build import tag
from freezer.flows.project.environment import Locked, read_lock
from freezer.flows.project.project import Project
from freezer.history.log import FOLDER, LOG_FILE
from freezer.image.layout import LOCK_LABEL
from freezer.model.canonical import digest
from freezer.model.exports.requirements_txt import REQUIREMENTS_FILE, requirements_text
from freezer.model.generation import Generation
from freezer.model.lock import ImageRuntime, PipPackage, SmokeFile
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from freezer.model.record.protocol import PREFIX
from freezer.model.record.record import Record
from freezer.model.record.verdict import Word
from tests.support.host.fake_engine import FakeEngine
from tests.support.host.hosts import BASE, Ear
from tests.support.project.locks import make_lock, sha
from tests.support.project.records import HOST, lines, record
from tests.support.registry.registries import make_config

NAME = "demo"
INSIDE = ImageRuntime(version="1", sha256="3" * 64)
"""What the records of `records.record` ran."""


def lock_of(version: str, *smoke: SmokeFile, inside: ImageRuntime = INSIDE) -> bytes:
    """Return the lock's file with one package in that version, and an own training's files."""
    package = PipPackage(
        source="pypi", file=f"numpy-{version}-cp311-cp311-manylinux_2_27_x86_64.whl", size=1,
        sha256=digest(version.encode()), name="numpy", version=version, requested=True, reason="requested",
    )  # fmt: skip
    made = make_lock(pip=(package,), inside=inside)
    plan = made.smoke.model_copy(update={"files": smoke})
    return lock_bytes(made.model_copy(update={"smoke": plan}))


@dataclass
class Past:
    """A project with one environment, no spec, and an engine of no engine."""

    root: Path
    held: FakeEngine = field(default_factory=FakeEngine)
    ear: Ear = field(default_factory=Ear)
    inside: ImageRuntime = INSIDE
    """What of Freezer the next lock names."""

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def folder(self) -> Path:
        return self.project / "lockfiles" / NAME

    @property
    def log_file(self) -> Path:
        return self.folder / FOLDER / LOG_FILE

    @property
    def lock_file(self) -> Path:
        return self.folder / LOCK_FILE

    @property
    def opened(self) -> Project:
        store = Store.open(self.root / "store")
        return Project(self.project, Config(), store, lambda: self.held, self.ear)  # type: ignore[arg-type,return-value]

    @property
    def locked(self) -> Locked:
        found = read_lock(self.project, NAME)
        assert found is not None
        return found

    def place(self, version: str, *smoke: SmokeFile) -> Locked:
        """Put a lock there as git would: nothing is recorded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock_file.write_bytes(lock_of(version, *smoke, inside=self.inside))
        text = requirements_text(self.locked.lock)
        (self.folder / REQUIREMENTS_FILE).write_text(text)
        return self.locked

    def lock(self, version: str, *smoke: SmokeFile, reason: str | None = None) -> Generation:
        """Write a lock as `freeze lock` does."""
        with open_history(self.opened, NAME) as opened:
            first = not self.lock_file.exists()
            adopt(opened)
            locked = self.place(version, *smoke)
            summary = summary_of([f"numpy: to {version}"], locked.lock if first else None)
            return record_generation(opened, locked, action="lock", summary=summary, reason=reason)

    def adopt(self) -> Generation | None:
        """Do what every command that changes something does first."""
        with open_history(self.opened, NAME) as opened:
            return adopt(opened)

    def reference(self, told: list[bytes] | None = None, **host: str) -> Record:
        """Return what a training of the current lock would tell."""
        image = f"sha256:{sha('a')}"
        return record(told, **host).model_copy(update={"lock_id": self.locked.id, "image": image})

    def check(self, word: Word = Word.IDENTICAL, **host: str) -> None:
        """Record a check of the current lock; a good one leaves a reference."""
        found = self.reference(**host)
        if word is Word.IDENTICAL:
            write_reference(self.folder, found)
        record_check(self.opened, self.locked, found, word)

    def build(self) -> str:
        """Put the image of the current lock into the engine, as `freeze build` does; return its ID."""
        locked = self.locked
        image = self.held.make(make_config([BASE], Labels={LOCK_LABEL: locked.id}), BASE)
        self.opened.store.put_memo("verified-image", locked.id, image.id)
        tag(self.held, image.id, locked.lock, locked.id)  # type: ignore[arg-type]
        return image.id

    def engine_again(self) -> None:
        """Put the images of every kept lock into a new engine, as another process finds them."""
        for kept in self.folder.glob(f"{FOLDER}/*/{LOCK_FILE}"):
            self.held.make(make_config([BASE], Labels={LOCK_LABEL: kept.parent.name}), BASE)

    def make(self, version: str, *told: bytes) -> str:
        """Lock, build and check a version that trains to some numbers; return its image's ID."""
        self.lock(version)
        image = self.build()
        self.tell(*told)
        check(self.opened, NAME)
        return image

    def tell(self, *told: bytes, **host: str) -> None:
        """Say what every training tells from now on."""
        head = PREFIX + json.dumps({"kind": "host", "host": {**HOST, **host}}).encode()
        self.held.told = [head, *(told or lines())]

    def git(self, *arguments: str, good: bool = True) -> str:
        """Run git in the project, as nobody in particular."""
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=main", "-C", str(self.project), *arguments],
            capture_output=True, text=True, check=False, env={**os.environ, **GIT},
        )  # fmt: skip
        assert (done.returncode == 0) is good, done.stdout + done.stderr
        return done.stdout

    def commit(self, message: str = "work") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)


GIT = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}  # fmt: skip


def make_past(root: Path) -> Past:
    made = Past(root)
    made.project.mkdir(parents=True)
    return made
