"""Freezer's runtime as one file, and the interface between the host and the runtime.

The runtime is the package ``freezer_inside``, which every image holds. A lock names it by one
SHA-256 over all of its modules: for each the path, NUL, its length in decimal, NUL, its content.
The stored file consists of exactly those bytes, so its name is its own SHA-256, and `sha256sum`
verifies it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from freezer.errors import IntegrityError, LockError, Where
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.lock import ImageRuntime

FIRST: Final = 1
"""The interface of a lock that names none."""
UNDERSTOOD: Final = frozenset({1})
"""Interfaces that this version of Freezer supports; docs/reference/inside.md describes each."""
LARGEST: Final = 16 << 20
"""Bytes of a runtime; one has about 130,000."""
_MOST: Final = 1000
_PATH: Final = re.compile(r"freezer_inside(/[A-Za-z_][A-Za-z0-9_]{0,99}){1,8}\.py")
_HEAD: Final = re.compile(rb"([^\0]{1,900})\0(0|[1-9][0-9]{0,8})\0")
_ASKED: Final = ("__init__", "bytecode", "fingerprint", "record", "smoke", "verify")
"""Modules by which the host builds and checks."""


def unpack(data: bytes, sha256: str, shown: str) -> dict[str, bytes]:
    """Return the modules in a runtime by path, such as ``freezer_inside/smoke.py``.

    ``shown`` is its place in messages. Raises ``IntegrityError`` when it does not hash to
    ``sha256``, or holds anything but the modules of that package.
    """
    if len(data) > LARGEST or digest(data) != sha256:
        raise _refused(shown, f"bytes that hash to {digest(data)[:12]}", f"{sha256[:12]}, its name")
    found: dict[str, bytes] = {}
    for path, content in _members(data, shown):
        if not _PATH.fullmatch(path):
            raise _refused(shown, f"a file {path[:200]!r}")
        if path in found or len(found) >= _MOST:
            raise _refused(shown, f"{path} twice" if path in found else f"over {_MOST} files")
        found[path] = content
    if missing := [name for name in _ASKED if f"freezer_inside/{name}.py" not in found]:
        raise _refused(shown, f"no {', '.join(f'{name}.py' for name in missing)}")
    return found


def _members(data: bytes, shown: str) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(data):
        head = _HEAD.match(data, at)
        end = head.end() + int(head[2]) if head else 0
        if head is None or end > len(data):
            raise _refused(shown, f"byte {at} begins no file")
        yield head[1].decode("ascii", "backslashreplace"), data[head.end() : end]
        at = end


def require_interface(inside: ImageRuntime) -> None:
    """Raise ``LockError`` when this Freezer does not support the runtime's interface."""
    interface = inside.interface or FIRST
    if interface in UNDERSTOOD:
        return
    known = " or ".join(map(str, sorted(UNDERSTOOD)))
    raise LockError(
        "Freezer's runtime has an interface that this Freezer does not support",
        found=f"interface {interface}, of freezer_inside {inside.version} ({inside.sha256[:12]})",
        expected=f"interface {known}",
        hint="use a newer Freezer"
        if interface > max(UNDERSTOOD)
        else "use the Freezer that made the lock, or run `freeze lock`",
    )


def _refused(shown: str, found: str, expected: str | None = None) -> IntegrityError:
    return IntegrityError(
        "this is not the stored copy of Freezer's runtime",
        where=Where(shown),
        found=found,
        expected=expected or "modules of freezer_inside, and nothing else",
        hint="restore it from version control; it was edited, cut off or tampered with",
    )
