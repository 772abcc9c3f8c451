"""What an image says of its files: all of them, or that the rest is as it was said to be."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from freezer.image.verify import Expected, rest_digest
from freezer.inside.freezer_inside import verify as inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "env"
    (folder / "lib").mkdir(parents=True)
    for name in ("a.py", "lib/b.py", "lib/ü.so"):
        (folder / name).write_bytes(name.encode())
        (folder / name).chmod(0o644)
    (folder / "python").symlink_to("/usr/bin/python3")
    return folder


def expected(root: Path) -> dict[str, Expected]:
    """Return what a host expects of a folder."""
    found = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            found[str(path)] = Expected("link", str(path.readlink()), 0o777, 0)
        elif path.is_file():
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            found[str(path)] = Expected("file", sha256, 0o644, len(data))
    return found


def test_all_files_are_listed_and_hashed(root: Path) -> None:
    found, left_out = inside.files([str(root)])
    assert not left_out
    assert {path: facts[1] for path, facts in found.items()} == {
        path: fact.content for path, fact in expected(root).items()
    }


@pytest.mark.parametrize("hashed", [set(), {"a.py"}, {"a.py", "lib/b.py"}], ids=len)
def test_the_rest_is_left_out_where_both_sides_have_one_digest(
    root: Path, hashed: set[str]
) -> None:
    paths = {str(root / name) for name in hashed}
    rest = rest_digest(expected(root), paths)
    found, left_out = inside.files([str(root)], paths, rest)
    assert left_out
    assert found.keys() == paths


CHANGES = {
    "more": lambda root: (root / "more").write_text("x"),
    "fewer": lambda root: (root / "lib/b.py").unlink(),
    "size": lambda root: (root / "lib/b.py").write_text("longer than before"),
    "mode": lambda root: (root / "lib/b.py").chmod(0o4755),
    "link": lambda root: ((root / "python").unlink(), (root / "python").symlink_to("/bin/true")),
    "kind": lambda root: ((root / "lib/b.py").unlink(), os.mkfifo(root / "lib/b.py")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_the_rest_has_it_listed(root: Path, change: str) -> None:
    paths = {str(root / "a.py")}
    rest = rest_digest(expected(root), paths)
    CHANGES[change](root)
    found, left_out = inside.files([str(root)], paths, rest)
    assert not left_out
    assert found.keys() == {str(path) for path in root.rglob("*") if not path.is_dir()}
