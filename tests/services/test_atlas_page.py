"""The page of the atlas in a real Chromium: searched, filtered, opened; nothing is asked of outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.flows.atlas.atlas import atlas
from freezer.output.check.atlas_page import page_html
from tests.support.host.browser import CHROMIUM, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
ROWS = "document.querySelectorAll('tr.row').length"
SEARCH = """(words => {
  const input = document.getElementById('search');
  input.value = words;
  input.dispatchEvent(new Event('input'));
})"""


@pytest.mark.process
def test_rows_are_found_and_opened(tmp_path: Path) -> None:
    result = atlas(None)
    page = tmp_path / "atlas.html"
    page.write_text(page_html(result))
    with browser(tmp_path / "profile") as tab:
        tab.open(page)
        assert tab.run(ROWS) == result.rows + result.streams
        tab.run(f"{SEARCH}('polars lazyframe varies')")
        assert 0 < tab.run(ROWS) < 12
        assert "POLARS" not in tab.run("document.getElementById('count').textContent")
        tab.click("tr.row .operation")
        assert "python -m benchmarks.atlas polars" in tab.run(
            "document.querySelector('.more').innerText"
        )
        tab.run("document.activeElement.blur()")
        tab.click("#effects input[value=varies]")
        assert tab.run(ROWS) == 0
        assert tab.run("document.getElementById('empty').hidden") is False
        before = tab.run("getComputedStyle(document.body).backgroundColor")
        tab.click("#theme")
        assert tab.run("getComputedStyle(document.body).backgroundColor") != before
        assert tab.errors == []
        assert len(tab.requests) == 1, "a page asks for nothing but itself"
