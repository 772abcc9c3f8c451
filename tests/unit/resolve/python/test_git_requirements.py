"""Requirements from git: read as pip reads them, and resolved without an index taking their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from freezer.errors import SpecError, Where
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lock import PipPackage
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.git.requirement import parse_git
from freezer.resolve.python.git.stand_ins import GitWheel, from_git, wheel_metadata, with_git
from freezer.resolve.python.requirements.gather import gather
from freezer.resolve.python.resolve import resolve_pip
from tests.support.project.asking import request
from tests.support.python.indexes import sha256, wheel
from tests.support.python.uv_resolving import cache, index, pins, store

__all__ = ["cache", "index", "store"]
WHERE = Where("r.txt", 1)


@pytest.mark.parametrize(
    ("text", "url", "revision", "subdirectory", "name", "extras"),
    [
        ("x @ git+https://h.example/a/x.git@v1", "https://h.example/a/x.git", "v1", None, "x", ()),
        ("X_y[b,a] @ git+https://h.example/x", "https://h.example/x", None, None, "x-y", ("a", "b")),
        ("git+https://h.example/x.git", "https://h.example/x.git", None, None, None, ()),
        ("git+https://h.example/x.git@main#egg=X.y", "https://h.example/x.git", "main", None, "x-y", ()),
        ("git+https://h.example/x@a/b#subdirectory=py/x&egg=z[q]", "https://h.example/x", "a/b", "py/x", "z", ()),
        ("x @ git+https://me:p@h.example/x.git@v1 ; python_version > '3'", "https://me:p@h.example/x.git", "v1", None, "x", ()),
        ("git+http://127.0.0.1:80/x.git@v1 ; os_name == 'posix'", "http://127.0.0.1:80/x.git", "v1", None, None, ()),
    ],
)  # fmt: skip
def test_forms(
    text: str, url: str, revision: str | None, subdirectory: str | None, name: str | None,
    extras: tuple[str, ...],
) -> None:  # fmt: skip
    found = parse_git(text, WHERE)
    assert found is not None
    assert (found.url, found.revision, found.subdirectory) == (url, revision, subdirectory)
    assert (found.name, found.extras) == (name, extras)


@pytest.mark.parametrize("text", ["x", "x @ https://h.example/x.whl", "git+ssh://git@h.example/x"])
def test_others_are_none(text: str) -> None:
    assert parse_git(text, WHERE) is None


@pytest.mark.parametrize(
    "text", ["git+https://h.example/x@-v", "git+https://h.example/x#subdirectory=../y"]
)
def test_what_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="cannot be used"):
        parse_git(text, WHERE)


def test_editable_ones_are_taken_as_wheels(tmp_path: Path) -> None:
    line = "-e git+https://h.example/x.git@main#egg=x"
    (tmp_path / "r.txt").write_text(f"{line}\ngit+https://h.example/y ; os_name == 'nt'\n")
    found = gather(tmp_path, PipSpec(files=("r.txt",)))
    assert [item.name for item in found.git] == ["x"]
    assert "not to be edited" in found.warnings[0]


def test_other_kinds_stay_refused(tmp_path: Path) -> None:
    for line in ("git+ssh://git@h.example/x.git", "hg+https://h.example/x", "-e ."):
        (tmp_path / "r.txt").write_text(f"{line}\n")
        with pytest.raises(SpecError):
            gather(tmp_path, PipSpec(files=("r.txt",)))


def built(store: Store, name: str, version: str, requires: list[str]) -> GitWheel:
    data = wheel(name, version, requires, extras={"more": ["extra"]})
    digest = store.put_bytes(data)
    real, found, metadata = wheel_metadata(store.verified(digest), "x.whl")
    package = PipPackage(
        source="git", file=f"{name}-{version}-py3-none-any.whl", size=len(data), sha256=sha256(data),
        name=real, version=found, url="https://h.example/x.git", commit="1" * 40, reason="built",
    )  # fmt: skip
    git = parse_git(f"{name}[more] @ git+https://h.example/x.git", WHERE)
    assert git is not None
    return GitWheel(git, package, metadata)


@pytest.mark.process
@pytest.mark.parametrize(
    "body", [b"", b"\n", b"\n\nVersion: 3\n\nlong\n", b"\r\n\r\nVersion: 3\r\n"]
)
def test_no_index_takes_the_place_of_a_package_from_git(  # type: ignore[no-untyped-def]
    index, store: Store, body: bytes
) -> None:
    index.add("mine", "1.2", ["stranger"])
    index.add("mine", "9.9", ["stranger"])
    for name in ("pip", "base", "extra", "stranger", "plugin"):
        index.add(name, requires=["mine>=1"] if name == "plugin" else [])
    made = built(store, "mine", "1.2", ["base"])
    wheels = [replace(made, metadata=made.metadata.strip() + body)]
    with with_git(request(index.simple, "plugin"), wheels, store) as asking:
        found = resolve_pip(asking, "uv", store=store, report=SilentReporter())
    answer = from_git(found, wheels)
    assert pins(answer) == {
        "mine": "1.2",
        "base": "1.0",
        "extra": "1.0",
        "plugin": "1.0",
        "pip": "1.0",
    }
    mine = next(item for item in answer.packages if item.name == "mine")
    assert (mine.source, mine.commit, mine.sha256) == ("git", "1" * 40, wheels[0].package.sha256)
    assert mine.requires == ("base", "extra")
    assert mine.reason == "asked for in r.txt:1"
    assert Requirement("mine>=1").specifier.contains("1.2+git111111111111")
