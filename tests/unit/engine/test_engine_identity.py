"""An image is called by its config's digest, also where the engine calls it by its manifest's."""

import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.images import identity
from freezer.engine.images.images import parse

CONFIG, MANIFEST, OTHER = (f"sha256:{digit * 64}" for digit in "123")
TAG = f"freezer-id:{'1' * 64}"
CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]]


def test_only_a_store_that_names_by_manifest_is_told_the_id(info):
    assert identity.id_tag(info(containerd_store=True), CONFIG) == TAG
    assert identity.id_tag(info(), CONFIG) is None
    assert identity.id_tag(info(containerd_store=True), "demo:latest") is None


def test_the_tag_is_read_as_the_id_and_not_shown():
    image = parse({"Id": MANIFEST, "RepoTags": ["demo:latest", TAG]})
    assert (image.id, image.tags) == (CONFIG, ("demo:latest",))
    assert parse({"Id": MANIFEST, "RepoTags": ["freezer-id:latest"]}).id == MANIFEST


@pytest.fixture
def store(fake):
    """Return an engine with containerd's store, which holds one image under two names."""
    fake.answers[("GET", "/info")] = (200, {"ID": "x", "DriverStatus": CONTAINERD})
    held = {"Id": MANIFEST, "RepoTags": ["demo:latest", TAG], "RootFS": {"Layers": []}}
    fake.answers[("GET", f"/images/{TAG}/json")] = (200, held)
    fake.answers[("GET", "/images/demo:latest/json")] = (200, held)
    fake.answers[("GET", f"/images/{CONFIG}/json")] = (404, {"message": "no"})
    fake.answers[("GET", f"/images/freezer-id:{'3' * 64}/json")] = (404, {"message": "no"})
    fake.answers[("GET", f"/images/{OTHER}/json")] = (200, {"Id": OTHER})
    for name in ("demo:latest", TAG):
        fake.answers[("DELETE", f"/images/{name}")] = (200, [])
    engine = connect(fake.address)
    yield engine
    engine.close()


def test_it_is_found_by_its_id_and_others_by_theirs(store):
    assert store.image(CONFIG).id == CONFIG
    assert store.image("demo:latest").id == CONFIG
    assert store.image(OTHER).id == OTHER


def test_with_its_last_tag_an_image_goes(store, fake):
    store.remove_image("demo:latest")
    gone = [line for line in fake.asked if line.startswith("DELETE")]
    assert [line.rpartition("/images/")[2] for line in gone] == ["demo:latest", TAG]


def test_removing_by_id_takes_the_tag_that_says_it(store, fake):
    store.remove_image(CONFIG)
    gone = [line for line in fake.asked if line.startswith("DELETE")]
    assert [line.rpartition("/images/")[2] for line in gone] == [TAG]
