"""``freeze fetch`` of conda packages that their channel no longer serves."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from freezer.model.lockfile import lock_bytes
from tests.support.conda.condaindex import Room, record
from tests.support.host.commands import Project
from tests.support.project.locks import make_lock

pytestmark = pytest.mark.process


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path)
    room.channel("forge", record("gone", "1.0", "py312_1"), record("listed"))
    return room


def project(room: Room) -> Project:
    """Lock both packages; the configuration says where the channel is."""
    made = Project(room.folder, room.folder / "store", "demo")
    made.lock_file.parent.mkdir(parents=True)
    lock = make_lock(conda=room.solve("gone", "listed").packages, debian=(), pip=())
    made.lock_file.write_bytes(lock_bytes(lock))
    sources = {"conda": {"forge": list(room.channels[0].urls)}}
    (room.folder / ".freezer.yaml").write_text(yaml.safe_dump({"sources": sources}))
    return made


def test_each_is_named_with_the_nearest_or_that_the_channel_still_lists_it(room: Room) -> None:
    made = project(room)
    builds = (("1.1", "py312_0"), ("1.0", "py311_1"))
    room.channel("forge", *(record("gone", *build) for build in builds), record("listed"))
    done = made.freeze("fetch", "demo")
    done.failed(
        1,
        "2 locked files are no longer at any source",
        "gone 1.0 py312_1 (forge): it has 1.0 py311_1, 1.1 py312_0",
        "listed-1.0-0.conda (forge): the channel lists it but does not have it",
        "`freeze lock demo` keeps all else",
    )


def test_a_channel_that_is_gone_itself_is_told_with_every_file(room: Room) -> None:
    made = project(room)
    room.channel("forge")
    for index in (room.folder / "channels").rglob("repodata.json"):
        index.unlink()
    done = made.freeze("fetch", "demo")
    done.failed(1, "gone-1.0-py312_1.conda", "listed-1.0-0.conda")
