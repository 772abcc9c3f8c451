"""Python packages that conda installs, as visible to pip's resolvers.

A resolver must treat such a package as installed at one version, without dependencies, and must not
fetch it. No resolver has an option for that, but all accept wheels from a link folder. So each
provided package gets a stand-in: an empty wheel of its version with the local label ``conda``
(``2.5.1+conda``), which specifiers without a local label match as they match ``2.5.1`` (PEP 440),
and a constraint to exactly that version. Stand-ins are removed from the resolution: none is ever
locked.
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
    """Yield the request with stand-ins for provided packages; they exist within the block."""
    if not request.provided:
        yield request
        return
    with store.scratch() as folder:
        for name, provided in request.provided.items():
            _write(folder, name, _labelled(provided))
        links = folder.as_uri()
        constraints = tuple(
            PipRequirement(Requirement(f"{name}=={_labelled(provided)}"), _WHERE)
            for name, provided in sorted(request.provided.items())
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


def without_stand_ins(answer: Resolution, provided: Mapping[str, Provided]) -> Resolution:
    """Return the resolution without provided packages."""
    if not provided:
        return answer
    packages = tuple(
        package.model_copy(
            update={"requires": tuple(name for name in package.requires if name not in provided)}
        )
        for package in answer.packages
        if package.name not in provided
    )
    return Resolution(packages, answer.warnings)


def clash(error: ResolveError, provided: Mapping[str, Provided]) -> ResolveError:
    """Return an error that names both sides when it is about provided packages, else ``error``."""
    message = "\n".join([error.what, error.found or "", error.expected or "", *error.details])
    names = dict.fromkeys(match["name"].lower() for match in _MARKED.finditer(message))
    mine = [name for name in names if name in provided]
    if not mine:
        return error
    first = provided[mine[0]]
    return ResolveError(
        "a pip requirement conflicts with a conda package",
        where=error.where,
        details=[
            *(_in_words(text) for text in error.details),
            *(f"{name} {provided[name].version} comes from {provided[name].by}" for name in mine),
        ],
        hint=f"relax the pip requirement, or request another {first.package} from conda; "
        "pip never replaces what conda installs",
    )


def _in_words(text: str) -> str:
    return text.replace(f"+{_LABEL}", " (conda's)")


def _labelled(provided: Provided) -> str:
    return f"{Version(provided.version).public}+{_LABEL}"


def _write(folder: Path, name: str, version: str) -> None:
    """Write an empty wheel for a resolver to read; it is never installed."""
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
