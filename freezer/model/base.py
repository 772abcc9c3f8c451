"""What all of Freezer's documents have in common: frozen, strict, kebab-case on disk."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


def kebab(name: str) -> str:
    """Return the on-disk form of a field name: ``diff_ids`` becomes ``diff-ids``."""
    return name.rstrip("_").replace("_", "-")


class Model(BaseModel):
    """An immutable value with a YAML/JSON form; unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=kebab,
        populate_by_name=True,
    )


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""64 lower-case hexadecimal digits, no prefix: what a file hashes to."""

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""``sha256:`` and 64 digits: how registries and engines name content."""

EnvName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$", max_length=64)]
"""An environment's name; also its image's repository name, hence Docker's own rule."""
