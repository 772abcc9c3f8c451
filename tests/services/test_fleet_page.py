"""The page of a fleet in a real Chromium: 1,000 hosts drawn, filtered, grouped; hostile text is text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.fleet.matrix import Row
from freezer.fleet.state import Cause, State, not_checked
from freezer.flows.fleet.gather import Fleet
from freezer.model.record.verdict import Difference
from freezer.model.record.word import Word
from freezer.output.fleet.page import page
from tests.support.cluster.fleets import request
from tests.support.host.browser import CHROMIUM, Browser, browser
from tests.support.project.pages import EVIL

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
FRAME = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
NAMES = "[...document.querySelectorAll('tr.host td:first-child')].map(one => one.textContent)"
TYPE = """(words => {
  const input = document.getElementById('filter');
  input.value = words;
  input.dispatchEvent(new Event('input'));
})"""
FIRST = Difference(training="numpy", what="loss at step 2", expected="0.5", found="0.25")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as started:
        yield started
        assert started.errors == []
        assert all(one.startswith("file:") for one in started.requests)


def row(number: int) -> Row:
    facts = {"kernel": "6.6" if number % 10 == 0 else "6.1", "microcode": "0x2b"}
    name, class_ = f"node{number}", "x86-64-v4" if number % 2 else "x86-64-v3"
    if number % 50 == 1:
        gone = not_checked(Cause.DOWN, "the node is down: Not responding")
        return Row(host=name, environment="demo", state=gone)
    if number % 10 == 0:
        state = State(Word.DRIFTED, reason="numpy differs first in loss at step 2")
        return Row(host=name, environment="demo", state=state, class_=class_, fingerprint="b",
                   facts=facts, difference=FIRST)  # fmt: skip
    good = State(Word.IDENTICAL)
    return Row(
        host=name, environment="demo", state=good, class_=class_, fingerprint="a", facts=facts
    )


def written(path: Path, *rows: Row) -> Path:
    asked = request(*(one.host for one in rows))
    path.write_text(page(Fleet(request=asked, attempts=1, rows=rows)))
    return path


def test_a_thousand_hosts_are_drawn_filtered_and_grouped(tab: Browser, tmp_path: Path) -> None:
    before = tab.cpu()
    tab.open(written(tmp_path / "fleet.html", *map(row, range(1000))))
    assert len(tab.run(NAMES)) == 1000
    assert tab.cpu() - before < 2
    groups = tab.run("[...document.querySelectorAll('tr.group')].map(one => one.innerText.trim())")
    assert groups == ["demo, class x86-64-v3", "demo, class x86-64-v4", "demo, class unknown"]
    assert "kernel: 6.1 | others: 6.6" in tab.run("document.getElementById('matrix').innerText")

    tab.run(f"{TYPE}('DRIFTED node70')")
    assert tab.run(NAMES) == ["node70", "node700"]
    assert "expected 0.5, found 0.25" in tab.run("document.getElementById('hosts').innerText")
    tab.click("tr.host summary")
    tab.run(FRAME)
    assert "6.6" in tab.run("document.querySelector('tr.host dl').innerText")
    tab.run(f"{TYPE}('')")
    tab.click("#chips button:last-child")
    assert len(tab.run(NAMES)) == 20
    assert tab.run("document.getElementById('count').textContent") == "20 of 1000"
    tab.click("#chips button:last-child")
    assert len(tab.run(NAMES)) == 1000


def test_light_and_dark_are_two_colours(tab: Browser, tmp_path: Path) -> None:
    tab.open(written(tmp_path / "fleet.html", row(1)))
    colour = "getComputedStyle(document.body).backgroundColor"
    light = tab.run(colour)
    tab.click("#theme")
    dark = tab.run(colour)
    tab.click("#theme")
    assert (tab.run(colour), light != dark) == (light, True)


def test_what_hosts_wrote_is_text(tab: Browser, tmp_path: Path) -> None:
    state = State(Word.DRIFTED, reason=EVIL)
    other = FIRST.model_copy(update={"found": EVIL})
    hostile = Row(host="n1", environment="demo", state=state, class_=EVIL, fingerprint="a",
                  facts={EVIL: EVIL}, difference=other)  # fmt: skip
    tab.open(written(tmp_path / "evil.html", hostile, row(2)))
    tab.click("tr.host summary")
    tab.run(FRAME)
    assert tab.run("window.hacked") is None
    assert tab.run("document.querySelectorAll('main img, main script').length") == 0
    tab.run(f"{TYPE}({json.dumps(EVIL[:10])})")
    assert tab.run("window.hacked") is None
