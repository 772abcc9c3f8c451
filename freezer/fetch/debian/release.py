"""Parses the ``InRelease`` file of a Debian suite. Pure.

The format is documented on the page "DebianRepository/Format" of Debian's wiki.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from freezer.errors import IntegrityError
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNED = re.compile(
    rb"-----BEGIN PGP SIGNED MESSAGE-----\n(?:Hash: [A-Za-z0-9, ]+\n)*\n"
    rb"(?P<text>.*?\n)-----BEGIN PGP SIGNATURE-----\n[A-Za-z0-9+/=:. \n()-]*?\n"
    rb"-----END PGP SIGNATURE-----\n*",
    re.DOTALL,
)
_ARMOUR = re.compile(rb"^-----", re.MULTILINE)
_FILE = re.compile(r"([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)")


@dataclass(frozen=True)
class ListedFile:
    """A file in a release."""

    sha256: str
    size: int
    """Size in bytes."""


@dataclass(frozen=True)
class Release:
    """One suite of an archive at one time."""

    source: str
    """The archive's name in locks: ``debian``, ``debian-security``."""
    names: tuple[str, ...]
    """Suite and codename, such as ``stable`` and ``bookworm``."""
    date: datetime
    valid_until: datetime | None
    components: tuple[str, ...]
    architectures: tuple[str, ...]
    by_hash: bool
    """Whether files are also available by hash, unaffected by updates."""
    separate_all: bool
    """Whether packages for all architectures are in an index of their own only."""
    files: Mapping[str, ListedFile]
    """Files by path relative to the suite's folder."""


def split_signed(inrelease: bytes, address: str) -> tuple[bytes, bool]:
    """Return the text of an ``InRelease``, and whether it has a signature (not verified).

    Exactly one signed text and nothing around it is accepted, so nothing outside of the signature
    is read. Raises ``IntegrityError`` otherwise.
    """
    data = inrelease.replace(b"\r\n", b"\n")
    if not _ARMOUR.search(data):
        return data, False
    match = _SIGNED.fullmatch(data)
    if match is None or len(_ARMOUR.findall(data)) != 3:
        raise _broken(address, "more or less than one signed text")
    return re.sub(rb"^- ", b"", match["text"], flags=re.MULTILINE), True


def read_release(text: bytes, address: str) -> Release:
    """Parse a Release text; ``address`` is for messages. Raises ``IntegrityError``."""
    fields = _fields(text, address)
    label = fields.get("label") or fields.get("origin") or ""
    source = re.sub(r"[^a-z0-9.]+", "-", label.lower()).strip("-.")
    if not source:
        raise _broken(address, "no Label and no Origin")
    unlike = "packages" in fields.get("no-support-for-architecture-all", "").lower()
    architectures = tuple(fields.get("architectures", "").split())
    return Release(
        source=source,
        names=tuple(fields[key] for key in ("suite", "codename") if fields.get(key)),
        date=_date(fields.get("date", ""), address),
        valid_until=_date(fields["valid-until"], address) if "valid-until" in fields else None,
        components=tuple(fields.get("components", "").split()),
        architectures=architectures,
        by_hash=fields.get("acquire-by-hash", "").lower() == "yes",
        separate_all="all" in architectures and not unlike,
        files=_files(fields.get("sha256", ""), address),
    )


def require_suite(release: Release, suite: str, address: str) -> None:
    """Raise ``IntegrityError`` when a release is of another suite than the requested one."""
    wanted = {suite, suite.rpartition("/")[0]}
    if not suite.endswith("/") and release.names and not wanted & set(release.names):
        raise IntegrityError(
            f"{redact(address)} is the release of another suite",
            found=" / ".join(release.names),
            expected=suite,
            hint="use the suite's own name in the package sources; if it is that already, do not "
            "use this mirror",
        )


def _fields(text: bytes, address: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in text.decode("utf-8", errors="replace").strip("\n").split("\n"):
        if line.startswith((" ", "\t")) and name:
            fields[name] += "\n" + line.strip()
            continue
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not re.fullmatch(r"[a-z0-9-]+", name):
            raise _broken(address, f"a line that is no field: {line[:60]!r}")
        if name in fields:
            raise _broken(address, f"the field {name} twice")
        fields[name] = value.strip()
    return fields


def _files(table: str, address: str) -> dict[str, ListedFile]:
    files: dict[str, ListedFile] = {}
    for line in filter(None, table.split("\n")):
        match = _FILE.fullmatch(line.strip())
        if match is None:
            raise _broken(address, f"no hash, size and path: {line[:100]!r}")
        files[match[3]] = ListedFile(match[1], int(match[2]))
    if not files:
        raise _broken(address, "no SHA256 of any file")
    return files


def _date(value: str, address: str) -> datetime:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        raise _broken(address, f"the date {value!r}") from None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:  # within hours of the year 1, or 9999
        raise _broken(address, f"the date {value!r}") from None


def _broken(address: str, found: str) -> IntegrityError:
    return IntegrityError(
        f"{redact(address)} is not a release file",
        found=found,
        expected="the signed InRelease of a Debian archive",
        hint="check the address; a proxy or a login page may have answered instead",
    )
