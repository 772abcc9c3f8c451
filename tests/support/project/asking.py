"""Requests to resolvers, written short."""

from __future__ import annotations

import platform
import sys
from typing import Any

from packaging.requirements import Requirement

from freezer.errors import Where
from freezer.fetch.python.settings import Indexes
from freezer.model.lock import PythonTarget, Target
from freezer.resolve.python.interface import PipRequest, PipRequirement

TARGET = Target(
    architecture="x86_64",
    glibc="2.36",
    distribution="debian 12",
    python=PythonTarget(version="3.11.2", abi="cp311", executable="/usr/bin/python3.11"),
)
AS_OF = "2026-06-01T00:00:00Z"


def asked(text: str, line: int = 1, hashes: tuple[str, ...] = ()) -> PipRequirement:
    return PipRequirement(Requirement(text), Where("requirements.in", line), hashes)


def request(url: str | Indexes | None, *texts: str, **more: Any) -> PipRequest:
    """A request for requirements that stand in ``requirements.in``, one a line."""
    indexes = url if isinstance(url, Indexes) else Indexes(url)
    return PipRequest(
        target=more.pop("target", TARGET),
        requirements=tuple(asked(text, line) for line, text in enumerate(texts, 1)),
        as_of=more.pop("as_of", AS_OF),
        indexes=indexes,
        **more,
    )


def host_target(**changes: str) -> Target:
    """The target that this host's Python answers."""
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = TARGET.python.model_copy(
        update={"version": platform.python_version(), "abi": f"cp{minor.replace('.', '')}"}
        | {key: value for key, value in changes.items() if key in ("version", "abi")}
    )
    machine = changes.get("architecture", platform.machine())
    return TARGET.model_copy(update={"architecture": machine, "python": python})
