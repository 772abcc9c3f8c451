"""`system: auto`: which Debian packages are added for locked wheels, and when apt is asked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import FetchError
from freezer.fetch.config import Config
from freezer.fetch.debian.packages_index import Index
from freezer.fetch.python.settings import IndexOptions
from freezer.fetch.store.store import Store
from freezer.flows.lock import automatic, debian
from freezer.flows.lock.automatic import with_libraries
from freezer.flows.lock.ecosystems import SpecRequirements, resolve_ecosystems, stale_ecosystems
from freezer.flows.lock.interface import (
    Answers,
    BaseAnswer,
    Below,
    CondaAnswer,
    DebianAnswer,
    LockRequest,
    PipAnswer,
)
from freezer.flows.project.environment import load_environment
from freezer.flows.project.project import Project
from freezer.model.lock import DebianPackage, Lock, PipPackage
from freezer.resolve.base.probe import BaseFacts
from freezer.resolve.minimal import Release
from tests.support.debian.archives import stanza
from tests.support.host.elf import Library, elf
from tests.support.host.hosts import Ear
from tests.support.project.locks import make_lock
from tests.support.python.accelerators import conda

BROUGHT: dict[str, tuple[str, ...]] = {"libgl1": ("libx11-6",)}
"""What packages depend on."""
INDEX = Index(
    source="debian", suite="bookworm", component="main", root="file:/x",
    date="2026-07-11T10:16:37Z", inrelease=b"one", release_signed=True,
    unpack=lambda: "\n".join(
        stanza(name) for name in ("libgomp1", "libgl1", "libx11-6", "libglib2.0-0t64", "gcc")
    ).encode(),
    packages_path="main/binary-amd64/Packages.xz", packed=b"", packed_sha256="0" * 64,
)  # fmt: skip


class Host:
    """A project whose apt installs what it is asked for, and whose pip answers with `wheels`."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root, self.store, self.ear = root, Store.open(root / "store"), Ear()
        self.project = Project(root, Config(), self.store, _no_engine, self.ear)
        self.wheels: tuple[PipPackage, ...] = ()
        self.asked: list[tuple[str, ...]] = []
        self.indices_read = 0
        template = make_lock()
        ecosystems = "freezer.flows.lock.ecosystems"
        patch.setattr(
            f"{ecosystems}.BaseResolver.resolve", lambda *_: BaseAnswer(base=template.base)
        )
        patch.setattr(
            f"{ecosystems}.PipPackagesResolver.resolve",
            lambda *_: PipAnswer(packages=self.wheels),
        )
        patch.setattr(
            "freezer.flows.lock.numeric_libraries.numeric_libraries", lambda *_: ((), None)
        )
        python = template.target.python
        facts = BaseFacts(
            architecture="x86_64", glibc="2.36", distribution="debian 12", pythons=(python,)
        )
        patch.setattr(debian, "base_facts", lambda *_: facts)
        patch.setattr(debian, "_apt", self.apt)
        patch.setattr(automatic, "debian_indices", self.indices)

    def indices(self, *_: Any) -> list[Index]:
        self.indices_read += 1
        return [INDEX]

    def apt(self, _project: Any, request: LockRequest, _base: Any, reasons: Any) -> Any:
        def resolve(wanted: Sequence[str], keep: Mapping[str, str]) -> tuple[DebianPackage, ...]:
            self.asked.append(tuple(wanted))
            brought = [more for name in wanted for more in BROUGHT.get(name, ())]
            return tuple(
                _deb(name, reasons.get(name) if name in wanted else "needed by x", name in wanted)
                for name in sorted({*wanted, *brought})
            )

        return resolve

    def wheel(self, name: str, *needed: str) -> PipPackage:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(f"{name}/core.so", elf(Library(needed=needed)))
        sha256 = self.store.put_bytes(target.getvalue())
        file = f"{name}-1-py3-none-manylinux_2_28_x86_64.whl"
        change = {"name": name, "sha256": sha256, "file": file, "requested": True}
        return make_lock().pip[0].model_copy(update=change)

    def request(self, system: str, old: Lock | None = None, **more: Any) -> LockRequest:
        (self.root / "freeze.yaml").write_text(
            f"name: demo\nbase: debian:12\npython: '3.11'\nsystem: {system}\n"
        )
        environment = load_environment(self.root, None)
        return LockRequest(environment, "2026-11-01T00:00:00Z", old, **more)

    def lock(self, system: str, *wheels: PipPackage, old: Lock | None = None, **more: Any) -> Lock:
        """Lock, with everything that a lock keeps of the answers."""
        self.wheels, self.asked, self.indices_read = wheels, [], 0
        request = self.request(system, old, **more)
        made = resolve_ecosystems(self.project, request, SpecRequirements())
        return _written(made)


