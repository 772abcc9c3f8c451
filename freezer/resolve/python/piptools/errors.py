"""Translates pip's messages to errors with the user's line and the next step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from freezer.errors import ResolveError
from freezer.fetch.http.redact import redact
from freezer.fetch.python.filenames import name_and_version
from freezer.resolve.python.no_wheel import Unavailable, explain_unavailable, is_available

if TYPE_CHECKING:
    from freezer.errors import FreezerError
    from freezer.fetch.python.index import PythonIndex
    from freezer.resolve.python.interface import PipRequest, PipRequirement

_NONE = re.compile(
    r"(?:No matching distribution found for|Could not find a version that satisfies the "
    r"requirement) (?P<requirement>[^\n(]+)(?:\(from (?P<by>[^)\s]+))?"
)
_INVALID = re.compile(
    r"Ignoring version (?P<version>\S+) of (?P<name>\S+) since it has invalid metadata"
)
_CAUSE = re.compile(
    r"RequirementInformation\(requirement=\w+\('(?P<wanted>[^']+)'\), "
    r"parent=(?:ExtrasCandidate\(base=)?(?:\w+\('?)?(?P<by>None|[^')]+)"
)
_LINE = re.compile(r"ERROR|(?<![\w.])[\w.]{1,200}?(?:Error|Exception|NotFound|Impossible)\b")
_LONGEST = 1 << 18
"""Maximum characters of output to parse."""
_STEPS = 12


def blamed(stderr: str) -> frozenset[str]:
    """Return the packages without a matching file, or in conflict (normalised)."""
    words = [match["requirement"] for match in _NONE.finditer(stderr)]
    words += [wanted for wanted, _ in _CAUSE.findall(stderr)]
    found = (_requirement(text) for text in words)
    return frozenset(canonicalize_name(item.name) for item in found if item is not None)


def explain_pip(stderr: str, request: PipRequest, index: PythonIndex) -> FreezerError:
    """Return the error for a failed run of pip-compile."""
    text = redact(stderr[:_LONGEST])
    if match := _INVALID.search(text):
        return _invalid(match, text)
    for match in _NONE.finditer(text):
        wanted = _requirement(match["requirement"])
        if wanted is not None:
            return _missing(wanted, match["by"], request, index)
    for output, by in _CAUSE.findall(text):
        wanted = _requirement(output)
        if wanted is not None and not _is_available(wanted, request, index):
            return _missing(wanted, _parent(by).split()[0], request, index)
    return _conflict(text, request)


def _is_available(wanted: Requirement, request: PipRequest, index: PythonIndex) -> bool:
    return canonicalize_name(wanted.name) in request.provided or is_available(
        canonicalize_name(wanted.name), str(wanted.specifier), request, index
    )


def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text.strip())
    except InvalidRequirement:
        return None


def _missing(
    wanted: Requirement, by: str | None, request: PipRequest, index: PythonIndex
) -> ResolveError:
    name = canonicalize_name(wanted.name)
    mine = next((item for item in request.requirements if item.name == name), None)
    chain = None if mine or by in (None, "-r", "None") else re.split(r"[=<>!~\[]", by)[0]
    where = mine.where if mine else None
    if where is None and chain is not None:
        parent = canonicalize_name(chain)
        where = next((item.where for item in request.requirements if item.name == parent), None)
    return explain_unavailable(
        Unavailable(name, str(wanted.specifier), where, chain), request, index
    )


def _conflict(text: str, request: PipRequest) -> ResolveError:
    found = list(dict.fromkeys(_CAUSE.findall(text)))
    if not found:
        output = [line.strip() for line in text.splitlines() if _LINE.match(line.strip())]
        return ResolveError(
            "pip-tools could not resolve the requirements", details=output[-_STEPS:]
        )
    every = (*request.requirements, *request.constraints)
    causes = [item for item in every if _is_cause(item, found)]
    details = [f"{item.requirement} is requested in {item.where}" for item in causes[:6]]
    needs = [f"{_parent(by)} needs {wanted}" for wanted, by in found if by != "None"]
    return ResolveError(
        "these requirements conflict",
        where=causes[0].where if causes else None,
        details=[*needs[:_STEPS], *details],
        hint="loosen one of the versions named above",
    )


def _is_cause(item: PipRequirement, found: list[tuple[str, str]]) -> bool:
    """Return whether a requirement is a cause of a conflict, directly or through another."""
    needed = (_requirement(text) for text, _ in found)
    names = {canonicalize_name(one.name) for one in needed if one is not None}
    return item.name in names | {_parent(by).split()[0] for _, by in found if by != "None"}


def _parent(by: str) -> str:
    """Return ``tensorflow 2.15.0`` from pip's description of a dependent."""
    file = unquote(re.split(r"[\s#]", by)[0]).rpartition("/")[2]
    found = name_and_version(file)
    return f"{found[0]} {found[1]}" if found else file


def _invalid(match: re.Match[str], text: str) -> ResolveError:
    lines = [line.strip() for line in text[match.end() :].splitlines()[1:3]]
    return ResolveError(
        f"pip refuses {match['name']} {match['version']}: its metadata is not valid",
        found=next((line for line in lines if line and not line.startswith("Requested")), None),
        hint=f"use `resolver: uv`, which accepts it, or another {match['name']}",
    )
