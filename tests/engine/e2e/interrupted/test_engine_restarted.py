"""An engine that is killed and started again in the middle of a build, on its own data root."""

from pathlib import Path

import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.interface import ImageInfo
from tests.support.host.commands import Project, outcome
from tests.support.host.daemons import Daemon, own_daemon
from tests.support.registry.proxies import engine_that_goes

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def test_an_engine_restarted_in_the_middle_of_a_build(
    untagged: Project, image: ImageInfo, tmp_path: Path
) -> None:
    project = untagged.with_store(tmp_path / "store", without=["verified-image", "verified-layer"])
    with own_daemon(tmp_path) as daemon:
        for number, request in enumerate((b"/images/load", b"/start HTTP")):
            interrupted(project, daemon, tmp_path / str(number), request)
        made = outcome(project.start("build", project.name, "--json", DOCKER_HOST=daemon.address))
        assert made.good().document["image"] == image.id
        assert daemon.containers() == 0
        engine = connect(daemon.address)
        tags = sorted(tag for info in engine.images() for tag in info.tags)
        assert [tag for tag in tags if not tag.startswith("freezer-base:")] == sorted(image.tags)
        assert [info for info in engine.images() if not info.tags] == []
        engine.close()


def interrupted(project: Project, daemon: Daemon, folder: Path, request: bytes) -> None:
    """Kill the engine when a request arrives; start it again when the command has given up."""
    folder.mkdir()
    with engine_that_goes(folder, daemon.address, request, then=daemon.kill) as proxy:
        ended = outcome(project.start("build", project.name, DOCKER_HOST=proxy.address))
        assert proxy.cut.is_set(), ended
    ended.failed(2, "went away while")
    daemon.start()
    engine = connect(daemon.address)
    assert engine.image(f"{project.name}:latest") is None
    engine.close()
