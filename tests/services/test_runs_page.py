"""The page of runs in a real Chromium: sorted, filtered, drawn, compared; by pointer and by keys."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freezer.data.diff import data_diff
from freezer.data.entry import Member
from freezer.flows.runs.diff import changed_lines
from freezer.flows.runs.explain.contrast import contrast
from freezer.flows.runs.explain.divergence import results
from freezer.flows.runs.page.details import Files
from freezer.history.suspects import LEVELS, Suspect
from freezer.ledger.series import Points
from freezer.model.record.run import Digest, Run, Time
from tests.support.host.browser import CHROMIUM, Browser, browser
from tests.support.project.pages import EVIL, many, page_of, varied_run, write_page
from tests.support.project.runs import FILTERS, RUNS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
FRAME = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
ROWS = "document.getElementById('grid').getAttribute('aria-rowcount') - 1"
IDS = "[...document.querySelectorAll('.row .mono')].map(one => one.textContent)"
TYPE = """(words => {
  const input = document.getElementById('filter');
  input.value = words;
  input.dispatchEvent(new Event('input'));
})"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(autouse=True)
def nothing_goes_wrong(tab: Browser) -> Iterator[None]:
    tab.errors.clear()
    tab.requests.clear()
    yield
    assert tab.errors == []
    assert len(tab.requests) <= 1, "a page asks for nothing but itself"


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Run], dict[str, Any], Path]:
    """Return runs, the latest first, their series, and their page."""
    chance = random.Random(5)
    pairs = [varied_run(number, chance) for number in range(24)][::-1]
    runs, series = [one for one, _ in pairs], {one.id: points for one, points in pairs}
    page = write_page(page_of(runs, series), tmp_path_factory.mktemp("page") / "runs.html")
    return runs, series, page


def shown(tab: Browser) -> str:
    return str(tab.run("document.getElementById('panel').innerText"))


def test_a_page_opens_with_the_curves_of_the_latest_runs(tab: Browser, varied) -> None:
    tab.open(varied[2])
    assert tab.run(ROWS) == 24
    assert tab.run("document.querySelectorAll('.row[aria-selected=true]').length") == 5
    assert tab.run("document.querySelectorAll('.chart').length") == 1
    assert tab.run("document.querySelectorAll('.chart .line').length") == 5
    assert tab.run("document.title") == "Runs of demo"


def test_what_people_and_trainings_wrote_is_text(tab: Browser, tmp_path: Path) -> None:
    fields: dict[str, Any] = {f"params.{EVIL}": EVIL, f"metrics.{EVIL}": 1.5, "git.branch": EVIL}
    hostile = Run("0" * 16, EVIL, "finished", Time(1), (EVIL,), fields=fields)
    hostile = replace(hostile, tags={"name": EVIL, EVIL: EVIL}, notes=(EVIL,), tail=EVIL)
    points = {hostile.id: {f"metrics.{EVIL}": Points.of([(0, 0, 1.0), (1, 1, 2.0)])}}
    other = replace(hostile, id="1" * 16, notes=())
    tab.open(write_page(page_of([hostile, other], points), tmp_path / "evil.html"))
    for name in ("curves", "compare", "run"):
        tab.click(f"#tab-{name}")
        assert tab.run("document.querySelectorAll('#panel img, #panel script').length") == 0
    tab.click("#columns summary")
    assert tab.run("window.hacked") is None
    assert EVIL.replace("\u2028", "") in shown(tab).replace("\u2028", "")


def test_the_policy_forbids_other_scripts_and_requests(tab: Browser, varied) -> None:
    tab.open(varied[2])
    tab.run(
        "(async () => { const s = document.createElement('script'); "
        "try { s.textContent = 'window.hacked = 1'; document.body.append(s); } catch {} "
        "try { await fetch('data:text/plain,x'); window.fetched = 1; } catch {} })()"
    )
    assert tab.run("[window.hacked, window.fetched]") == [None, None]
    assert tab.errors, "the browser reports what it refused"
    tab.errors.clear()


