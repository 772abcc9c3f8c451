"""A disk that is full is named, and what was there before is there still."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import LINKED, MADE, Project, tree

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of its own, of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "freezer-test", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def fill(disk: Path) -> Path:
    path = disk / "filler"
    with path.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            return path


def test_a_lock_that_finds_no_space_leaves_the_old_one(
    locked: Project, small_disk: Path, tmp_path: Path
) -> None:
    project = locked.copy(small_disk / "project")
    project.spec(pip=["numpy", "six"])
    before = tree(project.folder)
    filler = fill(small_disk)
    said = project.freeze("lock").failed(2, "no space left", str(project.lock_file.parent))
    assert said.out == ""
    assert tree(project.folder) == before
    filler.unlink()
    project.freeze("lock").good()
    assert "six" in {package.name for package in project.lock.pip}


def test_a_reference_that_finds_no_space_is_none(
    built: Project, small_disk: Path, tmp_path: Path
) -> None:
    project = built.copy(small_disk / "project")
    filler = fill(small_disk)
    project.freeze("check").failed(2, "no space left", str(project.lock_file.parent))
    assert project.references == []
    filler.unlink()
    project.freeze("check").good()


def test_a_rendering_that_finds_no_space_leaves_nothing(built: Project, small_disk: Path) -> None:
    target = small_disk / "context"
    built.freeze("build", "--render-only", str(target)).failed(2, "no space left", str(small_disk))
    assert list(small_disk.iterdir()) == []


# The Debian packages' layer is saved, and then written in canonical form: 45 MB each.
CANONICALISING = (MADE, (30 << 20, 70 << 20), False)
LINKING = (LINKED, (1 << 20, 60 << 20), True)


@pytest.mark.parametrize(("without", "spaces", "installed"), [CANONICALISING, LINKING])
def test_a_build_goes_on_where_the_disk_was_full(
    untagged: Project,
    engine: Engine,
    image: ImageInfo,
    small_disk: Path,
    without: tuple[str, ...],
    spaces: tuple[int, ...],
    installed: bool,
) -> None:
    held = sum(path.stat().st_size for path in untagged.store.rglob("*") if path.is_file())
    resize(small_disk, 2 * held)
    project = untagged.with_store(small_disk / "store", without=without)
    used = shutil.disk_usage(small_disk).used
    for space in spaces:
        resize(small_disk, used + space)
        said = project.freeze("build", project.name)
        said.failed(2, "no space left", str(project.store))
        layers = list((project.store / "memos/system-layer").rglob("*/*"))
        assert bool(layers) == installed, "the disk was full at another stage"
        assert engine.image(f"{project.name}:latest") is None
        assert not list((project.store / "scratch").iterdir())
        assert not list((project.store / "partial").iterdir())
    resize(small_disk, used + (400 << 20))
    made = project.freeze("build", project.name, "--json").good().document
    assert made["image"] == image.id
