"""Environments archived and restored: nothing that changed, and nothing over what is there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from freezer.errors import FreezerError, HostError, IntegrityError, LockError, SpecError
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.flows.governance.archive.create import create_archive
from freezer.flows.governance.archive.restore import restore_archive
from freezer.flows.governance.archive.verify import verify_archive
from freezer.flows.governance.archive.versions import list_archive
from freezer.governance.archive.inventory import INVENTORY, SIDECAR, sidecar
from freezer.governance.archive.manifest import MANIFEST, SIGNATURE, parse_manifest
from freezer.governance.archive.ocfl import read_object
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from tests.support.host.hosts import Host
from tests.support.project.insides import OLD, PART
from tests.support.project.small_lock import DEB, TRAINING, WHEEL, WORDS, made_lock
from tests.support.signatures.keys import MAKERS, private, public


def another_lock(host: Host) -> bytes:
    """Lock the environment anew: with another cut-off."""
    data = lock_bytes(made_lock().model_copy(update={"as_of": "2026-01-01T00:00:00Z"}))
    (host.references / LOCK_FILE).write_bytes(data)
    return data


@pytest.fixture(params=["ed25519", "ecdsa"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A private key, its public half, and the public half of another one."""
    own, other = MAKERS[request.param](), MAKERS[request.param]()
    files = tmp_path / "own.key", tmp_path / "own.pub", tmp_path / "other.pub"
    for path, data in zip(files, (private(own), public(own), public(other)), strict=True):
        path.write_bytes(data)
    return files


def test_archive_and_restore(here: Host, there: Host, tmp_path: Path) -> None:
    assert made_lock().inside == OLD
    root = tmp_path / "archive"
    done = create_archive(here.opened, "demo", str(root))
    identifier = lock_id(lock_bytes(made_lock()))
    assert (done.lock_id, done.written.version) == (identifier, "v1")
    assert create_archive(here.opened, "demo", str(root)).written.new_files == 0
    (entry,) = list_archive(FolderStorage(root))
    assert (entry.environment, entry.version, entry.files) == ("demo", "v1", done.written.files)
    assert verify_archive(here.opened, str(root)).findings == ()

    assert restore_archive(there.opened, str(root), "demo").lock_id == identifier
    assert (there.references / LOCK_FILE).read_bytes() == lock_bytes(made_lock())
    for data in (DEB, WHEEL, TRAINING, WORDS, PART):
        assert there.opened.store.has(hashlib.sha256(data).hexdigest())
    with pytest.raises(HostError, match="has no v7"):
        restore_archive(there.opened, str(root), "demo", "v7")
    with pytest.raises(HostError, match="has no other"):
        restore_archive(there.opened, str(root), "other")


def test_what_is_not_as_it_was_archived_is_not_restored(
    here: Host, there: Host, tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root))
    blob = root / f"demo/v1/content/blobs/sha256/{hashlib.sha256(WHEEL).hexdigest()}"
    blob.write_bytes(WHEEL[:-1] + b"x")
    with pytest.raises(FreezerError):
        restore_archive(there.opened, str(root), "demo")
    assert not (there.references / LOCK_FILE).exists()
    findings = verify_archive(here.opened, str(root)).findings
    assert [line.partition(":")[0] for line in findings] == [blob.relative_to(root).as_posix()]


def test_another_lock_is_not_written_over(here: Host, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root))
    other = another_lock(here)
    with pytest.raises(LockError, match="another lock"):
        restore_archive(here.opened, str(root), "demo")
    assert (here.references / LOCK_FILE).read_bytes() == other


def test_a_version_has_reports_provenance_history_and_a_crate_of_them(
    here: Host, tmp_path: Path
) -> None:
    report = tmp_path / "check 1.md"
    report.write_text("identical")
    (here.references / "references").mkdir()
    history = here.references / "history"
    history.mkdir()
    (history / "notes.jsonl").write_text("{}\n")
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root), reports=[report])
    inventory = read_object(FolderStorage(root), "demo")
    assert inventory is not None
    state = inventory.versions[0].state
    expected = {
        f"lock/{LOCK_FILE}", "lock/history/notes.jsonl", "reports/check 1.md", "provenance.json",
        "sbom.cdx.json", "sbom.spdx.json", "ro-crate-metadata.json", MANIFEST,
    }  # fmt: skip
    assert expected <= set(state)
    crate = json.loads((root / "demo/v1/content/ro-crate-metadata.json").read_bytes())
    entities = {one["@id"]: one for one in crate["@graph"]}
    parts = {one["@id"] for one in entities["./"]["hasPart"]}
    assert parts == {path.replace(" ", "%20") for path in state} - {
        MANIFEST, "ro-crate-metadata.json"
    }  # fmt: skip
    assert parts <= set(entities)
    assert entities["reports/check%201.md"]["sha256"] == state["reports/check 1.md"]
    manifest = parse_manifest((root / "demo/v1/content" / MANIFEST).read_bytes(), "x")
    assert manifest.files == {path: one for path, one in state.items() if path != MANIFEST}
    another_lock(here)
    create_archive(here.opened, "demo", str(root))
    inventory = read_object(FolderStorage(root), "demo")
    assert inventory is not None
    assert "reports/check 1.md" in inventory.versions[1].state, "reports stay"
    with pytest.raises(HostError, match="cannot be read"):
        create_archive(here.opened, "demo", str(root), reports=[tmp_path / "missing"])
    with pytest.raises(HostError, match="name cannot be used"):
        create_archive(here.opened, "demo", str(root), reports=[report, report])


