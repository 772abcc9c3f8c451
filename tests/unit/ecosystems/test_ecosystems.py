"""Each ecosystem's description agrees with the shipped locks, and the list is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.ecosystems import BASE, BY_NAME, ECOSYSTEMS, INSTALLED, lock_artifacts
from freezer.ecosystems.interface import Ecosystem, Lookup
from freezer.model.artifact import Artifact
from freezer.model.lock import Lock
from freezer.model.lockfile import LOCK_FILE, parse_lock

LOCKS = Path(__file__).parents[3] / "lockfiles"
SHIPPED = sorted(path.parent.name for path in LOCKS.glob(f"*/{LOCK_FILE}"))


def shipped(name: str) -> Lock:
    return parse_lock((LOCKS / name / LOCK_FILE).read_bytes(), name)


def test_the_order_is_that_of_resolution() -> None:
    assert [one.name for one in ECOSYSTEMS] == ["base", "debian", "conda", "pip"]
    assert list(BY_NAME.values()) == [BASE, *INSTALLED]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_artifact_of_a_lock_belongs_to_an_ecosystem(name: str) -> None:
    lock = shipped(name)

    def found(value: object) -> set[str]:
        """Find artifacts by their type, wherever in the lock they are."""
        if isinstance(value, Artifact):
            inner = found(getattr(value, "build_requires", ()))
            return {value.sha256, *inner}
        if isinstance(value, (tuple, list)):
            return {one for item in value for one in found(item)}
        if hasattr(value, "packages"):
            return found(value.packages)
        return set()

    every = {one for field in Lock.model_fields for one in found(getattr(lock, field))}
    assert every == {artifact.sha256 for artifact in lock_artifacts(lock)}


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("ecosystem", ECOSYSTEMS, ids=lambda one: one.name)
def test_names_of_a_lock_are_the_ecosystems_own(name: str, ecosystem: Ecosystem) -> None:
    packages = ecosystem.packages(shipped(name))
    assert all(ecosystem.own_name(package.name) == package.name for package in packages)
    assert [package.name for package in packages] == sorted(package.name for package in packages)
    assert len(ecosystem.pins(packages)) == len(packages)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("ecosystem", INSTALLED, ids=lambda one: one.name)
def test_versions_have_an_order(name: str, ecosystem: Ecosystem) -> None:
    versions = ecosystem.versions(ecosystem.packages(shipped(name))).values()
    assert len(sorted(versions, key=ecosystem.order)) == len(versions)


@pytest.mark.parametrize("name", SHIPPED)
def test_direct_needs_are_edges(name: str) -> None:
    """Two ways to the same relation: a package that needs another has an edge to it."""
    lock = shipped(name)
    for ecosystem in INSTALLED:
        packages = {one.name: one for one in ecosystem.packages(lock)}
        names = {text: text.partition(" ")[0] for one in lock.conda for text in one.depends}
        edges = {
            (need.by.name, needed.name)
            for needed, need in ecosystem.edges(lock, Lookup(spec_names=names))
            if needed.ecosystem == need.by.ecosystem == ecosystem.name
            and needed.name in packages
            and need.by.name in packages
        }
        direct = {
            (one.name, other.name)
            for one in packages.values()
            for other in packages.values()
            if ecosystem.needs(one, other)
        }
        assert direct == edges
        assert direct or len(packages) < 3


def test_loose_names_find_packages() -> None:
    assert BY_NAME["pip"].own_name("Scikit_Learn") == "scikit-learn"
    assert BY_NAME["conda"].own_name("PyTorch") == "pytorch"
    assert BY_NAME["debian"].own_name("libgomp1") == "libgomp1"
