"""A process that is killed leaves nothing half-written, and the next one ends what it began.

Each dies by its own hand just before a file gets its name, which is where it hurts most.
"""

import contextlib
import signal
import subprocess
from pathlib import Path

import docker
import pytest

from freezer.engine.interface import Engine, ImageInfo
from freezer.engine.run.owner import OWNER_LABEL
from freezer.fetch.store.store import Store
from freezer.image.build_container import store_name
from freezer.image.layout import LOCK_LABEL, STORE_LABEL
from tests.support.host.commands import LINKED, MADE, Project, die, forget, outcome, tree
from tests.support.registry.proxies import engine_that_goes

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

LOCK_FILES = ("requirements.txt", "freeze.lock.yaml")


def test_a_killed_first_lock_is_no_lock(project: Project) -> None:
    expected = tree(project.folder)
    for path in LOCK_FILES:
        project.lock_file.with_name(path).unlink()
    assert outcome(die(project, "freeze.lock.yaml", "lock")).code == -signal.SIGKILL
    assert not project.lock_file.exists()
    project.freeze("build").failed(2, "has no lock yet")
    project.freeze("lock").good()
    assert tree(project.folder) == expected


@pytest.mark.parametrize("file", LOCK_FILES)
def test_a_killed_new_lock_leaves_the_old_one(project: Project, file: str) -> None:
    before = project.lock_file.read_bytes()
    project.spec(pip=["numpy", "six"])
    assert outcome(die(project, file, "lock")).code == -signal.SIGKILL
    assert project.lock_file.read_bytes() == before
    project.freeze("lock", "--check").failed(1, "no longer satisfies the spec")
    project.freeze("lock").good()
    assert {package.name for package in project.lock.pip} == {"numpy", "pip", "six"}
    names = {path.name for path in project.lock_file.parent.iterdir()}
    assert names >= {*LOCK_FILES, "history", "CHANGELOG.md"}
    assert not [name for name in names if name.startswith(".")]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_lock_cleans_up_after_itself(project: Project, by: int) -> None:
    before = tree(project.folder)
    project.spec(pip=["numpy", "six"])
    ended = outcome(die(project, "freeze.lock.yaml", "lock", by=by)).failed(130, "interrupted")
    assert ended.out == ""
    after = tree(project.folder)
    assert after.keys() == before.keys()
    assert after.items() - before.items() <= {
        (path, data) for path, data in after.items() if not path.endswith("freeze.lock.yaml")
    }


@pytest.fixture
def unbuilt(untagged: Project, tmp_path: Path) -> Project:
    """Return the project with a store that holds artifacts and the Debian packages' layer, and no tag."""
    return untagged.with_store(tmp_path / "store", without=LINKED)


MOMENTS = [
    ("memos/chunk", 1),
    ("memos/bytecode", 2),
    ("memos/layer", 1),
    ("memos/verified-image", 1),
]


def test_a_killed_build_tags_nothing_and_is_ended_by_the_next(
    unbuilt: Project, engine: Engine, image: ImageInfo
) -> None:
    for place, nth in MOMENTS:
        killed = outcome(die(unbuilt, place, "build", unbuilt.name, nth=nth))
        assert killed.code == -signal.SIGKILL, (place, nth, killed)
        assert engine.image(f"{unbuilt.name}:latest") is None
    made = unbuilt.freeze("build", unbuilt.name, "--json").good().document
    assert (made["image"], made["built"]) == (image.id, True)
    assert list((unbuilt.store / "scratch").iterdir()) == []


REQUESTS = (b"/build?", b"/archive?", b"/images/load", b"/start HTTP", b"/tag?")
"""The Debian packages' layer, byte code, loading, verification, the tag."""


def test_a_build_killed_while_the_engine_works_leaves_nothing(
    untagged: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    project = untagged.with_store(tmp_path / "store", without=(*MADE, "verified-layer"))
    forget(engine, image)  # so that it is loaded again
    killed = set()
    for number, request in enumerate(REQUESTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        begun: list[subprocess.Popen[str]] = []
        with engine_that_goes(
            folder, engine.info.address, request, then=lambda begun=begun: begun[0].kill()
        ) as proxy:
            begun.append(project.start("build", project.name, DOCKER_HOST=proxy.address))
            ended = outcome(begun[0])
            assert ended.code == -signal.SIGKILL, (request, ended)
        killed.add(str(begun[0].pid))
        assert engine.image(f"{project.name}:latest") is None
    made = project.freeze("build", project.name, "--force", "--json").good().document
    assert made["image"] == image.id
    assert list((project.store / "scratch").iterdir()) == []
    with contextlib.closing(docker.APIClient(engine.info.address)) as api:
        listed = api.containers(all=True, filters={"label": OWNER_LABEL})
    assert not killed & {item["Labels"][OWNER_LABEL].split(":")[1] for item in listed}
    working = store_name(Store(project.store))
    left = {info.id for info in engine.images(label=LOCK_LABEL) if is_of(info, project)}
    left |= {info.id for info in engine.images(label=f"{STORE_LABEL}={working}")}
    assert left == {image.id}


def is_of(image: ImageInfo, project: Project) -> bool:
    return image.labels[LOCK_LABEL] == project.lock_id
