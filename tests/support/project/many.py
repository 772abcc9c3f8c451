"""A long past, written at once: as `freeze` would have written it, without its sixty checks."""

from __future__ import annotations

import hashlib

from freezer.flows.history.lock_files import hashes
from freezer.history.archive import keep
from freezer.history.changelog import write_changelog
from freezer.history.log import History, write_log
from freezer.model.exports.requirements_txt import REQUIREMENTS_FILE, requirements_text
from freezer.model.generation import Checked, Generation, entry_digest
from freezer.model.lock import PipPackage
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from freezer.model.record.verdict import Word
from tests.support.project.histories import INSIDE, NAME, Past
from tests.support.project.locks import make_lock, sha

PACKAGES = 80


def files_of(number: int) -> dict[str, bytes]:
    """Return the files of a lock of eighty packages, the first of which is of that version."""
    packages = tuple(
        PipPackage(
            source="pypi", file=f"package{index}-{number if index == 0 else 1}.0-py3-none-any.whl",
            size=1, sha256=hashlib.sha256(f"{index} {number if index == 0 else 1}".encode()).hexdigest(),
            name=f"package{index:02}", version=f"{number if index == 0 else 1}.0",
            requested=index < 5, reason="requested in freeze.yaml",
        )
        for index in range(PACKAGES)
    )  # fmt: skip
    lock = make_lock(pip=packages, inside=INSIDE)
    return {LOCK_FILE: lock_bytes(lock), REQUIREMENTS_FILE: requirements_text(lock).encode()}


def sixty(past: Past, count: int = 60) -> None:
    """Give a project that many generations, each checked in two numerics classes."""
    entries: list[Generation | Checked] = []
    for number in range(1, count + 1):
        files = files_of(number)
        made = lock_id(files[LOCK_FILE])
        keep(past.folder, made, files, {})
        date = f"2026-{1 + number // 28:02}-{1 + number % 28:02}T00:00:00Z"
        entries.append(
            Generation(
                number=number, parents=_last(entries), date=date, action="lock", lock_id=made,
                files=hashes(files), reason="as every week", who="Ada <ada@example.org>",
                summary=f"Python package package00: {number - 1}.0 to {number}.0",
            )
        )  # fmt: skip
        for class_ in ("x86-64-v3-haswell", "x86-64-v4-skylakex"):
            entries.append(
                Checked(
                    parents=_last(entries), date=date, generation=number, lock_id=made,
                    class_=class_, word=Word.IDENTICAL, image=f"sha256:{sha('a')}", cpu="Test CPU",
                )
            )  # fmt: skip
        for name, data in files.items():
            (past.folder / name).write_bytes(data)
    made = History.of(entries)
    write_log(past.folder, made)
    write_changelog(past.folder, made, NAME)


def _last(entries: list[Generation | Checked]) -> tuple[str, ...]:
    return (entry_digest(entries[-1]),) if entries else ()
