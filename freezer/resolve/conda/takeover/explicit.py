"""Parses explicit files: ``@EXPLICIT``, then one URL a line, each with its hash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact
from freezer.fetch.python.filenames import name_and_version
from freezer.resolve.conda.takeover.pins import Taken, hashes, nothing_for, pin
from freezer.resolve.python.requirements.file import read_text
from freezer.resolve.python.takeover.pins import file_of

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.fetch.config import Config
    from freezer.resolve.conda.takeover.pins import CondaPin

_PLATFORM = re.compile(r"^#\s*platform:\s*(?P<subdir>\S+)")
_PIP = re.compile(
    r"^#\s*pip\s+(?P<name>[A-Za-z0-9._-]+)\s*@\s*(?P<url>\S+?)"
    r"(#(?P<hash>sha256=[0-9a-f]{64}))?(\s+--hash=(?P<other>sha256:[0-9a-f]{64}))?\s*$"
)


def read_explicit(path: Path, label: str, subdir: str, config: Config) -> Taken:
    """Return the packages of an explicit file. Raises ``SpecError`` with the line.

    Lines that conda-lock writes for pip (``# pip NAME @ URL``) are included.
    """
    taken, platforms = Taken(), set[str]()
    for number, line in enumerate(read_text(path, label).splitlines(), 1):
        where, text = Where(label, number), line.strip()
        if match := _PLATFORM.match(text):
            platforms.add(match["subdir"])
        elif match := _PIP.match(text):
            digest = (match["hash"] or match["other"] or "").replace("=", ":")
            _take_pip(match["name"], match["url"], digest, where, taken)
        elif text and not text.startswith(("#", "@")):
            taken.pins.append(_pin(text, where, path.parent, config))
    platforms |= {pin.subdir for pin in taken.pins} - {"noarch"}
    if platforms - {subdir}:
        raise nothing_for(label, subdir, platforms)
    return taken


def _take_pip(name: str, url: str, digest: str, where: Where, taken: Taken) -> None:
    found = name_and_version(file_of(url))
    version = str(found[1]) if found else ""
    taken.take_pip(name, version, url, digest.removeprefix("sha256:") or None, where, direct=True)


def _pin(text: str, where: Where, folder: Path, config: Config) -> CondaPin:
    url, _, fragment = text.partition("#")
    if "://" not in url:
        raise SpecError(
            "an explicit file contains URLs only",
            where=where,
            found=redact(text),
            hint="`conda list --explicit --md5` writes one",
        )
    return pin(url, where, folder=folder, config=config, **hashes(fragment, where))
