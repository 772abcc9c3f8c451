"""Indices from small archives: mirrors, snapshots, memory, and everything that may be wrong."""

from __future__ import annotations

import hashlib
import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.errors import FetchError, FreezerError, IntegrityError
from freezer.fetch.config import Config
from freezer.fetch.debian.apt_sources import AptSource
from freezer.fetch.debian.packages_index import Index, fetch_indices
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from tests.support.debian.archives import Archive, stanza

PATH = "main/binary-amd64/Packages"
AS_OF = "2026-11-23T10:00:00Z"


class Ear(SilentReporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "debian")
    archive.add(stanza("hello"), stanza("ecosystem"))
    return archive


def fetch(
    store: Store,
    archive: Archive,
    *sources: AptSource,
    config: dict[str, object] | None = None,
    as_of: str = AS_OF,
    ear: Ear | None = None,
    machine: str = "x86_64",
) -> list[Index]:
    wanted = sources or (AptSource(archive.uri, archive.suite, ("main",)),)
    settings = Config.model_validate({"sources": config or {}})
    found = fetch_indices(
        wanted, machine, settings, as_of=as_of, store=store, report=ear or SilentReporter()
    )
    for index in found:
        assert index.packed_sha256 == hashlib.sha256(index.packed).hexdigest()
        assert index.packages is index.packages, "unpacked once"
    return found


@pytest.mark.parametrize("packing", [".xz", ".gz", ""])
@pytest.mark.parametrize("by_hash", [True, False])
def test_an_index_is_fetched(store: Store, tmp_path: Path, packing: str, by_hash: bool) -> None:
    archive = Archive(tmp_path / "debian", by_hash=by_hash)
    archive.add(stanza("hello"), packing=packing)
    (index,) = fetch(store, archive.publish())
    assert index.packages.decode() == stanza("hello")
    assert (index.source, index.suite, index.component) == ("debian", "bookworm", "main")
    assert index.date == "2026-07-11T10:16:37Z"
    assert (index.folder, index.packages_path) == ("dists/bookworm", PATH + packing)
    assert index.packed == archive.files[PATH + packing]
    assert index.root == archive.uri
    assert not index.release_signed


def test_a_second_time_only_the_release_is_read(store: Store, archive: Archive) -> None:
    first = fetch(store, archive.publish())
    (archive.folder / f"{PATH}.xz").unlink()
    assert fetch(store, archive) == first


def test_what_the_store_holds_is_verified_again(store: Store, archive: Archive) -> None:
    whole = fetch(store, archive.publish())
    blob = store.path(hashlib.sha256(archive.files[f"{PATH}.xz"]).hexdigest())
    blob.chmod(0o644)
    blob.write_bytes(b"spoiled")
    assert fetch(store, archive) == whole
    assert blob.read_bytes() == archive.files[f"{PATH}.xz"]


def test_order_is_that_of_the_sources(store: Store, tmp_path: Path) -> None:
    names = ["c", "a", "b"]
    archives = [Archive(tmp_path / name, label=name) for name in names]
    for one in archives:
        one.add(stanza(f"package-{one.label}"))
        one.publish()
    sources = [AptSource(one.uri, one.suite, ("main",)) for one in archives]
    assert [index.source for index in fetch(store, archives[0], *sources)] == names


def test_a_source_for_another_architecture_is_passed_over(store: Store, archive: Archive) -> None:
    foreign = AptSource("file:/nowhere", "bookworm", ("main",), ("arm64",))
    own = AptSource(archive.publish().uri, "bookworm", ("main",), ("amd64", "arm64"))
    assert [index.root for index in fetch(store, archive, foreign, own)] == [archive.uri]


def test_packages_for_all_architectures_may_stand_apart(store: Store, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "debian", extra="")
    archive.add(stanza("hello"))
    archive.add(stanza("data", Architecture="all"), path="main/binary-all/Packages")
    paths = [index.packages_path for index in fetch(store, archive.publish())]
    assert paths == [f"{PATH}.xz", "main/binary-all/Packages.xz"]


