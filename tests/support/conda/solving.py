"""The conda solver's worker from a server that has rattler loaded already, a fork a question.

Freezer starts a Python of its own for each question, because rattler may crash an interpreter that
ends. Hundreds of tests ask; each gets a process of its own here too, with the same code in it, but
without the tenth of a second in which rattler is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
from multiprocessing.connection import Connection
from typing import Any

from freezer.resolve.conda.solver import process
from tests.support.host.forking import SERVER


def run_worker(question: dict[str, Any]) -> dict[str, Any]:
    """Return the worker's answer, as ``process.run_worker`` does."""
    mine, theirs = SERVER.Pipe()
    # Through JSON, as on the way to the real process: what cannot be sent is found here too.
    child = SERVER.Process(target=_answer, args=(theirs, json.dumps(question)), daemon=True)
    child.start()
    theirs.close()
    try:
        answer: dict[str, Any] = json.loads(mine.recv_bytes())
    except EOFError:
        child.join()
        done = subprocess.CompletedProcess([], child.exitcode or 0, b"", b"")
        raise process._crashed(done) from None
    finally:
        mine.close()
        child.join()
        child.close()
    return answer


def _answer(connection: Connection, question: str) -> None:
    """Do in the fork what the worker's ``main`` does, and leave as it does."""
    from freezer.resolve.conda.solver import worker

    os.environ.update(process.environment())
    connection.send_bytes(json.dumps(worker.answer(json.loads(question))).encode())
    os._exit(0)
