"""When numbers drift: locked, updated, found out, traced to one package, undone; on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Project, forget
from indexes import FakeIndex, serve

from freezer.engine.interface import Engine

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

NUMBER = "freezer-tiny-number"
OTHERS = ("freezer-tiny-a", "freezer-tiny-b", "freezer-tiny-c")
TRAIN = """
import freezer_tiny_number
from freezer_inside import seed_everything
from freezer_inside.record import Recorder

seed_everything()
recorder = Recorder()
recorder.loss(1, 0.5)
recorder.loss(2, 0.25 * freezer_tiny_number.SCALE)
recorder.end()
"""


@pytest.fixture
def tiny() -> Iterator[FakeIndex]:
    """Serve a package on which the numbers depend, and some on which they do not."""
    index = FakeIndex()
    for version, scale in (("1.0", "1.0"), ("2.0", "1.0000001")):
        members = {"freezer_tiny_number.py": f"SCALE = {scale}\n".encode()}
        index.add(NUMBER, version, members=members)
        for name in OTHERS:
            index.add(name, version, members={f"{name.replace('-', '_')}.py": version.encode()})
    with serve(index) as served:
        yield served


@pytest.fixture
def project(locked: Project, tiny: FakeIndex, tmp_path: Path, engine: Engine) -> Iterator[Project]:
    """Return a project whose third generation is built and checked, with all tiny ones at 1.0."""
    made = locked.copy(tmp_path / "project")
    (made.folder / "train.py").write_text(TRAIN)
    names = (NUMBER, *OTHERS)
    extra = f"--extra-index-url {tiny.simple}"
    smoke = {"command": ["python", "train.py"], "files": ["train.py"], "memory": "1g"}
    made.spec(pip=[extra, *(f"{name}==1.0" for name in names)], smoke=smoke)
    shared = made.lock_id
    made.freeze("lock").good()
    made.spec(pip=[extra, *names])
    made.freeze("lock").good()
    made.freeze("build").good()
    made.freeze("check").good()
    yield made
    log = made.freeze("log", "--json").good().document["generations"]
    for lock_id in {one["lock-id"] for one in log} - {shared}:
        for image in engine.images(label=f"org.freezer.lock-id={lock_id}"):
            forget(engine, image)


def tags(project: Project, engine: Engine) -> set[str]:
    found = {tag for image in engine.images() for tag in image.tags}
    return {tag for tag in found if tag.startswith(f"{project.name}:")}


def test_the_package_that_moved_the_numbers(project: Project, engine: Engine) -> None:
    first = project.lock_id
    project.freeze("update", OTHERS[0], "--reason", "a typo in its help").good()
    moved = project.freeze("update", NUMBER, *OTHERS[1:], "--reason", "faster", "--json")
    assert [one["name"] for one in moved.good().document["moves"]] == [*OTHERS[1:], NUMBER]
    assert moved.document["generation"] == 5

    before = tags(project, engine)
    found = project.freeze("bisect", "--good", "3", "--bad", "5", "--json").good()
    said = found.document
    assert (said["good"], said["bad"], said["skipped-generations"]) == (4, 5, 0)
    assert [one["title"] for one in said["culprits"]] == [f"{NUMBER} 1.0 to 2.0"]
    assert said["first-difference"][0]["what"] == "loss at step 2"
    assert f"bad: with {NUMBER} 1.0 to 2.0: drifted" in found.err
    assert said["rollback"] == f"freeze rollback {project.name} --to 4"
    # The two generations were built and stay; what was made only to be tried is gone.
    locks = [one["lock-id"] for one in project.freeze("log", "--json").document["generations"]]
    assert tags(project, engine) - before == {f"{project.name}:{one[:12]}" for one in locks[-2:]}

    project.freeze("build").good()
    back = project.freeze("rollback", "--json", "--reason", "the numbers moved").good().document
    assert back["check"]["verdict"] == "identical"
    assert project.lock_id == first
    project.freeze("check").good()
    changelog = project.lock_file.with_name("CHANGELOG.md").read_text()
    for told in ("faster", f"{NUMBER} 1.0 to 2.0", "the numbers moved"):
        assert told in changelog
    project.freeze("log", "--verify").good()
