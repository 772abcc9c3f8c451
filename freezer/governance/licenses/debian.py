"""The licenses of a Debian package, from its ``copyright`` file.

Machine-readable files (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/) name a
license for each set of files. Older ones are prose: only the common licenses that they refer to by
path are read from them, as text, since prose says ``or later`` in many ways.
"""

from __future__ import annotations

import re
from typing import Final

from freezer.governance.licenses.expression import Licenses, declared

LARGEST: Final = 4 << 20
"""Bytes of a copyright file."""
_COMMON: Final = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]{1,40})")
_LICENSE: Final = re.compile(r"^license:[ \t]*(\S[^\n]{0,199})", re.IGNORECASE | re.MULTILINE)
_HEADER: Final = re.compile(r"^format(?:-specification)?:", re.IGNORECASE)


def debian_licenses(text: str) -> Licenses:
    """Return what a copyright file declares."""
    if _HEADER.match(text.lstrip("\ufeff \t\r\n")):
        names = (" ".join(name.split()) for name in _LICENSE.findall(text))
        return declared(dict.fromkeys(names), "copyright")
    common = dict.fromkeys(name.rstrip(".") for name in _COMMON.findall(text))
    if not common:
        return (
            Licenses(None, ("see the copyright file",), "copyright") if text.strip() else Licenses()
        )
    return Licenses(None, tuple(f"{name} (common license)" for name in sorted(common)), "copyright")