@pytest.mark.parametrize(("text", "numbers"), [one for one in FILTERS if len(one[0]) < 1000])
def test_filters_find_what_the_ledger_finds(
    tab: Browser, tmp_path_factory: pytest.TempPathFactory, text: str, numbers: list[int]
) -> None:
    page = tmp_path_factory.getbasetemp() / f"filters-{os.getpid()}.html"
    if not page.exists():
        write_page(page_of(RUNS), page)
    if tab.run("location.href") != page.as_uri():
        tab.open(page)
    tab.run(f"{TYPE}({json.dumps(text)})")
    tab.run(FRAME)
    found = tab.run("[...document.querySelectorAll('.row')].map(one => Number(one.id.slice(4)))")
    assert sorted(found) == numbers, tab.run(
        "document.getElementById('filter-message').textContent"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [("params.lr <", "a value is missing"), ("(seed = 1", "parenthesis"), ("nothing = 1", "no run has"),
     ("seed in 3", "in parentheses"), ("seed is 3", "null"), ("'", "cannot read"), ("= 3", "unexpected")],
)  # fmt: skip
def test_a_wrong_filter_is_named_and_changes_nothing(tab: Browser, varied, text, words) -> None:
    tab.open(varied[2])
    tab.run(f"{TYPE}({json.dumps(text)})")
    assert words in tab.run("document.getElementById('filter-message').textContent")
    assert tab.run("document.getElementById('filter').getAttribute('aria-invalid')") == "true"
    assert tab.run(ROWS) == 24


def test_words_are_looked_for_in_all_texts(tab: Browser, tmp_path: Path) -> None:
    chance = random.Random(1)
    runs = [varied_run(number, chance)[0] for number in range(3)]
    runs[1] = replace(runs[1], notes=("Odd LOSS in the middle",), tags={"name": "Paper"})
    tab.open(write_page(page_of(runs), tmp_path / "words.html"))
    for words in ("odd loss", "paper", "paper and seed < 3"):
        tab.run(f"{TYPE}({json.dumps(words)})")
        tab.run(FRAME)
        assert tab.run("[...document.querySelectorAll('.row')].map(one => one.id)") == ["row-1"]


def test_a_title_sorts_both_ways_and_back(tab: Browser, varied) -> None:
    tab.open(varied[2])
    place = "[...document.querySelectorAll('.head button')].findIndex(one => one.title.startsWith('metrics.loss'))"
    losses = sorted(run.fields["metrics.loss"] for run in varied[0])

    def column() -> list[float]:
        cells = (
            f"[...document.querySelectorAll('.row')].map(one => one.children[{place} + 1].title)"
        )
        return [float(one) for one in tab.run(cells)]

    for wanted, named in ((losses[::-1], "descending"), (losses, "ascending")):
        tab.run(f"document.querySelectorAll('.head button')[{place}].click()")
        tab.run(FRAME)
        assert column() == wanted
        assert tab.run(f"document.querySelectorAll('.head > div')[{place} + 1].ariaSort") == named
    tab.run(f"document.querySelectorAll('.head button')[{place}].click()")
    assert tab.run(IDS) == [run.id[:8] for run in varied[0]]


