"""A base in a registry on the loopback: locked by digest, whatever becomes of tag and registry."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from freezer.engine.interface import Engine, ImageInfo
from freezer.fetch.debian.apt_sources import host_sources
from tests.support.debian.bases import TestBase, kept_store
from tests.support.host.commands import Project, forget
from tests.support.registry.registries import make_config, push, real_registry

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
NAME = "freezer/debian"


def sources_layer() -> bytes:
    """Return a layer with the package sources of this host's own apt."""
    lines = [f"deb {one.uri} {one.suite} {' '.join(one.components)}" for one in host_sources()]
    text = "\n".join([*lines, ""]).encode()
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("etc/apt/sources.list")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return layer.getvalue()


@dataclass
class Scene:
    """A registry with a Debian base, and a project that is locked and built on it."""

    host: str
    below: TestBase
    registry: ExitStack
    project: Project

    def push(self, tag: str, *more: bytes, **config: Any) -> str:
        """Put a base into the registry; return the manifest's digest."""
        [diff_id] = self.below.base.diff_ids
        whole = self.below.store.path(diff_id.removeprefix("sha256:")).read_bytes()
        layers = [whole, sources_layer(), *more]
        document = make_config(layers, ARCHITECTURES[self.below.architecture], **config)
        return push(f"http://{self.host}", NAME, tag, document, layers)


@pytest.fixture(scope="module")
def scene(
    engine: Engine, bootstrapped_base: TestBase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("registry")
    with ExitStack() as registry:
        host = registry.enter_context(real_registry(folder))
        made = folder / "project"
        made.mkdir()
        project = Project(made, kept_store().root, f"freezer-test-based-{host.rpartition(':')[2]}")
        project.spec(
            base=f"{host}/{NAME}:12",
            platform=bootstrapped_base.platform,
            python="3.11",
            pip=["six"],
            **{"as-of": "2026-11-20T00:00:00Z"},
        )
        scene = Scene(host, bootstrapped_base, registry, project)
        scene.push("12", Env=["PATH=/usr/bin:/bin", "BASE_SAYS=hello"], User="nobody")
        project.freeze("lock").good()
        project.freeze("build").good()
        yield scene
        for image in engine.images(label=f"org.opencontainers.image.title={project.name}"):
            forget(engine, image)
        for image in engine.images():
            if any(name.startswith(host) for name in (*image.tags, *image.repo_digests)):
                engine.remove_image(next(n for n in image.repo_digests if n.startswith(host)))


@pytest.fixture
def image(scene: Scene, engine: Engine) -> ImageInfo:
    found = engine.image(f"{scene.project.name}:latest")
    assert found is not None
    return found


def test_the_base_is_locked_by_digest_and_built_on(scene: Scene, image: ImageInfo) -> None:
    lock = scene.project.lock
    assert lock.base.kind == "registry"
    assert lock.base.reference == f"{scene.host}/{NAME}:12"
    assert image.diff_ids[:2] == lock.base.diff_ids
    assert lock.environment["BASE_SAYS"] == "hello"
    assert lock.environment["PATH"] == "/opt/env/bin:/usr/bin:/bin"
    assert image.labels["org.opencontainers.image.base.digest"] == lock.base.manifest
    assert "python3.11" in {package.name for package in lock.debian}
    assert {item.name for item in lock.base.packages} >= {"apt", "dpkg", "libc6"}


def test_a_base_that_has_python_gets_no_other(
    scene: Scene, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    system = kept_store().path(image.diff_ids[2].removeprefix("sha256:")).read_bytes()
    scene.push("python", system)
    project = scene.project.copy(tmp_path / "project")
    project.spec(base=f"{scene.host}/{NAME}:python")
    project.freeze("lock").good()
    lock = project.lock
    assert lock.debian == ()
    assert lock.target == scene.project.lock.target
    project.freeze("build").good()
    made = engine.image(f"{project.name}:{project.lock_id[:12]}")
    assert made is not None
    assert made.diff_ids[:3] == lock.base.diff_ids
    engine.tag(image.id, project.name, "latest")


def test_a_tag_that_moves_moves_no_lock(scene: Scene, image: ImageInfo, tmp_path: Path) -> None:
    project = scene.project.copy(tmp_path / "project")
    before = project.lock
    manifest = scene.push("12", Env=["PATH=/usr/bin:/bin", "BASE_SAYS=goodbye"])
    assert "nothing changed" in project.freeze("lock").good().out
    made = project.freeze("build", "--force", "--json").good().document
    assert made["image"] == image.id
    project.freeze("lock", "--upgrade").good()
    after = project.lock
    assert after.base.kind == before.base.kind == "registry"
    assert after.base.manifest == manifest != before.base.manifest
    assert after.environment["BASE_SAYS"] == "goodbye"
    assert [package.sha256 for package in after.pip] == [package.sha256 for package in before.pip]


def test_without_the_registry_the_engines_copy_is_as_good(
    scene: Scene, image: ImageInfo, tmp_path: Path
) -> None:
    project = scene.project.copy(tmp_path / "project")
    scene.registry.close()
    assert project.freeze("build", "--force", "--json").good().document["image"] == image.id
    assert "nothing changed" in project.freeze("lock").good().out
    project.freeze("lock", "--upgrade").failed(2, scene.host)
    assert project.lock_id == scene.project.lock_id
