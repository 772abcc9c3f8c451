"""Links a conda package: where its files go, with which contents. Executes nothing.

The rules are conda's (its ``core/path_actions.py``) and rattler's; the implementation is Freezer's
own, because an image may not change with a library's release. Bytecode in packages is left out: it
is tied to the time of its source, and is compiled again.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from freezer.image.conda.archive import refused_conda
from freezer.image.conda.prefix import in_binary, in_text, runnable
from freezer.image.layout import in_test_suite
from freezer.image.tar.canonical import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.image.conda.archive import CondaArchive, Member
    from freezer.image.conda.paths import About, Listed
    from freezer.image.wheel.install import Layout

_SCRIPT = """\
{first}
# -*- coding: utf-8 -*-
import re
import sys

from {module} import {name}

if __name__ == '__main__':
\tsys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])
\tsys.exit({function}())
"""
_ENTRY_POINT = re.compile(
    r"(?P<command>[\w.+-]+)\s*=\s*(?P<module>[^\W\d][\w.]*)\s*:\s*(?P<function>[^\W\d][\w.]*)\Z"
)
_RECORD = re.compile(r"conda-meta/(?:[^/]+\.json|history)\Z")
_BYTECODE = re.compile(
    r"(?P<folder>(?:.*/)?)__pycache__/(?P<name>[^/]+)\.[\w-]+(?:\.opt-\d)?\.pyc\Z"
)


@dataclass(frozen=True)
class Linked:
    """One path that linking a package makes."""

    path: str
    """Relative to the prefix."""
    kind: str
    """conda's path type: ``hardlink``, ``softlink``, ``directory``, ``unix_python_entry_point``, or
    ``pyc_file`` for byte code, which is compiled later."""
    listed: Listed | None = None
    """Its entry in the package's metadata; None for files that linking creates."""
    member: Member | None = None
    script: bytes = b""
    """The content of an entry point."""


def link(archive: CondaArchive, about: About, layout: Layout, site_packages: str) -> list[Linked]:
    """Return the paths of a package, sorted; ``site_packages`` is relative to the prefix.

    Raises ``IntegrityError`` when a link leads out of the prefix, a file does not match the
    package's metadata, or two files have the same path.
    """
    linked: dict[str, Linked] = {}
    items = (
        *_files(archive, about, layout, site_packages),
        *_scripts(archive, about, layout),
    )
    for item in items:
        if item.path in linked:
            raise refused_conda(archive.package, f"two of its files have the path {item.path!r}")
        if _RECORD.match(item.path):
            raise refused_conda(archive.package, f"it contains {item.path!r}, which is conda's own")
        linked[item.path] = item
    return sorted(linked.values(), key=lambda item: item.path.encode())


def _files(
    archive: CondaArchive, about: About, layout: Layout, site_packages: str
) -> Iterator[Linked]:
    sources = {item.path for item in about.paths if item.path.endswith(".py")}
    for item in about.paths:
        path = _noarch_path(item.path, site_packages) if about.noarch_python else item.path
        if item.folder:
            yield Linked(path, "directory", item)
            continue
        if is_bytecode_of(item.path, sources):
            if not about.noarch_python and not in_test_suite(path):
                yield Linked(path, "pyc_file", item)
            continue
        yield _linked(archive, item, path)
        if about.noarch_python and _is_compiled(path, site_packages):
            yield Linked(_cached(path, layout.python), "pyc_file")


def _is_compiled(path: str, site_packages: str) -> bool:
    is_module = path.startswith(f"{site_packages}/") and path.endswith(".py")
    return is_module and not in_test_suite(path)


def _noarch_path(path: str, site_packages: str) -> str:
    """Return the path of a file of a noarch Python package."""
    folder, _, rest = path.partition("/")
    return (
        f"{ {'site-packages': site_packages, 'python-scripts': 'bin'}.get(folder, folder) }/{rest}"
    )


def is_bytecode_of(path: str, sources: set[str]) -> bool:
    """Return whether a path is the cached bytecode of one of some sources."""
    match = _BYTECODE.match(path)
    return match is not None and f"{match['folder']}{match['name']}.py" in sources


def _cached(path: str, python: str) -> str:
    folder, _, name = path.rpartition("/")
    tag = f"cpython-{python.replace('.', '')}"
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc"


def _linked(archive: CondaArchive, item: Listed, path: str) -> Linked:
    member = archive.members[item.path]
    if member.target is not None:
        _require_inside(archive, path, member.target)
    return Linked(path, "hardlink" if member.target is None else "softlink", item, member)


def _require_inside(archive: CondaArchive, path: str, target: str) -> None:
    leads = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if not target or target.startswith("/") or leads.split("/")[0] == ".." or "\0" in target:
        raise refused_conda(archive.package, f"{path!r} is a link out of it: {target!r}")


def _scripts(archive: CondaArchive, about: About, layout: Layout) -> Iterator[Linked]:
    for point in about.entry_points:
        match = _ENTRY_POINT.match(point.strip())
        if match is None:
            raise refused_conda(archive.package, f"its entry point {point!r} is not one")
        first = runnable(f"#!{layout.prefix}/bin/python{layout.python}".encode())
        data = _SCRIPT.format(
            first=first.decode(),
            module=match["module"],
            name=match["function"].split(".")[0],
            function=match["function"],
        ).encode()
        yield Linked(f"bin/{match['command']}", "unix_python_entry_point", script=data)


@contextmanager
def content(
    archive: CondaArchive, item: Linked, layout: Layout
) -> Iterator[tuple[Entry, IO[bytes]]]:
    """Return a path as a layer's member with its content.

    Raises ``IntegrityError`` for a file that cannot be relocated to the prefix.
    """
    place = f"{layout.root}/{item.path}"
    if item.kind == "directory":
        yield Entry(place, "dir", 0o755), io.BytesIO()
    elif item.member is None:
        yield Entry(place, "file", 0o755, len(item.script)), io.BytesIO(item.script)
    elif item.member.target is not None:
        yield Entry(place, "symlink", 0o777, target=item.member.target), io.BytesIO()
    else:
        mode = 0o755 if item.member.executable else 0o644
        with item.member.open() as stream:
            if item.listed is None or not item.listed.placeholder:
                yield Entry(place, "file", mode, item.member.size), stream
                return
            data = _replaced(archive, item.listed, stream.read(), layout)
        yield Entry(place, "file", mode, len(data)), io.BytesIO(data)


def _replaced(archive: CondaArchive, item: Listed, data: bytes, layout: Layout) -> bytes:
    require_hash(archive, item, hashlib.sha256(data).hexdigest())
    try:
        replace = in_binary if item.binary else in_text
        return replace(data, item.placeholder, layout.prefix)
    except ValueError as error:
        raise refused_conda(
            archive.package, f"{item.path!r} cannot be relocated: {error}"
        ) from error


def require_hash(archive: CondaArchive, item: Listed, found: str) -> None:
    """Compare a file with its package's metadata. Raises ``IntegrityError``."""
    if item.sha256 not in (None, found):
        raise refused_conda(archive.package, f"{item.path!r} does not match its paths.json")