def test_two_runs_are_explained_as_the_command_does(tab: Browser, varied) -> None:
    """The same rules run in Python and in the page: both give the same causes, in the same order."""
    runs, series, page = varied
    tab.open(page)
    tab.click("#clear")
    tab.click("#tab-compare")
    chance = random.Random(2)
    seen: set[str] = set()
    for _ in range(60):
        first, second = chance.sample(range(24), 2)
        for place, row in ((0, first), (1, second)):
            tab.run(
                f"(() => {{ const s = document.querySelectorAll('.pair select')[{place}];"
                f"s.value = {row}; s.dispatchEvent(new Event('change')); }})()"
            )
        causes = tab.run(
            "[...document.querySelectorAll('.cause')].map(one => [one.querySelector('.badge').innerText,"
            " one.querySelector('b').innerText, ...[...one.querySelectorAll('code')].map(c => c.innerText),"
            " one.querySelector('.soft').innerText])"
        )
        wanted = contrast(runs[first], runs[second])
        assert causes == [[one.level, one.name, one.old, one.new, one.why] for one in wanted]
        seen |= {one.name for one in wanted}
        found = results(runs[first], runs[second], series[runs[first].id], series[runs[second].id])
        rows = tab.run(
            "[...document.querySelectorAll('#panel table tbody tr')].map(one => one.innerText)"
        )
        loss = next(one for one in rows if one.startswith("loss"))
        if found.parted:
            assert f"from step {found.parted[0].step}" in loss
        else:
            assert "identical" in loss
        assert any("same" in one and "identical" in one for one in rows), "NaN is the same as NaN"
    assert len(seen) > 12, seen


def members(chance: random.Random) -> tuple[Member, ...]:
    """Return a list with few names and contents, so that some move, change or are there twice."""
    paths = chance.sample([f"{folder}/{name}" for folder in "abc" for name in "xyz"], 6)
    return tuple(
        Member(path, chance.choice("ffffl"), chance.choice([0, 5]), chance.choice("12") * 64)
        for path in sorted(paths)
    )


