"""Translates uv's messages to errors with the user's line and the next step.

uv explains a failure as a proof. When a single package is the cause, the error lists its releases
on the indexes; otherwise it has the proof itself, without repetitions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from freezer.errors import FetchError, FreezerError, ResolveError
from freezer.fetch.http.redact import redact
from freezer.fetch.python.filenames import project_of
from freezer.resolve.python.index.releases import fitting, releases
from freezer.resolve.python.index.undated import skipped_files
from freezer.resolve.python.no_wheel import (
    Unavailable,
    explain_unavailable,
    is_available,
    no_such_package,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.errors import Where
    from freezer.fetch.python.index import PythonIndex
    from freezer.resolve.python.interface import PipRequest, PipRequirement

# Each repetition is bounded and unambiguous, so that matching untrusted text takes linear time.
_MARKER = re.compile(r"(?<=[\w\]])\{[^{}]{0,2000}\}")
"""uv's suffix of a name with a marker: ``numpy{sys_platform == 'linux'}==1.0``."""
_NAME = r"(?<!\S)(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,120}?)(?:\[[^\]\s]{0,200}\])?"
_CLAUSE = r"[=<>!~]=?=?[^\s,]{1,100}"
_SPECIFIER = rf"(?P<specifier>(?:{_CLAUSE}(?:,{_CLAUSE})*,?)?)"
_NO_FILE = re.compile(
    rf"(?:all versions of )?{_NAME}{_SPECIFIER} (?:has|have) no (?:usable wheels|wheels with)"
)
_NO_BUILD = re.compile(r"Wheels are required for `(?P<name>[^`]+)`")
_NO_SUCH = re.compile(rf"{_NAME} was not found in the (?:package registry|provided)")
_NO_VERSION = re.compile(rf"there (?:is|are) no versions? of {_NAME}{_SPECIFIER}(?=[\s,])")
_NEEDS = re.compile(rf"(?:depends? on|requires?) {_NAME}{_SPECIFIER}(?=[\s,.])")
_INVALID = re.compile(rf"{_NAME}==(?P<version>[^\s,]+) has invalid metadata")
_TOO_NEW = re.compile(
    r"`(?P<name>[^`]+)` was filtered by `exclude-newer`.*?published at", re.DOTALL
)
_BY_ADDRESS = re.compile(
    r"Failed to resolve dependencies for package `(?P<name>[^`=]{1,200})==(?P<version>[^`]{1,100})`"
    r".{0,300}? Package `(?P<needed>[^`]{1,200})` was included as a URL dependency"
    r".{0,300}?adding `[^`@]{1,200}@ (?P<address>[^`]{1,2000})`"
)
_NO_METADATA = re.compile(r"404 Not Found.*\.whl\.metadata")
_REFUSED = re.compile(
    r"An index URL \((?P<url>\S+)\) could not be queried[^(]*\((?P<code>\d+)[^)]*\)"
)
_FETCHING = ("Failed to fetch", "error sending request", "Request failed", "Failed to read from")
_NO_NETWORK = "network was disabled"
_SUBJECT = re.compile(
    r"(?:(?:depends? on|require|versions? of|that) |^|[\s,])"
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,120}?)"
    r"(?:\[[^\]\s]{0,200}\])?(?=[<>=!~]| depends? | and | was | cannot | are | is |,|\.$|\. )"
)
_NO_NAMES = frozenset(
    {"available", "incompatible", "requirements", "unsatisfiable", "used", "wheels"}
)
"""Words of a proof in the position of names."""
_SIMPLE = 3
"""Maximum sentences of a proof with a single cause."""
_LONGEST = 1 << 18
"""Maximum characters of output to parse."""
_STEPS = 12
"""Maximum lines of a proof in an error."""


def blamed_for_sdist(stderr: str) -> frozenset[str]:
    """Return the packages that uv could have used as source distributions (normalised)."""
    return frozenset(canonicalize_name(match["name"]) for match in _NO_BUILD.finditer(stderr))