def test_a_flat_archive(store: Store, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "flat", label="GPU Things")
    archive.add(stanza("driver"), path="Packages", packing=".gz")
    archive.publish()
    source = AptSource(archive.folder.as_uri(), "/", ())
    (index,) = fetch(store, archive, source)
    assert (index.source, index.folder, index.packages_path) == ("gpu-things", ".", "Packages.gz")
    assert index.packages.decode() == stanza("driver")


def test_a_mirror_stands_for_the_sources_own_address(store: Store, archive: Archive) -> None:
    archive.publish()
    source = AptSource("https://nowhere.invalid/debian", "bookworm", ("main",))
    mirrors = {"debian": {"debian": ["file:/not/there", archive.uri + "/"]}}
    (index,) = fetch(store, archive, source, config=mirrors)
    assert index.root == archive.uri


def test_the_label_is_asked_for_where_the_address_does_not_tell(
    store: Store, archive: Archive, tmp_path: Path
) -> None:
    own = Archive(tmp_path / "copy")
    own.add(stanza("old"))
    source = AptSource(own.publish().uri, "bookworm", ("main",))
    config = {"debian": {"debian": [archive.publish().uri]}}
    (index,) = fetch(store, archive, source, config=config)
    assert index.root == archive.uri


def test_a_mirror_out_of_reach_need_not_tell_its_label(store: Store, archive: Archive) -> None:
    gone = AptSource("file:/not/there", "bookworm", ("main",))
    mirrors = {"debian": {"debian": ["file:/not/there", archive.publish().uri]}}
    (index,) = fetch(store, archive, gone, config=mirrors)
    assert index.root == archive.uri


def test_a_mirror_of_another_archive_is_refused(store: Store, archive: Archive) -> None:
    source = AptSource("file:/x/security", "bookworm", ("main",))
    with pytest.raises(IntegrityError) as caught:
        fetch(store, archive.publish(), source, config={"debian": {"security": [archive.uri]}})
    assert (caught.value.found, caught.value.expected) == ("the label debian", "the label security")


def test_a_dated_archive_goes_first(store: Store, archive: Archive, tmp_path: Path) -> None:
    past = Archive(tmp_path / "20260801T000000Z" / "debian")
    past.add(stanza("hello", "0.9"))
    past.publish()
    config = {"debian-snapshot": {"debian": f"{tmp_path.as_uri()}/{{timestamp}}/debian"}}
    (index,) = fetch(store, archive.publish(), config=config, as_of="2026-08-01T00:00:00Z")
    assert "0.9" in index.packages.decode()


def test_a_dated_archive_out_of_reach_is_mentioned(store: Store, archive: Archive) -> None:
    ear = Ear()
    config = {"debian-snapshot": {"debian": "file:/nowhere/{timestamp}"}}
    (index,) = fetch(store, archive.publish(), config=config, ear=ear)
    assert index.root == archive.uri
    assert "dated archive of debian cannot be reached" in ear.warnings[0]


def test_an_archive_newer_than_asked_for_is_mentioned(store: Store, archive: Archive) -> None:
    ear = Ear()
    fetch(store, archive.publish(), as_of="2026-01-01T00:00:00Z", ear=ear)
    assert "taken as of 2026-07-11 10:16, after 2026-01-01 00:00" in ear.warnings[0]


def test_an_archive_no_longer_updated_is_mentioned(store: Store, archive: Archive) -> None:
    archive.extra += "Valid-Until: Sat, 18 Jul 2026 10:16:37 UTC\n"
    ear = Ear()
    fetch(store, archive.publish(), ear=ear)
    assert "valid until 2026-07-18 only" in ear.warnings[0]
    assert len(ear.warnings) == 1


def refused(store: Store, archive: Archive, kind: type[FreezerError], **options: object) -> str:
    with pytest.raises(kind) as caught:
        fetch(store, archive, **options)  # type: ignore[arg-type]
    assert caught.value.hint
    return str(caught.value)


def test_other_packages_than_the_release_names(store: Store, archive: Archive) -> None:
    archive.publish()
    archive.write(f"{PATH}.xz", lzma.compress(b"Package: evil\n"))
    assert "does not have the hash in its release" in refused(store, archive, IntegrityError)
    assert not list((store.root / "blobs").rglob("*/*/*"))