@pytest.mark.parametrize("seed", range(20))
def test_changed_files_and_packages_are_those_of_the_command(
    tab: Browser, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    lists = [members(chance), members(chance)]
    runs = [
        Run(f"{number:016x}", "demo", "finished", Time(number)).with_fields(
            {
                "data.train": Digest(f"{number}" * 64),
                "data.train.list": Digest(f"{number + 4}" * 64),
                "lock": Digest(f"{number + 6}" * 64),
                "git.commit": Digest(f"{number + 1}" * 40),
                "git.patch": Digest(f"{number + 8}" * 64),
            }
        )
        for number in range(2)
    ]
    files = {f"{number + 4}" * 64: Files(6, 9, lists[number]) for number in range(2)}
    level, what, why = chance.choice(LEVELS[1:]), "numpy: 1 to 2", "sums come from it"
    suspects = {("6" * 64, "7" * 64): (Suspect(level=level, what=what, why=why),) * (seed % 2)}
    pair = tuple(chance.sample(["1" * 40, "2" * 40], 2))
    lines = ["+ new.py", "- old.py", "~ <b>.py", "... and 3 more"]
    patches = {f"{number + 8}" * 64: {"a.py": "1", "b.py": str(number)} for number in range(2)}
    page = replace(
        page_of(runs), files=files, suspects=suspects, commits={pair: lines}, patches=patches
    )
    tab.open(write_page(page, tmp_path / "data.html"))
    tab.click("#tab-compare")
    tab.run(
        "for (const [place, row] of [[0, 0], [1, 1]]) {"
        "const s = document.querySelectorAll('.pair select')[place];"
        "s.value = row; s.dispatchEvent(new Event('change')); }"
    )
    place = "[...document.querySelectorAll('.cause')].find(one => one.querySelector('b').innerText === '{}')"

    def details(name: str) -> Any:
        return tab.run(
            f"[...{place.format(name)}.querySelectorAll('li')].map(one => one.innerText)"
        )

    assert details("data.train") == changed_lines(data_diff(*lists))
    turned = lines if pair[0] < pair[1] else ["- new.py", "+ old.py", *lines[2:]]
    assert details("git.commit") == turned
    assert details("git.patch") == ["~ b.py"]
    cause = place.format("lock")
    badge = tab.run(f"{cause}.querySelector('.badge').innerText")
    assert badge == (level if seed % 2 else "unlikely")
    assert details("lock") == [f"{level}: {what}: {why}"] * (seed % 2)


def test_keys_do_what_the_pointer_does(tab: Browser, varied) -> None:
    runs = varied[0]
    tab.open(varied[2])
    tab.click("#clear")
    tab.press("/")
    assert tab.run("document.activeElement.id") == "filter"
    for letter in "seed = 1":
        tab.press("Space" if letter == " " else letter)
    tab.run(FRAME)
    wanted = [number for number, run in enumerate(runs) if run.fields["seed"] == 1]
    assert tab.run(ROWS) == len(wanted)
    tab.press("Escape")
    assert tab.run("document.activeElement.id") == "grid"
    tab.press("ArrowDown", "Space", "ArrowDown", "Space")
    active = tab.run("document.getElementById('grid').getAttribute('aria-activedescendant')")
    assert active == f"row-{wanted[2]}"
    assert tab.run("document.querySelectorAll('.row[aria-selected=true]').length") == 2
    tab.press("c")
    assert "What differs" in shown(tab)
    tab.press("Enter")
    assert runs[wanted[2]].id in shown(tab)
    tab.press("End")
    assert tab.run("document.querySelector('.row.active').id") == f"row-{wanted[-1]}"


def test_clicks_select_runs_one_by_one_and_in_ranges(tab: Browser, varied) -> None:
    tab.open(varied[2])
    tab.click("#clear")
    tab.click("#row-2 .pick")
    tab.click("#row-5 .pick", shift=True)
    assert tab.run("document.querySelectorAll('.row[aria-selected=true]').length") == 4
    tab.click("#row-3 .pick")
    assert tab.run("document.querySelectorAll('.chip').length") == 3
    tab.click("#row-4 > div:nth-child(3)")
    assert varied[0][4].id in shown(tab)


def test_everything_that_can_be_used_has_a_name(tab: Browser, varied) -> None:
    tab.open(varied[2])
    for name in ("curves", "compare", "run"):
        tab.click(f"#tab-{name}")
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
        used = [
            one for one in nodes if one.get("role", {}).get("value") in _USED and not one["ignored"]
        ]
        assert len(used) > 5
        nameless = [one for one in used if not one.get("name", {}).get("value")]
        assert nameless == []


_USED = {
    "button",
    "textbox",
    "searchbox",
    "combobox",
    "checkbox",
    "tab",
    "grid",
    "image",
    "splitter",
}


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_in_light_and_dark(tmp_path: Path, varied, dark: bool) -> None:
    with browser(tmp_path, dark=dark) as tab:
        tab.open(varied[2])
        values = tab.run(
            "Object.fromEntries(['ink', 'soft', 'good', 'fair', 'bad', 'accent', 'page', 'side', 'chosen']"
            ".map(one => [one, getComputedStyle(document.documentElement).getPropertyValue('--' + one).trim()]))"
        )
        assert (luminance(values["page"]) < 0.1) is dark
        for ink in ("ink", "soft", "good", "fair", "bad", "accent"):
            for paper in ("page", "side", "chosen"):
                assert ratio(values[ink], values[paper]) >= 4.5, (ink, paper)
        tab.click("#theme")
        page = "getComputedStyle(document.documentElement).getPropertyValue('--page').trim()"
        assert (luminance(tab.run(page)) > 0.9) is dark


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_ten_thousand_runs_open_and_filter_without_a_pause(tab: Browser, tmp_path: Path) -> None:
    page = write_page(many(10_000), tmp_path / "many.html")
    tab.open(page)
    tab.run(FRAME)
    opened = tab.cpu()
    assert tab.run(ROWS) == 10_000
    assert tab.run("document.querySelectorAll('.row').length") < 60, (
        "only rows in sight are elements"
    )
    typed = []
    for words in ("a", "ad", "adam", "adam seed = 1", "lr < 0.05", ""):
        before = tab.cpu()
        tab.run(f"{TYPE}({json.dumps(words)})")
        tab.run(FRAME)
        typed.append(tab.cpu() - before)
    tab.run("document.getElementById('grid').scrollTop = 200000")
    tab.run(FRAME)
    assert tab.run("document.querySelector('.row').dataset.place") > "6000"
    # CPU seconds; measured: 0.4 to open the page, 0.02 for a key with the frame that it draws.
    assert opened < 1.5
    assert max(typed) < 0.1
