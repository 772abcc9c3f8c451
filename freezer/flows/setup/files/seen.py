"""One file of a project and its requirements on the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST = 64 << 20
"""Bytes of a file that is read here; a lock of many platforms has a few millions."""


@dataclass(frozen=True)
class WantedPython:
    """A file's requirement on the version of Python."""

    file: str
    text: str
    """As the file has it."""
    allows: Callable[[str], bool]
    """Whether a full version, such as ``3.11.4``, is allowed."""

    def allows_minor(self, minor: str) -> bool:
        """Say whether some patch release of a minor version, such as ``3.11``, is allowed."""
        return any(self.allows(f"{minor}.{patch}") for patch in (*range(31), 99))


@dataclass(frozen=True)
class Seen:
    """One file: its kind, whether a spec can name it, and its requirements."""

    file: str
    kind: str
    """In words, for messages: ``a requirements file``."""
    use: Literal["pip", "conda"] | None = None
    """The key of the spec that can hold it; None where none can."""
    requirements: tuple[str, ...] = ()
    """What a file that the spec cannot name asks pip for, to be written into the spec."""
    files: tuple[str, ...] = ()
    """Requirements files that stand for this one."""
    advice: str | None = None
    """Where no key can hold it: what to do with it."""
    name: str | None = None
    python: WantedPython | None = None
    notes: tuple[str, ...] = ()
    """What in the file is not as it should be, each with the file's name."""
    rank: int = 0
    """Among files that could be used, the lowest is."""


def by_specifier(file: str, text: object, written: str | None = None) -> WantedPython | None:
    """Return what a PEP 440 specifier allows; None for what is none."""
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        accepted = SpecifierSet(text)
    except InvalidSpecifier:
        return None
    return WantedPython(file, written or text, accepted.contains)


def unusable_specifier(file: str, key: str, text: object) -> tuple[str, ...]:
    """Return a note where a file's versions of Python are no PEP 440 specifier."""
    if text is None or (isinstance(text, str) and by_specifier(file, text)):
        return ()
    return (f"{file}: {key} {text!r} is no specifier of versions, and is not followed",)


def by_version(file: str, text: str, written: str | None = None) -> WantedPython | None:
    """Return what a version, such as ``3.11`` or ``3.11.4``, allows: it and its patch releases."""
    match = re.fullmatch(r"v?(\d+\.\d+)(\.\d+)?(\.\*)?", text.strip())
    return by_specifier(file, f"=={match[1]}.*", written or text) if match else None


def table(value: Mapping[str, Any] | Any, *names: str) -> dict[str, Any]:
    """Return a table within a document; empty where there is none, or something else."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> list[str]:
    """Return the texts of a list; empty for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
