"""What two images must have in common to have one inventory: all that could be a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freezer.engine.interface import LayerFile
from freezer.fetch.store.store import Store
from freezer.image.assemble.inventory_key import inventory_key
from freezer.image.assemble.parts import Parts
from freezer.image.layers.order import Layer, write_layer
from freezer.image.tar.canonical import Entry
from freezer.image.wheel.chunks import Chunk, data_chunk
from freezer.model.lock import Steps
from tests.support.project.locks import make_lock

if TYPE_CHECKING:
    from pathlib import Path

SITE = "opt/env/lib/python3.11/site-packages"
LIBRARY = {f"{SITE}/numpy/core.so": "ELF"}
MODULE = {f"{SITE}/six.py": "x = 1", f"{SITE}/six-1.dist-info/RECORD": "six.py"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def chunk(store: Store, files: dict[str, str]) -> Chunk:
    members = {
        path: (Entry(path, "file", 0o644, len(text)), text.encode()) for path, text in files.items()
    }
    return data_chunk("a package", members, 1, store)


def asked(
    store: Store, *packages: dict[str, str], own: str = "1", system: str = "b", **lock: Any
) -> str | None:
    layers = [write_layer("some", [chunk(store, files)], store) for files in packages]
    own_layer = write_layer("own", [chunk(store, {"opt/freezer/lock": own})], store)
    below = Layer(LayerFile(f"sha256:{system * 64}", None), "Debian", 1)
    base = (LayerFile("sha256:" + "a" * 64, None),)
    return inventory_key(make_lock(**lock), Parts(base, (below, *layers, own_layer), {}), store)


def test_modules_and_the_lock_itself_do_not_matter(store: Store) -> None:
    first = asked(store, LIBRARY, MODULE)
    assert first is not None
    assert asked(store, LIBRARY, {**MODULE, f"{SITE}/six.py": "x = 2"}) == first
    assert asked(store, LIBRARY) == first
    assert asked(store, LIBRARY, MODULE, own="2") == first
    script = {"opt/env/bin/six": "#!/opt/env/bin/python"}
    assert asked(store, LIBRARY, {**MODULE, **script}) == first


@pytest.mark.parametrize(
    "other",
    [
        {f"{SITE}/six/_fast.cpython-311-x86_64-linux-gnu.so": "ELF"},
        {f"{SITE}/six.libs/libgomp.so.1": "ELF"},
        {"opt/env/bin/six": "ELF" * 1000},
        {f"{SITE}/six/plugin": "ELF"},
    ],
    ids=["extension", "bundled", "program", "no suffix"],
)
def test_whatever_may_be_a_library_matters(store: Store, other: dict[str, str]) -> None:
    assert asked(store, LIBRARY, {**MODULE, **other}) != asked(store, LIBRARY, MODULE)


def test_all_of_a_package_with_a_library_matters(store: Store) -> None:
    """The version that an inventory tells is in the name of a folder."""
    newer = {**LIBRARY, f"{SITE}/numpy-2.dist-info/RECORD": "core.so"}
    assert asked(store, newer) != asked(store, LIBRARY)


def test_what_lies_below_and_around_matters(store: Store) -> None:
    first = asked(store, LIBRARY)
    assert asked(store, LIBRARY, system="c") != first
    assert asked(store, LIBRARY, environment={"LD_LIBRARY_PATH": "/usr/local/lib"}) != first


def test_after_steps_of_ones_own_nothing_is_known(store: Store) -> None:
    assert asked(store, LIBRARY, steps=Steps(run=("make",), files=())) is None