def _written(made: Answers) -> Lock:
    found = made.resolved
    return make_lock(
        answers=dict(made.questions), base=found.base, target=found.target, debian=found.debian,
        pip=found.pip.packages,
    )  # fmt: skip


def _deb(name: str, reason: str | None, requested: bool) -> DebianPackage:
    version = "2.37-1" if name == "libc6" else "1.0"
    return DebianPackage(
        source="debian", file=f"pool/{name}.deb", size=1, sha256="6" * 64, name=name,
        version=version, architecture="amd64", requested=requested,
        reason=reason or "requested in freeze.yaml",
    )  # fmt: skip


def _no_engine() -> Any:
    raise AssertionError("nothing of this needs an engine")


def added(lock: Lock) -> dict[str, str]:
    return {one.name: one.reason for one in lock.debian if one.reason.startswith("provides")}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


@pytest.mark.parametrize("system", ["auto", "[auto]"])
def test_the_package_of_a_needed_library_is_added(host: Host, system: str) -> None:
    made = host.lock(system, host.wheel("lightgbm", "libgomp.so.1", "libc.so.6"))
    assert added(made) == {"libgomp1": "provides libgomp.so.1, which lightgbm needs"}
    assert host.asked == [("libgomp1",)]


def test_packages_of_the_list_stay(host: Host) -> None:
    made = host.lock("[gcc, auto]", host.wheel("lightgbm", "libgomp.so.1"))
    assert [one.name for one in made.debian] == ["gcc", "libgomp1"]
    assert host.asked == [("gcc",), ("gcc", "libgomp1")]


def test_without_auto_nothing_is_added(host: Host) -> None:
    assert added(host.lock("[gcc]", host.wheel("lightgbm", "libgomp.so.1"))) == {}
    assert host.indices_read == 0


