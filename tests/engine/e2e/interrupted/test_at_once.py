"""Two processes at once on one environment: both end well, with the same result."""

from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import Project, outcome

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

WAITS = "Another freeze process works on this; waiting"
UNCOMPILED = ("bytecode", "compiled-modules", "verified-image")


def test_two_locks_write_the_same_lock_once(project: Project) -> None:
    before = project.lock_file.read_bytes()
    project.lock_file.unlink()
    pair = [project.start("lock", "--json") for _ in range(2)]
    ended = [outcome(process).good() for process in pair]
    assert {one.document["lock-id"] for one in ended} == {project.lock_id}
    assert sorted(one.document["changed"] for one in ended) == [False, True]
    assert [WAITS in one.err for one in ended].count(True) == 1
    assert project.lock_file.read_bytes() == before


def test_two_builds_make_the_image_once(
    untagged: Project, image: ImageInfo, tmp_path: Path
) -> None:
    project = untagged.with_store(tmp_path / "store", without=("verified-image",))
    pair = [project.start("build", project.name, "--json") for _ in range(2)]
    ended = [outcome(process).good() for process in pair]
    assert {one.document["image"] for one in ended} == {image.id}
    assert sorted(one.document["built"] for one in ended) == [False, True]
    assert [WAITS in one.err for one in ended].count(True) == 1


def test_two_builds_with_stores_of_their_own_make_the_same_image(
    elsewhere: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    stores = [
        elsewhere.with_store(tmp_path / name, without=UNCOMPILED) for name in ("one", "other")
    ]
    pair = [project.start("build", project.name, "--json") for project in stores]
    ended = [outcome(process).good() for process in pair]
    assert {one.document["image"] for one in ended} == {image.id}
    found = engine.image(f"{elsewhere.name}:latest")
    assert found is not None
    assert found.id == image.id
