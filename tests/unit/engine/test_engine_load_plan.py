"""Which layers need not be sent, and what an archive without them looks like."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.engine import tarstream
from freezer.engine.images.load import archive, common_prefix
from freezer.engine.interface import LayerFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

chains = st.lists(st.sampled_from("abc"), max_size=5)


@given(chains, st.lists(chains, max_size=5))
def test_the_prefix_is_shared_with_one_image_and_is_the_longest(
    wanted: list[str], others: list[list[str]]
) -> None:
    length = common_prefix(wanted, others)
    assert length == 0 or any(other[:length] == wanted[:length] for other in others)
    longer = any(
        len(other) > length and other[: length + 1] == wanted[: length + 1] for other in others
    )
    assert not longer or length == len(wanted) or (length >= 4 and length >= len(wanted) - 2)


def test_no_more_images_are_looked_at_when_all_but_two_layers_are_found() -> None:
    wanted = ["base", "debian", "heavy", "middle", "light", "own"]

    def others() -> Iterator[list[str]]:
        yield wanted[:2]
        yield [*wanted[:4], "other"]
        pytest.fail("one more image was asked for")

    assert common_prefix(wanted, others()) == 4


def test_bytes_on_another_base_do_not_count() -> None:
    assert common_prefix(["base", "top"], [["other", "top"], ["top"]]) == 0


def layers(tmp_path: Path, *texts: str) -> list[LayerFile]:
    made = []
    for text in texts:
        data = text.encode() * 100
        path = tmp_path / text
        path.write_bytes(data)
        made.append(LayerFile(f"sha256:{hashlib.sha256(data).hexdigest()}", path))
    return made


def names(entries: list[tarstream.Entry]) -> list[str]:
    return [entry.header.name for entry in entries]


def test_layers_that_are_left_out_are_still_named(tmp_path: Path) -> None:
    low, high = layers(tmp_path, "low", "high")
    config = b'{"rootfs":{}}'
    entries = archive(config, [low, high], skip=1)
    file = {item.diff_id: f"{item.diff_id[7:]}.tar" for item in (low, high)}
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    assert names(entries) == [config_name, file[high.diff_id], "manifest.json"]
    with tarfile.open(fileobj=io.BytesIO(b"".join(tarstream.stream(entries)))) as whole:
        manifest = json.load(whole.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest == [
        {
            "Config": config_name,
            "RepoTags": None,
            "Layers": [file[low.diff_id], file[high.diff_id]],
        }
    ]


def test_a_layer_that_comes_twice_is_sent_once(tmp_path: Path) -> None:
    one, two = layers(tmp_path, "one", "two")
    assert len(names(archive(b"{}", [one, two, one]))) == 4
