"""The same lock gives the same image, wherever, whenever and by whomever it is built."""

import shutil
from pathlib import Path

import pytest
from commands import Project, outcome

from freezer.engine.interface import Engine, ImageInfo
from freezer.fetch.store import Store
from freezer.flows.fetch import lock_artifacts

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def artifacts_only(project: Project, root: Path) -> Path:
    """Make a store that holds what the lock names, and nothing that was ever made of it."""
    source, target = Store(project.store), Store.open(root)
    for artifact in lock_artifacts(project.lock):
        copy = target.path(artifact.sha256)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(source.path(artifact.sha256), copy)
    return root


def forget(engine: Engine, image: ImageInfo) -> None:
    for tag in image.tags:
        engine.remove_image(tag)
    engine.remove_image(image.id)
    assert engine.image(image.id) is None


def test_another_host_builds_the_same_image(
    built: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir(mode=0o700)
    copy = built.copy(elsewhere / "project", artifacts_only(built, tmp_path / "store"))
    (copy.folder / "freeze.yaml").unlink()
    forget(engine, image)
    process = copy.start(
        "build",
        copy.name,
        cwd=elsewhere,
        # The first one was made by the engine's default, which is BuildKit where it is there; and
        # no step of one builder comes out of the other's cache.
        FREEZER_BUILDER="classic",
        umask=0o077,
        TZ="Pacific/Chatham",
        LANG="tr_TR.UTF-8",
        LC_ALL="tr_TR.UTF-8",
        PYTHONHASHSEED="77",
        SOURCE_DATE_EPOCH="1",
        HOME=str(elsewhere),
        TMPDIR=str(elsewhere),
    )
    said = outcome(process).good().out
    assert image.id in said
    found = engine.image(image.id)
    assert found is not None
    assert set(found.tags) == set(image.tags)
    assert [path.name for path in elsewhere.iterdir()] == ["project"]


def test_a_forgotten_image_is_made_again_from_what_the_store_holds(
    built: Project, engine: Engine, image: ImageInfo
) -> None:
    forget(engine, image)
    made = built.freeze("build", "--json").good().document
    assert (made["image"], made["built"]) == (image.id, True)


def test_a_commit_in_the_labels_is_part_of_what_the_image_follows_from(
    built: Project, engine: Engine, image: ImageInfo
) -> None:
    made = built.freeze("build", "--revision", "0123abc", "--json").good().document
    again = built.freeze("build", "--force", "--revision", "0123abc", "--json").good().document
    try:
        assert made["image"] == again["image"] != image.id
        found = engine.image(made["image"])
        assert found is not None
        assert found.labels["org.opencontainers.image.revision"] == "0123abc"
        assert found.diff_ids == image.diff_ids
    finally:
        built.freeze("build").good()
        engine.remove_image(made["image"])
