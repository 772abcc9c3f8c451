"""Links and paths in the documentation lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.architecture import FLOORS

ROOT = Path(__file__).parents[3]
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"`((?:freezer|tests|scripts|templates|docs|images|requirements)/[\w./-]+)`")
"""A file or folder of this repository, named in prose."""

EXAMPLE = re.compile(r"ENV|/my-")
SCHEMA = re.compile(r"/\d+$")
"""A schema's name, such as ``freezer/lock/1``."""


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.replace(" ", "-") for head in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(CODE.sub("", page.read_text())):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    """From docs/README.md each page can be reached by links."""
    index = ROOT / "docs" / "README.md"
    reached, queue = {index}, [index]
    while queue:
        page = queue.pop()
        for link in LINK.findall(page.read_text()):
            file = (page.parent / link.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.is_file() and file not in reached:
                reached.add(file)
                queue.append(file)
    assert set(PAGES) - reached - {ROOT / "README.md"} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_of_the_repository_exist(page: Path) -> None:
    text = page.read_text()
    if page.parent.name == "contributing":  # they name what is to be made
        text = "\n".join(line for line in text.splitlines() if "(new" not in line)
        text = re.sub(r".*/lowest/.*|.*packages\.py.*", "", text)
    named = {
        path for path in PATH.findall(text) if not EXAMPLE.search(path) and not SCHEMA.search(path)
    }
    named -= {f"freezer/{name}" for names in FLOORS for name in names}
    assert {path for path in named if not (ROOT / path).exists()} == set()