@pytest.mark.parametrize("system", ["[libgomp1, auto]", "[libgomp1=1.0, auto]"])
def test_what_the_list_has_is_not_added(
    host: Host, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    plain = host.apt

    def apt(*arguments: Any) -> Any:
        inner = plain(*arguments)
        return lambda wanted, keep: inner([one.split("=")[0] for one in wanted], keep)

    monkeypatch.setattr(debian, "_apt", apt)
    wheel = host.wheel("lightgbm", "libgomp.so.1")
    automatic_before = host.lock("auto", wheel)
    for old in (None, automatic_before):
        made = host.lock(system, wheel, old=old)
        assert (added(made), len(made.debian), len(host.asked)) == ({}, 1, 1)


def test_locking_again_keeps_the_answer_and_asks_nothing(host: Host) -> None:
    wheel = host.wheel("lightgbm", "libgomp.so.1")
    first = host.lock("auto", wheel)
    request = host.request("auto", first)
    assert list(stale_ecosystems(request, SpecRequirements(), first)) == []
    assert host.lock("auto", host.wheel("other", "libGL.so.1"), old=first) == first
    assert (host.asked, host.indices_read) == ([], 0)


def test_another_answer_of_pip_that_needs_the_same_asks_no_archive(host: Host) -> None:
    first = _outdated(host.lock("auto", host.wheel("lightgbm", "libgomp.so.1")))
    wheels = [host.wheel(name, "libgomp.so.1") for name in ("lightgbm", "xgboost")]
    made = host.lock("auto", *wheels, old=first)
    assert added(made) == {"libgomp1": "provides libgomp.so.1, which lightgbm, xgboost need"}
    assert (host.asked, host.indices_read) == ([], 0)


def test_what_is_no_longer_needed_goes(host: Host) -> None:
    first = _outdated(host.lock("[gcc, auto]", host.wheel("lightgbm", "libgomp.so.1")))
    made = host.lock("[gcc, auto]", host.wheel("plain"), old=first)
    assert [one.name for one in made.debian] == ["gcc"]


def test_what_an_added_package_brought_is_found_missing_without_it(host: Host) -> None:
    first = _outdated(host.lock("auto", host.wheel("cv", "libGL.so.1", "libX11.so.6")))
    assert set(added(first)) == {"libgl1", "libx11-6"}
    brought = host.lock("auto", host.wheel("cv", "libGL.so.1"))
    assert [(one.name, one.requested) for one in brought.debian] == [
        ("libgl1", True),
        ("libx11-6", False),
    ]
    made = host.lock("auto", host.wheel("window", "libX11.so.6"), old=_outdated(brought))
    assert added(made) == {"libx11-6": "provides libX11.so.6, which window needs"}
    assert [one.name for one in made.debian] == ["libx11-6"]


def test_a_new_list_resolves_once_with_what_was_added(host: Host) -> None:
    wheel = host.wheel("lightgbm", "libgomp.so.1")
    made = host.lock("[gcc, auto]", wheel, old=host.lock("auto", wheel))
    assert host.asked == [("gcc", "libgomp1")]
    assert set(added(made)) == {"libgomp1"}
    assert added(host.lock("[gcc]", wheel, old=made)) == {}


def test_an_update_of_debian_can_name_what_was_added(host: Host) -> None:
    wheel = host.wheel("lightgbm", "libgomp.so.1")
    first = host.lock("auto", wheel)
    release = {"debian": Release(frozenset({"libgomp1"}))}
    assert set(added(host.lock("auto", wheel, old=first, release=release))) == {"libgomp1"}
    assert set(host.asked) == {("libgomp1",)}


def test_the_newer_name_of_a_package_and_two_libraries_in_one(host: Host) -> None:
    made = host.lock("auto", host.wheel("cv", "libglib-2.0.so.0", "libgthread-2.0.so.0"))
    assert added(made) == {
        "libglib2.0-0t64": "provides libglib-2.0.so.0, libgthread-2.0.so.0, which cv needs"
    }


def test_a_library_without_a_package_is_a_warning(host: Host) -> None:
    made = host.lock("[gcc, auto]", host.wheel("odd", "libodd.so.3", "libgomp.so.1"))
    assert set(added(made)) == {"libgomp1"}
    [said] = host.ear.warnings
    assert said == (
        "odd: libodd.so.3 is needed, and `system: auto` finds no Debian package of it: add the "
        "package that has it to `system`"
    )


def test_the_questions_are_those_of_the_final_target(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An added package may need a newer glibc, for which pip is not asked again."""
    monkeypatch.setitem(BROUGHT, "libgomp1", ("libc6",))
    made = host.lock("auto", host.wheel("lightgbm", "libgomp.so.1"))
    assert made.target.glibc == "2.37"
    assert list(stale_ecosystems(host.request("auto", made), SpecRequirements(), made)) == []


def test_a_spoiled_wheel_decides_nothing(host: Host) -> None:
    spoiled = host.wheel("odd", "libgomp.so.1")
    spoiled = spoiled.model_copy(update={"sha256": host.store.put_bytes(b"no zip")})
    assert added(host.lock("auto", spoiled)) == {}


def test_wheels_with_native_code_are_fetched_and_no_others(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch_all(wanted: Sequence[PipPackage], **_: Any) -> None:
        asked.extend(one.name for one in wanted)
        raise FetchError("out of reach")

    monkeypatch.setattr("freezer.fetch.store.download.fetch_all", fetch_all)
    monkeypatch.setattr("freezer.fetch.python.index.PythonIndex.from_config", lambda *_: None)
    native = host.wheel("native").model_copy(update={"sha256": "9" * 64})
    pure = native.model_copy(update={"name": "pure", "file": "pure-1-py3-none-any.whl"})
    source = native.model_copy(update={"name": "source", "file": "source-1.tar.gz"})
    with pytest.raises(FetchError, match="out of reach"):
        host.lock("auto", native, pure, source)
    assert asked == ["native"]
    assert added(host.lock("auto", pure, source)) == {}


def test_a_wheel_from_git_that_is_gone_is_built_again_first(host: Host) -> None:
    change = {"sha256": "9" * 64, "source": "git"}
    with pytest.raises(FetchError, match="built from git") as caught:
        host.lock("auto", host.wheel("ours").model_copy(update=change))
    assert "`freeze fetch`" in str(caught.value.hint)


def test_with_conda_nothing_is_added_and_that_is_said(host: Host) -> None:
    request = host.request("auto")
    below = Below({"debian": DebianAnswer.locked((), make_lock().target)})
    below = below.with_answer("conda", CondaAnswer(packages=(conda("numpy", "2.0"),)))
    assert with_libraries(host.project, request, below, IndexOptions()) == below.debian
    assert ["conda" in one for one in host.ear.warnings] == [True]


def test_what_was_added_is_traced_to_auto(host: Host) -> None:
    made = host.lock("[gcc, auto]", host.wheel("lightgbm", "libgomp.so.1"))
    request = host.request("[gcc, auto]", made)
    resolver = debian.DebianResolver()
    lines = {
        name: [str(one.where) for one in resolver.spec_lines(request, made, name)]
        for name in ("gcc", "libgomp1", "libc6")
    }
    assert lines == {
        "gcc": ["freeze.yaml:4 (system[0])"],
        "libgomp1": ["freeze.yaml:4 (system[1])"],
        "libc6": [],
    }


def _outdated(lock: Lock) -> Lock:
    """The lock with another question of pip, as after a change of the requirements."""
    return lock.model_copy(update={"answers": {**lock.answers, "pip": f"sha256:{'0' * 64}"}})
