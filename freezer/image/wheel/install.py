"""Installs a wheel: where its members go, by pip's rules, without executing anything.

Rules: https://packaging.python.org/specifications/binary-distribution-format/ and
https://packaging.python.org/specifications/recording-installed-packages/. Scripts have a fixed form
of Freezer's own, because an image's bytes may not depend on a library's release.
"""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from installer.utils import parse_entrypoints

from freezer.image.hashing import HashingReader
from freezer.image.tar.canonical import Entry
from freezer.image.wheel.archive import Wheel, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zipfile import ZipInfo

_SCRIPT = """\
#!{python}
# -*- coding: utf-8 -*-
import re
import sys
from {module} import {name}
if __name__ == "__main__":
    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])
    sys.exit({function}())
"""
_FIRST_LINE = len("#!python")
"""Bytes of a script that tell one of Python's from a program."""
_SHEBANG = re.compile(rb"#!pythonw?[^\r\n]*")
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
_SCRIPT_NAME = re.compile(r"[\w.+-]+\Z")
_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})


@dataclass(frozen=True)
class Layout:
    """An environment's prefix and Python version."""

    prefix: str
    """Absolute, such as ``/opt/env``."""
    python: str
    """Minor version, such as ``3.11``."""

    @property
    def root(self) -> str:
        """The prefix as a path in a layer."""
        return self.prefix.strip("/")

    @property
    def interpreter(self) -> str:
        """The interpreter in the first line of scripts."""
        return f"{self.prefix}/bin/python"

    @property
    def site_packages(self) -> str:
        """The folder of modules, relative to the prefix."""
        return f"lib/python{self.python}/site-packages"


@dataclass(frozen=True)
class Placed:
    """One file that installing a wheel creates."""

    path: str
    """Relative to the prefix."""
    size: int
    executable: bool
    open: Callable[[], HashingReader]
    """Opens the content; its end raises ``IntegrityError`` when it differs from RECORD."""

    def entry(self, layout: Layout) -> Entry:
        """Return the file as a layer's member."""
        mode = 0o755 if self.executable else 0o644
        return Entry(f"{layout.root}/{self.path}", "file", mode, self.size)


def install(wheel: Wheel, layout: Layout) -> list[Placed]:
    """Return the files of a wheel except for its RECORD, by path.

    Raises ``IntegrityError`` when a member would be outside of the environment, or two have the
    same path.
    """
    placed = {item.path: item for item in _members(wheel, layout)}
    scripts = {item.path: item for item in _entry_points(wheel, layout)}
    extra = {item.path: item for item in _marks(wheel, layout)}
    return sorted((placed | scripts | extra).values(), key=lambda item: item.path.encode())


def record(wheel: Wheel, layout: Layout, rows: list[tuple[str, str, int]]) -> Placed:
    """Return the RECORD of the files that were written: ``(path, sha256 hex, size)`` of each."""
    own = f"{layout.site_packages}/{wheel.dist_info}/RECORD"
    depth = layout.site_packages.count("/") + 1
    lines = []
    for path, sha256, size in rows:
        inside = path.startswith(f"{layout.site_packages}/")
        name = path.removeprefix(f"{layout.site_packages}/") if inside else "../" * depth + path
        lines.append(f"{_csv(name)},sha256={_base64(bytes.fromhex(sha256))},{size}\n")
    lines.append(f"{_csv(own.removeprefix(f'{layout.site_packages}/'))},,\n")
    return _bytes(own, "".join(sorted(lines)).encode())


def _members(wheel: Wheel, layout: Layout) -> Iterator[Placed]:
    skipped = {f"{wheel.dist_info}/{name}" for name in ("RECORD", "RECORD.jws", "RECORD.p7s")}
    seen: dict[str, str] = {}
    for name in sorted(wheel.members):
        if name in skipped:
            continue
        scheme, rest = _scheme(wheel, name)
        path = _destination(wheel, layout, scheme, rest)
        if path in seen:
            raise refused(wheel.package, f"{seen[path]!r} and {name!r} have the same path")
        seen[path] = name
        if scheme == "scripts":
            yield _script(wheel, path, name, layout.interpreter)
        else:
            yield _plain(wheel, path, name)


