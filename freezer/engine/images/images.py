"""Images in the engine: look up, list, tag, remove, pull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.engine.images import identity
from freezer.engine.interface import ImageInfo
from freezer.engine.responses import items, mapping, number, text, texts
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from freezer.engine.link import Link
    from freezer.model.events import Reporter, Task


def inspect(link: Link, reference: str) -> ImageInfo | None:
    """Return an image by ID, tag or ``name@digest``; None when the engine does not have it."""
    found = _inspected(link, reference)
    if found is not None:
        link.chains[found.id] = found.diff_ids
    return found


def _inspected(link: Link, reference: str) -> ImageInfo | None:
    if link.direct is not None and not link.info.containerd_store:
        try:
            attributes = link.direct.image(reference)
            return None if attributes is None else parse(attributes)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            pass  # the SDK asks again, and says what is wrong
    import docker.errors

    with link.doing(f"looking up the image {reference}"):
        try:
            return parse(link.api.inspect_image(identity.handle(link, reference)))
        except docker.errors.NotFound:
            return None


def require_image(link: Link, reference: str) -> ImageInfo:
    """Return an image. Raises ``EngineError`` when the engine does not have it."""
    found = inspect(link, reference)
    if found is None:
        raise EngineError(
            f"the engine at {link.info.address} has no image {reference}",
            hint="`docker images` lists what it has; `freeze build` makes an environment's image",
        )
    return found


def chains(link: Link) -> Iterator[tuple[str, ...]]:
    """Yield the diff IDs of images: of those looked up before, then of all others.

    An image's layers never change under its ID, but a known image may have been removed. An engine
    may have hundreds, so callers may stop early.
    """
    yield from list(link.chains.values())
    with link.doing("listing images"):
        names = _ids(link.api.images())
    for name in names:
        if name not in link.chains and (image := inspect(link, name)) is not None:
            yield image.diff_ids


def _ids(summaries: Any) -> list[str]:
    return [text(mapping(summary)["Id"]) for summary in items(summaries)]


def listed(link: Link, *, label: str | None = None) -> list[ImageInfo]:
    """Return the images, newest first, with or without a tag."""
    # podman hides untagged images that share layers; Docker hides only its own build steps.
    all_images = link.info.name == "podman"
    with link.doing("listing images"):
        filters = {"label": label} if label else None
        names = _ids(link.api.images(all=all_images, filters=filters))
    found = (inspect(link, name) for name in names)
    return [image for image in found if image is not None]  # None: removed in between


def tag(link: Link, image_id: str, repository: str, name: str) -> None:
    """Point ``repository:name`` at an image."""
    with link.doing(f"tagging {image_id} as {repository}:{name}"):
        link.api.tag(identity.handle(link, image_id), repository, name)


def remove(link: Link, reference: str) -> None:
    """Remove a tag, or an image without tags; no error when it does not exist."""
    import docker.errors

    last = _last_but_its_id(link, reference)
    with link.doing(f"removing the image {reference}"):
        for name in (identity.handle(link, reference), *last):
            try:
                link.api.remove_image(name)
            except docker.errors.NotFound:
                continue


def _last_but_its_id(link: Link, reference: str) -> list[str]:
    """Return an image's ID tag, if the tag to be removed is the only other one.

    That tag must go too: an image is deleted with its last tag.
    """
    found = inspect(link, reference) if link.info.containerd_store else None
    if found is None or found.tags != (familiar(reference),):
        return []
    tag = identity.id_tag(link.info, found.id)
    return [tag] if tag is not None else []


def layer_sizes(link: Link, image_id: str) -> tuple[int, ...]:
    """Return the bytes of each layer, lowest first; see ``Engine.layer_sizes``."""
    count = len(require_image(link, image_id).diff_ids)
    with link.doing(f"reading the history of the image {image_id}"):
        steps = items(link.api.history(identity.handle(link, image_id)))
        sizes = tuple(number(mapping(step).get("Size")) for step in reversed(steps))
    # Steps without a layer (ENV, CMD …) are indistinguishable from empty layers.
    return sizes if len(sizes) == count else ()


def pull(link: Link, reference: str, *, platform: str, report: Reporter) -> ImageInfo:
    """Pull ``name@sha256:…`` for ``linux/amd64``; the engine verifies the digest.

    Registry credentials are those of ``docker login``. Raises ``EngineError``.
    """
    repository, _, digest = reference.partition("@")
    doing = f"pulling {reference}"
    with report.task(f"Pulling {repository}", unit="bytes") as task, link.doing(doing):
        messages = link.api.pull(
            repository, tag=digest or None, platform=platform, stream=True, decode=True
        )
        _follow(link, messages, task, doing)
    return _of_platform(require_image(link, reference), reference, platform)


def _follow(link: Link, messages: Iterable[Mapping[str, Any]], task: Task, doing: str) -> None:
    done: dict[str, int] = {}
    problem = None
    for message in messages:  # read to the end even after an error, to free the connection
        problem = message.get("error", problem)
        if message.get("status") == "Downloading":
            progress = mapping(message.get("progressDetail"))
            layer, current = str(message.get("id")), number(progress.get("current"))
            task.advance(max(0, current - done.get(layer, 0)))
            done[layer] = max(current, done.get(layer, 0))
    if problem is not None:
        raise link.refused(doing, problem)


def _of_platform(image: ImageInfo, reference: str, platform: str) -> ImageInfo:
    if f"{image.os}/{image.architecture}" != platform:
        raise EngineError(
            f"the engine pulled {reference} for another platform",
            found=f"{image.os}/{image.architecture}",
            expected=platform,
            hint="lock again, so that the digest is the one of the manifest for the platform",
        )
    return image


def familiar(name: str) -> str:
    """Return a tag as the user wrote it: podman adds Docker's default registry."""
    for prefix in ("docker.io/library/", "docker.io/", "localhost/"):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def parse(attributes: Any) -> ImageInfo:
    """Parse ``GET /images/{name}/json``."""
    attributes = mapping(attributes)
    config = mapping(attributes.get("Config"))
    tags = [familiar(name) for name in texts(attributes.get("RepoTags"))]
    environment = (item.partition("=") for item in texts(config.get("Env")))
    return ImageInfo(
        id=identity.id_of_tags(tags) or text(attributes["Id"]),
        diff_ids=texts(mapping(attributes.get("RootFS")).get("Layers")),
        tags=tuple(name for name in tags if not identity.is_id_tag(name)),
        repo_digests=texts(attributes.get("RepoDigests")),
        size=number(attributes.get("Size")),
        architecture=text(attributes.get("Architecture")),
        os=text(attributes.get("Os")),
        environment={name: value for name, equals, value in environment if equals},
        labels={name: text(value) for name, value in mapping(config.get("Labels")).items()},
        user=text(config.get("User")),
        working_dir=text(config.get("WorkingDir")),
        volumes=tuple(sorted(mapping(config.get("Volumes")))),
        folders=_folders(mapping(attributes.get("GraphDriver"))),
    )


def _folders(driver: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the folders of an image's layers, lowest first.

    Docker's overlay2 names each with random characters when it unpacks a layer. podman's overlay,
    with the same fields, names them by content, so the name is not unique to one unpacking.
    """
    data = mapping(driver.get("Data"))
    if driver.get("Name") != "overlay2" or not data.get("UpperDir"):
        return ()
    lower = str(data["LowerDir"]).split(":") if data.get("LowerDir") else []
    return (*reversed(lower), str(data["UpperDir"]))
