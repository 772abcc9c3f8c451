"""License names as SPDX expressions: what a package declares, in the identifiers of the SPDX list.

Sources of the tables: the SPDX license list 3.25 (https://spdx.org/licenses), the short names of
Debian's machine-readable copyright files (https://www.debian.org/doc/packaging-manuals/
copyright-format/1.0/#license-short-name), and the license classifiers of Python packages (the
package ``trove-classifiers`` lists them). A name that stands for several licenses, such as ``BSD``,
is not mapped: it is kept as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 200
"""Characters of a declared name; longer ones are the license's own text."""
_ALIASES: Final = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "expat": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mit license (mit)": "MIT",
    "3-clause bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "psf": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "psf-2": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "zlib/libpng license": "Zlib",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "cc0": "CC0-1.0",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "artistic": "Artistic-1.0",
    "artistic-2": "Artistic-2.0",
    "cddl-1": "CDDL-1.0",
    "historical permission notice and disclaimer (hpnd)": "HPND",
    "mit-cmu": "MIT-CMU",
    "openldap-2.8": "OLDAP-2.8",
    "sil open font license 1.1 (ofl-1.1)": "OFL-1.1",
    "x11": "X11",
    "zlib license": "Zlib",
}
"""Lower case; what the SPDX list has itself need not be here."""
_GNU: Final = re.compile(
    r"(?P<family>A?GPL|LGPL|GFDL|FDL)-?v?(?P<major>\d)(?:\.(?P<minor>\d))?(?P<later>\+|-or-later)?",
    re.IGNORECASE,
)
_WITH: Final = re.compile(
    r"(?P<name>\S+) with (?P<exception>[\w .-]+?)(?: exception)?", re.IGNORECASE
)
_EXCEPTIONS: Final = {
    "autoconf": "Autoconf-exception-generic",
    "bison": "Bison-exception-2.2",
    "classpath": "Classpath-exception-2.0",
    "font": "Font-exception-2.0",
    "gcc": "GCC-exception-3.1",
    "gcc-runtime": "GCC-exception-3.1",
    "libtool": "Libtool-exception",
    "llvm": "LLVM-exception",
    "openssl": "OpenSSL-exception",
}
_MINOR_OF: Final = {"LGPL-2": "0", "GPL-2": "0", "GPL-3": "0", "GPL-1": "0", "LGPL-3": "0",
                    "AGPL-3": "0", "AGPL-1": "0"}  # fmt: skip


@dataclass(frozen=True)
class Licenses:
    """What a package declares about its license."""

    expression: str | None = None
    """An SPDX expression; None where nothing that is declared could be mapped."""
    unmapped: tuple[str, ...] = ()
    """Declared names that the SPDX list does not have, as they were written."""
    source: str = ""
    """Where it was read: ``METADATA``, ``copyright``, ``repodata``; empty where nothing was."""

    @property
    def whole(self) -> str | None:
        """The expression, with what is not mapped as ``LicenseRef-…``; None without any."""
        parts = [self.expression] if self.expression else []
        parts += [reference(name) for name in self.unmapped]
        if len(parts) > 1:
            parts = [f"({part})" if _COMPOUND.search(part) else part for part in parts]
        return " AND ".join(parts) or None


_COMPOUND: Final = re.compile(r"\s(?:AND|OR)\s")


def reference(name: str) -> str:
    """Return the ``LicenseRef`` by which a document names a license that is not on the list."""
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", name.removeprefix("LicenseRef-")).strip("-.")[:60]
    return f"LicenseRef-{plain or 'unnamed'}"


def declared(texts: Iterable[str], source: str) -> Licenses:
    """Return what several declared names come to; all of them apply."""
    mapped: dict[str, None] = {}
    unmapped: dict[str, None] = {}
    for text in texts:
        clean = " ".join(text.split())[:_LONGEST]
        if not clean:
            continue
        found = to_spdx(clean)
        if found is None:
            unmapped[clean] = None
        else:
            mapped[found] = None
    parts = sorted(mapped)
    if len(parts) > 1:
        parts = [f"({part})" if " OR " in part else part for part in parts]
    whole = " AND ".join(parts) or None
    if whole is not None and len(parts) > 1:
        whole = _simple(whole)
    return Licenses(whole, tuple(sorted(unmapped)), source if mapped or unmapped else "")


@lru_cache(maxsize=2000)
def to_spdx(text: str) -> str | None:
    """Return a declared name or expression as an SPDX expression; None where it is not known."""
    if not text.strip() or len(text) > _LONGEST:
        return None
    parsed = _parsed(text)
    if parsed is not None:
        return parsed
    single = _single(text)
    if single is not None:
        return single
    return _combined(text)


def _single(text: str) -> str | None:
    """Return one license by its usual names."""
    name = " ".join(text.split()).strip(".,;")
    if alias := _ALIASES.get(name.lower()):
        return alias
    if match := _GNU.fullmatch(name):
        return _gnu(match)
    if match := _WITH.fullmatch(name):
        base = _single(match["name"]) or _parsed(match["name"])
        exception = _EXCEPTIONS.get(match["exception"].lower().replace(" ", "-"))
        return f"{base} WITH {exception}" if base and exception else None
    return None


def _gnu(match: re.Match[str]) -> str | None:
    family = match["family"].upper().replace("GFDL", "FDL")
    major = match["major"]
    minor = match["minor"]
    if family == "FDL":
        name = f"GFDL-{major}.{minor or '1'}"
    else:
        name = f"{family}-{major}.{minor or _MINOR_OF.get(f'{family}-{major}', '0')}"
    return _parsed(f"{name}-{'or-later' if match['later'] else 'only'}")


def _combined(text: str) -> str | None:
    """Return names joined by words, as Debian writes them: a comma binds less than ``and``."""
    for pattern, word in (
        (r",\s*(?:and)\s+", "AND"), (r",\s*(?:or)\s+", "OR"),
        (r"\s+or\s+", "OR"), (r"\s+and\s+", "AND"),
    ):  # fmt: skip
        parts = re.split(pattern, text, flags=re.IGNORECASE)
        if len(parts) > 1:
            found = [to_spdx(part.strip()) for part in parts]
            if None in found:
                return None
            joined = f" {word} ".join(f"({part})" for part in found)
            return _simple(joined)
    return None


def _parsed(text: str) -> str | None:
    """Return an expression of the SPDX list's own names, normalised; None for anything else."""
    try:
        found = spdx_licensing().validate(text)
    except Exception:  # noqa: BLE001 - the parser raises many kinds for texts that are no expression
        return None
    if found.errors or not found.normalized_expression:
        return None
    return str(found.normalized_expression)


def _simple(expression: str) -> str | None:
    """Return an expression without needless parentheses and repetitions."""
    try:
        return str(spdx_licensing().parse(expression).simplify())
    except Exception:  # noqa: BLE001 - as above
        return None


@lru_cache(maxsize=1)
def spdx_licensing() -> Any:
    """Return the parser of SPDX expressions, made once: it reads the whole list of licenses."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
