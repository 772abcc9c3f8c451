"""What killed processes left in the store goes; what a later one resumes stays."""

import os
from pathlib import Path

import pytest

from freezer.fetch.store.store import Store

GONE = 2**22 + 1
"""A process number that Linux never gives out."""


def test_leftovers_of_killed_processes_are_swept(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    (tmp_path / "scratch" / f"{GONE}-abc").mkdir()
    for name in (f"new-{GONE}-abc", f"new-{os.getpid()}-abc", "1" * 64):
        (tmp_path / "partial" / name).write_bytes(b"x")
    Store.open(tmp_path)
    assert not list((tmp_path / "scratch").iterdir())
    left = {path.name for path in (tmp_path / "partial").iterdir()}
    assert left == {f"new-{os.getpid()}-abc", "1" * 64}
    assert store.partial("1" * 64).exists()


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the state is read from /proc")
def test_a_process_that_nobody_asked_how_it_ended_is_gone(tmp_path: Path) -> None:
    Store.open(tmp_path)
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # it has ended, and is still there
    (tmp_path / "scratch" / f"{child}-abc").mkdir()
    Store.open(tmp_path)
    os.waitpid(child, 0)
    assert not list((tmp_path / "scratch").iterdir())
