"""A project whose image a fake engine holds: runs of the user's training without a container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import freezer
from freezer.engine.interface import Engine
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.project.project import Project
from freezer.model.events import SilentReporter
from tests.support.project.documented import documented
from tests.support.runnable import Runnable


@pytest.fixture(scope="module")
def runnable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runnable]:
    """Return a project that is locked and built, in a git repository."""
    with (
        pytest.MonkeyPatch.context() as patch,
        documented(tmp_path_factory.mktemp("runnable"), patch) as made,
    ):
        with freezer.open_project() as opened:
            freezer.lock(opened)
            freezer.build(opened)
        found = Runnable(made, Project.open(made.folder, lambda: made.held))
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
            found.git(*words)
        yield found


def no_engine() -> Engine:
    raise AssertionError("the ledger needs no engine")


@pytest.fixture
def bare_project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, Config(), Store.open(tmp_path / "store"), no_engine, SilentReporter())
