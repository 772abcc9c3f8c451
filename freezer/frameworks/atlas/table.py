"""The form of the measured facts, and how they are read: strictly, and a file at a time.

A file has a seal, the digest of everything else in it. No row is edited by hand: an edited file
has a wrong seal and is not read. Each row keeps the digests that it was derived from.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from packaging.version import InvalidVersion, Version
from pydantic import Field, StringConstraints, ValidationError, model_validator

from freezer.errors import HostError, Where
from freezer.frameworks.description import Effect, Factor
from freezer.model.base import Model, Sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.model.lock import Lock

DATA: Final = Path(__file__).parent / "data"
FORMAT: Final = 1
"""Raised when a file takes another form; files of other numbers are not read."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=600)]
Bits = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
"""The first digits of the SHA-256 of a result."""
Day = Annotated[str, StringConstraints(pattern=r"^20\d\d-[01]\d-[0-3]\d$")]
By = Literal["argument", "environment"]
"""Where the number of threads comes from: an argument of the call, or environment variables."""


class Row(Model):
    """What one factor does to the result of one operation."""

    operation: Text
    versions: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Those that were measured, oldest first. Of others nothing is claimed."""
    factor: Factor
    effect: Effect
    by: By | None = None
    """For thread counts: how they were varied."""
    finding: Text
    note: Text | None = None
    """What the trial's author adds: the cause, or where users meet it."""
    setting: Text | None = None
    """What stops it, verified by the same measurement."""
    variables: dict[str, str] = Field(default_factory=dict)
    """The setting as environment variables, where it is some."""
    how: Text
    date: Day
    digests: dict[str, dict[str, tuple[Bits, ...]]]
    """Version to level of the factor to the different results there, in order of appearance."""


class Release(Model):
    """What a stream gives in one release."""

    version: Text
    bits: Bits | None = None
    """None where the operation does not exist, or does not run."""


class Stream(Model):
    """Numbers that a seed gives, or bits that an operation gives, release by release."""

    operation: Text
    note: Text | None = None
    how: Text
    date: Day
    releases: Annotated[tuple[Release, ...], Field(min_length=2)]
    """Oldest first. Next to each change both neighbours were measured."""

    def bits(self, version: str) -> str | None:
        """Return the result of a version; None where it is not known.

        A version between two that have the same result has it too; a later patch release of the
        newest minor release that was measured has that one's.
        """
        wanted = _version(version)
        if wanted is None:
            return None
        known = [(Version(item.version), item.bits) for item in self.releases]
        before = [item for item in known if item[0] <= wanted]
        after = [item for item in known if item[0] >= wanted]
        if before and after:
            return before[-1][1] if before[-1][1] == after[0][1] else None
        if before and before[-1][0].release[:2] == wanted.release[:2]:
            return before[-1][1]
        return None

    def changes(self) -> tuple[tuple[str, str], ...]:
        """Return the neighbouring releases between which the result changed."""
        pairs = zip(self.releases, self.releases[1:], strict=False)
        return tuple(
            (old.version, new.version)
            for old, new in pairs
            if old.bits is not None and new.bits is not None and old.bits != new.bits
        )


