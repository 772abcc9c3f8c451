"""When numbers drift: locked, NumPy updated, found out, traced to it, undone; on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.engine.interface import Engine
from tests.support.host.commands import Project, forget

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.fixture
def project(locked: Project, tmp_path: Path, engine: Engine) -> Iterator[Project]:
    """Return a project whose third generation, with NumPy 1.26, is built and checked."""
    made = locked.copy(tmp_path / "project")
    shared = made.lock_id
    made.spec(pip=["numpy<2", "packaging<25", "six<1.17"])
    made.freeze("lock").good()
    made.spec(pip=["numpy", "packaging", "six"])
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


def test_numpy_moved_the_numbers(project: Project, engine: Engine) -> None:
    first, numbers = project.lock_id, [path.read_bytes() for path in project.references]
    project.freeze("update", "six", "--reason", "a typo in its help").good()
    moved = project.freeze("update", "numpy", "packaging", "--reason", "np.trapezoid", "--json")
    assert [one["name"] for one in moved.good().document["moves"]] == ["numpy", "packaging"]
    assert moved.document["generation"] == 5
    after = moved.document["moves"][0]["to"]
    culprit = f"numpy 1.26.4 to {after}"

    # The check says that they moved, and where.
    project.freeze("build").good()
    drifted = project.freeze("check", "--against", "3", "--json").failed(1).document
    assert drifted["verdict"] == "drifted"
    part = drifted["trainings"][0]["first"]
    assert part["what"].startswith("probe: "), "a number, and not the version of NumPy"
    assert part["ulps"] > 0
    assert f"numpy: version numpy is {after}, was 1.26.4" in drifted["causes"]

    # What changed, and what of it is likely to have done it.
    suspects = project.freeze("diff", "3", "5", "--json").good().document["suspects"]
    likely = [one["what"] for one in suspects if one["level"] == "likely"]
    assert f"numpy: 1.26.4 to {after}" in likely
    assert not [one for one in suspects if one["what"].startswith(("six", "packaging"))]

    # Which generation, and which package in it.
    before = tags(project, engine)
    found = project.freeze("bisect", "--good", "3", "--bad", "5", "--json").good()
    said = found.document
    assert (said["good"], said["bad"], said["skipped-generations"]) == (4, 5, 0)
    assert [one["title"] for one in said["culprits"]] == [culprit]
    assert said["first-difference"][0]["what"] == part["what"]
    assert f"bad: with {culprit}: drifted" in found.err
    assert said["rollback"] == f"freeze rollback {project.name} --to 4"
    # The generation between was built and stays; what was made only to be tried is gone.
    log = project.freeze("log", "--json").good().document["generations"]
    between = f"{project.name}:{log[3]['lock-id'][:12]}"
    assert tags(project, engine) - before == {between}

    # Back, and as it was.
    back = project.freeze("rollback", "--json", "--reason", "the numbers moved").good().document
    assert back["to"]["generation"] == 3
    assert (back["check"]["verdict"], back["check"]["against-reference"]) == ("identical", True)
    assert back["switch-seconds"] < 10
    assert project.lock_id == first
    assert [path.read_bytes() for path in project.references] == numbers
    assert project.freeze("check", "--json").good().document["verdict"] == "identical"
    assert project.freeze("check", "--against", "3", "--json").good().document["good"]

    changelog = project.lock_file.with_name("CHANGELOG.md").read_text()
    for told in ("a typo in its help", "np.trapezoid", culprit, "the numbers moved", "back to"):
        assert told in changelog
    project.freeze("log", "--verify").good()
