"""The pip half of a lock: one request, resolved by the resolver that the spec names."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from freezer.errors import ResolveError, SpecError, Where
from freezer.fetch.http.redact import redact, without_credentials
from freezer.model.canonical import plain
from freezer.resolve.minimal import explained
from freezer.resolve.python.interface import PipRequirement, PipResolver, Resolution
from freezer.resolve.python.names import name_warnings
from freezer.resolve.python.provided import clash, with_stand_ins, without_stand_ins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage, Target
    from freezer.model.spec.spec import PipSpec
    from freezer.resolve.python.interface import PipRequest, PipSession, Provided
    from freezer.resolve.python.requirements.gather import PipRequirements

_PIP_REASON = "Freezer's own: `pip list` and `pip check` in the image"
_OWN = PipRequirement(Requirement("pip"), Where("Freezer"))


def resolve_pip(
    request: PipRequest, resolver: str, *, store: Store, report: Reporter
) -> Resolution:
    """Return the packages that satisfy a request, sorted by name.

    ``pip`` is always included, unless conda provides it. ``resolver`` is ``uv`` or ``pip-tools``.
    Raises ``ResolveError`` without a solution, ``FetchError`` when an index cannot be reached,
    ``IntegrityError`` when a file has another hash than the user gave.
    """
    if not request.requirements and "pip" in request.provided:
        return Resolution(())
    with open_query(request, resolver, store=store, report=report) as query:
        return query.packages()


@contextmanager
def open_query(
    request: PipRequest, resolver: str, *, store: Store, report: Reporter
) -> Iterator[PipQuery]:
    """Open a session that can resolve a request several times; see `resolve_pip`."""
    request = replace(request, provided=relevant(request.requirements, request.provided))
    own = "pip" not in request.by_name() and "pip" not in request.provided
    conda_provides = (
        replace(request, requirements=(*request.requirements, _OWN)) if own else request
    )
    # Without conda no package needs a stand-in.
    stand_ins = (
        with_stand_ins(conda_provides, store)
        if conda_provides.provided
        else nullcontext(conda_provides)
    )
    with (
        stand_ins as complete,
        _resolver(resolver).session(complete, store=store, report=report) as session,
    ):
        yield PipQuery(complete, session, own)


@dataclass(frozen=True)
class PipQuery:
    """Resolves one request several times: with other preferences, and more constraints."""

    request: PipRequest
    """The request with a stand-in for each package that conda provides."""
    session: PipSession
    own: bool
    """Whether pip is added by Freezer and not by a requirement."""

    def packages(
        self, keep: Mapping[str, str] | None = None, more: Sequence[PipRequirement] = ()
    ) -> Resolution:
        """Return the packages, sorted by name. Raises as `resolve_pip`."""
        with self._naming_provided():
            found = self.session.resolve(self._narrowed(keep, more))
        if self.request.provided:
            found = without_stand_ins(found, self.request.provided)
        packages = tuple(_with_reason(package, self.own) for package in found.packages)
        return Resolution(packages, (*self._name_warnings(), *found.warnings))

    def _name_warnings(self) -> list[str]:
        request = self.request
        return name_warnings(request.requirements, request.index, request.as_of)

    def versions(
        self,
        keep: Mapping[str, str],
        more: Sequence[PipRequirement],
        *,
        stable: bool,
        undated: bool,
    ) -> dict[str, str]:
        """Return the version of each package, without selecting files.

        ``stable`` and ``undated`` as in ``PipRequest``. Raises as `resolve_pip`.
        """
        narrowed = replace(self._narrowed(keep, more), stable=stable, undated=undated)
        with self._naming_provided():
            found = self.session.versions(narrowed)
        return {name: text for name, text in found.items() if name not in self.request.provided}

    def _narrowed(
        self, keep: Mapping[str, str] | None, more: Sequence[PipRequirement]
    ) -> PipRequest:
        kept = self.request.keep if keep is None else keep
        return replace(
            self.request,
            keep={name: text for name, text in kept.items() if name not in self.request.provided},
            constraints=(*self.request.constraints, *more),
        )

    @contextmanager
    def _naming_provided(self) -> Iterator[None]:
        """Convert conflicts with stand-ins to errors that name the conda packages."""
        try:
            yield
        except ResolveError as error:
            if not self.request.provided:
                raise
            raise clash(explained(error), self.request.provided) from error


def relevant(
    requirements: Sequence[PipRequirement], provided: Mapping[str, Provided]
) -> dict[str, Provided]:
    """Return the provided packages that matter; without requirements only pip itself."""
    return {name: item for name, item in provided.items() if requirements or name == "pip"}


def require_python(gathered: PipRequirements, target: Target) -> None:
    """Compare the target's Python with ``requires-python``. Raises ``ResolveError``."""
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


def require_no_project(gathered: PipRequirements, packages: Sequence[PipPackage]) -> None:
    """Raise ``ResolveError`` for an index's package with the project's own name.

    One that is requested by name is accepted.
    """
    for name, where in gathered.projects:
        for package in packages:
            if package.name == name and not package.requested:
                raise ResolveError(
                    f"{name} is this project, but a dependency needs a package of that name",
                    where=where,
                    found=f"{name} {package.version} of the index, {package.reason}",
                    hint="remove that dependency, or require the published package in the "
                    f"spec's own list: `{name}=={package.version}`",
                )


def pip_question(gathered: PipRequirements, spec: PipSpec, target: Target) -> dict[str, Any]:
    """Return all inputs of a resolution as a JSON document without secrets.

    Equal documents have equal inputs; the lock stores the digest. The contents of the indexes and
    the cut-off (``as-of``) are not part of it. ``requirements`` are lines as written, ``[file, 1
    for a constraint, line]``; line numbers are left out, so that a comment changes nothing.
    """
    options = gathered.options
    more: dict[str, Any] = {}
    if options.first_index_urls:
        more["first-indexes"] = _for_digest(options.first_index_urls)
    if options.pinned:
        more["pinned"] = [[name, *_for_digest([url])] for name, url in options.pinned]
    return more | {
        "requirements": [[file, kind, redact(line)] for file, kind, line in gathered.lines],
        "index": _for_digest([options.index_url] if options.index_url else []),
        "extra-indexes": _for_digest(options.extra_index_urls),
        "find-links": _for_digest(options.find_links),
        "no-index": options.no_index,
        "prereleases": gathered.prereleases,
        "allow-sdist": sorted(set(spec.allow_sdist)),
        "extras": sorted(set(spec.extras)),
        "groups": sorted(set(spec.groups)),
        "resolver": spec.resolver,
        "target": plain(target),
    }


def _for_digest(urls: Iterable[str]) -> list[str]:
    """Return addresses for the digest: a folder is relative, wherever the project is."""
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
        from freezer.resolve.python.piptools.resolver import PipToolsResolver

        return PipToolsResolver()
    from freezer.resolve.python.uv.resolver import UvResolver

    return UvResolver()
