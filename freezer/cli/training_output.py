"""What a training prints, passed on as it comes and as it is: bytes, not text."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from freezer.cli.session import current

if TYPE_CHECKING:
    from collections.abc import Callable


def passed_on(stdout: IO[str] | None, stderr: IO[str] | None) -> Callable[[int, bytes], None]:
    """Return what takes a training's output: the stream (1 or 2), and bytes.

    A training goes on when its output is no longer read (``| head``), or the disk of a log is full.
    """
    targets = {1: stdout, 2: stderr}

    def show(stream: int, data: bytes) -> None:
        target = targets.get(stream)
        if target is None:
            return
        try:
            target.buffer.write(data)  # type: ignore[attr-defined]
            target.flush()
        except OSError as error:
            targets[stream] = None
            # What is still buffered would fail once more at the end of the process.
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), target.fileno())
            current.reporter().warn(
                f"the training's output cannot be written any more ({error.strerror}); "
                "the run goes on and is recorded"
            )

    return show
