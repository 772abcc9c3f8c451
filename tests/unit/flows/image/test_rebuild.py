"""Where a second build differs, the layer and the file are named."""

import hashlib
import io
import tarfile

import pytest

from freezer.engine.interface import LayerFile
from freezer.flows.image.rebuild import _layers
from freezer.image.assemble.parts import Parts
from freezer.image.layers.order import Layer


def parts(tmp_path, name, mtime, title="numpy", form="file{:02}"):
    path = tmp_path / name
    with tarfile.open(path, "w") as archive:
        for number in range(30):
            info = tarfile.TarInfo(form.format(number))
            info.mtime = mtime
            archive.addfile(info, io.BytesIO())
    diff_id = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return Parts((), (Layer(LayerFile(diff_id, path), title, 1),), {})


def test_equal_layers_say_nothing(tmp_path):
    assert list(_layers(parts(tmp_path, "a", 1), parts(tmp_path, "b", 1))) == []


def test_a_layer_that_differs_is_named_with_its_files_and_not_all_of_them(tmp_path):
    said = list(_layers(parts(tmp_path, "a", 1), parts(tmp_path, "b", 2)))
    assert said[0].startswith("layer 'numpy': ")
    assert said[1] == "  file00: time 2, was 1 (made by assembly on the host)"
    assert said[-1] == "  and 10 more"


@pytest.mark.parametrize(
    ("title", "form", "maker"),
    [
        ("numpy", "{:02}.cpython-311.pyc", "byte compilation"),
        ("Debian packages", "usr/{:02}.pyc", "the step that installs Debian packages"),
        ("The spec's own steps", "opt/{:02}", "the spec's own steps"),
    ],
)
def test_the_step_that_made_it_is_named(tmp_path, title, form, maker):
    first, second = (
        parts(tmp_path, name, mtime, title, form) for name, mtime in (("a", 1), ("b", 2))
    )
    assert list(_layers(first, second))[1].endswith(f"was 1 (made by {maker})")
