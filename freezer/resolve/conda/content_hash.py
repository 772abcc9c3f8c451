"""conda-lock's content hash, of requirements in their usual forms.

conda-lock compares it with the one of its own input, to see whether a ``conda-lock.yml`` still
belongs to it. It is the SHA-256 of a JSON document: channels, parsed requirements, virtual
packages. conda-lock itself takes half a second to import, which is ten times what a lock of 80
packages takes to solve; so the document is made here where the requirements leave no question how
conda reads them, and by conda-lock otherwise. The tests compare both, for forms of every kind.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlunsplit

from freezer.fetch.http.url import split_url
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_VERSION: Final = r"[0-9](?:[a-z0-9.]*[a-z0-9])?"
_BOUND: Final = rf"(?:>=|<=|!=|<|>){_VERSION}(?:\.\*)?"
_NAME: Final = re.compile(r"(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)(?P<rest>.*)")
_FORMS: Final = tuple(
    (re.compile(pattern), version)
    for pattern, version in (
        (r"", ""),
        (rf"=(?P<version>{_VERSION})", "{version}.*"),
        (rf"=(?P<version>{_VERSION}\.\*)", "{version}"),
        (rf"==(?P<version>{_VERSION})", "{version}"),
        (rf" (?P<version>{_VERSION}(?:\.\*)?)", "{version}"),
        (rf" ?(?P<version>{_BOUND}(?:, ?{_BOUND})*)", "{version}"),
        (
            rf"=(?P<version>\*|{_VERSION}(?:\.\*)?)=(?P<build>\*?[A-Za-z0-9_]+\*?)",
            "{version}",
        ),
    )
)
"""What may follow a name, and the version range that conda makes of it."""
_FILES: Final = (".conda", ".tar.bz2", ".json")
"""How the names of packages' files end: conda takes such a requirement for a file."""
_URL: Final = re.compile(r"(?:https?|file)://[A-Za-z0-9._~:/%-]+")
_CHANNEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_CLOCK: Final = 1_577_854_800_000
"""The time of every virtual package: 2020 began then, where conda-lock's author was."""


def content_hashes(
    channels: Sequence[str],
    requirements: Iterable[str],
    virtual: Mapping[str, Mapping[str, tuple[str, str]]],
) -> dict[str, str] | None:
    """Return the content hash of each subdir; None where only conda-lock can tell.

    ``virtual`` has the version and the build (empty for none) of the virtual packages by subdir and
    name.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for text in requirements:
        one = _requirement(text)
        if one is None:
            return None
        parsed[one["name"]] = one  # of two requirements of a name conda-lock takes the last
    if not parsed or not all(map(_is_plain, channels)):
        return None
    specs = [parsed[name] for name in sorted(parsed)]
    urls = [f'{{"url":"{channel}","used_env_vars":[]}}' for channel in channels]
    found = {}
    for subdir in sorted(virtual):
        packages = dict(_virtual(name, *one, subdir) for name, one in virtual[subdir].items())
        repodata = {
            "noarch": {"info": {"subdir": "noarch"}, "packages": {}},
            subdir: {"info": {"subdir": subdir}, "packages": packages},
        }
        document = {"channels": urls, "specs": specs, "virtual_package_hash": repodata}
        found[subdir] = digest(json.dumps(document, sort_keys=True).encode())
    return found


def _requirement(text: str) -> dict[str, Any] | None:
    """Return a requirement as conda-lock has it parsed; None for a form that is not usual."""
    match = _NAME.fullmatch(text)
    if match is None or text.endswith(_FILES):
        return None
    for pattern, version in _FORMS:
        found = pattern.fullmatch(match["rest"])
        if found is not None:
            parts = found.groupdict()
            return {
                "name": match["name"].lower(),
                "manager": "conda",
                "category": "main",
                "extras": [],
                "version": version.format(version=parts.get("version", "")).replace(" ", ""),
                "build": parts.get("build"),
                "conda_channel": None,
                "hash": None,
            }
    return None


def _is_plain(channel: str) -> bool:
    """Say whether conda-lock takes a channel as written: no credentials, nothing to encode."""
    if "://" not in channel:
        return _CHANNEL.fullmatch(channel) is not None and channel != "nodefaults"
    return (
        _URL.fullmatch(channel) is not None
        and "/t/" not in channel
        and urlunsplit(split_url(channel)) == channel
    )


def _virtual(name: str, version: str, build: str, subdir: str) -> tuple[str, dict[str, Any]]:
    """Return a virtual package as in a channel's index: the name of its file, and its record."""
    whole = f"{build}_0" if build else "0"  # as conda-lock 2 wrote it, and 3 and 4 hash it
    return f"{name}-{version}-{whole}.tar.bz2", {
        "name": name,
        "version": version,
        "build_string": build,
        "build_number": 0,
        "noarch": "",
        "depends": [],
        "timestamp": _CLOCK,
        "package_type": "virtual_system",
        "build": whole,
        "subdir": subdir,
    }
