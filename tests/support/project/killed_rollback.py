"""A rollback in a process of its own, which may be killed in the middle of it."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from freezer.errors import HistoryError
from freezer.flows.rollback.rollback import rollback
from tests.support.project.histories import NAME, Past


def go_back(connection: Connection, root: Path, event: str, place: str) -> None:
    """Go back; killed when an audit event says that a file at ``place`` is renamed or removed.

    Sends what is reported on the way, and the error that it ends in.
    """

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        at = arguments[1] if name == "os.rename" else arguments[0] if name == "os.remove" else b""
        if name == event and os.fsdecode(at).endswith(place):
            os.kill(os.getpid(), signal.SIGKILL)

    past = Past(root)
    past.engine_again()
    past.ear.note = connection.send  # type: ignore[method-assign]
    sys.addaudithook(hook)
    try:
        rollback(past.opened, NAME)
    except HistoryError as error:
        connection.send(str(error))
        os._exit(1)
    os._exit(0)
