"""`freeze atlas` in text and as a page: whole, quiet towards the outside, and up to date."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from freezer.errors import SpecError
from freezer.flows.atlas.atlas import AtlasResult, atlas
from freezer.frameworks.atlas.table import packages
from freezer.output.check.atlas import show
from freezer.output.check.atlas_page import page_html

ROOT = Path(__file__).parents[3]


def printed(result: AtlasResult) -> str:
    stream = io.StringIO()
    show(result, Console(file=stream, width=200))
    return stream.getvalue()


def test_all_libraries_in_a_table() -> None:
    text = printed(atlas(None))
    for name in packages():
        assert re.search(rf"^{re.escape(name)} ", text, re.MULTILINE)
    assert f"{len(packages())} libraries" in text


def test_one_library_with_its_settings_releases_and_how_to_repeat() -> None:
    text = printed(atlas("polars"))
    assert "LazyFrame.group_by(...).agg(sum).collect()" in text
    assert "setting: collect(engine='in-memory')" in text
    assert re.search(r"DataFrame.sample\(seed=...\) +changes +between 1\.\d+", text)
    assert "repeat with `python -m benchmarks.atlas polars`" in text


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("NumPy", "numpy"),
        ("pytorch", "torch"),
        ("tensorflow", "tensorflow-cpu"),
        ("sklearn", "scikit-learn"),
        ("cv2", "opencv-python-headless"),
        ("openTSNE", "opentsne"),
        ("python-igraph", "igraph"),
    ],
)
def test_a_library_is_found_by_each_of_its_names(name: str, package: str) -> None:
    assert atlas(name).sheets[0].package == package


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "data/numpy", "numpy.json", "a" * 999]
)
def test_no_name_leads_out_of_the_atlas(name: str) -> None:
    with pytest.raises(SpecError, match="nothing was measured of"):
        atlas(name)


def test_an_unknown_library_is_an_error_that_proposes_one() -> None:
    with pytest.raises(SpecError, match="nothing was measured of 'polarz'") as error:
        atlas("polarz")
    assert "polars" in str(error.value)


def test_the_page_holds_every_row_and_asks_nothing_of_outside() -> None:
    result = atlas(None)
    page = page_html(result)
    assert page == page_html(result)
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert len(data["rows"]) == result.rows + result.streams
    assert set(data["libraries"]) == set(packages())
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"(src|href)=|https?://|innerHTML|eval\(", page)


def test_the_page_in_the_documentation_is_up_to_date() -> None:
    assert (ROOT / "docs" / "atlas.html").read_text() == page_html(atlas(None)), "run `make docs`"
