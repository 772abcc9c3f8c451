"""What a run left in its output folder: each file by the digest of its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.artifacts.content import content_digest
from freezer.data.hashing import hash_files
from freezer.data.walk import walk
from freezer.model.record.run import Output

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.model.events import Reporter


def list_outputs(folder: Path, report: Reporter) -> tuple[Output, ...]:
    """Return the files of a folder, each with the digests of its bytes and of its content.

    Raises ``DataError`` for what cannot be read.
    """
    files = [one for one in walk(folder, None, "output") if one.kind == "f"]
    total = sum(one.size for one in files)
    with report.task("Hashing the outputs", total=total, unit="bytes") as task:
        found = hash_files(folder, files, task, name="output")
    outputs = []
    for path, (state, sha256) in sorted(found.items()):
        known = content_digest(folder / path)
        kind, content = known if known is not None else (None, None)
        outputs.append(Output(path, state.size, sha256, content, kind))
    return tuple(outputs)
