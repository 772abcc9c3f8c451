"""Runs of the ledger in an archive: record, series, patch, lists of data, outputs; and back."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError, IntegrityError, LedgerError, Where
from freezer.fetch.archive_storage.interface import Source
from freezer.fetch.store.atomic import disk_errors, replacing
from freezer.flows.governance.archive.contents import bytes_source, opener
from freezer.flows.governance.archive.versions import small_content
from freezer.flows.runs.folders import run_folder
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.results.training_files import records_of_tools
from freezer.governance.archive.ocfl import take_content
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.fetch.archive_storage.interface import Storage, Stored
    from freezer.flows.project.project import Project
    from freezer.governance.archive.inventory import Inventory
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Output, Run

RUNS: Final = "runs"
RECORD: Final = "run.json"
_LARGEST: Final = 2 << 30
"""Bytes of one run's record with its series."""
_ID: Final = re.compile(r"[0-9a-f]{4,32}|latest(~[0-9]{1,6})?")
_RECORD_PATH: Final = re.compile(rf"{RUNS}/(?P<id>[0-9a-f]{{16,32}})/{RECORD}")
_LONGEST: Final = 200
"""Bytes of a file's name that is kept as it is."""


@dataclass(frozen=True)
class ChosenRuns:
    """Runs to be archived."""

    files: Mapping[str, Source]
    locks: Mapping[str, str | None]
    """ID of each run to the ID of its lock."""


def collect_runs(project: Project, texts: Sequence[str], environment: str) -> ChosenRuns:
    """Return the runs that IDs and filters name, with their files.

    Raises ``QueryError`` for a filter, ``LedgerError`` for a run that is not there, is under way,
    or is another environment's.
    """
    if not texts:
        return ChosenRuns({}, {})
    files: dict[str, Source] = {}
    with project_ledger(project, reading=True) as ledger:
        runs = _chosen(ledger, texts, environment)
        for run in runs:
            files[f"{RUNS}/{run.id}/{RECORD}"] = bytes_source(_record(ledger, run))
            files |= _outputs(project, run)
    return ChosenRuns(files, {run.id: _lock_of(run) for run in runs})


def restore_runs(
    project: Project, storage: Storage, inventory: Inventory, state: Mapping[str, str]
) -> tuple[str, ...]:
    """Record the runs of a version in the ledger, and put back their outputs; return their IDs.

    Outputs that are there stay as they are. Raises ``LedgerError`` for a run that the ledger knows
    otherwise, ``IntegrityError`` for a record that is not a run's.
    """
    from freezer.ledger.exchange.document import read_export

    found = [
        (path, match["id"]) for path in sorted(state) if (match := _RECORD_PATH.fullmatch(path))
    ]
    stored = storage.files(inventory.id) if found else {}
    for path, identifier in found:
        data = small_content(storage, inventory, state[path], _LARGEST)
        exported = read_export(data)
        if [run.id for run, _ in exported.runs] != [identifier]:
            raise IntegrityError("this is another run's record", where=Where(path))
        run = exported.runs[0][0]
        _put_back(project, storage, inventory, state, stored, run)
        with project_ledger(project) as ledger:
            from freezer.ledger.record import record_new

            # Tags and notes may have been added since; nothing of them is lost.
            record_new(ledger, exported.runs, exported.contents, by_id=True)
    return tuple(identifier for _, identifier in found)


def output_path(run: str, output: Output) -> str:
    """Return where an output is in a version: by its name, or by its digest for an odd name."""
    parts = output.path.split("/")
    plain = output.path.isprintable() and "\\" not in output.path
    usable = plain and not {"", ".", ".."} & set(parts)
    short = all(len(part.encode("utf-8", "surrogatepass")) <= _LONGEST for part in parts)
    name = output.path if usable and short else f"sha256-{output.sha256}"
    return f"{RUNS}/{run}/output/{name}"


