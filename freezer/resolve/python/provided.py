"""Python packages that conda has installed already, as pip's resolvers see them.

A resolver has to know that such a package is there at one version, that it needs nothing more, and
that it is not to be fetched. No resolver can be told so in words; but each of them takes a wheel
from a folder of links. So every held package gets a stand-in: an empty wheel of its version with
the local label ``conda`` (``2.5.1+conda``), which specifiers without a local label match as they
match ``2.5.1`` (PEP 440), and a constraint on that very version. Stand-ins are taken out of the
answer again: none of them is ever locked.
"""

from __future__ import annotations

import re
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from freezer.errors import ResolveError, Where
from freezer.resolve.python.interface import PipRequirement, Provided, Resolution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.resolve.python.interface import PipRequest

_LABEL = "conda"
_MARKED = re.compile(
    rf"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*?)={{2,3}}(?P<version>[^\s,+]+)\+{_LABEL}"
)
_WHERE = Where("conda")


@contextmanager
def with_stand_ins(request: PipRequest, store: Store) -> Iterator[PipRequest]:
    """Give the request in which held packages are there already; for as long as the block lasts."""
    if not request.provided:
        yield request
        return
    with store.scratch() as folder:
        for name, held in request.provided.items():
            _write(folder, name, _labelled(held))
        links = folder.as_uri()
        constraints = tuple(
            PipRequirement(Requirement(f"{name}=={_labelled(held)}"), _WHERE)
            for name, held in sorted(request.provided.items())
        )
        yield replace(
            request,
            constraints=(*request.constraints, *constraints),
            indexes=replace(request.indexes, find_links=(links, *request.indexes.find_links)),
            keep={
                name: text for name, text in request.keep.items() if name not in request.provided
            },
            stand_ins=links,
        )


def without_stand_ins(answer: Resolution, held: Mapping[str, Provided]) -> Resolution:
    """Return an answer with nothing in it that is held already."""
    if not held:
        return answer
    packages = tuple(
        package.model_copy(
            update={"requires": tuple(name for name in package.requires if name not in held)}
        )
        for package in answer.packages
        if package.name not in held
    )
    return Resolution(packages, answer.warnings)


def clash(error: ResolveError, held: Mapping[str, Provided]) -> ResolveError:
    """Return an error that names both sides where it is about held packages, else the error."""
    said = "\n".join([error.what, error.found or "", error.expected or "", *error.details])
    names = dict.fromkeys(match["name"].lower() for match in _MARKED.finditer(said))
    mine = [name for name in names if name in held]
    if not mine:
        return error
    first = held[mine[0]]
    return ResolveError(
        "a pip requirement clashes with a conda package",
        where=error.where,
        details=[
            *(_in_words(text) for text in error.details),
            *(f"{name} {held[name].version} comes from {held[name].by}" for name in mine),
        ],
        hint=f"loosen the pip requirement, or ask conda for another {first.package}; pip never "
        "replaces what conda installs",
    )


def _in_words(text: str) -> str:
    return text.replace(f"+{_LABEL}", " (conda's)")


def _labelled(held: Provided) -> str:
    return f"{Version(held.version).public}+{_LABEL}"


def _write(folder: Path, name: str, version: str) -> None:
    """Write an empty wheel; it is read by a resolver, and never installed."""
    stem = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        info = f"{stem}.dist-info"
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
