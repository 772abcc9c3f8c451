"""Reading what archives say of packages, true and false."""

from __future__ import annotations

import pytest

from freezer.errors import IntegrityError
from freezer.fetch.debian.packages_index import Index
from freezer.resolve.debian.packages import PackageTable, Relation, parse_clause, provides
from tests.support.debian.archives import stanza


def index(*stanzas: str, source: str = "debian") -> Index:
    return Index(
        source=source,
        suite="bookworm",
        component="main",
        root="file:/x",
        date="2026-07-11T10:16:37Z",
        inrelease=b"",
        release_signed=True,
        unpack=lambda: "\n".join(stanzas).encode(),
        packages_path="main/binary-amd64/Packages",
        packed=b"",
        packed_sha256="0" * 64,
    )


def table(*stanzas: str) -> PackageTable:
    return PackageTable([index(*stanzas)])


def test_every_stanza_is_found() -> None:
    found = table(stanza("a"), stanza("b"), stanza("c"))
    assert found.names == ["a", "b", "c"]
    assert [found.newest(name).fields["package"] for name in "abc"] == ["a", "b", "c"]  # type: ignore[union-attr]


def test_versions_are_compared_as_debian_does() -> None:
    versions = ["1.0", "1.0~rc1", "1:0.1", "1.0-1+b1", "1.10", "1.9"]
    found = table(*(stanza("a", version) for version in versions))
    ordered = [one.version for one in found.candidates("a")]
    assert ordered == ["1:0.1", "1.10", "1.9", "1.0-1+b1", "1.0", "1.0~rc1"]


def test_the_first_archive_answers_for_a_version_that_both_have() -> None:
    both = PackageTable([index(stanza("a")), index(stanza("a"), source="debian-security")])
    assert [one.source for one in both.candidates("a")] == ["debian"]


def test_a_package_of_an_unknown_name() -> None:
    assert table(stanza("a")).candidates("b") == []
    assert table().newest("a") is None


def test_continuation_lines_belong_to_their_field() -> None:
    found = table(stanza("a", Depends="b,\n c (>= 2) | d", Tag="x"), stanza("z"))
    clauses = found.candidates("a")[0].relations("depends")
    assert clauses == [(Relation("b"),), (Relation("c", ">=", "2"), Relation("d"))]


def test_a_lock_entry() -> None:
    one = table(stanza("a", "1:2.0", Filename="./pool/a.deb", Size="12")).candidates("a")[0]
    package = one.package(requested=True, reason="why not")
    assert (package.file, package.size, package.version) == ("pool/a.deb", 12, "1:2.0")
    assert (package.source, package.architecture, package.requested) == ("debian", "amd64", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Filename", "../../etc/passwd"),
        ("Filename", "pool/../../x.deb"),
        ("Filename", "/etc/passwd"),
        ("Filename", "pool\\x.deb"),
        ("Filename", ""),
        ("Size", "-1"),
        ("Size", "many"),
        ("SHA256", "abc"),
        ("SHA256", "z" * 64),
    ],
)
def test_an_entry_that_is_not_safe_to_lock(field: str, value: str) -> None:
    one = table(stanza("evil", **{field: value})).candidates("evil")[0]
    with pytest.raises(IntegrityError, match="malformed entry of evil") as caught:
        one.package(requested=False, reason="x")
    assert caught.value.hint


@pytest.mark.parametrize("version", ["", "one two", "a:b:c-1"])
def test_a_version_that_is_none(version: str) -> None:
    with pytest.raises(IntegrityError, match="malformed entry of evil"):
        table(stanza("evil", version, Filename="x.deb")).candidates("evil")


def test_a_field_given_twice() -> None:
    text = stanza("evil") + "SHA256: " + "0" * 64 + "\n"
    with pytest.raises(IntegrityError) as caught:
        table(text).candidates("evil")
    assert caught.value.found == "SHA256 twice"


def test_a_name_given_twice_in_one_stanza() -> None:
    with pytest.raises(IntegrityError):
        table(stanza("good") + "Package: evil\n").candidates("evil")


def test_marks_are_those_of_the_newest_version() -> None:
    found = table(
        stanza("a", "1", Essential="yes"),
        stanza("a", "2"),
        stanza("b", Essential="yes"),
        stanza("c", Description="Essential: yes"),
        stanza("d", Essential="no"),
    )
    assert [one.name for one in found.marked("Essential", "yes")] == ["b"]


def test_providers_are_sorted_and_current() -> None:
    found = table(
        stanza("mawk", Provides="awk"),
        stanza("gawk", Provides="other (= 2),\n awk"),
        stanza("oldawk", "1", Provides="awk"),
        stanza("oldawk", "2"),
    )
    assert [one.name for one in found.providers("awk")] == ["gawk", "mawk"]
    assert found.providers("perl") == []


@pytest.mark.parametrize(
    ("operator", "admitted"),
    [
        ("<<", ["1.0"]),
        ("<=", ["1.0", "2.0"]),
        ("=", ["2.0"]),
        (">=", ["2.0", "3.0"]),
        (">>", ["3.0"]),
        (None, ["1.0", "2.0", "3.0"]),
    ],
)
def test_bounds(operator: str | None, admitted: list[str]) -> None:
    relation = Relation("a", operator, "2.0")
    assert [one for one in ("1.0", "2.0", "3.0") if relation.admits(one)] == admitted


def test_a_bound_is_met_by_a_versioned_provision_only() -> None:
    plain = table(stanza("a", "9", Provides="v")).candidates("a")[0]
    versioned = table(stanza("a", "1", Provides="v (= 3)")).candidates("a")[0]
    assert provides(plain, Relation("v"))
    assert not provides(plain, Relation("v", ">=", "2"))
    assert provides(versioned, Relation("v", ">=", "2"))
    assert not provides(versioned, Relation("v", ">=", "4"))


@pytest.mark.parametrize(
    ("clause", "text"),
    [
        ("libc6 (>= 2.36)", "libc6 (>= 2.36)"),
        (" python3:any ", "python3"),
        ("a(<<1:2~)", "a (<< 1:2~)"),
        ("g++-12", "g++-12"),
    ],
)
def test_relations_are_read(clause: str, text: str) -> None:
    assert [str(relation) for relation in parse_clause(clause, "x")] == [text]


@pytest.mark.parametrize("clause", ["a (~ 1)", "a b", "$(reboot)", "a | ", "a (>= 1"])
def test_relations_that_are_none(clause: str) -> None:
    with pytest.raises(IntegrityError, match="malformed entry of x"):
        parse_clause(clause, "x")
