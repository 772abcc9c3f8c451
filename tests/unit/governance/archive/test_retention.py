"""Which versions of an archive go: never what a lock in force or a run needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import HostError, IntegrityError, SpecError
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.flows.governance.archive.create import create_archive
from freezer.flows.governance.archive.prune import prune_archive
from freezer.flows.governance.archive.restore import restore_archive
from freezer.flows.governance.archive.verify import verify_archive
from freezer.flows.governance.archive.versions import list_archive
from freezer.governance.archive import rewrite as module
from freezer.governance.archive.retention import Retention, VersionFacts, decide
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from tests.support.host.hosts import Host
from tests.support.project.small_lock import made_lock

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LOCKS = ("a" * 64, "b" * 64, "c" * 64)


def facts(
    number: int, age: int, lock: str, runs: dict[str, str | None] | None = None
) -> VersionFacts:
    return VersionFacts(number, NOW - timedelta(days=age), lock, runs or {})


def staying(
    versions: list[VersionFacts], rule: Retention, needed: dict[str, str] | None = None
) -> dict[int, str]:
    decisions = decide(versions, rule, NOW, needed or {})
    return {one.number: one.reason for one in decisions if one.reason is not None}


def test_the_rules_and_the_reasons() -> None:
    versions = [facts(n, 100 - n, LOCKS[n % 3]) for n in range(1, 7)]
    assert staying(versions, Retention(last=2)) == {5: "one of the last 2", 6: "the newest"}
    assert set(staying(versions, Retention(days=96))) == {4, 5, 6}
    assert set(staying(versions, Retention(last=1, days=0))) == {6}
    assert set(staying(versions, Retention(last=1), {LOCKS[1]: "x"})) == {4, 6}
    assert set(staying(versions, Retention(last=1), {LOCKS[0]: "x"})) == {6}, "v6 has that lock"
    unknown = [VersionFacts(1, None, LOCKS[0], {}), facts(2, 1, LOCKS[1])]
    assert set(staying(unknown, Retention(days=0))) == {1, 2}


def test_runs_keep_their_locks_and_themselves() -> None:
    run, other = "1" * 16, "2" * 16
    versions = [
        facts(1, 9, LOCKS[0]),
        facts(2, 8, LOCKS[1], {other: LOCKS[0]}),
        facts(3, 7, LOCKS[2], {run: LOCKS[1]}),
    ]
    found = staying(versions, Retention(last=1))
    assert found == {
        1: f"run {other} was made with its lock",
        2: f"run {run} was made with its lock",
        3: "the newest",
    }


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400), st.sampled_from(LOCKS),
            st.dictionaries(st.sampled_from(["1", "2", "3"]), st.sampled_from([None, *LOCKS])),
        ),
        min_size=1, max_size=8,
    ),
    st.integers(1, 5), st.integers(0, 400), st.sets(st.sampled_from(LOCKS)),
)  # fmt: skip
def test_nothing_that_is_needed_goes(
    rows: list[tuple[int, str, dict[str, str | None]]], last: int, days: int, needed: set[str]
) -> None:
    versions = [facts(number, *row) for number, row in enumerate(rows, 1)]
    kept = set(staying(versions, Retention(last, days), dict.fromkeys(needed, "x")))
    assert len(versions) in kept
    stays = [one for one in versions if one.number in kept]
    locks = {one.lock_id for one in stays}
    archived = {one.lock_id for one in versions}
    assert needed & archived <= locks
    assert {run for one in versions for run in one.runs} == {
        run for one in stays for run in one.runs
    }
    assert {lock for one in stays for lock in one.runs.values()} & archived <= locks


@pytest.fixture
def root(here: Host, tmp_path: Path) -> Path:
    """An archive with four versions, each of another lock; the project has the last one."""
    archive = tmp_path / "archive"
    for day in range(1, 5):
        lock = made_lock().model_copy(update={"as_of": f"2026-01-0{day}T00:00:00Z"})
        (here.references / LOCK_FILE).write_bytes(lock_bytes(lock))
        create_archive(here.opened, "demo", str(archive))
    return archive


def test_a_prune_removes_what_nothing_needs(here: Host, there: Host, root: Path) -> None:
    second = lock_bytes(made_lock().model_copy(update={"as_of": "2026-01-02T00:00:00Z"}))
    (here.references / LOCK_FILE).write_bytes(second)  # rolled back, so to speak
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    planned = prune_archive(here.opened, str(root), None, Retention(last=1), dry_run=True)
    assert before == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    done = prune_archive(here.opened, str(root), None, Retention(last=1), dry_run=False)
    assert planned.environments == done.environments
    reasons = [one.reason for one in done.environments[0].versions]
    assert reasons == [None, "the project's current lock", None, "the newest"]
    found = list_archive(FolderStorage(root))
    assert [one.version for one in found] == ["v1", "v2"]
    assert found[0].message == f"lock {lock_id(second)}"
    assert verify_archive(here.opened, str(root)).findings == ()
    assert sorted(path.name for path in root.iterdir() if path.is_dir()) == ["demo__2"]
    assert all(path.stat().st_nlink == 1 for path in root.rglob("*") if path.is_file())
    restored = restore_archive(there.opened, str(root), "demo", "v1")
    assert restored.lock_id == lock_id(second)
    assert create_archive(here.opened, "demo", str(root)).written.version == "v3"


def test_environments_of_other_projects_are_left_alone(there: Host, root: Path) -> None:
    done = prune_archive(there.opened, str(root), None, Retention(last=1), dry_run=False)
    assert (done.environments, done.skipped) == ((), ("demo",))
    assert len(list_archive(FolderStorage(root))) == 4
    prune_archive(there.opened, str(root), "demo", Retention(last=1), dry_run=False)
    assert len(list_archive(FolderStorage(root))) == 1
    with pytest.raises(HostError, match="has no other"):
        prune_archive(there.opened, str(root), "other", Retention(last=1), dry_run=False)


def test_a_damaged_archive_is_not_pruned(here: Host, root: Path) -> None:
    blob = next(root.glob("demo/v1/content/blobs/sha256/*"))
    blob.write_bytes(b"x")
    for damage, found in ((b"x", "not sound"), (None, "is gone")):
        blob.unlink() if damage is None else blob.write_bytes(damage)
        with pytest.raises(IntegrityError, match=found) as raised:
            prune_archive(here.opened, str(root), None, Retention(last=1), dry_run=False)
        assert blob.name in str(raised.value)
    assert sorted(path.name for path in root.iterdir() if path.is_dir()) == ["demo"]
    assert len(list_archive(FolderStorage(root))) == 4


@pytest.mark.parametrize("step", ["complete", "verify_object", "remove"])
def test_a_prune_that_is_cut_off_is_finished_by_the_next(
    here: Host, root: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module if step == "verify_object" else FolderStorage, step, cut)
        with pytest.raises(KeyboardInterrupt):
            prune_archive(here.opened, str(root), None, Retention(last=2), dry_run=False)
    assert len(list_archive(FolderStorage(root))) == (4 if step == "complete" else 2)
    prune_archive(here.opened, str(root), None, Retention(last=2), dry_run=False)
    assert len(list_archive(FolderStorage(root))) == 2
    assert verify_archive(here.opened, str(root)).findings == ()
    assert sorted(path.name for path in root.iterdir()) == [
        "0=ocfl_1.1", "demo__2", "ocfl_layout.json"
    ]  # fmt: skip


def test_the_policy_says_what_to_keep(here: Host, root: Path) -> None:
    with pytest.raises(SpecError, match="which versions to keep"):
        prune_archive(here.opened, str(root), None, Retention(), dry_run=False)
    policy = here.opened.root / "policy.yaml"
    policy.write_text("retention: {keep-last: 3}\n")
    prune_archive(here.opened, str(root), None, Retention(), dry_run=False)
    assert len(list_archive(FolderStorage(root))) == 3
    policy.write_text("retention: {keep-last: 0}\n")
    with pytest.raises(SpecError, match=r"."):
        prune_archive(here.opened, str(root), None, Retention(), dry_run=False)
