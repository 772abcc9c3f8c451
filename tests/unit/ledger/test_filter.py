"""The filter language: what it means is held against plain Python over the same runs."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.errors import QueryError
from freezer.ledger.connect import open_ledger
from freezer.ledger.filter.parse import DEEPEST, MOST, parse_filter
from freezer.ledger.query import count, find
from freezer.ledger.record import record_many
from freezer.model.record.run import Run, Time
from tests.support.examples import examples
from tests.support.project.runs import FILTERS, RUNS


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory):
    opened = open_ledger(tmp_path_factory.mktemp("filter") / "ledger.db")
    record_many(opened, [(one, {}, ()) for one in RUNS])
    yield opened
    opened.close()


def numbers(ledger, text: str) -> list[int]:
    return sorted(int(one.id, 16) for one in find(ledger, text))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory):
    opened = open_ledger(tmp_path_factory.mktemp("empty") / "ledger.db")
    yield opened
    opened.close()


@pytest.mark.parametrize(("text", "expected"), FILTERS)
def test_a_filter_finds_what_it_says(ledger, text: str, expected: list[int]) -> None:
    assert numbers(ledger, text) == expected


@pytest.mark.parametrize(
    ("text", "says", "place"),
    [
        ("params.lrr < 1", "did you mean params.lr", 1),
        ("params.lr < 1 and metrics.los = 2", "did you mean metrics.loss", 19),
        ("metrics.loss > 'high'", "metrics.loss is a number", 16),
        ("flag = 3", "flag is true or false", 8),
        ("lock > 8e145e26e044", "lock is a digest", 8),
        ("started > 'yesterday'", "started is a time", 11),
        ("params.lr <", "ends too early", 12),
        ("params.lr < 1 or", "ends too early", 17),
        ("params.lr 1", "unexpected text", 11),
        ("(params.lr < 1", "ends too early", 15),
        ("params.lr < 1)", "unexpected text", 14),
        ("params.lr = 'x", "a quote is not closed", 13),
        ("params.lr = ;", "unexpected character", 13),
        ("1; DROP TABLE runs", "unexpected character", 2),
    ],
)
def test_a_fault_is_shown_at_its_place(ledger, text: str, says: str, place: int) -> None:
    with pytest.raises(QueryError) as caught:
        find(ledger, text)
    error = str(caught.value)
    assert says in error
    assert f"at character {place} " in error
    shown, mark = caught.value.details
    assert shown[mark.index("^") : mark.index("^") + 1] == text[place - 1 : place]


def test_a_filter_that_is_too_deep_is_refused(ledger) -> None:
    deep = "(" * DEEPEST + "env = 'demo'" + ")" * DEEPEST
    assert len(find(ledger, deep)) == 6
    with pytest.raises(QueryError, match="levels deep"):
        find(ledger, f"({deep})")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=examples(300),
    deadline=None,
)
@given(st.text(max_size=30) | st.text("abnot()=<>'`\". in123,-", max_size=30))
def test_any_text_is_a_filter_or_a_clear_error(ledger, text: str) -> None:
    with contextlib.suppress(QueryError):
        find(ledger, text)


LEAF = st.builds(
    "{} {} {}".format,
    st.sampled_from(["params.lr", "metrics.loss", "params.n"]),
    st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
    st.sampled_from(["0.1", "0.01", "-0.5", "3", "1e300"]),
)
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=6,
)


def holds(text: str, one: Run) -> bool:
    """The meaning in plain Python: a comparison holds only for a number that the run has."""
    import re

    def leaf(match: re.Match[str]) -> str:
        name, operator, value = match.groups()
        found = one.fields.get(name)
        if not isinstance(found, int | float) or isinstance(found, bool) or math.isnan(found):
            return "False"
        return str(
            eval(
                f"{found!r} {operator.replace('!=', '<>').replace('=', '==') if operator == '=' else operator} {value}",
                {"inf": math.inf},
            )
        )

    said = re.sub(r"([a-z]+\.[a-z]+) (<=|>=|!=|<|>|=) (\S+?)(?=\)| |$)", leaf, text)
    return bool(eval(said))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=examples(200),
    deadline=None,
)
@given(TREE)
def test_any_filter_means_what_python_would_make_of_it(ledger, text: str) -> None:
    expected = [number for number, one in enumerate(RUNS) if holds(text, one)]
    assert numbers(ledger, text) == expected


def test_runs_are_sorted_by_any_field_those_without_it_last(ledger) -> None:
    found = [int(one.id, 16) for one in find(ledger, order="params.lr desc")]
    assert found[:4] == [3, 0, 1, 2] or found[:4] == [0, 1, 2, 3]
    assert sorted(found[4:]) == [4, 5]
    assert [int(one.id, 16) for one in find(ledger, order="started asc", limit=2)] == [0, 1]
    with pytest.raises(QueryError, match="to sort by"):
        find(ledger, order="params.none")


def test_names_may_hold_what_words_mean(ledger) -> None:
    assert parse_filter("android = 1 and inner = 2 or note = 3 and island is null")


@pytest.mark.parametrize(
    "text",
    [
        "seed = " + "1" * 5000,
        "seed != -" + "9" * 400,
        "seed < " + "9" * 400,
        "seed in (" + ", ".join(["1"] * (MOST - 1)) + ")",
        " or ".join(["id=a"] * MOST),
        " and ".join(["not id=a"] * MOST),
    ],
)
def test_the_largest_filters_are_answered(tmp_path: Path, text: str) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    record_many(ledger, [(Run("a" * 16, "e", "finished", Time(1), fields={"seed": 1}), {}, ())])
    find(ledger, text)
    ledger.close()


@pytest.mark.parametrize("text", [" or ".join(["id=a"] * (MOST + 1)), f"s in ({'1, ' * MOST}1)"])
def test_more_comparisons_than_databases_take_are_refused(text: str) -> None:
    with pytest.raises(QueryError, match="comparisons"):
        parse_filter(text)


@pytest.mark.parametrize("text", [one for one, _ in FILTERS])
def test_where_nothing_is_recorded_any_filter_finds_nothing(empty, text: str) -> None:
    assert find(empty, text) == []
    assert count(empty, text) == 0
    assert find(empty, None, order="metrics.loss desc") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("started > 'yesterday'", "started is a time"),
        ("seconds = 'long'", "seconds is a number"),
        ("seed = 'one'", "seed is a number"),
        ("lock > 8e145e26e044", "lock is a digest"),
        ("params.lr <", "ends too early"),
    ],
)
def test_fields_of_every_run_have_their_type_before_there_is_one(
    empty, text: str, says: str
) -> None:
    with pytest.raises(QueryError, match=says):
        find(empty, text)


def test_a_field_of_every_run_needs_no_run_that_has_it(tmp_path: Path) -> None:
    opened = open_ledger(tmp_path / "ledger.db")
    record_many(opened, [(Run("ab", "demo", "running", Time(1)), {}, ())])
    for text in ("ended > '2026-11-01'", "exit = 0", "lock = 8e145e26e044", "seconds is not null"):
        assert find(opened, text) == []
        assert len(find(opened, f"not ({text})")) == 1
    assert len(find(opened, order="ended desc")) == 1
    with pytest.raises(QueryError, match=r"no run has a field 'params\.lr'"):
        find(opened, "params.lr = 1")
    with pytest.raises(QueryError, match="to sort by"):
        find(opened, order="params.lr")
    opened.close()


@pytest.mark.parametrize(
    "text",
    [
        "status = 'finished' and params.n > 'abc'",
        "status = 'finished' and nowhere = 1",
        "params.n in (3, 'abc')",
        "status = 'finished' or params.n > 'abc'",
    ],
)
def test_what_no_run_could_hold_is_an_error_whatever_else_is_found(ledger, text: str) -> None:
    with pytest.raises(QueryError):
        find(ledger, text)


def test_kinds_of_values_that_others_record_meanwhile_are_found(tmp_path: Path) -> None:
    def made(number: int, value: int | str) -> Run:
        return Run(f"{number:016x}", "demo", "finished", Time(number), fields={"params.k": value})

    opened, other = open_ledger(tmp_path / "l.db"), open_ledger(tmp_path / "l.db")
    record_many(opened, [(made(1, 3), {}, ())])
    assert numbers(opened, "params.k = 3") == [1]
    record_many(other, [(made(2, "abc"), {}, ())])
    assert numbers(opened, "params.k = 'abc'") == [2]
    opened.close()
    other.close()
