"""Sixty generations of a lock with as many packages as a real one: hardly any of them is read whole.

To read a lock whole is what takes long; `benchmarks/history` tells the seconds of each command.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freezer.flows.compare.diff import diff
from freezer.flows.history.log import log, verify
from freezer.flows.rollback.rollback import rollback
from freezer.flows.why.why import why
from freezer.model import lockfile
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.many import sixty


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    made = make_past(tmp_path_factory.mktemp("sixty"))
    sixty(made)
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the locks that are read whole from now on."""
    found: list[str] = []
    document: Callable[[bytes, str], Any] = lockfile._document

    def watched(data: bytes, name: str) -> Any:
        found.append(name)
        return document(data, name)

    monkeypatch.setattr(lockfile, "_document", watched)
    lockfile._sound.cache_clear()
    return found


@pytest.mark.parametrize(
    ("work", "locks"), [("log", 1), ("verify", 1), ("why", 1), ("diff", 2), ("rollback", 2)]
)
def test_each_reads_no_more_locks_than_it_tells_of(
    past: Past, read: list[str], work: str, locks: int
) -> None:
    done = {
        "log": lambda: len(log(past.opened, NAME).rows) == 60,
        "rollback": lambda: rollback(past.opened, NAME, dry_run=True).target.number == 59,
        "verify": lambda: verify(past.opened, NAME).faults == (),
        "why": lambda: _since(past, "package01") == 1,
        "diff": lambda: len(diff(past.opened, NAME, None, None).diff.packages) == 1,
    }
    assert done[work]()
    assert len(read) <= locks, read


def test_what_moved_last_is_since_the_last_generation(past: Past) -> None:
    assert _since(past, "package00") == 60


def _since(past: Past, name: str) -> int:
    (found,) = why(past.opened, NAME, name).answers
    assert found.since is not None
    assert found.since.complete
    return found.since.generation.number


def test_the_file_is_what_freeze_writes(past: Past, tmp_path: Path) -> None:
    assert past.lock("99.0").number == 61
    assert verify(past.opened, NAME).faults == ()