def explain(stderr: str, request: PipRequest, index: PythonIndex) -> FreezerError:
    """Return the error for a failed run of uv."""
    text = _plain(stderr)
    if "No solution found" not in text:
        return _not_a_conflict(text, request)
    if match := _REFUSED.search(text):
        return _refused(match)
    return explain_conflict(stderr, request, index)


def is_conflict(stderr: str) -> bool:
    """Return whether a run of uv failed because the requirements have no solution."""
    text = _plain(stderr)
    return "No solution found" in text and _REFUSED.search(text) is None


def _plain(stderr: str) -> str:
    return _MARKER.sub("", redact(stderr[:_LONGEST]))


def explain_conflict(stderr: str, request: PipRequest, index: PythonIndex) -> ResolveError:
    """Return the error for requirements that have no solution. May read pages of the index."""
    text = _plain(stderr)
    if match := _NO_SUCH.search(text):
        package = _unavailable(canonicalize_name(match["name"]), "", text, request)
        return no_such_package(package, request)
    if match := _INVALID.search(text):
        return _invalid(match, text, request)
    found = _culprit(text, request, index)
    if found is None or is_available(*found, request, index):
        # What the index has and the target takes is not the cause, whatever the proof names.
        found = _without_release(text, request, index)
    if found is not None:
        return explain_unavailable(_unavailable(*found, text, request), request, index)
    return _conflict(text, request)


def _without_release(text: str, request: PipRequest, index: PythonIndex) -> tuple[str, str] | None:
    """Return a package of a proof without any matching release, and its range.

    uv words this in many ways ("only a==1 is available and you require a>=2", "was yanked",
    "depends on Python>=3.12"); the contents of the indexes are independent of the wording.
    """
    wanted = [
        (item.name, str(item.requirement.specifier))
        for item in request.requirements
        if item.applies(request.target) and _required(item, text)
    ]
    if len(list(proof(text))) <= _SIMPLE:  # a longer one involves more than one package
        needs = _NEEDS.finditer(_flat(text))
        wanted += [(_canonical(match), match["specifier"].rstrip(",")) for match in needs]
    return next(
        (
            item
            for item in dict.fromkeys(wanted)
            if item[0] != "python"
            and item[0] not in request.provided
            and releases(index, item[0])  # none at all: the index cannot be reached any more
            and not is_available(*item, request, index)
        ),
        None,
    )


def _invalid(match: re.Match[str], text: str, request: PipRequest) -> ResolveError:
    name, version = _canonical(match), match["version"]
    package = _unavailable(name, f"=={version}", text, request)
    _, _, why = text.partition("could not be parsed:")
    lines = [line.strip() for line in why.splitlines() if line.strip()]
    return ResolveError(
        f"the metadata of {package.title} cannot be read",
        where=package.where,
        found="; ".join(lines[:2]) or None,
        hint=f"require another version of {name}: its maintainer has to fix this one",
    )


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.partition("cause:")[2].partition("\nhint:")[0])


def _culprit(text: str, request: PipRequest, index: PythonIndex) -> tuple[str, str] | None:
    """Return the package that is the cause, and the versions that were required of it."""
    versions = [(_canonical(m), m["specifier"]) for m in _NO_VERSION.finditer(text)]
    if match := _TOO_NEW.search(text):
        needs = [(_canonical(m), m["specifier"].rstrip(",")) for m in _NEEDS.finditer(_flat(text))]
        return next(
            (
                item
                for item in (*versions, *needs)
                if item[0] == _canonical(match) and not is_available(*item, request, index)
            ),
            None,
        )
    package = [(_canonical(match), match["specifier"]) for match in _NO_FILE.finditer(text)]
    if package:
        return _cause(package, request, index)
    return versions[0] if versions else None


def _canonical(match: re.Match[str]) -> str:
    return str(canonicalize_name(match["name"]))


