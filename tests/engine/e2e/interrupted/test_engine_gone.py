"""An engine that goes away in the middle is named, and the next run ends what was begun."""

import contextlib
import re
from pathlib import Path

import docker
import pytest

from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import MADE, Outcome, Project, forget, outcome
from tests.support.registry.proxies import engine_that_goes

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.fixture
def unbuilt(untagged: Project, tmp_path: Path) -> Project:
    """Return the project with a store that holds artifacts alone, and no tag."""
    return untagged.with_store(tmp_path / "store", without=MADE)


@pytest.fixture
def address(engine: Engine) -> str:
    """Return the engine's address, which must be a socket of this host."""
    if not engine.info.address.startswith("unix://"):
        pytest.skip(f"the engine is at {engine.info.address}; these tests cut a local socket")
    return engine.info.address


def remove_container(address: str, request: bytes) -> None:
    """Remove what was about to start, which the command could not do any more."""
    if found := re.search(rb"/containers/([0-9a-f]{64})/start", request):
        with contextlib.closing(docker.APIClient(address)) as api:
            api.remove_container(found[1].decode())


def cut_off(project: Project, address: str, folder: Path, at: bytes, *command: str) -> Outcome:
    """Run the command with an engine that goes away at a request."""
    folder.mkdir()
    with engine_that_goes(folder, address, at) as proxy:
        ended = outcome(project.start(*command, DOCKER_HOST=proxy.address))
        assert proxy.cut.is_set(), ended
    remove_container(address, proxy.last)
    return ended.failed(2, proxy.address, "went away while")


REQUESTS = (b"/build?", b"/images/load", b"/start HTTP", b"/tag?")


def test_an_engine_that_goes_in_the_middle_of_a_build(
    unbuilt: Project, engine: Engine, image: ImageInfo, address: str, tmp_path: Path
) -> None:
    forget(engine, image)  # so that it is loaded again
    for number, request in enumerate(REQUESTS):
        cut_off(unbuilt, address, tmp_path / str(number), request, "build", unbuilt.name)
        assert engine.image(f"{unbuilt.name}:latest") is None
    made = unbuilt.freeze("build", unbuilt.name, "--json").good().document
    assert made["image"] == image.id


def test_an_engine_that_goes_in_the_middle_of_a_check(
    built: Project, address: str, tmp_path: Path
) -> None:
    cut_off(built, address, tmp_path / "proxy", b"/start HTTP", "check")
    assert built.references == []


def test_no_engine_at_all(built: Project, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path / 'none.sock'}"
    said = outcome(built.start("check", DOCKER_HOST=nowhere))
    said.failed(2, "no container engine answers", nowhere, "DOCKER_HOST", "make engine")
    built.freeze("lock", DOCKER_HOST=nowhere).good()  # nothing to ask it
    built.freeze("lock", "--check", DOCKER_HOST=nowhere).good()
    built.freeze("fetch", DOCKER_HOST=nowhere).good()
