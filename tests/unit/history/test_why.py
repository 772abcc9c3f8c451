"""The lock as a graph: what needs a package, by which ways, and since when it is as it is."""

from __future__ import annotations

from freezer.ecosystems.interface import Key, Lookup
from freezer.history.log import History
from freezer.history.why import Graph, chains, graph, since
from freezer.model.generation import Generation, entry_digest
from freezer.model.lock import BootstrapBase, CondaPackage, DebianPackage, PipPackage
from freezer.model.reason import dependents, split_reason
from tests.support.project.locks import make_lock, sha


def pip(name: str, *requires: str, requested: bool = False, **more: object) -> PipPackage:
    return PipPackage(
        source="pypi", file=f"{name}-1.0-py3-none-any.whl", size=1, sha256=sha("1"), name=name,
        version="1.0", requires=requires, requested=requested,
        reason="asked for in freeze.yaml" if requested else "needed by something", **more,
    )  # fmt: skip


def conda(name: str, *depends: str, requested: bool = False) -> CondaPackage:
    return CondaPackage(
        source="conda", file=f"{name}-1.0-0.conda", size=1, sha256=sha("1"), name=name,
        version="1.0", build="0", build_number=0, channel="conda-forge", subdir="noarch",
        depends=depends, requested=requested,
        reason="asked for in freeze.yaml" if requested else "needed by something",
    )  # fmt: skip


def debian(name: str, reason: str, *, requested: bool = False) -> DebianPackage:
    return DebianPackage(
        source="debian", file=f"pool/{name}.deb", size=1, sha256=sha("1"), name=name,
        version="1.0", architecture="amd64", requested=requested, reason=reason,
    )  # fmt: skip


def of_pip(*packages: PipPackage) -> Graph:
    return graph(make_lock(pip=packages, debian=()), Lookup())


def ways(found: Graph, key: Key) -> list[str]:
    return [" > ".join(step.name for step in way) for way in chains(found, key)]


def test_what_is_asked_for_is_its_own_first_way():
    found = of_pip(pip("app", "lib", requested=True), pip("lib", requested=True))
    assert ways(found, Key("pip", "lib")) == ["lib", "app > lib"]


def test_a_diamond_has_a_way_for_each_parent_the_shortest_first():
    found = of_pip(
        pip("app", "left", "right", requested=True), pip("left", "deep"), pip("deep", "leaf"),
        pip("right", "leaf"), pip("leaf"),
    )  # fmt: skip
    assert ways(found, Key("pip", "leaf")) == ["app > right > leaf", "app > left > deep > leaf"]


def test_of_several_ways_to_a_parent_the_shortest_is_told():
    found = of_pip(
        pip("app", "far", requested=True), pip("far", "parent"), pip("tool", "parent", requested=True),
        pip("parent", "leaf"), pip("leaf"),
    )  # fmt: skip
    assert ways(found, Key("pip", "leaf")) == ["tool > parent > leaf"]


def test_a_circle_ends_and_who_is_here_because_of_the_target_is_on_no_way():
    found = of_pip(pip("app", "a", requested=True), pip("a", "b"), pip("b", "a"))
    assert ways(found, Key("pip", "a")) == ["app > a"]
    assert [need.by.name for need in found.needs[Key("pip", "a")]] == ["app", "b"]
    assert ways(found, Key("pip", "b")) == ["app > a > b"]


def test_a_circle_without_a_root_has_no_way():
    found = of_pip(pip("a", "b"), pip("b", "a"))
    assert ways(found, Key("pip", "a")) == []


