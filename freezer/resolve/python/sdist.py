"""Build requirements of a source distribution, read without running its code.

Only the declared ones (``[build-system] requires``) are locked. A build backend may request more at
run time (``get_requires_for_build_wheel``); finding those would mean running the package's code
here, outside the container where it is built.
"""

from __future__ import annotations

import tarfile
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from freezer.errors import IntegrityError, ResolveError, Where
from freezer.fetch.http.zip_errors import zip_errors
from freezer.model.parsing import TomlError, parse_toml
from freezer.resolve.python.interface import PipRequirement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.resolve.python.interface import PipRequest

_DEFAULT = ("setuptools>=40.8.0", "wheel")
"""pip's default when a project declares nothing (PEP 518)."""
_LIMIT = 1 << 20
"""Maximum bytes of a pyproject.toml."""
_MEMBERS = 200_000


def build_request(request: PipRequest, requires: Sequence[str], file: str) -> PipRequest:
    """Return the request for build requirements: wheels only, same indexes and cut-off.

    Constraints and pins of the environment do not apply: the build has an environment of its own.
    """
    where = Where(f"{file}/pyproject.toml", key="build-system.requires")
    needed = tuple(PipRequirement(_requirement(text, where), where) for text in requires)
    links = tuple(url for url in request.indexes.find_links if url != request.stand_ins)
    return replace(
        request,
        requirements=needed,
        constraints=(),
        overrides=(),
        keep={},
        allow_sdist=frozenset(),
        indexes=replace(request.indexes, find_links=links),
        stand_ins=None,
        provided={},
    )


def declared_requires(archive: Path, file: str) -> tuple[str, ...]:
    """Return the declared build requirements of a source distribution.

    ``file`` is its name on the index. Raises ``IntegrityError`` for an archive that cannot be read,
    ``ResolveError`` for a malformed ``pyproject.toml``.
    """

    def refused(why: str) -> IntegrityError:
        return IntegrityError(f"{file} is not a readable archive", found=why)

    try:
        with zip_errors(refused):
            data = _zipped(archive) if file.endswith(".zip") else _tarred(archive)
    except (OSError, tarfile.TarError) as error:
        raise refused(str(error) or type(error).__name__) from error
    return parse_requires(data, file)


def parse_requires(data: bytes | None, file: str) -> tuple[str, ...]:
    """Return the build requirements in a ``pyproject.toml``; None: there is no such file.

    Raises ``ResolveError`` for a malformed one.
    """
    if data is None:
        return _DEFAULT
    where = Where(f"{file}/pyproject.toml")
    try:
        table = parse_toml(data.decode()).get("build-system")
    except (TomlError, UnicodeDecodeError) as error:
        raise ResolveError("not valid TOML", where=where, found=str(error)) from error
    if table is None:
        return _DEFAULT
    requires = table.get("requires") if isinstance(table, dict) else None
    if not isinstance(requires, list) or not all(isinstance(item, str) for item in requires):
        raise ResolveError(
            "[build-system] without a list `requires`",
            where=where,
            hint="no standard tool can build the package; choose another version",
        )
    return tuple(requires)


def _requirement(text: str, where: Where) -> Requirement:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ResolveError("not a requirement", where=where, found=text) from error
    if requirement.url:
        raise ResolveError(
            "the build requires a file that is on no index",
            where=where,
            found=f"{requirement.name} from an address",
            hint="choose another version of the package",
        )
    return requirement


def _is_ours(name: str) -> bool:
    """Return whether a member is the project's own: in the single top-level folder."""
    parts = name.removeprefix("./").split("/")
    return len(parts) == 2 and parts[1] == "pyproject.toml"


def _tarred(archive: Path) -> bytes | None:
    with tarfile.open(archive) as tar:
        for number, member in enumerate(tar):
            if number > _MEMBERS:
                break
            if member.isreg() and _is_ours(member.name):
                stream = tar.extractfile(member)
                return _bounded(stream.read(_LIMIT + 1)) if stream else None
    return None


def _zipped(archive: Path) -> bytes | None:
    with zipfile.ZipFile(archive) as zipped:
        for name in zipped.namelist():
            if _is_ours(name):
                with zipped.open(name) as stream:
                    return _bounded(stream.read(_LIMIT + 1))
    return None


def _bounded(data: bytes) -> bytes:
    if len(data) > _LIMIT:
        msg = f"its pyproject.toml has more than {_LIMIT} bytes"
        raise ValueError(msg)
    return data
