"""The runtime that a shipped lock names is there: this one, or an older one kept with the lock."""

import hashlib
import re
from pathlib import Path

import pytest

from freezer.inside import inside_digest
from freezer.model.lockfile import LOCK_FILE

ROOT = Path(__file__).parents[3]
NAMES = sorted(path.parent.name for path in ROOT.glob("images/*/freeze.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_lock_finds_its_runtime(name):
    text = (ROOT / "lockfiles" / name / LOCK_FILE).read_text()
    named = re.search(r'^inside:\n  sha256: "?(\w{64})"?$', text, re.MULTILINE)
    assert named
    kept = ROOT / "lockfiles" / name / "inside" / named[1]
    assert kept.is_file() or named[1] == inside_digest()[1], (
        f"freezer/inside was changed since {name} was locked, and the runtime that its lock names "
        f"is not in lockfiles/{name}/inside. Fetch it back, or run `freeze lock {name}`, and where "
        "it has references also `freeze build` and `freeze check`"
    )


@pytest.mark.parametrize("path", sorted(ROOT.glob("lockfiles/*/inside/*")), ids=str)
def test_each_kept_runtime_is_what_its_name_says(path):
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def test_there_are_some():
    assert len(NAMES) >= 8
