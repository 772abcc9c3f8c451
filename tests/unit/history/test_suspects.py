"""Which changes of a lock are known to be able to move the numbers."""

from __future__ import annotations

import pytest

from freezer.history.diff import diff_locks
from freezer.history.suspects import Suspect, assess
from freezer.inside.freezer_inside.determinism import table, thread_counts
from tests.support.project.locks import make_lock


def suspects(before: dict[str, str], after: dict[str, str]) -> tuple[Suspect, ...]:
    return assess(diff_locks(make_lock(environment=before), make_lock(environment=after)))


@pytest.mark.parametrize("name", sorted({setting.name for setting in table(0, 1, "portable")}))
def test_every_setting_of_an_image_is_known(name: str) -> None:
    [found] = suspects({name: "1"}, {name: "2"})
    assert found.what == f"{name}: 1 to 2"


@pytest.mark.parametrize("name", sorted(thread_counts(1)))
def test_a_number_of_threads_is_one_whatever_its_name(name: str) -> None:
    [found] = suspects({}, {name: "2"})
    assert (found.level, found.why) == ("likely", "sums are split among threads")


@pytest.mark.parametrize("name", ["FREEZER_NUMERICS", "BLIS_ARCH_TYPE", "OPENBLAS_CORETYPE"])
def test_kernels_are_chosen_by_more_than_one_name(name: str) -> None:
    [found] = suspects({name: "a"}, {})
    assert (found.level, found.why) == ("likely", "it chooses the CPU kernels")


@pytest.mark.parametrize("name", ["LANG", "NPROCS", "MY_TF_NUM_INTRAOP_THREADS_TOO"])
def test_what_computes_nothing_is_no_suspect(name: str) -> None:
    assert suspects({name: "a"}, {name: "b"}) == ()
