"""`freeze runs export --ro-crate`: runs with their files in a folder, for archives."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from freezer import __version__
from freezer.errors import FreezerError, LedgerError, RunError, Where
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.history.generations import generation
from freezer.flows.runs.folders import run_folder
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.results.secret_outputs import exportable
from freezer.flows.runs.results.training_files import records_of_tools
from freezer.ledger import query
from freezer.ledger.exchange.crate_entities import About, CrateRun
from freezer.ledger.exchange.document import digests, export_parts
from freezer.ledger.exchange.prov import provenance
from freezer.ledger.exchange.ro_crate import METADATA, PROVENANCE, crate_metadata
from freezer.model.canonical import digest
from freezer.model.lockfile import LOCK_FILE
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Output, Run


def export_crate(project: Project, text: str | None, folder: Path, about: About) -> int:
    """Write the runs that match a filter as a crate; return their number.

    Outputs that are still there with the digest that was recorded are copied. The folder must not
    exist; it appears whole or not at all. Raises ``QueryError``, ``LedgerError`` and ``RunError``.
    """
    if folder.exists():
        raise RunError(
            "the folder exists already", where=Where(str(folder)), expected="a new folder"
        )
    with project_ledger(project, reading=True) as ledger, disk_errors(folder.parent):
        runs = query.find(ledger, text, limit=None)[::-1]
        if not runs:
            raise LedgerError("no run matches", expected="at least one run for a crate")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".crate-") as scratch:
            made = Path(scratch) / "crate"
            made.mkdir()
            described = [_describe(project, ledger, run, made) for run in runs]
            (made / METADATA).write_bytes(crate_metadata(described, about, __version__))
            (made / PROVENANCE).write_bytes(provenance(described, about, __version__))
            made.rename(folder)
    return len(runs)


def _describe(project: Project, ledger: Ledger, run: Run, crate: Path) -> CrateRun:
    files: dict[str, int] = {}

    def put(name: str, data: bytes) -> str:
        path = f"{run.id}/{name}"
        target = crate / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        files[path] = len(data)
        return path

    contents = [data for one in digests(run) if (data := _content(ledger, one)) is not None]
    series = query.all_points(ledger, run.id)
    document = put("run.json", b"".join(export_parts([(run, series)], contents)))
    lock = _lock(project, run)
    patch = _referred(ledger, run, "git.patch")
    placed_lock = None if lock is None else put(LOCK_FILE, lock)
    placed_patch = None if patch is None else put("code.patch", patch)
    outputs = _outputs(project, run, crate, files)
    return CrateRun(run, files, outputs, document, placed_lock, placed_patch)


def _content(ledger: Ledger, sha256: str) -> bytes | None:
    with suppress(LedgerError):
        return query.content(ledger, sha256)
    return None


def _referred(ledger: Ledger, run: Run, name: str) -> bytes | None:
    value = run.fields.get(name)
    if not isinstance(value, Digest):
        return None
    return _content(ledger, value.text.removeprefix("sha256:"))


def _lock(project: Project, run: Run) -> bytes | None:
    """Return the lock of the run's environment, where this project still has it."""
    wanted = run.fields.get("lock")
    if not isinstance(wanted, Digest):
        return None
    with suppress(FreezerError, OSError):
        locked = generation(project, run.environment, wanted.text)
        data = (locked.folder / LOCK_FILE).read_bytes()
        if digest(data) == wanted.text:
            return data
    return None


def _outputs(project: Project, run: Run, crate: Path, files: dict[str, int]) -> dict[str, str]:
    """Copy the outputs that are as they were recorded; return where each is in the crate."""
    source = run_folder(project, run.id) / "output"
    placed: dict[str, str] = {}
    records = records_of_tools(source, run.outputs)  # they may hold secrets; the run has the rest
    for output in exportable(run):
        if output.path in records:
            continue
        path = f"{run.id}/output/{output.path}"
        with suppress(OSError):
            if _copy(source / output.path, crate / path, output):
                placed[output.path] = path
                files[path] = output.size
    return placed


def _copy(source: Path, target: Path, output: Output) -> bool:
    """Copy a file if it has the digest that was recorded; never through a link."""
    root = source.parents[len(Path(output.path).parts) - 1]
    if ".." in Path(output.path).parts or not source.resolve().is_relative_to(root.resolve()):
        return False
    if source.is_symlink() or not source.is_file():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
    with target.open("rb") as stream:
        same = hashlib.file_digest(stream, "sha256").hexdigest() == output.sha256
    if not same:
        target.unlink()
    return same
