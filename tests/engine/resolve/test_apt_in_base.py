"""The real apt in a real base: against Debian's archive, and against small archives of the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from freezer.engine.interface import Engine
from freezer.errors import FreezerError, IntegrityError, ResolveError
from freezer.fetch.config import Config, load_config
from freezer.fetch.debian.apt_sources import AptSource
from freezer.fetch.debian.packages_index import Index, fetch_indices
from freezer.fetch.debian.signature import armoured
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lock import BasePackage, DebianPackage
from freezer.resolve.debian.bootstrap import bootstrap_sources
from freezer.resolve.debian.resolve import resolve_debian
from tests.support.debian.archives import Archive, SigningKey, stanza
from tests.support.debian.bases import SUITE, TestBase

pytestmark = [
    pytest.mark.engine,
    pytest.mark.archive,
    pytest.mark.skipif(not shutil.which("gpg"), reason="gpg signs the archives of these tests"),
]
NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
SILENT = SilentReporter()
Resolve = Callable[..., dict[str, DebianPackage]]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningKey]:
    key = SigningKey(tmp_path_factory.mktemp("k") / "gpg")
    yield key
    key.close()


@pytest.fixture(scope="module")
def debian(bootstrapped_base: TestBase) -> list[Index]:
    config = load_config()
    return fetch_indices(
        bootstrap_sources(SUITE, config),
        bootstrapped_base.architecture,
        config,
        as_of=NOW,
        store=bootstrapped_base.store,
        report=SILENT,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that remembers no answer: apt is to be asked."""
    return Store.open(tmp_path / "store")


@dataclass
class Small:
    """An archive of the test's own, in the base's eyes."""

    archive: Archive
    key: SigningKey
    signed_by: str
    base: TestBase
    engine: Engine
    store: Store

    @property
    def installed(self) -> dict[str, str]:
        return {package.name: package.version for package in self.base.base.packages}

    def offer(self, *stanzas: str, suite: str = "bookworm") -> Index:
        self.archive.files.clear()
        if suite == "/":
            self.archive.add(*stanzas, path="Packages", packing=".gz")
        else:
            self.archive.add(*stanzas)
        self.archive.publish(self.key)
        root = self.archive.folder.as_uri() if suite == "/" else self.archive.uri
        components = () if suite == "/" else ("main",)
        source = AptSource(root, suite, components, signed_by=self.signed_by)
        (index,) = fetch_indices(
            [source], "x86_64", Config(), as_of=NOW, store=self.store, report=SILENT
        )
        return index

    def resolve(
        self, index: Index, *requested: str, keep: dict[str, str] | None = None
    ) -> dict[str, DebianPackage]:
        packages = ask(self.engine, self.base, [index], self.store, requested, keep or {})
        return {package.name: package for package in packages}

    def refused(self, kind: type[FreezerError], index: Index, *requested: str) -> str:
        with pytest.raises(kind) as caught:
            self.resolve(index, *requested)
        assert caught.value.hint
        return str(caught.value)


def ask(
    engine: Engine,
    base: TestBase,
    indices: list[Index],
    store: Store,
    requested: tuple[str, ...],
    keep: dict[str, str],
) -> tuple[DebianPackage, ...]:
    return resolve_debian(
        requested,
        base.reference,
        indices,
        installed=[
            BasePackage(name=item.name, version=item.version, architecture=item.architecture)
            for item in base.base.packages
        ],
        keep=keep,
        engine=engine,
        store=store,
        report=SILENT,
        reasons={},
    )


@pytest.fixture
def small(
    tmp_path: Path, key: SigningKey, engine: Engine, bootstrapped_base: TestBase, store: Store
) -> Small:
    if bootstrapped_base.architecture != "x86_64":
        pytest.skip("the small archives hold packages for x86_64 only")
    archive = Archive(tmp_path / "small", label="Small Things")
    return Small(archive, key, armoured(key.keyring), bootstrapped_base, engine, store)


