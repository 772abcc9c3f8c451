"""What separates hosts of one class whose results differ."""

from __future__ import annotations

from typing import Any

from freezer.fleet.matrix import Factor, Row, counts, groups, separating
from freezer.fleet.state import Cause, State, not_checked
from freezer.model.record.word import Word

GOOD, BAD = State(Word.IDENTICAL), State(Word.DRIFTED, reason="numpy differs")


def row(host: str, state: State = GOOD, result: str = "a", class_: str = "v4", **facts: Any) -> Row:
    return Row(
        host=host, environment="demo", state=state, class_=class_, fingerprint=result, facts=facts
    )


def test_the_factor_is_what_no_host_of_the_other_side_has() -> None:
    rows = [
        row("n1", microcode="1", kernel="6.1", driver="550"),
        row("n2", microcode="1", kernel="6.6", driver="550"),
        row("n3", BAD, "b", microcode="2", kernel="6.6", driver="550"),
    ]
    assert separating(rows) == (Factor("microcode", ("1",), ("2",)),)


def test_flags_are_named_one_by_one() -> None:
    rows = [row("n1", flags="avx avx2 fma"), row("n2", BAD, "b", flags="avx avx2 avx512f fma")]
    assert separating(rows) == (Factor("flags", ("without",), ("avx512f",)),)
    assert separating([row("n1", flags="avx"), row("n2", BAD, "b", flags="avx")]) == ()


def test_a_majority_is_not_called_right() -> None:
    """The one good host is right, because the reference says so, and the three others are not."""
    rows = [row(f"n{number}", BAD, "b", kernel="6.6") for number in (1, 2, 3)]
    rows.append(row("n4", kernel="6.1"))
    [group] = groups(rows)
    assert group.factors == (Factor("kernel", ("6.1",), ("6.6",)),)
    assert not group.good
    assert group.counts == {"drifted": 3, "identical": 1}
    assert group.results == 2


def test_without_a_good_host_different_results_are_still_separated() -> None:
    state = State(Word.NOT_COMPARABLE, reason="no reference of class v4")
    rows = [row("n1", state, "a", kernel="6.1"), row("n2", state, "a", kernel="6.1")]
    assert separating(rows) == ()
    assert separating([*rows, row("n3", state, "b", kernel="6.6")]) == (
        Factor("kernel", ("6.1",), ("6.6",)),
    )


def test_classes_are_groups_of_their_own_and_unknown_ones_come_last() -> None:
    down = row("n3", not_checked(Cause.DOWN, "the node is down"), "", "")
    found = groups([down, row("n2", class_="v4"), row("n1", class_="v3")])
    assert [(one.class_, len(one.rows)) for one in found] == [("v3", 1), ("v4", 1), ("unknown", 1)]
    assert counts([down, row("n1")]) == {"not checked (down)": 1, "identical": 1}
    many = [row(f"n{n}", kernel=str(n)) for n in range(9)]
    [factor] = separating([*many, row("x", BAD, "b", kernel="x")])
    assert factor.good[-1] == "and 5 more"
