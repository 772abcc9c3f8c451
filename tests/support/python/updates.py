"""A project to update: its base is settled, and its Python packages come from an index of tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.lock.lock import lock
from freezer.flows.project.environment import load_environment
from freezer.flows.project.project import Project
from freezer.flows.update.update import UpdateRequest, UpdateResult, update
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.host.hosts import Ear
from tests.support.project.asking import host_target
from tests.support.project.locks import make_lock
from tests.support.project.questions import settled_questions
from tests.support.python.indexes import FakeIndex

EARLY, LATE, LATER = (f"2026-0{month}-01T00:00:00Z" for month in (1, 3, 5))


class Env:
    """A project whose base is settled, and whose Python packages come from the index."""

    def __init__(self, root: Path, index: FakeIndex, resolver: str) -> None:
        self.ear = Ear()
        self.index, self.resolver, self.root = index, resolver, root
        self.opened = Project(root, Config(), Store.open(root / "store"), _no_engine, self.ear)

    @property
    def file(self) -> Path:
        return self.root / "lockfiles" / "demo" / LOCK_FILE

    def spec(self, *requirements: str, **more: Any) -> None:
        lines = [f"--index-url {self.index.simple}", *requirements]
        pip = {"requirements": lines, "resolver": self.resolver}
        spec = {
            "name": "demo",
            "base": "debian:bookworm-slim",
            "python": "3.11",
            "pip": pip,
            **more,
        }
        (self.root / "freeze.yaml").write_text(yaml.safe_dump(spec))

    def lock(self, *requirements: str, **more: Any) -> dict[str, str]:
        self.spec(*requirements, **more)
        environment = load_environment(self.root, None)
        made = make_lock(debian=(), pip=(), as_of=EARLY, target=host_target())
        answers = settled_questions(environment, made)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(lock_bytes(made.model_copy(update={"answers": answers})))
        return pins(lock(self.opened, None, as_of=EARLY).locked.lock.pip)

    def update(self, *packages: str, **more: Any) -> UpdateResult:
        return update(self.opened, None, UpdateRequest(packages, **{"as_of": LATE, **more}))


def _no_engine() -> Any:
    raise AssertionError("nothing of this needs an engine")


def pins(packages: Any) -> dict[str, str]:
    return {item.name: item.version for item in packages if item.name != "pip"}
