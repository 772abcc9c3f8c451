"""`freeze retro`: every fact of a known past, as values, text, JSON and page."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.cli.main import run as command
from freezer.errors import SpecError
from freezer.flows.review.drifts import BAD, drifts, returns
from freezer.flows.review.retro import Retro, look_back
from freezer.history.log import History
from freezer.model.generation import Checked, Generation
from freezer.model.record.word import GOOD, Word
from freezer.output.governance.retro import retro_document, retro_page, span
from tests.support.project.histories import NAME, Past
from tests.support.project.locks import sha
from tests.support.project.looked_back import EVIL, looked_back

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    return looked_back(tmp_path_factory.mktemp("past"))


@pytest.fixture(scope="module")
def found(past: Past) -> Retro:
    return look_back(past.opened, None, "2026-11-02", NOW)


def test_drifts_with_their_causes_and_ends(found: Retro) -> None:
    first, second = found.drifts
    assert (first.generation, first.word, first.how) == (2, Word.DRIFTED, "rollback, generation 3")
    assert first.open_for(NOW) == timedelta(days=2, hours=6)
    assert first.causes[0].startswith("numpy: 1.26.4 to 2.1.0 (")
    assert (second.generation, second.ended) == (5, None)
    assert second.open_for(NOW) == timedelta(days=2)
    assert second.causes == (f"host: Test CPU to {EVIL}",)


def test_rollbacks_costs_and_what_was_never_checked(found: Retro) -> None:
    assert [(one.generation, one.took, one.forced) for one in found.returns] == [
        (3, timedelta(days=2, hours=6), False), (5, None, True),
    ]  # fmt: skip
    assert [(one.factor, one.time, one.drifts) for one in found.costs] == [
        ("numpy", timedelta(days=2, hours=6), 1), ("host", timedelta(days=2), 1),
    ]  # fmt: skip
    assert [one.generation for one in found.never_checked] == [4]
    assert (found.generations, found.checks) == (4, 4)


def test_deviations_and_runs(found: Retro) -> None:
    kinds = [(one.kind, one.expired) for one in found.deviations]
    assert kinds == [
        ("policy", True), ("policy", False), ("vulnerability", False), ("rollback", False),
    ]  # fmt: skip
    assert found.runs.made == 4
    assert found.runs.again == {"drifted": 1, "identical": 2}
    assert found.runs.seconds == 4 * 3600


def test_a_later_day_leaves_out_what_was_before(past: Past) -> None:
    found = look_back(past.opened, NAME, "2026-11-09T12:00:00Z", NOW)
    assert [one.generation for one in found.drifts] == [5]
    assert [one.generation for one in found.returns] == [5]
    assert found.runs.made == 0


def freeze(past: Past, *arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command(["-C", str(past.project), "retro", *arguments])
    assert "Traceback" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


def test_text_and_json(past: Past) -> None:
    code, out, err = freeze(past, "--since", "2026-11-02")
    assert code == 0, err
    assert "2026-11-05 demo generation 2 on x86-64-v3: drifted, ended after 2 d 6 h by" in out
    assert "expired until 2026-10-31: banned: pip:pickle5" in out
    assert "3 made again: 1 drifted, 2 identical" in out
    code, out, _ = freeze(past, "--since", "2026-11-02", "--json")
    read = json.loads(out)
    assert [one["seconds"] for one in read["rollbacks"]] == [194400.0, None]
    assert read["runs"]["made-again"] == {"drifted": 1, "identical": 2}


def test_a_page_is_text_alone(found: Retro) -> None:
    page = retro_page(found)
    assert "<img" not in page
    assert "<script" not in page
    assert re.search(r'(src|href)="', page) is None
    assert re.search(r' style="', page) is None, "the policy forbids inline styles"
    assert "style-src 'sha256-" in page
    assert page == retro_page(found)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "2199-01-01"), "yet to come"),
        (("--since", "soon"), "not a date"),
        (("--since", "2026-11-01", "-o", "page.txt"), "does not end in .html"),
        (("--since", "2026-11-01", "nobody"), "nobody"),
        ((), "--since"),
    ],
)
def test_what_cannot_be_used_is_named(past: Past, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = freeze(past, *arguments)
    assert code == 2
    assert said in " ".join(f"{out}{err}".replace("│", " ").split())


def test_a_ledger_that_cannot_be_read_is_left_out(past: Past) -> None:
    address = "postgresql://nobody@127.0.0.1:1/runs"
    (past.project / ".freezer.yaml").write_text(f"ledger: {address}\n")
    try:
        code, out, err = freeze(past, "--since", "2026-11-02", "--json")
    finally:
        (past.project / ".freezer.yaml").unlink()
    assert code == 0
    assert "runs are left out" in err
    assert json.loads(out)["runs"]["made"] == 0
    assert len(json.loads(out)["drifts"]) == 2


def test_a_project_without_anything(tmp_path: Path) -> None:
    empty = Past(tmp_path)
    empty.project.mkdir()
    with pytest.raises(SpecError, match="there is no spec here"):
        look_back(empty.opened, None, "2026-11-01", NOW)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(), "0 min"), (timedelta(seconds=61), "1 min"), (timedelta(hours=1), "1 h"),
        (timedelta(hours=25, minutes=5), "1 d 1 h"), (timedelta(days=3), "3 d"),
    ],
)  # fmt: skip
def test_a_time_has_its_two_largest_units(time: timedelta, said: str) -> None:
    assert span(time) == said


@st.composite
def pasts(draw: st.DrawFn) -> History:
    history = History()
    for _ in range(draw(st.integers(0, 12))):
        day = draw(st.integers(1, 28))
        common = {
            "parents": history.tips, "date": f"2026-11-{day:02}T00:00:00Z",
            "lock_id": sha(draw(st.sampled_from("abc"))),
        }  # fmt: skip
        if draw(st.booleans()):
            action = draw(st.sampled_from(["lock", "rollback"]))
            entry: Generation | Checked = Generation.model_validate(
                {**common, "number": history.next_number, "action": action, "summary": "x"}
            )
        else:
            word = draw(st.sampled_from(list(Word)))
            entry = Checked.model_validate(
                {**common, "generation": 1, "class": draw(st.sampled_from(["a", "b"])),
                 "word": word, "image": f"sha256:{sha('a')}", "cpu": "c"}
            )  # fmt: skip
        history = history.extended(entry)
    return history


@given(pasts(), st.integers(1, 28))
def test_of_any_past_each_drift_began_bad_and_ended_later(past: History, day: int) -> None:
    since = datetime(2026, 11, day, tzinfo=UTC)
    bad = {(one.date, one.class_) for one in _checks(past) if one.word in BAD}
    good = {(one.date, one.class_) for one in _checks(past) if one.word in GOOD}
    found = drifts("x", past, since, lambda *_: ())
    for one in found:
        assert since <= one.began
        assert (f"{one.began:%Y-%m-%dT%H:%M:%SZ}", one.class_) in bad
        assert len(one.causes) == 1
        if one.ended is not None:
            assert one.ended >= one.began
            rolled = one.how is not None and one.how.startswith("rollback")
            assert rolled or (f"{one.ended:%Y-%m-%dT%H:%M:%SZ}", one.class_) in good
    assert bool(found) is any(date >= f"{since:%Y-%m-%d}" for date, _ in bad) or not found
    rollbacks = [one for one in past.generations if one.action == "rollback"]
    assert len(returns("x", past, since)) == sum(
        one.date >= f"{since:%Y-%m-%d}" for one in rollbacks
    )


def _checks(past: History) -> Iterator[Checked]:
    return (one for one in past.entries if isinstance(one, Checked))


def test_the_document_has_every_section(found: Retro) -> None:
    assert set(retro_document(found)) == {
        "file", "since", "environments", "generations", "checks", "drifts", "rollbacks", "costs",
        "deviations", "never-checked", "never-checked-before", "runs",
    }  # fmt: skip
