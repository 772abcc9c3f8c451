"""``freeze export``: a standard lock that pip and uv install from, and that Freezer reads again."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uv
from packaging.pylock import Pylock

from freezer.errors import ArtifactGoneError, IntegrityError
from freezer.flows.image.pylock import export_pylock
from freezer.flows.project.project import Project
from freezer.model.exports.pylock import pylock_text
from freezer.model.lock import Lock, PipPackage
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from freezer.resolve.python.takeover.pylock import read_pylock
from tests.support.host.hosts import make_host
from tests.support.project.asking import host_target
from tests.support.project.locks import make_lock
from tests.support.python.indexes import FakeIndex, File, serve, sha256


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        yield served


def package(file: File, name: str, *, requires: tuple[str, ...] = (), **more: str) -> PipPackage:
    return PipPackage(
        **{"source": "pypi", **more}, file=file.name, size=len(file.data), sha256=sha256(file.data),
        name=name, version="1.0", requires=requires, reason="x",
    )  # fmt: skip


@pytest.fixture
def lock(index: FakeIndex) -> Lock:
    top, base, direct = index.add("top", requires=["base"]), index.add("base"), index.add("direct")
    return make_lock(
        target=host_target(),
        pip=(
            package(base, "base"),
            package(direct, "direct", source="url", url=f"{index.url}/files/{direct.name}"),
            package(top, "top", requires=("base",)),
        ),
    )


def opened(folder: Path, index: FakeIndex, lock: Lock, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.simple)
    project = make_host(folder, "nowhere").opened
    place = project.root / "lockfiles" / lock.name
    place.mkdir(parents=True)
    (place / LOCK_FILE).write_bytes(lock_bytes(lock))
    return project


@pytest.fixture
def text(tmp_path: Path, index: FakeIndex, lock: Lock, monkeypatch: pytest.MonkeyPatch) -> str:
    return export_pylock(opened(tmp_path, index, lock, monkeypatch), "demo")


@pytest.mark.process
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_pip_and_uv_install_from_it(tmp_path: Path, text: str, tool: str) -> None:
    (tmp_path / "pylock.toml").write_text(text)
    target = tmp_path / "target"
    command = {
        "pip": [sys.executable, "-m", "pip", "install", "--no-cache-dir"],
        "uv": [uv.find_uv_bin(), "pip", "install", "--no-cache", "--python", sys.executable],
    }[tool]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    done = subprocess.run(
        [*command, "-r", "pylock.toml", "--target", str(target)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names = {path.name for path in target.glob("*.dist-info")}
    assert names == {f"{name}-1.0.dist-info" for name in ("top", "base", "direct")}


@pytest.mark.process
def test_other_bytes_are_refused_by_pip(tmp_path: Path, text: str, index: FakeIndex) -> None:
    index.files["base"][0].data = index.files["top"][0].data
    (tmp_path / "pylock.toml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-cache-dir", "-r", "pylock.toml",
         "--target", str(tmp_path / "target")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0


def test_it_is_valid_and_for_this_target_alone(text: str, lock: Lock) -> None:
    document = Pylock.from_dict(tomllib.loads(text))
    assert [item.name for item in document.packages] == ["base", "direct", "top"]
    assert document.packages[2].dependencies == [{"name": "base"}]
    assert str(document.requires_python) == f"=={lock.target.python.minor}.*"


def test_freezer_reads_back_what_it_wrote(text: str, lock: Lock) -> None:
    pins = read_pylock(text, "pylock.toml", (), ()).pins(lock.target)
    assert [(item.pin.name, item.pin.version, item.requires) for item in pins] == [
        ("base", "1.0", None), ("direct", "1.0", None), ("top", "1.0", ("base",)),
    ]  # fmt: skip
    found = [(i.pin.direct or i.pin.wheels[0]) for i in pins]
    assert [(file.sha256, file.size) for file in found] == [(i.sha256, i.size) for i in lock.pip]


def test_no_password_of_an_index_is_written(
    tmp_path: Path, index: FakeIndex, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.password = "hunter2"
    project = opened(tmp_path, index, lock, monkeypatch)
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.with_credentials())
    assert "hunter2" not in export_pylock(project, "demo")


def test_what_no_index_has_is_named(
    tmp_path: Path, index: FakeIndex, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    del index.files["base"]
    with pytest.raises(ArtifactGoneError) as caught:
        export_pylock(opened(tmp_path, index, lock, monkeypatch), "demo")
    assert caught.value.details == ("base-1.0-py3-none-any.whl",)


def test_an_index_with_other_bytes_is_refused(
    tmp_path: Path, index: FakeIndex, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.files["base"][0].lie = "f" * 64
    with pytest.raises(IntegrityError, match="another hash"):
        export_pylock(opened(tmp_path, index, lock, monkeypatch), "demo")


def test_git_and_source_distributions(lock: Lock) -> None:
    one = lock.pip[0].model_copy(
        update={"source": "git", "url": "https://h.example/x.git", "commit": "1" * 40,
                "file": "base-1.0.tar.gz", "subdirectory": "py"}
    )  # fmt: skip
    two = lock.pip[2].model_copy(update={"file": "top-1.0.tar.gz"})
    text = pylock_text(
        lock.model_copy(update={"pip": (one, two)}),
        {two.sha256: "https://h.example/top-1.0.tar.gz"},
    )
    first, second = Pylock.from_dict(tomllib.loads(text)).packages
    assert first.vcs is not None
    assert (first.vcs.commit_id, first.vcs.subdirectory) == ("1" * 40, "py")
    assert second.sdist is not None
    assert replace(second.sdist) == second.sdist