def test_signed_versions(
    here: Host, there: Host, tmp_path: Path, keys: tuple[Path, Path, Path]
) -> None:
    secret, shared, stranger = keys
    root = str(tmp_path / "archive")
    create_archive(here.opened, "demo", root)
    assert verify_archive(here.opened, root, [shared]).findings == ("demo/v1: it is not signed",)
    with pytest.raises(IntegrityError, match="does not count as signed"):
        restore_archive(there.opened, root, "demo", keys=[shared])
    done = create_archive(here.opened, "demo", root, key=secret)
    assert (done.written.version, done.written.new_files, done.signed) == ("v2", 1, True)
    for key in (secret, None):  # the same state again, with a signature that may be random
        assert create_archive(here.opened, "demo", root, key=key).written.new_files == 0
    assert verify_archive(here.opened, root, [stranger, shared]).findings == ()
    found = verify_archive(here.opened, root, [stranger]).findings
    assert found == ("demo/v2: none of the given keys signed it",)
    assert restore_archive(there.opened, root, "demo", keys=[shared]).version == "v2"
    another_lock(here)
    assert not create_archive(here.opened, "demo", root).signed
    assert verify_archive(here.opened, root, [shared]).findings == ("demo/v3: it is not signed",)
    with pytest.raises(SpecError):
        create_archive(here.opened, "demo", root, key=shared)


def rewritten(root: Path, change: object) -> None:
    """Change the newest inventory of an archive, and every digest of it, as an attacker would."""
    folder = root / "demo"
    document = json.loads((folder / INVENTORY).read_bytes())
    change(document)  # type: ignore[operator]
    data = json.dumps(document).encode()
    for place in (folder, folder / document["head"]):
        (place / INVENTORY).write_bytes(data)
        (place / SIDECAR).write_bytes(sidecar(data))


def test_a_file_that_was_exchanged_with_all_digests_is_found_by_the_signature(
    here: Host, there: Host, tmp_path: Path, keys: tuple[Path, Path, Path]
) -> None:
    secret, shared, _ = keys
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root), key=secret)
    lock = root / "demo/v1/content/lock" / LOCK_FILE
    evil = another_lock(here)
    old, new = (hashlib.sha256(data).hexdigest() for data in (lock.read_bytes(), evil))
    lock.write_bytes(evil)

    def exchange(document: dict[str, dict[str, object]]) -> None:
        document["manifest"][new] = document["manifest"].pop(old)
        state = document["versions"]["v1"]["state"]  # type: ignore[index]
        state[new] = state.pop(old)

    rewritten(root, exchange)
    findings = verify_archive(here.opened, str(root)).findings
    assert findings == (f"demo/v1, {MANIFEST}: it does not list the files of v1",)
    with pytest.raises(IntegrityError, match="manifest"):
        restore_archive(there.opened, str(root), "demo")
    assert verify_archive(here.opened, str(root), [shared]).findings[1:]


@pytest.mark.parametrize("evil", ["../../../evil", "/etc/evil", "lock/../../evil", "lock//evil"])
def test_inventories_with_paths_that_lead_elsewhere_are_refused(
    here: Host, there: Host, tmp_path: Path, evil: str
) -> None:
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root))

    def logical(document: dict[str, dict[str, dict[str, dict[str, list[str]]]]]) -> None:
        state = document["versions"]["v1"]["state"]
        state[next(iter(state))].append(evil)

    rewritten(root, logical)
    assert verify_archive(here.opened, str(root)).findings
    with pytest.raises(FreezerError):
        restore_archive(there.opened, str(root), "demo")
    assert not there.references.exists()
    assert not list(tmp_path.rglob("evil"))


def test_half_an_archive_is_not_restored(here: Host, there: Host, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root))
    wheel = hashlib.sha256(WHEEL).hexdigest()

    def without(document: dict[str, dict[str, dict[str, dict[str, list[str]]]]]) -> None:
        for name in (f"blobs/sha256/{wheel}", MANIFEST):
            state = document["versions"]["v1"]["state"]
            digest = next(one for one, paths in state.items() if name in paths)
            state.pop(digest)

    rewritten(root, without)
    with pytest.raises(IntegrityError, match="lacks 1 of the files") as raised:
        restore_archive(there.opened, str(root), "demo")
    assert wheel in str(raised.value)
    assert not there.references.exists()


def test_a_damaged_inventory_is_replaced_by_that_of_the_version(
    here: Host, there: Host, tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root))
    (root / "demo" / INVENTORY).write_bytes(b"{}")
    assert restore_archive(there.opened, str(root), "demo").version == "v1"
    assert any("is damaged" in line for line in there.ear.warnings)
    assert verify_archive(here.opened, str(root)).findings == (
        f"demo/{INVENTORY}: the inventory is not the one that was written",
    )


def test_a_read_only_archive_is_verified_and_restored(
    here: Host, there: Host, tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root))
    for path in sorted(root.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert verify_archive(here.opened, str(root)).findings == ()
    assert restore_archive(there.opened, str(root), "demo").version == "v1"
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755)


def test_signatures_are_files_of_the_version(
    here: Host, tmp_path: Path, keys: tuple[Path, Path, Path]
) -> None:
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root), key=keys[0])
    bundle = json.loads((root / "demo/v1/content" / SIGNATURE).read_bytes())
    assert bundle["mediaType"].startswith("application/vnd.dev.sigstore.bundle")
