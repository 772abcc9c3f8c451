"""Where a locked package is looked for, in which order, and what is asked for how often."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from freezer.errors import ArtifactGoneError, FetchError
from freezer.fetch.config import Config
from freezer.fetch.debian.apt_sources import AptSource
from freezer.fetch.debian.archive import DebianArchive
from freezer.fetch.store.download import fetch_all
from freezer.fetch.store.store import Store
from freezer.model.artifact import Artifact
from freezer.model.events import SilentReporter
from tests.support.debian.archives import Archive, stanza

FILE = "pool/main/g/g++/g++_12.2-3+b1~x_amd64.deb"
DATA = b"a package"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> list[AptSource]:
    """The host's own sources: what apt of the machine that runs the tests has must not matter."""
    sources: list[AptSource] = []
    monkeypatch.setattr("freezer.fetch.debian.archive.host_sources", lambda: sources)
    return sources


def deb(label: str = "debian", file: str = FILE) -> Artifact:
    digest = hashlib.sha256(DATA).hexdigest()
    return Artifact(source=label, file=file, size=len(DATA), sha256=digest)


def source(
    store: Store,
    config: dict[str, object] | None = None,
    base: Callable[[], Sequence[AptSource]] = lambda: (),
    as_of: str | None = None,
) -> DebianArchive:
    settings = Config.model_validate({"sources": config or {}})
    return DebianArchive.from_config(settings, store=store, base_sources=base, as_of=as_of)


def urls(archive: DebianArchive, artifact: Artifact) -> list[str]:
    return [location.url for location in archive.locate(artifact)]


def apt(uri: str, suite: str = "bookworm") -> AptSource:
    return AptSource(uri, suite, ("main",))


@pytest.mark.parametrize(
    ("label", "file", "answer"),
    [
        ("debian", FILE, True),
        ("nvidia-cuda", "cuda.deb", True),
        ("pypi", "odd-1.0.deb", False),
        ("url", "odd.deb", False),
        ("debian", "numpy-2.0-py3-none-any.whl", False),
    ],
)
def test_serves_packages_only(store: Store, label: str, file: str, answer: bool) -> None:
    assert source(store).serves(deb(label, file)) is answer


def test_configured_mirrors_stand_for_all_others(store: Store, host: list[AptSource]) -> None:
    host.append(apt("https://host.example.org/debian"))
    config = {"debian": {"debian": ["https://a.example.org/debian/", "file:/b"]}}
    assert urls(source(store, config, base=lambda: pytest.fail("asked")), deb()) == [
        f"https://a.example.org/debian/{FILE}",
        f"file:/b/{FILE}",
    ]


def test_the_host_comes_before_the_base_and_each_root_once(
    store: Store, host: list[AptSource]
) -> None:
    root = "https://host.example.org/debian"
    host += [apt(root), apt(root, "bookworm-updates")]
    base = [apt(root), apt("https://base.example.org/debian")]
    found = urls(source(store, base=lambda: base), deb())
    assert found == [f"{root}/{FILE}", f"https://base.example.org/debian/{FILE}"]


def test_the_base_is_asked_once_and_late(store: Store, host: list[AptSource]) -> None:
    asked: list[int] = []

    def base() -> list[AptSource]:
        asked.append(1)
        return [apt("https://base.example.org/debian")]

    host.append(apt("https://host.example.org/debian"))
    archive = source(store, base=base)
    locations = iter(archive.locate(deb()))
    next(locations)
    assert asked == []
    assert len(list(locations)) == 1
    urls(archive, deb())
    assert asked == [1]


def test_the_label_is_read_and_remembered(
    store: Store, host: list[AptSource], tmp_path: Path
) -> None:
    archive = Archive(tmp_path / "gpu", label="GPU Things")
    archive.add(stanza("driver"))
    host.append(apt(archive.publish().uri))
    assert urls(source(store), deb("gpu-things", "d.deb")) == [f"{archive.uri}/d.deb"]
    (archive.folder / "InRelease").unlink()
    assert urls(source(store), deb("gpu-things", "d.deb")) == [f"{archive.uri}/d.deb"]


def test_the_dated_archive_comes_last(store: Store, host: list[AptSource]) -> None:
    host.append(apt("https://host.example.org/debian"))
    config = {"debian-snapshot": {"debian": "https://dated.example.org/debian/{timestamp}/"}}
    found = urls(source(store, config, as_of="2026-11-01T10:20:30Z"), deb())
    assert found[1:] == [f"https://dated.example.org/debian/20261101T102030Z/{FILE}"]
    assert len(urls(source(store, config), deb())) == 1


def test_names_are_quoted_once(store: Store) -> None:
    config = {"debian": {"debian": ["https://a.example.org"]}}
    file = "pool/main/a b%3a1.deb"
    assert urls(source(store, config), deb(file=file)) == [
        "https://a.example.org/pool/main/a%20b%253a1.deb"
    ]


def test_an_archive_that_nobody_knows(store: Store) -> None:
    with pytest.raises(FetchError) as caught:
        urls(source(store), deb("gpu-things"))
    assert "sources: {debian: {gpu-things: [URL]}}" in (caught.value.hint or "")


def test_an_archive_out_of_reach_is_not_an_archive_without_the_file(
    store: Store, host: list[AptSource]
) -> None:
    host.append(apt("cdrom+weird:/elsewhere"))
    with pytest.raises(FetchError, match="cannot read") as caught:
        urls(source(store), deb("gpu-things"))
    assert not isinstance(caught.value, ArtifactGoneError)


def test_a_package_is_fetched_from_the_first_root_that_has_it(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    file = tmp_path / "full" / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA)
    roots = [(tmp_path / name).as_uri() for name in ("empty", "full")]
    archive = source(store, {"debian": {"debian": roots}})
    paths = fetch_all([deb()], store=store, sources=[archive], report=SilentReporter())
    assert paths[deb().sha256].read_bytes() == DATA


def test_a_package_that_left_every_root_is_said_to_be_gone(store: Store, tmp_path: Path) -> None:
    archive = source(store, {"debian": {"debian": [tmp_path.as_uri()]}})
    with pytest.raises(ArtifactGoneError):
        fetch_all([deb()], store=store, sources=[archive], report=SilentReporter())
