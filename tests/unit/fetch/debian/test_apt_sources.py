"""What of apt's own source lists is understood, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import SpecError
from freezer.fetch.debian.apt_sources import AptSource, host_sources, parse_sources

ROOT = "http://mirror.example.org/debian"
KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----
.
mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w"""
DEB822 = f"""\
# The archive
Types: deb deb-src
URIs: {ROOT}/
Suites: bookworm bookworm-updates
# a remark in the midst
Components: main
 contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w

Types: deb
URIs: file:/srv/archive
Suites: bookworm-security
Components: main
Architectures: amd64 arm64
"""


def test_one_line_form() -> None:
    text = f"""\
# deb {ROOT} never main
deb {ROOT} bookworm main contrib  # why
deb-src {ROOT} bookworm main
deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/k.gpg,/etc/l.gpg] {ROOT}-security/ bookworm-security main

deb cdrom:[Debian GNU/Linux 12 _Bookworm_ - Official amd64]/ bookworm main
deb [ enabled=no ] {ROOT} bookworm-backports main
"""
    assert parse_sources(text, "sources.list") == (
        AptSource(ROOT, "bookworm", ("main", "contrib")),
        AptSource(
            uri=f"{ROOT}-security",
            suite="bookworm-security",
            components=("main",),
            architectures=("amd64", "arm64"),
            signed_by="/usr/share/keyrings/k.gpg /etc/l.gpg",
        ),
    )


def test_deb822_form_is_told_by_its_content() -> None:
    assert parse_sources(DEB822, "debian.sources") == (
        AptSource(ROOT, "bookworm", ("main", "contrib"), signed_by=KEY),
        AptSource(ROOT, "bookworm-updates", ("main", "contrib"), signed_by=KEY),
        AptSource("file:/srv/archive", "bookworm-security", ("main",), ("amd64", "arm64")),
    )


@pytest.mark.parametrize("value", ["no", "false", "No"])
def test_a_disabled_stanza_is_passed_over(value: str) -> None:
    text = DEB822.replace("# The archive", f"Enabled: {value}")
    assert [source.uri for source in parse_sources(text, "x")] == ["file:/srv/archive"]


def test_a_stanza_of_sources_only_is_passed_over() -> None:
    text = f"Types: deb-src\nURIs: {ROOT}\nSuites: bookworm\nComponents: main\n"
    assert parse_sources(text, "x") == ()


def test_a_flat_archive_has_no_components() -> None:
    assert parse_sources("deb http://gpu.example.org/x86_64 /\n", "x") == (
        AptSource("http://gpu.example.org/x86_64", "/", ()),
    )


def test_repetitions_are_dropped() -> None:
    line = f"deb {ROOT} bookworm main\n"
    assert len(parse_sources(line * 3, "x")) == 1


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_nothing_is_no_source(text: str) -> None:
    assert parse_sources(text, "x") == ()


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        (f"deb {ROOT} bookworm main\ndeb {ROOT}\n", 2, f"deb {ROOT}"),
        (f"\n\ndeb {ROOT} bookworm\n", 3, "bookworm"),
        (f"debs {ROOT} bookworm main\n", 1, "debs"),
        (f"deb {ROOT} bookworm/ main\n", 1, "bookworm/ main"),
        ("deb mirror.example.org/debian bookworm main\n", 1, "mirror.example.org/debian"),
        (f"deb {ROOT} ../../etc main\n", 1, "../../etc"),
        (f"deb [arch=amd64 {ROOT} bookworm main\n", 1, "deb [arch=amd64"),
        ("Types: deb\nURIs here\n", 2, "URIs here"),
        (f"\nTypes: deb\nURIs: {ROOT}\nComponents: main\n", 2, "a stanza without Suites"),
        (f"URIs: {ROOT}\nSuites: bookworm\n", 1, "a stanza without Types"),
        (" folded: first\nTypes: deb\n", 1, "folded: first"),
    ],
)
def test_what_is_malformed_is_named_with_its_line(text: str, line: int, found: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_sources(text, "debian.list")
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == ("debian.list", line)
    assert (caught.value.found or "").lower().startswith(found.lower())


def test_credentials_are_not_shown() -> None:
    with pytest.raises(SpecError) as caught:
        parse_sources("deb https://user:secret@mirror.example.org/debian\n", "x")
    assert "secret" not in str(caught.value)


def test_a_host_is_read_in_apts_order(tmp_path: Path) -> None:
    lists = tmp_path / "etc/apt/sources.list.d"
    lists.mkdir(parents=True)
    (tmp_path / "etc/apt/sources.list").write_text(f"deb {ROOT} bookworm main\n")
    (lists / "b.list").write_text("deb file:/b bookworm main\n")
    (lists / "a.sources").write_text(DEB822)
    (lists / "c.list.disabled").write_text("not read at all\n")
    assert [(source.uri, source.suite) for source in host_sources(tmp_path)] == [
        (ROOT, "bookworm"),
        (ROOT, "bookworm"),
        (ROOT, "bookworm-updates"),
        ("file:/srv/archive", "bookworm-security"),
        ("file:/b", "bookworm"),
    ]


def test_a_host_without_apt_has_none(tmp_path: Path) -> None:
    assert host_sources(tmp_path) == ()


def test_a_list_of_mirrors_stands_for_its_first(tmp_path: Path) -> None:
    (tmp_path / "etc/apt/mirrors").mkdir(parents=True)
    (tmp_path / "etc/apt/mirrors/debian.list").write_text(f"# near\n{ROOT}/\tpriority:1\nfile:/x\n")
    entry = "deb mirror+file:///etc/apt/mirrors/{}.list bookworm main\n"
    (tmp_path / "etc/apt/sources.list").write_text(entry.format("debian") + entry.format("lost"))
    assert [source.uri for source in host_sources(tmp_path)] == [
        ROOT,
        "mirror+file:///etc/apt/mirrors/lost.list",
    ]
