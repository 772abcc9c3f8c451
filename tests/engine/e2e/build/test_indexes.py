"""A private index: its password stays where it is, and its lies are found out."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.engine.interface import Engine
from tests.support.host.commands import Project, forget, tree
from tests.support.python.indexes import FakeIndex, serve

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

SECRET = "hunter2-is-no-password"


@pytest.fixture
def private() -> Iterator[FakeIndex]:
    index = FakeIndex(password=SECRET)
    index.add("freezer-secret-package", "1.0", members={"freezer_secret.py": b"VALUE = 1\n"})
    with serve(index) as served:
        yield served


@pytest.fixture
def project(locked: Project, private: FakeIndex, tmp_path: Path) -> Project:
    """Return a project that takes one more package from the private index."""
    made = locked.with_store(tmp_path / "store").copy(tmp_path / "project", tmp_path / "store")
    extra = f"--extra-index-url {private.with_credentials()}"
    (made.folder / "reqs.txt").write_text(f"{extra}\nnumpy\nfreezer-secret-package\n")
    made.spec(pip="reqs.txt")
    return made


def test_a_password_reaches_no_lock_no_layer_no_message(
    engine: Engine, project: Project, tmp_path: Path
) -> None:
    said = [project.freeze("-v", "lock"), project.freeze("-v", "build")]
    assert [one.code for one in said] == [0, 0], said
    image = engine.image(f"{project.name}:{project.lock_id[:12]}")
    assert image is not None
    try:
        assert all(SECRET not in one.out + one.err for one in said)
        held = tree(project.lock_file.parent)
        assert all(SECRET.encode() not in data for data in held.values())
        assert SECRET not in str(image)
        layers = 0
        for _, layer in engine.layer_tars(image.id, 1, scratch=tmp_path):
            layers += 1
            with tarfile.open(fileobj=layer) as archive:
                for member in archive:
                    stream = archive.extractfile(member) if member.isreg() else None
                    if stream is not None and member.size < 1 << 20:
                        assert SECRET.encode() not in stream.read(), member.name
        assert layers >= 3
        # What the store keeps of locking must not keep it either.
        memos = (path for path in (project.store / "memos").rglob("*") if path.is_file())
        assert all(SECRET.encode() not in path.read_bytes() for path in memos)
    finally:
        forget(engine, image)


def test_a_password_that_is_refused_is_not_shown(project: Project, private: FakeIndex) -> None:
    private.password = "another"
    refused = project.freeze("-v", "lock")
    refused.failed(2)
    assert SECRET not in refused.out + refused.err


def test_an_index_that_lies_about_a_hash_is_found_out(project: Project, private: FakeIndex) -> None:
    private.files["freezer-secret-package"][0].lie = "0" * 64
    project.freeze("lock")
    before = tree(project.lock_file.parent)
    outcome = project.freeze("build")
    outcome.failed(2, "is not the file that was locked", "0" * 64)
    assert SECRET not in outcome.out + outcome.err
    assert tree(project.lock_file.parent) == before


def test_a_file_that_was_replaced_after_locking_is_refused(
    project: Project, private: FakeIndex
) -> None:
    project.freeze("lock").good()
    private.files["freezer-secret-package"].clear()
    private.add("freezer-secret-package", "1.0", members={"freezer_secret.py": b"VALUE = 2\n"})
    project.freeze("build").failed(2, "another hash than the locked one")


def test_a_file_that_is_gone_is_named(project: Project, private: FakeIndex) -> None:
    project.freeze("lock").good()
    private.files.clear()
    project.freeze("fetch").failed(1, "no longer at any source", "freezer_secret_package-1.0")
