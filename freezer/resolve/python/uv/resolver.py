"""Resolution with uv, the default. Needs index pages and metadata only, no wheels.

uv runs twice on the same input: one output has the files, the other the dependents. The second run
reads only what the first has cached, and is skipped when only versions are needed. A request that
pins every package of an earlier solution takes its files from there, and runs uv for the dependents
alone.

Wheels are preferred: a source distribution is considered, for names that the spec allows, only when
wheels alone have no solution. Files without an upload date are considered only when dated ones have
no solution, with a warning.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from freezer.errors import ResolveError
from freezer.fetch.python.settings import Indexes
from freezer.resolve.minimal import UnexplainedError
from freezer.resolve.python.index.session import IndexSession, Scope, first_scope
from freezer.resolve.python.index.undated import (
    exact_versions,
    skipped_files,
    undated_that_count,
    undated_warnings,
    uv_warnings,
)
from freezer.resolve.python.interface import Resolution
from freezer.resolve.python.locked import ResolvedPins, locked_packages
from freezer.resolve.python.pins import parse_edges, undated_names
from freezer.resolve.python.uv.answer import parse_pylock
from freezer.resolve.python.uv.errors import (
    blamed_for_sdist,
    explain,
    explain_conflict,
    is_conflict,
    lacks_metadata,
    named_in_proof,
    undated_that_might_help,
)
from freezer.resolve.python.uv.run import quoted, write_input

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.errors import FreezerError
    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage
    from freezer.resolve.python.interface import PipRequest
    from freezer.resolve.python.pins import Pin
    from freezer.resolve.python.uv.run import UvInput, UvOutput


@dataclass(frozen=True)
class _Run:
    """Both outputs of uv, and the pins if there is a solution."""

    files: UvOutput
    edges: UvOutput
    pins: tuple[Pin, ...] = ()

    @property
    def failed(self) -> UvOutput | None:
        return next((run for run in (self.files, self.edges) if run.code), None)


@dataclass(frozen=True)
class _Solution:
    """A request of a session, and where uv found a solution."""

    request: PipRequest
    scope: Scope
    run: _Run

    def answers(self, request: PipRequest) -> bool:
        """Return whether it is the only solution of a request, which pins each of its packages.

        ``request`` is the same one with other preferences and constraints.
        """
        try:
            found = {pin.name: Version(pin.version) for pin in self.run.pins}
        except InvalidVersion:  # of a URL requirement, known only after a build
            return False
        exact = exact_versions(request)
        return all(exact.get(name) == version for name, version in found.items()) and all(
            item.requirement.specifier.contains(found[item.name], prereleases=True)
            for item in request.constraints
            if item.name in found
        )


class UvResolver:
    """Resolves with ``uv pip compile``. See `freezer.resolve.python.interface.PipResolver`."""

    @contextmanager
    def session(self, request: PipRequest, *, store: Store, report: Reporter) -> Iterator[_Session]:
        """Open a session. See `freezer.resolve.python.interface.PipSession`."""
        with IndexSession(request, store) as indexes:
            yield _Session(indexes, request.index, store, report)

    def resolve(self, request: PipRequest, *, store: Store, report: Reporter) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        with self.session(request, store=store, report=report) as session:
            return session.resolve(request)


@dataclass(frozen=True)
class _Session:
    indexes: IndexSession
    index: PythonIndex
    store: Store
    report: Reporter
    read: dict[Scope, set[str]] = field(default_factory=dict)
    """Packages that uv has read from the indexes by scope, so its cache of them is current."""
    solved: list[_Solution] = field(default_factory=list)
    """Solutions so far."""

    def versions(self, request: PipRequest) -> dict[str, str]:
        """Return the version of each package. Raises ``ResolveError``, ``FetchError``."""
        return {pin.name: pin.version for pin in self._run(request, edges=False).pins}

    def _error(self, stderr: str, request: PipRequest, *, late: bool) -> FreezerError:
        """Return the error for a failed run; the reason of a conflict later, if ``late``."""
        if late and is_conflict(stderr):
            return UnexplainedError(partial(explain_conflict, stderr, request, self.index))
        return explain(stderr, request, self.index)

    def resolve(self, request: PipRequest) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        run = self._solved_before(request) or self._run(request, edges=True)
        return _resolution(request, run, self.index, self.store, self.report)

    def _solved_before(self, request: PipRequest) -> _Run | None:
        """Return an earlier solution that is a request's only one, with its edges.

        None without one in the first scope: in a wider one uv may select other files of a version.
        """
        scope = first_scope(request, self.index)
        earlier = (one for one in self.solved if one.scope == scope)
        found = next((one for one in earlier if one.answers(request)), None)
        if found is None:
            return None
        placed, words = self._placed(request, scope)
        with self.store.scratch() as folder:
            uv_input = write_input(placed, folder, scope.sdists)
            edges = _run_edges(uv_input, folder / "out.txt", *words)
        return None if edges.code else replace(found.run, edges=edges)

    def _run(self, request: PipRequest, *, edges: bool) -> _Run:
        attempt = first_scope(request, self.index)
        with self.report.task("Resolving Python packages"):
            while True:
                run = self._attempted(request, attempt, edges=edges)
                if run.failed is None:
                    self.solved.append(_Solution(request, attempt, run))
                    return run
                self.report.debug(run.failed.stderr)
                wider = self._wider(request, attempt, run.failed.stderr)
                if wider is None:
                    raise self._error(run.failed.stderr, request, late=not edges)
                attempt = wider

    def _wider(self, request: PipRequest, attempt: Scope, stderr: str) -> Scope | None:
        """Return the next scope to try; None when the request allows no other."""
        if lacks_metadata(stderr):
            return attempt.with_server()
        if more := attempt.with_sdists(request, blamed_for_sdist(stderr)):
            return more
        helps = undated_that_count(undated_that_might_help(stderr), request, self.index)
        return attempt.with_undated() if helps else None

    def _attempted(self, request: PipRequest, attempt: Scope, *, edges: bool) -> _Run:
        placed, words = self._placed(request, attempt)
        run = self._run_cached_first(placed, attempt, *words, edges=edges)
        if not attempt.served:
            return run
        here = self.indexes.served(undated=attempt.undated)
        if not run.failed:
            return replace(run, pins=tuple(here.dated.placed(pin) for pin in run.pins))
        if here.local.failure is not None:
            raise here.local.failure
        return run

    def _placed(self, request: PipRequest, scope: Scope) -> tuple[PipRequest, tuple[str, ...]]:
        """Return a request with the indexes of a scope, and uv's arguments for them.

        uv applies the cut-off to the request's own indexes; an index that Freezer serves has it
        applied already.
        """
        if scope.served:
            here = self.indexes.served(undated=scope.undated)
            here.local.failure = None
            return replace(request, indexes=Indexes(here.address)), ("--cache-dir", str(here.cache))
        newer = (f"{name}={request.cut_off(name)}" for name in sorted(request.newer))
        more = [word for item in newer for word in ("--exclude-newer-package", item)]
        return request, ("--exclude-newer", request.as_of, *more)

    def _run_cached_first(
        self, request: PipRequest, attempt: Scope, *words: str, edges: bool
    ) -> _Run:
        """Run uv; offline, when its cache is certain to give the same result.

        Through a proxy that caches nothing, uv otherwise requests every page again.
        """
        read = self.read.setdefault(attempt, set())
        if read:
            run = _run_uv(request, attempt, self.store, *words, "--offline", edges=edges)
            if _is_conclusive(run, request, read):
                return run
        run = _run_uv(request, attempt, self.store, *words, edges=edges)
        read |= {pin.name for pin in run.pins}
        return run


def _is_conclusive(run: _Run, request: PipRequest, read: set[str]) -> bool:
    """Return whether an offline result is the one that uv would give online.

    A solution is, when every package in it is pinned. A proof that there is none is, when it
    involves only packages whose pages were just read.
    """
    if run.failed is None:
        return {pin.name for pin in run.pins} <= exact_versions(request).keys()
    named = named_in_proof(run.failed.stderr)
    return bool(named) and named <= read


def _run_uv(request: PipRequest, attempt: Scope, store: Store, *more: str, edges: bool) -> _Run:
    """Run uv for the files, and then, from its cache, for the edges if needed."""
    with store.scratch() as folder:
        uv_input = write_input(request, folder, attempt.sdists)
        listed, annotated = folder / "pylock.toml", folder / "out.txt"
        _keep(request.keep, listed, annotated)
        files = uv_input.run("pylock.toml", listed, *more)
        if files.code:
            return _Run(files, files)
        pins = parse_pylock(files.stdout)
        if not edges:
            return _Run(files, files, pins)
        return _Run(files, _run_edges(uv_input, annotated, *more), pins)


def _run_edges(uv_input: UvInput, output: Path, *more: str) -> UvOutput:
    """Run uv for the dependents of each package, from its cache if that has them."""
    line = ("--annotation-style", "line", *more)
    here = () if "--offline" in more else ("--offline",)
    edges = uv_input.run("requirements.txt", output, *line, *here)
    if edges.code:  # fails offline when the user has disabled uv's cache
        edges = uv_input.run("requirements.txt", output, *line)
    return edges


def _keep(pins: Mapping[str, str], listed: Path, annotated: Path) -> None:
    """Write earlier pins where uv looks for preferred versions."""
    if not pins:
        return
    annotated.write_text("".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))
    entries = (
        f"[[packages]]\nname = {quoted(name)}\nversion = {quoted(version)}\n"
        for name, version in sorted(pins.items())
    )
    listed.write_text('lock-version = "1.0"\ncreated-by = "freezer"\n' + "".join(entries))


def _resolution(
    request: PipRequest, run: _Run, index: PythonIndex, store: Store, report: Reporter
) -> Resolution:
    needed_by = parse_edges(run.edges.stdout)
    if {pin.name for pin in run.pins} != set(needed_by):
        raise ResolveError(
            "two runs of uv on the same input differ",
            hint="the index changed in between; repeat the command",
        )

    def build(required: PipRequest) -> tuple[PipPackage, ...]:
        return UvResolver().resolve(required, store=store, report=report).packages

    locked = locked_packages(ResolvedPins(run.pins, needed_by), request, store, build)
    warnings = undated_warnings(
        skipped_files(run.files.stderr), locked, undated_names(run.pins, request), index
    )
    return Resolution(locked, (*uv_warnings(run.files.stderr), *warnings))
