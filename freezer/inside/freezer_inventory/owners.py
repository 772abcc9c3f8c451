"""Which package a file is of: Debian's, conda's and Python's own lists, read as they lie."""

from __future__ import annotations

import csv
import glob
import json
import os
import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

_DPKG = "/var/lib/dpkg"
_MAX = 64 << 20
"""Bytes of a list."""


class Owner(NamedTuple):
    """A package."""

    world: str
    """``debian``, ``conda`` or ``pip``."""
    name: str
    version: str


def owners(
    paths: Iterable[str], prefix: str, sites: Iterable[str], dpkg: str = _DPKG
) -> Dict[str, Owner]:
    """Return the package of each real path; a path of none is left out.

    ``prefix`` may be a conda environment; ``sites`` are folders of Python packages. Where a conda
    package holds a Python package, conda is the owner.
    """
    wanted = set(paths)
    found: Dict[str, Owner] = {}
    for table in (_debian(wanted, dpkg), _pip(wanted, sites), _conda(wanted, prefix)):
        found.update(table)
    return found


def _lines(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_MAX).splitlines()
    except OSError:
        return []


def _debian(wanted: Set[str], dpkg: str) -> Dict[str, Owner]:
    """Read dpkg's lists. They may name a path through a link (``/lib`` for ``/usr/lib``)."""
    names = {os.path.basename(path) for path in wanted}
    found: Dict[str, str] = {}
    real: Dict[str, str] = {}
    for listed in sorted(glob.glob(os.path.join(glob.escape(dpkg), "info", "*.list"))):
        package = os.path.basename(listed)[: -len(".list")]
        for line in _lines(listed):
            folder, _, name = line.rpartition("/")
            if name not in names:
                continue
            if folder not in real:
                real[folder] = os.path.realpath(folder)
            path = os.path.join(real[folder], name)
            if path in wanted:
                found[path] = package
    versions = _debian_versions(os.path.join(dpkg, "status"), set(found.values()))
    return {
        path: Owner("debian", package.partition(":")[0], versions.get(package, ""))
        for path, package in found.items()
    }


def _debian_versions(status: str, wanted: Set[str]) -> Dict[str, str]:
    """Return the versions of packages, named ``libc6:amd64`` where their lists are."""
    found: Dict[str, str] = {}
    fields: Dict[str, str] = {}
    for line in [*_lines(status), ""]:
        if line and not line.startswith(" "):
            key, _, value = line.partition(":")
            fields[key] = value.strip()
        elif not line and fields:
            name = fields.get("Package", "")
            for key in (name, f"{name}:{fields.get('Architecture', '')}"):
                if key in wanted:
                    found[key] = fields.get("Version", "")
            fields = {}
    return found


def _conda(wanted: Set[str], prefix: str) -> Dict[str, Owner]:
    found: Dict[str, Owner] = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(prefix), "conda-meta", "*.json"))):
        try:
            document = json.loads("\n".join(_lines(path)))
            owner = Owner(
                "conda", str(document["name"]), f"{document['version']} {document['build']}"
            )
            files = [str(name) for name in document["files"]]
        except (ValueError, KeyError, TypeError):
            continue
        for name in files:
            full = os.path.join(prefix, name)
            if full in wanted:
                found[full] = owner
    return found


def _pip(wanted: Set[str], sites: Iterable[str]) -> Dict[str, Owner]:
    found: Dict[str, Owner] = {}
    for site in sites:
        for record in sorted(glob.glob(os.path.join(glob.escape(site), "*.dist-info", "RECORD"))):
            owner = _distribution(os.path.basename(os.path.dirname(record)))
            if owner is None:
                continue
            for name in _recorded(record):
                full = os.path.normpath(os.path.join(site, name))
                if full in wanted:
                    found[full] = owner
    return found


def _recorded(record: str) -> List[str]:
    lines = [line for line in _lines(record) if ".so" in line or "/bin/" in line]
    try:
        return [row[0] for row in csv.reader(lines) if row]
    except csv.Error:
        return []


def _distribution(folder: str) -> Optional[Owner]:
    name, _, version = folder[: -len(".dist-info")].rpartition("-")
    if not name:
        return None
    return Owner("pip", re.sub(r"[-_.]+", "-", name).lower(), version)


def label(owner: Optional[Owner]) -> Tuple[str, str]:
    """Return an owner as ``("pip:numpy", "2.4.6")``; empty where there is none."""
    return ("", "") if owner is None else (f"{owner.world}:{owner.name}", owner.version)
