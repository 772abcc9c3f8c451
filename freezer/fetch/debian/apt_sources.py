"""apt's package sources: ``sources.list`` and deb822 ``.sources`` files.

Pure parsing, by the rules of sources.list(5); only :func:`host_sources` reads files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ONE_LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>[^\s\[]\S*)\s+(?P<suite>\S+)(?P<rest>.*)"
)
_FIELD = re.compile(r"^([A-Za-z0-9-]+)\s*:(.*)$")
_SCHEME = re.compile(r"[a-z][a-z0-9+]*:/")
_MIRROR_LIST = "mirror+file:"


@dataclass(frozen=True)
class AptSource:
    """One suite of one archive."""

    uri: str
    """Root of the archive, without a trailing slash. May contain credentials."""
    suite: str
    """Such as ``bookworm``; ends with ``/`` for a flat archive (without ``dists``)."""
    components: tuple[str, ...]
    """Such as ``main``; empty only for a flat archive."""
    architectures: tuple[str, ...] = ()
    """Debian's names of the architectures that it is limited to; empty: all."""
    signed_by: str = field(default="", repr=False)
    """Keyrings, fingerprints or an armoured key, as in apt's ``Signed-By``; empty: apt's own."""
    optional: bool = False
    """Whether the archive may lack the suite; never set by apt's own lists."""


def host_sources(root: Path = Path("/")) -> tuple[AptSource, ...]:
    """Return the package sources of apt below ``root``; empty without apt.

    A list of mirrors in a file (``mirror+file:``, as on cloud machines) is replaced by its first
    one. Raises ``SpecError`` with file and line for a malformed file.
    """
    apt = root / "etc" / "apt"
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    found: dict[AptSource, None] = {}
    for file in files:
        if file.suffix in (".list", ".sources") and file.is_file():
            sources = parse_sources(_text(file), str(file))
            found.update(dict.fromkeys(_first_mirror(source, root) for source in sources))
    return tuple(found)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _first_mirror(source: AptSource, root: Path) -> AptSource:
    if not source.uri.startswith(_MIRROR_LIST):
        return source
    file = root / source.uri.removeprefix(_MIRROR_LIST).lstrip("/")
    entries = _text(file).splitlines() if file.is_file() else []
    uris = [line.split()[0] for line in entries if line.strip() and line.strip()[0] != "#"]
    return replace(source, uri=uris[0].rstrip("/")) if uris else source


def parse_sources(text: str, name: str) -> tuple[AptSource, ...]:
    """Return the binary sources of a file in order, without duplicates.

    The format is detected. ``deb-src``, disabled and ``cdrom:`` entries are skipped. ``name`` is
    the file's name for messages. Raises ``SpecError`` with the malformed line.
    """
    lines = text.splitlines()
    words = [line.split(None, 1)[0] for line in lines if line.strip() and line.strip()[0] != "#"]
    deb822 = bool(words) and words[0] not in ("deb", "deb-src") and ":" in words[0]
    found = _deb822(lines, name) if deb822 else _one_lines(lines, name)
    return tuple(dict.fromkeys(found))


def _one_lines(lines: list[str], name: str) -> Iterator[AptSource]:
    for number, line in enumerate(lines, 1):
        entry = line.partition("#")[0].strip()
        words = entry.split()
        if not words or words[0] == "deb-src" or (words[1:2] and words[1].startswith("cdrom:")):
            continue
        match = _ONE_LINE.fullmatch(entry)
        if match is None:
            _malformed(name, number, entry, "deb [options] URI suite component…")
        options = dict(re.findall(r"(\S+?)[+-]?=(\S+)", match["options"] or ""))
        if options.get("enabled", "yes") != "no":
            found = AptSource(
                uri=match["uri"].rstrip("/"),
                suite=match["suite"],
                components=tuple(match["rest"].split()),
                architectures=tuple(filter(None, options.get("arch", "").split(","))),
                signed_by=options.get("signed-by", "").replace(",", " "),
            )
            yield _checked(found, name, number)


def _deb822(lines: list[str], name: str) -> Iterator[AptSource]:
    for number, stanza in _stanzas(lines, name):
        if stanza.get("enabled", "yes").lower() in ("no", "false"):
            continue
        if "deb" not in stanza.get("types", "").split():
            if "types" not in stanza:
                _malformed(name, number, "a stanza without Types", "Types: deb")
            continue
        for needed in ("URIs", "Suites"):
            if not stanza.get(needed.lower()):
                _malformed(name, number, f"a stanza without {needed}", f"{needed}: …")
        for uri in stanza["uris"].split():
            for suite in stanza["suites"].split():
                found = AptSource(
                    uri=uri.rstrip("/"),
                    suite=suite,
                    components=tuple(stanza.get("components", "").split()),
                    architectures=tuple(stanza.get("architectures", "").split()),
                    signed_by=stanza.get("signed-by", "").strip(),
                )
                yield _checked(found, name, number)


def _stanzas(lines: Iterable[str], name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield ``(first line, fields by lower-cased name)`` of each stanza."""
    first, field, stanza = 0, "", dict[str, str]()
    for number, line in enumerate([*lines, ""], 1):
        if not line.strip():
            if stanza:
                yield first, stanza
            field, stanza = "", {}
        elif line.startswith("#"):
            continue
        elif line[0] in " \t" and field:
            stanza[field] += "\n" + line.strip()
        elif match := _FIELD.match(line):
            first = first if stanza else number
            field = match[1].lower()
            stanza[field] = match[2].strip()
        else:
            _malformed(name, number, line.strip(), "Field: value")


def _checked(source: AptSource, name: str, line: int) -> AptSource:
    uri, suite, components = source.uri, source.suite, source.components
    if not _SCHEME.match(uri):
        _malformed(name, line, uri, "an address such as https://… or file:/…")
    if ".." in suite.split("/"):
        _malformed(name, line, suite, "a suite below the archive's root")
    if suite.endswith("/") == bool(components):
        expected = "no component after a suite that ends with /, at least one after any other"
        _malformed(name, line, f"{suite} {' '.join(components)}".strip(), expected)
    return source


def _malformed(name: str, line: int, found: str, expected: str | None) -> NoReturn:
    raise SpecError(
        "not a valid package source",
        where=Where(name, line),
        found=redact(found),
        expected=expected,
        hint="see sources.list(5); `apt-get update` reads the same file",
    )
