"""The whole life of an environment in an archive, wherever that is stored."""

from __future__ import annotations

from pathlib import Path

from freezer.fetch.archive_storage.location import open_storage
from freezer.fetch.config import Config
from freezer.flows.governance.archive.create import create_archive
from freezer.flows.governance.archive.prune import prune_archive
from freezer.flows.governance.archive.restore import restore_archive
from freezer.flows.governance.archive.verify import verify_archive
from freezer.flows.governance.archive.versions import list_archive
from freezer.governance.archive.retention import Retention
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.host.hosts import make_host, make_small_host
from tests.support.project.small_lock import made_lock
from tests.support.signatures.keys import key_pair


def archive_sign_restore_and_prune(place: str, tmp_path: Path) -> None:
    """Archive an environment twice at a place, the first time signed; verify, restore, prune."""
    secret, shared = key_pair(tmp_path)
    here, there = make_small_host(tmp_path / "here"), make_host(tmp_path / "there", "nowhere")
    done = create_archive(here.opened, None, place, key=secret)
    assert (done.archive, done.written.version, done.signed) == (place, "v1", True)
    assert create_archive(here.opened, None, place, key=secret).written.new_files == 0
    fixity = verify_archive(there.opened, place, [shared])
    assert (fixity.findings, fixity.environments) == ((), 1)
    restored = restore_archive(there.opened, place, "demo", keys=[shared])
    assert restored.lock_id == done.lock_id
    stored = [
        {path.name for path in (host.opened.store.root / "blobs").rglob("*") if path.is_file()}
        for host in (here, there)
    ]
    assert stored[0] == stored[1]
    later = lock_bytes(made_lock().model_copy(update={"as_of": "2026-01-01T00:00:00Z"}))
    (here.references / LOCK_FILE).write_bytes(later)
    create_archive(here.opened, None, place)
    listed = list_archive(open_storage(place, Config()))
    assert [(one.version, one.signed) for one in listed] == [("v1", True), ("v2", False)]
    pruned = prune_archive(here.opened, place, None, Retention(last=1), dry_run=False)
    assert [one.reason for one in pruned.environments[0].versions] == [None, "the newest"]
    assert [one.version for one in list_archive(open_storage(place, Config()))] == ["v1"]
    assert verify_archive(here.opened, place).findings == ()
