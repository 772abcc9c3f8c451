"""Collects all requirements of a spec's conda half, from its lists and its file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freezer.errors import SpecError, Where
from freezer.fetch.conda.channels import public_url, read_channels
from freezer.fetch.config import Config
from freezer.model.canonical import digest, json_bytes
from freezer.resolve.conda.envfile import EnvironmentFile, read_environment
from freezer.resolve.conda.matchspec import read_spec
from freezer.resolve.python.takeover.pins import FixedPackages

if TYPE_CHECKING:
    from freezer.model.spec.spec import CondaSpec
    from freezer.resolve.conda.solver.interface import CondaChannel, CondaRequirement, Subdir
    from freezer.resolve.conda.takeover.pins import CondaPin
    from freezer.resolve.python.takeover.pins import LockedPackages, LockedPin

SPEC_FILE = "freeze.yaml"
_LARGEST = 64 << 20
"""Maximum bytes; a pixi.lock of many environments has a few million."""
_TOP_KEY = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


@dataclass
class CondaRequirements:
    """The conda requirements of a spec for one platform."""

    channels: tuple[CondaChannel, ...] = ()
    """Highest priority first."""
    specs: tuple[CondaRequirement, ...] = ()
    pip: tuple[tuple[str, Where], ...] = ()
    """Lines of a requirements file, each with its location."""
    locked_pip: LockedPackages | None = None
    """The Python packages of an existing lock; ``pip`` is then empty."""
    pip_folder: Path | None = None
    """The folder that paths in ``pip`` are relative to."""
    warnings: tuple[str, ...] = ()
    locked: tuple[CondaPin, ...] = ()
    """Packages of an existing lock, used without solving; ``specs`` is then empty."""
    lines: list[Any] = field(default_factory=list)
    """The requirements as JSON data, for the digest: without comments, locations and secrets."""


def gather_conda(
    folder: Path,
    spec: CondaSpec,
    python: str,
    *,
    config: Config | None = None,
    subdir: Subdir = "linux-64",
) -> CondaRequirements:
    """Collect the requirements of a spec's conda half, relative to ``folder``.

    ``python`` is the spec's (``3.11``) and becomes a requirement of its own. Raises ``SpecError``
    with the location.
    """
    gatherer = _Gatherer(folder, spec, config or Config(), subdir)
    if spec.file is not None:
        data = _read(folder, spec.file)
        if kind := lock_kind(data):
            return gatherer.from_lock(kind, spec.file)
        return gatherer.from_lists(read_environment(data, spec.file, subdir, python), python)
    return gatherer.from_lists(EnvironmentFile(), python)


def pip_part(
    folder: Path, spec: CondaSpec, python: str, subdir: Subdir = "linux-64"
) -> tuple[tuple[tuple[str, Where], ...], Path]:
    """Return the pip part of a spec's ``environment.yml``, regardless of its other errors.

    It lets the errors of both halves be reported at once; empty when the file cannot be parsed at
    all.
    """
    below = (folder / (spec.file or ".")).parent
    try:
        data = _read(folder, spec.file) if spec.file else b""
        if not data or lock_kind(data):
            return (), below
        return tuple(read_environment(data, spec.file or "", subdir, python).pip), below
    except SpecError:
        return (), below


def lock_kind(data: bytes) -> str | None:
    """Return ``explicit``, ``conda-lock`` or ``pixi`` for a lock file, else None."""
    text = data.decode("utf-8", "replace")
    if re.search(r"^@EXPLICIT\s*$", text, re.MULTILINE):
        return "explicit"
    keys = set(_TOP_KEY.findall(text))
    if {"metadata", "package"} <= keys:
        return "conda-lock"
    return "pixi" if {"environments", "packages"} <= keys else None


class _Gatherer:
    def __init__(self, folder: Path, spec: CondaSpec, config: Config, subdir: Subdir) -> None:
        self._folder = folder
        self._spec = spec
        self._config = config
        self._subdir = subdir

    def from_lists(self, file: EnvironmentFile, python: str) -> CondaRequirements:
        """Return the requirements of the spec's lists and of an environment file."""
        below = (self._folder / (self._spec.file or ".")).parent
        texts = [
            *((text, where, self._folder) for text, where in self._own_specs(python)),
            *((text, where, below) for text, where in file.specs),
        ]
        read = []
        for text, where, base in texts:
            with file.faults.collect():
                read.append((*read_spec(text, where, folder=base, config=self._config), base))
        warnings = list(file.warnings)
        written = [
            *((text, where, self._folder) for text, where in self._own_channels()),
            *((text, where, below) for text, where in file.channels),
        ]
        if not written:
            warnings.append("no channel is named, so `defaults` is used, as conda does")
            written = [("defaults", Where(SPEC_FILE, key="conda.channels"), self._folder)]
        written += [(channel, item.where, base) for item, channel, base in read if channel]
        with file.faults.collect():
            _require_folders(written)
        file.faults.require_none()
        channels = self._channels(written)
        return CondaRequirements(
            channels=channels,
            specs=tuple(item for item, _, _ in read),
            pip=tuple(file.pip),
            pip_folder=below,
            warnings=tuple(warnings),
            lines=[
                ["channels", [channel.name for channel in channels], _without_secrets(written)],
                ["specs", [[item.channel, item.text] for item, _, _ in read]],
            ],
        )

    def from_lock(self, kind: str, label: str) -> CondaRequirements:
        """Return the packages of an existing lock."""
        from freezer.resolve.conda.takeover.read import read_lock

        if self._spec.dependencies:
            raise SpecError(
                f"{label} is a lock and is used as it is",
                where=Where(SPEC_FILE, key="conda.dependencies"),
                hint="remove `dependencies`, or name the environment.yml that it was made from",
            )
        taken = read_lock(kind, self._folder / label, label, self._subdir, self._config)
        return CondaRequirements(
            channels=tuple({pin.channel.name: pin.channel for pin in taken.pins}.values()),
            locked_pip=_locked_pip(label, taken.pip),
            warnings=tuple(taken.warnings),
            locked=tuple(taken.pins),
            lines=[["locked", [pin.line() for pin in taken.pins]]],
        )

    def _channels(self, written: list[tuple[str, Where, Path]]) -> tuple[CondaChannel, ...]:
        """Return the channels without duplicates, folders relative to the file that names them."""
        texts = [(_anchored(text, base), where) for text, where, base in written]
        return read_channels(texts, folder=self._folder, config=self._config)

    def _own_channels(self) -> list[tuple[str, Where]]:
        return [
            (text, Where(SPEC_FILE, key=f"conda.channels[{number}]"))
            for number, text in enumerate(self._spec.channels)
        ]

    def _own_specs(self, python: str) -> list[tuple[str, Where]]:
        own = [
            (text, Where(SPEC_FILE, key=f"conda.dependencies[{number}]"))
            for number, text in enumerate(self._spec.dependencies)
        ]
        return [(f"python={python}", Where(SPEC_FILE, key="python")), *own]


