"""Which changes of versions are known to change the numbers of a seed: those that were measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.history.diff import diff_locks
from freezer.history.numbers import LISTED, ChangedNumbers, changed_numbers, numbers_between
from freezer.history.suspects import assess
from freezer.model.lock import CondaPackage, Lock
from tests.support.project.locks import make_lock
from tests.support.project.streams import Step, changing, staying

TEN_CHANGE, TEN_STAY = changing()[:10], staying()[:10]


def locked(*versions: tuple[str, str]) -> Lock:
    [example] = make_lock().pip
    found = [example.model_copy(update={"name": name, "version": one}) for name, one in versions]
    return make_lock(pip=tuple(sorted(found, key=lambda item: item.name)))


def test_there_are_ten_of_each_and_of_several_libraries() -> None:
    assert len(TEN_CHANGE) == len(TEN_STAY) == 10
    assert len({name for name, _, _ in TEN_CHANGE}) >= 4


@pytest.mark.parametrize("step", TEN_CHANGE, ids=" ".join)
def test_a_change_of_streams_is_known_both_ways(step: Step) -> None:
    name, old, new = step
    for before, after in ((old, new), (new, old)):
        [found] = numbers_between(locked((name, before)), locked((name, after)))
        assert (found.package, found.before, found.after) == (name, before, after)
        [suspect] = assess(diff_locks(locked((name, before)), locked((name, after))))
        assert suspect.operations == found.operations
        assert suspect.level == "likely"
        assert suspect.why.startswith(f"it changes the numbers of {found.operations[0]}")


@pytest.mark.parametrize("step", TEN_STAY, ids=" ".join)
def test_what_changes_no_numbers_is_silent(step: Step) -> None:
    name, old, new = step
    assert numbers_between(locked((name, old)), locked((name, new))) == ()
    assert not any(
        one.operations for one in assess(diff_locks(locked((name, old)), locked((name, new))))
    )


def test_only_the_packages_in_question() -> None:
    (name, old, new), (other, older, newer) = TEN_CHANGE[0], TEN_CHANGE[1]
    before, after = locked((name, old), (other, older)), locked((name, new), (other, newer))
    assert {one.package for one in numbers_between(before, after)} == {name, other}
    assert [one.package for one in numbers_between(before, after, [("pip", name)])] == [name]
    assert numbers_between(before, after, [("debian", name)]) == ()


@pytest.mark.parametrize(
    ("ecosystem", "before", "after"),
    [
        ("debian", "2.2.6", "2.4.6"),
        ("pip", None, "2.4.6"),
        ("pip", "2.2.6", None),
        ("pip", "1", "1"),
    ],
)
def test_what_is_no_change_of_a_python_package(
    ecosystem: str, before: str | None, after: str | None
) -> None:
    assert changed_numbers(ecosystem, "numpy", before, after) is None


def test_measured_changes_go_before_others_of_their_level() -> None:
    old = locked(("a-mkl", "1"), ("mkl", "1"), ("numpy", "2.2.6"))
    new = locked(("a-mkl", "2"), ("mkl", "2"), ("numpy", "2.4.6"))
    found = [one.what.partition(":")[0] for one in assess(diff_locks(old, new))]
    assert found[:2] == ["numpy", "mkl"]


def test_a_sentence_names_a_few_operations_and_counts_the_rest() -> None:
    names = tuple("abcdefg")
    found = ChangedNumbers(package="x", before="1", after="2", operations=names)
    assert str(found) == "x 1 to 2 changes the numbers of a, b, c, d and 3 more"
    few = found.model_copy(update={"operations": names[:LISTED]})
    assert str(few) == "x 1 to 2 changes the numbers of a, b, c, d"


def test_conda_names_are_known() -> None:
    found = changed_numbers("conda", "numpy", "2.2.6", "2.4.6")
    assert found is not None
    assert found.operations == ("Generator.wald",)


def conda(name: str, version: str) -> CondaPackage:
    return CondaPackage(
        source="conda",
        name=name,
        version=version,
        build="0",
        build_number=0,
        channel="conda-forge",
        subdir="linux-64",
        file=f"{name}-{version}-0.conda",
        size=1,
        sha256="1" * 64,
        reason="requested in x",
    )


def test_a_package_that_moves_from_conda_to_pip_is_the_same_one() -> None:
    name, before, after = next(step for step in TEN_CHANGE if step[0] == "numpy")
    old = make_lock(pip=(), conda=(conda(name, before),))
    [found] = numbers_between(old, locked((name, after)))
    assert (found.package, found.before, found.after) == (name, before, after)
    assert numbers_between(old, locked((name, before))) == ()


@pytest.mark.parametrize("name", ["igraph", "xxhash"])
def test_a_library_of_conda_with_the_name_of_another_one_claims_nothing(name: str) -> None:
    changes = [(old, new) for package, old, new in changing() if package == name]
    stays = [(old, new) for package, old, new in staying() if package == name]
    assert changes or stays
    for before, after in changes:
        assert changed_numbers("conda", name, before, after) is None
        assert changed_numbers("conda", f"python-{name}", before, after) is not None


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["conda", "pip"]))
def test_versions_that_are_none_claim_nothing(before: str, after: str, ecosystem: str) -> None:
    """Conda and Debian have versions that are invalid for Python packages."""
    found = changed_numbers(ecosystem, "numpy", before, after)
    assert found is None or (before, after) == (found.before, found.after)
