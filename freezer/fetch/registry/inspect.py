"""Inspects an image in a registry without pulling it; every document is verified.

Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.fetch.registry import manifest as documents
from freezer.fetch.registry.manifest import ACCEPTED, RemoteImage
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository

if TYPE_CHECKING:
    from freezer.fetch.config import Config

_MOST_UNNAMED = 16
"""Maximum manifests of an index that are read for their platform."""


class Registry:
    """Registries of image names, with the credentials of ``docker login``."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def resolve(self, reference: str, platform: str) -> RemoteImage:
        """Resolve an image name for ``linux/amd64`` or ``linux/arm64``.

        Every document is compared with its digest. Raises ``SpecError`` for an invalid name,
        ``ResolveError`` for an unusable image (another platform, an old format), ``FetchError``
        when the registry cannot be reached or denies access, ``IntegrityError`` when it serves
        bytes of another digest.
        """
        return describe(Repository(parse_reference(reference), self._config), reference, platform)


def describe(repository: Repository, text: str, platform: str) -> RemoteImage:
    """Return the image of a repository's name; ``text`` is that name as written.

    Raises as ``Registry.resolve``.
    """
    return _Visit(repository, text).image(platform)


class _Visit:
    """The lookup of one image in one registry."""

    def __init__(self, repository: Repository, text: str) -> None:
        self._repository = repository
        self._name = repository.name
        self._text = text

    def image(self, platform: str) -> RemoteImage:
        data = self._manifest(self._name.digest or self._name.tag)
        if self._name.digest:
            documents.require_digest(self._text, data, self._name.digest)
        document = documents.read(self._text, data)
        if documents.is_index(document):
            data = self._chosen(document, platform)
            document = documents.read(self._text, data)
            if documents.is_index(document):
                raise documents.malformed(self._text, "an index within an index")
        config = documents.descriptor(self._text, document.get("config"))
        layers = documents.layers(self._text, document)
        blob = self._config(config.digest, platform)
        manifest = documents.sha256(data)
        return documents.image(self._text, manifest, layers, config.digest, blob)

    def _chosen(self, index: dict[str, Any], platform: str) -> bytes:
        offered = documents.of_platform(self._text, index, platform)
        if offered.chosen is not None:
            return self._verified(offered.chosen)
        found = list(offered.platforms)
        for one in offered.unnamed[:_MOST_UNNAMED]:
            data = self._verified(one)
            config = documents.descriptor(
                self._text, documents.read(self._text, data).get("config")
            )
            found.append(documents.platform_of(self._text, self._blob(config.digest)))
            if found[-1] == platform:
                return data
        raise documents.wrong_platform(self._text, platform, found)

    def _verified(self, one: documents.Descriptor) -> bytes:
        data = self._manifest(one.digest)
        documents.require_digest(self._text, data, one.digest)
        return data

    def _blob(self, digest: str) -> bytes:
        data = self._repository.read(f"blobs/{digest}", self._text)
        documents.require_digest(f"the config of {self._text}", data, digest)
        return data

    def _config(self, digest: str, platform: str) -> bytes:
        data = self._blob(digest)
        found = documents.platform_of(self._text, data)
        if found != platform:
            raise documents.wrong_platform(self._text, platform, [found])
        return data

    def _manifest(self, what: str) -> bytes:
        return self._repository.read(f"manifests/{what}", self._text, ", ".join(ACCEPTED))
