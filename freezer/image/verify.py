"""Verifies that the installed packages are the locked ones.

``freezer_inside/verify.py`` runs in the finished image and lists its contents; this module compares
them with the lock. Any difference fails the build.
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, ValidationError

from freezer.engine.interface import RunOptions
from freezer.errors import VerificationError
from freezer.image.layout import ENVIRONMENT, FREEZER
from freezer.image.tar.canonical import END, Entry, write_entry
from freezer.model.canonical import json_bytes
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from freezer.engine.interface import Engine
    from freezer.model.lock import Lock

_DISPLAYED = 20
_HINT = (
    "the image was not tagged; empty the store, which can be filled again, and build again; "
    "report it if it persists"
)
_STEPS_HINT = (
    "the image was not tagged; see whether one of the 'steps' in freeze.yaml installs or changes "
    "packages, and request them under 'system', 'conda' or 'pip'"
)
_PIECE = 100_000
_COMMAND = (f"{ENVIRONMENT}/bin/python", f"{FREEZER}/freezer_inside/verify.py")
_UPLOADED = "freezer-verify.py"


class Expected(NamedTuple):
    """One path that the image must contain: a file by SHA-256 and mode, or a link by target."""

    kind: str
    """``file`` or ``link``."""
    content: str
    mode: int
    size: int
    """Bytes of a file; 0 for a link."""


class Lister(NamedTuple):
    """What lists the contents of an image that does not contain it: one of lower layers."""

    python: str
    """The path of the base's Python."""
    script: bytes
    """``freezer_inside/verify.py`` of the lock's runtime."""


class Account(BaseModel):
    """The contents of an image, as reported by ``freezer_inside/verify.py``."""

    model_config = ConfigDict(extra="forbid")

    python: str
    prefix: str
    libc: tuple[str, str]
    machine: str
    files: dict[str, tuple[str, str, int, int]]
    rest: bool = False
    """True when all other files are as expected; they are not listed then."""
    debian: list[tuple[str, str, str]] | None
    dpkg_verify: tuple[int, str] | None
    distributions: list[tuple[str, str]]
    pip_check: tuple[int, str] | None


def take_account(
    engine: Engine,
    image: str,
    *,
    hashed: Collection[str] | None = None,
    expected: Mapping[str, Expected] | None = None,
    dpkg: bool = True,
    lister: Lister | None = None,
) -> Account:
    """List the contents of an image. Raises ``VerificationError`` when that fails.

    Only the paths in ``hashed`` are hashed, every file if it is None. The others are compared with
    ``expected`` by name, kind, size and mode inside the image, and are listed only if they differ.
    ``dpkg`` false skips dpkg's own verification. `freezer.image.assemble.verified_layers` selects
    both. Without a ``lister`` the image's own script and Python do it.
    """
    options = RunOptions(
        user="0:0",
        timeout=1800,
        environment={"PYTHONDONTWRITEBYTECODE": "1"},
        read_only=lister is None,
    )
    command = [
        *(_COMMAND if lister is None else (lister.python, "-I", "-S", f"/{_UPLOADED}")),
        *(() if hashed is None else _pieces(hashed)),
        *(() if hashed is None or expected is None else _expected_digest(expected, hashed)),
        *(() if dpkg else ("--no-dpkg",)),
        *((ENVIRONMENT, FREEZER) if lister is None else (ENVIRONMENT,)),
    ]
    files = None if lister is None else _upload(lister.script)
    result = engine.run(image, command, options, files=files)
    if result.exit_code != 0:
        raise VerificationError(
            "the contents of the image could not be listed",
            found=f"exit status {result.exit_code}: {_tail(result.stderr)}",
            hint="run `freeze build --verbose`; if the lock is old, `freeze lock --upgrade`",
        )
    try:
        return Account.model_validate(parse_json(result.stdout))
    except (ValueError, ValidationError) as error:
        raise VerificationError(
            "the list of the image's contents is unreadable",
            found=str(error).splitlines()[0],
            hint="its Python may print other output at startup; run it to see",
        ) from error


def _upload(script: bytes) -> bytes:
    """Return an archive of the script, to be unpacked in a container."""
    target = io.BytesIO()
    write_entry(target, Entry(_UPLOADED, "file", 0o644, len(script)), io.BytesIO(script), 0)
    target.write(END)
    return target.getvalue()


def _pieces(paths: Collection[str]) -> Iterator[str]:
    """Yield a list of paths in argument-sized pieces; Linux allows 128 KiB (``MAX_ARG_STRLEN``)."""
    packed = b64encode(zlib.compress(json_bytes(sorted(paths)))).decode()
    for first in range(0, len(packed), _PIECE):
        yield f"--hash={packed[first : first + _PIECE]}"


def _expected_digest(expected: Mapping[str, Expected], hashed: Collection[str]) -> Iterator[str]:
    yield f"--rest={rest_digest(expected, hashed)}"


def rest_digest(expected: Mapping[str, Expected], hashed: Collection[str]) -> str:
    """Return the digest of all other files, as computed by ``verify.py``."""
    lines = sorted(
        f"{path}\0link\0{fact.content}\0{fact.size}\0\n"
        if fact.kind == "link"
        else f"{path}\0{fact.kind}\0\0{fact.size}\0{fact.mode}\n"
        for path, fact in expected.items()
        if path not in hashed
    )
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def verify(
    lock: Lock,
    account: Account,
    expected: Mapping[str, Expected],
    *,
    hashed: Collection[str] | None = None,
    more: Collection[str] = (),
) -> None:
    """Compare an image's contents with its lock. Raises ``VerificationError`` on any difference.

    Files outside ``hashed`` (None: there are none) may have no hash and are compared by kind, size
    and mode. ``more`` are Python distributions that the lock's steps installed, by normalised name.
    """
    if account.rest and hashed is not None:
        expected = {path: expected[path] for path in hashed}
    differences = [
        *_files(account.files, expected, hashed),
        *_debian(lock, account),
        *_python(lock, account, more),
    ]
    _refuse(lock, differences)


