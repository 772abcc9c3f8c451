"""Whatever byte of a history is edited, `freeze log --verify` says so, and names the file."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.flows.history.log import verify
from freezer.history.log import FOLDER
from tests.support.examples import examples
from tests.support.project.histories import NAME, Past, make_past


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    made = make_past(tmp_path_factory.mktemp("edits"))
    for version in ("1.0", "2.0", "3.0"):
        made.make(version)
    assert verify(made.opened, NAME).faults == ()
    return made


def edited(data: bytes, chance: Random) -> bytes:
    """Change, drop or add a byte or a line somewhere."""
    place = chance.randrange(len(data))
    lines = data.splitlines(keepends=True)
    line = chance.randrange(len(lines))
    return chance.choice(
        [
            data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :],
            data[:place] + data[place + 1 :],
            data[:place],
            data[:place] + b" " + data[place:],
            b"".join(lines[:line] + lines[line + 1 :]),
            b"".join([*lines[:line], lines[line], *lines[line:]]),
        ]
    )


@settings(max_examples=examples(150))
@given(st.integers(0, 2**32).map(Random))
def test_no_edit_goes_unseen(past: Past, chance: Random) -> None:
    kept = sorted(path for path in (past.folder / FOLDER).rglob("*") if path.is_file())
    path: Path = chance.choice([*kept, past.folder / "CHANGELOG.md"])
    before = path.read_bytes()
    after = edited(before, chance)
    if after == before:
        return
    path.write_bytes(after)
    try:
        faults = verify(past.opened, NAME).faults
    finally:
        path.write_bytes(before)
    assert faults, path.relative_to(past.folder)
