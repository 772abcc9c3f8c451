"""Resolving with uv: the default. It needs index pages and metadata only, no wheels.

uv is run twice at once on the same input: one output names the files, the other says who needs
whom. Wheels go first: a source distribution is considered, for the names that the spec allows, only
where no answer is made of wheels alone. Files whose index does not say when they were uploaded are
considered only where nothing that is dated answers, and then a warning says so.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import ResolveError
from freezer.fetch.pypi import PythonIndex
from freezer.resolve.interface import Resolution
from freezer.resolve.locked import Answered, demand_allowed, locked_packages
from freezer.resolve.offer import fitting, releases
from freezer.resolve.undated import (
    said_by_uv,
    skipped_files,
    undated_indexes,
    undated_warnings,
)
from freezer.resolve.uv_answer import parse_edges, parse_pylock
from freezer.resolve.uv_errors import blamed_for_sdist, explain
from freezer.resolve.uv_run import question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.fetch.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage
    from freezer.resolve.interface import PipRequest
    from freezer.resolve.uv_run import UvOutput


@dataclass(frozen=True)
class _Attempt:
    """What uv may look at beyond wheels that are dated."""

    sdists: frozenset[str] = frozenset()
    undated: tuple[str, ...] = ()


class UvResolver:
    """Resolves with ``uv pip compile``. See `freezer.resolve.interface.PipResolver`."""

    def resolve(self, request: PipRequest, *, store: Store, report: Reporter) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        index = PythonIndex(request.indexes)
        attempt = _Attempt(demand_allowed(request) | _never_wheels(request, index))
        with report.task("Resolving Python packages"):
            while True:
                files, edges = _ask(request, attempt, store)
                if files.code == edges.code == 0:
                    return _answer(request, files, edges, store, report)
                failed = files if files.code else edges
                report.debug(failed.stderr)
                wider = _wider(request, attempt, failed)
                if wider is None:
                    raise explain(failed.stderr, request, index)
                attempt = wider


def _never_wheels(request: PipRequest, index: PythonIndex) -> frozenset[str]:
    """Return the allowed names that have no wheel in any version.

    Without them, a package with an extra that needs one would silently be taken at a version from
    before it had that extra.
    """
    return frozenset(
        name
        for name in request.allow_sdist
        if not fitting(releases(index, name, request.as_of), request.target)
    )


def _ask(request: PipRequest, attempt: _Attempt, store: Store) -> tuple[UvOutput, UvOutput]:
    """Ask uv for both outputs, in parallel."""
    with store.scratch() as folder, ThreadPoolExecutor(max_workers=2) as pool:
        asked = question(request, folder, sdists=attempt.sdists, undated=attempt.undated)
        listed, annotated = folder / "pylock.toml", folder / "out.txt"
        _keep(request.keep, listed, annotated)
        files = pool.submit(asked.ask, "pylock.toml", listed)
        edges = pool.submit(asked.ask, "requirements.txt", annotated, "--annotation-style", "line")
        return files.result(), edges.result()


def _keep(pins: Mapping[str, str], listed: Path, annotated: Path) -> None:
    """Write earlier pins where uv looks for versions to prefer."""
    if not pins:
        return
    annotated.write_text("".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))
    entries = (f'[[packages]]\nname = "{n}"\nversion = "{v}"\n' for n, v in sorted(pins.items()))
    listed.write_text('lock-version = "1.0"\ncreated-by = "freezer"\n' + "".join(entries))


def _wider(request: PipRequest, attempt: _Attempt, failed: UvOutput) -> _Attempt | None:
    """Return what to try next, or None when nothing is left that the request allows."""
    wanted = blamed_for_sdist(failed.stderr) & request.allow_sdist
    if more := wanted - attempt.sdists:
        return _Attempt(attempt.sdists | more, attempt.undated)
    if not attempt.undated and "filtered by `exclude-newer`" not in failed.stderr:
        # Where a date is known to be too late, another index's silence about it changes nothing.
        skipped = skipped_files(failed.stderr)
        if undated := undated_indexes(skipped, request.indexes):
            return _Attempt(attempt.sdists, undated)
    return None


def _answer(
    request: PipRequest, files: UvOutput, edges: UvOutput, store: Store, report: Reporter
) -> Resolution:
    pins = parse_pylock(files.stdout)
    needed_by = parse_edges(edges.stdout)
    if {pin.name for pin in pins} != set(needed_by):
        raise ResolveError(
            "uv gave two different answers to one question",
            hint="the index changed meanwhile; run the command again",
        )

    def build(wanted: PipRequest) -> tuple[PipPackage, ...]:
        return UvResolver().resolve(wanted, store=store, report=report).packages

    locked = locked_packages(Answered(pins, needed_by), request, store, build)
    undated = [pin.name for pin in pins if not pin.dated]
    said = undated_warnings(files.stderr, locked, undated, PythonIndex(request.indexes))
    return Resolution(locked, (*said_by_uv(files.stderr), *said))
