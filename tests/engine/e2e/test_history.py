"""A lock of the past, on a real engine: found, built again when its image is gone, checked, current."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Project, forget

from freezer.engine.interface import Engine

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.fixture
def moved(built: Project, tmp_path: Path, engine: Engine) -> Iterator[Project]:
    """Return a copy of the project whose second generation is built, and is current."""
    project = built.copy(tmp_path / "project")
    project.freeze("build").good()
    project.freeze("check").good()
    project.spec(pip=["numpy", "six"])
    project.freeze("lock").good()
    project.freeze("build").good()
    second = project.lock_id
    yield project
    for image in engine.images(label=f"org.freezer.lock-id={second}"):
        forget(engine, image)
    built.freeze("build").good()  # the tag `latest`, and the image where it was removed


def test_back_to_the_first_generation_whose_image_is_gone(moved: Project, engine: Engine) -> None:
    name, second = moved.name, moved.lock_id
    first = moved.freeze("log", "--json").good().document["generations"][0]
    image = first["checks"][0]["image"]
    plan = moved.freeze("rollback", "--dry-run", "--json").good().document
    assert (plan["to"]["generation"], plan["image"]["how"]) == (1, "here")
    assert "Python package six: removed, was 1.17.0" in plan["changes"]
    found = engine.image(image)
    assert found is not None
    forget(engine, found)

    # The index has nothing any more: the store has what was fetched once.
    gone = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_DEFAULT_INDEX": "http://127.0.0.1:9"}
    command = ("rollback", "--json", "--reason", "six was not needed")
    done = moved.freeze(*command, **gone).good().document
    assert (done["image"]["how"], done["image"]["id"]) == ("rebuilt", image)
    assert done["image"]["on-record"] is True
    assert done["check"]["verdict"] == "identical"
    assert done["check"]["against-reference"] is True
    assert done["switch-seconds"] < 1
    assert done["answers-spec"] is False
    assert moved.lock_id == first["lock-id"]
    latest = engine.image(f"{name}:latest")
    assert latest is not None
    assert latest.id == image

    assert moved.lock_file.with_name("inventory.json").is_file()
    moved.freeze("log", "--verify").good()
    changelog = moved.lock_file.with_name("CHANGELOG.md").read_text()
    assert "six was not needed" in changelog
    table = moved.freeze("check", "--all", "--json").failed(1).document["locks"]
    assert [one["generations"] for one in table] == [[1, 3], [2]]
    assert [one["good"] for one in table] == [True, False]
    assert "two runs agree" in table[1]["why-not"]
    assert table[1]["lock-id"] == second