def _chosen(ledger: Ledger, texts: Sequence[str], environment: str) -> list[Run]:
    from freezer.ledger import query

    found: dict[str, Run] = {}
    for text in texts:
        if _ID.fullmatch(text):
            some = [query.get(ledger, text)]
        else:
            some = query.find(ledger, text, limit=None)
            some = [run for run in some if run.environment == environment]
        if not some:
            raise LedgerError(
                f"no run of {environment} matches", found=text[:200],
                hint=f"`freeze runs query \"env = '{environment}'\"` lists them",
            )  # fmt: skip
        found |= {run.id: run for run in some}
    for run in found.values():
        _require_usable(run, environment)
    return sorted(found.values(), key=lambda run: (run.started, run.id))


def _require_usable(run: Run, environment: str) -> None:
    if run.environment != environment:
        raise LedgerError(
            f"run {run.id} is of another environment", found=run.environment, expected=environment,
            hint=f"archive it with `freeze archive create {run.environment}`",
        )  # fmt: skip
    if run.state == "running":
        raise LedgerError(
            f"run {run.id} is under way", hint="wait until it ends, or `freeze runs stop` it"
        )


def _record(ledger: Ledger, run: Run) -> bytes:
    from freezer.ledger import query
    from freezer.ledger.exchange.document import digests, export_parts

    # Not every digest is that of a content that the ledger has.
    found = (query.stored_content(ledger, sha256) for sha256 in sorted(set(digests(run))))
    contents = [data for data in found if data is not None]
    series = query.all_points(ledger, run.id)
    return b"".join(export_parts([(run, series)], contents))


def _lock_of(run: Run) -> str | None:
    value = run.fields.get("lock")
    return value.text.removeprefix("sha256:") if isinstance(value, Digest) else None


def _outputs(project: Project, run: Run) -> dict[str, Source]:
    """Return the outputs that are as they were recorded; warn of the others."""
    root = run_folder(project, run.id) / "output"
    skipped = records_of_tools(root, run.outputs)  # they may hold secrets; the run has the rest
    found: dict[str, Source] = {}
    gone = 0
    for output in run.outputs:
        if output.path in skipped:
            continue
        source = _unchanged(root, output)
        if source is None:
            gone += 1
        else:
            found[output_path(run.id, output)] = source
    if gone:
        project.report.warn(
            f"run {run.id}: {gone} of {len(run.outputs)} outputs are not archived, because they "
            "are gone, or changed since the run"
        )
    return found


def _unchanged(root: Path, output: Output) -> Source | None:
    path = root / output.path
    try:
        if not path.resolve().is_relative_to(root.resolve()) or path.is_symlink():
            return None
        if not path.is_file() or path.stat().st_size != output.size:
            return None
        with path.open("rb") as stream:
            same = hashlib.file_digest(stream, "sha256").hexdigest() == output.sha256
    except (OSError, ValueError):
        return None
    return Source(output.sha256, output.size, opener(path)) if same else None


def _put_back(
    project: Project, storage: Storage, inventory: Inventory, state: Mapping[str, str],
    stored: Mapping[str, Stored], run: Run,
) -> None:  # fmt: skip
    root = run_folder(project, run.id) / "output"
    for output in run.outputs:
        if state.get(output_path(run.id, output)) != output.sha256:
            continue
        target = root / output.path
        if not target.resolve().is_relative_to(root.resolve()):
            raise HostError("an output would be outside of its folder", where=Where(output.path))
        if not target.exists():
            path = inventory.manifest[output.sha256]
            place = f"{inventory.id}/{path}"
            _take_output(storage, place, stored.get(path), output.sha256, target)


def _take_output(
    storage: Storage, place: str, stored: Stored | None, sha256: str, target: Path
) -> None:
    def take(blocks: Iterator[bytes]) -> None:
        with replacing(target, durable=True) as stream:
            for block in blocks:
                stream.write(block)

    with disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        take_content(storage, place, stored, sha256, take)