def _scheme(wheel: Wheel, name: str) -> tuple[str, str]:
    folder, _, rest = name.partition("/")
    if folder != wheel.data_folder:
        return "purelib", name
    scheme, _, rest = rest.partition("/")
    if not rest:
        raise refused(wheel.package, f"{name!r} belongs to no scheme")
    return scheme, rest


def _destination(wheel: Wheel, layout: Layout, scheme: str, rest: str) -> str:
    folders = {
        "purelib": f"{layout.site_packages}/",
        "platlib": f"{layout.site_packages}/",
        "scripts": "bin/",
        "headers": f"include/site/python{layout.python}/{wheel.package.name}/",
        "data": "",
    }
    if scheme not in folders:
        raise refused(wheel.package, f"its data scheme {scheme!r} is unknown")
    return folders[scheme] + rest


def _plain(wheel: Wheel, path: str, name: str) -> Placed:
    info = wheel.members[name]
    executable = bool((info.external_attr >> 16) & 0o111)
    return Placed(path, info.file_size, executable, lambda: _checked(wheel, info))


def _script(wheel: Wheel, path: str, name: str, python: str) -> Placed:
    info = wheel.members[name]
    with _checked(wheel, info) as stream:
        data = stream.read(_FIRST_LINE)
        if not _SHEBANG.match(data):  # a program, which may be large
            return Placed(path, info.file_size, True, lambda: _checked(wheel, info))
        data += stream.read()
    return _bytes(path, _SHEBANG.sub(f"#!{python}".encode(), data, count=1), executable=True)


def _entry_points(wheel: Wheel, layout: Layout) -> Iterator[Placed]:
    text = wheel.text("entry_points.txt")
    try:
        points = list(parse_entrypoints(text)) if text else []
    except Exception as error:
        raise refused(wheel.package, f"its entry points are unreadable ({error})") from error
    for name, module, attribute, _ in points:
        if not (_SCRIPT_NAME.match(name) and _MODULE.match(module) and _MODULE.match(attribute)):
            raise refused(wheel.package, f"its entry point {name!r} is not one")
        text = _SCRIPT.format(
            python=layout.interpreter,
            module=module,
            name=attribute.split(".")[0],
            function=attribute,
        )
        yield _bytes(f"bin/{name}", text.encode(), executable=True)


def _marks(wheel: Wheel, layout: Layout) -> Iterator[Placed]:
    """Yield metadata on the installation (PEP 376, PEP 610)."""
    folder, package = f"{layout.site_packages}/{wheel.dist_info}", wheel.package
    yield _bytes(f"{folder}/INSTALLER", b"freezer\n")
    if package.requested:
        yield _bytes(f"{folder}/REQUESTED", b"")
    if package.url is not None:
        about: dict[str, object] = {"url": package.url}
        if package.commit is not None:
            about["vcs_info"] = {"vcs": "git", "commit_id": package.commit}
        else:
            about["archive_info"] = {"hashes": {"sha256": package.sha256}}
        if package.subdirectory is not None:
            about["subdirectory"] = package.subdirectory
        yield _bytes(f"{folder}/direct_url.json", json.dumps(about, sort_keys=True).encode())


def _checked(wheel: Wheel, info: ZipInfo) -> HashingReader:
    """Open a member; at its end it is compared with the wheel's RECORD."""
    listed = wheel.record[info.filename]
    if listed.algorithm not in _ALGORITHMS:
        raise refused(wheel.package, f"its RECORD uses {listed.algorithm}, which is too weak")

    def check(digest: bytes) -> None:
        if _base64(digest) != listed.digest.rstrip("="):
            raise refused(wheel.package, f"{info.filename!r} does not match its RECORD")

    stream = wheel.archive.open(info)
    return HashingReader(stream, algorithm=listed.algorithm, check=check)


def _bytes(path: str, data: bytes, *, executable: bool = False) -> Placed:
    return Placed(path, len(data), executable, lambda: HashingReader(io.BytesIO(data)))


def _base64(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _csv(path: str) -> str:
    return '"' + path.replace('"', '""') + '"' if any(c in path for c in ',"') else path
