"""A rendered context: what a plain ``docker build`` makes of it holds what the lock says."""

import re
import shutil
import signal
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, RunOptions
from freezer.fetch.store.store import Store
from freezer.image.assemble.assemble import assemble
from freezer.image.base import ensure_base
from freezer.image.verify import take_account, verify
from tests.support.debian.bases import SILENT
from tests.support.host.commands import Project, die, outcome, tree

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.fixture(scope="module")
def context(stepped: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("render") / "context"
    said = stepped.freeze("build", "--render-only", str(folder), "--json").good().document
    assert said["context"] == str(folder)
    assert said["bytes"] == sum(len(data) for data in tree(folder).values())
    return folder


def test_a_plain_build_of_it_holds_what_the_lock_says(
    stepped: Project, context: Path, engine: Engine
) -> None:
    lock, store = stepped.lock, Store(stepped.store)
    base = ensure_base(lock, engine=engine, store=store, report=SILENT)
    parts = assemble(lock, stepped.lock_id, base, engine=engine, store=store, report=SILENT)
    made = engine.build(context, report=SILENT)
    try:
        verify(lock, take_account(engine, made), parts.expected, more=parts.distributions)
        found = engine.image(made)
        assert found is not None
        assert found.labels["org.freezer.lock-id"] == stepped.lock_id
        assert dict(found.environment).items() >= lock.environment.items()
        assert found.user == "1000:1000"
        code = "import numpy; print(numpy.__version__)"
        ran = engine.run(made, ["python", "-c", code], RunOptions())
        numpy = next(package for package in lock.pip if package.name == "numpy")
        assert ran.stdout.decode().strip() == numpy.version
        ran = engine.run(made, ["cat", "/opt/data/told"], RunOptions())
        assert ran.stdout == b"numpy /opt/env 1234\n"
    finally:
        engine.remove_image(made)


def test_it_is_the_same_every_time(stepped: Project, context: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    stepped.freeze("build", "--render-only", str(again)).good()
    assert tree(again) == tree(context)


def test_no_step_of_it_needs_a_network_or_knows_a_host(context: Path) -> None:
    texts = [path for path in context.rglob("*") if path.suffix not in (".tar", ".deb")]
    said = b"".join(path.read_bytes() for path in texts if path.is_file())
    assert b"FROM scratch" in said
    assert b"#   cp words.txt /opt/data/\n" in said
    assert not re.search(rb"https?://|apt-get update|pip install|curl|wget", said)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_is_there_already_is_left_alone(built: Project, tmp_path: Path, what: str) -> None:
    target = tmp_path / "there"
    if what == "folder":
        target.mkdir()
        (target / "notes").write_text("mine")
    else:
        target.write_text("mine")
    built.freeze("build", "--render-only", str(target)).failed(2, str(target), "not empty")
    assert list(tree(tmp_path).values()) == [b"mine"]


def test_an_empty_folder_is_as_good_as_none(
    stepped: Project, context: Path, tmp_path: Path
) -> None:
    target = tmp_path / "empty"
    target.mkdir()
    stepped.freeze("build", "--render-only", str(target)).good()
    assert tree(target) == tree(context)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_rendering_leaves_no_context(
    stepped: Project, context: Path, tmp_path: Path, by: int
) -> None:
    target = tmp_path / "context"
    ended = outcome(die(stepped, target.name, "build", "--render-only", str(target), by=by))
    assert ended.code == (130 if by == signal.SIGTERM else -by)
    assert not target.exists()
    if by == signal.SIGTERM:
        assert list(tmp_path.iterdir()) == []
    stepped.freeze("build", "--render-only", str(target)).good()
    assert tree(target) == tree(context)
    assert list(tmp_path.iterdir()) == [target]
    shutil.rmtree(target)
