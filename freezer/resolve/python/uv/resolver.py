"""Resolving with uv: the default. It needs index pages and metadata only, no wheels.

uv is run twice on the same input: one output names the files, the other says who needs whom. The
second run reads only what the first has cached, and is left out where versions are all that is
asked for.

Wheels go first: a source distribution is considered, for the names that the spec allows, only where
no answer is made of wheels alone. Files whose index does not say when they were uploaded are
considered only where nothing that is dated answers, and then a warning says so.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from freezer.errors import ResolveError
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import Indexes
from freezer.resolve.python.index.session import IndexSession, Scope, first_scope
from freezer.resolve.python.index.undated import (
    exact_versions,
    said_by_uv,
    skipped_files,
    undated_that_count,
    undated_warnings,
)
from freezer.resolve.python.interface import Resolution
from freezer.resolve.python.locked import ResolvedPins, locked_packages
from freezer.resolve.python.pins import parse_edges, undated_names
from freezer.resolve.python.uv.answer import parse_pylock
from freezer.resolve.python.uv.errors import (
    blamed_for_sdist,
    explain,
    lacks_metadata,
    named_in_proof,
    undated_that_might_help,
)
from freezer.resolve.python.uv.run import question, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage
    from freezer.resolve.python.interface import PipRequest
    from freezer.resolve.python.pins import Pin
    from freezer.resolve.python.uv.run import UvOutput


@dataclass(frozen=True)
class _Run:
    """What uv said, both times, and the pins if it had an answer."""

    files: UvOutput
    edges: UvOutput
    pins: tuple[Pin, ...] = ()

    @property
    def failed(self) -> UvOutput | None:
        return next((run for run in (self.files, self.edges) if run.code), None)


class UvResolver:
    """Resolves with ``uv pip compile``. See `freezer.resolve.python.interface.PipResolver`."""

    @contextmanager
    def session(self, request: PipRequest, *, store: Store, report: Reporter) -> Iterator[_Session]:
        """Give a session for a request. See `freezer.resolve.python.interface.PipSession`."""
        with IndexSession(request, store) as desk:
            yield _Session(desk, PythonIndex(request.indexes), store, report)

    def resolve(self, request: PipRequest, *, store: Store, report: Reporter) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        with self.session(request, store=store, report=report) as session:
            return session.resolve(request)


@dataclass(frozen=True)
class _Session:
    desk: IndexSession
    index: PythonIndex
    store: Store
    report: Reporter
    read: dict[Scope, set[str]] = field(default_factory=dict)
    """What uv answered with from the indexes themselves: so its cache of these is of now."""

    def versions(self, request: PipRequest) -> dict[str, str]:
        """Return the version of each package. Raises ``ResolveError``, ``FetchError``."""
        return {pin.name: pin.version for pin in self._run(request, edges=False).pins}

    def resolve(self, request: PipRequest) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        run = self._run(request, edges=True)
        return _answer(request, run, self.index, self.store, self.report)

    def _run(self, request: PipRequest, *, edges: bool) -> _Run:
        attempt = first_scope(request, self.index)
        with self.report.task("Resolving Python packages"):
            while True:
                run = self._attempted(request, attempt, edges=edges)
                if run.failed is None:
                    return run
                self.report.debug(run.failed.stderr)
                wider = self._wider(request, attempt, run.failed.stderr)
                if wider is None:
                    raise explain(run.failed.stderr, request, self.index)
                attempt = wider

    def _wider(self, request: PipRequest, attempt: Scope, stderr: str) -> Scope | None:
        """Return what to try next, or None when nothing is left that the request allows."""
        if lacks_metadata(stderr):
            return attempt.with_server()
        if more := attempt.with_sdists(request, blamed_for_sdist(stderr)):
            return more
        helps = undated_that_count(undated_that_might_help(stderr), request, self.index)
        return attempt.with_undated() if helps else None

    def _attempted(self, request: PipRequest, attempt: Scope, *, edges: bool) -> _Run:
        if attempt.served:
            return self._served(request, attempt, edges=edges)
        newer = (f"{name}={request.cut_off(name)}" for name in sorted(request.newer))
        more = [word for item in newer for word in ("--exclude-newer-package", item)]
        words = ("--exclude-newer", request.as_of, *more)
        return self._asked(request, attempt, *words, edges=edges)

    def _served(self, request: PipRequest, attempt: Scope, *, edges: bool) -> _Run:
        """Ask uv of an index that Freezer serves and has held to the cut-off."""
        here = self.desk.served(undated=attempt.undated)
        served = replace(request, indexes=Indexes(here.address))
        run = self._asked(served, attempt, "--cache-dir", str(here.cache), edges=edges)
        if not run.failed:
            return replace(run, pins=tuple(here.dated.placed(pin) for pin in run.pins))
        if here.loopback.failure is not None:
            raise here.loopback.failure
        return run

    def _asked(self, request: PipRequest, attempt: Scope, *words: str, edges: bool) -> _Run:
        """Ask uv; of its cache alone, where that is sure to give the same answer.

        Through a proxy that keeps nothing, uv otherwise asks for each page anew, every time.
        """
        read = self.read.setdefault(attempt, set())
        if read:
            run = _ask(request, attempt, self.store, *words, "--offline", edges=edges)
            if _holds(run, request, read):
                return run
        run = _ask(request, attempt, self.store, *words, edges=edges)
        read |= {pin.name for pin in run.pins}
        return run


def _holds(run: _Run, request: PipRequest, read: set[str]) -> bool:
    """Return whether what uv says without a network is what it would say with one.

    An answer, where nothing in it was open. That there is none, where the proof is about packages
    alone of which the pages were just read.
    """
    if run.failed is None:
        return {pin.name for pin in run.pins} <= exact_versions(request).keys()
    named = named_in_proof(run.failed.stderr)
    return bool(named) and named <= read


def _ask(request: PipRequest, attempt: Scope, store: Store, *more: str, edges: bool) -> _Run:
    """Ask uv for the files, and then, from its cache, for the edges where they are wanted."""
    with store.scratch() as folder:
        asked = question(request, folder, attempt.sdists)
        listed, annotated = folder / "pylock.toml", folder / "out.txt"
        _keep(request.keep, listed, annotated)
        files = asked.ask("pylock.toml", listed, *more)
        if files.code:
            return _Run(files, files)
        pins = parse_pylock(files.stdout)
        if not edges:
            return _Run(files, files, pins)
        line = ("--annotation-style", "line", *more)
        here = () if "--offline" in more else ("--offline",)
        needs = asked.ask("requirements.txt", annotated, *line, *here)
        if needs.code:  # whoever has switched uv's cache off gets no answer from it
            needs = asked.ask("requirements.txt", annotated, *line)
        return _Run(files, needs, pins)


def _keep(pins: Mapping[str, str], listed: Path, annotated: Path) -> None:
    """Write earlier pins where uv looks for versions to prefer."""
    if not pins:
        return
    annotated.write_text("".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))
    entries = (
        f"[[packages]]\nname = {quoted(name)}\nversion = {quoted(version)}\n"
        for name, version in sorted(pins.items())
    )
    listed.write_text('lock-version = "1.0"\ncreated-by = "freezer"\n' + "".join(entries))


def _answer(
    request: PipRequest, run: _Run, index: PythonIndex, store: Store, report: Reporter
) -> Resolution:
    needed_by = parse_edges(run.edges.stdout)
    if {pin.name for pin in run.pins} != set(needed_by):
        raise ResolveError(
            "uv gave two different answers to one question",
            hint="the index changed meanwhile; run the command again",
        )

    def build(wanted: PipRequest) -> tuple[PipPackage, ...]:
        return UvResolver().resolve(wanted, store=store, report=report).packages

    locked = locked_packages(ResolvedPins(run.pins, needed_by), request, store, build)
    said = undated_warnings(
        skipped_files(run.files.stderr), locked, undated_names(run.pins, request), index
    )
    return Resolution(locked, (*said_by_uv(run.files.stderr), *said))
