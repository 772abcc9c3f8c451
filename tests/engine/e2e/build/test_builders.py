"""One lock gives one image, whichever builder and engine makes it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.interface import Engine, ImageInfo
from freezer.flows.image.build import image_tags
from tests.support.host.commands import MADE, Project, forget, other_clock, outcome
from tests.support.host.daemons import own_daemon, own_podman

DOCKERD = "FREEZER_TEST_DOCKERD"
"""A folder with the programs of another Docker than the installed one: dockerd, containerd, ..."""

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def test_the_classic_builder_makes_the_same_image(
    built: Project, image: ImageInfo, tmp_path: Path
) -> None:
    # BuildKit made the first one where the engine has it, and makes the last one here.
    project = built.with_store(tmp_path / "store", without=MADE)
    project.freeze("build", "--force", FREEZER_BUILDER="classic").good()
    facts = project.freeze("build", "--json").good().document
    assert facts["image"] == image.id


def test_podman_makes_the_same_image_from_a_bundle_without_a_route(
    built: Project, image: ImageInfo, tmp_path: Path
) -> None:
    project, file = built.copy(tmp_path / "project"), tmp_path / "one.bundle"
    recorded = project.freeze("check", "--json").good().document
    project.freeze("bundle", "-o", str(file)).good()
    there = Project(tmp_path / "there", tmp_path / "empty", built.name)
    there.folder.mkdir()
    with own_podman() as podman:

        def offline(*arguments: str) -> Any:
            own = [sys.executable, "-m", "freezer", "-C", str(there.folder), *arguments, "--json"]
            more = {"DOCKER_HOST": podman.address, **other_clock("+5y")}
            return outcome(there.spawn(["unshare", "--net", *own], **more)).good().document

        first = offline("build", "--bundle", str(file))
        assert (first["image"], first["built"]) == (image.id, True)
        checked = offline("check")
        assert (checked["verdict"], checked["recorded"]) == ("identical", False)
        assert Path(checked["reference"]).name == Path(recorded["reference"]).name
        for kind in MADE:
            shutil.rmtree(there.store / "memos" / kind, ignore_errors=True)
        again = offline("build", "--force")
        assert (again["image"], again["built"]) == (image.id, True)


@pytest.mark.skipif(DOCKERD not in os.environ, reason=f"{DOCKERD} names no other Docker")
@pytest.mark.parametrize("containerd", ["true", "false"])
def test_another_docker_makes_the_same_image(
    built: Project, image: ImageInfo, tmp_path: Path, containerd: str
) -> None:
    project = built.with_store(tmp_path / "store", without=MADE)
    (tmp_path / "e").mkdir()
    options = ["--ip6tables=false", f"--feature=containerd-snapshotter={containerd}"]
    with own_daemon(tmp_path / "e", os.environ[DOCKERD], options) as daemon:
        engine = connect(daemon.address)
        assert engine.info.containerd_store == (containerd == "true")
        for builder in ("buildkit", "classic"):
            shutil.rmtree(project.store / "memos" / "system-layer", ignore_errors=True)
            more = {"DOCKER_HOST": daemon.address, "FREEZER_BUILDER": builder}
            project.freeze("build", "--force", **more).good()
            facts = project.freeze("build", "--json", **more).good().document
            assert (facts["image"], facts["built"]) == (image.id, False)
        tags = {tag for one in engine.images() for tag in one.tags}
        assert {tag for tag in tags if not tag.startswith("freezer-base:")} == set(image.tags)
        for tag in image.tags:
            engine.remove_image(tag)
        assert engine.image(image.id) is None
        engine.close()


def test_other_tools_load_what_freeze_image_writes(
    built: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    file = tmp_path / "image.tar"
    written = built.freeze("image", "-o", str(file), "--json").good().document
    if shutil.which("skopeo") is not None:
        copy = ["skopeo", "--insecure-policy", "copy", f"oci-archive:{file}", f"dir:{tmp_path}/d"]
        subprocess.run(copy, check=True, capture_output=True)
        manifest = (tmp_path / "d" / "manifest.json").read_bytes()
        assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == written["manifest"]
        assert json.loads(manifest)["config"]["digest"] == image.id
    forget(engine, image)
    with closing(docker.APIClient(engine.info.address)) as api, file.open("rb") as stream:
        said = [line for line in api.load_image(stream) if "error" in line]
    assert said == []
    loaded = engine.image(image_tags(built.lock, built.lock_id)[0])
    built.freeze("build").good()  # the other tag
    assert loaded is not None
    assert loaded.diff_ids == image.diff_ids


def test_a_build_from_nothing_gives_the_same_image_and_says_so(
    built: Project, image: ImageInfo, tmp_path: Path
) -> None:
    file = tmp_path / "provenance.json"
    done = built.freeze("build", "--verify", "--provenance", str(file), "--json").good()
    facts = done.document
    assert (facts["same"], facts["rebuilt"], facts["differences"]) == (True, image.id, [])
    statement = json.loads(file.read_bytes())
    assert {"sha256": image.id.removeprefix("sha256:")} in [
        one["digest"] for one in statement["subject"]
    ]
    assert statement["predicate"]["runDetails"]["metadata"] == {"freezer_rebuiltSameImage": True}
