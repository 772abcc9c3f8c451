"""A conda package's own list of files, compared with its contents.

``info/paths.json`` (CEP 34, https://conda.org/learn/ceps/cep-0034), or in packages from before 2017
``info/files`` and ``info/has_prefix``.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from freezer.image.conda.archive import refused_conda, safe_path
from freezer.model.base import Sha256

if TYPE_CHECKING:
    from freezer.image.conda.archive import CondaArchive

_OLD_PLACEHOLDER = "/opt/anaconda1anaconda2anaconda3"
"""The placeholder of ``has_prefix`` lines that only name a file."""


class Listed(BaseModel):
    """One entry: a path below the prefix, and how to link it."""

    model_config = ConfigDict(frozen=True)

    path: str
    sha256: Sha256 | None = None
    """SHA-256 of the packed file; None when the package has none."""
    placeholder: str = ""
    """The prefix that it was built at; empty when it contains none."""
    binary: bool = False
    folder: bool = False
    """An empty folder, not a file."""


@dataclass(frozen=True)
class About:
    """A package's metadata on itself."""

    paths: tuple[Listed, ...]
    """Sorted by path."""
    noarch_python: bool
    """Whether its modules go into the site-packages of the environment's Python."""
    entry_points: tuple[str, ...]
    """``command = module:function``, of noarch packages only."""


def read_about(archive: CondaArchive) -> About:
    """Return a package's metadata. Raises ``IntegrityError`` when it is inconsistent."""
    index = _document(archive, "info/index.json")
    _require_same(archive, index)
    noarch = index.get("noarch") == "python"
    link = _document(archive, "info/link.json") if noarch else {}
    about = link.get("noarch")
    points = about.get("entry_points") if isinstance(about, dict) else ()
    if not isinstance(points or (), list | tuple):
        raise refused_conda(archive.package, "its link.json lists no entry points")
    return About(_paths(archive), noarch, tuple(str(point) for point in points or ()))


def _require_same(archive: CondaArchive, index: dict[str, Any]) -> None:
    package = archive.package
    found = (index.get("name"), str(index.get("version")), index.get("build"))
    if found != (package.name, package.version, package.build):
        wanted = f"{package.name} {package.version} {package.build}"
        raise refused_conda(package, f"its metadata has {' '.join(map(str, found))}, not {wanted}")


def _paths(archive: CondaArchive) -> tuple[Listed, ...]:
    known = "info/paths.json" in archive.members
    try:
        found = _new_paths(archive) if known else _old_paths(archive)
    except (ValidationError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise refused_conda(archive.package, f"its list of files is unreadable ({error})") from None
    names = {item.path for item in found}
    if len(names) != len(found):
        raise refused_conda(archive.package, "its list of files names one of them twice")
    for item in found:
        if item.folder:
            safe_path(item.path, archive.package)
        elif item.path not in archive.members or item.path.startswith("info/"):
            raise refused_conda(
                archive.package, f"it lists {item.path!r}, which is none of its files"
            )
    return tuple(sorted(found, key=lambda item: item.path.encode()))


def _new_paths(archive: CondaArchive) -> list[Listed]:
    document = _document(archive, "info/paths.json")
    return [
        Listed(
            path=entry["_path"],
            sha256=entry.get("sha256"),
            placeholder=entry.get("prefix_placeholder") or "",
            binary=entry.get("file_mode") == "binary",
            folder=entry.get("path_type") == "directory",
        )
        for entry in document["paths"]
    ]


def _old_paths(archive: CondaArchive) -> list[Listed]:
    prefixes: dict[str, tuple[str, bool]] = {}
    for line in (archive.text("info/has_prefix") or "").splitlines():
        words = shlex.split(line)
        if len(words) == 3:
            prefixes[words[2]] = (words[0], words[1] == "binary")
        elif words:
            prefixes[" ".join(words)] = (_OLD_PLACEHOLDER, False)
    listed = (archive.text("info/files") or "").splitlines()
    return [
        Listed(
            path=path,
            placeholder=prefixes.get(path, ("", False))[0],
            binary=prefixes.get(path, ("", False))[1],
        )
        for path in map(str.strip, listed)
        if path
    ]


def _document(archive: CondaArchive, name: str) -> dict[str, Any]:
    text = archive.text(name)
    try:
        document = json.loads(text) if text is not None else {}
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise refused_conda(archive.package, f"its {name} is unreadable")
    return document
