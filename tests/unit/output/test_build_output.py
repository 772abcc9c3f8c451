"""What a build says: the image by its ID, its layers, and the base that it stands on."""

import io

from rich.console import Console

from freezer.flows.image.build import Built
from freezer.flows.image.rebuild import Rebuilt
from freezer.flows.project.environment import Locked
from freezer.output.image.build import document, rebuilt_document, show, show_rebuilt
from tests.support.project.locks import make_lock

IMAGE, OTHER, LAYER = (f"sha256:{digit * 64}" for digit in "abc")


def built(tmp_path, **changes):
    lock = make_lock()
    values = {
        "locked": Locked(lock, "d" * 64, tmp_path),
        "image": IMAGE,
        "tags": ("demo:1", "demo:latest"),
        "fresh": True,
        "size": 5_000_000,
        "seconds": 2.0,
        "layers": (("numpy", LAYER, 4_000_000),),
    }
    return Built(**{**values, **changes})


def said(shown, value):
    console = Console(file=io.StringIO(), width=80)
    shown(value, console)
    return console.file.getvalue()


def test_a_build_tells_the_image_its_layers_and_its_base(tmp_path):
    done = built(tmp_path)
    base = done.locked.lock.base
    lines = said(show, done).splitlines()
    assert lines[0].split() == ["numpy", "4.0", "MB", "c" * 12]
    assert lines[1:] == [
        f"demo: image {IMAGE}",
        "  5.0 MB, 1 Debian package, 1 Python package, every file as locked (2 s)",
        f"  on the base {base.config}, layer {base.diff_ids[0]}",
        "  tagged demo:1 and demo:latest",
    ]
    facts = document(done)
    assert facts["base"] == {"config": base.config, "diff-ids": list(base.diff_ids)}
    assert (facts["image"], facts["layers"][0]["diff-id"]) == (IMAGE, LAYER)


def test_a_build_with_nothing_to_do_says_so(tmp_path):
    done = built(tmp_path, fresh=False, layers=())
    assert said(show, done) == f"demo: nothing changed, image {IMAGE} is there and verified\n"


def test_a_second_build_tells_where_it_differs(tmp_path):
    done = Rebuilt(built(tmp_path), OTHER, ("layer 'numpy': 1, was 2", "  a: time 2, was 1"))
    text = said(show_rebuilt, done)
    assert text.splitlines()[:2] == ["  layer 'numpy': 1, was 2", "    a: time 2, was 1"]
    assert f"the image is {OTHER}, not {IMAGE}" in text
    facts = rebuilt_document(done)
    assert (facts["same"], facts["rebuilt"]) == (False, OTHER)
    same = Rebuilt(built(tmp_path), IMAGE, ())
    assert "the image is the same" in said(show_rebuilt, same)
