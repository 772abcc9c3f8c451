"""Updates of random small indexes with the real resolver, compared with every answer there is."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.support.python.indexes import FakeIndex, serve
from tests.support.python.smallindexes import Index, require_minimal, tight_index
from tests.support.python.updates import EARLY, Env, pins

pytestmark = pytest.mark.index

OLD, NEW = "2025-12-01T00:00:00Z", "2026-02-01T00:00:00Z"


def fill(served: FakeIndex, index: Index) -> None:
    """Let all first versions be there from the start, and the others later."""
    served.add("pip", "25", uploaded=OLD)
    for (name, version), needs in index.items():
        wanted = [
            ",".join([f"{other}>=1", *(f"!={n}" for n in (1, 2, 3) if n not in would_do)])
            for other, would_do in sorted(needs.items())
        ]
        uploaded = OLD if version == 1 else NEW
        served.add(name, str(version), wanted, uploaded=uploaded)


@pytest.mark.parametrize("seed", range(8))
def test_no_package_moves_that_need_not(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    index = tight_index(chance)
    with serve() as served:
        fill(served, index)
        env = Env(tmp_path, served, "uv")
        old = {name: int(version) for name, version in env.lock("a").items()}
        named = chance.choice(sorted(old))
        found = env.update(named)
        now = {name: int(version) for name, version in pins(found.lock.pip).items()}
        require_minimal(index, old, named, now)
        told = {item.name: item.named for item in found.moves}
        assert told == {
            name: name == named
            for name in old.keys() | now.keys()
            if old.get(name) != now.get(name)
        }
        assert found.lock.as_of > EARLY