def _locked_pip(label: str, pins: list[LockedPin]) -> LockedPackages | None:
    if not pins:
        return None
    lines = [[item.pin.name, item.pin.version, *map(str, _hashes(item))] for item in pins]
    return FixedPackages(label, digest(json_bytes(sorted(lines))), tuple(pins))


def _hashes(item: LockedPin) -> list[str | None]:
    files = (*item.pin.wheels, item.pin.sdist, item.pin.direct)
    return [file.sha256 for file in files if file is not None]


def _require_folders(written: list[tuple[str, Where, Path]]) -> None:
    """Raise ``SpecError`` for channels that are missing folders of this machine."""
    for text, where, base in written:
        if text.startswith((".", "/", "~")) and not Path(_anchored(text, base)).is_dir():
            raise SpecError(
                f"the channel {text} is not an existing folder",
                where=where,
                hint="paths are relative to the file that names them",
            )


def _anchored(text: str, base: Path) -> str:
    if text.startswith("~"):
        return str(Path(text).expanduser())
    return str((base / text).absolute()) if text.startswith(".") else text


def _without_secrets(written: list[tuple[str, Where, Path]]) -> list[str]:
    """Return channels as written, without secrets, for the digest."""
    return [public_url(text) for text, _, _ in written]


def _read(folder: Path, name: str) -> bytes:
    where = Where(SPEC_FILE, key="conda.file")
    path = folder / name
    try:
        if path.stat().st_size > _LARGEST:
            raise SpecError(f"{name} is too large", where=where, expected=f"{_LARGEST} bytes")
        return path.read_bytes()
    except OSError as error:
        raise SpecError(
            f"{name} cannot be read",
            where=where,
            found=error.strerror,
            hint="paths are relative to the spec",
        ) from error
