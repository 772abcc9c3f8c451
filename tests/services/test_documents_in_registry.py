"""Documents and signatures of an image in Debian's registry, which has no referrers API."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from freezer.check.reference import write_reference
from freezer.errors import FreezerError
from freezer.flows.attest.image import sign_image, verify_image
from freezer.flows.attest.pull import pull
from freezer.flows.attest.push import push
from freezer.flows.governance.attest import sign_lock
from freezer.flows.governance.key_files import Password
from freezer.flows.image.config_cache import keep_config
from freezer.model.lockfile import LOCK_FILE
from tests.support.host.hosts import (
    BASE,
    CONFIG,
    ID,
    LIGHT,
    LOCK,
    SYSTEM,
    Host,
    make_host,
    reference,
)
from tests.support.registry.registries import real_registry, sha
from tests.support.signatures.keys import key_pair

pytestmark = pytest.mark.skipif(
    shutil.which("docker-registry") is None, reason="docker-registry is not installed"
)
MEDIA = "application/vnd.dev.sigstore.bundle.v0.3+json"
NOBODY = Password()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with real_registry(tmp_path) as address:
        host = make_host(tmp_path / "home", address)
        host.references.mkdir(parents=True)
        (host.references / LOCK_FILE).write_bytes(LOCK)
        image = host.held.make(CONFIG, BASE, SYSTEM, LIGHT)
        keep_config(host.opened.store, image, CONFIG)
        host.opened.store.put_memo("verified-image", ID, image.id)
        write_reference(host.references, reference())
        yield host


def index(host: Host, name: str) -> dict[str, Any]:
    """Return the list of artifacts, as any client of the registry reads it."""
    url = f"http://{host.address}/v2/team/demo/manifests/sha256-{name[-64:]}"
    headers = {"Accept": "application/vnd.oci.image.index.v1+json"}
    found: dict[str, Any] = requests.get(url, headers=headers, timeout=60).json()
    return found


def test_documents_and_signatures_go_to_a_registry_and_come_back(
    home: Host, tmp_path: Path
) -> None:
    secret, shared = key_pair(tmp_path, "team", "ecdsa")
    stored = sign_lock(home.opened, "demo", secret).path.read_bytes()
    done = push(home.opened, None, f"{home.address}/team/demo:v1")
    name = done.image.name
    assert (len(done.documents), done.sent) == (3, 3)
    assert sign_image(home.opened, name, secret, NOBODY).fresh

    listed = index(home, name)
    kinds = sorted(one["artifactType"] for one in listed["manifests"])
    assert kinds == sorted(
        [
            "application/vnd.cyclonedx+json", "application/spdx+json", MEDIA, MEDIA,
            "application/vnd.freezer.reference.v1",
        ]
    )  # fmt: skip
    assert push(home.opened, None, f"{home.address}/team/demo:v1").sent == 0
    assert not sign_image(home.opened, name, secret, NOBODY).fresh
    assert index(home, name) == listed

    away = make_host(tmp_path / "away", home.address)
    away.held.files[sha(CONFIG)] = LOCK
    pulled = pull(away.opened, name, tmp_path / "documents")
    assert stored in {one.data for one in pulled.documents}
    assert len(list((tmp_path / "documents").iterdir())) == 4
    found = verify_image(away.opened, name, [shared])
    assert found.good
    assert len(found.statements) == 2
    _, stranger = key_pair(tmp_path, "stranger")
    assert not verify_image(away.opened, name, [stranger]).good


def test_a_changed_byte_on_the_registrys_disk_is_found(home: Host, tmp_path: Path) -> None:
    secret, shared = key_pair(tmp_path)
    name = push(home.opened, None, f"{home.address}/team/demo:v1").image.name
    sign_image(home.opened, name, secret, NOBODY)
    assert verify_image(home.opened, name, [shared]).good
    blobs = [path for path in (tmp_path / "registry").rglob("data") if path.is_file()]
    (bundle,) = [path for path in blobs if b'"dsseEnvelope"' in path.read_bytes()]
    document = json.loads(bundle.read_bytes())
    document["verificationMaterial"]["publicKey"]["hint"] = "another"
    bundle.write_text(json.dumps(document))
    with_other_bytes = verify_image(home.opened, name, [shared])
    assert not with_other_bytes.good
    assert "another digest" in str(with_other_bytes.statements[0].problem)
    with pytest.raises(FreezerError, match="has no"):
        verify_image(home.opened, f"{name[:-64]}{'0' * 64}", [shared])
