"""Archive, wipe every local state, restore without a network, build and check: identical."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import Project
from tests.support.storage.s3 import PROGRAM, S3Server

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]
NOWHERE = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Where archives are kept, each with the environment variables that lead there."""
    found: dict[str, dict[str, str]] = {str(tmp_path / "archive"): {}}
    with ExitStack() as stack:
        if PROGRAM is not None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="s3-"))
            server = stack.enter_context(S3Server(Path(folder)).running())
            server.client().create_bucket(Bucket="archive", ObjectLockEnabledForBucket=True)
            found["s3://archive/ml"] = {**server.environment, "NO_PROXY": "127.0.0.1"}
        yield found


def test_an_archive_builds_the_same_image_without_a_network(
    engine: Engine,
    built: Project,
    image: ImageInfo,
    tmp_path: Path,
    places: dict[str, dict[str, str]],
) -> None:
    project = built.copy(tmp_path / "project")
    project.freeze("check").good()
    for archive, variables in places.items():
        done = project.freeze("archive", "create", "--to", archive, "--json", **variables)
        assert done.good().document["version"] == "v1"
        assert done.document["lock-id"] == project.lock_id
        again = project.freeze("archive", "create", "--to", archive, "--json", **variables)
        assert (again.good().document["version"], again.document["new-bytes"]) == ("v1", 0)
    shutil.rmtree(project.folder)

    for number, (archive, variables) in enumerate(places.items()):
        offline = {**NOWHERE, **variables}
        (tmp_path / f"later-{number}").mkdir()
        (tmp_path / f"store-{number}").mkdir()
        later = Project(tmp_path / f"later-{number}", tmp_path / f"store-{number}", project.name)
        later.freeze("archive", "verify", archive, **offline).good()
        later.freeze("archive", "restore", archive, project.name, **offline).good()
        built_again = later.freeze("build", "--force", "--json", **NOWHERE).good().document
        assert built_again["image"] == image.id
        assert "identical" in later.freeze("check", **NOWHERE).good().out