def lacks_metadata(stderr: str) -> bool:
    """Return whether an index listed metadata of a wheel that it does not have."""
    return _NO_METADATA.search(stderr) is not None


def named_in_proof(stderr: str) -> frozenset[str]:
    """Return the packages in uv's proof (normalised).

    Some may be ordinary words, but no name is missing. Empty without a proof, or when it is due to
    the missing network.
    """
    _, found, why = stderr.partition("cause:")
    if not found or _NO_NETWORK in stderr:
        return frozenset()
    text = re.sub(r"\s+", " ", _MARKER.sub("", why.partition("\nhint:")[0]))
    names = {canonicalize_name(match["name"]) for match in _SUBJECT.finditer(text)}
    return frozenset(names - _NO_NAMES)


def undated_that_might_help(stderr: str) -> frozenset[str]:
    """Return packages whose undated files, excluded so far, might give a solution.

    Only those in the proof matter. When a date is known to be too late, an index without a date
    changes nothing.
    """
    if _TOO_NEW.search(stderr):
        return frozenset()
    _, _, why = stderr.partition("cause:")
    skipped = {project for file in skipped_files(stderr) if (project := project_of(file))}
    return frozenset(
        name for name in skipped if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", why)
    )


def _cause(
    candidates: list[tuple[str, str]], request: PipRequest, index: PythonIndex
) -> tuple[str, str]:
    """Return the package to report: the user's pin, else one without a wheel in any version."""
    pins = {item.name for item in request.requirements if "==" in str(item.requirement.specifier)}
    pinned = [item for item in candidates if item[0] in pins]
    hopeless = (
        item
        for item in dict.fromkeys(candidates)
        if not fitting(releases(index, item[0], request.cut_off(item[0])), request.target)
    )
    return next((item for item in (*pinned, *hopeless)), candidates[0])


def _unavailable(name: str, specifier: str, text: str, request: PipRequest) -> Unavailable:
    """Return a package with the line that asks for it, or for the package that needs it."""
    mine = _asked(name, specifier, request)
    dependent = None if mine else _dependent(name, specifier, text)
    if mine is None and dependent is None:
        mine = next(iter(_lines_of(name, request)), None)
    if mine is not None:
        return Unavailable(name, specifier or str(mine.requirement.specifier), mine.where, None)
    root = _root(dependent, text, request)
    return Unavailable(name, specifier, root.where if root else None, dependent)


def _dependent(name: str, specifier: str, text: str) -> str | None:
    """Return the package that depends on some versions of another one, by uv's proof."""
    flat = _flat(text)
    for versions in dict.fromkeys((specifier, "")):
        wanted = rf"{re.escape(name)}(?:\[[^\]\s]{{0,200}}\])?{re.escape(versions)}(?![\w.-])"
        found = re.search(
            rf"(?<!\S)([A-Za-z0-9._-]{{1,120}})\S{{0,100}} depends? on {wanted}", flat
        )
        if found:
            return str(canonicalize_name(found[1]))
    return None


def _root(dependent: str | None, text: str, request: PipRequest) -> PipRequirement | None:
    """Return the requirement of the user's that leads to a package, by uv's proof."""
    seen = set[str]()
    while dependent is not None and dependent not in seen:
        if mine := _lines_of(dependent, request):
            return mine[0]
        seen.add(dependent)
        dependent = _dependent(dependent, "", text)
    return next((item for item in request.requirements if _names(item, text)), None)


def _names(item: PipRequirement, text: str) -> bool:
    return re.search(rf"you require {re.escape(item.requirement.name)}\b", text) is not None


def _lines_of(name: str, request: PipRequest) -> list[PipRequirement]:
    return [
        item for item in request.requirements if item.name == name and item.applies(request.target)
    ]