class Sheet(Model):
    """Everything that was measured of one library."""

    schema_: Literal[1] = FORMAT
    package: Text
    """Name on the Python package index."""
    also: tuple[Text, ...] = ()
    """Further distributions of the same library: ``opencv-python``."""
    title: Text
    trial: Sha256
    """Digest of the trial that measured it."""
    cpu: Text
    python: Text
    environments: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Version to every package that was installed with it."""
    rows: tuple[Row, ...] = ()
    streams: tuple[Stream, ...] = ()
    seal: Sha256

    @model_validator(mode="after")
    def _sealed(self) -> Sheet:
        if seal(self) != self.seal:
            raise ValueError("the seal does not fit: the file was edited, or is damaged")
        return self


def seal(sheet: Sheet) -> str:
    """Return the digest of everything in a sheet but its seal."""
    return seal_of(sheet.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def seal_of(document: Mapping[str, object]) -> str:
    """Return the digest of a document of this form, whatever its ``seal`` says."""
    rest = {name: value for name, value in document.items() if name != "seal"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def parse_sheet(data: bytes, shown: str) -> Sheet:
    """Return a sheet. Raises ``HostError`` for anything that is none."""
    try:
        return Sheet.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise HostError(
            "a file of measured facts is damaged",
            where=Where(shown, key=place or None),
            found=first["msg"],
            hint="install Freezer again; in a checkout run `python -m benchmarks.atlas`",
        ) from error


@cache
def packages() -> tuple[str, ...]:
    """Return the libraries that were measured, sorted. Reads no file."""
    return tuple(sorted(path.stem for path in DATA.glob("*.json") if path.stem != "aliases"))


@cache
def _aliases() -> Mapping[str, str]:
    """Return distribution to library, where a library has several: one small file."""
    try:
        found: Mapping[str, str] = json.loads((DATA / "aliases.json").read_bytes())
    except FileNotFoundError:
        return {}
    return found


def sheet(package: str) -> Sheet | None:
    """Return what was measured of a library, by any of its distributions; None for nothing."""
    return _read(_aliases().get(package, package))


@cache
def _read(name: str) -> Sheet | None:
    if name not in packages():  # a lock or a user may name anything, a path as well
        return None
    path = DATA / f"{name}.json"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return parse_sheet(data, path.name)


def covers(versions: Iterable[str], version: str) -> bool:
    """Return whether a version was measured, or lies between measured ones, or is their patch."""
    locked = _version(version)
    if locked is None:
        return False
    tried = [Version(text) for text in versions]
    return min(tried) <= locked <= max(tried) or any(
        locked.release[:2] == one.release[:2] for one in tried
    )


def changed_streams(package: str, before: str, after: str) -> tuple[Stream, ...]:
    """Return the streams of a package that give other numbers in another version."""
    found = sheet(package)
    if found is None or before == after:
        return ()
    return tuple(item for item in found.streams if _differs(item.bits(before), item.bits(after)))


def _differs(old: str | None, new: str | None) -> bool:
    return old is not None and new is not None and old != new


def locked_versions(lock: Lock, python_names: Mapping[str, str]) -> dict[str, str]:
    """Return the locked Python packages, by distribution, with conda's under their Python names."""
    found = ((of_conda(item.name, python_names), item.version) for item in lock.conda)
    versions = {name: version for name, version in found if name is not None}
    return versions | {item.name: item.version for item in lock.pip}


_OTHERS_IN_CONDA: Final = {
    "igraph": None,
    "python-igraph": "igraph",
    "python-xxhash": "xxhash",
    "xxhash": None,
}
"""Conda packages that are other libraries than the Python packages of that name, here their C
libraries, and the conda packages that are those; versions of the two have nothing in common."""


def of_conda(name: str, python_names: Mapping[str, str]) -> str | None:
    """Return the Python distribution that a conda package is; None for another library."""
    if name in _OTHERS_IN_CONDA:
        return _OTHERS_IN_CONDA[name]
    return python_names.get(name, name)


def _version(text: str) -> Version | None:
    try:
        return Version(text.partition("+")[0])
    except InvalidVersion:  # conda has versions that are invalid for Python packages
        return None


_MODULES: Final = {
    "category-encoders": "category_encoders",
    "chroma-hnswlib": "hnswlib",
    "faiss-cpu": "faiss",
    "fasttext-wheel": "fasttext",
    "imbalanced-learn": "imblearn",
    "interpret-core": "interpret",
    "iterative-stratification": "iterstrat",
    "opencv-python-headless": "cv2",
    "opentsne": "openTSNE",
    "pot": "ot",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "tensorflow-cpu": "tensorflow",
    "umap-learn": "umap",
}
"""Names under which libraries are imported, where their packages have others."""


def library(name: str, python_names: Mapping[str, str]) -> Sheet | None:
    """Return what was measured of a library by any name: of a distribution, in conda, in imports.

    The names are those that people type: ``sklearn``, ``pytorch``, ``cv2``.
    """
    found = sheet(name) or sheet(of_conda(name, python_names) or name)
    if found is not None:
        return found
    by_module = {module.lower().replace("_", "-"): package for package, module in _MODULES.items()}
    return sheet(by_module[name]) if name in by_module else None


def module_name(package: str) -> str:
    """Return the name under which a library is imported, by any of its distributions."""
    library = _aliases().get(package, package)
    return _MODULES.get(library, library.replace("-", "_"))
