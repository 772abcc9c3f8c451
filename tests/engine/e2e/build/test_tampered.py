"""What was changed behind Freezer's back is named, and nothing is made of it."""

import hashlib
import re
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from freezer.fetch.store.store import Store
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.mark.parametrize(
    ("place", "becomes"),
    [
        (rb'(?m)^( +sha256: "?)[0-9a-f]', rb"\g<1>x"),
        (rb"numpy-[0-9]", b"numpy-9"),
        (rb"PYTHONHASHSEED: '?\"?0", b"PYTHONHASHSEED: '1"),
        (rb"\n$", b""),
        (rb"\n$", b"\n\n"),
        (rb"name: ", b"name:  "),
    ],
)
def test_one_byte_of_a_lock_stops_every_command(
    project: Project, place: bytes, becomes: bytes
) -> None:
    before = project.lock_file.read_bytes()
    after, count = re.subn(place, becomes, before, count=1)
    assert count == 1
    assert after != before
    project.lock_file.write_bytes(after)
    for command in (["build"], ["check"], ["fetch"], ["lock"], ["lock", "--check"]):
        project.freeze(*command).failed(2, "freeze.lock.yaml", "freeze lock --upgrade")
    assert project.lock_file.read_bytes() == after


def test_a_broken_lock_is_written_anew_as_the_message_says(project: Project) -> None:
    before = project.lock_file.read_bytes()
    project.lock_file.write_bytes(before.replace(b"numpy-", b"numpy_", 1))
    project.freeze("lock").failed(2, "freeze lock --upgrade")
    project.freeze("lock", "--upgrade").good()
    assert project.lock_file.read_bytes() == before


def overwrite(path: Path) -> None:
    """Change one byte, as a failing disk does: same length, same place."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_changed_wheel_in_the_store_is_named_and_fetched_anew(
    elsewhere: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    project = elsewhere.with_store(tmp_path / "store")
    wheel = next(package for package in project.lock.pip if package.name == "pip")
    path = Store(project.store).path(wheel.sha256)
    overwrite(path)
    assert sha256_of(path) != wheel.sha256
    said = project.freeze("build", project.name, "--force").good()
    assert (
        f"1 file in the store had been changed, and will be fetched again: {wheel.file}" in said.err
    )
    assert image.id in said.out
    assert sha256_of(path) == wheel.sha256


def test_a_changed_layer_in_the_store_is_removed_and_made_anew(
    elsewhere: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    project = elsewhere.with_store(tmp_path / "store")
    sha256 = image.diff_ids[-1].removeprefix("sha256:")
    path = Store(project.store).path(sha256)
    overwrite(path)
    assert sha256_of(path) != sha256
    made = project.freeze("build", project.name, "--force", "--json").good().document
    assert made["image"] == image.id
    assert sha256_of(path) == sha256
