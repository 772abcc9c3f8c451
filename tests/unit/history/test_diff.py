"""Two locks compared with each other, and what of it may move the numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.history.diff import diff_locks
from freezer.history.suspects import LEVELS, assess
from freezer.model.lock import Accelerator, Component, CondaPackage, DebianPackage, Lock, PipPackage
from tests.support.project.locks import make_lock, sha

MIRROR = {"added": "removed", "removed": "added", "up": "down", "down": "up"}


def pip(name: str, version: str, digit: str = "7") -> PipPackage:
    return PipPackage(
        source="pypi", file=f"{name}-{version}-py3-none-any.whl", size=1, sha256=sha(digit),
        name=name, version=version, reason="asked for",
    )  # fmt: skip


def debian(name: str, version: str) -> DebianPackage:
    return DebianPackage(
        source="debian", file=f"pool/{name}_{version}_amd64.deb", size=1, sha256=sha("6"),
        name=name, version=version, architecture="amd64", reason="asked for",
    )  # fmt: skip


def conda(name: str, version: str, build: str = "h0_0") -> CondaPackage:
    return CondaPackage(
        source="conda", file=f"{name}-{version}-{build}.conda", size=1, sha256=sha("9"),
        name=name, version=version, build=build, build_number=0, channel="conda-forge",
        subdir="linux-64", reason="asked for",
    )  # fmt: skip


packages = st.dictionaries(
    st.sampled_from(["numpy", "scipy", "torch", "odd"]),
    st.tuples(st.sampled_from(["1.9", "1.10", "2.0rc1", "2022a_b!"]), st.sampled_from("ab")),
    max_size=4,
)


def lock(held: dict[str, tuple[str, str]]) -> Lock:
    return make_lock(pip=tuple(pip(name, *found) for name, found in sorted(held.items())))


@given(packages)
def test_a_lock_does_not_differ_from_itself(held: dict[str, tuple[str, str]]) -> None:
    assert diff_locks(lock(held), lock(held)).same


@given(packages, packages)
def test_the_other_way_round_everything_is_the_other_way_round(
    left: dict[str, tuple[str, str]], right: dict[str, tuple[str, str]]
) -> None:
    there = diff_locks(lock(left), lock(right)).packages
    back = diff_locks(lock(right), lock(left)).packages
    assert [(one.name, one.before, one.after) for one in there] == [
        (one.name, one.after, one.before) for one in back
    ]
    assert [MIRROR.get(one.kind, one.kind) for one in there] == [one.kind for one in back]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ({"pip": (pip("x", "1.9"),)}, {"pip": (pip("x", "1.10"),)}, "up"),
        ({"pip": (pip("x", "2.0"),)}, {"pip": (pip("x", "2.0rc1"),)}, "down"),
        ({"pip": (pip("x", "1"),)}, {"pip": (pip("x", "1", "8"),)}, "rebuilt"),
        ({"debian": (debian("x", "1.0~rc1-1"),)}, {"debian": (debian("x", "1.0-1"),)}, "up"),
        ({"debian": (debian("x", "2:1.0-1"),)}, {"debian": (debian("x", "3.0-1"),)}, "down"),
        ({"conda": (conda("x", "1.9"),)}, {"conda": (conda("x", "1.10"),)}, "up"),
        ({"conda": (conda("x", "9e"),)}, {"conda": (conda("x", "9f"),)}, "up"),
        ({"conda": ()}, {"conda": (conda("x", "1"),)}, "added"),
    ],
)
def test_versions_are_ordered_by_the_rules_of_their_world(
    old: dict[str, Any], new: dict[str, Any], kind: str
) -> None:
    found = diff_locks(make_lock(**old), make_lock(**new)).packages
    assert [one.kind for one in found] == [kind]


def test_what_moves_the_numbers_stands_apart() -> None:
    old = make_lock(
        components=(
            Component(role="blas", name="OpenBLAS", version="0.3.29", provider="pip:numpy"),
        )
    )
    new = make_lock(
        components=(
            Component(role="blas", name="OpenBLAS", version="0.3.30", provider="pip:numpy"),
        ),
        accelerator=Accelerator(cuda="12.9", cudnn="9.11"),
        environment={"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "2"},
    )
    found = diff_locks(old, new)
    assert ("blas", "up") in {(one.ecosystem, one.kind) for one in found.components}
    assert {"cuda", "cudnn"} <= {one.name for one in found.components}
    assert [one.name for one in found.settings] == ["OMP_NUM_THREADS"]
    whys = {one.what.split(": ")[0]: one.level for one in assess(found)}
    assert whys["OpenBLAS (pip:numpy)"] == "likely"
    assert whys["OMP_NUM_THREADS"] == "likely"


def test_suspects_stand_in_the_order_of_their_likelihood() -> None:
    old = make_lock(pip=(pip("numpy", "2.3"), pip("pandas", "2.2"), pip("tqdm", "4.0")))
    new = make_lock(
        pip=(pip("numpy", "2.4"), pip("pandas", "2.3"), pip("tqdm", "4.1")),
        smoke=make_lock().smoke.model_copy(update={"seed": 7}),
    )
    found = assess(diff_locks(old, new))
    levels = [LEVELS.index(one.level) for one in found]
    assert levels == sorted(levels)
    assert [one.what.split(":")[0] for one in found] == ["seed", "numpy", "pandas"]


def test_a_file_that_was_rebuilt_is_a_lesser_suspect() -> None:
    old, new = make_lock(pip=(pip("numpy", "2"),)), make_lock(pip=(pip("numpy", "2", "8"),))
    assert [one.level for one in assess(diff_locks(old, new))] == ["possible"]
