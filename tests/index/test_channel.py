"""The tests' own conda channel: the same bytes whenever it is made, and readable where served."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from pathlib import Path

import pytest

from freezer.fetch.store.store import Store
from tests.support.conda.channel import FLAVOURS, build_channel, make_records, served

pytestmark = [pytest.mark.index, pytest.mark.archive]
SOME = ("libexpat", "libblas", "pip", "python_abi", "liblbfgsb")


def test_made_again_it_is_the_same(tmp_path: Path) -> None:
    channel = build_channel(tmp_path / "channel")
    again = make_records(channel.subdir, FLAVOURS, Store.open(tmp_path / "store"), SOME)
    assert {item["fn"]: item["sha256"] for item in again} == {
        package.file: package.sha256 for package in channel.packages if package.name in SOME
    }


def test_it_is_served(tmp_path: Path) -> None:
    channel = build_channel(tmp_path / "channel")
    (package,) = channel.named("libblas=netlib")
    with served(channel.folder) as url:
        with urllib.request.urlopen(f"{url}/{package.subdir}/repodata.json") as answer:
            index = json.load(answer)["packages.conda"]
        with urllib.request.urlopen(f"{url}/{package.subdir}/{package.file}") as answer:
            data = answer.read()
    assert hashlib.sha256(data).hexdigest() == index[package.file]["sha256"] == package.sha256
    assert hashlib.md5(data).hexdigest() == package.md5


def test_it_offers_the_choice_of_a_blas(tmp_path: Path) -> None:
    channel = build_channel(tmp_path / "channel")
    builds = [p.build.rpartition("_")[2] for p in channel.packages if p.name == "liblapack"]
    assert sorted(builds) == sorted(FLAVOURS)
