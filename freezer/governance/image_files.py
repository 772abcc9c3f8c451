"""What an image holds, from the files of its layers: packages, their files, files of none. Pure.

The lists are those of the package managers themselves: dpkg's, conda's and the RECORD of each
Python package. A file that is on none of them is made, not shipped: byte code, caches, settings.
"""

from __future__ import annotations

import base64
import csv
import json
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DPKG: Final = "var/lib/dpkg"
_PYC: Final = re.compile(
    r"(?P<folder>.*/)?__pycache__/(?P<stem>[^/]+?)\.[a-z]+-\d+(?:\.opt-\d)?\.pyc"
)
_DIST: Final = re.compile(r"(?P<site>.*)/(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/RECORD")


def is_list(path: str) -> bool:
    """Return whether a file of an image is one of the lists, and is to be kept whole."""
    return (
        path == f"{_DPKG}/status"
        or (path.startswith(f"{_DPKG}/info/") and path.endswith((".list", ".md5sums")))
        or ("/conda-meta/" in f"/{path}" and path.endswith(".json"))
        or _DIST.fullmatch(path) is not None
    )


@dataclass(frozen=True, order=True)
class Installed:
    """A package that an image's own lists name."""

    ecosystem: str
    """``debian``, ``conda`` or ``pip``."""
    name: str
    version: str


@dataclass(frozen=True)
class FileFact:
    """A regular file of an image."""

    sha256: str
    md5: str
    size: int


@dataclass
class ImageFiles:
    """The merged file system of an image, as far as packages go. Paths have no leading slash."""

    files: dict[str, FileFact] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    """Symbolic links: path to target as written."""
    lists: dict[str, bytes] = field(default_factory=dict)

    def remove(self, path: str) -> None:
        """Remove a path, and all below it: a whiteout, or something else in its place."""
        for table in (self.files, self.links, self.lists):
            for known in [one for one in table if one == path or one.startswith(f"{path}/")]:
                del table[known]

    def real(self, path: str) -> str:
        """Return a path with the links in its folders followed, as dpkg's lists need it."""
        done: list[str] = []
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for count in range(len(parts)):
            done.append(parts[count])
            for _ in range(8):
                target = self.links.get("/".join(done))
                if target is None or count == len(parts) - 1:
                    break
                joined = target if target.startswith("/") else "/".join([*done[:-1], target])
                done = [part for part in posixpath.normpath(f"/{joined}").split("/") if part]
        return "/".join(done)


@dataclass(frozen=True)
class Ownership:
    """Which package each file belongs to, and what is wrong with it."""

    packages: frozenset[Installed]
    owner: Mapping[str, Installed]
    """By path; exactly one for each file that a package ships."""
    contested: tuple[str, ...]
    """Files that two packages list."""
    changed: tuple[str, ...]
    """Files with another content than their package lists."""
    missing: tuple[str, ...]
    """Files that a package with digests lists, and that are not there."""
    unowned: tuple[str, ...]


def ownership(image: ImageFiles) -> Ownership:
    """Return the package of each file; where a conda package holds a Python package, conda's."""
    owner: dict[str, Installed] = {}
    contested: set[str] = set()
    changed: set[str] = set()
    missing: set[str] = set()
    packages: set[Installed] = set()
    for package, path, digest in _listed(image):
        packages.add(package)
        known = owner.get(path)
        if known is not None and known != package:
            if known.ecosystem == "conda" and package.ecosystem == "pip":
                packages.discard(package)  # the same package, by the other list
                continue
            contested.add(path)
        fact = image.files.get(path)
        if fact is None:
            if digest and path not in image.links:
                missing.add(path)
            continue
        owner[path] = package
        if digest and digest not in (fact.sha256, fact.md5):
            changed.add(path)
    for path in image.files:
        match = _PYC.fullmatch(path)
        if match and path not in owner:
            source = f"{match['folder'] or ''}{match['stem']}.py"
            if source in owner:
                owner[path] = owner[source]
    return Ownership(
        frozenset(packages),
        owner,
        tuple(sorted(contested)),
        tuple(sorted(changed)),
        tuple(sorted(missing)),
        tuple(sorted(path for path in image.files if path not in owner)),
    )


def _listed(image: ImageFiles) -> Iterator[tuple[Installed, str, str | None]]:
    """Yield each package with each path that it lists, and the digest that it should have."""
    yield from _conda(image)
    yield from _debian(image)
    yield from _python(image)


def _conda(image: ImageFiles) -> Iterator[tuple[Installed, str, str | None]]:
    for path, data in sorted(image.lists.items()):
        prefix, found, _ = path.rpartition("conda-meta/")
        if not found:
            continue
        try:
            document = json.loads(data)
            package = Installed("conda", document["name"], document["version"])
            listed = {str(name): None for name in document.get("files", ())}
            listed |= {
                str(one["_path"]): one.get("sha256_in_prefix") or one.get("sha256")
                for one in document.get("paths_data", {}).get("paths", ())
                if one.get("path_type") != "softlink"
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        yield package, path, None
        for name, digest in listed.items():
            yield package, f"{prefix}{name}", digest


def _debian(image: ImageFiles) -> Iterator[tuple[Installed, str, str | None]]:
    versions = _versions(image.lists.get(f"{_DPKG}/status", b"").decode("utf-8", "replace"))
    for path, data in sorted(image.lists.items()):
        if not path.startswith(f"{_DPKG}/info/") or not path.endswith(".list"):
            continue
        stem = path.rpartition("/")[2].removesuffix(".list")
        name = stem.partition(":")[0]
        if name not in versions:
            continue
        package = Installed("debian", name, versions[name])
        sums = image.lists.get(f"{_DPKG}/info/{stem}.md5sums", b"").decode("utf-8", "replace")
        digests = {line[34:]: line[:32] for line in sums.splitlines() if len(line) > 34}
        for line in data.decode("utf-8", "replace").splitlines():
            listed = line.lstrip("/")
            real = image.real(listed)
            if real in image.files or listed in digests:
                # Settings may be edited, and documentation be left out: only what is there counts.
                digest = digests.get(listed) if real in image.files else None
                yield package, real, digest


def _versions(status: str) -> dict[str, str]:
    """Return the version of each installed package, by name."""
    found: dict[str, str] = {}
    fields: dict[str, str] = {}
    for line in [*status.splitlines(), ""]:
        if not line:
            if fields.get("Status", "").endswith(" installed") and "Package" in fields:
                found[fields["Package"]] = fields.get("Version", "")
            fields = {}
        elif not line.startswith((" ", "\t")):
            key, _, value = line.partition(":")
            fields[key] = value.strip()
    return found


def _python(image: ImageFiles) -> Iterator[tuple[Installed, str, str | None]]:
    for path, data in sorted(image.lists.items()):
        match = _DIST.fullmatch(path)
        if match is None:
            continue
        package = Installed("pip", canonicalize_name(match["name"]), match["version"])
        yield package, path, None
        for row in csv.reader(data.decode("utf-8", "replace").splitlines()):
            if not row:
                continue
            full = posixpath.normpath(posixpath.join(match["site"], row[0])).lstrip("/")
            digest = row[1] if len(row) > 1 else ""
            yield package, full, _hexadecimal(digest) if not full.endswith(".pyc") else None


def _hexadecimal(digest: str) -> str | None:
    algorithm, _, value = digest.partition("=")
    if algorithm != "sha256":
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return None