def _asked(name: str, specifier: str, request: PipRequest) -> PipRequirement | None:
    """Return the user's line that asks for some versions of a package, a constraint included."""
    lines = _lines_of(name, request)
    if not specifier:
        return lines[0] if lines else None
    limits = [item for item in (*request.constraints, *request.overrides) if item.name == name]
    return next((item for item in (*lines, *limits) if _is_same(item, specifier)), None)


def _is_same(item: PipRequirement, specifier: str) -> bool:
    try:
        return item.requirement.specifier == SpecifierSet(specifier)
    except InvalidSpecifier:
        return False


def _refused(match: re.Match[str]) -> FetchError:
    return FetchError(
        f"{match['url']} refuses access",
        found=f"HTTP {match['code']}",
        hint="give credentials in ~/.netrc or in the configured address",
    )


def _not_a_conflict(text: str, request: PipRequest) -> FreezerError:
    lines = [line.strip() for line in text.splitlines() if not line.startswith("warning:")]
    output = [re.sub(r"^(error|cause):\s*", "", line) for line in lines if line]
    if any(word in text for word in _FETCHING):
        refused = re.search(r"\b(401|403)\b", text) is not None
        return FetchError(
            "a Python package index could not be read",
            details=output[:6],
            hint="give credentials in ~/.netrc or in the index's address"
            if refused
            else "check the network and the index's address (`freeze doctor`)",
        )
    if match := _BY_ADDRESS.search(re.sub(r"\s+", " ", text)):
        return _by_address(match, request)
    return ResolveError(
        "uv could not resolve the requirements",
        where=_named_line(text, request),
        details=output[:_STEPS] or ["no output"],
    )


def _by_address(match: re.Match[str], request: PipRequest) -> ResolveError:
    name, address = _canonical(match), match["address"]
    git = "git+" in address
    mine = next(iter(_lines_of(name, request)), None)
    return ResolveError(
        f"{name} {match['version']} requires {match['needed']} from an address of its own",
        where=mine.where if mine else None,
        found=f"{match['needed']} @ {redact(address)}",
        expected="a package of an index, or an address that you require yourself",
        hint=f"choose another version of {name}, whose requirements are on an index"
        if git
        else f"require that address in a line of your own, if you trust it; or choose another "
        f"version of {name}",
    )


def _conflict(text: str, request: PipRequest) -> ResolveError:
    causes = [item for item in request.requirements if _required(item, text)]
    details = list(proof(text))
    details += [f"{item.requirement} is requested in {item.where}" for item in causes[:6]]
    return ResolveError(
        "these requirements conflict",
        where=causes[0].where if causes else None,
        details=details,
        hint="loosen one of the versions named above",
    )


def _required(item: PipRequirement, text: str) -> bool:
    """Return whether a conflict's conclusion names a requirement."""
    output = re.findall(r"you require ([^,]+(?:,[<>=!~][^,]+)*)", text.replace("\n", " "))
    return any(re.search(rf"\b{re.escape(item.name)}\b", part.lower()) for part in output)


def proof(text: str) -> Iterable[str]:
    """Return the sentences of uv's proof without duplicates; a long one is shortened."""
    body = text.partition("cause:")[2].partition("\nhint:")[0]
    body = re.sub(r"\s+", " ", re.sub(r"\s*\(\d+\)", "", body)).strip()
    body = body.replace("we know from that ", "")
    sentences = re.split(r"(?<=\.) (?=Because|And because)", body)
    unique = list(dict.fromkeys(sentence.strip() for sentence in sentences if sentence.strip()))
    if len(unique) <= _STEPS:
        return unique
    left_out = len(unique) - 6
    return [*unique[:3], f"… {left_out} more steps of this kind …", *unique[-3:]]


def _named_line(text: str, request: PipRequest) -> Where | None:
    """Return the location of the line of ``in.txt`` that uv's message names."""
    match = re.search(r"in\.txt[`']?(?: at line |:)(\d+)", text)
    number = int(match[1]) if match else 0
    return (
        request.requirements[number - 1].where if 0 < number <= len(request.requirements) else None
    )
