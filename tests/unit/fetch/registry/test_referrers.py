"""What belongs to an image is found, with the referrers API and without; lies are not followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import FetchError, FreezerError, IntegrityError
from freezer.fetch.config import Config
from freezer.fetch.registry.manifest import Descriptor
from freezer.fetch.registry.push import Destination
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.referrers import Attached, attach, attached, read_artifact
from freezer.fetch.registry.repository import Repository
from freezer.model import oci
from tests.support.registry.memory_registry import INDEX, MemoryRegistry, memory_registry
from tests.support.registry.registries import Answer, as_json, sha

KIND = "application/vnd.example.thing+json"
IMAGE = oci.image_manifest(oci.describe(oci.CONFIG, b"config"), [])
SUBJECT = sha(IMAGE)
TAG = f"sha256-{SUBJECT[7:]}"


@pytest.fixture(params=[True, False], ids=["api", "tag"])
def registry(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MemoryRegistry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with memory_registry() as found:
        found.referrers = request.param
        for data in (b"config", oci.EMPTY_DATA, b"file"):
            found.blobs["a", sha(data)] = data
        yield found


def repository(registry: MemoryRegistry) -> Repository:
    return Repository(parse_reference(f"{registry.host}/a:t"), Config(), writes=True)


def artifact(name: str, kind: str = KIND, subject: bytes = IMAGE) -> bytes:
    file = oci.describe("text/plain", b"file")
    return oci.artifact_manifest(kind, [file], oci.describe(oci.MANIFEST, subject), {"name": name})


def put(registry: MemoryRegistry, data: bytes, kind: str = KIND) -> None:
    way = repository(registry)
    attach(way, Destination(way), data, kind, SUBJECT)


def names(registry: MemoryRegistry, kind: str = KIND) -> list[str]:
    return sorted(one.annotations["name"] for one in attached(repository(registry), SUBJECT, kind))


def test_nothing_belongs_to_an_image_at_first(registry: MemoryRegistry) -> None:
    assert attached(repository(registry), SUBJECT, KIND) == []


def test_what_was_attached_is_found(registry: MemoryRegistry) -> None:
    put(registry, artifact("one"))
    put(registry, artifact("two"))
    put(registry, artifact("other", "text/other"), "text/other")
    assert names(registry) == ["one", "two"]
    assert names(registry, "text/other") == ["other"]
    assert (("a", TAG) in registry.manifests) is not registry.referrers


def test_attaching_again_changes_nothing(registry: MemoryRegistry) -> None:
    put(registry, artifact("one"))
    before = dict(registry.manifests)
    put(registry, artifact("one"))
    assert registry.manifests == before
    assert names(registry) == ["one"]


def test_the_files_of_an_artifact_are_told(registry: MemoryRegistry) -> None:
    put(registry, artifact("one"))
    (one,) = attached(repository(registry), SUBJECT, KIND)
    assert read_artifact(repository(registry), one, SUBJECT) == (Descriptor(sha(b"file"), 4),)


def test_an_artifact_that_is_not_the_listed_one_is_refused(registry: MemoryRegistry) -> None:
    put(registry, artifact("one"))
    (one,) = attached(repository(registry), SUBJECT, KIND)
    registry.manifests["a", one.manifest.digest] = (oci.MANIFEST, artifact("two"))
    with pytest.raises(IntegrityError):
        read_artifact(repository(registry), one, SUBJECT)


def test_an_artifact_of_another_image_is_refused(registry: MemoryRegistry) -> None:
    data = artifact("one", subject=b"another image")
    registry.manifests["a", sha(data)] = (oci.MANIFEST, data)
    one = Attached(Descriptor(sha(data), len(data)), {})
    with pytest.raises(FreezerError, match="cannot be used") as caught:
        read_artifact(repository(registry), one, SUBJECT)
    assert "another subject" in (caught.value.found or "")


def serve(registry: MemoryRegistry, document: Any, **headers: str) -> None:
    """Have the list that the registry gives be something of the test's."""
    data = document if isinstance(document, bytes) else as_json(document)
    if registry.referrers:
        registry.instead["GET", "referrers"] = [Answer(data, 200, headers)]
    else:
        registry.manifests["a", TAG] = (INDEX, data)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        [],
        {"manifests": None},
        {"manifests": ["x", 1, {}]},
        {"manifests": [{"artifactType": KIND, "digest": "sha256:../../x", "size": 1}]},
        {"manifests": [{"artifactType": KIND, "digest": SUBJECT, "size": -1}]},
    ],
)
def test_a_list_that_makes_no_sense_is_an_empty_one(
    registry: MemoryRegistry, document: Any
) -> None:
    serve(registry, document)
    assert attached(repository(registry), SUBJECT, KIND) == []


def test_annotations_that_are_no_text_are_passed_over(registry: MemoryRegistry) -> None:
    entry = {"artifactType": KIND, "digest": SUBJECT, "size": 1, "annotations": {"a": 1, "b": "c"}}
    serve(registry, {"manifests": [entry, {**entry, "digest": sha(b"x"), "annotations": []}]})
    found = [one.annotations for one in attached(repository(registry), SUBJECT, KIND)]
    assert found == [{"b": "c"}, {}]


def test_a_long_list_comes_in_pages(registry: MemoryRegistry) -> None:
    registry.referrers = True
    put(registry, artifact("second"))
    entry = oci.describe(oci.MANIFEST, b"x", artifactType=KIND, annotations={"name": "first"})
    page = {"Link": f'</v2/a/referrers/{SUBJECT}?page=2>; rel="next"'}
    registry.instead["GET", "referrers"] = [Answer(oci.index([entry]), 200, page)]
    assert names(registry) == ["first", "second"]


def test_a_page_elsewhere_is_not_followed(registry: MemoryRegistry) -> None:
    registry.referrers = True
    page = {"Link": '<http://192.0.2.1/next>; rel="next"'}
    registry.instead["GET", "referrers"] = [Answer(oci.index([]), 200, page)]
    assert names(registry) == []


def test_pages_without_end_end(registry: MemoryRegistry) -> None:
    page = {"Link": f'</v2/a/referrers/{SUBJECT}>; rel="next"'}
    registry.instead["GET", "referrers"] = [Answer(oci.index([]), 200, page)] * 100
    assert names(registry) == []


def test_a_registry_that_does_not_keep_the_list_is_named(registry: MemoryRegistry) -> None:
    registry.referrers = False
    registry.instead["PUT", "manifests"] = [
        Answer(b"", 201) for _ in range(20)
    ]  # says yes, and does nothing
    with pytest.raises(FetchError, match="does not keep an image's list"):
        put(registry, artifact("one"))


def test_two_pushes_at_once_do_not_lose_each_others(registry: MemoryRegistry) -> None:
    registry.referrers = False
    put(registry, artifact("one"))
    # The answer to the first question was old: another push came between it and the new list.
    registry.instead["GET", "manifests"] = [Answer(b"{}", 404)]
    put(registry, artifact("two"))
    put(registry, artifact("one"))
    assert names(registry) == ["one", "two"]
    listed = json.loads(registry.manifests["a", TAG][1])
    assert len(listed["manifests"]) == 2
