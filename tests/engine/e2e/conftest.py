"""One small environment, locked and built once; tests work on copies of its project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.ecosystems import lock_artifacts
from freezer.engine.interface import Engine, ImageInfo
from freezer.fetch.store.store import Store
from tests.support.debian.bases import PLATFORMS, kept_store
from tests.support.host.commands import Project, forget, other_clock, outcome, untag

NAME = f"freezer-test-{os.getpid()}"
"""A name of this test run's own: another run on the same engine has other locks and images."""
TAGS: dict[str, str] = {}
"""The tags of the image of `built`, once it is there."""
AS_OF = "2026-11-20T00:00:00Z"
SITE = "/opt/env/lib/python3.11/site-packages"
METADATA = r"Metadata-Version: 2.1\nName: own_tool\nVersion: 2.0\n"
STEPS = {
    "run": [
        "mkdir -p /opt/data\ncp words.txt /opt/data/\nmkfifo /tmp/gone; date >/var/log/when",
        "./tell.sh >/opt/data/told; ln /opt/data/told /opt/data/again",
        f"cp words.txt {SITE}/own_tool.py; mkdir {SITE}/own_tool-2.0.dist-info",
        f"printf '{METADATA}' >{SITE}/own_tool-2.0.dist-info/METADATA",
    ],
    "files": ["words.txt", "tell.sh"],
}
TELL = """#!/bin/sh
python -c 'import numpy, os, sys; print(numpy.__name__, sys.prefix, os.environ["FREEZER_SEED"])'
"""


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
def built(locked: Project, engine: Engine) -> Iterator[Project]:
    """Return the same project, whose image the engine holds."""
    locked.freeze("build").good()
    yield locked
    for image in engine.images(label=f"org.freezer.lock-id={locked.lock_id}"):
        forget(engine, image)


@pytest.fixture(scope="module", autouse=True)
def tags_of_the_image(engine: Engine) -> Iterator[None]:
    """Give the image of `built` its tags back, where a file's own builds of that name took them."""
    yield
    for tag, image_id in TAGS.items():
        held = engine.image(tag)
        if (held is None or held.id != image_id) and engine.image(image_id) is not None:
            engine.tag(image_id, *tag.split(":"))


@pytest.fixture(scope="session")
def image(engine: Engine, built: Project) -> ImageInfo:
    """Return the image of that project.

    It is found by its lock: `latest` may be another one's by then, of a test that ran before.
    """
    found = engine.image(f"{NAME}:{built.lock_id[:12]}")
    assert found is not None
    engine.tag(found.id, NAME, "latest")
    found = engine.image(found.id)
    assert found is not None
    TAGS.update(dict.fromkeys(found.tags, found.id))
    return found


@pytest.fixture(scope="session")
def stepped(locked: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the project with steps of its own, locked; not to be changed."""
    project = locked.copy(tmp_path_factory.mktemp("steps") / "project")
    (project.folder / "words.txt").write_text("words = 'few'\n")
    (project.folder / "tell.sh").write_text(TELL)
    (project.folder / "tell.sh").chmod(0o755)
    project.spec(steps=STEPS)
    assert "steps: none to 4" in project.freeze("lock").good().out
    return project


def _artifacts_only(project: Project, root: Path) -> Path:
    """Make a store that holds what the lock names, and nothing that was ever made of it."""
    source, target = Store(project.store), Store.open(root)
    for artifact in lock_artifacts(project.lock):
        copy = target.path(artifact.sha256)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(source.path(artifact.sha256), copy)
    return root


@pytest.fixture(scope="session")
def elsewhere(
    engine: Engine, built: Project, image: ImageInfo, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return the project as another user has it, who built the image from the lock alone.

    The store holds the artifacts and what this build made of them.
    """
    home = tmp_path_factory.mktemp("else where")
    store = _artifacts_only(built, tmp_path_factory.mktemp("store") / "store")
    project = built.copy(home / "project", store)
    (project.folder / "freeze.yaml").unlink()
    forget(engine, image)
    process = project.start(
        "build",
        project.name,
        cwd=home,
        umask=0o077,
        # The first one was made by the engine's default, which is BuildKit where it is there; and
        # no step of one builder comes out of the other's cache.
        FREEZER_BUILDER="classic",
        TZ="Pacific/Chatham",
        LANG="tr_TR.UTF-8",
        LC_ALL="tr_TR.UTF-8",
        PYTHONHASHSEED="77",
        SOURCE_DATE_EPOCH="1",
        HOME=str(home),
        TMPDIR=str(home),
        **other_clock("-3y"),
    )
    assert image.id in outcome(process).good().out
    return project


@pytest.fixture
def untagged(engine: Engine, elsewhere: Project, image: ImageInfo) -> Iterator[Project]:
    """Return what ``elsewhere`` is, while its image has no tag."""
    untag(engine, image)
    yield elsewhere
    for tag in image.tags:
        engine.tag(image.id, *tag.split(":"))


@pytest.fixture
def project(locked: Project, tmp_path: Path) -> Project:
    """Return a copy of the locked project, to be changed at will."""
    return locked.copy(tmp_path / "project")
