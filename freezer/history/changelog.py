"""``CHANGELOG.md`` next to a lock: the history for users, newest first.

It depends on the entries alone: equal histories give equal bytes. Its first lines name the last
entry, so that truncation of the history is detected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from freezer.fetch.store.atomic import disk_errors, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.history.log import History
    from freezer.model.generation import Checked, Generation

CHANGELOG_FILE: Final = "CHANGELOG.md"
_HEAD: Final = re.compile(
    rb"<!-- Written by freeze from .*; last entry (sha256:[0-9a-f]{64})\. -->"
)
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def changelog_bytes(history: History, name: str) -> bytes:
    """Return the changelog of an environment's history, which has at least one entry."""
    return "".join(f"{line}\n" for line in _lines(history, name)).encode()


def write_changelog(folder: Path, history: History, name: str) -> None:
    """Write the changelog next to the lock, if its bytes differ."""
    path, data = folder / CHANGELOG_FILE, changelog_bytes(history, name)
    with disk_errors(folder):
        if not path.is_file() or path.read_bytes() != data:
            write_atomically(path, data)


def changelog_head(data: bytes) -> str | None:
    """Return the digest of the last entry that a changelog names; None when it has none."""
    found = _HEAD.search(data)
    return found[1].decode() if found else None


def _lines(history: History, name: str) -> Iterator[str]:
    last = history.lines[-1].digest
    yield f"# {name}: changelog"
    yield ""
    yield f"<!-- Written by freeze from history/generations.jsonl; last entry {last}. -->"
    for one in reversed(history.generations):
        yield ""
        yield f"## {one.number} · {one.date[:10]} · {one.action} · lock {one.lock_id[:12]}"
        yield ""
        yield _plain(one.summary)
        yield from _facts(one, history.verdicts(one))


def _facts(made: Generation, checks: tuple[Checked, ...]) -> Iterator[str]:
    facts = []
    if made.reason:
        facts.append(f"reason: {_plain(made.reason)}")
    if made.deviation:
        facts.append("**deviation**: made current against the verdict")
    if made.who:
        facts.append(f"by {_plain(made.who)}")
    if made.commit:
        facts.append(f"on commit {made.commit[:12]}")
    facts += [f"checked {one.date[:10]} on {one.class_}: **{one.word}**" for one in checks]
    if facts:
        yield ""
        yield from (f"- {fact}" for fact in facts)


def _plain(text: str) -> str:
    """Escape a text for Markdown."""
    return _SPECIAL.sub(r"\\\1", text)
