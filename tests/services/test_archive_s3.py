"""Archives on a real S3 server with authentication: written once, read by version and digest."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader

from freezer.errors import BusyError, FetchError, FreezerError, HostError, IntegrityError
from freezer.fetch.archive_storage import s3
from freezer.fetch.archive_storage.interface import Source, Storage
from freezer.fetch.archive_storage.location import open_storage
from freezer.fetch.archive_storage.s3 import S3Storage
from freezer.fetch.config import Config
from freezer.governance.archive.fixity import verify_object, verify_root
from freezer.governance.archive.inventory import Inventory
from freezer.governance.archive.ocfl import (
    add_version,
    current_objects,
    open_root,
    read_object,
    recover_object,
    take_content,
)
from freezer.governance.archive.rewrite import rewrite
from tests.support.storage.s3 import PROGRAM, READER, WRITER, S3Server, credentials
from tests.support.storage.whole_life import archive_sign_restore_and_prune

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="SeaweedFS is not installed")
MODELS = Loader()
"""Of requests; each client would read them again, which takes longer than what it is for."""
NOW = "2026-11-30T00:00:00Z"
FIRST = {"lock/a": b"first" * 9, "blobs/b": b"kept" * 200}
SECOND = {"lock/a": b"second" * 9, "blobs/b": b"kept" * 200}


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with (
        tempfile.TemporaryDirectory(prefix="s3-") as folder,
        S3Server(Path(folder)).running() as made,
    ):
        yield made


@pytest.fixture(scope="module")
def client(server: S3Server) -> Any:
    return server.client()


@dataclass
class Place:
    """A prefix of a bucket, of which a test has one of its own: buckets take the server a second."""

    client: Any
    bucket: str
    prefix: str

    def opened(self, below: str = "") -> S3Storage:
        storage = open_storage(f"s3://{self.bucket}/{self.prefix}{below}", Config())
        assert isinstance(storage, S3Storage)
        return storage

    def key(self, path: str) -> str:
        return f"{self.prefix}/{path}"

    def stored(self) -> set[str]:
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}/")
        return {one["Key"] for one in found.get("Contents", ())}

    def put(self, path: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=self.key(path), Body=data)

    def delete(self, path: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self.key(path))


@pytest.fixture(scope="module")
def buckets(client: Any) -> None:
    """One bucket as it is by default, and one that retains every object for a day."""
    client.create_bucket(Bucket="plain")
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    client.put_object_lock_configuration(
        Bucket="locked", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )


@pytest.fixture
def prefix(
    request: pytest.FixtureRequest, server: S3Server, buckets: None, monkeypatch: pytest.MonkeyPatch
) -> str:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(botocore.session, "create_loader", lambda *_: MODELS)
    return f"team/{hashlib.sha256(request.node.name.encode()).hexdigest()[:16]}"


@pytest.fixture
def plain(prefix: str, client: Any) -> Place:
    return Place(client, "plain", prefix)


@pytest.fixture
def locked(prefix: str, client: Any) -> Place:
    return Place(client, "locked", prefix)


def source(data: bytes) -> Source:
    return Source(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


def add(storage: Storage, files: Mapping[str, bytes], name: str = "demo") -> tuple[str, int, int]:
    open_root(storage, make=True)
    sources = {path: source(data) for path, data in files.items()}
    done = add_version(storage, name, sources, created=NOW, message="x")
    return done.version, done.new_files, done.new_bytes


def content(storage: Storage, inventory: Inventory, path: str, number: int) -> bytes:
    sha256 = inventory.versions[number - 1].state[path]
    place = inventory.manifest[sha256]
    parts: list[bytes] = []

    def take(blocks: Iterator[bytes]) -> None:
        parts[:] = list(blocks)

    stored = storage.files(inventory.id).get(place)
    take_content(storage, f"{inventory.id}/{place}", stored, sha256, take)
    return b"".join(parts)


def test_a_second_version_costs_what_changed(plain: Place) -> None:
    storage = plain.opened()
    assert add(storage, FIRST) == ("v1", 2, 845)
    assert add(storage, SECOND) == ("v2", 1, 54)
    assert add(storage, SECOND) == ("v2", 0, 0)
    assert verify_root(storage) + verify_object(storage, "demo") == []
    assert storage.objects() == ["demo"]
    inventory = read_object(storage, "demo")
    assert inventory is not None
    assert content(storage, inventory, "lock/a", 1) == FIRST["lock/a"]
    assert content(storage, inventory, "lock/a", 2) == SECOND["lock/a"]


def test_every_changed_object_is_found_by_its_name(plain: Place) -> None:
    storage = plain.opened()
    add(storage, FIRST)
    add(storage, SECOND)
    for whole in sorted(plain.stored()):
        key = whole.removeprefix(plain.key(""))
        data = storage.read(key, 1 << 20)
        place = len(data) // 2
        plain.put(key, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found = verify_root(storage) + verify_object(storage, "demo")
        named = key.removesuffix(".sha256")
        assert key == "ocfl_layout.json" or any(line.startswith(named) for line in found), key
        plain.put(key, data)
    assert verify_object(storage, "demo") == []


def test_object_lock_keeps_what_an_unretained_bucket_loses(locked: Place, plain: Place) -> None:
    for place in (locked, plain):
        add(place.opened(), FIRST)
        add(place.opened(), SECOND)
        place.delete("demo/v1/content/blobs/b")  # a marker in one, the end in the other
        place.put("demo/v1/content/lock/a", b"evil")
    kept, lost = locked.opened(), plain.opened()
    found = {line.partition(":")[0]: line for line in verify_object(kept, "demo")}
    assert list(found) == ["demo/v1/content/blobs/b", "demo/v1/content/lock/a"]
    assert "deleted; version" in found["demo/v1/content/blobs/b"]
    assert "has the archived bytes" in found["demo/v1/content/lock/a"]
    version = found["demo/v1/content/lock/a"].rpartition("version ")[2].split()[0]
    key = locked.key("demo/v1/content/lock/a")
    got = locked.client.get_object(Bucket="locked", Key=key, VersionId=version)
    assert got["Body"].read() == FIRST["lock/a"]
    inventory = read_object(kept, "demo")
    assert inventory is not None
    assert content(kept, inventory, "blobs/b", 2) == FIRST["blobs/b"]
    assert content(kept, inventory, "lock/a", 1) == FIRST["lock/a"]
    # The control: without versions and retention both are gone for good.
    assert [line.partition(": ")[2] for line in verify_object(lost, "demo")] == [
        "it is gone",
        "its bytes changed",
    ]
    with pytest.raises(FreezerError):
        content(lost, inventory, "blobs/b", 2)


def test_an_archive_whose_every_object_was_deleted_comes_back(locked: Place) -> None:
    storage = locked.opened()
    add(storage, FIRST)
    for key in locked.stored():
        locked.delete(key.removeprefix(locked.key("")))
    again = locked.opened()
    open_root(again, make=False)
    assert current_objects(again) == {"demo": "demo"}
    assert all("is still there" in line for line in verify_object(again, "demo"))
    with pytest.raises(IntegrityError, match="was deleted"):
        add(again, SECOND)
    inventory = recover_object(again, "demo")
    assert inventory is not None
    assert {path: content(again, inventory, path, 1) for path in FIRST} == FIRST


def test_a_retained_archive_is_not_pruned_and_another_one_is(locked: Place, plain: Place) -> None:
    for place in (locked, plain):
        add(place.opened(), FIRST)
        add(place.opened(), SECOND)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m")
    assert (locked.opened().retained("demo") or "").startswith(tomorrow)
    storage = plain.opened()
    assert storage.retained("demo") is None
    inventory = read_object(storage, "demo")
    assert inventory is not None
    assert rewrite(storage, inventory, {2}) == "demo__2"
    assert current_objects(storage) == {"demo": "demo__2"}
    assert storage.objects() == ["demo__2"]
    assert verify_object(storage, "demo__2") == []
    pruned = read_object(storage, "demo__2")
    assert pruned is not None
    assert content(storage, pruned, "lock/a", 1) == SECOND["lock/a"]


def test_markers_outlive_an_object_and_are_none(plain: Place) -> None:
    plain.client.create_bucket(Bucket="versioned")
    plain.client.put_bucket_versioning(
        Bucket="versioned", VersioningConfiguration={"Status": "Enabled"}
    )
    place = Place(plain.client, "versioned", plain.prefix)
    storage = place.opened()
    add(storage, FIRST)
    add(storage, SECOND)
    place.put("demo/notes.txt", b"x")
    place.delete("demo/notes.txt")
    assert verify_object(storage, "demo") == []
    inventory = read_object(storage, "demo")
    assert inventory is not None
    assert rewrite(storage, inventory, {2}) == "demo__2"
    left = place.client.list_object_versions(Bucket="versioned", Prefix=place.key("demo/"))
    assert [one["Key"] for one in left.get("DeleteMarkers", ())] == [place.key("demo/notes.txt")]
    assert not left.get("Versions")
    assert storage.objects() == ["demo__2"]


def test_two_writers_of_one_version_do_not_mix(plain: Place) -> None:
    first, second = plain.opened(), plain.opened()
    open_root(first, make=True)
    with first.draft("demo", 1) as draft:
        draft.put("content/lock/a", source(b"one"), lambda _: None)
        assert add(second, SECOND)[0] == "v1"
        with pytest.raises(BusyError, match="another process"):
            draft.put("content/blobs/b", source(b"two"), lambda _: None)
    assert read_object(first, "demo") is not None


@pytest.mark.parametrize("kind", ["plain", "locked"])
def test_an_upload_that_was_cut_off_counts_for_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place: Place = request.getfixturevalue(kind)
    storage = place.opened()
    add(storage, FIRST)
    before = place.stored()

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(s3._S3Draft, "publish", broken)
        with pytest.raises(KeyboardInterrupt):
            add(storage, SECOND)
    assert before == place.stored()
    # Killed outright: what was put stays, and the next one clears it away.
    with monkeypatch.context() as patched:
        patched.setattr(s3._S3Draft, "publish", broken)
        patched.setattr(s3._S3Draft, "withdraw", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            add(storage, {"lock/other": b"left behind", "lock/a": b"otherwise"})
    assert verify_object(storage, "demo")
    assert add(storage, SECOND) == ("v2", 1, 54)
    assert verify_object(storage, "demo") == []


@pytest.mark.parametrize("step", ["inventory.json.sha256", "complete"])
def test_a_version_that_was_only_not_named_is_completed(
    plain: Place, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    storage = plain.opened()
    add(storage, FIRST)
    once = S3Storage.put_once

    def cut(self: S3Storage, path: str, *rest: Any) -> Any:
        if path.endswith(step):
            raise KeyboardInterrupt
        return once(self, path, *rest)

    def gone(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(S3Storage, "put_once", cut)
        patched.setattr(S3Storage, "complete", gone)
        patched.setattr(s3._S3Draft, "withdraw", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            add(storage, SECOND)
    inventory = read_object(storage, "demo")
    assert inventory is not None
    assert inventory.head == "v1", "it does not count yet"
    assert add(storage, SECOND) == ("v2", 0, 0)
    assert verify_object(storage, "demo") == []


def test_large_files_go_in_parts(plain: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART", 5 << 20)
    data = bytes(range(256)) * 46_000  # 11.8 MB: two parts and a bit
    storage = plain.opened()
    assert add(storage, {"checkpoint": data})[1:] == (1, len(data))
    assert verify_object(storage, "demo") == []
    # The file changes while it is sent: nothing of it is left, not even a part.
    false = Source("0" * 64, len(data), lambda: io.BytesIO(data))
    with pytest.raises(FreezerError, match="changed while it was archived"):
        add_version(storage, "demo", {"checkpoint": false}, created=NOW, message="x")
    assert not plain.client.list_multipart_uploads(Bucket="plain").get("Uploads")
    with pytest.raises(FileExistsError):
        storage.put_once("demo/v1/content/checkpoint", source(data), lambda _: None)


@pytest.mark.parametrize(
    ("account", "found"),
    [
        (READER, "AccessDenied"),
        ((WRITER[0], "wrong"), "SignatureDoesNotMatch"),
        (("nobody", "wrong"), "InvalidAccessKeyId"),
    ],
)
def test_accounts_that_may_not_write(
    server: S3Server, plain: Place, monkeypatch: pytest.MonkeyPatch, account: Any, found: str
) -> None:
    add(plain.opened(), FIRST)
    for name, value in credentials(server.url, account).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(FetchError) as raised:
        add(plain.opened(), SECOND)
    assert found in str(raised.value)
    assert "secret-planted" not in str(raised.value)
    if account == READER:
        assert verify_object(plain.opened(), "demo") == []


def test_places_that_are_no_archive(plain: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.put("other/file", b"x")
    with pytest.raises(HostError, match="place of its own"):
        open_root(plain.opened("/other"), make=True)
    open_root(plain.opened("/oth"), make=True)  # a prefix ends at a slash
    with pytest.raises(HostError, match="no archive"):
        open_root(plain.opened("/nowhere"), make=False)
    with pytest.raises(FetchError, match="no such bucket"):
        open_root(Place(plain.client, "missing-bucket", "x").opened(), make=True)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(HostError, match="configuration of S3"):
        open_root(plain.opened(), make=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "no address")
    with pytest.raises(HostError, match="configuration of S3"):
        plain.opened()


def test_foreign_objects_in_an_archive_are_reported(plain: Place) -> None:
    storage = plain.opened()
    add(storage, FIRST)
    for key in ("Foreign Folder/x", "demo/v1/content/extra", "demo/notes.txt", "demo/v9/x"):
        plain.put(key, b"x")
    found = [line for name in storage.objects() for line in verify_object(storage, name)]
    assert len(found) == 4
    assert current_objects(storage) == {"demo": "demo"}


def test_an_environment_is_archived_signed_restored_and_pruned(
    plain: Place, tmp_path: Path
) -> None:
    archive_sign_restore_and_prune(f"s3://plain/{plain.prefix}", tmp_path)
