"""What is to be signed or verified: an environment, an image, a report or an archive."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from freezer.errors import HostError, Where
from freezer.flows.attest.archive import is_archive
from freezer.flows.project.image_reference import is_image


class Kind(Enum):
    """The kinds of what can be signed."""

    ENVIRONMENT = "environment"
    IMAGE = "image"
    REPORT = "report"
    ARCHIVE = "archive"


def kind_of(text: str | None) -> Kind:
    """Return what an argument names: a file or a folder that exists goes before a name.

    Raises ``HostError`` for a path with nothing there.
    """
    if text is None:
        return Kind.ENVIRONMENT
    path = Path(text)
    if path.is_file():
        return Kind.REPORT
    if is_archive(path):
        return Kind.ARCHIVE
    if "://" in text:
        raise HostError(
            "an address cannot be signed or verified here", where=Where(text),
            expected="an environment, an image by its digest, a report, or an archive's folder",
            hint="sign an archive elsewhere than in a folder by `freeze archive create --key`",
        )  # fmt: skip
    if text.startswith(("/", "./", "../")) or text.endswith(".json"):
        raise HostError(
            "there is neither a report nor an archive", where=Where(text),
            expected="what `freeze check --json` printed, or the folder of `freeze archive create`",
        )  # fmt: skip
    return Kind.IMAGE if is_image(text) else Kind.ENVIRONMENT
