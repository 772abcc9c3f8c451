"""What a source distribution's build declares that it needs."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from freezer.errors import IntegrityError, ResolveError
from freezer.resolve.python.sdist import build_request, declared_requires
from tests.support.project.asking import asked, request
from tests.support.python.indexes import sdist

FILE = "a-1.0.tar.gz"


def declared(tmp_path: Path, data: bytes, file: str = FILE) -> tuple[str, ...]:
    (tmp_path / "blob").write_bytes(data)
    return declared_requires(tmp_path / "blob", file)


def test_what_is_declared(tmp_path: Path) -> None:
    text = '[build-system]\nrequires = ["setuptools>=61", "numpy; python_version>\'3\'"]\n'
    assert declared(tmp_path, sdist("a", pyproject=text)) == (
        "setuptools>=61",
        "numpy; python_version>'3'",
    )


@pytest.mark.parametrize("text", [None, "[project]\nname = 'a'\n"])
def test_what_pip_takes_where_nothing_is_declared(tmp_path: Path, text: str | None) -> None:
    assert declared(tmp_path, sdist("a", pyproject=text)) == ("setuptools>=40.8.0", "wheel")


def test_a_build_may_need_nothing(tmp_path: Path) -> None:
    assert declared(tmp_path, sdist("a", pyproject="[build-system]\nrequires = []\n")) == ()


def test_a_zip_and_a_project_within(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a-1.0/examples/pyproject.toml", '[build-system]\nrequires = ["x"]\n')
        archive.writestr("a-1.0/pyproject.toml", '[build-system]\nrequires = ["y"]\n')
    assert declared(tmp_path, target.getvalue(), "a-1.0.zip") == ("y",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[build-system", "not valid TOML"),
        ("[build-system]\n", "without a list"),
        ('[build-system]\nrequires = "x"\n', "without a list"),
        ("[build-system]\nrequires = [1]\n", "without a list"),
        ("build-system = 1\n", "without a list"),
    ],
)
def test_declarations_that_mean_nothing(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ResolveError, match=message) as caught:
        declared(tmp_path, sdist("a", pyproject=text))
    assert str(caught.value.where).startswith("a-1.0.tar.gz/pyproject.toml")


@pytest.mark.parametrize("file", [FILE, "a-1.0.zip"])
@pytest.mark.parametrize(
    "data", [b"", b"junk" * 500, sdist("a")[:60]], ids=["empty", "junk", "cut off"]
)
def test_archives_that_cannot_be_read(tmp_path: Path, file: str, data: bytes) -> None:
    with pytest.raises(IntegrityError, match="is not a readable archive"):
        declared(tmp_path, data, file)


def test_a_declaration_of_absurd_size(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="is not a readable archive"):
        declared(tmp_path, sdist("a", pyproject="#" * ((1 << 20) + 1)))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        info = tarfile.TarInfo("a-1.0/pyproject.toml")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    assert declared(tmp_path, target.getvalue()) == ("setuptools>=40.8.0", "wheel")


def test_a_build_is_an_environment_of_its_own() -> None:
    whole = request(
        "http://127.0.0.1:9/simple",
        "a",
        constraints=(asked("setuptools<60"),),
        keep={"setuptools": "59"},
        allow_sdist=frozenset({"a"}),
    )
    found = build_request(whole, ["setuptools>=61"], FILE)
    assert [str(item.requirement) for item in found.requirements] == ["setuptools>=61"]
    assert (found.constraints, dict(found.keep), found.allow_sdist) == ((), {}, frozenset())
    assert (found.as_of, found.target, found.indexes) == (whole.as_of, whole.target, whole.indexes)


@pytest.mark.parametrize("text", ["not a requirement", "x @ https://h/x.whl"])
def test_needs_that_cannot_be_locked(text: str) -> None:
    with pytest.raises(ResolveError):
        build_request(request(None, "a"), [text], FILE)
