"""The digest of a data set: a function of its names and bytes alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.data.entry import Member
from freezer.data.tree import EMPTY, quoted, set_digest

NAME = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6
).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(st.lists(NAME, min_size=1, max_size=3).map("/".join), max_size=12, unique=True)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def naive(tree: dict) -> str:
    """The rule of the docstring, written down as simply as possible."""
    lines = []
    for name, child in sorted(tree.items()):
        if isinstance(child, dict):
            lines.append(f"d {naive(child)} 0 {quoted(name)}\n")
        else:
            lines.append(f"{child.kind} {child.sha256} {child.size} {quoted(name)}\n")
    return sha("".join(lines))


def nested(members: list[Member]) -> dict:
    tree: dict = {}
    for member in members:
        *folders, name = member.path.split("/")
        here = tree
        for folder in folders:
            here = here.setdefault(folder, {})
        here[name] = member
    return tree


def usable(paths: list[str]) -> list[str]:
    """Leave out what would be a file and a folder at once."""
    folders = {
        "/".join(path.split("/")[:n]) for path in paths for n in range(1, path.count("/") + 1)
    }
    return [path for path in paths if path not in folders]


@given(PATHS)
def test_the_tree_is_hashed_by_its_rule(paths: list[str]) -> None:
    members = sorted(
        (Member(path, "f", len(path), sha(path)) for path in usable(paths)),
        key=lambda member: member.path.split("/"),
    )
    assert set_digest(members, single=False) == f"sha256:{naive(nested(members))}"


def test_a_known_digest_stays_what_it_is() -> None:
    members = [Member("a/x", "f", 2, sha("1\n")), Member("y", "f", 2, sha("2\n"))]
    inner = sha(f'f {sha("1" + chr(10))} 2 "x"\n')
    outer = sha(f'd {inner} 0 "a"\nf {sha("2" + chr(10))} 2 "y"\n')
    assert set_digest(members, single=False) == f"sha256:{outer}"
    assert set_digest([], single=False) == f"sha256:{EMPTY}"


def test_a_single_file_has_the_digest_that_sha256sum_prints(tmp_path: Path) -> None:
    assert set_digest([Member("a", "f", 1, sha("x"))], single=True) == f"sha256:{sha('x')}"


@pytest.mark.parametrize("name", ['a"b', "a\nf 0 0 b", "ä", "a\\", "\x7f", " "])
def test_no_name_can_pretend_to_be_two_lines(name: str) -> None:
    assert "\n" not in quoted(name)
    assert quoted(name).isascii()
    first = set_digest([Member(name, "f", 1, sha("x"))], single=False)
    assert first != set_digest([Member(f"{name}x", "f", 1, sha("x"))], single=False)
