"""Archives in a real OCI registry: a manifest for each version, and every byte read back."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests

from freezer.errors import BusyError, FreezerError, HostError
from freezer.fetch.archive_storage import registry as module
from freezer.fetch.archive_storage.interface import Source, Storage
from freezer.fetch.archive_storage.location import open_storage
from freezer.fetch.archive_storage.registry import RegistryStorage
from freezer.fetch.config import Config
from freezer.governance.archive.fixity import verify_object, verify_root
from freezer.governance.archive.ocfl import (
    add_version,
    current_objects,
    open_root,
    read_object,
    take_content,
)
from freezer.governance.archive.rewrite import rewrite
from tests.support.registry.registries import put_manifest, real_registry
from tests.support.storage.whole_life import archive_sign_restore_and_prune

pytestmark = pytest.mark.skipif(
    not (shutil.which("docker-registry") or shutil.which("registry")),
    reason="no registry is installed",
)
KIND = "application/vnd.oci.image.manifest.v1+json"
NOW = "2026-11-30T00:00:00Z"
FIRST = {"lock/a": b"first" * 9, "blobs/b": b"kept" * 200}
SECOND = {"lock/a": b"second" * 9, "blobs/b": b"kept" * 200}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def host(folder: Path) -> Iterator[str]:
    with real_registry(folder, deletes=True) as address:
        yield address


@pytest.fixture
def address(request: pytest.FixtureRequest, host: str) -> str:
    return f"{host}/team/{hashlib.sha256(request.node.name.encode()).hexdigest()[:16]}"


def source(data: bytes) -> Source:
    return Source(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


def opened(address: str) -> RegistryStorage:
    storage = open_storage(address, Config())
    assert isinstance(storage, RegistryStorage)
    return storage


def add(storage: Storage, files: Mapping[str, bytes], name: str = "demo") -> tuple[str, int, int]:
    open_root(storage, make=True)
    sources = {path: source(data) for path, data in files.items()}
    done = add_version(storage, name, sources, created=NOW, message="x")
    return done.version, done.new_files, done.new_bytes


def content(storage: Storage, name: str, path: str, number: int) -> bytes:
    inventory = read_object(storage, name)
    assert inventory is not None
    sha256 = inventory.versions[number - 1].state[path]
    place = inventory.manifest[sha256]
    parts: list[bytes] = []

    def take(blocks: Iterator[bytes]) -> None:
        parts[:] = list(blocks)

    take_content(storage, f"{name}/{place}", storage.files(name).get(place), sha256, take)
    return b"".join(parts)


def manifest(host: str, repository: str, tag: str) -> requests.Response:
    url = f"http://{host}/v2/{repository}/manifests/{tag}"
    return requests.get(url, headers={"Accept": KIND}, timeout=60)


def test_a_second_version_costs_what_changed(address: str) -> None:
    assert add(opened(address), FIRST) == ("v1", 2, 845)
    assert add(opened(address), SECOND) == ("v2", 1, 54)
    assert add(opened(address), SECOND) == ("v2", 0, 0)
    storage = opened(address)
    assert verify_root(storage) + verify_object(storage, "demo") == []
    assert storage.objects() == ["demo"]
    assert content(storage, "demo", "lock/a", 1) == FIRST["lock/a"]
    assert content(storage, "demo", "lock/a", 2) == SECOND["lock/a"]
    assert content(storage, "demo", "blobs/b", 2) == FIRST["blobs/b"]


def test_files_of_no_and_of_one_byte(address: str) -> None:
    files = {"empty": b"", "one": b"1"}
    add(opened(address), files)
    assert verify_object(opened(address), "demo") == []
    assert {path: content(opened(address), "demo", path, 1) for path in files} == files


def test_each_version_is_a_manifest_of_its_own(address: str, host: str) -> None:
    add(opened(address), FIRST)
    add(opened(address), SECOND)
    repository = address.partition("/")[2]
    found = manifest(host, repository, "demo.v2").json()
    titles = [one["annotations"]["org.opencontainers.image.title"] for one in found["layers"]]
    assert titles == [
        "0=ocfl_object_1.1",
        "v2/inventory.json.sha256",
        "v1/content/blobs/b",
        "v2/content/lock/a",
    ]


def test_blobs_that_changed_or_are_gone_are_found(address: str, folder: Path) -> None:
    add(opened(address), FIRST)
    data = FIRST["blobs/b"]
    digest = hashlib.sha256(data).hexdigest()
    place = folder / f"registry/docker/registry/v2/blobs/sha256/{digest[:2]}/{digest}/data"
    whole = place.read_bytes()
    for broken in (bytes([whole[0] ^ 1]) + whole[1:], whole + b"more", whole[:-1], b""):
        place.write_bytes(broken)
        found = verify_object(opened(address), "demo")
        assert [line.partition(":")[0] for line in found] == ["demo/v1/content/blobs/b"], found
        with pytest.raises(FreezerError):
            content(opened(address), "demo", "blobs/b", 1)
    place.unlink()
    assert verify_object(opened(address), "demo")
    place.write_bytes(whole)
    assert verify_object(opened(address), "demo") == []


def test_tags_that_are_gone_or_moved_are_found(address: str, host: str) -> None:
    add(opened(address), FIRST)
    add(opened(address), SECOND)
    root, repository = f"http://{host}", address.partition("/")[2]
    url = f"{root}/v2/{repository}/manifests"
    first = manifest(host, repository, "demo.v1")
    put_manifest(root, repository, "demo.v2", first.content, KIND)
    assert verify_object(opened(address), "demo")
    digest = first.headers["Docker-Content-Digest"]
    requests.delete(f"{url}/{digest}", timeout=60).raise_for_status()
    assert verify_object(opened(address), "demo")


def test_a_prune_leaves_what_stays_and_frees_the_rest(address: str) -> None:
    for number in range(4):
        add(opened(address), {"lock/a": b"%d" % number, "blobs/b": b"kept"})
    storage = opened(address)
    inventory = read_object(storage, "demo")
    assert inventory is not None
    assert rewrite(storage, inventory, {2, 4}) == "demo__2"
    again = opened(address)
    assert again.objects() == ["demo__2"]
    assert current_objects(again) == {"demo": "demo__2"}
    assert verify_object(again, "demo__2") == []
    assert [content(again, "demo__2", "lock/a", number) for number in (1, 2)] == [b"1", b"3"]
    assert (
        add_version(again, "demo__2", {"lock/a": source(b"new")}, created=NOW, message="x").version
        == "v3"
    )


def test_a_prune_that_is_cut_off_loses_nothing(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        add(opened(address), {"lock/a": b"%d" % number, "blobs/b": b"kept"})
    storage = opened(address)
    inventory = read_object(storage, "demo")
    assert inventory is not None
    push = RegistryStorage.push

    def cut(self: RegistryStorage, name: str, number: int, *rest: object) -> None:
        if number == 1:
            raise KeyboardInterrupt
        push(self, name, number, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(module.RegistryStorage, "push", cut)
        with pytest.raises(KeyboardInterrupt):
            rewrite(storage, inventory, {2, 3})
    assert current_objects(opened(address)) == {"demo": "demo"}
    assert verify_object(opened(address), "demo") == []


def test_a_registry_without_deletion_says_so(tmp_path: Path) -> None:
    with real_registry(tmp_path) as host:
        address = f"{host}/archive"
        add(opened(address), FIRST)
        add(opened(address), SECOND)
        storage = opened(address)
        inventory = read_object(storage, "demo")
        assert inventory is not None
        with pytest.raises(HostError, match="does not allow deleting"):
            rewrite(storage, inventory, {2})
        assert verify_object(opened(address), "demo") == []


def test_two_writers_of_one_version_do_not_mix(address: str) -> None:
    first = opened(address)
    open_root(first, make=True)
    with first.draft("demo", 1) as draft:
        draft.put("content/lock/a", source(b"one"), lambda _: None)
        assert add(opened(address), SECOND)[0] == "v1"
        with pytest.raises(BusyError, match="another process"):
            first.push("demo", 1, {}, source(b"{}"), ("inventory.json.sha256", source(b"x")))
    assert verify_object(opened(address), "demo") == []


def test_places_that_are_no_archive(address: str, host: str) -> None:
    with pytest.raises(HostError, match="no archive"):
        open_root(opened(address), make=False)
    repository = address.partition("/")[2]
    add(opened(address), FIRST)
    found = manifest(host, repository, "demo.v1")
    other = f"{repository}-image"
    for blob in found.json()["layers"] + [found.json()["config"]]:
        query = {"mount": blob["digest"], "from": repository}
        requests.post(f"http://{host}/v2/{other}/blobs/uploads/", params=query, timeout=60)
    put_manifest(f"http://{host}", other, "latest", found.content, KIND)
    with pytest.raises(HostError, match="place of its own"):
        open_root(opened(f"{host}/{other}"), make=True)


def test_an_environment_is_archived_signed_restored_and_pruned(
    address: str, tmp_path: Path
) -> None:
    archive_sign_restore_and_prune(address, tmp_path)
