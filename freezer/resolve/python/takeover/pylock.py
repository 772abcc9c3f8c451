"""``pylock.toml`` (PEP 751), parsed and selected from by ``packaging``."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockUnsupportedVersionError,
    PylockValidationError,
)

from freezer.errors import ResolveError, SpecError, Where
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import join_url
from freezer.model.canonical import digest
from freezer.model.parsing import TomlError, parse_toml
from freezer.resolve.python.pins import Pin
from freezer.resolve.python.tags import marker_environment, wheel_tags
from freezer.resolve.python.takeover.pins import (
    LockedPin,
    Refusals,
    address_problem,
    candidate,
    full_commit,
    git_pin,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.lock import Target

    Source = PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist


@dataclass(frozen=True)
class PylockPackages:
    """The packages of a ``pylock.toml``."""

    shown: str
    digest: str
    document: Pylock
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    overrides: tuple[str, ...] = ()

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes in the file, without duplicates."""
        found = (package.index for package in self.document.packages)
        return tuple(dict.fromkeys(index for index in found if index))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the file may not be understood."""
        version = self.document.lock_version
        warning = (
            f"{self.shown} (lock-version): {version} is newer than 1.0, which is understood; what "
            "is new in it is not"
        )
        return (warning,) if version.minor else ()

    def pins(self, target: Target) -> tuple[LockedPin, ...]:
        """Return the packages for a target. Raises ``SpecError``, ``ResolveError``."""
        try:
            selected = list(
                self.document.select(
                    environment=marker_environment(target),  # type: ignore[arg-type]
                    tags=wheel_tags(target),
                    extras=self.extras,
                    dependency_groups=self.groups or None,
                )
            )
        except (PylockSelectError, UndefinedComparison, UndefinedEnvironmentName) as error:
            raise ResolveError(
                "the lock is not for this target",
                where=Where(self.shown),
                found=str(error),
                expected=f"Python {target.python.version}, glibc {target.glibc}, "
                f"{target.architecture}",
                hint="lock it for this target too",
            ) from error
        refusals = Refusals(self.shown)
        pins = [self._pin(*item, refusals) for item in selected]
        refusals.require_none()
        return tuple(pin for pin in pins if pin is not None)

    def _pin(self, package: Package, source: Source, refusals: Refusals) -> LockedPin | None:
        version = str(package.version) if package.version else None
        if isinstance(source, PackageDirectory):
            # `uv export` lists the project itself; only its dependencies are locked.
            if source.path not in (".", "./"):
                refusals.add(package.name, version, f"from the folder {source.path}")
            return None
        if isinstance(source, PackageVcs):
            address = f"{source.type}+{source.url or source.path}@{source.commit_id}"
            below = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
            git = full_commit(package.name, address + below, Where(self.shown))
            if git is not None:
                return git_pin(package.name, version or "", git, requires=_requires(package))
            refusals.add(package.name, version, f"from version control ({address})")
            return None
        sha256 = _sha256(source)
        problem = address_problem(source.url or f"file:{source.path}", sha256)
        if problem or source.url is None:
            refusals.add(package.name, version, problem or "without an address")
            return None
        file = candidate(join_url(package.index or "", source.url), sha256, source.size)
        if isinstance(source, PackageArchive):
            pin = Pin(package.name, version or "", direct=file)
        elif isinstance(source, PackageWheel):
            pin = Pin(package.name, version or "", wheels=(file,))
        else:
            pin = Pin(package.name, version or "", sdist=file)
        return LockedPin(pin, Where(self.shown), _requires(package))


def read_pylock(
    text: str, shown: str, extras: Sequence[str], groups: Sequence[str]
) -> PylockPackages:
    """Return the packages of a ``pylock.toml``. Raises ``SpecError`` for a file that is none."""
    # What packaging logs (an unknown minor version) is a warning of this lock instead.
    logging.getLogger("packaging.pylock").addHandler(logging.NullHandler())
    try:
        document = Pylock.from_dict(parse_toml(text))
    except TomlError as error:
        raise SpecError("not valid TOML", where=Where(shown), found=str(error)) from error
    except PylockUnsupportedVersionError as error:
        raise SpecError(
            "a pylock.toml of an unknown version",
            where=Where(shown, key="lock-version"),
            found=str(error),
            expected="1.0",
            hint="write it anew with a tool that writes version 1.0, or name what it was made from",
        ) from error
    except (PylockValidationError, ValueError, TypeError) as error:
        raise SpecError(
            "not a valid pylock.toml (PEP 751)",
            where=Where(shown),
            found=redact(str(error)),
            hint="regenerate it with the tool that wrote it",
        ) from error
    _require_offered(shown, "extra", extras, document.extras or ())
    offered = [*(document.dependency_groups or ()), *(document.default_groups or ())]
    _require_offered(shown, "dependency group", groups, offered)
    key = digest(f"{text}\0{sorted(extras)}\0{sorted(groups)}".encode())
    return PylockPackages(shown, key, document, tuple(extras), tuple(groups))


def _require_offered(shown: str, kind: str, wanted: Sequence[str], offered: Sequence[str]) -> None:
    """Raise ``SpecError`` for an extra or group that the file was not locked for."""
    for name in wanted:
        if name not in offered:
            raise SpecError(
                f"the lock has no {kind} {name!r}",
                where=Where(shown),
                found=", ".join(sorted(offered)) or "none",
                hint="lock it with that too, or remove it from the spec",
            )


def _sha256(source: PackageArchive | PackageWheel | PackageSdist) -> str | None:
    value = source.hashes.get("sha256")
    return value.lower() if value and re.fullmatch(r"[0-9a-fA-F]{64}", value) else None


def _requires(package: Package) -> tuple[str, ...] | None:
    if package.dependencies is None:
        return None
    names: list[Any] = [item.get("name") for item in package.dependencies]
    return tuple(sorted({name for name in names if isinstance(name, str)}))
