"""A process that is killed leaves nothing half-written, and the next one ends what it began.

Each dies by its own hand just before a file gets its name, which is where it hurts most.
"""

import signal
from pathlib import Path

import pytest
from commands import LINKED, Project, die, outcome, tree

from freezer.engine.interface import Engine, ImageInfo

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

LOCK_FILES = ("requirements.txt", "freeze.lock.yaml")


def test_a_killed_first_lock_is_no_lock(project: Project) -> None:
    expected = tree(project.folder)
    for path in LOCK_FILES:
        project.lock_file.with_name(path).unlink()
    assert outcome(die(project, "freeze.lock.yaml", "lock")).code == -signal.SIGKILL
    assert not project.lock_file.exists()
    project.freeze("build").failed(2, "has no lock yet")
    project.freeze("lock").good()
    assert tree(project.folder) == expected


@pytest.mark.parametrize("file", LOCK_FILES)
def test_a_killed_new_lock_leaves_the_old_one(project: Project, file: str) -> None:
    before = project.lock_file.read_bytes()
    project.spec(pip=["numpy", "six"])
    assert outcome(die(project, file, "lock")).code == -signal.SIGKILL
    assert project.lock_file.read_bytes() == before
    project.freeze("lock", "--check").failed(1, "no longer answers the spec")
    project.freeze("lock").good()
    assert {package.name for package in project.lock.pip} == {"numpy", "pip", "six"}
    names = {path.name for path in project.lock_file.parent.iterdir()}
    assert names >= {*LOCK_FILES, "history", "CHANGELOG.md"}
    assert not [name for name in names if name.startswith(".")]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_lock_cleans_up_after_itself(project: Project, by: int) -> None:
    before = tree(project.folder)
    project.spec(pip=["numpy", "six"])
    ended = outcome(die(project, "freeze.lock.yaml", "lock", by=by)).failed(130, "interrupted")
    assert ended.out == ""
    after = tree(project.folder)
    assert after.keys() == before.keys()
    assert after.items() - before.items() <= {
        (path, data) for path, data in after.items() if not path.endswith("freeze.lock.yaml")
    }


@pytest.fixture
def unbuilt(untagged: Project, tmp_path: Path) -> Project:
    """Return the project with a store that holds artifacts and the Debian packages' layer, and no tag."""
    return untagged.with_store(tmp_path / "store", without=LINKED)


MOMENTS = [
    ("memos/chunk", 1),
    ("memos/bytecode", 2),
    ("memos/layer", 1),
    ("memos/verified-image", 1),
]


def test_a_killed_build_tags_nothing_and_is_ended_by_the_next(
    unbuilt: Project, engine: Engine, image: ImageInfo
) -> None:
    for place, nth in MOMENTS:
        killed = outcome(die(unbuilt, place, "build", unbuilt.name, nth=nth))
        assert killed.code == -signal.SIGKILL, (place, nth, killed)
        assert engine.image(f"{unbuilt.name}:latest") is None
    made = unbuilt.freeze("build", unbuilt.name, "--json").good().document
    assert (made["image"], made["built"]) == (image.id, True)
    assert list((unbuilt.store / "scratch").iterdir()) == []
