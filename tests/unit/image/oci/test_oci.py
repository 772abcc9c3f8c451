"""An OCI layout holds what its index says, and equal images are equal files."""

import hashlib
import io
import json
import tarfile

import pytest

from freezer.engine.interface import LayerFile
from freezer.image.oci.archive import write_layout


def layers(tmp_path):
    found = []
    for number in range(2):
        path = tmp_path / str(number)
        path.write_bytes(bytes([number]) * 2000)
        found.append(LayerFile(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}", path))
    return found


def written(tmp_path):
    stream = io.BytesIO()
    return write_layout(stream, "demo:1", b'{"a": 1}', layers(tmp_path), 0), stream.getvalue()


def test_every_blob_is_what_its_name_says(tmp_path):
    manifest, data = written(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        blobs = {m.name: archive.extractfile(m).read() for m in archive.getmembers() if m.isreg()}
    for name, content in blobs.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    index = json.loads(blobs["index.json"])["manifests"][0]
    assert index["digest"] == manifest
    assert index["annotations"] == {"org.opencontainers.image.ref.name": "demo:1"}
    document = json.loads(blobs["blobs/" + manifest.replace(":", "/")])
    assert [layer["size"] for layer in document["layers"]] == [2000, 2000]
    assert blobs["blobs/" + document["config"]["digest"].replace(":", "/")] == b'{"a": 1}'
    [old] = json.loads(blobs["manifest.json"])
    assert (blobs[old["Config"]], old["RepoTags"]) == (b'{"a": 1}', ["demo:1"])
    assert [blobs[layer][:1] for layer in old["Layers"]] == [b"\0", b"\1"]


def test_equal_images_are_equal_files(tmp_path):
    assert written(tmp_path) == written(tmp_path)


def test_a_layer_without_bytes_cannot_be_written(tmp_path):
    with pytest.raises((ValueError, KeyError)):
        write_layout(io.BytesIO(), "x", b"{}", [LayerFile("sha256:" + "1" * 64, None)], 0)
