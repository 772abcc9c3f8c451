"""Outside data come in, and text goes out, through one place each: others would not be guarded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "freezer"
RULES = {
    # What is used: where alone.
    r"\burl(?:split|join|parse)\b": {"fetch/http/url.py"},
    r"\brequests\.(?:Session|get|post|request)\b": {
        "fetch/http/session.py",
        "fetch/http/transport.py",
    },
    r"\burllib\.request\b|\bhttp\.client\.HTTP\w*Connection\b": set(),
    r"\btomllib\b": {"model/parsing.py"},
    r"\bConsole\(": {"output/console.py"},
}


def sources() -> list[tuple[str, str]]:
    """Return path and text of every module but those that are copied into images."""
    found = ((path.relative_to(PACKAGE).as_posix(), path) for path in PACKAGE.rglob("*.py"))
    return [(name, path.read_text()) for name, path in found if not name.startswith("inside/")]


@pytest.mark.parametrize("pattern", RULES)
def test_only_the_guarded_place_uses_it(pattern: str) -> None:
    used = {name for name, text in sources() if re.search(pattern, text)}
    assert used <= RULES[pattern]
