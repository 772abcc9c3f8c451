"""Builds a context, by BuildKit if available, without network in any step."""

from __future__ import annotations

import json
import os
import tarfile
from typing import TYPE_CHECKING, Literal

import docker.errors

from freezer.engine import tarstream, wire
from freezer.engine.build import buildkit, classic, context
from freezer.engine.build.steps import Failure, Log
from freezer.engine.images import images
from freezer.engine.link import NO_SPACE
from freezer.errors import BuildError, EngineError, HostError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from pathlib import Path

    from freezer.engine.build.steps import Event
    from freezer.engine.interface import EngineInfo
    from freezer.engine.link import Link
    from freezer.model.events import Reporter

TIMEOUT = 3600.0
"""Maximum seconds without output of a step."""

OVERRIDE = "FREEZER_BUILDER"

DOING = "building an image"

_PODMAN_OFFLINE = {
    "networkmode": "NetworkDisabled",
    "nsoptions": json.dumps([{"Name": "network", "Host": False}]),
}
"""podman interprets Docker's ``none`` as its default, the host's network."""

Builder = Literal["buildkit", "classic"]


def build(
    link: Link,
    folder: Path,
    *,
    target: str | None,
    dockerfile: str,
    build_args: Mapping[str, str],
    use_cache: bool,
    report: Reporter,
) -> str:
    """Return the ID of the image; see ``Engine.build``.

    Files of the context have the time ``SOURCE_DATE_EPOCH`` of the build arguments, if given.
    """
    builder = choose(link.info, os.environ.get(OVERRIDE))
    epoch = _epoch(build_args)
    files = list(context.entries(folder, epoch=epoch))
    params = _params(link, builder, target, dockerfile, build_args, use_cache=use_cache)
    with report.task("Building the image", unit="steps") as task, link.doing(DOING):
        events = _events(link, builder, _upload(files, report), params)
        image_id = _followed(link, Log(report, task), events)
    return images.require_image(link, image_id).id


def _followed(link: Link, log: Log, events: Iterable[Event]) -> str:
    try:
        return log.follow(events)
    except BuildError as error:
        messages = [error.found or "", *error.details]
        full = [line for line in messages if NO_SPACE in line.lower()]
        if full:
            raise link.refused(DOING, full[0]) from error
        raise


def choose(info: EngineInfo, override: str | None) -> Builder:
    """Return the builder to use on an engine. Raises ``HostError``, ``EngineError``."""
    if override not in {None, "", "buildkit", "classic"}:
        raise HostError(
            f"{OVERRIDE} is not a builder",
            found=str(override),
            expected="buildkit or classic",
            hint=f"unset {OVERRIDE} to let Freezer choose",
        )
    if override == "buildkit" and not info.buildkit:
        raise EngineError(
            f"{info.name} {info.version} has no BuildKit",
            hint=f"unset {OVERRIDE}, or set it to classic",
        )
    return "buildkit" if info.buildkit and override != "classic" else "classic"


def _epoch(build_args: Mapping[str, str]) -> int:
    given = build_args.get("SOURCE_DATE_EPOCH", "")
    return int(given) if given.isdecimal() else context.EPOCH


def _upload(files: list[tarstream.Entry], report: Reporter) -> Generator[bytes, None, None]:
    """Yield the context; a generator because the SDK closes its argument."""
    size = tarstream.total(files)
    with report.task("Sending the build context", total=size, unit="bytes") as task:
        yield from tarstream.counted(tarstream.stream(files, form=tarfile.USTAR_FORMAT), task)


def _events(
    link: Link, builder: Builder, upload: Iterable[bytes], options: Mapping[str, str]
) -> Iterator[Event]:
    read = buildkit.events if builder == "buildkit" else classic.events
    try:
        yield from read(wire.build(link.api, upload, options, timeout=TIMEOUT))
    except docker.errors.APIError as error:
        # Rejected before the first step: for example a malformed Dockerfile.
        yield Failure(error.explanation or str(error))


def _params(
    link: Link,
    builder: Builder,
    target: str | None,
    dockerfile: str,
    build_args: Mapping[str, str],
    *,
    use_cache: bool,
) -> dict[str, str]:
    """Return the query parameters of ``POST /build``."""
    network = _PODMAN_OFFLINE if link.info.name == "podman" else {"networkmode": "none"}
    return {
        **network,
        **({"version": "2"} if builder == "buildkit" else {}),
        **({"target": target} if target else {}),
        "dockerfile": dockerfile,
        "buildargs": json.dumps(dict(build_args), sort_keys=True),
        "nocache": "0" if use_cache else "1",
        "rm": "1",
        "forcerm": "1",
    }