def test_more_bytes_than_the_release_names(store: Store, archive: Archive) -> None:
    archive.publish()
    archive.write(f"{PATH}.xz", archive.files[f"{PATH}.xz"] + b"more")
    with pytest.raises(FetchError, match="too large"):
        fetch(store, archive)


def test_an_unpacked_index_other_than_the_one_named(store: Store, archive: Archive) -> None:
    archive.files[f"{PATH}.xz"] = lzma.compress(b"Package: evil\n")
    assert "unpacked, does not have the hash" in refused(store, archive.publish(), IntegrityError)


@pytest.mark.parametrize("packing", [".xz", ".gz"])
@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"<html>" + data])
def test_an_index_that_cannot_be_unpacked(
    store: Store, tmp_path: Path, packing: str, spoil: object
) -> None:
    archive = Archive(tmp_path / "debian")
    archive.add(stanza("hello"), packing=packing)
    archive.files[PATH + packing] = spoil(archive.files[PATH + packing])  # type: ignore[operator]
    assert "cannot be unpacked" in refused(store, archive.publish(), IntegrityError)


def test_an_index_that_unpacks_without_end(
    store: Store, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freezer.fetch.debian.packages_index._LARGEST", 1000)
    archive.files[PATH] = b""
    archive.files[f"{PATH}.xz"] = lzma.compress(bytes(1 << 20))
    assert "too large for an index" in refused(store, archive.publish(), IntegrityError)


def test_an_index_said_to_be_huge(store: Store, archive: Archive) -> None:
    archive.publish()
    release = archive.folder / "InRelease"
    size = len(archive.files[f"{PATH}.xz"])
    release.write_text(release.read_text().replace(f" {size} {PATH}.xz", f" {10**12} {PATH}.xz"))
    assert "10" + "0" * 11 in refused(store, archive, IntegrityError)


def test_a_release_of_another_suite(store: Store, archive: Archive) -> None:
    archive.publish()
    archive.folder.rename(archive.root / "dists" / "trixie")
    archive.suite = "trixie"
    message = refused(store, archive, IntegrityError)
    assert "expected: trixie" in message
    assert "found:    bookworm" in message


def test_a_suite_that_is_not_there(store: Store, archive: Archive) -> None:
    archive.publish()
    archive.suite = "buzz"
    assert "has no suite buzz" in refused(store, archive, FetchError)


def test_an_optional_suite_that_is_not_there(store: Store, archive: Archive) -> None:
    own = AptSource(archive.publish().uri, "bookworm", ("main",))
    absent = replace(own, suite="bookworm-updates", optional=True)
    assert [index.suite for index in fetch(store, archive, absent, own)] == ["bookworm"]


def test_an_optional_suite_out_of_reach_is_not_passed_over(store: Store, archive: Archive) -> None:
    absent = AptSource("odd:/x", "bookworm-updates", ("main",), optional=True)
    with pytest.raises(FetchError, match="cannot read"):
        fetch(store, archive, absent)


def test_a_component_that_is_not_offered(store: Store, archive: Archive) -> None:
    source = AptSource(archive.publish().uri, "bookworm", ("main", "restricted"))
    with pytest.raises(FetchError) as caught:
        fetch(store, archive, source)
    assert "no restricted/binary-amd64/Packages" in caught.value.what
    assert "components main" in (caught.value.found or "")


def test_an_architecture_that_is_not_offered(store: Store, archive: Archive) -> None:
    message = refused(store, archive.publish(), FetchError, machine="aarch64")
    assert "binary-arm64" in message
    assert "architectures all amd64" in message


def test_an_index_that_is_named_but_not_served(store: Store, archive: Archive) -> None:
    archive.publish()
    (archive.folder / f"{PATH}.xz").unlink()
    assert "lists indices that it does not serve" in refused(store, archive, FetchError)


def test_an_address_that_only_apt_can_read(store: Store, archive: Archive) -> None:
    source = AptSource("mirror+file:///etc/mirrors", "bookworm", ("main",))
    with pytest.raises(FetchError) as caught:
        fetch(store, archive, source)
    assert "sources: {debian:" in (caught.value.hint or "")


def test_credentials_appear_nowhere(store: Store, archive: Archive) -> None:
    archive.publish()
    (index,) = fetch(store, archive)
    assert "secret" not in repr(replace(index, root="https://user:secret@mirror.example.org"))
