"""The history of an environment and the journal of a switch, as a repository may hold them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from freezer.history.changelog import changelog_bytes, changelog_head
from freezer.history.join import united
from freezer.history.log import FOLDER, LOG_FILE, History, read_history
from freezer.history.parse import line_of, parse_lines
from freezer.history.switch import JOURNAL, begun
from freezer.history.verify.verify import Subject, verify_history
from freezer.model.canonical import digest, json_bytes
from freezer.model.generation import Checked, Generation
from freezer.model.record.verdict import Word
from tests.support.fuzz import Target, hold
from tests.support.project.locks import sha

DATE = "2026-11-01T00:00:00Z"


def past() -> History:
    """Return a history with an entry of every kind."""
    first = Generation(
        number=1, date=DATE, action="lock", lock_id=sha("a"), files={"freeze.lock.yaml": sha("a")},
        reason="why", who="Ada <ada@example.org>", commit="1" * 40, summary="first lock",
    )  # fmt: skip
    made = History.of([first])
    check = Checked(
        parents=made.tips, date=DATE, generation=1, lock_id=sha("a"), class_="x86-64-v3",
        word=Word.IDENTICAL, image=f"sha256:{sha('c')}", reference=sha("d"), inventory=sha("e"),
        cpu="Test CPU",
    )  # fmt: skip
    made = made.extended(check)
    second = Generation(
        number=2, parents=made.tips, date=DATE, action="rollback", lock_id=sha("b"),
        image=f"sha256:{sha('c')}", summary="back", deviation=True,
    )  # fmt: skip
    return made.extended(second)


PAST = past()
LINES = PAST.data.splitlines(keepends=True)
FORK = Generation(
    number=2, parents=(PAST.lines[0].digest,), date=DATE, action="lock", lock_id=sha("f"), summary="x"
)  # fmt: skip
MERGED = b"".join(
    [LINES[0], b"<<<<<<< HEAD\n", *LINES[1:], b"=======\n", line_of(FORK).data, b"\n>>>>>>> side\n"]
)
JOURNALED: dict[str, object] = {
    "name": "demo", "lock-id": sha("a"), "image": f"sha256:{sha('c')}", "files": {"freeze.lock.yaml": sha("a")},
    "removed": ["environment.yml"], "entries": [json.loads(LINES[0])],
}  # fmt: skip
JOURNALED["integrity"] = digest(json_bytes(JOURNALED))


def in_folder(data: bytes) -> object:
    """Read a history from a folder, with all that its reader looks at."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / FOLDER).mkdir()
        (Path(folder) / FOLDER / LOG_FILE).write_bytes(data)
        found = read_history(Path(folder), "x")
        return (
            found.head,
            found.last_good(),
            found.tips,
            changelog_bytes(found, "x") if found.lines else b"",
        )


def verified(data: bytes) -> object:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / FOLDER).mkdir()
        (Path(folder) / FOLDER / LOG_FILE).write_bytes(data)
        subject = Subject("demo", Path(folder), "x", sha("a"), frozenset(), PAST.data)
        return verify_history(subject, lambda data, _: digest(data))


def journal(data: bytes) -> object:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / FOLDER).mkdir()
        (Path(folder) / FOLDER / JOURNAL).write_bytes(data)
        return begun(Path(folder), "x")


def sealed_journal(data: bytes) -> object:
    """Read a journal whose digest fits whatever was done to it, as anyone can compute it."""
    try:
        document = json.loads(data)
        document.pop("integrity", None)
        document["integrity"] = digest(json_bytes(document))
        data = json.dumps(document).encode()
    except (ValueError, RecursionError, AttributeError, TypeError):
        pass  # no object: as it is
    return journal(data)


TARGETS = [
    Target("a history", lambda data: parse_lines(data, "x"), (PAST.data,), "text"),
    Target(
        "a line of a history", lambda data: parse_lines(data + b"\n", "x"), (LINES[0][:-1],), "json"
    ),
    Target("a history in its folder", in_folder, (PAST.data,), "text"),
    Target("a history to be verified", verified, (PAST.data,), "text"),
    Target(
        "two branches of a history", lambda data: united(data, "x"), (MERGED, PAST.data), "text"
    ),
    Target("a journal", journal, (json_bytes(JOURNALED),), "json"),
    Target("a sealed journal", sealed_journal, (json_bytes(JOURNALED),), "json"),
    Target("a changelog", changelog_head, (changelog_bytes(PAST, "demo"),), "text"),
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.name)
def test_only_named_errors_come_out(target: Target) -> None:
    hold(target)


def test_the_seeds_are_whole() -> None:
    assert parse_lines(PAST.data, "x") == PAST.lines
    assert len(united(MERGED, "x")) == 4
    assert journal(json_bytes(JOURNALED)) is not None
