"""`freeze update` of Debian packages and of the base: what apt is asked, and what moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freezer.errors import ResolveError
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.lock import debian
from freezer.flows.lock.ecosystems import SpecRequirements, resolve_ecosystems
from freezer.flows.lock.interface import BaseAnswer, DebianAnswer, LockRequest, PipAnswer
from freezer.flows.project.environment import load_environment
from freezer.flows.project.project import Project
from freezer.flows.update.moves import moves
from freezer.model.lock import DebianPackage
from freezer.resolve.minimal import Release
from tests.support.host.hosts import Ear
from tests.support.project.locks import make_lock

OLD = {"app": "1", "lib": "1", "tool": "1"}
NEWEST = {"app": "2", "lib": "2", "tool": "2"}


def package(name: str, version: str) -> DebianPackage:
    return DebianPackage(
        source="debian", file=f"pool/{name}_{version}.deb", size=1, sha256="6" * 64, name=name,
        version=version, architecture="amd64", reason="requested",
    )  # fmt: skip


class Apt:
    """Takes what is preferred, all of it or nothing; app 2 needs lib 2."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], dict[str, str]]] = []

    def __call__(self, wanted: Sequence[str], keep: Mapping[str, str]) -> tuple[DebianPackage, ...]:
        self.asked.append((tuple(wanted), dict(keep)))
        exact = dict(one.split("=") for one in wanted if "=" in one)
        keep = {name: version for name, version in keep.items() if version in ("1", "2")}
        for preferred in (keep, {}):
            found = {**NEWEST, **preferred, **exact}
            if not (found["app"] == "2" and found["lib"] == "1"):
                return tuple(package(name, found[name]) for name in sorted(found))
        raise ResolveError("app 2 needs lib 2, and lib=1 is asked for")


class Updates:
    """Updates of the three packages, of which the spec asks for app and tool."""

    def __init__(self) -> None:
        self.apt = Apt()
        self.causes: Any = None

    def __call__(self, release: Release) -> dict[str, str]:
        old = make_lock(debian=tuple(package(*one) for one in OLD.items()))
        request = LockRequest(None, old.as_of, old, {"debian": release})  # type: ignore[arg-type]
        wanted = ("app", "tool")
        project = Project(Path(), Config(), Store(Path("nowhere")), _no_engine, Ear())
        found = debian._closure(project, request, old.base, wanted, {})
        self.causes = found.causes
        return {item.name: item.version for item in found.packages}


def _no_engine() -> Any:
    raise AssertionError("nothing of this needs an engine")


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch) -> Updates:
    made = Updates()
    monkeypatch.setattr(debian, "_apt", lambda *_: made.apt)
    return made


def test_what_is_named_moves_alone_where_it_can(update: Updates) -> None:
    assert update(Release(frozenset({"tool"}))) == {"app": "1", "lib": "1", "tool": "2"}
    assert update.causes == {}


def test_what_it_forces_moves_with_it_and_nothing_else(update: Updates) -> None:
    assert update(Release(frozenset({"app"}))) == {"app": "2", "lib": "2", "tool": "1"}
    assert set(update.causes) == {"lib"}


def test_however_many_are_named_the_newest_are_asked_for_once(update: Updates) -> None:
    assert update(Release(frozenset({"app", "lib", "tool"}))) == NEWEST
    assert len({wanted for wanted, keep in update.apt.asked if not keep}) == 1, (
        "what apt said is kept"
    )


def test_a_version_that_was_given(update: Updates) -> None:
    assert update(Release(frozenset({"tool"}), {"tool": "2"}))["tool"] == "2"
    with pytest.raises(ResolveError, match="apt selects lib 2 only") as caught:
        update(Release(frozenset({"lib"}), {"lib": "9"}))
    assert caught.value.expected == "lib 9"


def test_the_base_moves_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = make_lock(pip=())
    base = old.base.model_copy(update={"manifest": f"sha256:{'9' * 64}"})
    gomp = old.debian[0].model_copy(update={"version": "13"})
    resolved = {
        "BaseResolver": BaseAnswer(base=base),
        "DebianResolver": DebianAnswer.locked((gomp,), old.target),
        "PipPackagesResolver": PipAnswer(packages=()),
    }
    for name, answer in resolved.items():
        where = f"freezer.flows.lock.ecosystems.{name}.resolve"
        monkeypatch.setattr(where, lambda *_, answer=answer: answer)
    monkeypatch.setattr(
        "freezer.flows.lock.numeric_libraries.numeric_libraries", lambda *_: ((), None)
    )
    (tmp_path / "freeze.yaml").write_text("name: demo\nbase: debian:12\npython: '3.11'\n")
    lock_request = LockRequest(
        load_environment(tmp_path, None), old.as_of, old, {"base": Release()}
    )
    project: Any = SimpleNamespace(config=None, report=Ear())
    made = resolve_ecosystems(project, lock_request, SpecRequirements())
    new = old.model_copy(update={"base": made.resolved.base, "debian": made.resolved.debian})
    assert [(str(one), one.named) for one in moves(old, new, lock_request, made)] == [
        ("base debian:bookworm-slim 333333333333 to 999999999999", True),
        ("Debian package libgomp1 12.2.0-14 to 13", False),
    ]
