"""Markers that no tool can evaluate are errors wherever a marker is read, and no tracebacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.markers import Marker

from freezer.errors import FetchError, FreezerError, ResolveError
from freezer.fetch.python.settings import as_url
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.requirements.gather import gather
from freezer.resolve.python.requirements.known_target import KnownTarget

LINUX = {"sys_platform": "linux", "python_version": "3.11"}


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("sys_platform == 'linux'", True),
        ("python_version >= '3.12'", False),
        ("python_version === '3.11'", True),
    ],
)
def test_a_marker_holds_or_not(marker: str, holds: bool) -> None:
    assert marker_holds(Marker(marker), LINUX) is holds


def test_text_that_is_compared_as_a_version_is_an_error() -> None:
    with pytest.raises(ResolveError, match="cannot be evaluated"):
        marker_holds(Marker("sys_platform === 'linux'"), LINUX)


@pytest.mark.parametrize(
    "line", ["a ; sys_platform === 'linux'", "a @ git+https://h/a.git ; os_name === 'x'"]
)
def test_a_requirement_with_such_a_marker_ends_in_no_traceback(tmp_path: Path, line: str) -> None:
    (tmp_path / "r.txt").write_text(line + "\n")
    try:
        gather(tmp_path, PipSpec(files=("r.txt",)), known=KnownTarget())
    except FreezerError as error:
        assert "===" in str(error)  # noqa: PT017 - it may also be left to the resolver


def test_an_address_with_a_zero_byte_is_named() -> None:
    with pytest.raises(FetchError, match="neither an address nor a path"):
        as_url("\0://other.example/simple")