def test_match_specs_are_the_edges_of_conda_and_virtual_packages_are_none():
    packages = (
        conda(
            "numpy", "__glibc >=2.17", "libblas >=3.9.0,<4.0a0", "python", "python >=3.9",
            requested=True,
        ),
        conda("scipy", "python", requested=True),
        conda("libblas"), conda("python"),
    )  # fmt: skip
    names = {text: text.split()[0] for item in packages for text in item.depends}
    found = graph(make_lock(conda=packages), Lookup(spec_names=names))
    (need,) = found.needs[Key("conda", "libblas")]
    assert (need.by.name, need.wanted) == ("numpy", (">=3.9.0,<4.0a0",))
    # "Any version" is told only where no range is.
    assert [need.wanted for need in found.needs[Key("conda", "python")]] == [(">=3.9",), ("",)]
    assert Key("conda", "__glibc") not in found.needs
    assert ways(found, Key("conda", "libblas")) == ["numpy > libblas"]


def test_a_python_package_may_need_what_conda_brings_under_another_name():
    lock = make_lock(pip=(pip("lightning", requested=True),), conda=(conda("pytorch"),))
    known = Lookup(
        provided_by_conda={"torch": "pytorch"}, wheels={"lightning": {"torch": (">=2.1",)}}
    )
    found = graph(lock, known)
    (need,) = found.needs[Key("conda", "pytorch")]
    assert (need.by, need.wanted) == (Key("pip", "lightning"), (">=2.1",))
    assert Key("pip", "torch") not in found.packages


def test_debian_goes_by_reasons_and_into_the_base():
    base = BootstrapBase(
        suite="bookworm", config=f"sha256:{sha('4')}", diff_ids=(),
        packages=(debian("apt", "installs packages in the base"), debian("libc6", "needed by apt")),
    )  # fmt: skip
    packages = (
        debian("python3", "Freezer's own: the environment's Python", requested=True),
        debian("libssl3", "needed by python3; the base holds 3.0.11"),
    )
    found = graph(make_lock(base=base, debian=packages), Lookup())
    assert ways(found, Key("debian", "libssl3")) == ["python3 > libssl3"]
    assert ways(found, Key("base", "libc6")) == ["apt > libc6"]


def test_what_a_build_needs_is_told_apart_from_what_is_installed():
    tools = pip("setuptools")
    found = of_pip(pip("old", requested=True, build_requires=(tools,)), pip("setuptools"))
    assert found.named(["setuptools"]) == (
        Key("build", "setuptools", "old"), Key("pip", "setuptools"),
    )  # fmt: skip
    assert ways(found, Key("build", "setuptools", "old")) == ["old > setuptools"]


def test_reasons_come_apart():
    assert split_reason("needed by a, b; why: it is fast") == ("needed by a, b", "it is fast")
    assert split_reason("asked for in freeze.yaml") == ("asked for in freeze.yaml", None)
    assert dependents("needed by a, b; why: c needed by d") == ("a", "b")
    assert dependents("asked for in the spec; why: needed by us") == ()


def generation(number: int, lock: str, *parents: Generation) -> Generation:
    return Generation(
        number=number, parents=tuple(map(entry_digest, parents)), date="2026-11-01T00:00:00Z",
        action="lock", lock_id=sha(lock), summary=f"lock {lock}",
    )  # fmt: skip


def test_since_is_where_the_last_run_begins():
    first = generation(1, "a")
    second = generation(2, "b", first)
    third = generation(3, "a", second)
    fourth = generation(4, "c", third)
    asked: list[int] = []

    def same(one: Generation) -> bool:
        asked.append(one.number)
        return one.lock_id in (sha("a"), sha("c"))

    past = History.of((first, second, third, fourth))
    assert since(past, fourth, same) == third
    assert asked == [3, 2]  # what lies behind the break is not read


def test_since_follows_both_branches_of_a_join():
    first = generation(1, "a")
    ours, theirs = generation(2, "a", first), generation(2, "b", first)
    joined = generation(3, "a", ours, theirs)
    past = History.of((first, ours, theirs, joined))
    assert since(past, joined, lambda one: one.lock_id == sha("a")) == first
    assert since(past, joined, lambda one: one.number == 3) == joined
