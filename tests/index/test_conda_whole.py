"""A whole environment of real packages: linked twice alike, and as rattler links it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.conda.channel import Channel, build_channel
from tests.support.conda.condapackages import EPOCH, LAYOUT, Shop
from tests.support.conda.rattler_install import rattler_prefix

pytestmark = [pytest.mark.index, pytest.mark.archive]
OTHERS = ("libblas=netlib", "liblapack=netlib", "blas=netlib", "blas=openblas")


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Channel:
    return build_channel(tmp_path_factory.mktemp("real") / "channel")


def test_the_prefix_is_rattlers_and_the_same_in_every_run(channel: Channel, tmp_path: Path) -> None:
    others = channel.named(*OTHERS)
    packages = [package for package in channel.packages if package not in others]
    shops = [Shop(tmp_path / "here"), Shop(tmp_path / "there")]
    for shop in shops:
        for package in packages:
            shop.store.put_file(channel.path(package), sha256=package.sha256)
    first, again = (shop.link(*packages) for shop in shops)
    assert first == again
    own = {
        member.name.removeprefix("opt/env/"): (bool(member.mode & 0o100), data)
        for chunk in first
        for member, data in shops[0].members(chunk)
        if not member.name.startswith("opt/env/conda-meta/")
    }
    delivered = [(package, channel.path(package)) for package in packages]
    theirs = rattler_prefix(delivered, tmp_path / "rattler", LAYOUT.prefix)
    assert own.keys() == theirs.keys()
    assert [path for path in own if own[path] != theirs[path]] == []
    assert len(own) > 4000
    assert {chunk.moment for chunk in first} == {min(EPOCH, 1768435200)}
