"""What `freeze run --json` prints at the end: the document of a run, or of all runs of a sweep."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freezer.cli.image.running.invocation import RESULT_OPTION
from freezer.cli.session import current

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.cli.image.running.invocation import Invocation
    from freezer.errors import FreezerError
    from freezer.flows.runs.processes.jobs import JobEnd
    from freezer.flows.runs.run import RunDone


class Documents:
    """The documents of runs that are made in this process."""

    def __init__(self, todo: Invocation) -> None:
        self._todo = todo
        self._found: list[dict[str, Any]] = []

    def add(self, done: RunDone) -> None:
        """Keep the document of a run, where one is wanted; write it where a file was named."""
        from freezer.output.runs.made import made_document
        from freezer.output.text import document

        if self._todo.json:
            self._found.append(made_document(done))
        if self._todo.result is not None:
            self._todo.result.write_text(document(made_document(done)))

    def add_error(self, error: FreezerError) -> None:
        """Keep that a run could not be made, and why."""
        from freezer.output.runs.made import not_made_document
        from freezer.output.text import document

        found = not_made_document(error.exit_code, error.to_json())
        self._found.append(found)
        if self._todo.result is not None:
            self._todo.result.write_text(document(found))

    def hand_out(self, status: int) -> None:
        """Print the one document, where it is wanted."""
        if self._todo.json and self._todo.values:
            emit_sweep(self._todo, self._found, status)
        elif self._todo.json:
            current.emit(self._found[0])


def emit_sweep(todo: Invocation, found: Sequence[dict[str, Any]], status: int) -> None:
    """Print the document of a sweep."""
    from freezer.output.runs.made import sweep_document

    current.emit(sweep_document(todo.sweep, found, status, total=len(todo.requests)))


@contextmanager
def documents_of_children(todo: Invocation) -> Iterator[ChildDocuments]:
    """Give the options with which processes leave the documents of their runs; read them then."""
    if not todo.json:
        yield ChildDocuments([])
        return
    from tempfile import TemporaryDirectory  # a single run needs none

    with TemporaryDirectory(prefix="freeze-run-") as folder:
        yield ChildDocuments([Path(folder) / f"{one}.json" for one in range(len(todo.requests))])


class ChildDocuments:
    """The documents of runs that are made in processes of their own, each in a file."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def options(self, number: int) -> list[str]:
        """Return the options of one process."""
        return [RESULT_OPTION, str(self._files[number])] if self._files else []

    def hand_out(self, todo: Invocation, ends: Sequence[JobEnd], status: int) -> None:
        """Print the document of the sweep; ``ends`` are those of the first runs, in their order."""
        if self._files:
            emit_sweep(todo, [self._read(number, end) for number, end in enumerate(ends)], status)

    def _read(self, number: int, end: JobEnd) -> dict[str, Any]:
        from freezer.output.runs.made import not_made_document

        try:
            found: dict[str, Any] = json.loads(self._files[number].read_bytes())
        except (OSError, ValueError):  # it could not begin, or its process was killed
            return not_made_document(end.exit_code, None, run=end.run)
        return found
