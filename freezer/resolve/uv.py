"""Resolving with uv: the default. It needs index pages and metadata only, no wheels.

uv is run twice on the same input: one output names the files, the other says who needs whom. The
second run reads only what the first has cached.

Wheels go first: a source distribution is considered, for the names that the spec allows, only where
no answer is made of wheels alone. Files whose index does not say when they were uploaded are
considered only where nothing that is dated answers, and then a warning says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.errors import ResolveError
from freezer.fetch.indexes import Indexes
from freezer.fetch.pypi import PythonIndex
from freezer.resolve.attempt import Attempt, first_attempt
from freezer.resolve.dated_index import DatedIndex
from freezer.resolve.interface import Resolution
from freezer.resolve.locked import Answered, locked_packages
from freezer.resolve.loopback import serving
from freezer.resolve.pins import parse_edges
from freezer.resolve.undated import said_by_uv, skipped_files, undated_warnings
from freezer.resolve.uv_answer import parse_pylock
from freezer.resolve.uv_errors import blamed_for_sdist, explain, lacks_metadata, undated_might_help
from freezer.resolve.uv_run import question, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.fetch.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage
    from freezer.resolve.interface import PipRequest
    from freezer.resolve.pins import Pin
    from freezer.resolve.uv_run import UvOutput


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
    """Resolves with ``uv pip compile``. See `freezer.resolve.interface.PipResolver`."""

    def resolve(self, request: PipRequest, *, store: Store, report: Reporter) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        index = PythonIndex(request.indexes)
        attempt = first_attempt(request, index)
        with report.task("Resolving Python packages"):
            while True:
                run = _attempted(request, attempt, store)
                if run.failed is None:
                    return _answer(request, run, index, store, report)
                report.debug(run.failed.stderr)
                wider = _wider(request, attempt, run.failed.stderr)
                if wider is None:
                    raise explain(run.failed.stderr, request, index)
                attempt = wider


def _wider(request: PipRequest, attempt: Attempt, stderr: str) -> Attempt | None:
    """Return what to try next, or None when nothing is left that the request allows."""
    if lacks_metadata(stderr):
        return attempt.with_server()
    if more := attempt.with_sdists(request, blamed_for_sdist(stderr)):
        return more
    return attempt.with_undated() if undated_might_help(stderr) else None


def _attempted(request: PipRequest, attempt: Attempt, store: Store) -> _Run:
    if attempt.served:
        return _served(request, attempt, store)
    newer = (f"{name}={request.cut_off(name)}" for name in sorted(request.newer))
    more = [word for item in newer for word in ("--exclude-newer-package", item)]
    run = _ask(request, attempt, store, "--exclude-newer", request.as_of, *more)
    return run if run.failed else replace(run, pins=parse_pylock(run.files.stdout))


def _served(request: PipRequest, attempt: Attempt, store: Store) -> _Run:
    """Ask uv of an index that Freezer serves and has held to the cut-off."""
    dated = DatedIndex(request, undated=attempt.undated)
    with serving(dated) as (address, loopback):
        served = replace(request, indexes=Indexes(address))
        # The cache goes by address, and this address is another each time.
        run = _ask(served, attempt, store, "--cache-dir", "cache")
    if not run.failed:
        return replace(run, pins=tuple(dated.placed(pin) for pin in parse_pylock(run.files.stdout)))
    if loopback.failure is not None:
        raise loopback.failure
    return run


def _ask(request: PipRequest, attempt: Attempt, store: Store, *more: str) -> _Run:
    """Ask uv for the files, and then, from its cache, for the edges."""
    with store.scratch() as folder:
        asked = question(request, folder, attempt.sdists)
        listed, annotated = folder / "pylock.toml", folder / "out.txt"
        _keep(request.keep, listed, annotated)
        files = asked.ask("pylock.toml", listed, *more)
        if files.code:
            return _Run(files, files)
        line = ("--annotation-style", "line", *more)
        edges = asked.ask("requirements.txt", annotated, *line, "--offline")
        if edges.code:  # whoever has switched uv's cache off gets no answer from it
            edges = asked.ask("requirements.txt", annotated, *line)
        return _Run(files, edges)


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

    locked = locked_packages(Answered(run.pins, needed_by), request, store, build)
    pins = [pin for pin in run.pins if pin.name not in request.held]
    said = undated_warnings(skipped_files(run.files.stderr), locked, pins, index)
    return Resolution(locked, (*said_by_uv(run.files.stderr), *said))
