"""One small environment, locked and built once; tests work on copies of its project."""

from __future__ import annotations

from pathlib import Path

import pytest
from bases import PLATFORMS, kept_store
from commands import Project

from freezer.engine.interface import Engine, ImageInfo

NAME = "freezer-test-e2e"
AS_OF = "2026-11-20T00:00:00Z"


@pytest.fixture(scope="session")
def locked(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with its lock; not to be changed."""
    folder = tmp_path_factory.mktemp("e2e") / "project"
    folder.mkdir()
    made = Project(folder, kept_store().root, NAME)
    made.spec(
        base={"bootstrap": "bookworm"},
        platform=PLATFORMS[engine.info.architecture],
        python="3.11",
        pip=["numpy"],
        smoke={"training": ["numpy"], "memory": "1g"},
        **{"as-of": AS_OF},
    )
    made.freeze("lock").good()
    return made


@pytest.fixture(scope="session")
def built(locked: Project) -> Project:
    """Return the same project, whose image the engine holds."""
    locked.freeze("build").good()
    return locked


@pytest.fixture(scope="session")
def image(engine: Engine, built: Project) -> ImageInfo:
    """Return the image of that project."""
    found = engine.image(f"{NAME}:latest")
    assert found is not None
    return found


@pytest.fixture
def project(locked: Project, tmp_path: Path) -> Project:
    """Return a copy of the locked project, to be changed at will."""
    return locked.copy(tmp_path / "project")
