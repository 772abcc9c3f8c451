"""What is asked of Debian and what becomes of the answer, with an apt that answers by heart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freezer.engine.interface import RunOptions, RunResult
from freezer.errors import EngineError, FreezerError, IntegrityError, ResolveError
from freezer.fetch.debian.packages_index import Index
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lock import BasePackage, DebianPackage
from freezer.resolve.debian.resolve import resolve_debian
from tests.support.debian.archives import stanza

INDEX = Index(
    source="debian",
    suite="bookworm",
    component="main",
    root="file:/x",
    date="2026-07-11T10:16:37Z",
    inrelease=b"one",
    release_signed=True,
    unpack=lambda: "\n".join(
        [
            stanza("jq", "1.6", Depends="libjq1 (= 1.6), libc6 (>= 2)"),
            stanza("jq", "1.5", Depends="libjq1 (= 1.5)"),
            stanza("libjq1", "1.6", Depends="json-engine"),
            stanza("onig", "6.9", Provides="json-engine"),
            stanza("libc6", "2.36"),
            stanza("libc6", "2.30"),
            stanza("mawk", Provides="awk"),
            stanza("gawk", Provides="awk"),
            stanza("lonely", Provides="alone"),
            stanza("odd"),
            stanza("evil", Filename="/etc/passwd"),
            stanza("python3.11", Architecture="all"),
        ]
    ).encode(),
    packages_path="main/binary-amd64/Packages.xz",
    packed=b"",
    packed_sha256="0" * 64,
)


class Apt:
    """An engine whose apt installs what it was told to, and remembers what it was asked."""

    def __init__(self, **versions: str) -> None:
        self.said = "".join(f"Inst {name} {version}\n" for name, version in versions.items())
        self.asked: list[list[str]] = []
        self.uploads: list[bytes] = []
        self.known = True

    def image(self, reference: str) -> Any:
        return SimpleNamespace(id="sha256:base") if self.known else None

    def run(
        self, image: str, command: Sequence[str], options: RunOptions, *, files: bytes
    ) -> RunResult:
        assert image == "sha256:base"
        self.asked.append(list(command[5:]))
        self.uploads.append(files)
        return RunResult(0, self.said.encode(), b"", False, False, 1.0)


def new(version: str, architecture: str = "amd64") -> str:
    return f"({version} Debian:12/stable [{architecture}])"


JQ = {"jq": new("1.6"), "libjq1": new("1.6"), "onig": new("6.9")}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def resolve(
    apt: Apt,
    store: Store,
    *requested: str,
    installed: Mapping[str, str] | None = None,
    keep: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
    indices: Sequence[Index] = (INDEX,),
) -> dict[str, DebianPackage]:
    base = [
        BasePackage(name=name, version=version, architecture="amd64")
        for name, version in (installed or {}).items()
    ]
    packages = resolve_debian(
        requested,
        "base:1",
        indices,
        installed=base,
        keep=keep or {},
        engine=apt,  # type: ignore[arg-type]
        store=store,
        report=SilentReporter(),
        reasons=reasons or {},
    )
    assert [package.name for package in packages] == sorted(one.name for one in packages)
    return {package.name: package for package in packages}


def refused(kind: type[FreezerError], apt: Apt, store: Store, *requested: str, **more: Any) -> str:
    with pytest.raises(kind) as caught:
        resolve(apt, store, *requested, **more)
    assert caught.value.hint
    return str(caught.value)


def test_what_apt_chose_is_pinned_by_the_index(store: Store) -> None:
    found = resolve(Apt(**JQ), store, "jq")
    assert {name: one.version for name, one in found.items()} == {
        "jq": "1.6",
        "libjq1": "1.6",
        "onig": "6.9",
    }
    assert found["jq"].file == "pool/main/jq_1.6_amd64.deb"
    assert found["jq"].source == "debian"
    assert [name for name, one in found.items() if one.requested] == ["jq"]


def test_every_package_says_why_it_is_there(store: Store) -> None:
    apt = Apt(**JQ, libc6="[2.30] " + new("2.36"), odd=new("1.0"))
    found = resolve(apt, store, "jq=1.6", reasons={"jq": "reads the labels"})
    assert {name: one.reason for name, one in found.items()} == {
        "jq": "reads the labels",
        "libjq1": "needed by jq",
        "onig": "needed by libjq1",
        "libc6": "needed by jq; the base holds 2.30",
        "odd": "chosen by apt to fit the others",
    }


def test_without_a_reason_the_spec_is_one(store: Store) -> None:
    assert resolve(Apt(**JQ), store, "jq")["jq"].reason == "asked for in the spec"


def test_the_same_question_is_asked_once(store: Store) -> None:
    first, second = Apt(**JQ), Apt()
    found = resolve(first, store, "jq")
    assert resolve(second, store, "jq") == found
    assert (len(first.asked), len(second.asked)) == (1, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"indices": [replace(INDEX, inrelease=b"two")]},
        {"indices": [replace(INDEX, signed_by="/other.gpg")]},
        {"keep": {"jq": "1.5"}},
    ],
)
def test_another_question_is_asked_anew(store: Store, change: dict[str, Any]) -> None:
    resolve(Apt(**JQ), store, "jq")
    again = Apt(**JQ)
    resolve(again, store, "jq", **change)
    assert len(again.asked) == 1


def test_only_versions_that_there_are_can_be_kept(store: Store) -> None:
    apt = Apt(**JQ)
    resolve(apt, store, "jq", keep={"jq": "1.5", "libjq1": "0.9", "gone": "1"})
    assert b"Package: jq\nPin: version 1.5\n" in apt.uploads[0]
    assert b"Package: libjq1" not in apt.uploads[0]
    assert b"Package: gone" not in apt.uploads[0]


@pytest.mark.parametrize(
    ("requested", "installed"),
    [("libc6", {"libc6": "2.30"}), ("libc6=2.30", {"libc6": "2.30"}), ("awk", {"mawk": "1.0"})],
)
def test_what_the_base_holds_is_left_alone(
    store: Store, requested: str, installed: dict[str, str]
) -> None:
    apt = Apt()
    assert resolve(apt, store, requested, installed=installed) == {}
    assert apt.asked == []


@pytest.mark.parametrize(
    ("requested", "asked"),
    [
        (["jq", "jq"], ["jq"]),
        (["jq=1.5"], ["jq=1.5"]),
        (["jq:amd64"], ["jq"]),
        (["python3.11:amd64"], ["python3.11"]),
        (["alone"], ["lonely"]),
        (["libc6=2.36"], ["libc6=2.36"]),
    ],
)
def test_what_apt_is_asked_for(store: Store, requested: list[str], asked: list[str]) -> None:
    apt = Apt()
    resolve(apt, store, *requested, installed={"libc6": "2.30"})
    assert apt.asked == [asked]


def test_an_unknown_package_is_named_with_near_ones(store: Store) -> None:
    apt = Apt()
    message = refused(ResolveError, apt, store, "pyhton3.11")
    assert "no Debian archive of the base has pyhton3.11" in message
    assert "python3.11" in message.replace("pyhton3.11", "")
    assert apt.asked == []


def test_all_unknown_packages_are_named_at_once(store: Store) -> None:
    message = refused(ResolveError, Apt(), store, "libjq9", "jq", "zzzz")
    assert "libjq9: libjq1" in message
    assert "zzzz: no similar name" in message


def test_a_base_without_archives(store: Store) -> None:
    message = refused(ResolveError, Apt(), store, "jq", "gcc", indices=[])
    assert "no Debian package sources to install jq, gcc from" in message


def test_an_unknown_version_is_named_with_those_there_are(store: Store) -> None:
    assert "found:    1.6, 1.5" in refused(ResolveError, Apt(), store, "jq=1.4")


def test_a_virtual_package_is_named_with_its_providers(store: Store) -> None:
    assert "gawk, mawk" in refused(ResolveError, Apt(), store, "awk")


def test_a_virtual_package_has_no_version(store: Store) -> None:
    assert "virtual" in refused(ResolveError, Apt(), store, "alone=1.0")


def test_another_architecture(store: Store) -> None:
    message = refused(ResolveError, Apt(), store, "jq:i386")
    assert "jq for i386" in message
    assert "jq for amd64" in message


@pytest.mark.parametrize("text", ["jq/stable", "-oX=y", "Jq", "jq 1.6", "", "jq=1 2"])
def test_what_is_no_package(store: Store, text: str) -> None:
    assert "is not a Debian package" in refused(ResolveError, Apt(), store, text)


def test_removing_from_the_base_is_refused(store: Store) -> None:
    apt = Apt(**JQ)
    apt.said += "Remv usrmerge [37]\n"
    assert "usrmerge would be removed" in refused(ResolveError, apt, store, "jq")


def test_going_back_behind_the_base_is_refused(store: Store) -> None:
    apt = Apt(libc6="[2.36] " + new("2.30"))
    message = refused(ResolveError, apt, store, "libc6=2.30", installed={"libc6": "2.36"})
    assert "libc6 2.36 would become 2.30, which is older" in message


def test_an_unsigned_archive_is_refused(store: Store) -> None:
    apt = Apt()
    indices = [replace(INDEX, release_signed=False, root="https://u:secret@mirror.example.org")]
    message = refused(IntegrityError, apt, store, "jq", indices=indices)
    assert "debian bookworm is not signed" in message
    assert "secret" not in message
    assert apt.asked == []


def test_a_package_that_no_index_holds_is_refused(store: Store) -> None:
    assert "odd 9" in refused(IntegrityError, Apt(odd=new("9")), store, "odd")
    assert "odd 1.0" in refused(IntegrityError, Apt(odd=new("1.0", "i386")), store, "jq", "odd")


def test_a_hostile_entry_is_refused(store: Store) -> None:
    assert "'/etc/passwd'" in refused(IntegrityError, Apt(evil=new("1.0")), store, "evil")


def test_an_image_that_is_gone(store: Store) -> None:
    apt = Apt()
    apt.known = False
    assert "no image base:1" in refused(EngineError, apt, store, "jq")


@pytest.mark.parametrize("spoiled", [b'{"installed": "jq"}', b"[]", b"null", b'{"removed": []}'])
def test_a_spoiled_memory_is_no_answer(store: Store, spoiled: bytes) -> None:
    assert len(resolve(Apt(**JQ), store, "jq")) == 3
    for kind, content in (("debian-answer", spoiled), ("debian-packages", b'[{"name": "jq"}]')):
        (memo,) = (store.root / "memos" / kind).glob("*/*")
        memo.write_bytes(content)
    apt = Apt(**JQ)
    assert len(resolve(apt, store, "jq")) == 3
    assert len(apt.asked) == 1


def test_the_same_request_of_the_same_archives_unpacks_nothing(store: Store) -> None:
    def resolve_packed(index: Index, **reasons: str) -> tuple[DebianPackage, ...]:
        return resolve_debian(
            ["jq"],
            "base:1",
            [index],
            installed=[],
            keep={},
            engine=Apt(**JQ),  # type: ignore[arg-type]
            store=store,
            report=SilentReporter(),
            reasons=reasons,
        )

    def unpack() -> bytes:
        raise AssertionError("unpacked")

    packed = replace(INDEX, unpack=unpack)
    with pytest.raises(AssertionError, match="unpacked"):
        resolve_packed(packed)
    found = resolve_packed(INDEX)
    assert resolve_packed(packed) == found
    assert {one.reason for one in resolve_packed(INDEX, jq="because")} >= {"because"}
    with pytest.raises(AssertionError, match="unpacked"):
        resolve_packed(replace(packed, inrelease=b"another"))
