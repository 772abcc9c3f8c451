"""Archive, wipe every local state, restore without a network, build and check: identical."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]
NOWHERE = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}


def test_an_archive_builds_the_same_image_without_a_network(
    engine: Engine, built: Project, image: ImageInfo, tmp_path: Path
) -> None:
    project = built.copy(tmp_path / "project")
    project.freeze("check").good()
    root = tmp_path / "archive"
    done = project.freeze("archive", "create", "--to", str(root), "--json").good().document
    assert (done["version"], done["lock-id"]) == ("v1", project.lock_id)
    again = project.freeze("archive", "create", "--to", str(root), "--json").good().document
    assert (again["version"], again["new-bytes"]) == ("v1", 0)
    shutil.rmtree(project.folder)

    (tmp_path / "later").mkdir()
    (tmp_path / "store").mkdir()
    later = Project(tmp_path / "later", tmp_path / "store", project.name)
    later.freeze("archive", "verify", str(root), **NOWHERE).good()
    later.freeze("archive", "restore", str(root), project.name, **NOWHERE).good()
    built_again = later.freeze("build", "--force", "--json", **NOWHERE).good().document
    assert built_again["image"] == image.id
    assert "identical" in later.freeze("check", **NOWHERE).good().out
