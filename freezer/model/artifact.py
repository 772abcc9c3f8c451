"""One file that the lock names: where it comes from, what it is called, what it hashes to."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from freezer.model.base import Model, Sha256

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
"""``pypi``, ``debian``, ``debian-security``, ``url``, ``git``: a source, never a host."""


def _safe(path: str) -> str:
    parts = path.split("/")
    if "" in parts or "." in parts or ".." in parts or not path.isprintable() or "\\" in path:
        msg = "a relative path without '.', '..', empty segments, backslashes or control characters"
        raise ValueError(msg)
    return path


SafePath = Annotated[str, AfterValidator(_safe)]
"""A relative path that stays below where it is joined to."""


class Artifact(Model):
    """A file pinned by hash. Names a source, not a host; the host is configuration."""

    source: SourceName
    file: SafePath
    """File name at the source: a wheel's name, or a path below a Debian archive's root."""
    size: Annotated[int, Field(ge=0)]
    """Bytes."""
    sha256: Sha256
    url: str | None = None
    """Only for ``url`` and ``git``: the address the user wrote, without credentials."""
    commit: str | None = None
    """Only for ``git``: the full commit hash that was locked."""
    describe: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,250}$")] | None = None
    """Only for ``git``: the commit by the version tag before it (``v1.2-4-g0123abc``), where the
    project takes its version from tags."""
    subdirectory: SafePath | None = None
    """Only for ``url`` and ``git``: the project's folder in the tree."""
