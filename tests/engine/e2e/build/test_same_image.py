"""The same lock gives the same image, wherever, whenever and by whomever it is built."""

import pytest

from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import Project, forget

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def test_another_host_builds_the_same_image(
    elsewhere: Project, engine: Engine, image: ImageInfo
) -> None:
    found = engine.image(f"{elsewhere.name}:latest")
    assert found is not None
    assert found.id == image.id
    assert set(found.tags) >= set(image.tags)
    above = [path.name for path in elsewhere.folder.parent.iterdir()]
    assert above == ["project"]


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
