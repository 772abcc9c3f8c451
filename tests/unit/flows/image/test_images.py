"""``freeze images``: what each image takes, what they share, and how that is printed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from freezer.flows.image.bundle import Bundled
from freezer.flows.image.images import Images, chains, images
from freezer.flows.image.prune import Pruned, Unneeded
from freezer.image.layout import LOCK_LABEL
from freezer.output.image import bundle as bundle_output
from freezer.output.image import images as output
from tests.support.host.hosts import Host, make_host
from tests.support.project.locks import sha
from tests.support.registry.registries import sha as digest

BASE, HEAVY, LIGHT, OTHER = b"b" * 1000, b"h" * 500, b"l" * 20, b"o" * 30


def config(name: str, lock: str, *layers: bytes, as_of: str = "2026-11-01T00:00:00Z") -> bytes:
    labels = {
        LOCK_LABEL: sha(lock),
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.created": as_of,
    }
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        }
    ).encode()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return an engine with two images of one environment and one of another."""
    made = make_host(tmp_path, "nowhere")
    made.held.make(config("torch", "1", BASE, HEAVY, LIGHT), BASE, HEAVY, LIGHT)
    newer = config("torch", "2", BASE, HEAVY, OTHER, as_of="2026-11-20T00:00:00Z")
    made.held.make(newer, BASE, HEAVY, OTHER)
    made.held.make(config("small", "3", BASE), BASE)
    return made


def printed(show: object, *arguments: object, **more: object) -> list[str]:
    stream = io.StringIO()
    show(*arguments, Console(file=stream, width=200), **more)  # type: ignore[operator]
    return stream.getvalue().splitlines()


def test_layers_are_counted_once_and_shared_only_above_the_same_layers(host: Host) -> None:
    found = images(host.opened, None)
    sizes = {
        (one.environment, one.lock_id[0]): (one.size, one.shared, one.own) for one in found.images
    }
    assert sizes == {
        ("torch", "1"): (1520, 1500, 20),
        ("torch", "2"): (1530, 1500, 30),
        ("small", "3"): (1000, 1000, 0),
    }
    assert found.total == 1550


def test_the_newest_lock_of_an_environment_comes_first(host: Host) -> None:
    order = [(one.environment, one.as_of[:10]) for one in images(host.opened, None).images]
    assert order == [("torch", "2026-11-20"), ("torch", "2026-11-01"), ("small", "2026-11-01")]


def test_of_one_environment_only_its_own_are_counted(host: Host) -> None:
    found = images(host.opened, "small")
    assert [(one.environment, one.own) for one in found.images] == [("small", 1000)]
    assert found.total == 1000


def test_a_layer_above_others_is_another_layer() -> None:
    assert chains(["a", "b"])[0] == chains(["a", "c"])[0]
    assert chains(["a", "b"])[1] != chains(["c", "b"])[1]
    assert len(set(chains(["a", "a", "a"]))) == 3


def test_a_row_for_each_image_and_the_sum_of_all(host: Host) -> None:
    found = images(host.opened, None)
    head, first, *_, last = printed(output.show, found)
    assert head.split() == ["environment", "lock", "as", "of", "size", "shared", "own", "image"]
    assert first.split() == [
        *("torch", sha("2")[:12], "2026-11-20", "1.5", "kB", "1.5", "kB", "30", "B"),
        found.images[0].image[7:19],
    ]
    assert last == "3 images, 1.6 kB together"
    assert output.document(found) == {"images": found.images, "bytes": 1550}


def test_without_images_the_command_that_makes_one_is_named() -> None:
    assert printed(output.show, Images((), 0)) == ["no images yet; `freeze build` makes one"]


@pytest.mark.parametrize(
    ("dry", "first", "last"),
    [
        (True, "would remove", "that would free 2.0 kB"),
        (False, "removed", "that frees 2.0 kB"),
    ],
)
def test_what_is_removed_and_what_the_engine_keeps(dry: bool, first: str, last: str) -> None:
    image = f"sha256:{sha('c')}"
    done = Pruned(
        (
            Unneeded("torch, lock [1]", image, ("torch:1", "torch:old")),
            Unneeded("small", image, (), "a container runs it"),
        ),
        2000,
        dry,
    )
    assert printed(output.show_pruned, done) == [
        f"{first} torch, lock [1] {sha('c')[:12]} torch:1, torch:old",
        f"kept small {sha('c')[:12]}: a container runs it",
        last,
    ]
    assert output.pruned_document(done)["dry-run"] is dry


def test_nothing_to_remove_is_said() -> None:
    (line,) = printed(output.show_pruned, Pruned((), 0, dry=False))
    assert line == "nothing to remove: every image is of a lock or a generation"


def test_a_bundle_says_where_it_is_and_what_to_do_with_it() -> None:
    bundled = Bundled("demo", sha("a"), Path("/x/[demo].tar"), 3, 2_500_000)
    written = printed(bundle_output.show, bundled, written=True)
    assert written == [
        f"demo: bundle of lock {sha('a')[:12]} written to /x/[demo].tar (3 files, 2.5 MB)",
        "  next: freeze build --bundle FILE, on any host with an engine",
    ]
    (verified,) = printed(bundle_output.show, bundled, written=False)
    assert "complete and verified: /x/[demo].tar" in verified
    assert bundle_output.document(bundled)["bytes"] == 2_500_000
