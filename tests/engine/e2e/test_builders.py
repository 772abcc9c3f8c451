"""One lock gives one image, whichever builder and engine makes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import MADE, Project

from freezer.engine.interface import ImageInfo

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

PODMAN = "FREEZER_TEST_PODMAN"
"""Address of a podman service, such as ``unix:///run/podman/podman.sock``."""


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_both_builders_make_the_same_image(
    builder: str, built: Project, image: ImageInfo, tmp_path: Path
) -> None:
    project = built.with_store(tmp_path / "store", without=MADE)
    project.freeze("build", "--force", FREEZER_BUILDER=builder).good()
    facts = project.freeze("build", "--json").good().document
    assert facts["image"] == image.id


@pytest.mark.skipif(PODMAN not in os.environ, reason=f"{PODMAN} names no podman service")
def test_podman_makes_the_same_image(built: Project, image: ImageInfo, tmp_path: Path) -> None:
    project = built.with_store(tmp_path / "store", without=(*MADE, "bootstrap"))
    facts = project.freeze("build", "--json", DOCKER_HOST=os.environ[PODMAN]).good().document
    assert facts["image"] == image.id


def test_a_build_from_nothing_gives_the_same_image_and_says_so(
    built: Project, image: ImageInfo
) -> None:
    facts = built.freeze("build", "--verify", "--json").good().document
    assert (facts["same"], facts["rebuilt"], facts["differences"]) == (True, image.id, [])
