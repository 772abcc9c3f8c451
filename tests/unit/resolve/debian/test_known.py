"""Memos of selected packages: whatever decides them is in the key, and other bytes are no memo."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.fetch.debian.packages_index import Index
from freezer.fetch.store.store import Store
from freezer.model.canonical import plain
from freezer.model.events import SilentReporter
from freezer.model.lock import BasePackage, DebianPackage
from freezer.resolve.debian import bootstrap, resolve
from freezer.resolve.debian.known import known_packages


def package(name: str = "apt", version: str = "1") -> DebianPackage:
    return DebianPackage(
        source="debian", file=f"pool/{name}.deb", size=1, sha256="ab" * 32,
        name=name, version=version, architecture="amd64", reason="because",
    )  # fmt: skip


def index(**changes: Any) -> Index:
    made = Index(
        source="debian", suite="bookworm", component="main", root="file:/x",
        date="2026-07-11T10:16:37Z", inrelease=b"one", release_signed=True,
        packages_path="main/binary-amd64/Packages.xz", packed=b"", packed_sha256="0" * 64,
        unpack=lambda: b"", signed_by="key",
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def selected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often packages were selected anew."""
    times: list[int] = []

    def choose(*_: Any) -> tuple[DebianPackage, ...]:
        times.append(len(times))
        return (package(version=str(len(times))),)

    monkeypatch.setattr(bootstrap, "choose", choose)
    monkeypatch.setattr(resolve, "_resolve", choose)
    return times


def of_base(store: Store, *indices: Index, suite: str = "bookworm") -> tuple[DebianPackage, ...]:
    return bootstrap._known_choice(suite, indices, store)


MINIMAL: dict[str, Callable[[Store], Any]] = {
    "another suite": lambda store: of_base(store, index(), suite="trixie"),
    "another state of the archive": lambda store: of_base(store, index(packed_sha256="1" * 64)),
    "another archive": lambda store: of_base(store, index(source="mirror")),
    "another order": lambda store: of_base(store, index(source="security"), index()),
    "without updates": of_base,
}


@pytest.mark.parametrize("other", MINIMAL.values(), ids=MINIMAL.keys())
def test_what_decides_a_minimal_system(
    store: Store, selected: list[int], other: Callable[[Store], Any]
) -> None:
    first = of_base(store, index())
    assert of_base(store, index(root="file:/elsewhere", date="2026-08-01T00:00:00Z")) == first
    assert len(selected) == 1
    assert other(store) != first
    assert of_base(store, index()) == first
    assert len(selected) == 2


def of_request(store: Store, *indices: Index, image: str = "sha256:a", **changes: Any) -> Any:
    engine = SimpleNamespace(image=lambda _: SimpleNamespace(id=image))
    inputs: dict[str, Any] = {
        "requested": ["jq"],
        "installed": [BasePackage(name="libc6", version="2.36", architecture="amd64")],
        "keep": {"jq": "1.6"},
        "reasons": {"jq": "because"},
        **changes,
    }
    return resolve.resolve_debian(
        inputs.pop("requested"), "base:1", indices or (index(),), engine=engine,  # type: ignore[arg-type]
        store=store, report=SilentReporter(), **inputs,
    )  # fmt: skip


REQUESTS: dict[str, Callable[[Store], Any]] = {
    "another base": lambda store: of_request(store, image="sha256:b"),
    "another release": lambda store: of_request(store, index(inrelease=b"two")),
    "another component": lambda store: of_request(
        store, index(packages_path="contrib/binary-amd64/Packages.xz")
    ),
    "another architecture": lambda store: of_request(
        store, index(packages_path="main/binary-arm64/Packages.xz")
    ),
    "another key": lambda store: of_request(store, index(signed_by="other")),
    "another archive": lambda store: of_request(store, index(source="mirror")),
    "another order": lambda store: of_request(store, index(source="security"), index()),
    "another package": lambda store: of_request(store, requested=["curl"]),
    "an architecture of its own": lambda store: of_request(store, requested=["jq:arm64"]),
    "another installed version": lambda store: of_request(
        store, installed=[BasePackage(name="libc6", version="2.37", architecture="amd64")]
    ),
    "another installed architecture": lambda store: of_request(
        store, installed=[BasePackage(name="libc6", version="2.36", architecture="arm64")]
    ),
    "another version to keep": lambda store: of_request(store, keep={"jq": "1.5"}),
    "another reason": lambda store: of_request(store, reasons={"jq": "it parses JSON"}),
}


@pytest.mark.parametrize("other", REQUESTS.values(), ids=REQUESTS.keys())
def test_what_decides_the_packages_of_a_request(
    store: Store, selected: list[int], other: Callable[[Store], Any]
) -> None:
    first = of_request(store)
    assert of_request(store) == first
    assert len(selected) == 1
    assert other(store) != first
    assert of_request(store) == first
    assert len(selected) == 2


def test_rules_of_apt_decide(
    store: Store, selected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = of_request(store)
    monkeypatch.setattr(resolve, "RULES", "other rules")
    assert of_request(store) != first


def known(store: Store, select: Callable[[], tuple[DebianPackage, ...]]) -> Any:
    return known_packages(store, "debian-packages", "ab" * 32, select)


def memo_of(store: Store) -> Path:
    (path,) = (store.root / "memos/debian-packages").glob("*/*")
    return path


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255), cut=st.booleans())
def test_a_changed_byte_is_no_memo(store: Store, place: int, flip: int, cut: bool) -> None:
    assert known(store, lambda: (package(),)) == (package(),)
    path = memo_of(store)
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place] ^= flip
    path.write_bytes(data[:place] if cut else data)
    anew = (package(version="2"),)
    assert known(store, lambda: anew) == anew
    path.unlink()


OTHERS = [
    json.dumps([plain(package(version="9"))]).encode(),  # as JSON alone: of an earlier version
    b"",
    b"[]",
    b"null",
    hashlib.sha256(b"[{}]").digest() + b"[{}]",
    hashlib.sha256(b'{"name": "apt"}').digest() + b'{"name": "apt"}',
]


@pytest.mark.parametrize("data", OTHERS)
def test_another_form_is_no_memo(store: Store, data: bytes) -> None:
    known(store, lambda: (package(),))
    memo_of(store).write_bytes(data)
    assert known(store, lambda: (package(version="2"),)) == (package(version="2"),)


def test_a_path_out_of_the_archive_is_refused(store: Store) -> None:
    document = [{**plain(package()), "file": "../../etc/passwd"}]
    store.put_packed_memo("debian-packages", "ab" * 32, json.dumps(document).encode())
    assert known(store, lambda: ()) == ()


def select_in_process(root: Path, number: int) -> list[str]:
    store = Store.open(root)
    wide = tuple(package(f"p{place:04}") for place in range(500))
    return [one.name for _ in range(20) for one in known(store, lambda: wide)[number : number + 1]]


@pytest.mark.process
def test_processes_that_select_at_once_agree(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(select_in_process, tmp_path, number) for number in range(4)]
        found = [job.result() for job in jobs]
    assert found == [[f"p{number:04}"] * 20 for number in range(4)]
    assert len(list((tmp_path / "memos/debian-packages").glob("*/*"))) == 1
