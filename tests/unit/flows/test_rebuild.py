"""Where a second build differs, the layer and the file are named."""

import hashlib
import io
import tarfile

from freezer.engine.interface import LayerFile
from freezer.flows.rebuild import _layers
from freezer.image.layers import Layer
from freezer.image.parts import Parts


def parts(tmp_path, name, mtime):
    path = tmp_path / name
    with tarfile.open(path, "w") as archive:
        for number in range(30):
            info = tarfile.TarInfo(f"file{number:02}")
            info.mtime = mtime
            archive.addfile(info, io.BytesIO())
    diff_id = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return Parts((), (Layer(LayerFile(diff_id, path), "numpy", 1),), {})


def test_equal_layers_say_nothing(tmp_path):
    assert list(_layers(parts(tmp_path, "a", 1), parts(tmp_path, "b", 1))) == []


def test_a_layer_that_differs_is_named_with_its_files_and_not_all_of_them(tmp_path):
    said = list(_layers(parts(tmp_path, "a", 1), parts(tmp_path, "b", 2)))
    assert said[0].startswith("layer 'numpy': ")
    assert said[1] == "  file00: time 2, was 1"
    assert said[-1] == "  and 10 more"
