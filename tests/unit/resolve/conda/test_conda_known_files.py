"""What well-known repositories ask conda for: every file parses whole.

Some ask pip for what cannot be locked (``-e .``); that is pip's to refuse, each with its line.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from freezer.model.spec.spec import CondaSpec
from freezer.resolve.conda.environment import gather_conda

FOLDER = Path(__file__).parents[3] / "data" / "environments"
FILES = sorted(FOLDER.glob("*.yml"))


def test_there_are_a_dozen() -> None:
    assert len(FILES) >= 12


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_entry_is_read_with_its_line(file: Path) -> None:
    document = yaml.safe_load(file.read_text())
    lines = file.read_text().splitlines()
    found = gather_conda(FOLDER, CondaSpec(file=file.name), "3.11")
    plain = [item for item in document["dependencies"] if isinstance(item, str)]
    pip = [
        line for item in document["dependencies"] if isinstance(item, dict) for line in item["pip"]
    ]

    assert len(found.specs) == len(plain) + 1
    for asked, text in zip(found.specs[1:], plain, strict=True):
        assert asked.where.line is not None
        assert lines[asked.where.line - 1].strip() == f"- {text}"
        written = text.replace(" ", "")
        assert written == (f"{asked.channel}::{asked.text}" if "::" in text else asked.text)

    assert [text for text, _ in found.pip] == pip
    for text, where in found.pip:
        assert where.line is not None
        assert lines[where.line - 1].strip() == f"- {text}"
    assert found.warnings == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_channel_is_known(file: Path) -> None:
    written = yaml.safe_load(file.read_text())["channels"]
    names = [name for text in written for name in (["main", "r"] if text == "defaults" else [text])]
    found = gather_conda(FOLDER, CondaSpec(file=file.name), "3.11")
    assert [channel.name for channel in found.channels] == names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_conda_lock_reads_the_same(file: Path) -> None:
    """Held against conda-lock's own reader of these files."""
    from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module

    common = conda_lock_module("src_parser.conda_common")
    found = gather_conda(FOLDER, CondaSpec(file=file.name), "3.11")
    plain = [
        item for item in yaml.safe_load(file.read_text())["dependencies"] if isinstance(item, str)
    ]
    for asked, text in zip(found.specs[1:], plain, strict=True):
        theirs = common.conda_spec_to_versioned_dep(text, "main")
        mine = common.conda_spec_to_versioned_dep(asked.text, "main")
        assert (mine.name, mine.version, mine.build) == (theirs.name, theirs.version, theirs.build)
        assert theirs.conda_channel in (None, asked.channel)
