"""The page of `freeze retro` in a real Chromium: nothing is loaded or run, light and dark."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from freezer.flows.review.retro import look_back
from freezer.output.governance.retro import retro_page
from tests.support.host.browser import CHROMIUM, browser
from tests.support.project.looked_back import looked_back

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("dark", [False, True])
def test_a_page_is_read_without_a_script(tmp_path: Path, dark: bool) -> None:
    page = tmp_path / "retro.html"
    page.write_text(retro_page(look_back(looked_back(tmp_path).opened, None, "2026-11-02", NOW)))
    with browser(tmp_path / "profile", dark=dark, size=(900, 1600)) as tab:
        tab.open(page)
        text = str(tab.run("document.body.innerText"))
        assert "demo generation 2" in text
        assert "still open" in text
        assert tab.run("document.querySelectorAll('img, script').length") == 0
        assert tab.run("window.hacked") is None
        background = str(tab.run("getComputedStyle(document.body).backgroundColor"))
        assert background == ("rgb(18, 22, 28)" if dark else "rgb(255, 255, 255)")
        widths = tab.run(
            "[...document.querySelectorAll('.bar rect:last-child')].map(r => r.getBoundingClientRect().width)"
        )
        assert widths[0] > widths[1] > 0
        assert tab.run("document.documentElement.scrollWidth <= innerWidth")
        tab.screenshot(tmp_path / "retro.png")
        assert tab.errors == []
        assert len(tab.requests) <= 1
