"""The JUnit file of a sweep whose runs are processes of their own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def junit_of_children(junit: Path | None, count: int) -> Iterator[list[list[str]]]:
    """Give the options with which each process writes its tests; join them in one file at the end.

    A run that did not begin has none.
    """
    if junit is None:
        yield [[] for _ in range(count)]
        return
    from freezer.fetch.store.atomic import disk_errors, write_atomically
    from freezer.output.junit import joined

    with TemporaryDirectory(prefix="freeze-junit-") as folder:
        files = [Path(folder) / f"{number}.xml" for number in range(count)]
        try:
            yield [["--junit", str(one)] for one in files]
        finally:
            written = [one.read_bytes() for one in files if one.is_file()]
            if written:
                with disk_errors(junit.parent):
                    write_atomically(junit, joined(written))
