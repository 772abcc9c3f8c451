"""A run in a process of its own, and how that process reports that its run began."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_REPORT: Final = 4096
"""Bytes of the report that a run began."""


@dataclass
class Child:
    """A process that runs one command line of `freeze run`."""

    process: subprocess.Popen[bytes]
    report: int
    """Descriptor from which what `report_start` wrote is read; it ends with the process."""

    def interrupt(self) -> None:
        """End its run as Ctrl-C does: the container is removed, and the run is recorded."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def exit_code(self) -> int:
        """Wait for the end of the process; return its exit code, as shells count it."""
        code = self.process.wait()
        return 128 - code if code < 0 else code


def start_child(
    command: Sequence[str], option: str, training: Sequence[str], *, piped: bool
) -> Child:
    """Start a process in a session of its own: Ctrl-C at the terminal does not reach it.

    ``option`` takes the number of the descriptor to report to; the words of ``training`` follow
    after ``--``. With ``piped`` its output is read by the caller; else it goes where the caller's
    goes.
    """
    reader, writer = os.pipe()
    pipe = subprocess.PIPE if piped else None
    try:
        process = subprocess.Popen(
            [*command, option, str(writer), "--", *training],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            pass_fds=[writer],
            start_new_session=True,
        )
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    return Child(process, reader)


def report_start(descriptor: int, identifier: str) -> None:
    """Report to the process that started this one that a run or sweep began; close the channel."""
    with suppress(OSError), os.fdopen(descriptor, "wb") as stream:
        stream.write(json.dumps({"run": identifier}).encode() + b"\n")


def read_start(report: bytes) -> str | None:
    """Return the ID of the run or sweep that a report names; None where none began."""
    try:
        document: Any = json.loads(report)
        identifier = document["run"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return identifier if isinstance(identifier, str) else None
