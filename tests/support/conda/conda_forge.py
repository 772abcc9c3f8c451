"""Genuine records of conda-forge for tests: kept here, packed and reduced to what they ask.

``python tests/support/conda/conda_forge.py FOLDER`` makes them anew from a channel's indexes
(``FOLDER/linux-64/repodata.json``, ``FOLDER/noarch/repodata.json``): of the names in `ROOTS` and in
``data/environments``, and of all that any version of those needs, every record, whole. So a solve
has the same answer here as there. FREEZER_CONDA_SLICE names such a folder for tests to use instead.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
import zstandard

from freezer.resolve.conda.specname import spec_name

DATA = Path(__file__).parents[2] / "data"
KEPT = DATA / "conda-forge"
SUBDIRS = ("linux-64", "noarch")
SECTIONS = ("packages", "packages.conda")
ROOTS = ("cuda-version", "cudnn", "libblas", "numpy", "python", "pytorch", "scikit-learn", "scipy")


def conda_forge(folder: Path) -> Path:
    """Return a channel with genuine records as plain files, unpacked into ``folder``."""
    if elsewhere := os.environ.get("FREEZER_CONDA_SLICE"):
        return Path(elsewhere).resolve()
    for subdir in SUBDIRS:
        packed = (KEPT / subdir / "repodata.json.zst").read_bytes()
        (folder / subdir).mkdir(parents=True)
        target = folder / subdir / "repodata.json"
        target.write_bytes(zstandard.ZstdDecompressor().decompress(packed))
    return folder.resolve()


def reduce(source: Path) -> None:
    """Write what is kept, from a channel that has more."""
    indexes = {
        subdir: json.loads((source / subdir / "repodata.json").read_bytes()) for subdir in SUBDIRS
    }
    names = _reached(indexes.values(), {*ROOTS, *_named_in_environments()})
    for subdir, index in indexes.items():
        for section in SECTIONS:
            index[section] = {f: r for f, r in index[section].items() if r["name"] in names}
        text = json.dumps(index, sort_keys=True, separators=(",", ":")).encode()
        (KEPT / subdir).mkdir(parents=True, exist_ok=True)
        packed = zstandard.ZstdCompressor(level=19).compress(text)
        (KEPT / subdir / "repodata.json.zst").write_bytes(packed)


def _named_in_environments() -> Iterable[str]:
    for file in (DATA / "environments").glob("*.yml"):
        for item in yaml.safe_load(file.read_text())["dependencies"]:
            if isinstance(item, str):
                yield spec_name(item.rpartition("::")[2])


def _reached(indexes: Iterable[dict[str, Any]], roots: set[str]) -> set[str]:
    needs: dict[str, set[str]] = {}
    for index in indexes:
        for section in SECTIONS:
            for record in index[section].values():
                needs.setdefault(record["name"], set()).update(map(spec_name, record["depends"]))
    waiting, seen = list(roots), set(roots)
    while waiting:
        new = needs.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


if __name__ == "__main__":
    reduce(Path(sys.argv[1]))
