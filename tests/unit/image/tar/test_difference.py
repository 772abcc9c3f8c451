"""Two layers that should be equal: every way in which they may differ is named."""

import io
import tarfile

import pytest

from freezer.image.tar.difference import differences


def layer(path, *members):
    with tarfile.open(path, "w") as archive:
        for name, data, attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return path


BASE = (("a", b"one", {}), ("b", b"two", {"mode": 0o755}))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ((("a", b"uno", {}), BASE[1]), ["a: content sha256"]),
        ((("a", b"one", {"mtime": 9}), BASE[1]), ["a: time 9, was 0"]),
        ((("a", b"one", {"uid": 5}), BASE[1]), ["a: owner 5:0, was 0:0"]),
        ((BASE[0], ("b", b"two", {"mode": 0o700})), ["b: mode 700, was 755"]),
        ((BASE[0],), ["b: missing"]),
        ((*BASE, ("c", b"", {})), ["c: added"]),
        (
            (BASE[0], ("b", b"", {"type": tarfile.SYMTYPE, "linkname": "a"})),
            ["b: kind symbolic link, was file"],
        ),
        ((BASE[1], BASE[0]), ["the order of members, from a on"]),
        (BASE, []),
    ],
)
def test_what_differs_is_named(tmp_path, changed, said):
    found = list(differences(layer(tmp_path / "1", *BASE), layer(tmp_path / "2", *changed)))
    assert len(found) == len(said)
    assert all(one.startswith(start) for one, start in zip(found, said, strict=True)), found
