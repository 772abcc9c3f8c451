"""Artifacts of an image in its registry, whose ``subject`` is its manifest.

For registries without the referrers API they are listed under the tag ``sha256-…``:
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from freezer.errors import FetchError, FreezerError
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.http.url import join_url
from freezer.fetch.registry import manifest as documents
from freezer.fetch.registry.body import body_of
from freezer.fetch.registry.repository import LARGEST
from freezer.model import oci
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fetch.registry.manifest import Descriptor
    from freezer.fetch.registry.push import Destination
    from freezer.fetch.registry.repository import Repository

_MOST_PAGES = 20
_ATTEMPTS = 5


@dataclass(frozen=True)
class Attached:
    """An artifact that belongs to an image."""

    manifest: Descriptor
    annotations: Mapping[str, str]
    kind: str = ""
    """Its artifact type, as the list has it."""


def attached(repository: Repository, subject: str, kind: str | None) -> list[Attached]:
    """Return the artifacts of a type, or of all, that belong to the manifest ``subject``.

    The list is unverified until the artifacts are fetched. Raises ``FetchError``.
    """
    entries = _from_api(repository, subject, kind)
    if entries is None:
        entries = _entries(_list(repository, subject))
    found: dict[str, Attached] = {}
    for entry in entries:
        if isinstance(entry, dict) and kind in (None, entry.get("artifactType")):
            one = _attached(entry)
            if one is not None:
                found[one.manifest.digest] = one
    return list(found.values())


def read_artifact(repository: Repository, one: Attached, subject: str) -> tuple[Descriptor, ...]:
    """Return the files of an artifact.

    Raises ``FreezerError`` when it does not match the list, or belongs to another subject.
    """
    what = f"artifact {one.manifest.digest}"
    data = repository.read(f"manifests/{one.manifest.digest}", what, oci.MANIFEST)
    documents.require_digest(what, data, one.manifest.digest)
    document = documents.read(what, data)
    if documents.descriptor(what, document.get("subject")).digest != subject:
        raise documents.malformed(what, f"another subject than {subject}")
    return documents.layers(what, document)


def attach(
    repository: Repository, destination: Destination, artifact: bytes, kind: str, subject: str
) -> None:
    """Upload an artifact and list it. Its files must exist. Raises ``FetchError``."""
    if destination.put_manifest(artifact, oci.MANIFEST):
        return
    annotations = json.loads(artifact).get("annotations", {})
    entry = oci.describe(oci.MANIFEST, artifact, artifactType=kind, annotations=annotations)
    for _ in range(_ATTEMPTS):
        entries = _entries(_list(repository, subject))
        if any(isinstance(one, dict) and one.get("digest") == entry["digest"] for one in entries):
            return
        # Another push may run at the same time: the final state decides.
        destination.put_manifest(oci.index([*entries, entry]), oci.INDEX, _tag(subject))
    raise FetchError(
        f"the registry {repository.name.registry} does not keep an image's list of artifacts",
        found=f"tag {_tag(subject)} without what was put there",
        hint="try again later; another push may have been quicker each time",
    )


def _from_api(repository: Repository, subject: str, kind: str | None) -> list[Any] | None:
    """Return the registry's list; None when it has no such API."""
    wanted = f"?artifactType={quote(kind, safe='')}" if kind else ""
    url = repository.address(f"referrers/{subject}{wanted}")
    entries: list[Any] = []
    for _ in range(_MOST_PAGES):
        with repository.request("GET", url, headers={"Accept": oci.INDEX}) as response:
            if 400 <= response.status_code < 500 and response.status_code != 429:
                return None
            repository.require_success(response, f"what belongs to {subject}")
            document = _parse(body_of(url, response, LARGEST))
            if document is None:
                return None
            entries += _entries(document)
            following = response.links.get("next", {}).get("url")
        if not following or not repository.is_own(join_url(url, following)):
            break
        url = join_url(url, following)
    return entries


def _list(repository: Repository, subject: str) -> dict[str, Any]:
    try:
        data = repository.read(f"manifests/{_tag(subject)}", "that list", oci.INDEX)
    except NotFoundError:
        return {}
    return _parse(data) or {}


def _parse(data: bytes) -> dict[str, Any] | None:
    try:
        document = parse_json(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) and "manifests" in document else None


def _entries(document: Mapping[str, Any]) -> list[Any]:
    entries = document.get("manifests")
    return entries if isinstance(entries, list) else []


def _attached(entry: dict[str, Any]) -> Attached | None:
    noted = entry.get("annotations")
    pairs = noted.items() if isinstance(noted, dict) else ()
    annotations = {key: value for key, value in pairs if isinstance(value, str)}
    try:
        manifest = documents.descriptor("an artifact", entry)
        return Attached(manifest, annotations, str(entry.get("artifactType") or ""))
    except FreezerError:
        return None  # a malformed entry of others must not hide the rest


def _tag(subject: str) -> str:
    return subject.replace(":", "-", 1)
