"""The config: a function of the lock, and its ID known before any engine has seen it."""

from __future__ import annotations

import json

from freezer.image.oci.config import image_config, image_id, image_labels, intermediate_config
from tests.support.project.locks import make_lock, sha

LOCK_ID = sha("a")
LAYERS = [(f"sha256:{sha('b')}", "1 Debian package"), (f"sha256:{sha('c')}", "numpy")]


def test_same_lock_same_bytes() -> None:
    assert image_config(make_lock(), LOCK_ID, LAYERS) == image_config(make_lock(), LOCK_ID, LAYERS)


def test_every_part_of_the_lock_that_shapes_the_image_moves_the_id() -> None:
    first = image_id(image_config(make_lock(), LOCK_ID, LAYERS))
    assert first.startswith("sha256:")
    assert len(first) == 71
    others = [
        image_config(make_lock(), sha("d"), LAYERS),
        image_config(make_lock(environment={"PYTHONHASHSEED": "1"}), LOCK_ID, LAYERS),
        image_config(make_lock(as_of="2026-11-02T00:00:00Z"), LOCK_ID, LAYERS),
        image_config(make_lock(), LOCK_ID, LAYERS[:1]),
        image_config(make_lock(labels={"team": "vision"}), LOCK_ID, LAYERS),
    ]
    assert len({first, *(image_id(other) for other in others)}) == 6


def test_layers_and_history_agree_in_number() -> None:
    config = json.loads(image_config(make_lock(), LOCK_ID, LAYERS))
    assert len(config["rootfs"]["diff_ids"]) == len(config["history"]) == 3
    assert config["rootfs"]["diff_ids"][0] == make_lock().base.diff_ids[0]
    assert config["config"]["User"] == "1000:1000"
    assert config["created"] == "2026-11-01T00:00:00Z"


def test_the_users_labels_cannot_replace_freezers() -> None:
    labels = image_labels(make_lock(labels={"org.freezer.lock-id": "x", "team": "y"}), LOCK_ID)
    assert labels["org.freezer.lock-id"] == LOCK_ID
    assert labels["team"] == "y"


def test_intermediate_images_have_no_settings() -> None:
    config = json.loads(intermediate_config(make_lock(), LAYERS))
    assert "User" not in config["config"]
    assert config["config"]["Env"] == []
