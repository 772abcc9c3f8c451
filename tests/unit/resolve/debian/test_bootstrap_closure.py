"""Which packages a minimal system is made of, from archives made for the test."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from freezer.errors import FreezerError, HostError, IntegrityError, ResolveError
from freezer.fetch.config import Config
from freezer.fetch.debian.apt_sources import AptSource
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lock import DebianPackage
from freezer.resolve.debian.bootstrap import bootstrap_sources, resolve_bootstrap
from tests.support.debian.archives import Archive, SigningKey, stanza

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        not (shutil.which("gpg") and shutil.which("gpgv")),
        reason="gpg signs the archives of these tests",
    ),
]
MINIMAL = (
    stanza("apt", "2.6", Depends="libapt (>= 2.6), keyring", Priority="required"),
    stanza("debian-archive-keyring", Provides="keyring"),
    stanza("libapt", "2.6", Depends="libc6"),
    stanza("bash", Essential="yes", Pre_Depends="libc6 (>= 2.36)"),
    stanza("libc6", "2.36-9"),
    stanza("tzdata", Priority="required", Architecture="all"),
    stanza("doc", Priority="optional"),
)


@dataclass
class Host:
    """A host with an archive, a key, and a configuration that names both."""

    archive: Archive
    key: SigningKey
    store: Store
    mirrors: dict[str, list[str]]
    keyring: Path
    notes: list[str]

    def resolve(self, *stanzas: str, suite: str = "bookworm") -> dict[str, DebianPackage]:
        self.archive.files.clear()
        self.archive.add(*stanzas)
        self.archive.publish(self.key)
        return self.again(suite)

    def again(self, suite: str = "bookworm") -> dict[str, DebianPackage]:
        sources = {"debian": self.mirrors, "debian-keyring": str(self.keyring)}
        report = SilentReporter()
        report.note = report.warn = self.notes.append  # type: ignore[method-assign]
        packages = resolve_bootstrap(
            suite,
            "x86_64",
            config=Config.model_validate({"sources": sources}),
            as_of="2026-11-23T10:00:00Z",
            store=self.store,
            report=report,
        )
        assert [package.name for package in packages] == sorted(one.name for one in packages)
        return {package.name: package for package in packages}

    def refused(self, kind: type[FreezerError], *stanzas: str, suite: str = "bookworm") -> str:
        with pytest.raises(kind) as caught:
            self.resolve(*stanzas, suite=suite)
        assert caught.value.hint
        return str(caught.value)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningKey]:
    key = SigningKey(tmp_path_factory.mktemp("k") / "gpg")
    yield key
    key.close()


@pytest.fixture
def host(tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr("freezer.resolve.debian.bootstrap.host_sources", lambda: ())
    archive = Archive(tmp_path / "debian")
    mirrors = {"debian": [archive.uri]}
    return Host(archive, key, Store.open(tmp_path / "store"), mirrors, key.keyring, [])


def test_a_minimal_system(host: Host) -> None:
    found = host.resolve(*MINIMAL)
    assert list(found) == ["apt", "bash", "debian-archive-keyring", "libapt", "libc6", "tzdata"]
    assert {name: one.reason for name, one in found.items()} == {
        "apt": "installs packages in the base",
        "bash": "essential to every Debian system",
        "debian-archive-keyring": "verifies the archive in the base",
        "libapt": "needed by apt",
        "libc6": "needed by bash",
        "tzdata": "required in every Debian system",
    }
    assert [name for name, one in found.items() if one.requested] == [
        "apt",
        "debian-archive-keyring",
    ]


def test_the_order_of_the_index_does_not_matter(host: Host) -> None:
    first = host.resolve(*MINIMAL)
    shuffled = random.Random(1).sample(MINIMAL, len(MINIMAL))
    assert host.resolve(*shuffled) == first


def test_updates_and_security_are_searched_too(host: Host, tmp_path: Path) -> None:
    updates = Archive(host.archive.root, suite="bookworm-updates")
    updates.add(stanza("tzdata", "2.0", Priority="required"))
    updates.publish(host.key)
    security = Archive(tmp_path / "security", suite="bookworm-security", label="Debian-Security")
    security.add(stanza("libc6", "2.36-9+deb12u1"))
    host.mirrors["debian-security"] = [security.publish(host.key).uri]
    found = host.resolve(*MINIMAL)
    assert (found["tzdata"].version, found["tzdata"].source) == ("2.0", "debian")
    assert (found["libc6"].version, found["libc6"].source) == ("2.36-9+deb12u1", "debian-security")
    assert host.notes == []


def test_missing_security_updates_are_mentioned(host: Host) -> None:
    host.resolve(*MINIMAL)
    assert any("no archive of security updates" in note for note in host.notes)
    assert any("without bookworm-updates" in note for note in host.notes)


def test_an_alternative_that_is_there_anyway_is_not_added_to(host: Host) -> None:
    found = host.resolve(
        *MINIMAL,
        stanza("login", Essential="yes", Depends="gawk | awk"),
        stanza("mawk", Provides="awk", Priority="required"),
        stanza("gawk", Provides="awk"),
    )
    assert "mawk" in found
    assert "gawk" not in found


@pytest.mark.parametrize(
    ("depends", "chosen"),
    [
        ("one | two", "one"),
        ("absent | two", "two"),
        ("one (>= 9) | two", "two"),
        ("virtual", "three"),
        ("absent | virtual", "three"),
        ("virtual (>= 2)", "two"),
    ],
)
def test_the_first_alternative_that_the_archive_has(host: Host, depends: str, chosen: str) -> None:
    found = host.resolve(
        *MINIMAL,
        stanza("login", Essential="yes", Depends=depends),
        stanza("one"),
        stanza("two", Provides="virtual (= 2)"),
        stanza("three", Provides="virtual"),
    )
    assert {"one", "two", "three"} & set(found) == {chosen}


def test_a_root_that_is_merged_from_the_start_needs_no_merging(host: Host) -> None:
    found = host.resolve(
        *MINIMAL,
        stanza("init", Essential="yes", Depends="usrmerge | usr-is-merged"),
        stanza("usrmerge", Depends="perl"),
        stanza("usr-is-merged"),
        stanza("perl"),
    )
    assert "usr-is-merged" in found
    assert not {"usrmerge", "perl"} & set(found)


def test_an_older_version_is_taken_where_the_newest_does_not_fit(host: Host) -> None:
    found = host.resolve(
        *MINIMAL,
        stanza("login", Essential="yes", Depends="lib (<< 2)"),
        stanza("lib", "2.0"),
        stanza("lib", "1.5"),
    )
    assert found["lib"].version == "1.5"


def test_circles_end(host: Host) -> None:
    found = host.resolve(
        *MINIMAL, stanza("a", Essential="yes", Depends="b"), stanza("b", Depends="a")
    )
    assert {"a", "b"} <= set(found)


def test_a_dependency_that_nothing_fulfils(host: Host) -> None:
    message = host.refused(
        ResolveError,
        *MINIMAL,
        stanza("login", "4.1", Essential="yes", Depends="lib (>= 3) | other"),
        stanza("lib", "2.0"),
    )
    assert "login 4.1 depends on a package that the archive does not have" in message
    assert "found:    lib 2.0" in message
    assert "expected: lib (>= 3) | other" in message


def test_two_versions_of_one_package(host: Host) -> None:
    message = host.refused(
        ResolveError,
        *MINIMAL,
        stanza("login", Essential="yes", Depends="libc6 (= 2.35)"),
        stanza("libc6", "2.35"),
    )
    assert "another version of libc6" in message


@pytest.mark.parametrize("field", ["Breaks", "Conflicts"])
def test_packages_that_exclude_each_other(host: Host, field: str) -> None:
    message = host.refused(
        ResolveError,
        *MINIMAL,
        stanza("login", Essential="yes", **{field: "libc6 (<< 2.37)"}),
    )
    assert "login 1.0 and libc6 2.36-9 exclude each other" in message


def test_breaking_older_versions_is_no_conflict(host: Host) -> None:
    assert "login" in host.resolve(
        *MINIMAL, stanza("login", Essential="yes", Breaks="libc6 (<< 2.30), doc")
    )


@pytest.mark.parametrize(
    ("lacking", "stanzas"),
    [
        ("apt", [one for one in MINIMAL if "Package: apt\n" not in one]),
        ("any essential package", [stanza("apt"), stanza("debian-archive-keyring")]),
    ],
)
def test_an_archive_that_is_not_whole(host: Host, lacking: str, stanzas: list[str]) -> None:
    assert f"does not hold {lacking}" in host.refused(ResolveError, *stanzas)


def test_a_suite_that_the_archive_lacks(host: Host) -> None:
    message = host.refused(ResolveError, *MINIMAL, suite="bookwurm")
    assert "no suite 'bookwurm'" in message


def test_an_unsigned_archive(host: Host) -> None:
    host.resolve(*MINIMAL)
    host.archive.publish(None)
    with pytest.raises(IntegrityError, match="is not signed"):
        host.again()


def test_an_archive_signed_by_a_stranger(host: Host, tmp_path: Path) -> None:
    stranger = SigningKey(tmp_path / "gpg")
    host.keyring = stranger.keyring
    stranger.close()
    assert "lacks" in host.refused(IntegrityError, *MINIMAL)


def test_a_hostile_entry(host: Host) -> None:
    message = host.refused(
        IntegrityError, *MINIMAL, stanza("evil", Essential="yes", Filename="../../evil.deb")
    )
    assert "'../../evil.deb'" in message


def test_the_hosts_own_archives_serve_where_none_is_configured(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    security = Archive(tmp_path / "sec", suite="trixie-security", label="Debian-Security")
    security.add(stanza("libc6", "3"))
    security.publish(host.key)
    own = [AptSource(one.uri, one.suite, ("main",)) for one in (security, host.archive)]
    monkeypatch.setattr("freezer.resolve.debian.bootstrap.host_sources", lambda: own)
    host.mirrors.clear()
    sources = bootstrap_sources("bookworm", Config())
    assert [(one.uri, one.suite, one.optional) for one in sources] == [
        (host.archive.uri, "bookworm", False),
        (host.archive.uri, "bookworm-updates", True),
        (security.uri, "bookworm-security", True),
    ]
    assert "apt" in host.resolve(*MINIMAL)


def test_a_configured_keyring_goes_into_the_base(host: Host) -> None:
    sources = {"debian": host.mirrors, "debian-keyring": str(host.keyring)}
    config = Config.model_validate({"sources": sources})
    signed_by = bootstrap_sources("bookworm", config)[0].signed_by
    (host.keyring.parent / "again.asc").write_text(signed_by)
    host.keyring = host.keyring.parent / "again.asc"
    assert "apt" in host.resolve(*MINIMAL)


def test_no_archive_is_known(host: Host) -> None:
    host.mirrors.clear()
    message = host.refused(HostError, *MINIMAL)
    assert "sources: {debian: {debian: [URL]}}" in message


def test_no_keyring(host: Host, tmp_path: Path) -> None:
    host.keyring = tmp_path / "none.gpg"
    assert "debian-archive-keyring" in host.refused(HostError, *MINIMAL)


def test_the_same_state_of_the_archive_is_selected_from_once(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = host.resolve(*MINIMAL)
    with monkeypatch.context() as patch:
        patch.setattr("freezer.resolve.debian.bootstrap.choose", lambda *_: pytest.fail("again"))
        assert host.again() == first
    (memo,) = (host.store.root / "memos/bootstrap-answer").glob("*/*")
    memo.write_bytes(b'[{"name": "apt"}]')
    assert host.again() == first
    assert host.resolve(*MINIMAL, stanza("new", Essential="yes")).keys() - first.keys() == {"new"}
