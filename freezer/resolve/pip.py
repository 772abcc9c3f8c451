"""The pip half of a lock: one question, asked of the resolver that the spec chooses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from freezer.errors import ResolveError, SpecError, Where
from freezer.fetch.redact import redact, without_credentials
from freezer.model.canonical import plain
from freezer.resolve.held import clash, with_stand_ins, without_stand_ins
from freezer.resolve.interface import Asked, PipResolver, Resolution
from freezer.resolve.names import name_warnings
from freezer.resolve.reasons import asked_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.fetch.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage, Target
    from freezer.model.spec import PipSpec
    from freezer.resolve.interface import PipRequest
    from freezer.resolve.requirements import Gathered

_PIP_REASON = "Freezer's own: `pip list` and `pip check` in the image"
_OWN = Asked(Requirement("pip"), Where("Freezer"))


def resolve_pip(
    request: PipRequest, resolver: str, *, store: Store, report: Reporter
) -> Resolution:
    """Return the packages that answer a request, sorted by name.

    ``pip`` is always among them, unless conda brings it. ``resolver`` is ``uv`` or ``pip-tools``.
    Raises ``ResolveError`` when nothing answers, ``FetchError`` when an index is out of reach,
    ``IntegrityError`` when a file has another hash than the user gave.
    """
    own = "pip" not in asked_by_name(request) and "pip" not in request.held
    whole = replace(request, asked=(*request.asked, _OWN)) if own else request
    with with_stand_ins(whole, store) as asked:
        try:
            answer = _resolver(resolver).resolve(asked, store=store, report=report)
        except ResolveError as error:
            raise clash(error, request.held) from error
    answer = without_stand_ins(answer, request.held)
    packages = tuple(_with_reason(package, own) for package in answer.packages)
    return Resolution(packages, (*name_warnings(request.asked), *answer.warnings))


def demand_python(gathered: Gathered, target: Target) -> None:
    """Hold the target's Python against what projects require. Raises ``ResolveError``."""
    for text, where in gathered.requires_python:
        try:
            fits = SpecifierSet(text).contains(target.python.version, prereleases=True)
        except InvalidSpecifier as error:
            raise SpecError(
                "requires-python is not a version specifier", where=where, found=text
            ) from error
        if not fits:
            raise ResolveError(
                "the project does not run on this Python",
                where=where,
                found=f"Python {target.python.version}",
                expected=f"Python {text}",
                hint="set another `python:` in the spec, or a base that has it",
            )


def pip_question(gathered: Gathered, spec: PipSpec, target: Target) -> dict[str, Any]:
    """Return all that the answer depends on, as a JSON-able document without secrets.

    Two equal documents are one question; the lock keeps its digest. What the indexes hold and when
    (``as-of``) are not in it: they belong to the answer. ``requirements`` are lines as written,
    ``[file, 1 for a constraint, line]``; the places of lines within a file are left out, so that a
    comment changes nothing.
    """
    options = gathered.options
    return {
        "requirements": [[file, kind, redact(line)] for file, kind, line in gathered.lines],
        "index": _shown([options.index_url] if options.index_url else []),
        "extra-indexes": _shown(options.extra_index_urls),
        "find-links": _shown(options.find_links),
        "no-index": options.no_index,
        "prereleases": gathered.prereleases,
        "allow-sdist": sorted(set(spec.allow_sdist)),
        "extras": sorted(set(spec.extras)),
        "groups": sorted(set(spec.groups)),
        "resolver": spec.resolver,
        "target": plain(target),
    }


def _shown(urls: Iterable[str]) -> list[str]:
    """Return addresses fit to be hashed: a folder is the same wherever the project lies."""
    return [
        url.rpartition("/")[2] if url.startswith("file:") else redact(without_credentials(url))
        for url in urls
    ]


def _with_reason(package: PipPackage, own: bool) -> PipPackage:
    if package.name == "pip" and own:
        return package.model_copy(update={"reason": _PIP_REASON})
    return package


def _resolver(name: str) -> PipResolver:
    if name == "pip-tools":
        from freezer.resolve.piptools import PipToolsResolver

        return PipToolsResolver()
    from freezer.resolve.uv import UvResolver

    return UvResolver()
