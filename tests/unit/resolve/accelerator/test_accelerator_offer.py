"""Reading what indexes offer of CUDA, from folders of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import Indexes
from freezer.fetch.store.store import Store
from freezer.resolve.accelerator.available import (
    offered_torch,
    read_requirements,
    toolkit_requirements,
)
from tests.support.python.accelerators import toolkit_wheel

AS_OF = "2026-11-01T00:00:00Z"


class Listed(PythonIndex):
    """An index whose pages are folders."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Indexes(index_url=folder.as_uri()))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def page(folder: Path, project: str, **files: bytes) -> None:
    """An HTML page of a project; the wheels lie beside it, with their hashes."""
    (folder / project).mkdir(parents=True)
    rows = []
    for version, data in files.items():
        name = f"{project.replace('-', '_')}-{version[1:].replace('_', '.')}-py3-none-any.whl"
        (folder / project / name).write_bytes(data)
        rows.append(f'<a href="{name}#sha256={hashlib.sha256(data).hexdigest()}">{name}</a>')
    (folder / project / "index.html").write_text("\n".join(rows))


def test_each_toolkit_of_one_cuda_is_read_once(tmp_path: Path, store: Store) -> None:
    one, two = toolkit_wheel("nvidia-cublas==1.*"), toolkit_wheel("nvidia-cublas==2.*", "b")
    page(tmp_path, "cuda-toolkit", v13_0_1=one, v13_0_2=two, v13_1_0=one, v1_3_0=one)
    found = toolkit_requirements(Listed(tmp_path), "13.0", AS_OF, store)
    assert sorted(found) == [("nvidia-cublas==1.*",), ("nvidia-cublas==2.*", "b")]
    for wheel in (tmp_path / "cuda-toolkit").glob("*.whl"):
        wheel.unlink()
    assert sorted(toolkit_requirements(Listed(tmp_path), "13.0", AS_OF, store)) == sorted(found)


def test_no_index_no_rules(tmp_path: Path, store: Store) -> None:
    class Down(PythonIndex):
        def files(self, project: str):  # type: ignore[no-untyped-def]
            raise FetchError(f"no way to {project}")

    nowhere = Down(Indexes(index_url=None))
    assert toolkit_requirements(nowhere, "13.0", AS_OF, store) == []
    assert offered_torch(nowhere, AS_OF) == []


def test_a_spoiled_toolkit_is_refused(tmp_path: Path, store: Store) -> None:
    page(tmp_path, "cuda-toolkit", v13_0_1=toolkit_wheel("nvidia-cublas==1.*"))
    next((tmp_path / "cuda-toolkit").glob("*.whl")).write_bytes(toolkit_wheel("evil==1"))
    with pytest.raises(IntegrityError, match="does not match its hash in the index"):
        toolkit_requirements(Listed(tmp_path), "13.0", AS_OF, store)


def test_what_is_no_wheel_is_refused() -> None:
    for data in (b"", b"PK\x03\x04 nothing", toolkit_wheel("a")[:-30]):
        with pytest.raises(IntegrityError, match="not a readable wheel"):
            read_requirements(data, "cuda_toolkit-1-py3-none-any.whl")


def test_versions_of_torch_with_their_local_builds(tmp_path: Path) -> None:
    page(tmp_path, "torch", v2_8_0=b"x")
    local = "torch-2.8.0+cu128-cp311-cp311-linux_x86_64.whl"
    html = tmp_path / "torch" / "index.html"
    html.write_text(html.read_text() + f'<a href="{local}">{local}</a>')
    assert offered_torch(Listed(tmp_path), AS_OF) == ["2.8.0", "2.8.0+cu128"]


def test_builds_that_only_a_folder_of_links_has_are_offered_too(tmp_path: Path) -> None:
    """A CPU build in such a folder goes before the index's own by its version; it must be seen."""
    page(tmp_path / "index", "torch", v2_8_0=b"x")
    links = tmp_path / "links"
    links.mkdir()
    for name in ("torch-2.8.0+cpu-cp311-cp311-linux_x86_64.whl", "torchvision-1-py3-none-any.whl"):
        (links / name).write_bytes(b"")
    gone = (tmp_path / "gone").as_uri()
    where = Indexes((tmp_path / "index").as_uri(), find_links=(gone, links.as_uri()))
    assert offered_torch(PythonIndex(where), AS_OF) == ["2.8.0", "2.8.0+cpu"]
