"""The shipped locks name Freezer's part of an image as it is here."""

import re
from pathlib import Path

import pytest

from freezer.inside import inside_digest
from freezer.model.lockfile import LOCK_FILE

ROOT = Path(__file__).parents[3]
NAMES = sorted(path.parent.name for path in ROOT.glob("images/*/freeze.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_lock_names_the_part_that_is_here(name):
    text = (ROOT / "lockfiles" / name / LOCK_FILE).read_text()
    named = re.search(r'^inside:\n  sha256: "?(\w{64})"?$', text, re.MULTILINE)
    assert named
    assert named[1] == inside_digest()[1], (
        f"freezer/inside was changed since {name} was locked. Run `freeze lock {name}` (and so for "
        "every environment in images/); where it has references also `freeze build` and `freeze "
        "check`. Commit lock, inside/, inventory and references; no package is to move"
    )


def test_there_are_some():
    assert len(NAMES) >= 8
