"""Public ML projects' own files: read, or refused with a reason; none silent, none a traceback."""

from __future__ import annotations

import pytest

from benchmarks.public_projects import outcomes

pytestmark = pytest.mark.index


def test_every_file_has_an_outcome() -> None:
    found = list(outcomes())
    assert len({item.project for item in found}) >= 29
    assert [item for item in found if item.kind in ("silent", "traceback")] == []