def test_python_from_debians_own_archive(
    engine: Engine, bootstrapped_base: TestBase, debian: list[Index], store: Store
) -> None:
    packages = ask(engine, bootstrapped_base, debian, store, ("python3.11", "libgomp1"), {})
    found = {package.name: package for package in packages}
    assert {"python3.11", "libpython3.11-stdlib", "libgomp1", "media-types"} <= set(found)
    assert not set(found) & {package.name for package in bootstrapped_base.base.packages}
    assert not any("recommend" in package.reason for package in packages)
    assert found["libpython3.11-minimal"].reason == "needed by python3.11-minimal"
    assert found["python3.11"].file.startswith("pool/")
    assert sum(package.requested for package in packages) == 2


def test_names_become_packages_with_what_they_need(small: Small) -> None:
    index = small.offer(
        stanza("trainer", Depends="lib-trainer (>= 1), bash", Recommends="games"),
        stanza("lib-trainer", "1.2"),
        stanza("games"),
    )
    found = small.resolve(index, "trainer")
    assert {name: one.reason for name, one in found.items()} == {
        "trainer": "asked for in the spec",
        "lib-trainer": "needed by trainer",
    }
    assert found["trainer"].source == "small-things"


def test_a_flat_archive(small: Small) -> None:
    index = small.offer(stanza("driver", Filename="./driver.deb"), suite="/")
    assert small.resolve(index, "driver")["driver"].file == "driver.deb"


def test_the_last_locks_versions_are_kept_where_they_fit(small: Small) -> None:
    index = small.offer(
        stanza("trainer", "2.0", Depends="lib-trainer"),
        stanza("trainer", "1.0", Depends="lib-trainer"),
        stanza("lib-trainer", "2.0", Breaks="trainer (<< 2)"),
        stanza("lib-trainer", "1.0"),
        stanza("no-longer-needed"),
    )

    def versions(**keep: str) -> dict[str, str]:
        named = {name.replace("_", "-"): version for name, version in keep.items()}
        found = small.resolve(index, "trainer", keep=named)
        return {name: one.version for name, one in found.items()}

    newest = {"trainer": "2.0", "lib-trainer": "2.0"}
    assert versions() == newest
    oldest = {"trainer": "1.0", "lib-trainer": "1.0"}
    assert versions(trainer="1.0", lib_trainer="1.0", no_longer_needed="1.0") == oldest
    assert versions(trainer="1.0", lib_trainer="2.0") == newest


def test_a_conflict_is_told_in_apts_words(small: Small) -> None:
    index = small.offer(stanza("aa", Conflicts="bb"), stanza("bb"))
    message = small.refused(ResolveError, index, "aa", "bb")
    assert "aa : Conflicts: bb" in message


def test_a_package_of_the_base_becomes_newer_only_where_it_must(small: Small) -> None:
    newer = small.installed["zlib1g"] + "+newer"
    needs = stanza("needs-newer", Depends=f"zlib1g (>= {newer})")
    index = small.offer(needs, stanza("content", Depends="zlib1g"), stanza("zlib1g", newer))
    assert set(small.resolve(index, "content")) == {"content"}
    found = small.resolve(index, "needs-newer")
    assert found["zlib1g"].version == newer
    assert found["zlib1g"].reason == (
        f"needed by needs-newer; the base holds {small.installed['zlib1g']}"
    )


def test_nothing_is_removed_from_the_base_and_nothing_becomes_older(small: Small) -> None:
    index = small.offer(stanza("rival", Conflicts="tzdata"), stanza("tzdata", "1.0"))
    assert "tzdata would be removed" in small.refused(ResolveError, index, "rival")
    assert "which is older" in small.refused(ResolveError, index, "tzdata=1.0")


def test_an_archive_that_the_base_does_not_trust(small: Small) -> None:
    small.signed_by = ""
    message = small.refused(IntegrityError, small.offer(stanza("aa")), "aa")
    assert "NO_PUBKEY" in message
    assert "small-things bookworm" in message


def test_packages_altered_after_signing(small: Small) -> None:
    index = small.offer(stanza("aa"))
    altered = index.packed.replace(b"\xfd7zXZ", b"\xfd7zXY")
    assert altered != index.packed
    other = type(index)(**{**vars(index), "packed": altered})
    small.refused(IntegrityError, other, "aa")