def verify_lower(
    lock: Lock, account: Account, expected: Mapping[str, Expected], hashed: Collection[str] | None
) -> None:
    """Compare an image of some lower layers with what they must contain, as `verify` does."""
    if account.rest and hashed is not None:
        expected = {path: expected[path] for path in hashed}
    _refuse(lock, [*_files(account.files, expected, hashed), *_debian(lock, account)])


def _refuse(lock: Lock, differences: list[str]) -> None:
    if differences:
        rest = len(differences) - _DISPLAYED
        shown = [*differences[:_DISPLAYED], *([f"and {rest} more"] if rest > 0 else [])]
        raise VerificationError(
            "the image does not match the lock",
            details=shown,
            hint=_STEPS_HINT if lock.steps else _HINT,
        )


def _files(
    found: Mapping[str, tuple[str, str, int, int]],
    expected: Mapping[str, Expected],
    hashed: Collection[str] | None,
) -> Iterator[str]:
    for path in sorted(expected.keys() - found.keys()):
        yield f"missing: {path}"
    for path in sorted(found.keys() - expected.keys()):
        yield f"not in the lock: {path}"
    for path in sorted(expected.keys() & found.keys()):
        locked, (kind, content, size, mode) = expected[path], found[path]
        unread = not content and kind == "file" and hashed is not None and path not in hashed
        if (kind, locked.content if unread else content) != (locked.kind, locked.content):
            yield f"other content: {path} ({kind} {content[:12]}, locked {locked.content[:12]})"
        elif kind == "file" and size != locked.size:
            yield f"other content: {path} ({size} bytes, locked {locked.size})"
        elif kind == "file" and mode != locked.mode:
            yield f"other mode: {path} ({mode:o}, locked {locked.mode:o})"


def _debian(lock: Lock, account: Account) -> Iterator[str]:
    wanted = {p.name: (p.version, p.architecture) for p in lock.base.packages}
    wanted.update({p.name: (p.version, p.architecture) for p in lock.debian})
    if account.debian is None:
        yield from (f"missing Debian package: {name}" for name in sorted(wanted))
        return
    found = {name: (version, arch) for name, version, arch in account.debian}
    yield from _compare("Debian package", found, wanted)
    if account.dpkg_verify is not None:
        changed = _changed_files(account.dpkg_verify[1])
        yield from (f"changed after its Debian package was unpacked: {line}" for line in changed)


def _changed_files(output: str) -> Iterator[str]:
    """Yield the paths that ``dpkg --verify`` finds with another digest.

    Lines have the format of ``rpm -V``: a ``5`` in the third column is a different digest; a ``c``
    before the path is a configuration file, which installing may change; ``missing`` files are
    documentation that the base image excludes.
    """
    for line in output.splitlines():
        flags, _, rest = line.partition(" ")
        if len(flags) == 9 and flags[2] == "5" and not rest.lstrip().startswith("c "):
            yield rest.strip()


def _python(lock: Lock, account: Account, more: Collection[str]) -> Iterator[str]:
    wanted = {p.name: p.version for p in lock.pip}
    found: dict[str, str]
    found = {canonicalize_name(name): version for name, version in account.distributions}
    found = {name: found[name] for name in found if name in wanted or name not in more}
    if lock.conda:
        # conda's packages contain distributions of their own; their files are compared already.
        found = {name: version for name, version in found.items() if name in wanted}
    yield from _compare("Python package", found, wanted)
    facts = [
        ("Python", account.python, lock.target.python.version),
        ("glibc", account.libc[1], lock.target.glibc),
        ("architecture", account.machine, lock.target.architecture),
        ("sys.prefix", account.prefix, ENVIRONMENT),
    ]
    yield from (
        f"{what} is {have}, locked {locked}" for what, have, locked in facts if have != locked
    )
    if account.pip_check is None:
        yield "pip check: pip is missing"
    elif account.pip_check[0] != 0:
        lines = account.pip_check[1].strip().splitlines()
        yield from (f"pip check: {line}" for line in lines if _is_ours(line, lock))


_NEEDED = re.compile(r" (?:requires|has requirement) (?P<name>[A-Za-z0-9._-]*[A-Za-z0-9])")
"""In ``pip check`` output: the package that is missing or has another version."""


def _is_ours(line: str, lock: Lock) -> bool:
    """Return whether pip reports a package of its own, and not an overridden version.

    conda's packages satisfy conda's requirements, which often differ from those in their metadata
    for pip.
    """
    if (about := _NEEDED.search(line)) and canonicalize_name(about["name"]) in lock.overrides:
        return False
    name = canonicalize_name(line.split(maxsplit=1)[0]) if line.split() else ""
    return not lock.conda or any(package.name == name for package in lock.pip)


def _compare(what: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterable[str]:
    for name in sorted(found.keys() | wanted.keys()):
        have, locked = found.get(name), wanted.get(name)
        if have is None:
            yield f"missing {what}: {name} {_described(locked)}"
        elif locked is None:
            yield f"{what} not in the lock: {name} {_described(have)}"
        elif have != locked:
            yield f"{what} {name} is {_described(have)}, locked {_described(locked)}"


def _described(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _tail(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip()[-2000:]
